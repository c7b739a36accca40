"""--depth: 16-bit and float results of 8-bit pictures, in files and in memory."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from convcli import filter_picture
from convcli.errors import ArgumentError
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
    with pytest.raises(ArgumentError, match="`depth`: there is no depth '7'; use 8, 16, float"):
        filter_picture(GREY, "box", depth=7)
    with pytest.raises(
        ImageError, match="`depth='16'` needs grey or colours of 8 or 16 bits, or floats, but it has I"
    ):
        filter_picture(GREY.astype(np.int32), "box", depth="16")
    for word, meant in (("32", "float"), ("float32", "float"), ("uint8", "8"), ("uint16", "16")):
        found = call("filter", SAMPLES / "house.png", "-k", "box", "--depth", word)
        assert found.code == 2
        assert f"'{word}' is not one of '8', '16', 'float'; use --depth {meant} (see" in one_error(found)
    assert "'7' is not one of '8', '16', 'float'" in one_error(
        call("filter", SAMPLES / "house.png", "-k", "box", "--depth", "7")
    )


def test_the_plan_counts_the_memory_of_the_converted_picture(call: Call) -> None:
    words = ("filter", SAMPLES / "landscape.png", "-k", "box:3", "-o", "x.tiff", "--dry-run", "-v")
    assert call(*words, "--depth", "16").out != call(*words).out


def eight(values: np.ndarray, white: float, depth: int = 8) -> np.ndarray:
    """Round values to some bits, half to even, after taking away the noise of float sums."""
    most = 2**depth - 1
    levels = np.round(np.asarray(values, np.float64) * most / white, 9)
    return np.rint(levels).clip(0, most).astype(f"uint{depth}")


SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
FLOATS = (RNG.random((30, 41)) * 1.2 - 0.1).astype(np.float32)
DEEP = RNG.integers(0, 65536, (30, 41, 4), np.uint16)


@pytest.mark.parametrize(
    ("pixels", "white", "depth"),
    [(DEEP[..., 0], 65535, 8), (FLOATS, 1, 8), (GREY, 255, 8), (FLOATS, 1, 16)],
    ids=["16 to 8", "float to 8", "8", "float to 16"],
)
def test_results_are_rounded_to_fewer_bits_once(pixels: np.ndarray, white: float, depth: int) -> None:
    sharp = ndimage.correlate(pixels.astype(np.float64), SHARPEN, mode="mirror")
    near = 0 if depth == 8 else 1  # float32 sums are not exact to 16 bits
    found = filter_picture(pixels, SHARPEN, depth=depth)
    assert found.dtype == f"uint{depth}"

    def differs(made: np.ndarray, values: np.ndarray, span: float = white) -> int:
        return int(np.abs(made.astype(int) - eight(values, span, depth)).max())

    assert differs(found, sharp) <= near
    middle = 2 ** (depth - 1) * white / (2**depth - 1)
    assert differs(filter_picture(pixels, SHARPEN, depth=depth, value_range="abs"), abs(sharp)) <= near
    offset = filter_picture(pixels, SHARPEN, depth=depth, value_range="offset")
    assert differs(offset, sharp + middle) <= near
    least, most = sharp.min(), sharp.max()
    stretched = filter_picture(pixels, SHARPEN, depth=depth, value_range="minmax")
    assert differs(stretched, sharp - least, most - least) <= 1
    assert (stretched.min(), stretched.max()) == (0, 2**depth - 1)
    # The region is filtered, and the rest of the picture has the same depth.
    only = filter_picture(pixels, SHARPEN, depth=depth, only=(5, 6, 20, 10))
    wanted = eight(pixels, white, depth)
    wanted[6:16, 5:25] = found[6:16, 5:25]
    assert np.array_equal(only, wanted)


def test_eight_bits_of_alpha_light_and_grey() -> None:
    found = filter_picture(DEEP, "identity", depth=8)
    opaque = DEEP[..., 3] > 0
    assert np.array_equal(found[opaque], eight(DEEP[opaque], 65535))
    assert np.array_equal(found[..., 3], eight(DEEP[..., 3], 65535))
    opaque = DEEP[..., :3]
    luma = filter_picture(opaque, "identity", depth=8, gray=True)
    assert np.abs(luma - opaque.astype(float) @ [0.299, 0.587, 0.114] / 257).max() <= 0.51
    lit = filter_picture(opaque, "box:3", depth=8, linear=True)
    whole = filter_picture(opaque, "box:3", linear=True)
    assert np.abs(lit - whole / 257).max() <= 0.51


def test_files_of_eight_bits(call: Call, tmp_path: Path) -> None:
    deep = tmp_path / "deep.png"
    Image.fromarray(DEEP[..., 0]).save(deep)
    refused = one_error(call("filter", deep, "-k", "sharpen", "-o", tmp_path / "x.jpg"))
    assert refused.endswith("or round its samples to 8 bits with --depth 8")
    for name in ("x.bmp", "x.png", "x.webp", "x.pgm"):
        run = call("filter", deep, "-k", "sharpen", "--depth", "8", "-o", tmp_path / name)
        assert run.code == 0, run.err
        (frame,) = read_picture(tmp_path / name).frames
        pixels = frame.pixels if frame.pixels.ndim == 2 else frame.pixels[..., 0]
        assert np.array_equal(pixels, filter_picture(DEEP[..., 0], "sharpen", depth=8)), name
    assert call("filter", deep, "-k", "sharpen", "--depth", "8", "-o", tmp_path / "x.jpg").code == 0
    Image.fromarray(GREY > 127).save(tmp_path / "one.png")
    assert (
        call("filter", tmp_path / "one.png", "-k", "identity", "--depth", "8", "-o", tmp_path / "y.jpg").code
        == 0
    )
    floats = tmp_path / "floats.tif"
    Image.fromarray(FLOATS).save(floats)
    words = ("filter", floats, "-k", "identity", "--range", "minmax", "--depth", "16")
    assert call(*words, "-o", tmp_path / "f.png").code == 0
    stretched = (FLOATS - FLOATS.min()).astype(float) / np.ptp(FLOATS.astype(float))
    made = np.asarray(Image.open(tmp_path / "f.png")).astype(float)
    assert np.abs(made - stretched * 65535).max() <= 0.51
    assert "--depth 16 rounds the result to 16 bits, and NPY keeps" in one_error(
        call("filter", floats, "-k", "box", "--depth", "16", "-o", tmp_path / "x.npy")
    )
    raw = call("filter", deep, "-k", "box", "--depth", "8", "-o", tmp_path / "x.npy")
    assert (
        "--depth 8 rounds the result to 8 bits, and NPY keeps the values unchanged; leave it out"
        in one_error(raw)
    )


def test_a_mode_without_eight_bits_is_refused() -> None:
    with pytest.raises(
        ImageError, match="`depth='8'` needs grey or colours of 8 or 16 bits, or floats, but it has I"
    ):
        filter_picture(GREY.astype(np.int32), "box", depth=8)
