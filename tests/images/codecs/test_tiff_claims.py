"""TIFFs whose tiles and streams claim more than the size of the picture are refused before they are decoded."""

from pathlib import Path

import numpy as np
import pytest

from convcli.images.channels import channel_names
from convcli.images.picture import ImageError
from convcli.images.read import read_header, read_picture

tifffile = pytest.importorskip("tifffile", reason="convcli[codecs] is not installed")
pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")

WIDTH, LENGTH, TILE_WIDTH, TILE_LENGTH, TILE_COUNTS = 256, 257, 322, 323, 325
SIDE = 304
LIMIT = 100_000  # pixel limit; a tile may have an eighth of it in bytes


def claiming(path: Path, changes: dict[int, object], pixels: np.ndarray, **options: object) -> Path:
    """Write a TIFF, and change its tags."""
    photometric = "rgb" if pixels.shape[-1] == 3 else "minisblack"
    tifffile.imwrite(path, pixels, metadata=None, photometric=photometric, **options)
    with tifffile.TiffFile(path, mode="r+b") as file:
        for tag, value in changes.items():
            file.pages[0].tags[tag].overwrite(value)
    return path


SMALL = {WIDTH: 10, LENGTH: 10}
STREAMS = ("jpeg2000", "png", "webp", "jpegxl", "lerc")


@pytest.mark.parametrize("compression", ["deflate", "lzw", "packbits", "lzma", "zstd", *STREAMS])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_tile_far_larger_than_its_picture(tmp_path: Path, compression: str, dtype: str) -> None:
    if compression == "webp" and dtype != "uint8":
        return
    pixels = np.zeros((SIDE, SIDE, 3), dtype)
    path = claiming(tmp_path / "a.tif", SMALL, pixels, compression=compression, tile=(SIDE, SIDE))
    size = pixels.nbytes
    for read in (read_picture, read_header):
        with pytest.raises(ImageError) as error:
            read(path, LIMIT)
        assert str(error.value) == (
            f"cannot read {path}: one of its tiles is 304 wide and 304 high, {size:,} bytes, but the picture is only 10 wide and 10 high; "
            f"raise the limit with `max_pixels={size * 8}`"
        )
    (frame,) = read_picture(path, size * 8).frames
    assert frame.pixels.shape == (10, 10, 3)


@pytest.mark.parametrize("compression", STREAMS)
@pytest.mark.parametrize("layout", ["strip", "tile"])
def test_a_stream_far_larger_than_its_tile(tmp_path: Path, compression: str, layout: str) -> None:
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    if layout == "tile":
        changes, options = {**SMALL, TILE_WIDTH: 16, TILE_LENGTH: 16}, {"tile": (SIDE, SIDE)}
    else:
        changes, options = SMALL, {"rowsperstrip": SIDE}
    path = claiming(tmp_path / "a.tif", changes, pixels, compression=compression, **options)
    with pytest.raises(
        ImageError,
        match=r"one of its tiles is 304 wide and 304 high, .* but the picture is only 10 wide and 10 high; raise",
    ):
        read_picture(path, LIMIT)


@pytest.mark.parametrize("compression", ["deflate", "zstd", "jpeg", *STREAMS])
@pytest.mark.parametrize("options", [{"tile": (64, 48)}, {"tile": (112, 160)}, {"rowsperstrip": 20}, {}])
def test_ordinary_tiles_are_read(tmp_path: Path, compression: str, options: dict) -> None:
    pixels = np.tile(np.arange(150, dtype=np.uint8)[:, None], (100, 1, 3)).reshape(100, 150, 3)
    path = claiming(tmp_path / "a.tif", {}, pixels, compression=compression, **options)
    (frame,) = read_picture(path, 15_000).frames
    assert frame.pixels.shape == (100, 150, 3)
    assert np.abs(frame.pixels.astype(int) - pixels).max() <= (
        0 if compression in ("deflate", "zstd", "png") else 60
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])  # read by Pillow, and by tifffile
def test_tiles_that_all_claim_the_same_bytes(tmp_path: Path, dtype: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 1600, 3), np.uint8).astype(dtype)
    options = {"tile": (16, 16), "compression": "deflate"}
    tifffile.imwrite(tmp_path / "a.tif", pixels, metadata=None, photometric="rgb", **options)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
        file.pages[0].tags[TILE_COUNTS].overwrite([10**6] * 400, dtype="I")
    with pytest.raises(
        ImageError,
        match=r"is damaged \(its tiles claim 400,000,000 bytes, but it has only [\d,]*\); get a whole",
    ):
        read_picture(tmp_path / "a.tif")


def test_a_tile_without_a_header_is_damaged(tmp_path: Path) -> None:
    path = claiming(tmp_path / "a.tif", {}, np.zeros((32, 32, 3), np.uint8), compression="jpegxl")
    with tifffile.TiffFile(path) as file:
        place = file.pages[0].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[place : place + 2] = b"no"
    path.write_bytes(data)
    with pytest.raises(
        ImageError, match=r"is damaged or cut short \(one of its tiles has no header with its size\)"
    ):
        read_picture(path)


@pytest.mark.parametrize("extras", [(), (0,), (2,), (0, 0, 0, 0), (2, 0), (1, 1, 1, 1, 1, 1)])
@pytest.mark.parametrize("count", [2, 3, 4, 6])
@pytest.mark.parametrize("photometric", ["minisblack", "rgb"])
def test_channels_are_counted_in_the_data(
    tmp_path: Path, extras: tuple, count: int, photometric: str
) -> None:
    """The tags may name more."""
    pixels = np.arange(4 * 5 * count, dtype=np.uint16).reshape(4, 5, count)
    least = 3 if photometric == "rgb" else 1
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, metadata=None, photometric="minisblack", planarconfig="contig"
    )
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
        tags = file.pages[0].tags
        tags[262].overwrite(1 if photometric == "minisblack" else 2)
        if extras and 338 in tags:
            tags[338].overwrite(extras)
    if count < least:
        with pytest.raises(ImageError):
            read_picture(tmp_path / "a.tif")
        return
    (header,), (frame,) = read_header(tmp_path / "a.tif").frames, read_picture(tmp_path / "a.tif").frames
    assert (header.mode, header.pixels.shape) == (frame.mode, frame.pixels.shape)
    found = frame.pixels if frame.pixels.ndim == 3 else frame.pixels[..., None]
    names = channel_names(frame.mode)
    assert len(names) == found.shape[2] <= count
    if not (extras and extras[0] == 1):
        assert np.array_equal(found, pixels[..., : found.shape[2]])


def test_jpeg_xr_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """The library writes a line to standard error for each damage in a stream, which must stay clean."""
    path = claiming(tmp_path / "a.tif", {}, np.zeros((32, 32, 3), np.uint8), compression="jpegxr")
    data = path.read_bytes()
    path.write_bytes(data[:-40] + bytes(40))
    for read in (read_picture, read_header):
        with pytest.raises(
            ImageError, match=r"JPEG XR compression is not supported; save it with deflate compression"
        ):
            read(path)
    assert capfd.readouterr() == ("", "")
