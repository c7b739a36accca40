"""Damaged and malicious files of every kind give one error, in little time and memory."""

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from convcli.images.picture import ImageError
from convcli.images.read import read_header, read_picture
from tests.conftest import ROOT, Call
from tests.images.mutations import seeds

COUNT = 5000
MEGABYTES = 200  # in addition to the memory after all imports


def test_damaged_files_are_read_or_give_one_error(tmp_path: Path) -> None:
    """For more files, run python -m tests.images.mutations 1000000 1."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.images.mutations", str(COUNT), "0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["picture"] + found["error"] == COUNT
    assert min(found["picture"], found["error"]) > COUNT // 5, "the damage is too small, or too large"
    assert found["megabytes"] < MEGABYTES
    assert done.stderr == b""
    assert os.listdir(tmp_path) == []


# Headers with false claims


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HUGE = 60_000  # per side
FALSE_CLAIMS = {
    "bomb.png": b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", HUGE, HUGE, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(bytes(1_000_000))),
    "bomb.ppm": b"P6 60000 60000 255\n" + bytes(99),
    "bomb.gif": b"GIF89a" + struct.pack("<HHBBB", HUGE, HUGE, 0, 0, 0) + b"," + bytes(4)
    + struct.pack("<HHB", HUGE, HUGE, 0) + b"\x02\x01\x44\x00;",
    "bomb.bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, HUGE, HUGE, 1, 24, 0, 0, 0, 0, 0, 0),
    "bomb.npy": b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 60000), }".ljust(117) + b"\n",
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE_CLAIMS)
def test_pixels_are_counted_before_they_are_decoded(name: str) -> None:
    for read in (read_picture, read_header):
        with pytest.raises(ImageError, match=r"its 3,600,000,000 pixels are over the limit of 200,000,000"):
            read(io.BytesIO(FALSE_CLAIMS[name]))


@pytest.mark.parametrize("name", ["film.png", "film.gif", "film.webp", "pages.tiff"])
def test_frames_and_pixels_of_all_frames_are_counted(call: Call, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(seeds()[name])
    command = ["filter", path, "-k", "box", "-o", tmp_path / f"out{path.suffix}"]
    result = call(*command, "--max-frames", 2)
    assert result.code == 1
    assert "its 3 frames are over the limit of 2; raise it with --max-frames 3" in result.err
    result = call(*command, "--max-pixels", 89)  # 3 frames of 5 x 6
    assert result.code == 1
    assert "its frames have at least 90 pixels, over the limit of 89" in result.err
    limit = result.err.rpartition("raise it with --max-pixels ")[2].strip()
    assert call(*command, "--max-pixels", limit, "--max-frames", 3).code == 0


def test_an_array_of_many_frames_is_refused_unread() -> None:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (20000, 1, 1), }"
    four = header.replace(b"1, 1)", b"1, 1, 1)")
    data = b"\x93NUMPY\x01\x00v\x00" + four.ljust(117) + b"\n" + bytes(20000)
    with pytest.raises(ImageError, match="its 20,000 frames are over the limit of 10,000"):
        read_picture(io.BytesIO(data))


def test_a_page_without_a_width_is_damaged() -> None:
    pytest.importorskip("tifffile")
    pytest.importorskip("imagecodecs")
    data = bytearray(seeds()["deep.tiff"])
    width = data.index(struct.pack("<HHI", 256, 4, 1)) if struct.pack("<HHI", 256, 4, 1) in data else 0
    width = width or data.index(struct.pack("<HHI", 256, 3, 1))
    data[width] = 1  # an unknown tag
    with pytest.raises(ImageError, match=r"the file is damaged or cut short \(it has no pixels\)"):
        read_picture(io.BytesIO(bytes(data)))


def test_libtiff_writes_nothing_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(seeds()["tiff_adobe_deflate.tiff"])
    start = data.index(zlib.compress(b"")[:1] + b"\x9c", 8) if b"x\x9c" in data else 8
    data[start + 4 : start + 40] = np.random.default_rng(0).bytes(36)
    with pytest.raises(ImageError, match="cannot read standard input: "):
        read_picture(io.BytesIO(bytes(data)))
    assert capfd.readouterr() == ("", "")
