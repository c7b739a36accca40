"""The architecture page names files, folders and functions that exist."""

import re

from tests.conftest import ROOT

PACKAGE = ROOT / "convcli"
PAGE = (PACKAGE / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_path_on_the_page_exists() -> None:
    paths = re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", PAGE)
    assert len(paths) > 30
    assert [path for path in paths if not (PACKAGE / path).exists()] == []


def test_every_folder_of_the_package_is_on_the_page() -> None:
    rooms = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()}
    assert {room for room in rooms if f"| `{room}/` |" not in PAGE} == set()


def test_every_name_is_in_the_file_that_is_named_with_it() -> None:
    pairs = re.findall(r"`(\w+)`\s+\(`([\w/]+\.py)`\)", PAGE) + re.findall(
        r"`(\w+)`\s+in\s+`([\w/]+\.py)`", PAGE
    )
    assert len(pairs) > 8
    for name, path in pairs:
        assert re.search(rf"\b(def|class) {name}\b", (PACKAGE / path).read_text(encoding="utf-8")), (
            name,
            path,
        )
