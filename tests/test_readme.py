"""The README is true: its commands run and print what it shows, its pictures are the ones they make."""

import doctest
import subprocess
from pathlib import Path

import numpy as np
import pytest

from convcli.images.read import read_picture
from tests.conftest import ROOT
from tests.networks.onnx.trained import CannotFetchError
from tests.readme import README, Step, blocks, make_picture, pictures, run, sessions, workshop

TEXT = README.read_text()
BLOCKS = blocks(TEXT)
SESSIONS = sessions(TEXT)
PICTURES = pictures(TEXT)


def test_there_is_something_to_test() -> None:
    assert len(BLOCKS) >= 5
    assert len(PICTURES) >= 4
    assert len(SESSIONS) >= 2
    assert TEXT.count("```") == 2 * len(BLOCKS + SESSIONS), "every block is run, as a shell's or as Python's"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block[0].command)
def test_every_block_prints_what_it_shows(block: list[Step], tmp_path: Path) -> None:
    folder = workshop(tmp_path)
    for command, output in block:
        if command.startswith("make "):  # CI runs these themselves, on a clean clone
            subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, check=True, capture_output=True)
        else:
            assert run(command, folder) == output


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.partition("\n")[0])
def test_every_session_of_python_gives_what_it_shows(
    session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workshop(tmp_path))
    example = doctest.DocTestParser().get_doctest(session, {}, "README", None, None)
    said: list[str] = []
    found = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert found.attempted and not found.failed, "".join(said)


@pytest.mark.parametrize("path", PICTURES)
def test_every_picture_is_made_by_its_command(path: str, tmp_path: Path) -> None:
    shown = read_picture(ROOT / path)
    try:
        made = read_picture(make_picture(PICTURES[path], workshop(tmp_path)))
    except CannotFetchError as error:
        pytest.skip(str(error))
    assert [frame.mode for frame in made.frames] == [frame.mode for frame in shown.frames]
    drawn = PICTURES[path].startswith("convcli draw")
    for ours, theirs in zip(made.frames, shown.frames, strict=True):
        # Sums that are not whole are floats: on another machine a half may fall to the other side, which a
        # JPEG spreads over its block.
        apart = np.abs(ours.pixels.astype(int) - theirs.pixels)
        if drawn:  # another FreeType may shade the edges of letters in another way
            assert ours.duration == theirs.duration
            assert apart.mean() < 1
        else:
            assert apart.max() <= (8 if path.endswith(".jpg") else 1)
            assert apart.mean() < 0.01


def test_every_file_that_it_names_is_there() -> None:
    import re

    for path in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / path).exists(), path
