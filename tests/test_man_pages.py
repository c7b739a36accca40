"""The man pages equal the help of the commands, in roff that man formats without a warning."""

import re
import shutil
import subprocess
import tomllib

import pytest

from convcli.cli import COMMANDS
from tests.command_manual import manuals
from tests.man_pages import FOLDER, pages
from tests.paths import ROOT

PAGES = pages()
MACROS = {"TH", "SH", "SS", "PP", "TP", "EX", "EE", "nh", "nr", "ad", '\\"'}
FILES = sorted(FOLDER.iterdir())


def test_there_is_a_page_for_convcli_and_each_command() -> None:
    assert sorted(PAGES) == sorted(["convcli.1", *(f"convcli-{name}.1" for name in COMMANDS)])
    assert [path.name for path in FILES] == sorted(PAGES), "run `make man`"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_equals_the_help_of_its_command(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name], (
        "the help has changed: run `make pages`"
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_made_of_sections_and_known_macros(name: str) -> None:
    lines = PAGES[name].splitlines()
    assert lines[1].startswith(".TH ")
    sections = [line[4:] for line in lines if line.startswith(".SH ")]
    assert sections[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"]
    assert "OPTIONS" in sections and sections[-2:] == ["EXIT STATUS", "SEE ALSO"]
    assert {line[1:].partition(" ")[0] for line in lines if line.startswith((".", "'"))} <= MACROS
    assert all(lines), "an empty line is not portable"
    escapes = re.findall(r"\\(?:f.|\(..|.)", "\n".join(lines[1:]))
    assert set(escapes) <= {"\\e", "\\-", "\\&", "\\fB", "\\fI", "\\fR", "\\(aq", "\\(ga", "\\(ha", "\\(ti"}


def test_man_shows_every_word_and_warns_of_nothing() -> None:
    if shutil.which("man") is None:
        pytest.skip("there is no man")
    done = subprocess.run(
        ["man", "--warnings=w", "-l", FOLDER / "convcli-filter.1"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    shown = "".join(re.sub(r".\x08|\x1b\[[\d;]*m", "", done.stdout).split())
    manual = next(each for each in manuals() if each.name == "convcli filter")
    parts = [manual.usage, *manual.examples, *(each.text for each in (*manual.description, *manual.more))]
    parts += [text for _, records in manual.options for record in records for text in record]
    assert [part for part in parts if "".join(part.split()) not in shown] == []


def test_mandoc_finds_nothing_wrong() -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("there is no mandoc")
    done = subprocess.run(
        ["mandoc", "-Tlint", "-Wwarning", *FILES], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


def test_the_pages_are_in_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"] == {"man": "share/man/man1"}
