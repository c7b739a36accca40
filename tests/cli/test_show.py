"""--show: what terminals there are, and when it is refused."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest

from convcli.cli.terminal import way_of
from convcli.images.preview import COLOURS_256, ITERM, KITTY, SHADES, TRUE_COLOUR
from convcli.images.read import read_picture
from tests.conftest import ROOT, SAMPLES, Call, one_error
from tests.images.test_preview import of_blocks, of_kitty


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({}, SHADES),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, SHADES),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, SHADES),
        ({"TERM": "xterm-kitty", "NO_COLOR": ""}, KITTY),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, KITTY),
        ({"TERM": "xterm-ghostty", "COLORTERM": "truecolor"}, KITTY),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1", "TMUX": "/tmp/tmux"}, COLOURS_256),
        ({"TERM": "screen", "TERM_PROGRAM": "iTerm.app", "COLORTERM": "truecolor"}, TRUE_COLOUR),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "COLORTERM": "truecolor"}, ITERM),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, ITERM),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, ITERM),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, TRUE_COLOUR),
        ({"TERM": "xterm"}, COLOURS_256),
    ],
)
def test_the_environment_tells_what_a_terminal_shows(environment: dict[str, str], way: str) -> None:
    assert way_of(environment) == way


def on_terminal(
    folder: Path, *words: object, size: tuple[int, ...], **environment: str
) -> tuple[bytes, bytes, int]:
    """Run the program with its answer on a terminal of so many rows, columns and pixels."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", *size))
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST  # no carriage returns
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    unset = (
        "NO_COLOR",
        "COLORTERM",
        "TERM_PROGRAM",
        "KITTY_WINDOW_ID",
        "TMUX",
        "COLUMNS",
        "LINES",
        "LC_TERMINAL",
    )
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    command = [sys.executable, "-m", "convcli", *map(str, words)]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 1 << 16):
                shown += part
        except OSError:  # what Linux says where the other end is closed
            pass
        os.close(ours)
        assert process.stderr is not None
        return shown, process.stderr.read(), process.wait()


def test_several_pictures_are_shown_behind_their_names_and_nothing_is_written(tmp_path: Path) -> None:
    names = [SAMPLES / "house.png", SAMPLES / "logo.png"]
    shown, err, code = on_terminal(
        tmp_path,
        "filter",
        *names,
        "-k",
        "box",
        "--show",
        size=(12, 40, 0, 0),
        TERM="xterm",
        COLORTERM="truecolor",
    )
    assert code == 0, err
    assert os.listdir(tmp_path) == []
    first, second = shown.decode().split(f"{names[0]}\n")[1].split(f"{names[1]}\n")
    for name, text in zip(names, (first, second), strict=True):
        pixels = read_picture(name).frames[0].pixels
        back = of_blocks(text.encode())
        assert back.shape[0] == 20, "as high as the terminal, but for two rows"
        assert back.shape[1] == round(pixels.shape[1] * 20 / pixels.shape[0])
        if pixels.ndim == 2:  # of which each cell is about the mean
            wanted = pixels.reshape(20, 16, 25, 16).mean(axis=(1, 3))
            assert np.abs(back[..., 0] - wanted).mean() < 3


def test_with_an_output_the_picture_is_written_and_shown(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    shown, err, code = on_terminal(
        tmp_path,
        *("filter", SAMPLES / "house.png", "-k", "sobel", "--gray", "-o", target, "--show"),
        size=(42, 100, 1000, 840),
        TERM="xterm-kitty",
    )
    assert code == 0, err
    path, _, rest = shown.partition(b"\n")
    assert path.decode() == str(target)
    assert (of_kitty(rest)[..., 0] == read_picture(target).frames[0].pixels).all()


def test_the_response_of_a_kernel_is_shown(tmp_path: Path) -> None:
    shown, err, code = on_terminal(
        tmp_path, "kernels", "box:3", "--show", size=(42, 100, 1000, 840), TERM="xterm-kitty"
    )
    assert code == 0, err
    table, _, rest = shown.partition(b"\x1b_G")
    assert b"separable" in table
    pixels = of_kitty(b"\x1b_G" + rest)[..., 0]
    assert pixels.shape == (256, 256)
    assert (pixels[128, 128], pixels.max()) == (255, 255)
    assert abs(int(pixels[128, 0]) - round(255 / 3)) <= 1  # |1 + 2 cos(pi)| / 3


def test_without_a_terminal_it_is_refused(call: Call, tmp_path: Path) -> None:
    says = "--show draws on a terminal, and standard output is none; leave it out, or write a file with -o"
    for words in (["filter", SAMPLES / "house.png", "-k", "box"], ["kernels", "box"]):
        result = call(*words, "--show")
        assert (result.code, result.out) == (2, "")
        assert one_error(result) == says


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--dry-run"], "--dry-run filters nothing that --show could show; leave out one of them"),
        (["-o", "png:-"], "-o png:- prints the picture where --show shows it; name a file, or leave out -o"),
        (["--quality", 80], "--quality applies to pictures that are written, and --show alone writes none; name a file with -o"),
        (["--report", "r.jsonl"], "--report applies to pictures that are written, and --show alone writes none"),
        (["--explain", "0,0"], "--show shows pictures, and --explain makes none; leave one of them out"),
    ],
)  # fmt: skip
def test_what_contradicts_it_is_refused(
    call: Call, monkeypatch: pytest.MonkeyPatch, more: list[object], says: str
) -> None:
    monkeypatch.setattr("convcli.cli.terminal.check_terminal", lambda: None)
    result = call("filter", SAMPLES / "house.png", "-k", "box", "--show", *more)
    assert result.code == 2
    assert says in one_error(result)
