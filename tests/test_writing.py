"""The phrases that convcli/docs/writing.md bans from the package, its tests and its documents."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.paths import ROOT

PAGE = ROOT / "convcli" / "docs" / "writing.md"
BANNED = re.findall(
    r"^- (.+)$", PAGE.read_text(encoding="utf-8").partition("<!-- banned -->")[2], re.MULTILINE
)
PATTERNS = (
    "*.md",
    ".github/*.md",
    "convcli/**/*.md",
    "convcli/**/*.py",
    "convcli/**/*.html",
    "tests/**/*.py",
)
QUOTING = {PAGE, Path(__file__).resolve()}  # files that quote the phrases


def normalised(text: str) -> str:
    """Return a text in lower case on one line, without the # of comments."""
    return " ".join(text.replace("#", " ").lower().split())


def contains(text: str, banned: str) -> bool:
    """Return whether a normalised text contains a phrase, from the beginning of a word."""
    phrase = normalised(banned)
    return phrase in text and re.search(rf"\b{re.escape(phrase)}", text) is not None


@cache
def texts() -> dict[str, str]:
    """Return the normalised text of each file by its path in the project."""
    files = [file for pattern in PATTERNS for file in ROOT.glob(pattern) if file not in QUOTING]
    return {file.relative_to(ROOT).as_posix(): normalised(file.read_text("utf-8")) for file in files}


@pytest.mark.parametrize("banned", BANNED)
def test_no_file_contains_a_banned_phrase(banned: str) -> None:
    assert [name for name, text in texts().items() if contains(text, banned)] == []


def test_phrases_are_found_across_lines_and_only_at_the_beginning_of_words() -> None:
    assert contains(normalised("nothing is cut Without\n    # a word"), "without a word")
    assert not contains(normalised("without awards"), "without a word")
    assert not contains(normalised("also many"), "so many")
    assert len(BANNED) >= 10
    assert {name.partition("/")[0] for name in texts()} >= {"README.md", "convcli", "tests"}


def test_there_are_ten_examples() -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| (?!---|before)", line)
    ]
    assert len(rows) == 10
