"""Variants and networks side by side: one line each, bars proportional to the numbers, ratios to the first."""

from math import isclose
from pathlib import Path

import pytest
from PIL import Image

from convcli.drawing.compare_drawing import compare_scene
from convcli.drawing.scene import Label, Shape
from tests.conftest import SAMPLES, Call, one_error

ROWS = [
    {"name": "one", "params": 1000, "macs": 4_000_000, "activation_bytes": 2048},
    {"name": "a longer name", "params": 250, "macs": 8_000_000, "activation_bytes": 1024},
    {"name": "huge", "params": 12_500_000, "macs": 0, "activation_bytes": 0},
    {"name": "three", "params": 0, "macs": None, "activation_bytes": None},
]


def bars_of(scene, colour):
    """Return the widths of the bars of a colour, from the top."""
    shapes = [mark for mark in scene.base if isinstance(mark, Shape) and mark.fill == colour]
    boxes = sorted((min(y for _, y in shape.points), shape) for shape in shapes)
    return [max(x for x, _ in shape.points) - min(x for x, _ in shape.points) for _, shape in boxes]


def test_bars_are_as_long_as_the_numbers_say():
    scene = compare_scene(ROWS, "name", ("params", "macs"), "three things", "to be compared")
    params, macs = bars_of(scene, "output"), bars_of(scene, "input")
    assert isclose(params[1] / params[0], 0.25) and len(params) == 3  # 0 has no bar
    assert isclose(macs[0] / macs[1], 0.5) and len(macs) == 2
    texts = [mark.text for mark in scene.base if isinstance(mark, Label)]
    for text in (
        "three things",
        "to be compared",
        "1.00 k",
        "250  x 0.25",
        "8.00 M  x 2",
        "0  x 0",
        "not counted",
    ):
        assert text in texts
    assert "one: 1,000" in texts and "one: 4,000,000" in texts
    assert scene.descriptions[1] == "a longer name: parameters 250  x 0.25, MACs 8.00 M  x 2"
    for label in (mark for mark in scene.base if isinstance(mark, Label)):
        assert 0 <= label.x <= scene.width and 0 <= label.y <= scene.height


@pytest.mark.parametrize(
    "arguments",
    [
        ("resnet-18", "resnet-50"),
        ("mobilenet-v1", "--variants", "standard,depthwise-separable"),
        ("--n", "8", "--in", "4", "--out", "4", "--k", "3"),
    ],
)
def test_what_is_compared_is_drawn(call: Call, tmp_path: Path, arguments):
    for name in ("a.png", "b.svg"):
        assert call("compare", *arguments, "-o", tmp_path / name, "--theme", "dark").code == 0
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 600
    text = (tmp_path / "b.svg").read_text()
    assert "parameters" in text and "MACs" in text


def test_rows_that_are_not_drawn_are_reported(call: Call, tmp_path: Path):
    layers = ("--n", "8,9", "--in", "4", "--out", "4", "--k", "3")
    assert "only one layer is drawn, and the options describe several; end " in one_error(
        call("compare", *layers, "-o", tmp_path / "a.png")
    )
    sheet = ("compare", SAMPLES / "house.png", "--kernel", "box", "-o", tmp_path / "a.png")
    assert one_error(call(*sheet, "--theme", "dark")).endswith(
        "--theme applies to drawings, not to a sheet of pictures; leave it out"
    )
