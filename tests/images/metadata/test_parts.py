"""XMP, Photoshop's resources, and where each format stores metadata."""

import base64
import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, IptcImagePlugin

from convcli.images.metadata.blocks import gif_metadata, with_extensions
from convcli.images.metadata.embedded import holds_picture
from convcli.images.metadata.photoshop import DIGEST, IPTC, iptc_of, kept_resources, resources, with_iptc
from convcli.images.metadata.xmp import cleaned_xmp, sized_xmp
from convcli.images.picture import Frame, Picture
from convcli.images.read import read_picture
from convcli.images.write import encode
from tests.images.metadata import sources
from tests.images.metadata.sources import (
    PROFILE,
    THUMBNAIL,
    XMP,
    XMP_WORDS,
    board,
    data_set,
    jpeg,
    saved,
    segment,
)

BASE64 = base64.b64encode(THUMBNAIL)


# Pictures inside other things


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_signatures_of_picture_files_are_found(form: str) -> None:
    data = saved(Image.fromarray(board()), form)
    for written in (data, base64.b64encode(data), b"<a b='" + base64.b64encode(data) + b"'/>", b"\n" + data):
        assert holds_picture(written)
    assert not holds_picture(data[20:40])
    assert holds_picture(jpeg().hex().encode())
    assert holds_picture(jpeg().hex().upper().encode())


@given(st.text(max_size=300))
def test_texts_are_not_taken_for_pictures(text: str) -> None:
    assert not holds_picture(text.encode()) or "data:image/" in text or "/9j/" in text


# XMP


def described(inside: bytes, attributes: bytes = b"") -> bytes:
    return XMP.replace(
        b"<rdf:Description",
        b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:g="http://ns.google.com/i"'
        + attributes
        + b">"
        + inside
        + b"</rdf:Description><rdf:Description",
        1,
    )


PLAIN = described(b"")


@pytest.mark.parametrize(
    "xmp",
    [
        described(b"<xmp:Thumbnails><rdf:Alt>" + BASE64 + b"</rdf:Alt></xmp:Thumbnails>"),
        described(b"<xmp:Thumbnails/>"),
        described(b'<xmp:Thumbnails a=">"/>'),
        described(b"<q:Thumbnails xmlns:q='http://ns.adobe.com/xap/1.0/'><q:a>x</q:a></q:Thumbnails>"),
        described(b"<g:preview>\n  " + BASE64 + b"\n</g:preview>"),
        described(b"<g:page>" + b"x" * 5000 + b'&lt;img src="data:image/png;base64,xyz"/></g:page>'),
        described(b"", b" g:Data='" + BASE64 + b"'"),
        described(b"", b'\n\t g:Data = "' + BASE64 + b'"'),
        described(b'<g:one a="' + BASE64 + b'"><g:two>' + BASE64 + b"</g:two></g:one>")
        .replace(b"<g:one a=", b"<xmp:Thumbnails a=")
        .replace(b"</g:one>", b"</xmp:Thumbnails>"),
    ],
    ids=range(9),
)
def test_only_pictures_are_removed_from_xmp(xmp: bytes) -> None:
    kept, lost = cleaned_xmp(xmp)
    assert lost == ("the thumbnails inside XMP",)
    assert kept == PLAIN.replace(
        b'"http://ns.google.com/i">', b'"http://ns.google.com/i"' + (b"\n" * 0) + b">"
    )
    assert XMP_WORDS in kept


@pytest.mark.parametrize(
    ("xmp", "kept"),
    [
        (XMP, True),
        (
            b"<?xpacket begin='\xef\xbb\xbf' id='W5M0MpCehiHzreSzNTczkc9d'?>"
            + XMP
            + b" " * 50
            + b"<?xpacket end='w'?>",
            True,
        ),
        (XMP + bytes(20), True),
        (XMP[:-3], True),  # not well-formed, but without anything that looks like a picture
        (b"not at all XML", True),
        (described(b"<g:p>" + BASE64 + b"</g:p>")[:-3], False),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + described(b"<g:p>" + BASE64 + b"</g:p>"), False),
        (b"<!-- " + BASE64.replace(b"--", b"") + b" -->" + XMP, False),
        (described(b"<xmp:Thumbnails>x</xmp:Thumbnails>").decode().encode("utf-16"), False),
        (XMP.decode().encode("utf-16"), True),
    ],
    ids=range(10),
)
def test_unparsable_xmp_is_kept_or_left_out_as_a_whole(xmp: bytes, kept: bool) -> None:
    found, lost = cleaned_xmp(xmp)
    assert (found, lost) == ((xmp, ()) if kept else (b"", ("XMP, which is damaged and holds pictures",)))


def test_xmp_is_upright_and_of_the_right_size() -> None:
    xmp = (
        b'<a tiff:Orientation="6" xmpNote:HasExtendedXMP="5F"><tiff:Orientation>8</tiff:Orientation>'
        b"<exif:PixelXDimension>1</exif:PixelXDimension><b exif:PixelYDimension='2' tiff:ImageWidth=\"3\"/></a>"
    )
    kept, _ = cleaned_xmp(xmp)
    assert sized_xmp(kept, 640, 480) == (
        b'<a tiff:Orientation="1"><tiff:Orientation>1</tiff:Orientation>'
        b"<exif:PixelXDimension>640</exif:PixelXDimension><b exif:PixelYDimension='480' tiff:ImageWidth=\"640\"/></a>"
    )


# Photoshop's resources


def test_captions_are_kept_and_previews_removed() -> None:
    iptc = sources.IPTC + data_set(2, 202, THUMBNAIL) + data_set(7, 10, b"x")
    kept, lost = kept_resources(sources.resource(1028, iptc) + sources.resource(DIGEST, b"sum"))
    assert lost == ("the preview inside IPTC",)
    assert kept == resources({IPTC: sources.IPTC})  # the checksum included the removed preview
    kept, lost = kept_resources(sources.resource(DIGEST, b"sum") + sources.RESOURCES)
    assert kept == resources({DIGEST: b"sum", IPTC: sources.IPTC, 1035: b"http://example.org/said"})
    assert lost == ("the Photoshop thumbnail", "Photoshop's resource 1050")
    with Image.open(
        io.BytesIO(sources.with_segments(jpeg(), segment(0xED, b"Photoshop 3.0\0" + kept)))
    ) as image:
        found = IptcImagePlugin.getiptcinfo(image)
    assert found == {(2, 120): sources.CAPTION, (2, 25): sources.KEYWORD}


def test_an_extended_data_set() -> None:
    long = struct.pack(">BBBHI", 0x1C, 2, 120, 0x8004, 3) + b"abc"
    kept, lost = kept_resources(sources.resource(1028, long + sources.IPTC))
    assert (iptc_of(kept), lost) == (long + sources.IPTC, ())
    assert iptc_of(with_iptc(kept, b"other")) == long + sources.IPTC
    assert iptc_of(with_iptc(b"", b"own")) == b"own"


@given(st.binary(max_size=80), st.integers(0, 80))
def test_damaged_resources_end_early(noise: bytes, cut: int) -> None:
    for data in (noise, b"8BIM" + noise, sources.RESOURCES[:cut], sources.resource(1028, b"\x1c\2" + noise)):
        kept, _ = kept_resources(data)
        assert len(kept) <= len(data) + 12
        assert kept_resources(kept) == (kept, ())


# Limits of formats


def test_metadata_too_long_for_a_segment_is_reported() -> None:
    picture = Picture(
        (Frame(board(), "RGB"),),
        "PNG",
        {"xmp": XMP + b" " * 65536, "comment": b"c" * 65534, "dpi": (70000, 70000)},
    )
    data, notes = encode(picture, "JPEG", "out")
    assert notes == (
        "JPEG does not carry XMP of more than 65,504 bytes, the comment of more than 65,533 bytes and a resolution "
        "outside the range of JPEG",
    )
    fits = {
        "xmp": XMP.ljust(65504),
        "comment": b"c" * 65533,
        "iptc": resources({IPTC: b"\x1c" + bytes(200_000)}),
    }
    data, notes = encode(Picture((Frame(board(), "RGB"),), "PNG", fits), "JPEG", "out")
    assert notes == ()
    with Image.open(io.BytesIO(data)) as image:
        assert (image.info["xmp"], image.info["comment"]) == (fits["xmp"], fits["comment"])
        parts = [part[14:] for name, part in image.applist if name == "APP13"]
    assert (len(parts), b"".join(parts)) == (4, fits["iptc"])


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_a_resolution_outside_the_range_is_reported(form: str) -> None:
    picture = Picture((Frame(board(), "RGB"),), "PNG", {"dpi": (1e11, 1e11)})
    data, notes = encode(picture, form, "out")
    assert notes == (f"{form} does not carry a resolution outside the range of {form}",)
    assert (
        max(read_picture(io.BytesIO(data)).metadata.get("dpi", (0, 0))) < 100
    )  # Pillow's default for BMP is 96


@pytest.mark.parametrize("form", ["WEBP", "GIF"])
def test_a_grey_profile_is_not_written_with_rgb(form: str) -> None:
    grey = PROFILE[:16] + b"GRAY" + PROFILE[20:]
    picture = Picture((Frame(board()[..., 0], "L"),), "PNG", {"icc": grey})
    data, notes = encode(picture, form, "out")
    assert notes == (f"{form} does not carry a grey ICC profile, as it stores grey as RGB,",)
    assert b"GRAY" not in data


# Other pictures than colour stills

METADATA = {
    "icc": PROFILE,
    "xmp": XMP,
    "exif": b"Exif\0\0" + sources.exif(previews=False),
    "comment": b"said",
}


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "TIFF"])
def test_animations_and_pages_keep_the_same_metadata_as_stills(form: str) -> None:
    frames = tuple(Frame(np.roll(board(), 3 * k, axis=1), "RGB", 100) for k in range(3))
    stills, moving = (
        encode(Picture(part, "PNG", METADATA, loop=0), form, "out") for part in (frames[:1], frames)
    )
    one, many = (read_picture(io.BytesIO(data)) for data, _ in (stills, moving))
    assert len(many.frames) == 3
    assert one.metadata == many.metadata
    assert one.metadata.keys() >= METADATA.keys() & {"icc", "xmp"}
    assert [note for note in moving[1] if "carry" in note and "timing" not in note] == [
        note for note in stills[1] if "carry" in note and "timing" not in note
    ]
    assert all(frame.page in (None, many.metadata) for frame in many.frames)


def test_a_cmyk_jpeg_cannot_store_a_resolution() -> None:
    pixels = np.dstack([board(), board()[..., 0]])
    for kind, name in (("dpi", "the resolution"), ("aspect", "the shape of its pixels")):
        data, notes = encode(Picture((Frame(pixels, "CMYK"),), "TIFF", {kind: (300, 150)}), "JPEG", "out")
        assert notes == (f"JPEG does not carry {name} of CMYK",)
        assert kind not in read_picture(io.BytesIO(data)).metadata


# GIF


@given(st.integers(0, 600).map(lambda n: XMP + b" " * n), st.binary(max_size=700))
def test_gif_extensions_round_trip(xmp: bytes, profile: bytes) -> None:
    for palette in (2, 64):
        file = saved(Image.fromarray(board()).quantize(palette), "GIF", comment=b"before")
        metadata_in = {"xmp": xmp, "icc": profile} if profile else {"xmp": xmp}
        whole = with_extensions(file, metadata_in)
        found = gif_metadata(io.BytesIO(whole))
        assert found.metadata == {**metadata_in, "comment": b"before"}
        assert (found.lost, found.notes) == ([], [])
        with Image.open(io.BytesIO(whole)) as image, Image.open(io.BytesIO(file)) as plain:
            assert (np.asarray(image) == np.asarray(plain)).all()


@given(st.integers(0, 400))
def test_metadata_of_a_truncated_gif_is_read(cut: int) -> None:
    file = with_extensions(saved(Image.fromarray(board()).quantize(4), "GIF", comment=b"said"), {"xmp": XMP})
    found = gif_metadata(io.BytesIO(file[:cut]))
    assert found.metadata.get("xmp", XMP) == XMP
