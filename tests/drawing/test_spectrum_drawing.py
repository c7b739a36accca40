"""The picture of spectra: colours show the power, the axes are labelled, and everything fits."""

import numpy as np
import pytest

from convcli.analysis.picture_spectrum import radial_rows, spectra
from convcli.drawing.raster import Size, still
from convcli.drawing.scene import DARK, LIGHT, Bitmap, Label, Scene, Shape
from convcli.drawing.spectrum_drawing import DEPTH, PANEL, PLOT, RAMP, spectrum_scene
from convcli.drawing.svg import svg
from convcli.kernels import parse_kernels
from tests.drawing.letters import unknown_letters


def scene_of(values, spec):
    kernels = parse_kernels(spec)
    found = spectra(values, kernels)
    rows = radial_rows(found)
    return spectrum_scene(found, rows, kernels, 255, spec), found, rows


WAVE = 128 + 100 * np.cos(2 * np.pi * 8 * np.arange(64) / 64) * np.ones((64, 1))


def colour_at(bitmap, down, across):
    """Return the colour of a frequency from -1/2 to 1/2."""
    n = len(bitmap.pixels)
    return tuple(bitmap.pixels[round((down + 0.5) * n) + 1, round((across + 0.5) * n) + 1])


def rgb(colour):
    return tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5))


def test_a_wave_is_bright_at_its_frequency():
    scene, found, _ = scene_of(WAVE, "gaussian:sigma=2")
    before, response, after = [
        mark for mark in scene.base if isinstance(mark, Bitmap) and mark.height == PANEL
    ][:3]
    assert colour_at(before, 0, 1 / 8) == rgb(RAMP[-1])
    assert colour_at(before, 1 / 4, 1 / 8) == rgb(RAMP[0])
    assert colour_at(response, 0, 0) == rgb(RAMP[-1])
    gain = 20 * np.log10(found.response[128, 128 + 32])
    at = (1 + gain / DEPTH) * (len(RAMP) - 1)
    low, high = (np.array(rgb(RAMP[int(at) + step])) for step in (0, 1))
    assert np.abs(colour_at(after, 0, 1 / 8) - (low + (high - low) * (at % 1))).max() <= 1


def test_the_lines_are_those_of_the_rows():
    scene, _, rows = scene_of(np.random.default_rng(0).random((40, 50)) * 255, "box")
    for name, colour in (("before", "input-edge"), ("after", "output-edge")):
        (line,) = [
            mark
            for mark in scene.base
            if isinstance(mark, Shape) and mark.edge == colour and len(mark.points) > 2
        ]
        levels = [row[name] for row in rows]
        heights = [y for _, y in line.points]
        # Level and position are linear functions of each other, with the higher level further up.
        slope, offset = np.polyfit(levels, heights, 1)
        np.testing.assert_allclose(heights, slope * np.array(levels) + offset, atol=1e-6)
        assert slope < 0
        assert [x for x, _ in line.points] == sorted(x for x, _ in line.points)
    assert len(scene.descriptions) == len(rows)


@pytest.mark.parametrize(
    "spec", ["sobel", "box:3; laplacian", "kirsch", "gaussian:sigma=20", "0 0 0", "1/3 1/3 1/3"]
)
def test_everything_can_be_read_and_fits(spec):
    for values in (WAVE, np.full((5, 9), 7.0), np.random.default_rng(0).random((700, 30)) * 255):
        scene, _, _ = scene_of(values, spec)
        for mark in scene.base:
            if isinstance(mark, Label):
                assert not unknown_letters(mark.text)
                points = [(mark.x, mark.y)]
            elif isinstance(mark, Bitmap):
                points = [(mark.x, mark.y), (mark.x + mark.width, mark.y + mark.height)]
            else:
                points = mark.points
            assert all(0 <= x <= scene.width and 0 <= y <= scene.height for x, y in points)
    assert scene.height > PANEL + PLOT


def test_bitmaps_are_drawn_sharp_in_pixels_and_as_svg():
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)
    scene = Scene(60, 50, (Bitmap(10, 5, 40, 40, pixels),), title="x")
    image = still(scene, 0, LIGHT, Size(2))
    for place, colour in (
        ((22, 12), (255, 0, 0)),
        ((58, 48), (255, 0, 0)),
        ((62, 48), (0, 255, 0)),
        ((98, 88), (9, 9, 9)),
    ):
        assert image.getpixel(place) == colour
    assert image.getpixel((2, 2)) == rgb(LIGHT["paper"])
    assert still(scene, 0, DARK, Size(2)).getpixel((2, 2)) == rgb(DARK["paper"])
    fine = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    small = np.asarray(still(Scene(10, 10, (Bitmap(0, 0, 10, 10, fine),)), 0, LIGHT, Size(1)))
    assert np.abs(small - fine.reshape(10, 6, 10, 6, 3).mean(axis=(1, 3))).max() < 2
    text = svg([scene], "light", 0)
    assert '<image x="10" y="5" width="40" height="40"' in text
    import io
    import re
    from base64 import b64decode

    from PIL import Image

    data = b64decode(re.search(r"data:image/png;base64,([^\"]+)", text)[1])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
