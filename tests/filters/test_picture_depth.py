"""--depth: 16-bit and float results of 8-bit pictures, in files and in memory."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from convcli import filter_picture
from convcli.images.picture import ImageError
from convcli.images.read import read_picture
from tests.conftest import SAMPLES, Call, one_error

RNG = np.random.default_rng(7)
GREY = RNG.integers(0, 256, (30, 41), np.uint8)
COLOURS = RNG.integers(0, 256, (30, 41, 4), np.uint8)
KERNEL = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]])


def mean(values: np.ndarray) -> np.ndarray:
    return ndimage.correlate(values.astype(np.float64), KERNEL / KERNEL.sum(), mode="nearest")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_sixteen_bits_keep_what_eight_would_round(dtype: type) -> None:
    pixels = GREY.astype(dtype) * dtype(1 if dtype == np.uint8 else 101)
    found = filter_picture(pixels, "binomial:3", padding_mode="replicate", depth="16")
    wide = pixels.astype(np.uint16) * np.uint16(257 if dtype == np.uint8 else 1)
    assert found.dtype == np.uint16
    assert np.array_equal(found, np.rint(mean(wide)))


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_white_of_floats_is_one(dtype: type, white: int) -> None:
    pixels = GREY.astype(dtype)
    found = filter_picture(pixels, "binomial:3", padding_mode="replicate", depth="float")
    assert found.dtype == np.float32
    assert np.allclose(found, mean(pixels) / white, rtol=1e-6)


def test_alpha_is_converted_too() -> None:
    found = filter_picture(COLOURS, "identity", depth="16")
    assert np.array_equal(found, COLOURS * np.uint16(257))
    assert np.allclose(filter_picture(COLOURS, "identity", depth="float"), COLOURS / 255, rtol=1e-6)


def test_grey_is_computed_from_converted_samples() -> None:
    found = filter_picture(COLOURS[..., :3], "identity", depth="16", gray=True)
    luma = COLOURS[..., :3].astype(np.float64) * 257 @ [0.299, 0.587, 0.114]
    assert np.abs(found - luma).max() <= 1


@pytest.mark.parametrize("name", ["edges.png", "edges.tiff"])
def test_an_edge_map_of_sixteen_bits(call: Call, tmp_path: Path, name: str) -> None:
    words = ("filter", SAMPLES / "house.png", "-k", "sobel-x", "--range", "offset", "--depth", "16")
    assert call(*words, "-o", tmp_path / name).code == 0
    (frame,) = read_picture(tmp_path / name).frames
    with Image.open(SAMPLES / "house.png") as image:
        pixels = np.asarray(image).astype(np.float64)
    wanted = ndimage.correlate(pixels, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], mode="mirror") * 257 + 32768
    assert frame.pixels.dtype == np.uint16
    assert np.array_equal(frame.pixels, wanted.clip(0, 65535))


def test_floats_in_a_format_that_supports_them(call: Call, tmp_path: Path) -> None:
    target = tmp_path / "blurred.pfm"
    assert (
        call("filter", SAMPLES / "landscape.png", "-k", "box:3", "--depth", "float", "-o", target).code == 0
    )
    (frame,) = read_picture(target).frames
    plain = filter_picture(np.asarray(Image.open(SAMPLES / "landscape.png")), "box:3", value_range=None)
    assert np.allclose(frame.pixels, plain / 255, rtol=1e-5)


def test_a_format_without_that_depth_is_refused_before_it_runs(call: Call, tmp_path: Path) -> None:
    found = call("filter", SAMPLES / "landscape.jpg", "-k", "box", "--depth", "16", "-o", tmp_path / "x.jpg")
    assert found.code == 1
    assert "JPEG cannot hold the pixel mode RGB;16; these can: .png" in one_error(found)
    assert list(tmp_path.iterdir()) == []
    dry = call(
        "filter",
        SAMPLES / "landscape.jpg",
        "-k",
        "box",
        "--depth",
        "16",
        "-o",
        tmp_path / "x.jpg",
        "--dry-run",
    )
    assert dry.code == 1


def test_other_samples_and_words_are_refused(call: Call) -> None:
    with pytest.raises(ImageError, match="`depth='16'` needs grey or colours of 8 or 16 bits, but it has F"):
        filter_picture(GREY.astype(np.float32), "box", depth="16")
    assert "'8' is not one of '16', 'float'" in one_error(
        call("filter", SAMPLES / "house.png", "--depth", "8")
    )


def test_the_plan_counts_the_memory_of_the_converted_picture(call: Call) -> None:
    words = ("filter", SAMPLES / "landscape.png", "-k", "box:3", "-o", "x.tiff", "--dry-run", "-v")
    assert call(*words, "--depth", "16").out != call(*words).out
