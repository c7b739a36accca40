"""JPEGs that are encoded directly from arrays have the bytes that Pillow writes."""

from io import BytesIO
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from convcli.images import write
from convcli.images.codecs import jpeg
from convcli.images.codecs.jpeg_tables import CHROMINANCE, LUMINANCE, quality_of, table_of
from convcli.images.coding import Coded, Coding
from convcli.images.picture import Frame, ImageError, Picture

RNG = np.random.default_rng(5)
METADATA = {"dpi": (300, 300), "comment": b"a remark", "xmp": b"<x:xmpmeta/>", "icc": b"profile" * 30_000}


def coded_by_pillow(mode: str = "RGB", **options: object) -> Coded:
    stream = BytesIO()
    Image.new(mode, (8, 8)).save(stream, "JPEG", **options)
    with Image.open(stream) as image:
        found = jpeg.coded(image)
    assert found is not None
    return found


def test_the_tables_of_every_quality_are_libjpegs() -> None:
    for quality in range(1, 101):
        stream = BytesIO()
        Image.new("RGB", (8, 8)).save(stream, "JPEG", quality=quality)
        with Image.open(stream) as image:
            known = {number: tuple(table) for number, table in image.quantization.items()}  # type: ignore[attr-defined]
        assert known == {0: table_of(LUMINANCE, quality), 1: table_of(CHROMINANCE, quality)}


def test_a_quality_is_recognised_by_its_tables_and_by_no_others() -> None:
    for quality in range(5, 101):  # below, the first steps are all the largest
        for mode, channels in (("L", 1), ("RGB", 3)):
            assert quality_of(coded_by_pillow(mode, quality=quality).tables, channels) == quality
    luminance, chrominance = table_of(LUMINANCE, 80), table_of(CHROMINANCE, 80)
    changed = (*luminance[:63], luminance[63] + 1)
    assert quality_of((changed, chrominance), 3) is None
    assert quality_of((luminance, chrominance, luminance), 3) is None
    assert quality_of((luminance,), 3) is None  # all three channels have it
    assert quality_of((luminance,), 1) == 80


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["L", "RGB"]),
    st.sampled_from([None, "4:4:4", "4:2:2", "4:2:0"]),
    st.sampled_from([None, 1, 30, 75, 90, 100]),
    st.sampled_from([None, 20, 83]),
    st.sets(st.sampled_from(sorted(METADATA))),
)
def test_the_bytes_are_pillows(
    height: int,
    width: int,
    mode: str,
    subsampling: str | None,
    quality: int | None,
    was: int | None,
    kinds: set[str],
) -> None:
    pytest.importorskip("imagecodecs")
    shape = (height, width) if mode == "L" else (height, width, 3)
    frame = Frame(RNG.integers(0, 256, shape, np.uint8), mode)
    before = Coded() if was is None else coded_by_pillow(mode, quality=was)
    picture = Picture((frame,), "JPEG", metadata={kind: METADATA[kind] for kind in kinds}, coded=before)
    coding = Coding(quality=quality, subsampling=subsampling if mode == "RGB" else None)
    made = []

    def direct(*arguments: Any) -> bytes | None:
        made.append(jpeg.encode_direct(*arguments))
        return made[-1]

    with mock.patch.object(write, "encode_direct", direct):
        found = write.encode(picture, "JPEG", "out.jpg", coding)
    assert made == [found[0]]
    with mock.patch.object(write, "encode_direct", return_value=None):
        assert found == write.encode(picture, "JPEG", "out.jpg", coding)


@pytest.mark.parametrize(
    ("mode", "coding", "was"),
    [
        ("CMYK", Coding(), Coded()),
        ("RGB", Coding(), coded_by_pillow(keep_rgb=True)),
        ("RGB", Coding(), coded_by_pillow(qtables=[[7] * 64, [9] * 64])),
    ],
)
def test_what_imagecodecs_would_write_otherwise_is_left_to_pillow(
    mode: str, coding: Coding, was: Coded
) -> None:
    pytest.importorskip("imagecodecs")
    pixels = RNG.integers(0, 256, (9, 9, len(mode)), np.uint8)
    chosen = jpeg.jpeg_coding(mode, coding, was)
    assert jpeg.encode_direct(pixels, chosen, mode, b"") is None
    assert jpeg.is_copied(mode, coding, was)
    assert not jpeg.is_copied("RGB", Coding(), Coded())


def test_a_picture_that_is_too_wide_is_refused_by_pillow() -> None:
    frame = Frame(np.zeros((1, 65_536), np.uint8), "L")
    with pytest.raises(ImageError, match=r"cannot write wide\.jpg: JPEG cannot encode the picture"):
        write.encode(Picture((frame,), "PNG"), "JPEG", "wide.jpg")
