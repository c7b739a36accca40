"""--show: what terminals there are, and when it is refused."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.cli.terminal import terminal_method
from convcli.images.preview import COLOURS_256, ITERM, KITTY, SHADES, TRUE_COLOUR, Screen
from convcli.images.read import read_picture
from tests.conftest import ROOT, SAMPLES, Call, one_error
from tests.images.test_preview import of_blocks, of_kitty


@pytest.mark.parametrize(
    ("environment", "method"),
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
def test_the_environment_tells_what_a_terminal_shows(environment: dict[str, str], method: str) -> None:
    assert terminal_method(environment) == method


def on_terminal(
    folder: Path, *words: object, size: tuple[int, ...], **environment: str
) -> tuple[bytes, bytes, int]:
    """Run the program on a terminal with the given rows, columns and pixels."""
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


@pytest.fixture
def kitty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with the protocol of kitty and room for each pixel."""
    monkeypatch.setattr("convcli.cli.terminal.check_terminal", lambda: None)
    monkeypatch.setattr("convcli.cli.terminal.screen_of_terminal", lambda: Screen(KITTY, 4000, 4000, (1, 1)))


def images(out: str) -> tuple[list[np.ndarray], str]:
    """Return the images that kitty was sent, and the other text."""
    sequences = re.compile(r"(?:\x1b_G[^\x1b]*\x1b\\)+\n")
    return [of_kitty(found.encode()) for found in sequences.findall(out)], sequences.sub("", out)


@pytest.mark.parametrize("more", [[], ["--step", 2, "--theme", "dark"]])
def test_a_drawing_is_shown_as_it_is_written(
    call: Call, kitty: None, tmp_path: Path, more: list[object]
) -> None:
    words = "draw", "--n", 4, "--k", 3, *more
    assert call(*words, "-o", tmp_path / "x.png").code == 0
    written = read_picture(tmp_path / "x.png").frames[0].pixels
    code, out, err = call(*words, "--show")
    (shown,), rest = images(out)
    assert (code, rest, err) == (0, "", "")
    assert (shown == written).all()
    code, out, err = call(*words, "--show", "-o", tmp_path / "x.svg")
    (shown,), rest = images(out)
    assert (code, rest, err) == (0, "", f"convcli: wrote {tmp_path}/x.svg\n")
    assert (shown == written).all()
    assert "<svg" in (tmp_path / "x.svg").read_text()


def test_of_many_steps_some_are_shown_and_a_note_is_printed(
    call: Call, kitty: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("convcli.drawing.forms.ON_SHEET", 2)
    words = "draw", "--n", "3x1", "--k", 1
    note = "convcli: 2 of 3 steps are drawn; --step N draws one of them\n"
    assert call(*words, "--show").err == note
    assert call(*words, "--show", "-o", tmp_path / "x.png").err == f"convcli: wrote {tmp_path}/x.png\n{note}"


def test_the_map_of_differences_is_shown(call: Call, kitty: None, tmp_path: Path) -> None:
    frames = [Image.new("L", (40, 30), level) for level in (0, 100, 7)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=50)
    frames[1].putpixel((3, 4), 98)
    frames[2].putpixel((5, 6), 27)
    frames[0].save(tmp_path / "b.gif", save_all=True, append_images=frames[1:], duration=50)
    words = "diff", tmp_path / "a.gif", tmp_path / "b.gif", "--field", "difference"
    plain = call(*words)
    code, out, err = call(*words, "--show")
    (shown,), rest = images(out)
    assert (code, rest) == (1, plain.out)
    says = "frame 2, where it is largest, |A - B| times 12.75: white is 20"
    assert f"convcli: shown {words[1]} and {words[2]}: {says}\n" in err
    factor = shown.shape[0] // 30
    wanted = np.zeros((30, 40), np.uint8)
    wanted[6, 5] = 255
    assert (shown[..., 0] == wanted.repeat(factor, 0).repeat(factor, 1)).all()
    code, out, err = call(*words, "--show", "-o", tmp_path / "map.npy")
    assert (images(out)[0][0] == shown).all()
    assert f"wrote {tmp_path}/map.npy: A - B\n" in err
    assert np.load(tmp_path / "map.npy")[2, 6, 5].tolist() == [-20] * 3


def test_of_two_folders_the_maps_of_differing_pairs_are_shown(
    call: Call, kitty: None, tmp_path: Path
) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        for name, level in (("a.png", 9), ("b.png", 60 if folder == "one" else 50), ("c.png", 1)):
            Image.new("RGB", (20, 20), (level, 0, 0)).save(tmp_path / folder / name)
    (tmp_path / "other" / "c.png").unlink()
    code, out, _ = call("diff", tmp_path / "one", tmp_path / "other", "--format", "csv", "--show")
    assert code == 1
    assert out.startswith("b.png\n\x1b_G")
    (shown,), rest = images(out)
    assert (shown == (255, 0, 0)).all()
    assert rest.startswith("b.png\npicture,")
    quiet = call("diff", tmp_path / "one", tmp_path / "other", "--format", "csv", "--show", "-q").out
    assert quiet.startswith("\x1b_G")


def test_showing_a_map_needs_memory(call: Call, kitty: None, tmp_path: Path) -> None:
    Image.new("L", (1000, 1000)).save(tmp_path / "a.png")
    words = "diff", tmp_path / "a.png", tmp_path / "a.png", "--max-memory"
    needed = [
        int(re.search(r"raise it with --max-memory (\d+)M", one_error(call(*words, "1M", *more)))[1])
        for more in ([], ["--show"])
    ]
    assert needed[1] - needed[0] in (12, 13, 14), "13 bytes for each of a million pixels"
    assert call(*words, f"{needed[0]}M").code == 0


def test_without_a_terminal_it_is_refused(call: Call, tmp_path: Path) -> None:
    says = "--show draws on a terminal, and standard output is not one; leave it out, or write a file with -o"
    picture = SAMPLES / "house.png"
    for words in (
        ["filter", picture, "-k", "box"],
        ["kernels", "box"],
        ["draw", "--n", 3],
        ["diff", picture, picture, "-o", tmp_path / "map.png"],
    ):
        result = call(*words, "--show")
        assert (result.code, result.out) == (2, "")
        assert one_error(result) == says
    assert os.listdir(tmp_path) == []


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


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["draw", "--n", 3, "-o", "png:-"], "-o png:- prints the picture where --show shows it; name a file, or leave out -o"),
        (["draw", "--n", 3, "--delay", 2], "--delay applies to drawings that are written, and --show alone writes none; name a file with -o"),
        (["draw", "--n", 3, "--k", 3, "--step", 99], "there is no step 99; there are 1, counted from 1"),
        (["draw", "--n", 3, "--k", 3, "--step", 99, "-o", "x.svg"], "there is no step 99; there are 1, counted from 1"),
    ],
)  # fmt: skip
def test_what_contradicts_it_in_other_commands_is_refused(
    call: Call, kitty: None, words: list[object], says: str
) -> None:
    result = call(*words, "--show")
    assert (result.code, result.out) == (2, "")
    assert one_error(result) == says
