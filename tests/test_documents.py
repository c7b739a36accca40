"""README.md and the pages in convcli/docs are correct: commands and sessions give the shown output, pictures and links exist."""

import doctest
import re
import shlex
import subprocess
from collections.abc import Iterator
from itertools import chain, takewhile
from pathlib import Path

import click
import numpy as np
import pytest

from convcli.cli import group
from convcli.images.read import read_picture
from tests import documents as module
from tests.conftest import ROOT
from tests.documents import MAKE, Step, blocks, documents, make_picture, pictures, run, sessions, workshop
from tests.networks.onnx.trained import CannotFetchError

TEXTS = {name: path.read_text(encoding="utf-8") for name, path in documents().items()}
BLOCKS = [(name, block) for name, text in TEXTS.items() for block in blocks(text)]
SESSIONS = [(name, session) for name, text in TEXTS.items() for session in sessions(text)]
PICTURES = pictures()
REWRITE = "if the new output is right, `make docs` writes it down"


def test_documents_have_commands() -> None:
    text = TEXTS["README.md"]
    assert len(blocks(text)) >= 15
    assert len(SESSIONS) >= 6
    assert len(PICTURES) >= 25
    assert text.count("```") == 2 * len(blocks(text) + sessions(text)), "every block of the README is run"


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[block[0].command for _, block in BLOCKS])
def test_every_block_has_its_output(name: str, block: list[Step], tmp_path: Path) -> None:
    folder = workshop(tmp_path)
    for command, output in block:
        if command.startswith(MAKE):  # CI runs these separately, on a clean clone
            subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, check=True, capture_output=True)
        else:
            assert run(command, folder) == output, f"{name}: {REWRITE}"


@pytest.mark.parametrize(
    ("name", "session"), SESSIONS, ids=[session.partition("\n")[0] for _, session in SESSIONS]
)
def test_every_session_of_python_has_its_output(
    name: str, session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workshop(tmp_path))
    example = doctest.DocTestParser().get_doctest(session, {}, name, None, None)
    message: list[str] = []
    found = doctest.DocTestRunner(verbose=False).run(example, out=message.append)
    assert found.attempted and not found.failed, "".join(message)


@pytest.mark.parametrize("path", PICTURES)
def test_every_picture_is_made_by_its_command(path: str, tmp_path: Path) -> None:
    shown = read_picture(ROOT / path)
    try:
        made = read_picture(make_picture(PICTURES[path], workshop(tmp_path)))
    except CannotFetchError as error:
        pytest.skip(str(error))
    assert [frame.mode for frame in made.frames] == [frame.mode for frame in shown.frames], REWRITE
    drawn = PICTURES[path].startswith("convcli draw")
    for ours, theirs in zip(made.frames, shown.frames, strict=True):
        # Fractional sums are floats, and may be on the other side of a half on another machine;
        # a JPEG spreads the difference over its block.
        apart = np.abs(ours.pixels.astype(int) - theirs.pixels)
        if drawn:  # another version of FreeType may render the edges of letters differently
            assert ours.duration == theirs.duration, REWRITE
            assert apart.mean() < 1, REWRITE
        else:
            assert apart.max() <= (8 if path.endswith(".jpg") else 1), REWRITE
            assert apart.mean() < 0.01, REWRITE


def test_make_demo_prints_commands_that_make_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = [f"sample_images/gallery/{name}" for name in ("depthwise.jpg", "transposed-even.png")]
    monkeypatch.setattr(module, "pictures", lambda: {path: PICTURES[path] for path in chosen})
    monkeypatch.chdir(workshop(tmp_path))
    module.make_gallery(Path("my demo"))
    _, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    for path, command, made in zip(chosen, lines[::2], lines[1::2], strict=True):
        wanted = PICTURES[path].partition(" -o ")[0].split()
        assert shlex.split(command) == ["$", *wanted, "-o", made, "--force"]
        assert Path(made).name == Path(path).name
        shown = read_picture(ROOT / path).frames[0].pixels.astype(int)
        assert np.abs(shown - read_picture(Path(made)).frames[0].pixels).max() <= 8
        Path(made).write_bytes(b"")
        run(command.removeprefix("$ "), Path.cwd())  # once more, as who pastes it
        assert np.abs(shown - read_picture(Path(made)).frames[0].pixels).max() <= 8


def test_make_demo_names_the_model_of_a_command() -> None:
    (command,) = (command for command in PICTURES.values() if ".onnx" in command)
    words = shlex.split(module.command_into(command, Path("my demo/maps.png")))
    assert words[words.index("--network") + 1] == "my demo/ch_PP-OCRv4_det_infer.onnx"
    assert words[-3:] == ["-o", "my demo/maps.png", "--force"]


@pytest.mark.parametrize("name", TEXTS)
def test_convcli_is_installed_from_a_place_that_has_it(name: str) -> None:
    """It is on no package registry; messages of the program name the extra of the installed convcli."""
    text = re.sub(r"^#.*", "", TEXTS[name], flags=re.MULTILINE)
    for command in re.findall(r"pip install ([^\n`]*convcli[^\n`]*)", text):
        assert "git+https://github.com/convcli/convcli" in command


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each convcli command between backticks, in a console block, or in a picture's alternative text."""
    text = re.sub(r"\\\n\s*", "", text)
    found = re.findall(r"(?<!`)`(convcli [^`]+)`(?!`)|!\[(convcli [^\]]+)\]", text)
    for block in re.findall(r"^```(?:sh|yaml|make)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        found += re.findall(r"\b()(convcli (?!\|).+)", block)
    for line in filter(None, chain.from_iterable(found)):
        words = shlex.split(line.replace("|", " | "), comments=True)
        yield list(takewhile(lambda word: word not in {"|", "||", "&&", ">", "2>", "<"}, words))


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_has_the_options_that_it_is_shown_with(name: str) -> None:
    wrong = []
    for _, word, *words in commands(TEXTS[name]):
        command = group.get_command(click.Context(group), word)
        if command is None:  # an option of convcli itself, or COMMAND for any of them
            wrong += [] if word.isupper() or word in {"-V", "--version"} else [word]
            continue
        options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        typed = {each.partition("=")[0] for each in words if re.match(r"--?[a-z]", each)}
        wrong += [f"{word} {option}" for option in typed - options - {"-h", "--help"}]
    assert wrong == []
