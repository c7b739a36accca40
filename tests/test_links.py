"""Links of README.md and the pages in convcli/docs have existing targets, and every page can be reached from README.md."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.documents import documents
from tests.paths import ROOT

DOCUMENTS = {path: path.read_text(encoding="utf-8") for path in documents().values()}
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def links(text: str) -> list[str]:
    """Return the targets of all links and pictures.

    >>> links("[a](b.md#c), ![d](e.png), `[f](g)`")
    ['b.md#c', 'e.png']
    """
    return LINK.findall(CODE.sub("", text))


def anchors(text: str) -> set[str]:
    r"""Return the anchors that GitHub gives to the headings of a page.

    >>> sorted(anchors("# Where is ...?\n## `a` of b-c\n## Twice\n## Twice\n"))
    ['a-of-b-c', 'twice', 'twice-1', 'where-is-']
    """
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 1
        unique = anchor
        while unique in found:
            unique = f"{anchor}-{number}"
            number += 1
        found.add(unique)
    return found


def wrong(source: Path, link: str) -> str:
    """Return the error of a link of a document, or an empty text."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        host = re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.netloc)
        return "" if parts.scheme == "https" and host else "is no https address"
    target = (source.parent / parts.path).resolve() if parts.path else source
    if not target.is_relative_to(ROOT):
        return "leaves the project"
    if not target.exists():
        return "does not exist"
    if parts.fragment and (
        target.suffix != ".md" or parts.fragment not in anchors(target.read_text("utf-8"))
    ):
        return f"has no heading #{parts.fragment}"
    return ""


@pytest.mark.parametrize("name", documents())
def test_every_link_has_an_existing_target(name: str) -> None:
    source = ROOT / name
    bad = {link: why for link in links(DOCUMENTS[source]) if (why := wrong(source, link))}
    assert bad == {}


def test_every_page_is_reached_from_the_readme() -> None:
    start = ROOT / "README.md"
    reached, next_ones = {start}, [start]
    while next_ones:
        source = next_ones.pop()
        for link in links(DOCUMENTS[source]):
            target = (source.parent / link.partition("#")[0]).resolve()
            if target in DOCUMENTS and target not in reached:
                reached.add(target)
                next_ones.append(target)
    assert set(DOCUMENTS) - reached == set()


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("convcli/docs/padding.md#values", ""),
        ("convcli/docs/padding.md#without", "has no heading #without"),
        ("convcli/docs/paddings.md", "does not exist"),
        ("../elsewhere.md", "leaves the project"),
        ("https://numpy.org/doc", ""),
        ("http://numpy.org/doc", "is no https address"),
        ("https://numpy", "is no https address"),
    ],
)
def test_wrong_links_are_found(link: str, why: str) -> None:
    assert wrong(ROOT / "README.md", link) == why
