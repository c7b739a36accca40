"""A headless Chromium, driven through pipes: pages are opened, typed into and inspected as by a person."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)

KEYS = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, " ": 32, "Tab": 9, "Enter": 13}


class Browser:
    """A browser and its messages; see the Chrome DevTools Protocol."""

    def __init__(self, write: int, read: int) -> None:
        self.write, self.read = write, read
        self.rest = b""
        self.number = 0
        self.events = []

    def call(self, method, session=None, **parameters):
        """Send a command and return its answer; keep the events that come before it."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def _next(self):
        while b"\0" not in self.rest:
            part = os.read(self.read, 1 << 20)
            assert part, "the browser has ended"
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)


class Page:
    """One page."""

    def __init__(self, browser: Browser, path: Path, media=(), size=(1000, 900), mobile=False) -> None:
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")
        width, height = size
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)  # fmt: skip
        self.call(
            "Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in media]
        )
        self.call("Page.navigate", url=path.as_uri())
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def evaluate(self, expression):
        """Return the value of an expression of JavaScript, or raise what it throws."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition):
        """Wait until a condition holds, for at most a minute."""
        loop = f"""new Promise((done, failed) => {{
            const until = Date.now() + 60000;
            const look = () => ({condition}) ? done(true) : Date.now() > until ? failed("never") : setTimeout(look, 10);
            look();
        }})"""
        assert self.evaluate(loop)

    def press(self, key):
        """Press a key and let it go."""
        options = {"key": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": {" ": " ", "Enter": "\r"}[key]} if key in (" ", "Enter") else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **options, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **options)

    def click(self, selector):
        """Click the middle of the visible part of an element."""
        x, y = self.evaluate(f"""(() => {{
            const found = document.querySelector({json.dumps(selector)});
            found.scrollIntoView({{block: "center"}});
            const box = found.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, selector, text):
        """Replace the text of a field, and leave the field."""
        self.evaluate(
            f"(() => {{ const f = document.querySelector({json.dumps(selector)}); f.focus(); f.select(); }})()"
        )
        self.call("Input.insertText", text=text)
        self.press("Enter")

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")

    def events(self, method):
        self.evaluate("1")  # all events have arrived by then
        return [
            event["params"]
            for event in self.browser.events
            if (event.get("method"), event.get("sessionId")) == (method, self.session)
        ]

    def screenshot(self) -> bytes:
        import base64

        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a browser with its files in a folder, and stop it at the end."""
    assert PROGRAM is not None
    to_browser, from_browser = os.pipe(), os.pipe()
    # The protocol's pipes are descriptors 3 and 4, regardless of ours.
    command = f'exec "$0" "$@" 3<&{to_browser[0]} 4>&{from_browser[1]}'
    options = [
        *(
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--remote-debugging-pipe",
        ),
        *(
            "--no-first-run",
            "--disable-extensions",
            "--disable-background-networking",
            f"--user-data-dir={folder}",
        ),
    ]
    process = subprocess.Popen(
        ["bash", "-c", command, PROGRAM, *options],
        pass_fds=(to_browser[0], from_browser[1]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder)},
    )
    os.close(to_browser[0])
    os.close(from_browser[1])
    try:
        yield Browser(to_browser[1], from_browser[0])
    finally:
        with suppress(OSError):
            os.close(to_browser[1])
        os.close(from_browser[0])
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
