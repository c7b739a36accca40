"""TIFFs keep the compression of their input, unless another one is requested."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.images.codecs.npy_pictures import picture_of
from convcli.images.coding import COMPRESSIONS, Coded, Coding
from convcli.images.formats import MAX_PIXELS
from convcli.images.read import read_picture
from convcli.images.write import encode
from convcli.images.write_rows import rows_writer
from convcli.jobs.read_source import Reading
from tests.conftest import Call, one_error

tifffile = pytest.importorskip("tifffile")
RNG = np.random.default_rng(23)
TAG = {"none": 1, "deflate": 8, "lzw": 5, "packbits": 32773}
SAMPLES = {
    "L": RNG.integers(0, 256, (23, 31), np.uint8),
    "RGBA": RNG.integers(0, 256, (23, 31, 4), np.uint8),
    "I;16": RNG.integers(0, 65536, (23, 31), np.uint16),
    "L;int16": RNG.integers(-9, 9, (23, 31), np.int16),
    "F": RNG.random((23, 31)).astype(np.float32),
    "RGB;uint16": RNG.integers(0, 65536, (23, 31, 3), np.uint16),
    "L;float64": RNG.random((23, 31)),
    "5 channels": RNG.random((23, 31, 5)).astype(np.float32),
}


def compression_of(path: Path) -> list[int]:
    with tifffile.TiffFile(path) as pages:
        return [int(page.compression) for page in pages.pages]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kind", SAMPLES)
def test_every_kind_of_sample_is_written_in_every_compression(
    tmp_path: Path, kind: str, compression: str
) -> None:
    picture = picture_of(SAMPLES[kind], "x", MAX_PIXELS)
    coding = Coding(tiff_compression=compression)
    (tmp_path / "a.tiff").write_bytes(encode(picture, "TIFF", "a.tiff", coding)[0])
    with (tmp_path / "b.tiff").open("w+b") as file:
        frame = picture.frames[0]
        bands = [frame.pixels[:10], frame.pixels[10:]]
        rows_writer(picture, "TIFF", 2, coding).write(file, bands)
    for name in ("a.tiff", "b.tiff"):
        read = read_picture(tmp_path / name)
        np.testing.assert_array_equal(read.frames[0].pixels, SAMPLES[kind])
        assert compression_of(tmp_path / name) == [TAG[compression]]
        assert read.coded == Coded(compression=compression)


@pytest.mark.parametrize("compression", ["none", "lzw", "packbits", "zlib", "jpeg"])
def test_an_output_is_compressed_as_its_input_was(call: Call, tmp_path: Path, compression: str) -> None:
    deep = compression == "lzw"  # Pillow cannot read these
    pixels = RNG.integers(0, 256, (20, 24, 3), np.uint8).astype(np.uint16 if deep else np.uint8)
    written = None if compression == "none" else compression
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for _ in range(2):
            writer.write(pixels, compression=written, photometric="rgb")
    assert call("filter", tmp_path / "a.tif", "-k", "box", "-o", tmp_path / "o.tif").code == 0
    kept = {"zlib": "deflate", "jpeg": "deflate"}.get(compression, compression)
    assert compression_of(tmp_path / "o.tif") == [TAG[kept]] * 2
    words = ("-k", "box", "--tiff-compression", "none", "-o", tmp_path / "p.tif")
    assert call("filter", tmp_path / "a.tif", *words).code == 0
    assert compression_of(tmp_path / "p.tif") == [1, 1]
    one, other = (read_picture(tmp_path / name).frames[1].pixels for name in ("o.tif", "p.tif"))
    np.testing.assert_array_equal(one, other)


def test_a_tiff_from_another_format_is_deflated_and_only_tiffs_take_the_option(
    call: Call, tmp_path: Path
) -> None:
    Image.fromarray(SAMPLES["L"]).save(tmp_path / "a.jpg")
    assert call("filter", tmp_path / "a.jpg", "-k", "box", "-o", tmp_path / "o.tif").code == 0
    assert compression_of(tmp_path / "o.tif") == [8]
    result = call(
        "filter", tmp_path / "a.jpg", "-k", "box", "-o", tmp_path / "o.png", "--tiff-compression", "lzw"
    )
    assert "--tiff-compression belongs to TIFF output, not to PNG" in one_error(result)


def test_a_picture_whose_pixels_stay_in_the_file_knows_its_compression(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((1500, 1500, 3), np.uint8), photometric="rgb")
    with Reading().open(tmp_path / "a.tif") as opened:
        stored = opened.stored()
        assert stored is not None and stored.coded == opened.header.coded == Coded(compression="none")
