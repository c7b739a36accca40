"""Runs of the program on many pictures, for tests of parallel jobs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.paths import SAMPLE_NAMES, SAMPLES

Program = Callable[..., subprocess.CompletedProcess[bytes]]

# Names that make Pillow misbehave in any process; imported from the program's path, not part of the package.
FAULTS = """
import os, signal, sys, time
from pathlib import Path
try:
    from PIL import Image
except ImportError:
    Image = None
if Image is not None:
    whole = Image.open
    def opened(file, *arguments, **options):
        name = Path(str(getattr(file, "name", ""))).name
        if name.startswith("log-"): Path("log").open("a").write(name)
        if "exit" in name: os._exit(3)
        if "kill" in name: os.kill(os.getpid(), signal.SIGKILL)
        if "once" in name and not Path("marked").exists():
            Path("marked").touch()
            os.abort()
        if "loop" in name:
            while True: pass
        if "slow" in name: time.sleep(0.3)
        if "stuck" in name: time.sleep(600)
        return whole(file, *arguments, **options)
    Image.open = opened
"""

NAMES = [name for name in SAMPLE_NAMES if name not in ("landscape.png", "zoneplate.png")]  # the larger ones


def draw(folder: Path, *names: str) -> list[str]:
    """Draw tiny pictures, all different."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 256, (12, 14, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name, "PNG")
    return list(names)


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}


def lines(path: Path) -> list[dict[str, object]]:
    text = path.read_bytes()
    assert text.isascii()
    assert text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]


def filtered(program: Program, tmp_path: Path, options: str) -> tuple[bytes, list[str], dict[str, bytes]]:
    """Filter samples and two bad files; return stdout, the lines of stderr, and the pictures."""
    (tmp_path / "bad.png").write_text("bad")
    inputs = [str(SAMPLES / name) for name in NAMES]
    inputs[1:1], inputs[4:4] = ["bad.png"], ["none.png"]
    run = program("filter", *inputs, "--kernel", "gaussian:3", "-o", "out/", "--stats", *options.split())
    assert run.returncode == 1
    out = run.stdout.replace(
        json.dumps(f"{tmp_path}/")[1:-1].encode(), b""
    )  # a cluster prints absolute paths
    return out, run.stderr.decode().replace(f"{tmp_path}/", "").splitlines(), contents(tmp_path / "out")


def started(
    tmp_path: Path, faults: dict[str, str], *arguments: str, program: Sequence[str] = ("-m", "convcli")
) -> subprocess.Popen[bytes]:
    words = ["filter", *arguments, "--kernel", "box", "-o", "out/"]
    return subprocess.Popen(
        [sys.executable, *program, *words],
        cwd=tmp_path,
        env={**os.environ, **faults},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # so that trailing output is not lost
        start_new_session=True,
    )


def family(leader: int) -> list[int]:
    """Return the processes of a session: all that a program has left behind, whatever their parent is now."""
    members = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(words[3]) == leader and words[0] != "Z":
            members.append(int(path.parent.name))
    return members


def soon(true: Callable[[], bool]) -> bool:
    """Return whether a condition holds, now or within a minute."""
    until = time.monotonic() + 60
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return true()


def gone(leader: int) -> bool:
    """Return whether the session is empty, now or soon."""
    return soon(lambda: not family(leader))
