"""Which part of a picture is filtered, and in which colours: --frame, --channels, --gray, --linear."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from convcli.backend.colour import from_light, luma
from convcli.filters.filter_image import filter_image
from convcli.images.formats import FORMATS
from convcli.images.modes import CHANNELS, channels_of, dtype_of
from convcli.images.picture import Frame, Picture
from convcli.images.read import read_picture
from convcli.images.write import encode
from convcli.kernels import parse_kernel
from tests.conftest import SAMPLES, Call, one_error

SPINNER, LOGO, PHOTO = SAMPLES / "spinner.gif", SAMPLES / "logo.png", SAMPLES / "landscape.png"


def pixels_of(path: Path, frame: int = 0) -> np.ndarray:
    return read_picture(path).frames[frame].pixels


# One frame


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_frame_is_a_still_picture(call: Call, tmp_path: Path, number: int) -> None:
    for ending in ("png", "webp", "tiff"):
        output = tmp_path / f"x.{ending}"
        assert call("filter", SPINNER, "-k", "identity", "--frame", number, "-o", output, "-q").code == 0
        picture = read_picture(output)
        assert (len(picture.frames), picture.frames[0].duration, picture.loop) == (1, None, None)
        assert (picture.frames[0].pixels == pixels_of(SPINNER, number)).all()
    assert read_picture(SPINNER, frame=number).frames[0].duration is None


def test_a_frame_that_does_not_exist(call: Call, tmp_path: Path) -> None:
    for number in (8, -9):
        result = call("filter", SPINNER, "-k", "box", "--frame", number)
        assert result.code == 1
        assert one_error(result) == (
            f"cannot read {SPINNER}: there is no frame {number}; it has 8, 0 to 7, or -8 to -1 from the end"
        )
    assert one_error(call("filter", PHOTO, "-k", "box", "--frame", 1)).endswith(
        "there is no frame 1; it has one, 0"
    )


def test_only_the_frame_counts_towards_the_limit_of_pixels() -> None:
    assert read_picture(SPINNER, 112 * 112, frame=7)


def test_frames_are_limited(call: Call) -> None:
    result = call("filter", SPINNER, "-k", "box", "--max-frames", 7)
    assert result.code == 1
    assert one_error(result) == (
        f"cannot read {SPINNER}: its 8 frames are over the limit of 7; raise it with --max-frames 8, "
        "or choose one with --frame"
    )


def test_a_still_format_offers_a_frame(call: Call, tmp_path: Path) -> None:
    result = call("filter", SPINNER, "-k", "box", "--channels", "r,g,b", "-o", tmp_path / "x.jpg")
    assert result.code == 1
    assert one_error(result) == (
        f"cannot write {tmp_path}/x.jpg: JPEG holds one frame, the picture has 8; choose one, as with --frame 0, or a "
        "format that holds all: .png, .webp, .tiff, .gif, .npy"
    )
    arguments = ["--frame", "0", "--channels", "r,g,b", "-o", tmp_path / "x.jpg"]
    assert call("filter", SPINNER, "-k", "box", *arguments).code == 0


def test_a_format_without_alpha_offers_to_leave_it_out(call: Call, tmp_path: Path) -> None:
    result = call("filter", LOGO, "-k", "box", "-o", tmp_path / "x.bmp")
    assert "BMP cannot hold the pixel mode RGBA; these can: .png" in one_error(result)
    assert one_error(result).endswith("; or drop alpha with --channels r,g,b")


# Channels and grey


def test_channels_are_kept_in_the_order_given(call: Call, tmp_path: Path) -> None:
    for names, places in (("r,g,b", [0, 1, 2]), ("B, g, r", [2, 1, 0]), ("a", 3)):
        output = tmp_path / "x.png"
        assert call("filter", LOGO, "-k", "box", "--channels", names, "-o", output, "--force").code == 0
        wanted = filter_image(np.ascontiguousarray(pixels_of(LOGO)[..., places]), parse_kernel("box")).pixels
        assert (pixels_of(output) == wanted).all()


@pytest.mark.parametrize("names", ["", "r,,b", ","])
def test_a_list_of_channels_has_names(call: Call, names: str) -> None:
    result = call("filter", LOGO, "-k", "box", "--channels", names)
    assert result.code == 2
    assert (
        f"{names!r} is not a list of channels; separate their names by commas, such as r,g,b or a"
        in one_error(result)
    )


def test_a_channel_that_does_not_exist_fails_one_file(call: Call, tmp_path: Path) -> None:
    result = call("filter", PHOTO, LOGO, "-k", "box", "--channels", "a", "-o", f"{tmp_path}/")
    assert (result.code, result.out) == (1, f"{tmp_path}/logo.png\n")
    assert "landscape.png: there is no channel 'a' in RGB; use r, g, b" in result.err


def test_gray_is_pillows(call: Call, tmp_path: Path) -> None:
    output = tmp_path / "x.png"
    assert call("filter", PHOTO, "-k", "identity", "--gray", "-o", output).code == 0
    with Image.open(PHOTO) as image:
        assert (pixels_of(output) == np.asarray(image.convert("L"))).all()
    assert call("filter", LOGO, "-k", "identity", "--gray", "-o", output, "--force").code == 0
    (frame,) = read_picture(output).frames
    assert frame.mode == "LA"
    assert (frame.pixels[..., 0] == luma(pixels_of(LOGO)[..., :3])).all()
    assert (frame.pixels[..., 1] == pixels_of(LOGO)[..., 3]).all()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16", "RGB;16", "F", "RGB;F"])
def test_gray_of_every_depth(call: Call, tmp_path: Path, mode: str) -> None:
    source = tmp_path / "in.npy"
    dtype = {"16": "uint16", "F": "float32"}.get(mode.split(";")[-1], "uint8")
    channels = len(mode.split(";")[0]) if mode != "I;16" else 1
    array = np.random.default_rng(1).integers(0, 256, (4, 5, channels)).astype(dtype)
    np.save(source, array)
    assert call("filter", source, "-k", "identity", "--gray", "-o", tmp_path / "x.npy", "-q").code == 0
    found = np.load(tmp_path / "x.npy").reshape(4, 5, -1)
    wanted = luma(array[..., :3]) if channels > 2 else array[..., 0]
    assert (found[..., 0] == wanted).all()
    assert found.shape[2] == (2 if channels in (2, 4) else 1)


@pytest.mark.parametrize(
    ("mode", "hint"), [("CMYK", "convert it to RGB first"), ("LAB", "use its lightness with --channels l")]
)
def test_gray_of_other_colours_is_refused(call: Call, tmp_path: Path, mode: str, hint: str) -> None:
    source = tmp_path / "x.tiff"
    Image.new(mode, (3, 3)).save(source)
    result = call("filter", source, "-k", "box", "--gray")
    assert result.code == 1
    assert one_error(result) == (
        f"cannot convert {source}: --gray needs red, green and blue, but it has {mode}; {hint}"
    )


def test_a_profile_of_colours_does_not_stay_with_grey(call: Call, tmp_path: Path) -> None:
    result = call("filter", SAMPLES / "landscape.jpg", "-k", "box", "--gray", "-o", tmp_path / "x.jpg")
    assert "the colour profile is left out: it does not apply to the remaining channels, L" in result.err
    assert "icc" not in read_picture(tmp_path / "x.jpg").metadata


# Linear light


@pytest.mark.parametrize("kernel", ["identity", "gaussian:sigma=2", "sobel"])
@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_linear_filters_light(call: Call, tmp_path: Path, kernel: str, depth: str) -> None:
    top = np.iinfo(depth).max
    pixels = np.random.default_rng(6).integers(0, top + 1, (40, 30, 3)).astype(depth)
    source, output = tmp_path / "in.png", tmp_path / "x.png"
    picture = Picture((Frame(pixels, "RGB" if depth == "uint8" else "RGB;16"),), "PNG")
    source.write_bytes(encode(picture, "PNG", "in")[0])
    assert call("filter", source, "-k", kernel, "--linear", "-o", output, "-q").code == 0
    exact = np.where(pixels / top <= 0.04045, pixels / top / 12.92, ((pixels / top + 0.055) / 1.055) ** 2.4)
    light = filter_image(exact, parse_kernel(kernel)).pixels
    wanted = from_light(light, pixels.dtype)[0]
    found = pixels_of(output)
    assert found.dtype == depth
    assert np.abs(found.astype(int) - wanted).max() <= 1  # where float32 is on the other side of a half
    assert (found == wanted).mean() > (0.999 if depth == "uint8" else 0.9)
    if kernel == "identity":
        assert (found == pixels).all()


def test_linear_means_of_black_and_white_are_half_the_light(call: Call, tmp_path: Path) -> None:
    source, output = tmp_path / "in.png", tmp_path / "x.png"
    Image.fromarray(np.tile([0, 255], (4, 4)).astype(np.uint8)).save(source)
    options = ["--padding-mode", "circular", "--linear", "-o", output]
    assert call("filter", source, "-k", "1 1", *options, "--range", "clip").code == 0
    assert call("filter", source, "-k", "0.5 0.5", *options, "--force").code == 0
    assert (pixels_of(output) == 188).all()


def test_linear_keeps_alpha(call: Call, tmp_path: Path) -> None:
    for alpha in ("keep", "premultiply"):
        output = tmp_path / f"{alpha}.png"
        assert call("filter", LOGO, "-k", "box", "--linear", "--alpha", alpha, "-o", output).code == 0
        plain = filter_image(pixels_of(LOGO), parse_kernel("box"), alpha=alpha).pixels
        difference = np.abs(pixels_of(output)[..., 3].astype(int) - plain[..., 3])
        assert difference.max() <= 1


def test_the_border_is_in_light_too(call: Call, tmp_path: Path) -> None:
    source, output = tmp_path / "in.png", tmp_path / "x.png"
    Image.new("L", (6, 6), 90).save(source)
    border = ["--padding-mode", "constant", "--padding-value"]
    assert call("filter", source, "-k", "box", "--linear", *border, "90", "-o", output).code == 0
    assert (pixels_of(output) == 90).all()
    for value in ("0.5", "256", "-1"):
        result = call("filter", source, "-k", "box", "--linear", *border, value)
        assert result.code == 1
        assert one_error(result) == (
            f"cannot filter {source}: with --linear, --padding-value must be a sample: a whole number from 0 to 255, got {value}"
        )


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "F", "I"])
def test_linear_is_refused_where_there_is_no_srgb(call: Call, tmp_path: Path, mode: str) -> None:
    source = tmp_path / "x.tiff"
    Image.new(mode, (3, 3)).save(source)
    result = call("filter", source, "-k", "box", "--linear")
    assert result.code == 1
    assert one_error(result) == (
        f"cannot convert {source}: --linear needs sRGB or grey of 8 or 16 bits, but it has {mode}; "
        "leave --linear out, or convert it first"
    )


def test_another_profile_than_srgb_is_noted(call: Call, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    for icc, noted in (
        (profile, True),
        (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), False),
    ):
        Image.new("RGB", (3, 3)).save(tmp_path / "x.png", icc_profile=icc)
        result = call(
            "filter", tmp_path / "x.png", "-k", "box", "--linear", "--force", "-o", tmp_path / "y.png"
        )
        assert result.code == 0
        assert ("--linear decodes it as sRGB, but its colour profile is " in result.err) == noted


# Raw numbers


def test_npy_stores_the_values_before_their_conversion_to_a_depth(call: Call, tmp_path: Path) -> None:
    output = tmp_path / "x.npy"
    assert call("filter", PHOTO, "-k", "sobel-x", "-o", output).code == 0
    values = np.load(output)
    wanted = filter_image(pixels_of(PHOTO).astype(float), parse_kernel("sobel-x")).pixels
    assert (values.dtype, (values == wanted).all()) == ("float32", True)
    assert values.min() < 0 < 255 < values.max()


def test_every_frame_is_in_the_array(call: Call, tmp_path: Path) -> None:
    result = call("filter", SPINNER, "-k", "identity", "-o", tmp_path / "x.npy")
    assert np.load(tmp_path / "x.npy").shape == (8, 112, 112, 4)
    assert "NPY does not carry the timing of the frames" in result.err


def test_a_range_is_refused_for_raw_values(call: Call, tmp_path: Path) -> None:
    result = call("filter", PHOTO, "-k", "box", "--range", "abs", "-o", tmp_path / "x.npy")
    assert result.code == 1
    assert one_error(result) == (
        f"{PHOTO}: --range abs maps values to the depth of a picture, and NPY keeps them unchanged; leave it out"
    )


def test_arrays_are_filtered_like_pictures(call: Call, tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(9, 8, 64))
    np.save(tmp_path / "in.npy", array)
    result = call("filter", tmp_path / "in.npy", "-k", "gaussian")
    assert result.out == f"{tmp_path}/in.gaussian.npy\n"
    found = np.load(tmp_path / "in.gaussian.npy")
    assert found == pytest.approx(filter_image(array, parse_kernel("gaussian")).pixels)
    assert found.dtype == "float64"


def test_floats_need_a_range_to_be_8_bits(call: Call, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.zeros((3, 3, 3), np.float32))
    result = call("filter", tmp_path / "in.npy", "-k", "box", "-o", tmp_path / "x.png")
    assert result.code == 1
    assert one_error(result) == (
        f"cannot write {tmp_path}/x.png: PNG cannot hold the pixel mode RGB;F; map its values to 8 bits with "
        "--range, or keep them in one of these: .tiff, .pfm, .npy"
    )


def test_a_pipe_takes_and_gives_arrays(program: object) -> None:
    stream = io.BytesIO()
    np.save(stream, np.arange(12, dtype=np.float32).reshape(3, 4))
    run = program("filter", "-", "-k", "identity", input=stream.getvalue())
    assert (run.returncode, np.load(io.BytesIO(run.stdout)).tolist()) == (
        0,
        np.arange(12).reshape(3, 4).tolist(),
    )


def test_16_bit_colour_passes_whole(call: Call, tmp_path: Path) -> None:
    pixels = np.random.default_rng(9).integers(0, 65536, (9, 8, 4), dtype=np.uint16)
    source = tmp_path / "in.png"
    source.write_bytes(encode(Picture((Frame(pixels, "RGBA;16"),), "PNG"), "PNG", "in")[0])
    assert call("filter", source, "-k", "identity").code == 0
    assert (pixels_of(tmp_path / "in.identity.png") == pixels).all()


# Every mode of every format, through the command


MODES = [
    (form, mode)
    for form in FORMATS
    if form not in ("JPEG", "GIF", "NPY", "AVIF", "HEIF")
    for mode in sorted(FORMATS[form].modes)
]


@pytest.mark.parametrize(("form", "mode"), MODES)
def test_identity_changes_nothing(call: Call, tmp_path: Path, form: str, mode: str) -> None:
    shape = (9, 8, CHANNELS[channels_of(mode)]) if channels_of(mode) != "L" else (9, 8)
    pixels = (np.random.default_rng(3).random(shape) * 255).astype(dtype_of(mode))
    if mode == "I":
        pixels *= -8_000_000
    if form == "PBM":
        pixels = (pixels > 99) * np.uint8(255)
    source = tmp_path / f"in{FORMATS[form].endings[0]}"
    source.write_bytes(encode(Picture((Frame(pixels, mode),), form), form, "in")[0])
    result = call("filter", source, "-k", "identity")
    assert (result.code, result.err) == (0, "")
    before, after = read_picture(source), read_picture(Path(result.out.strip()))
    (one,), (other,) = before.frames, after.frames
    assert (one.mode, one.pixels.dtype, one.pixels.shape) == (
        other.mode,
        other.pixels.dtype,
        other.pixels.shape,
    )
    assert (one.pixels == other.pixels).all()
    assert before.metadata == after.metadata
