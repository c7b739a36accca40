"""The drawing of one output: it shows the record's numbers in the colours of their signs, and they fit."""

import numpy as np
import pytest

from convcli.analysis.explained_sample import explain_sample
from convcli.drawing.explained_drawing import MAX_NUMBERED, explained_drawing
from convcli.drawing.forms import Settings, encode
from convcli.drawing.scene import DARK, LIGHT, Bitmap, Label, Shape, sign_colours
from convcli.filters.work_from_arguments import work_from_arguments
from convcli.images.codecs.npy_pictures import picture_of
from convcli.images.signs import signed_colours
from tests.drawing.letters import unknown_letters

GREY = np.random.default_rng(0).integers(0, 256, (12, 15), dtype=np.uint8)
COLOURS = np.random.default_rng(1).integers(0, 256, (12, 15, 3), dtype=np.uint8)


def explained(pixels, place, kernel=None, **options):
    picture_filter = work_from_arguments(kernel, options).work.filter
    return explain_sample(picture_filter, "x", picture_of(pixels, "x", 10**6), place, "PNG")


def labels(scene, colour=None):
    return [mark.text for mark in scene.base if isinstance(mark, Label) and colour in (None, mark.colour)]


def test_the_window_the_kernel_the_products_and_the_sample():
    found = explained(
        GREY, (0, 3), "-1 0 1; -2 0 2; -1 0 1", padding_mode="replicate", shift=100, activation="relu"
    )
    (scene,) = explained_drawing(found).scenes()
    window = np.pad(GREY, 1, "edge")[0:3, 3:6].astype(int)
    kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    assert [int(text) for text in labels(scene, "padding-ink")] == window[0].tolist()
    assert [int(text) for text in labels(scene, "input-ink")] == window[1:].ravel().tolist()
    signed = [
        (mark.text, mark.colour)
        for mark in scene.base
        if isinstance(mark, Label) and mark.colour.endswith("sign-ink")
    ]
    products = window * kernel
    inks = [
        sign_colours(value, np.abs(each).max())[1] for each in (kernel, products) for value in each.ravel()
    ]
    assert signed == list(zip([*map(str, kernel.ravel()), *map(str, products.ravel())], inks))
    fills = [
        mark.fill for mark in scene.base if isinstance(mark, Shape) and str(mark.fill).startswith("sign-")
    ]
    assert fills == [
        sign_colours(value, np.abs(each).max())[0] for each in (kernel, products) for value in each.ravel()
    ]
    total = int(products.sum())
    reported = labels(scene)
    assert f"sum {total}" in reported
    assert reported[0] == "output 0,3 of 12x15, counted from 0"
    assert reported[1] == "rows -1 to 1 and columns 2 to 4 of the picture"
    assert reported[2] == "dashed: padding, replicate"
    value = max(0, total + 100)
    assert reported[-1] == f"sample: {min(255, value)}"
    assert f"relu: {value}" in reported
    assert sum(mark.dashed for mark in scene.base if isinstance(mark, Shape)) == 3


def test_channels_have_a_row_each_and_one_sum():
    weights = np.arange(1, 13, dtype=float).reshape(1, 3, 2, 2)
    found = explained(COLOURS, (4, 5), weights=weights, bias=np.array([7.0]), padding="valid")
    (scene,) = explained_drawing(found).scenes()
    reported = labels(scene)
    assert [text for text in reported if text.startswith("channel ")] == [
        "channel 0",
        "channel 1",
        "channel 2",
    ]
    sums = [int((COLOURS[4:6, 5:7, number] * weights[0, number]).sum()) for number in range(3)]
    assert [text for text in reported if text.startswith("sum ")] == [f"sum {total}" for total in sums]
    assert f"sum: {sums[0]} + {sums[1]} + {sums[2]} + 7 (bias) = {sum(sums) + 7}" in reported
    assert reported[-1] == "sample: 255"


@pytest.mark.parametrize("kernel", ["sobel", "box:11", "gaussian:sigma=6", "0.123456789 -1e-9 12345678"])
def test_everything_lies_within_the_picture(kernel):
    (scene,) = explained_drawing(explained(COLOURS, (6, 7), kernel)).scenes()
    for mark in scene.base:
        wide = len(mark.text) * mark.size * 0.5 if isinstance(mark, Label) else 0
        points = [(mark.x, mark.y)] if isinstance(mark, Label | Bitmap) else mark.points
        assert not isinstance(mark, Label) or not unknown_letters(mark.text)
        for x, y in points:
            assert x >= 0 and x + wide * (isinstance(mark, Label) and mark.anchor == "start") <= scene.width
            assert 0 <= y <= scene.height


def test_a_large_kernel_has_colours_only():
    found = explained(GREY, (6, 7), f"box:{MAX_NUMBERED + 2}")
    (scene,) = explained_drawing(found).scenes()
    assert not labels(scene, "sign-ink")
    window, kernel, products = [mark.pixels for mark in scene.base if isinstance(mark, Bitmap)]
    side = MAX_NUMBERED + 2
    seen = np.pad(GREY, side, "reflect")[side // 2 + 1 :, side // 2 + 1 :][6 : 6 + side, 7 : 7 + side].astype(
        float
    )
    assert found.channels[0].parts[0].window == seen.tolist()
    assert np.array_equal(window[..., 1], np.rint(seen / seen.max() * 255))
    assert kernel.shape == (side, side, 3)
    assert np.array_equal(kernel, signed_colours(np.ones((side, side))))
    assert np.array_equal(products, signed_colours(seen / seen.max()))
    assert "sum " in " ".join(labels(scene))


def test_many_channels_are_cut_with_a_note():
    found = explained(GREY, (6, 7), weights=np.ones((20, 1, 2, 2)), variant="standard")
    (scene,) = explained_drawing(found).scenes()
    assert labels(scene)[-1] == "8 more channels are in the JSON output"
    assert len(explained_drawing(found).record()["channels"]) == 20


@pytest.mark.parametrize(("theme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_light_and_dark(theme, palette):
    data, _ = encode(explained_drawing(explained(GREY, (1, 1), "box")), "svg", Settings(theme=theme))
    assert f".f-paper{{fill:{palette['paper']}}}" in data.decode()


def contrast(one, two):
    def light(colour):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return np.dot((0.2126, 0.7152, 0.0722), linear)

    high, low = sorted((light(one), light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("share", np.linspace(-1, 1, 9))
def test_numbers_can_be_read_on_the_colours_of_their_signs(share):
    fill, ink = sign_colours(share, 1)
    for palette in (LIGHT, DARK):
        assert contrast(palette[fill], palette[ink]) >= 4.5
