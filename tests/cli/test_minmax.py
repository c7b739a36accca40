"""--range minmax: one range for all frames and pages, over the finite values, for every algorithm."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.images.picture import Frame, Picture
from convcli.images.read import read_picture
from convcli.images.write import encode
from tests.conftest import Call

RNG = np.random.default_rng(12)
FADE = [RNG.integers(80 * n, 80 * n + 40, (12, 10)).astype(np.uint8) for n in range(3)]


def written(path: Path, frames: list[np.ndarray], mode: str, form: str = "TIFF") -> Path:
    """Write frames, with their durations if there are any."""
    times = [None if form == "TIFF" else 100 + 10 * number for number in range(len(frames))]
    picture = Picture(tuple(Frame(*each) for each in zip(frames, [mode] * len(frames), times)), form)
    path.write_bytes(encode(picture, form, "x")[0])
    return path


def frames(path: Path) -> np.ndarray:
    return np.stack([frame.pixels for frame in read_picture(path).frames]).astype(float)


def by_hand(values: np.ndarray) -> np.ndarray:
    finite = values[np.isfinite(values)]
    return np.rint((values - finite.min()) / (finite.max() - finite.min()) * 255)


@pytest.mark.parametrize(
    "layer",
    [
        ("--kernel", "box"),
        ("--kernel", "sobel"),
        ("--kernel", "laplacian", "--variant", "standard"),
        ("--kernel", "sharpen", "--variant", "transposed"),
        ("--kernel", "box", "--pool", "max:2"),
        ("--kernel", "laplacian", "--dims", "3"),
        ("--kernel", "box", "--method", "fft"),
    ],
)
@pytest.mark.parametrize(("form", "name"), [("TIFF", "x.tif"), ("GIF", "x.gif"), ("PNG", "x.png")])
def test_all_frames_have_one_range(
    call: Call, tmp_path: Path, layer: tuple[str, ...], form: str, name: str
) -> None:
    source = written(tmp_path / name, FADE, "L", form)
    assert call("filter", source, *layer, "-o", tmp_path / "raw.npy").code == 0
    target = tmp_path / "out.tif"
    assert call("filter", source, *layer, "--range", "minmax", "-o", target).code == 0
    found, right = frames(target), by_hand(np.load(tmp_path / "raw.npy").astype(float))
    if found.ndim > right.ndim:
        found = found[..., 0]
    assert np.abs(found.reshape(right.shape) - right).max() <= 1
    assert (found.min(), found.max()) == (0, 255)


@pytest.mark.parametrize("alpha", ["premultiply", "keep", "filter"])
def test_alpha_is_not_measured(call: Call, tmp_path: Path, alpha: str) -> None:
    opaque = [np.dstack([page, page, page, np.full_like(page, 200)]) for page in FADE]
    source, target = written(tmp_path / "x.tif", opaque, "RGBA"), tmp_path / "out.tif"
    words = ("--kernel", "identity", "--range", "minmax", "--alpha", alpha, "-o", target)
    assert call("filter", source, *words).code == 0
    found = frames(target)
    values = np.stack(opaque).astype(float)
    right = by_hand(values if alpha == "filter" else values[..., :3])
    assert np.array_equal(found[..., : right.shape[-1]], right)
    if alpha != "filter":
        assert (found[..., 3] == 200).all()


def test_light(call: Call, tmp_path: Path) -> None:
    colours = [np.dstack([page, page // 2, page // 3]) for page in FADE]
    source = written(tmp_path / "x.tif", colours, "RGB")
    words = ("--kernel", "identity", "--range", "minmax")
    assert call("filter", source, *words, "--linear", "-o", tmp_path / "light.tif").code == 0
    shares = np.stack(colours) / 255
    light = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    light = (light - light.min()) / (light.max() - light.min())
    right = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert np.abs(frames(tmp_path / "light.tif") - right).max() <= 1


def test_pages_of_8_and_16_bits_are_measured_by_their_white(call: Call, tmp_path: Path) -> None:
    pages = (
        Frame(np.array([[51, 102]], np.uint8), "L"),
        Frame(np.array([[39321, 52428]], np.uint16), "I;16"),
    )
    (tmp_path / "x.tif").write_bytes(encode(Picture(pages, "TIFF"), "TIFF", "x")[0])
    words = ("--kernel", "identity", "--range", "minmax", "-o", tmp_path / "out.tif")
    assert call("filter", tmp_path / "x.tif", *words).code == 0
    first, second = (frame.pixels for frame in read_picture(tmp_path / "out.tif").frames)
    assert first.tolist() == [[0, 85]]  # 0.2 and 0.4 of white, where 0.2 to 0.8 are stretched
    assert second.tolist() == [[43690, 65535]]


@pytest.mark.parametrize(("mode", "layer"), [("F", ()), ("F", ("--variant", "standard")), ("RGBA;F", ())])
def test_missing_pixels_affect_no_other_pixel(
    call: Call, tmp_path: Path, mode: str, layer: tuple[str, ...]
) -> None:
    if mode != "F":
        pytest.importorskip("tifffile", reason="convcli[codecs] is not installed")
    ramp = np.linspace(-3, 9, 240, dtype=np.float32).reshape(12, 20)
    right = by_hand(ramp.astype(float))
    ramp[5, 5], ramp[6, 6], ramp[7, 7] = np.nan, np.inf, -np.inf
    right[5, 5], right[6, 6], right[7, 7] = 0, 255, 0
    pixels = ramp if mode == "F" else np.dstack([ramp, ramp, ramp, np.ones_like(ramp)])
    source = written(tmp_path / "x.tif", [pixels], mode)
    words = ("--kernel", "identity", "--range", "minmax", *layer, "-o", tmp_path / "out.png")
    code, _, err = call("filter", source, *words)
    assert code == 0
    assert "1.25% of the samples are not finite; NaN became 0, and infinity was clipped" in err
    found = np.asarray(Image.open(tmp_path / "out.png"))
    assert np.array_equal(found if mode == "F" else found[..., 1], right)


@pytest.mark.parametrize("value_range", ["clip", "abs", "offset", "minmax"])
@pytest.mark.parametrize(
    "layer",
    [
        ("--kernel", "box"),
        ("--kernel", "sobel", "--kernel", "gaussian:2"),
        ("--kernel", "box", "--variant", "transposed", "--stride", "2"),
        ("--local", "tilt-shift:sigma=2"),
        ("--offsets", "swirl:strength=4"),
        ("--kernel", "box", "--activation", "tanh", "--pool", "avg:2"),
        ("--kernel", "sharpen", "--alpha", "keep"),
    ],
)
def test_no_warning_of_numbers_that_are_not_finite(
    call: Call, tmp_path: Path, value_range: str, layer: tuple[str, ...]
) -> None:
    values = RNG.random((20, 16, 4)).astype(np.float32)
    values[3, 3], values[4, 9, 3], values[9, 9, 0], values[12, 2] = np.nan, np.nan, np.inf, -np.inf
    values[15, 15] = np.finfo(np.float32).max
    np.save(tmp_path / "x.npy", values)
    code, _, err = call(
        "filter", tmp_path / "x.npy", *layer, "--range", value_range, "-o", tmp_path / "o.png"
    )
    assert code == 0, err
    assert "Warning" not in err
