"""The pages of `convcli help` are correct: their lists equal those of the code."""

import re
import subprocess
from pathlib import Path

import pytest

import convcli
from convcli.batch.stop import SIGNALS
from convcli.cli import BROKEN_PIPE, ENDED, INTERRUPTED
from convcli.cli.topics import TOPICS
from convcli.filters.request import ALPHAS
from convcli.layers.padding import NAMES
from tests.documents import DOCS
from tests.help_pages import PARTS, generated
from tests.paths import ROOT

PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}


def test_every_page_is_a_topic() -> None:
    assert set(PAGES) == set(TOPICS)


@pytest.mark.parametrize("name", PAGES)
def test_the_lists_of_a_page_are_those_of_the_code(name: str) -> None:
    assert generated(PAGES[name]) == PAGES[name], "the code has changed: run `make pages`"


def test_every_public_name_is_described_on_the_page_of_python() -> None:
    items = [item for item in re.split(r"\n(?=- |\n|#)", PAGES["api"]) if item.startswith("- ")]
    assert [item for item in items if item.rstrip().endswith(":")] == [], "a docstring is missing"
    listed = {re.split(r"[`(]", item)[1].removeprefix("convcli.") for item in items}
    listed |= set(re.findall(r"^##+ convcli\.(\w+)$", PAGES["api"], re.MULTILINE))
    modules = (convcli, convcli.backend, convcli.kernels, convcli.layers, convcli.networks)
    assert {name for module in modules for name in module.__all__} - listed == {"__version__"}


def test_every_list_is_on_one_page() -> None:
    found = re.findall(r"<!-- generated: (\w+) -->", "".join(PAGES.values()))
    assert sorted(found) == sorted(PARTS)


def test_the_pages_name_every_choice() -> None:
    for choice in ALPHAS:
        assert f"| `{choice}` |" in PAGES["alpha"]
    for choice in NAMES:
        assert f"| `{choice}` |" in PAGES["padding"]
    for code in (0, 1, 2, INTERRUPTED, BROKEN_PIPE):
        assert f"| {code} |" in PAGES["exit-codes"]
    assert "143 for SIGTERM" in PAGES["exit-codes"]
    assert 143 in ENDED and 143 - 128 in SIGNALS


def test_the_example_of_hidden_colours_on_the_page_about_alpha(tmp_path: Path) -> None:
    import numpy as np

    from convcli import filter_picture

    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, 3] = 255, 0, 255
    pixels[0, :, 0] = 100, 255, 40  # the middle is hidden
    blurred = filter_picture(pixels, "1 1 1", normalize=True, padding_mode="replicate")
    assert blurred[0, 1].tolist() == [70, 0, 0, 170], "a mean of what is visible, and alpha filtered"
    kept = filter_picture(pixels, "-1 0 1", value_range="abs", padding_mode="replicate")
    assert kept[0, 0].tolist() == [0, 0, 0, 255], "the hidden neighbour counts as the pixel's own colour"
    assert kept[0, :, 3].tolist() == [255, 0, 255]
    everything = filter_picture(pixels, "1 1 1", normalize=True, padding_mode="replicate", alpha="filter")
    assert everything[0, 1, 0] == round((100 + 255 + 40) / 3)


def test_the_pages_are_in_the_package() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "convcli/docs"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("no repository")
    assert {Path(line).stem for line in listed.stdout.splitlines()} >= set(TOPICS)
