"""The pages of the commands equal `--help-all`."""

import pytest

from convcli.cli import COMMANDS
from tests.command_manual import Manual, manuals
from tests.command_pages import FOLDER, pages
from tests.conftest import Call

PAGES = pages()
MANUALS = {manual.name.split()[1]: manual for manual in manuals()}


def test_every_command_has_a_page() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(COMMANDS), "run `make pages`"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_equals_the_help_of_its_command(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name], (
        "the help has changed: run `make pages`"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_manual_has_every_word_of_the_help(call: Call, name: str) -> None:
    manual: Manual = MANUALS[name]
    message = call(name, "--help-all" if manual.topics else "--help").out
    parts = [manual.usage, *manual.examples, *(each.text for each in (*manual.description, *manual.more))]
    parts += [text for _, records in manual.options for record in records for text in record]
    known = "".join("".join(parts).split())
    headings = {"Examples:", "Usage:", *(f"{heading}:" for heading, _ in manual.options)}
    for line in message.splitlines():
        if line and line not in headings:
            for words in line.removeprefix("Usage: ").strip().split("  "):
                assert "".join(words.split()) in known, line
