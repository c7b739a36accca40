"""The size read from a compressed stream is the size of the decoded picture, or None."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.images.codecs.compressed_streams import is_picture, stream_of
from tests.examples import examples

imagecodecs = pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")

# TIFF's code of each compression, and the encoder of its streams.
CODECS = {
    "jpeg": (7, lambda x: imagecodecs.jpeg_encode(x)),
    "jpeg of 12 bits": (7, lambda x: imagecodecs.jpeg_encode(x.astype(np.uint16), bitspersample=12)),
    "lossless jpeg": (7, lambda x: imagecodecs.ljpeg_encode(x.astype(np.uint16))),
    "jp2": (34712, lambda x: imagecodecs.jpeg2k_encode(x, codecformat="jp2")),
    "j2k": (33003, lambda x: imagecodecs.jpeg2k_encode(x, codecformat="j2k")),
    "png": (34933, lambda x: imagecodecs.png_encode(x)),
    "webp": (50001, lambda x: imagecodecs.webp_encode(x, lossless=False)),
    "lossless webp": (50001, lambda x: imagecodecs.webp_encode(x, lossless=True)),
    "jpeg xl": (50002, lambda x: imagecodecs.jpegxl_encode(x)),
    "jpeg xl in a container": (52546, lambda x: imagecodecs.jpegxl_encode(x, usecontainer=True)),
    "jpeg xl of 16 bits": (50002, lambda x: imagecodecs.jpegxl_encode(x.astype(np.uint16) * 99)),
    "lerc": (34887, lambda x: imagecodecs.lerc_encode(x)),
    "lerc, deflated": (34887, lambda x: imagecodecs.lerc_encode(x, compression="deflate")),
    "lerc by zstd": (34887, lambda x: imagecodecs.lerc_encode(x, compression="zstd")),
}
COLOUR = ("webp", "lossless webp")  # these have no grey mode
GREY = ("lossless jpeg", "jpeg of 12 bits")
SIDES = st.one_of(st.integers(1, 70), st.sampled_from([255, 256, 257, 511, 512, 513, 1000]))


@settings(max_examples=examples(15), deadline=None)
@given(height=SIDES, width=SIDES, channels=st.sampled_from([1, 3, 4]), seed=st.integers(0, 99))
@pytest.mark.parametrize("codec", CODECS)
def test_the_header_has_the_decoded_size(
    codec: str, height: int, width: int, channels: int, seed: int
) -> None:
    channels = 3 if codec in COLOUR else 1 if codec in GREY else channels
    if codec == "jpeg":
        channels = min(channels, 3)
    shape = (height, width) if channels == 1 else (height, width, channels)
    pixels = np.full(shape, seed, np.uint8)
    pixels[0, 0] = 9
    compression, encode = CODECS[codec]
    data = bytes(encode(pixels))
    assert is_picture(compression)
    stream = stream_of(compression, data, 1 << 26)
    assert stream is not None
    assert (stream.height, stream.width) == (height, width)
    assert channels <= stream.channels <= 4
    assert stream.size >= pixels.nbytes
    for cut in (0, 4):
        assert stream_of(compression, data[:cut], 1 << 26) is None


def test_bands_that_claim_a_size_each_are_counted() -> None:
    band = imagecodecs.lerc_encode(np.zeros((50, 60), np.float32))
    stream = stream_of(34887, band * 1000, 1 << 26)
    assert stream is not None
    assert stream.size == 50 * 60 * 1000 * 8


def test_an_animation_has_no_size() -> None:
    """All its frames would be decoded, and the header does not say how many there are."""
    data = imagecodecs.jpegxl_encode(np.zeros((5, 40, 40, 3), np.uint8))
    assert stream_of(50002, data, 1 << 26) is None


def test_data_compressed_twice_is_checked_against_the_limit() -> None:
    noise = np.random.default_rng(1).random((100, 100))
    for compression in ("deflate", "zstd"):
        data = imagecodecs.lerc_encode(noise, compression=compression)
        assert stream_of(34887, data, 1 << 20) is not None
        assert compression == "deflate" or stream_of(34887, data, 1000) is None


@given(
    data=st.binary(max_size=80),
    start=st.sampled_from([b"", b"\xff\xd8\xff", b"\xff\x0a", b"Lerc2 \x04\0\0\0", b"x\x9c"]),
)
@pytest.mark.parametrize("compression", [7, 33003, 34933, 50001, 50002, 34887])
def test_any_bytes_give_a_size_or_none(compression: int, data: bytes, start: bytes) -> None:
    stream = stream_of(compression, start + data, 1 << 20)
    assert stream is None or stream.size >= 0
