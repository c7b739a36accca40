"""TIFF samples that need a conversion: white as zero, signed, other bit widths, CIELAB."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from convcli.images.metadata.entries import Entry
from convcli.images.picture import Frame, Picture
from convcli.images.read import read_header, read_picture
from convcli.images.write import encode
from tests.conftest import Call, one_error

tifffile = pytest.importorskip("tifffile", reason="convcli[codecs] is not installed")
pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")

RNG = np.random.default_rng(21)


def noise(bits: int, *shape: int) -> np.ndarray:
    """Unsigned noise over the full range, including the smallest and the largest number."""
    dtype = "bool" if bits == 1 else f"uint{max(8, 1 << (bits - 1).bit_length())}"
    values = RNG.integers(0, 2**bits, shape or (9, 11))
    values.flat[:2] = 0, 2**bits - 1
    return values.astype(dtype)


def written(pixels: np.ndarray, **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    try:
        tifffile.imwrite(stream, pixels, **{"metadata": None, **options})
    except NotImplementedError as error:
        pytest.skip(f"this imagecodecs cannot write it: {error}")
    stream.seek(0)
    return stream


def shares(pixels: np.ndarray) -> np.ndarray:
    """The displayed values: 0 for black, 1 for white."""
    return pixels / (1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max))


def shown(data: io.BytesIO | Path, page: int = 0) -> np.ndarray:
    """The displayed values of a page of a grey TIFF, read by tifffile."""
    with tifffile.TiffFile(data) as file:
        it = file.pages[page]
        pixels = it.asarray()
        white = 1.0 if pixels.dtype.kind == "f" else 2.0**it.bitspersample - 1
        grey = pixels / white
        if it.photometric.name == "MINISWHITE":
            grey = 1 - grey if grey.ndim == 2 else np.dstack([1 - grey[..., :1], grey[..., 1:]])
        return grey


def without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tifffile", None)


# White is zero


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits"])
@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8, 10, 12, 16, 24, 32])
def test_grey_of_every_width(bits: int, photometric: str, compression: str | None, order: str) -> None:
    pixels = noise(bits)
    options = {"photometric": photometric, "compression": compression, "byteorder": order}
    if bits not in (1, 8, 16, 32):
        if compression is not None:
            return  # tifffile does not write these
        options["bitspersample"] = bits
    stream = written(pixels, **options)
    (frame,) = read_picture(stream).frames
    stream.seek(0)
    assert np.abs(shares(frame.pixels) - shown(stream)).max() <= 0.5 / np.iinfo(frame.pixels.dtype).max
    assert frame.pixels.itemsize * 8 == max(8, 1 << (bits - 1).bit_length())
    stream.seek(0)
    assert read_header(stream).frames[0].mode == frame.mode


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_grey_that_pillow_reads_needs_no_extra(monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    options = {} if bits in (1, 8, 16) else {"bitspersample": bits}
    stream = written(noise(bits), photometric="miniswhite", **options)
    right = shown(stream)
    stream.seek(0)
    without_extra(monkeypatch)
    assert np.abs(shares(read_picture(stream).frames[0].pixels) - right).max() < 1e-9


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_white_at_one(dtype: str, order: str) -> None:
    pixels = RNG.random((9, 11)).astype(dtype)
    for compression in (None, "zlib", "lzw"):
        options = {"byteorder": order, "compression": compression}
        (frame,) = read_picture(written(pixels, photometric="miniswhite", **options)).frames
        assert np.abs(frame.pixels - (1 - pixels.astype(float))).max() <= np.finfo(frame.pixels.dtype).eps
        (frame,) = read_picture(written(pixels, photometric="minisblack", **options)).frames
        assert np.array_equal(frame.pixels, pixels)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32"])
def test_signed_numbers_are_white_at_their_minimum(dtype: str) -> None:
    limits = np.iinfo(dtype)
    pixels = np.array([[limits.min, -1, 0, limits.max]], dtype)
    (frame,) = read_picture(written(pixels, photometric="miniswhite")).frames
    assert frame.pixels.dtype == dtype
    assert frame.pixels.tolist() == [[limits.max, 0, -1, limits.min]]


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_alpha_is_not_inverted(bits: int, kind: str) -> None:
    white = 2**bits - 1
    alpha = np.array([[0, white // 5, white]])
    dark = np.array([[0, white, white // 5]])  # 0 is white
    stored = dark if kind == "unassalpha" else np.rint(dark * (alpha / white))
    pixels = np.dstack([stored, alpha]).astype(f"uint{bits}")
    (frame,) = read_picture(
        written(pixels, photometric="miniswhite", extrasamples=[kind], planarconfig="contig")
    ).frames
    assert frame.channels == "LA"
    assert (frame.pixels[..., 1] == alpha).all()
    assert np.abs(frame.pixels[..., 0].astype(float) - (white - dark))[alpha > 0].max() <= 3


def test_pages_of_both_photometric_interpretations(call: Call, tmp_path: Path) -> None:
    pages = [
        (noise(bits), photometric) for bits in (16, 8, 1, 32) for photometric in ("miniswhite", "minisblack")
    ]
    pages.append((RNG.random((9, 11)).astype(np.float32), "miniswhite"))
    path, target = tmp_path / "in.tif", tmp_path / "out.tif"
    for order in "<>":
        with tifffile.TiffWriter(path, byteorder=order) as file:
            for pixels, photometric in pages:
                file.write(pixels, photometric=photometric, metadata=None)
        assert call("filter", path, "--kernel", "identity", "-o", target, "--force").code == 0
        for number in range(len(pages)):
            assert np.abs(shown(target, number) - shown(path, number)).max() < 1e-6


def test_the_border_of_a_white_is_zero_picture_is_black(call: Call, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "in.tif", np.zeros((5, 5), np.uint16), photometric="miniswhite")
    words = ("--kernel", "0 0 0; 1 0 0; 0 0 0", "--padding-mode", "zeros", "-o", tmp_path / "out.tif")
    assert call("filter", tmp_path / "in.tif", *words).code == 0
    assert shown(tmp_path / "out.tif")[0].tolist() == [0, 1, 1, 1, 1]


# Signed samples


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32"])
def test_signed_grey_in_and_out(
    call: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dtype: str,
    compression: str | None,
    order: str,
) -> None:
    limits = np.iinfo(dtype)
    pixels = RNG.integers(limits.min, limits.max, (12, 10), dtype, endpoint=True)
    path, target = tmp_path / "in.tif", tmp_path / "out.tif"
    tifffile.imwrite(path, pixels, compression=compression, byteorder=order)
    for extra in (True, False):
        with monkeypatch.context() as patch:
            if not extra:
                without_extra(patch)
            assert call("filter", path, "--kernel", "identity", "-o", target, "--force").code == 0
            doubled = call("filter", path, "--kernel", "2", "-o", tmp_path / "twice.tif", "--force")
        found = tifffile.imread(target)
        assert found.dtype == dtype
        assert np.array_equal(found, pixels)
        twice = tifffile.imread(tmp_path / "twice.tif")
        assert twice.dtype == dtype
        assert np.array_equal(twice, (2 * pixels.astype(np.int64)).clip(limits.min, limits.max))
        share = (np.abs(2 * pixels.astype(np.int64) + 0.5) > 2.0 ** (8 * pixels.itemsize - 1)).mean()
        assert f"{share:.2%} of the samples were clipped" in doubled.err


def test_signed_and_unsigned_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    without_extra(monkeypatch)
    frames = tuple(
        Frame(RNG.integers(-9, 99, (4, 6)).astype(dtype), mode)
        for mode, dtype in (
            ("L;int16", "int16"),
            ("L", "uint8"),
            ("L;int8", "int8"),
            ("I;16", "uint16"),
            ("I", "int32"),
        )
    )
    data, _ = encode(Picture(frames, "TIFF", {"tags": {285: Entry.of_text(b"heights")}}), "TIFF", "out")
    again = read_picture(io.BytesIO(data))
    assert [frame.mode for frame in again.frames] == [frame.mode for frame in frames]
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(again.frames, frames))
    assert again.metadata["tags"][285].text == b"heights"


def test_signed_colours(call: Call, tmp_path: Path) -> None:
    pixels = RNG.integers(-(2**15), 2**15, (6, 5, 3)).astype(np.int16)
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="rgb")
    words = ("--kernel", "box", "--padding-mode", "replicate", "-o", tmp_path / "out.tif")
    assert call("filter", tmp_path / "in.tif", *words).code == 0
    found = tifffile.imread(tmp_path / "out.tif")
    right = np.stack(
        [ndimage.uniform_filter(pixels[..., c].astype(float), 3, mode="nearest") for c in range(3)], -1
    )
    assert found.dtype == np.int16
    assert np.abs(found - right).max() <= 0.5 + 1e-9


def test_unsigned_formats_are_refused_with_alternatives(call: Call, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "in.tif", np.array([[-5, 5]], np.int16))
    result = call("filter", tmp_path / "in.tif", "--kernel", "identity", "-o", tmp_path / "out.png")
    assert result.code == 1
    assert one_error(result).endswith("PNG cannot hold the pixel mode L;int16; these can: .tiff, .npy")


# Other dtypes


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("reach", [1 << 7, 1 << 31])
def test_64_bit_integers_that_fit_32_bits(call: Call, tmp_path: Path, dtype: str, reach: int) -> None:
    low = 0 if dtype == "uint64" else -reach
    pixels = RNG.integers(low, reach if low else 2 * reach, (8, 9)).astype(dtype)
    pixels[0, :2] = low, (reach if low else 2 * reach) - 1
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="minisblack")
    assert call("filter", tmp_path / "in.tif", "--kernel", "identity", "-o", tmp_path / "out.tif").code == 0
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), pixels)


def test_64_bit_integers_that_do_not_fit_32_bits(call: Call, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "in.tif", np.array([[0, 2**40]], np.int64))
    result = call("filter", tmp_path / "in.tif", "--kernel", "identity", "-o", tmp_path / "out.tif")
    assert result.code == 1
    assert one_error(result) == (
        f"cannot read {tmp_path}/in.tif: its integers, 0 to 1099511627776, need more than 32 bits; "
        "save them as float64"
    )


# CIELAB


def lab(bits: int, *, icc: bool = False) -> np.ndarray:
    """Nearly neutral noise as stored in a file: L*, and a* and b* around 0."""
    scale = 1 << (bits - 8)
    pixels = np.empty((14, 13, 3), np.int64)
    pixels[..., 0] = RNG.integers(90 * scale, 110 * scale, pixels.shape[:2])
    pixels[..., 1:] = RNG.integers(-3 * scale, 4 * scale, (14, 13, 2))
    if icc:
        pixels[..., 1:] += 1 << (bits - 1)
    return (pixels % (1 << bits)).astype(f"uint{bits}")


def as_signed(pixels: np.ndarray, photometric: str) -> np.ndarray:
    """The CIELAB values of a file's samples."""
    bits = 8 * pixels.itemsize
    if pixels.dtype.kind == "f":
        return pixels.astype(float)
    values = pixels.astype(f"uint{bits}").astype(float)
    if photometric == "icclab":
        values[..., 1:] -= 1 << (bits - 1)
    else:
        values[..., 1:][values[..., 1:] >= 1 << (bits - 1)] -= 1 << bits
    return values


LABS = pytest.mark.parametrize(
    ("photometric", "bits"), [("cielab", 8), ("cielab", 16), ("icclab", 8), ("icclab", 16)]
)


def run(
    call: Call, folder: Path, pixels: np.ndarray, photometric: str, *words: object, **options: object
) -> np.ndarray:
    """Filter a TIFF, and return the samples of the output, which has the same encoding."""
    tifffile.imwrite(folder / "in.tif", pixels, photometric=photometric, metadata=None, **options)
    result = call("filter", folder / "in.tif", *words, "-o", folder / "out.tif", "--force")
    assert result.code == 0, result.err
    with tifffile.TiffFile(folder / "out.tif") as file:
        (page,) = file.pages
        assert (page.photometric.name.lower(), page.dtype.itemsize) == (photometric, pixels.itemsize)
        return as_signed(page.asarray(), photometric)


@LABS
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_lab_round_trips(
    call: Call, tmp_path: Path, photometric: str, bits: int, compression: str | None, order: str
) -> None:
    pixels = RNG.integers(0, 1 << bits, (14, 13, 3)).astype(f"uint{bits}")  # every colour
    options = {"compression": compression, "byteorder": order}
    found = run(call, tmp_path, pixels, photometric, "--kernel", "identity", **options)
    assert np.array_equal(found, as_signed(pixels, photometric))


@LABS
@pytest.mark.parametrize("layer", [(), ("--pool", "avg:1"), ("--method", "fft")])
@pytest.mark.parametrize("mode", ["mirror", "nearest", "constant"])
def test_lab_is_filtered_as_signed_values(
    call: Call, tmp_path: Path, photometric: str, bits: int, layer: tuple[str, ...], mode: str
) -> None:
    pixels = lab(bits, icc=photometric == "icclab")
    values = as_signed(pixels, photometric)
    border = {"mirror": "reflect", "nearest": "replicate", "constant": "constant"}[mode]
    padded = ("--padding-mode", border, *(("--padding-value", "2") if mode == "constant" else ()))
    for spelled, weights in (("box:3", np.full((3, 3), 1 / 9)), ("0 1 0; 1 -4 1; 0 1 0", None)):
        if weights is None:
            weights = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
        found = run(call, tmp_path, pixels, photometric, "--kernel", spelled, *padded, *layer)
        right = np.stack(
            [ndimage.correlate(values[..., c], weights, mode=mode, cval=2) for c in range(3)], axis=-1
        )
        half = 1 << (bits - 1)
        right = right.clip([0, -half, -half], [2 * half - 1, half - 1, half - 1])
        assert np.abs(found - right).max() <= 0.5 + 1e-6


@LABS
def test_lab_is_clipped_channel_by_channel(call: Call, tmp_path: Path, photometric: str, bits: int) -> None:
    half = 1 << (bits - 1)
    pixels = lab(bits, icc=photometric == "icclab")
    values = as_signed(pixels, photometric)
    for value_range, right in (
        ("clip", (-30 * values).clip([0, -half, -half], [2 * half - 1, half - 1, half - 1])),
        ("abs", np.abs(30 * values).clip(0, [2 * half - 1, half - 1, half - 1])),
        ("offset", (-30 * values + [half, 0, 0]).clip([0, -half, -half], [2 * half - 1, half - 1, half - 1])),
    ):
        for layer in ((), ("--pool", "avg:1")):
            found = run(
                call, tmp_path, pixels, photometric, "--kernel", "-30", "--range", value_range, *layer
            )
            assert np.array_equal(found, right)


@pytest.mark.parametrize("layer", [(), ("--variant", "standard"), ("--dry-run",)])
def test_lab_is_not_rescaled_by_one_factor(call: Call, tmp_path: Path, layer: tuple[str, ...]) -> None:
    tifffile.imwrite(tmp_path / "in.tif", lab(8), photometric="cielab")
    words = ("--kernel", "box", "--range", "minmax", *layer, "-o", tmp_path / "out.tif")
    result = call("filter", tmp_path / "in.tif", *words)
    assert result.code == 1
    message = one_error(result)
    assert message.startswith(
        f"cannot filter {tmp_path}/in.tif: --range minmax stretches all channels by one factor"
    )
    assert message.endswith("filter the lightness with --channels l, or use another range")
    words = ("--kernel", "identity", "--range", "minmax", "--channels", "l", "-o", tmp_path / "out.png")
    assert call("filter", tmp_path / "in.tif", *words).code == 0
    found = np.asarray(Image.open(tmp_path / "out.png"))
    assert (found.min(), found.max()) == (0, 255)


def test_float_lab_is_signed_already(call: Call, tmp_path: Path) -> None:
    pixels = as_signed(lab(8), "cielab").astype(np.float32)
    found = run(call, tmp_path, pixels, "cielab", "--kernel", "box", "--padding-mode", "replicate")
    right = np.stack([ndimage.uniform_filter(pixels[..., c], 3, mode="nearest") for c in range(3)], -1)
    assert np.abs(found - right).max() < 1e-4


def test_lab_of_8_bits_needs_no_extra(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = lab(8)
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="cielab")
    with monkeypatch.context() as patch:
        without_extra(patch)
        assert (
            call("filter", tmp_path / "in.tif", "--kernel", "identity", "-o", tmp_path / "out.tif").code == 0
        )
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), pixels)


def test_lab_in_an_array_is_signed(call: Call, tmp_path: Path) -> None:
    pixels = lab(8)
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="cielab")
    assert call("filter", tmp_path / "in.tif", "--kernel", "-1", "-o", tmp_path / "out.npy").code == 0
    assert np.array_equal(np.load(tmp_path / "out.npy"), -as_signed(pixels, "cielab"))


def test_pages_of_lab_among_others(call: Call, tmp_path: Path) -> None:
    pages = [(lab(8), "cielab"), (noise(8), "minisblack"), (lab(16), "cielab"), (noise(16, 5, 5, 3), "rgb")]
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        for pixels, photometric in pages:
            file.write(pixels, photometric=photometric, metadata=None)
    assert call("filter", tmp_path / "in.tif", "--kernel", "identity", "-o", tmp_path / "out.tif").code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        for (pixels, photometric), page in zip(pages, file.pages, strict=True):
            assert page.photometric.name.lower() == photometric
            assert np.array_equal(page.asarray(), pixels)


def test_compare_treats_lab_as_signed(call: Call, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "in.tif", lab(8), photometric="cielab")
    result = call(
        "compare",
        tmp_path / "in.tif",
        "--kernel",
        "laplacian",
        "--variant",
        "depthwise",
        "--field",
        "difference",
    )
    assert result.code == 0
    found = [float(each) for each in result.out.split()]
    assert len(found) >= 4  # the methods of filter, and of conv
    assert max(found) < 1e-3  # if 128 represented 0, values below it would be clipped
