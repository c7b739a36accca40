"""Sheets: every panel is drawn upright and in its colours, with a caption below."""

import numpy as np
import pytest

from convcli.images.sheet import GAP, SIDE, Panel, draw_sheet


def plain(*colour, size=(20, 30), dtype=np.uint8):
    return np.full((*size, len(colour)), colour, dtype)


@pytest.mark.parametrize(
    ("pixels", "mode", "expected"),
    [
        (plain(10, 200, 30), "RGB", (10, 200, 30)),
        (plain(77), "L", (77, 77, 77)),
        (plain(77), "RGB", (77, 77, 77)),  # one map of a colour picture
        (plain(32768, dtype=np.uint16), "L", (128, 128, 128)),
        (plain(0.5, 2, -1, dtype=np.float32), "RGB", (128, 255, 0)),
        (plain(np.nan, dtype=np.float64), "L", (0, 0, 0)),
        (plain(0, 255, 255, 0), "CMYK", (255, 0, 0)),
        (plain(255, 128, 128), "LAB", (255, 255, 255)),  # 128 is grey
        (plain(137, 128, 128), "ICCLAB", (128, 128, 128)),
        (plain(9, 1, 1, 1, 1), "5 channels", (9, 9, 9)),
    ],
)
def test_a_panel_shows_any_picture_in_colours(pixels, mode, expected):
    image = Panel.of(pixels, mode, ["x"]).image
    assert (image.mode, image.size) == ("RGB", (30, 20))
    assert np.abs(np.subtract(image.getpixel((3, 3)), expected)).max() <= 1


def test_a_and_b_of_lab_are_signed():
    # CIELAB of sRGB's primaries under D50: L* 54.3 80.8 69.9 is red, 87.8 -79.3 81.0 green, 29.6 68.3 -112.0 blue.
    for lab, colour in (
        ((138, 209, 198), (255, 0, 0)),
        ((224, 49, 209), (0, 255, 0)),
        ((75, 196, 16), (0, 0, 255)),
    ):
        image = Panel.of(plain(*lab), "LAB", ["x"]).image
        assert np.abs(np.subtract(image.getpixel((3, 3)), colour)).max() <= 24


def test_large_pictures_are_reduced():
    assert Panel.of(plain(5, size=(1000, 500)), "L", []).image.size == (SIDE // 2, SIDE)
    assert Panel.of(plain(5, size=(1, 5000)), "L", []).image.size == (SIDE, 1)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_panel_is_on_the_sheet_with_its_caption(count):
    colours = [(250, 10 * number, 0) for number in range(count)]
    panels = [Panel.of(plain(*colour), "RGB", ["a caption", "of two lines"]) for colour in colours]
    picture = draw_sheet(panels)
    (frame,) = picture.frames
    assert (frame.mode, frame.pixels.dtype) == ("RGB", np.uint8)
    seen = frame.pixels.reshape(-1, 3)
    for colour in colours:
        assert (seen == colour).all(axis=1).sum() == 600
    places = [np.argwhere((frame.pixels == colour).all(axis=2))[0].tolist() for colour in colours]
    assert places == sorted(places)
    assert places[0] == [GAP, GAP]
    top, left = places[-1]
    caption = frame.pixels[top + 20 : top + 60, left : left + 100]
    assert (caption == 0).any()
    assert (frame.pixels[:GAP] == 255).all()
    height, width = frame.pixels.shape[:2]
    assert count < 7 or 1 / 3 < height / width < 3  # in rows and columns, not in one row
