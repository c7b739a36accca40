"""The phrases that convcli/docs/writing.md keeps out of the program, its tests and its documents."""

import re

import pytest

from tests.paths import ROOT

PAGE = ROOT / "convcli" / "docs" / "writing.md"
BANNED = re.findall(
    r"^- (.+)$", PAGE.read_text(encoding="utf-8").partition("<!-- banned -->")[2], re.MULTILINE
)


def phrase(text: str) -> re.Pattern[str]:
    """Return a pattern that finds a phrase in any case, and over a line break with its mark of a comment."""
    return re.compile(r"[\s#]+".join(map(re.escape, text.split())), re.IGNORECASE)


@pytest.mark.parametrize("banned", BANNED)
def test_banned_phrases_are_nowhere(banned: str) -> None:
    found = []
    for file in [*ROOT.glob("*.md"), *ROOT.glob("convcli/**/*.md"), *ROOT.glob("convcli/**/*.py")]:
        name = file.relative_to(ROOT).as_posix()
        if file != PAGE and phrase(banned).search(file.read_text("utf-8")):
            found.append(name)
    assert found == []


def test_a_phrase_is_found_over_a_line_break() -> None:
    assert phrase("without a word").search("nothing is cut Without\n    # a word")
    assert not phrase("without a word").search("without awards")
    assert len(BANNED) >= 10


def test_there_are_ten_examples() -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| (?!---|before)", line)
    ]
    assert len(rows) == 10
