"""TIFFs decoded strip by strip or tile by tile give the same pixels as when read whole; others are read whole."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convcli.images import stored_pixels
from convcli.images.codecs import tiff_blocks
from convcli.images.picture import ImageError, Picture
from convcli.images.read import open_picture, read_picture
from convcli.images.stored_pixels import PlainPixels, StoredPixels
from tests.examples import examples

tifffile = pytest.importorskip("tifffile", reason="convcli[codecs] is not installed")
pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")

RNG = np.random.default_rng(5)
DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")
PREDICTABLE = ("lzw", "zlib", "zstd")


def samples(dtype: str, *shape: int) -> np.ndarray:
    return (RNG.random(shape) * 120).astype(dtype)


def written(pixels: np.ndarray, **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **{"metadata": None, "photometric": "minisblack", **options})
    stream.seek(0)
    return stream


def in_blocks(stream: io.BytesIO, frame: int | None = None) -> tuple[Picture | None, np.ndarray]:
    """Return the stored pixels of a file, and their values read block by block."""
    with open_picture(stream, frame=frame) as opened:
        picture = opened.stored()
        if picture is None:
            return None, np.empty(0)
        pixels = picture.frames[0].pixels
        assert isinstance(pixels, StoredPixels)
        assert pixels.nbytes == np.dtype(pixels.dtype).itemsize * np.prod(pixels.shape)
        found = np.zeros(pixels.shape, pixels.dtype)
        for down in range(-(-pixels.shape[0] // pixels.block_size[0])):
            for across in range(-(-pixels.shape[1] // pixels.block_size[1])):
                block = pixels.block(down, across)
                place = pixels.extent(down, across)
                assert block.dtype == pixels.dtype and block.shape == found[place].shape
                found[place] = block
        assert np.array_equal(np.array(list(pixels)), found)
        return picture, found


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (stored_pixels, tiff_blocks):
            patch.setattr(module, "BLOCK", 300)
        yield


@settings(max_examples=examples(150))
@given(st.data())
def test_strips_and_tiles_equal_the_whole(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(DTYPES))
    compression = data.draw(st.sampled_from([None, "lzw", "zlib", "packbits", "zstd", "lzma"]))
    channels = data.draw(st.sampled_from([(), (2,), (3,), (4,)]))
    options: dict[str, object] = {
        "compression": compression,
        "byteorder": data.draw(st.sampled_from("<>")),
        "bigtiff": data.draw(st.booleans()),
    }
    if compression in PREDICTABLE and dtype != "float64":
        options["predictor"] = data.draw(st.booleans())
    if channels:
        options["planarconfig"] = "contig"
        if channels > (2,):
            options["photometric"] = "rgb"
        if channels != (3,):
            options["extrasamples"] = ["unassalpha"]
    if data.draw(st.booleans()):
        options["tile"] = data.draw(st.sampled_from([(16, 16), (16, 48), (32, 16)]))
        size = (data.draw(st.integers(128, 160)), data.draw(st.integers(1, 70)))
    else:
        options["rowsperstrip"] = data.draw(st.integers(1, 9))
        size = (data.draw(st.integers(36, 60)), data.draw(st.integers(1, 30)))
    stream = written(samples(dtype, *size, *channels), resolution=(300, 300), **options)
    whole = read_picture(stream)
    picture, found = in_blocks(stream)
    assert picture is not None
    assert np.array_equal(found, whole.frames[0].pixels) and found.dtype == whole.frames[0].pixels.dtype
    assert picture.frames[0].mode == whole.frames[0].mode
    assert (picture.format, picture.metadata, picture.notes) == ("TIFF", whole.metadata, whole.notes)
    assert picture.metadata["dpi"] == (300, 300)


def test_a_chosen_page_and_channels_without_names_are_read_in_blocks() -> None:
    stream = io.BytesIO()
    pages = samples("uint8", 3, 40, 9)
    with tifffile.TiffWriter(stream) as writer:
        for page in pages:
            writer.write(page, photometric="minisblack", compression="zlib", rowsperstrip=4, metadata=None)
    assert in_blocks(stream)[0] is None  # all of them
    for number in (0, 2, -1):
        assert np.array_equal(in_blocks(stream, number)[1], pages[number])
    many = samples("uint16", 40, 9, 6)
    stream = written(many, planarconfig="contig", rowsperstrip=3, compression="zlib")
    picture, found = in_blocks(stream)
    assert picture is not None and picture.frames[0].mode == "6 channels"
    assert np.array_equal(found, many)


def test_contiguous_samples_are_read_in_blocks_of_any_rows() -> None:
    pixels = samples("uint16", 50, 11)
    for options in ({"rowsperstrip": 50}, {"rowsperstrip": 7}, {"byteorder": ">"}):
        with open_picture(written(pixels, **options)) as opened:
            picture = opened.stored()
            assert picture is not None
            assert isinstance(picture.frames[0].pixels, PlainPixels)


@pytest.mark.parametrize(
    ("options", "channels"),
    [
        ({"rowsperstrip": 40, "compression": "zlib"}, ()),  # not worthwhile
        ({"photometric": "miniswhite"}, ()),
        ({"photometric": "rgb", "planarconfig": "separate"}, (3,)),
        ({"photometric": "rgb", "compression": "jpeg"}, (3,)),
        ({"compression": "jpeg"}, ()),  # decoders round these differently
        ({"photometric": "rgb", "extrasamples": ["assocalpha"], "planarconfig": "contig"}, (4,)),
        ({"photometric": "separated", "planarconfig": "contig"}, (4,)),
        ({"extratags": [(274, 3, 1, 3, True)]}, ()),
    ],
)
def test_pages_that_cannot_be_decoded_in_parts_are_read_whole(
    options: dict[str, object], channels: tuple[int, ...]
) -> None:
    pixels = samples("uint8", *((3, 40, 16) if "separate" in options.values() else (40, 16, *channels)))
    stream = written(pixels, **{"rowsperstrip": 8, **options})
    assert in_blocks(stream)[0] is None
    read_picture(stream)


def test_palettes_and_bits_are_read_whole() -> None:
    image = Image.fromarray(samples("uint8", 64, 64))
    for changed in (image.convert("P"), image.convert("1")):
        stream = io.BytesIO()
        changed.save(stream, "TIFF")
        assert in_blocks(stream)[0] is None


def test_without_the_extra_pages_are_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(samples("uint8", 40, 16), rowsperstrip=4)
    monkeypatch.setitem(__import__("sys").modules, "imagecodecs", None)
    assert in_blocks(stream)[0] is None


def test_damage_is_reported_when_its_block_is_read() -> None:
    stream = written(samples("uint8", 64, 30), rowsperstrip=8, compression="zlib")
    with tifffile.TiffFile(stream) as file:
        page = file.pages[0]
        offset, count = page.dataoffsets[4], page.databytecounts[4]
    data = bytearray(stream.getvalue())
    data[offset : offset + count] = bytes(count)
    with open_picture(io.BytesIO(bytes(data))) as opened:
        picture = opened.stored()
        assert picture is not None
        pixels = picture.frames[0].pixels
        pixels.block(0, 0)
        with pytest.raises(
            ImageError, match=r"cannot read standard input: the file is damaged or cut short \(.*\); get"
        ):
            pixels.block(4, 0)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_truncated_file_is_refused_at_once(compression: str | None) -> None:
    stream = written(samples("uint8", 64, 300), rowsperstrip=8, compression=compression, byteorder="<")
    data = stream.getvalue()
    with (
        open_picture(io.BytesIO(data[:-2000])) as opened,
        pytest.raises(
            ImageError, match=r"cut short \(its (samples|strips or tiles) extend past the end of the file\)"
        ),
    ):
        opened.stored()
