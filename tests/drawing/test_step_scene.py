"""Scenes of the steps of layers: the drawing shows the steps, and fits into the picture."""

from fractions import Fraction

import pytest
from hypothesis import given, settings

from convcli import VARIANTS, Conv
from convcli.drawing.example_numbers import read_values, shown
from convcli.drawing.scene import DARK, LIGHT, Label, Shape
from convcli.drawing.step_scene import MARGIN, WIDEST, WIDTH, step_scene
from convcli.drawing.steps import Border
from convcli.drawing.walk_layers import Numbers, walk_layers
from convcli.layers import DeformConv, MaxPool
from tests.backend.cases import cases
from tests.examples import examples

SHADED = ("window", "padding-window")


def scene_of(layer, shape):
    (stage,) = walk_layers((layer,), shape, Numbers())
    return stage, step_scene(stage)


def shapes(marks, *fills):
    return [mark for mark in marks if isinstance(mark, Shape) and mark.fill in fills]


def points(mark):
    return [(mark.x, mark.y)] if isinstance(mark, Label) else mark.points


@settings(max_examples=examples(25))
@given(cases(dims=(1, 2), largest=6))
def test_the_window_covers_the_cells_that_are_seen(case):
    layer = Conv(
        case.groups * case.inputs, case.groups * case.outputs, case.kernel, stride=case.stride,
        padding=case.pads, dilation=case.dilation, groups=case.groups,
    )  # fmt: skip
    stage, scene = scene_of(layer, (layer.in_channels, *case.size))
    assert len(scene.now) == len(scene.kept) == len(scene.descriptions) == len(stage.steps)
    cells = stage.canvas.rows.length * stage.canvas.columns.length
    assert len(shapes(scene.base, "input", "padding")) == cells * layer.in_channels
    for step, now, kept in zip(stage.steps, scene.now, scene.kept):
        seen = {shape.points for shape in shapes(now, *SHADED)}
        assert len(seen) == len({term[:3] for term in step.terms})
        assert seen <= {shape.points for shape in shapes(scene.base, "input", "padding")}
        for shape in shapes(now, "window"):
            assert shape.points in {other.points for other in shapes(scene.base, "input")}
        (current,), (done,) = shapes(now, "current"), shapes(kept, "output")
        assert current.points == done.points
        assert shown(step.result) in {mark.text for mark in kept if isinstance(mark, Label)}
        weights = [mark.text for mark in now if isinstance(mark, Label) and mark.text.startswith("*")]
        assert weights == [f"*{shown(term.weight)}" for term in step.terms]
    places = [shape.points for kept in scene.kept for shape in shapes(kept, "output")]
    assert len(set(places)) == len(places)
    assert set(places) == {shape.points for shape in shapes(scene.base, "waiting")}


@pytest.mark.parametrize("channels", [1, 5, 16])
@pytest.mark.parametrize("name", sorted(VARIANTS.keys() - {"dense"}))
def test_everything_lies_within_the_picture(name, channels):
    conv = Conv(4, channels if name != "depthwise" else 4, 3, padding=1, groups=4 if channels == 16 else 1)
    if name in ("grouped", "shuffled-grouped") and channels % 2:
        conv = Conv(4, 6, 3, padding=1)
    for stage in walk_layers(VARIANTS[name](conv, (4, 4, 4)), (4, 4, 4), Numbers()):
        scene = step_scene(stage)
        for number in range(0, len(scene.now), 7):
            for mark in scene.frame(number):
                assert all(0 <= x <= scene.width and 0 <= y <= scene.height for x, y in points(mark))
                if isinstance(mark, Label) and mark.anchor == "start":
                    assert mark.x + len(mark.text) * mark.size * 0.5 < scene.width + 60
                colours = {mark.colour} if isinstance(mark, Label) else {mark.fill, mark.edge} - {None}
                assert colours <= LIGHT.keys() & DARK.keys()


def test_many_planes_are_in_several_rows():
    _, scene = scene_of(Conv(16, 2, 3, padding=1), (16, 3, 3))
    assert scene.width <= WIDEST + 2 * MARGIN
    tops = {shape.points[0][1] for shape in shapes(scene.base, "input")}
    assert len(tops) == 6 * 3, "16 planes of 295 in rows of 3, each with 3 rows of inputs"


def test_samples_between_cells_are_dots():
    stage, scene = scene_of(DeformConv(1, 1, 3, padding=1), (1, 4, 4))
    dots = [shape for shape in shapes(scene.now[5], "window") if len(shape.points) > 4]
    assert len(dots) == 9
    assert {mark.text for mark in scene.now[5] if isinstance(mark, Label)} >= {
        shown(term.value) for term in stage.steps[5].terms
    }


def test_a_pool_has_no_weights_and_sees_no_padding():
    _, scene = scene_of(MaxPool(2, padding=1), (1, 2, 2))
    assert not any(isinstance(mark, Label) and mark.text.startswith("*") for now in scene.now for mark in now)
    assert [len(shapes(now, *SHADED)) for now in scene.now] == [1, 1, 1, 1]


def luminance(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear))


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_inks_can_be_read_on_their_fills(palette):
    pairs = [(name, f"{name}-ink") for name in ("input", "window", "padding-window", "output", "current")]
    pairs += [("window", "weight-ink"), ("padding-window", "padding-weight-ink"), ("padding", "padding-ink")]
    for fill, ink in [*pairs, ("paper", "ink"), ("paper", "faint")]:
        low, high = sorted((luminance(palette[fill]), luminance(palette[ink])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (fill, ink)  # WCAG 2.2, 1.4.3


def test_long_weights_stay_in_their_cells():
    kernels = (((Fraction(2394, 10**7), Fraction(-123456789)), (Fraction(1, 3), Fraction(10) ** 400)),)
    (stage,) = walk_layers((Conv(1, 1, 2),), (1, 2, 2), Numbers(kernels=kernels))
    texts = [
        mark for mark in step_scene(stage).now[0] if isinstance(mark, Label) and mark.text.startswith("*")
    ]
    assert [mark.text for mark in texts] == ["*0.00024", "*-1.2e+08", "*1/3", "*1.000e+400"]
    for mark in texts:
        assert len(mark.text) * mark.size * 0.58 <= WIDTH - 8 + 1e-9


def test_padded_cells_show_the_padding():
    border = Border("reflect")
    (stage,) = walk_layers(
        (Conv(1, 1, 3, padding=1),), (1, 2, 3), Numbers(read_values("1 2 3; 4 5 6"), border=border)
    )
    base = [
        mark.text
        for mark in step_scene(stage).base
        if isinstance(mark, Label) and mark.colour == "padding-ink"
    ]
    # reflected: rows 1, (0, 1), 0 and columns 1, (0, 1, 2), 1
    assert base == [*"54565", "2", "2", "5", "5", *"21232"]
    (zeros,) = walk_layers((Conv(1, 1, 3, padding=1),), (1, 2, 3), Numbers())
    assert not [
        mark for mark in step_scene(zeros).base if isinstance(mark, Label) and mark.colour == "padding-ink"
    ]
