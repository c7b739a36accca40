"""README.md and the pages in convcli/docs are true: commands and sessions give what they show, pictures and links exist."""

import doctest
import subprocess
from pathlib import Path

import numpy as np
import pytest

from convcli.images.read import read_picture
from tests.conftest import ROOT
from tests.documents import MAKE, Step, blocks, documents, make_picture, pictures, run, sessions, workshop
from tests.networks.onnx.trained import CannotFetchError

TEXTS = {name: path.read_text(encoding="utf-8") for name, path in documents().items()}
BLOCKS = [(name, block) for name, text in TEXTS.items() for block in blocks(text)]
SESSIONS = [(name, session) for name, text in TEXTS.items() for session in sessions(text)]
PICTURES = pictures()
ANEW = "if the new output is right, `make docs` writes it down"


def test_there_is_something_to_test() -> None:
    text = TEXTS["README.md"]
    assert len(blocks(text)) >= 15
    assert len(SESSIONS) >= 6
    assert len(PICTURES) >= 25
    assert text.count("```") == 2 * len(blocks(text) + sessions(text)), "every block of the README is run"


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[block[0].command for _, block in BLOCKS])
def test_every_block_prints_what_it_shows(name: str, block: list[Step], tmp_path: Path) -> None:
    folder = workshop(tmp_path)
    for command, output in block:
        if command.startswith(MAKE):  # CI runs these themselves, on a clean clone
            subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, check=True, capture_output=True)
        else:
            assert run(command, folder) == output, f"{name}: {ANEW}"


@pytest.mark.parametrize(
    ("name", "session"), SESSIONS, ids=[session.partition("\n")[0] for _, session in SESSIONS]
)
def test_every_session_of_python_gives_what_it_shows(
    name: str, session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workshop(tmp_path))
    example = doctest.DocTestParser().get_doctest(session, {}, name, None, None)
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
    assert [frame.mode for frame in made.frames] == [frame.mode for frame in shown.frames], ANEW
    drawn = PICTURES[path].startswith("convcli draw")
    for ours, theirs in zip(made.frames, shown.frames, strict=True):
        # Sums that are not whole are floats: on another machine a half may fall to the other side, which a
        # JPEG spreads over its block.
        apart = np.abs(ours.pixels.astype(int) - theirs.pixels)
        if drawn:  # another FreeType may shade the edges of letters in another way
            assert ours.duration == theirs.duration, ANEW
            assert apart.mean() < 1, ANEW
        else:
            assert apart.max() <= (8 if path.endswith(".jpg") else 1), ANEW
            assert apart.mean() < 0.01, ANEW
