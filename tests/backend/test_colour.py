"""Grey as in Pillow, linear light as in IEC 61966-2-1, and lossless round trips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from convcli.backend import colour
from convcli.backend.colour import LUMA, LUMA_PARTS, from_light, luma, to_light


def noise(dtype: str, *shape: int) -> np.ndarray:
    top = {"uint8": 256, "uint16": 65536, "int32": 2**31}[dtype]
    return np.random.default_rng(4).integers(0, top, shape).astype(dtype)


def test_the_brightness_of_8_bits_is_that_of_pillow() -> None:
    colours = noise("uint8", 400, 500, 3)
    assert (luma(colours) == np.asarray(Image.fromarray(colours).convert("L"))).all()


@given(st.sampled_from(["uint8", "int8", "uint16", "int16", "uint32", "int32"]), st.data())
def test_the_brightness_of_whole_numbers_is_exact(dtype: str, data: st.DataObject) -> None:
    limits = np.iinfo(dtype)
    sample = st.sampled_from([int(limits.min), int(limits.max)]) | st.integers(limits.min, limits.max)
    pixel = data.draw(st.lists(sample, min_size=3, max_size=3))
    exact = (sum(part * value for part, value in zip(LUMA_PARTS, pixel)) + 2**15) // 2**16
    assert luma(np.array([[pixel]], dtype)).tolist() == [[exact]]


def test_the_weights_are_those_of_the_standard_and_make_one() -> None:
    assert sum(LUMA_PARTS) == 2**16
    assert sum(LUMA) == pytest.approx(1)
    assert np.array(LUMA_PARTS) / 2**16 == pytest.approx(LUMA, abs=2**-17)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_grey_colours_are_as_bright_as_they_are(dtype: str) -> None:
    grey = noise("uint16", 9, 8).astype(dtype) if dtype != "uint8" else noise("uint8", 9, 8)
    found = luma(np.dstack([grey] * 3))
    assert (found.dtype, found.shape) == (dtype, (9, 8))
    assert found == pytest.approx(grey, rel=1e-6 if dtype == "float32" else 0, abs=1e-9)


def test_negative_numbers_have_a_brightness_too() -> None:
    assert luma(np.array([[[-1000, 500, 20]]], np.int32)).tolist() == [
        [(-1000 * 19595 + 500 * 38470 + 20 * 7471 + 2**15) >> 16]
    ]
    assert luma(np.array([[[-1.0, 0.5, 2.0]]])).tolist() == [[pytest.approx(-0.299 + 0.2935 + 0.228)]]


def decoded(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_every_sample_stands_for_its_light_and_comes_back(dtype: str) -> None:
    top = np.iinfo(dtype).max
    samples = np.arange(top + 1, dtype=dtype).reshape(-1, 256)
    light = to_light(samples)
    assert light.dtype == "float64"
    wanted = np.array([decoded(value / top) for value in range(top + 1)])
    assert np.abs(light.ravel() - wanted).max() <= 2**-41 + 1e-15
    assert (np.diff(light.ravel()) > 0).all()
    assert (light.ravel()[0], light.ravel()[-1]) == (0, 1)
    back, clipped = from_light(light, np.dtype(dtype))
    assert (back.dtype, (back == samples).all(), clipped) == (dtype, True, 0)


def test_published_levels() -> None:
    # Half of the light is sRGB 188, and 18 % grey is 118, as in published tables.
    pixels, _ = from_light(np.array([[0.5, 0.18, 0.0031308]]), np.dtype(np.uint8))
    assert pixels.tolist() == [[188, 118, 10]]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_alpha_is_no_light(dtype: str) -> None:
    pixels = noise(dtype, 5, 7, 4)
    light = to_light(pixels, has_alpha=True)
    assert light[..., 3] == pytest.approx(pixels[..., 3] / np.iinfo(dtype).max)
    assert (light[..., :3] == to_light(pixels[..., :3])).all()
    assert (from_light(light, np.dtype(dtype), has_alpha=True)[0] == pixels).all()


def test_values_beyond_black_and_white_are_clipped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    light = np.linspace(-0.5, 1.5, 21).reshape(7, 3)
    for rows in (1, 2, 64):
        monkeypatch.setattr(colour, "ROWS", rows)
        pixels, clipped = from_light(light, np.dtype(np.uint8))
        assert clipped == 10 / 21
        assert (pixels.ravel()[:6] == 0).all()
        assert (pixels.ravel()[15:] == 255).all()
