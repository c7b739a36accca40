"""Pillow applies the pixel limit of the reading thread while it opens a file, and no limit elsewhere."""

import io
import struct
import threading
import warnings

import pytest
from PIL import Image

from convcli.images.picture import ImageError
from convcli.images.pixel_limit import at_most
from convcli.images.read import read_header, read_picture

CLEAR, PIXEL, END = 4, 0, 5  # LZW with codes of 3 bits


def gif(canvas: int, *frames: tuple[int, int]) -> io.BytesIO:
    """A GIF of frames of a given side and disposal, each with the data of one pixel."""
    parts = [b"GIF89a" + struct.pack("<HHBBB", canvas, canvas, 0x80, 0, 0) + bytes(3) + b"\xff\xff\xff"]
    codes = CLEAR | PIXEL << 3 | END << 6
    for side, disposal in frames:
        parts.append(b"\x21\xf9\x04" + struct.pack("<BHBB", disposal << 2, 5, 0, 0))
        parts.append(
            b"\x2c"
            + struct.pack("<4HB", 0, 0, side, side, 0)
            + b"\x02\x02"
            + struct.pack("<H", codes)
            + b"\0"
        )
    return io.BytesIO(b"".join(parts) + b";")


@pytest.mark.parametrize("read", [read_picture, read_header])
@pytest.mark.parametrize("disposal", [1, 2, 3])
def test_a_frame_far_larger_than_its_canvas(
    read: object, disposal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow copies a first frame that is cleared while it opens the file: 3.6 GB."""
    fill = Image.core.fill
    made = []
    monkeypatch.setattr(Image.core, "fill", lambda mode, size, *c: made.append(size) or fill(mode, size, *c))
    with pytest.raises(ImageError) as error:
        read(gif(10, (60000, disposal)), 1_000_000)
    assert str(error.value) == (
        "cannot read standard input: its 3,600,000,000 pixels are over the limit of 1,000,000; raise it with "
        "`max_pixels=3600000000`"
    )
    assert all(width * height <= 1_000_000 for width, height in made)


def test_a_later_frame_far_larger_than_its_canvas() -> None:
    for disposal in (1, 2, 3):
        with pytest.raises(ImageError, match=r"3,600,000,000 pixels|frames have|damaged"):
            read_picture(gif(1, (1, 1), (60000, disposal), (1, 1)), 1_000_000)


def test_the_limit_applies_to_the_reading_thread_only() -> None:
    both, refused = threading.Barrier(2), {}

    def ask(limit: int) -> None:
        with at_most(limit):
            both.wait()
            try:
                Image._decompression_bomb_check((100, 100))
            except Image.DecompressionBombError:
                refused[limit] = True
            both.wait()

    threads = [threading.Thread(target=ask, args=(limit,)) for limit in (9_999, 10_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == {9_999: True}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Image._decompression_bomb_check((100_000, 100_000))  # no limit outside of reading
