"""No preview of the unfiltered picture survives in the output: a blurred face must not be visible in a thumbnail."""

import base64
import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.images.codecs.identify_boxed import BOXED
from convcli.images.formats import FORMATS
from tests.conftest import Call
from tests.images.metadata import sources
from tests.images.metadata.sources import (
    THUMBNAIL,
    XMP,
    board,
    chunk,
    contents,
    jpeg,
    saved,
    segment,
    with_segments,
)

# What has one way into its boxes is tried with one of them.
OUTPUTS = [form.endings[0] for name, form in FORMATS.items() if form.holds("RGB") and name not in BOXED[1:]]
BASE64 = base64.b64encode(THUMBNAIL)
IN_XMP = XMP.replace(
    b"</rdf:RDF>",
    b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:g="http://ns.adobe.com/xap/1.0/g/img/">'
    b"<xmp:Thumbnails><rdf:Alt><rdf:li><g:image>" + BASE64 + b"</g:image></rdf:li></rdf:Alt></xmp:Thumbnails>"
    b"</rdf:Description></rdf:RDF>",
)
AS_ATTRIBUTE = XMP.replace(
    b"<rdf:Description",
    b'<rdf:Description xmlns:GImage="http://ns.google.com/i" GImage:Data="' + BASE64 + b'"',
)


def tiff(**tags: object) -> bytes:
    tifffile = pytest.importorskip("tifffile")
    buffer = io.BytesIO()
    extra = [(int(tag.removeprefix("t")), 7, len(data), data, True) for tag, data in tags.items()]
    tifffile.imwrite(buffer, board(), photometric="rgb", metadata=None, extratags=extra)
    return buffer.getvalue()


def webp(**options: object) -> bytes:
    return saved(Image.fromarray(board()), "WEBP", lossless=True, **options)


def png(*before: bytes, after: tuple[bytes, ...] = ()) -> bytes:
    return sources.png(board(), *before, after=after)


def jfif() -> bytes:
    """A JPEG whose JFIF segment has 3 x 2 pixels as its thumbnail, in the colours of the marks below."""
    pixels = bytes.fromhex("fffeff") + b"\xff\xd8\xff" * 5
    file = jpeg()
    return file[:2] + segment(0xE0, file[6:18] + b"\3\2" + pixels) + file[20:]


def many() -> bytes:
    """A file of several pictures, as cameras write them, each of which is the unfiltered picture."""
    image = Image.fromarray(board()[::2, ::2])
    return saved(Image.fromarray(board()), "MPO", save_all=True, append_images=[image])


def in_tiff(order: str) -> bytes:
    directories = sources.exif_directories()
    directories["0"] |= sources.page(board(), "pixels")
    return sources.tiff_of(directories, order, blobs={"pixels": board().tobytes()})


PLACES: dict[str, Callable[[], bytes]] = {
    "exif.jpg": lambda: with_segments(jpeg(), segment(0xE1, b"Exif\0\0" + sources.exif())),
    "exif of the other order.jpg": lambda: with_segments(
        jpeg(), segment(0xE1, b"Exif\0\0" + sources.exif(">"))
    ),
    "exif.png": lambda: png(chunk(b"eXIf", sources.exif())),
    "exif after.png": lambda: png(after=(chunk(b"eXIf", sources.exif()),)),
    "raw exif.png": lambda: png(chunk(b"zTXt", sources.profile_text(b"exif", b"Exif\0\0" + sources.exif()))),
    "raw APP1.png": lambda: png(chunk(b"zTXt", sources.profile_text(b"APP1", b"Exif\0\0" + sources.exif()))),
    "raw something.png": lambda: png(chunk(b"zTXt", sources.profile_text(b"abc", b"abc" + THUMBNAIL))),
    "exif.webp": lambda: webp(exif=sources.exif()),
    "exif.tif": lambda: in_tiff("<"),
    "exif of the other order.tif": lambda: in_tiff(">"),
    "xmp.jpg": lambda: with_segments(jpeg(), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + IN_XMP)),
    "xmp attribute.jpg": lambda: with_segments(
        jpeg(), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + AS_ATTRIBUTE)
    ),
    "damaged xmp.jpg": lambda: with_segments(
        jpeg(), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + IN_XMP[:-20])
    ),
    "xmp.png": lambda: png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + IN_XMP)),
    "xmp.webp": lambda: webp(xmp=IN_XMP),
    "xmp.tif": lambda: tiff(t700=IN_XMP),
    "extended xmp.jpg": lambda: with_segments(
        jpeg(), segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + IN_XMP)
    ),
    "photoshop.jpg": lambda: with_segments(jpeg(), segment(0xED, b"Photoshop 3.0\0" + sources.RESOURCES)),
    "photoshop.tif": lambda: tiff(t34377=sources.RESOURCES),
    "photoshop.png": lambda: png(chunk(b"zTXt", sources.profile_text(b"8bim", sources.RESOURCES))),
    "iptc preview.jpg": lambda: with_segments(
        jpeg(),
        segment(0xED, b"Photoshop 3.0\0" + sources.resource(1028, sources.data_set(2, 202, THUMBNAIL))),
    ),
    "iptc preview.tif": lambda: tiff(t33723=sources.data_set(2, 202, THUMBNAIL)),
    "jfif.jpg": jfif,
    "jfxx.jpg": lambda: with_segments(jpeg(), segment(0xE0, b"JFXX\0\x10" + THUMBNAIL)),
    "pictures.mpo.jpg": many,
    "unknown segment.jpg": lambda: with_segments(jpeg(), segment(0xE7, b"camera" + THUMBNAIL)),
    "comment.jpg": lambda: with_segments(jpeg(), segment(0xFE, THUMBNAIL)),
    "after the end.jpg": lambda: jpeg() + THUMBNAIL,
    "comment.ppm": lambda: b"P6\n#" + BASE64 + b"\n48 36\n255\n" + board().tobytes(),
    "comment.gif": lambda: saved(Image.fromarray(board()), "GIF", comment=THUMBNAIL),
    "text.png": lambda: png(chunk(b"tEXt", b"preview\0data:image/jpeg;base64," + BASE64)),
    "compressed text.png": lambda: png(chunk(b"zTXt", b"p\0\0" + zlib.compress(b"<img " + BASE64))),
    "safe to copy.png": lambda: png(chunk(b"prVw", THUMBNAIL)),
    "unsafe to copy.png": lambda: png(chunk(b"prVW", THUMBNAIL)),
    "after.png": lambda: png(after=(chunk(b"prVw", THUMBNAIL),)),
    "private tag.tif": lambda: tiff(t65000=THUMBNAIL, t37724=THUMBNAIL),
    "known tag.tif": lambda: tiff(t316=THUMBNAIL, t42112=THUMBNAIL),
    "chunk.webp": lambda: webp(exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0") + b"abcd\4\0\0\0\xff\xd8\xff\xe0",
}


def hidden(file: bytes) -> set[str]:
    """Return the offsets of embedded pictures in a file, found without the program's own search."""
    found = set()
    body = contents(file)
    starts = [match.start() for match in re.finditer(rb"\xff\xd8\xff[\xc0-\xfe]", body)]
    if file.startswith(b"\xff\xd8"):
        starts.remove(0)
    for start in starts:
        try:
            with Image.open(io.BytesIO(body[start:])) as image:
                image.load()
                if np.asarray(image.convert("L"), float).std() > 20:
                    found.add("a JPEG")
        except OSError:
            continue
    if BASE64[:40] in body:
        found.add("base 64")
    if THUMBNAIL[:60].hex().encode() in body:
        found.add("digits")
    if b"\xff\xd8\xff" * 4 in body:
        found.add("the pixels of JFIF")
    return found


@pytest.mark.parametrize("name", PLACES)
def test_no_preview_survives(call: Call, tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(PLACES[name]())
    if not name.endswith(("webp", "after the end.jpg")):
        assert hidden(source.read_bytes()), "there is nothing to be found in the source"
    for ending in OUTPUTS:
        target = tmp_path / f"out{ending}"
        result = call("filter", source, "-k", "box:33", "-o", target)
        assert result.code == 0, result.err
        assert hidden(target.read_bytes()) == set(), ending
        if name not in ("after the end.jpg", "chunk.webp"):
            assert re.search("thumbnail|maker note|picture|preview|tag|chunk|segment|extension", result.err)


@pytest.mark.parametrize("order", ["<", ">"])
def test_all_other_exif_tags_are_kept(call: Call, tmp_path: Path, order: str) -> None:
    source, target = tmp_path / "in.jpg", tmp_path / "out.jpg"
    source.write_bytes(with_segments(jpeg(), segment(0xE1, b"Exif\0\0" + sources.exif(order, orientation=6))))
    result = call("filter", source, "-k", "box", "--stride", 2, "-o", target)
    assert result.err == f"convcli: {source}: left out: the EXIF thumbnail, the maker note\n"
    with Image.open(target) as image:
        exif = image.getexif()
        assert image.size == (18, 24)  # upright, and every second pixel
    assert (exif[0x10E].encode(), exif[0x100], 0x112 in exif) == (sources.EXIF_WORDS, 18, False)
    camera = exif.get_ifd(0x8769)
    assert (camera[0xA002], camera[0xA003]) == (18, 24)
    assert camera[0x9286] == b"ASCII\0\0\0a user's comment"
    assert camera[0x9003].encode() == sources.CAMERA_WORDS
    assert 0x927C not in camera
    place = exif.get_ifd(0x8825)
    assert (place[0x12].encode(), [float(each) for each in place[2]]) == (sources.PLACE_WORDS, [51, 30, 0])
    assert exif.get_ifd(0xA005) == {1: "R98"}
    assert exif.get_ifd(1) == {}
    assert exif.endian == order
