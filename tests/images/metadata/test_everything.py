"""All metadata that a format can store is either in the output, in any format, or reported as lost."""

import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from convcli.images.codecs.identify_boxed import BOXED
from convcli.images.formats import FORMATS
from convcli.images.metadata.table import KINDS, PLACES
from tests.conftest import Call
from tests.images.metadata import sources
from tests.images.metadata.sources import (
    PROFILE,
    XMP,
    XMP_WORDS,
    board,
    chunk,
    chunks,
    contents,
    jpeg,
    page,
    saved,
)

OUTPUTS = {name: form.endings[0] for name, form in FORMATS.items() if form.holds("RGB")}


class Item(NamedTuple):
    """A piece of metadata: how to find it in another file, and the words that report its loss."""

    name: str
    found: Callable[[bytes], bool]
    words: str


def words(text: bytes) -> Callable[[bytes], bool]:
    return lambda file: text in contents(file)


def has_chunk(kind: bytes, data: bytes) -> Callable[[bytes], bool]:
    return lambda file: file.startswith(sources.SIGNATURE) and (kind, data) in chunks(file)


def has_profile(file: bytes) -> bool:
    """Return whether the colour profile is there; JPEG segments and GIF sub-blocks interrupt its bytes."""
    if PROFILE in file:
        return True
    try:
        with Image.open(io.BytesIO(file)) as image:
            if image.info.get("icc_profile") == PROFILE:
                return True
    except OSError:  # an array, not a picture
        return False
    first = PROFILE[:255]
    return b"ICCRGBG1012\xff" + first in file


def has_resolution(file: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(file)) as image:
            return np.allclose(image.info.get("dpi", (0, 0)), (300, 150), atol=0.6)
    except OSError:
        return False


def has_shape(file: bytes) -> bool:
    """Return whether pixels are three times as tall as wide, or the resolutions have a ratio of 3 to 1."""
    try:
        with Image.open(io.BytesIO(file)) as image:
            info = image.info
            pair = info.get("aspect") or info.get("resolution") or (1, 1)
            if info.get("jfif_unit") == 0:
                pair = info["jfif_density"]
            return float(pair[0]) == 3 * float(pair[1])
    except OSError:
        return False


def has_tag(number: int, value: object) -> Callable[[bytes], bool]:
    def found(file: bytes) -> bool:
        tifffile = pytest.importorskip("tifffile")
        if not file.startswith((b"II", b"MM")):
            return False
        with tifffile.TiffFile(io.BytesIO(file)) as read:
            return read.pages[0].tags.valueof(number) == value

    return found


EXIF_ITEMS = (
    Item("description in EXIF", words(sources.EXIF_WORDS), "EXIF"),
    Item("time in EXIF", words(sources.CAMERA_WORDS), "EXIF"),
    Item("place in EXIF", words(sources.PLACE_WORDS), "EXIF"),
    Item("maker note", lambda _: False, "maker note"),
)
PREVIEWED = (*EXIF_ITEMS, Item("thumbnail", lambda _: False, "EXIF thumbnail"))
XMP_ITEM = Item("XMP", words(XMP_WORDS), "XMP")
ICC_ITEM = Item("ICC", has_profile, "ICC profile")
IPTC_ITEMS = (
    Item("caption", words(sources.CAPTION), "IPTC"),
    Item("keyword", words(sources.KEYWORD), "IPTC"),
    Item("address", words(b"http://example.org/said"), "IPTC"),
    Item("slices", lambda _: False, "Photoshop's resource 1050"),
    Item("Photoshop thumbnail", lambda _: False, "Photoshop thumbnail"),
)
RESOLUTION = Item("resolution", has_resolution, "resolution")
SHAPE = Item("shape", has_shape, "shape of its pixels")

MASTERING = struct.pack(">8H2I", *range(100, 108), 10_000_000, 50)
PNG_CHUNKS = (
    (b"gAMA", struct.pack(">I", 100000)),
    (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)),
    (b"sRGB", b"\1"),
    (b"cICP", bytes([9, 16, 0, 1])),
    (b"mDCV", MASTERING),
    (b"sBIT", bytes([8, 8, 8])),
    (b"bKGD", struct.pack(">3H", 10, 20, 30)),
    (b"prSt", b"private, safe to copy"),
)
LOST_CHUNKS = (
    (b"cLLI", struct.pack(">II", 10_000_000, 4_000_000)),
    (b"tIME", struct.pack(">HBBBBB", 2017, 8, 21, 15, 8, 0)),
    (b"sPLT", b"colours\0\x08" + bytes([1, 2, 3, 4, 0, 1])),
    (b"prSU", b"private, unsafe to copy"),
)


def png_says_all() -> tuple[bytes, tuple[Item, ...]]:
    texts = (
        (b"tEXt", b"Title\0a title said in text"),
        (b"tEXt", b"Title\0another title"),
        (b"zTXt", b"Description\0\0" + zlib.compress(b"said in compressed text")),
        (b"iTXt", "Author\0\0\0fr\0Auteur\0dit en français".encode()),
    )
    file = sources.png(
        board(),
        chunk(b"iCCP", b"name\0\0" + zlib.compress(PROFILE)),
        *(chunk(*each) for each in (*PNG_CHUNKS, *LOST_CHUNKS)),
        chunk(b"pHYs", struct.pack(">IIB", round(300 / 0.0254), round(150 / 0.0254), 1)),
        chunk(b"eXIf", sources.exif()),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        chunk(b"zTXt", sources.profile_text(b"iptc", sources.RESOURCES)),
        *(chunk(*each) for each in texts[:2]),
        after=tuple(chunk(*each) for each in texts[2:]),
    )
    items = [Item(kind.decode(), has_chunk(kind, data), rf"\b{kind.decode()}\b") for kind, data in PNG_CHUNKS]
    items += [Item(kind.decode(), lambda _: False, rf"\b{kind.decode()}\b") for kind, _ in LOST_CHUNKS]
    items += [Item(f"text {number}", has_chunk(*text), "PNG text") for number, text in enumerate(texts)]
    return file, (*items, *PREVIEWED, *IPTC_ITEMS, XMP_ITEM, ICC_ITEM, RESOLUTION)


def jpeg_says_all() -> tuple[bytes, tuple[Item, ...]]:
    file = sources.with_segments(
        saved(
            Image.fromarray(board()), "JPEG", dpi=(300, 150), icc_profile=PROFILE, comment=b"a comment said"
        ),
        sources.segment(0xE1, b"Exif\0\0" + sources.exif()),
        sources.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        sources.segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + b"more"),
        sources.segment(0xE2, b"MPF\0" + sources.tiff_of({"0": {0xB001: (4, 1), 0xB002: (7, bytes(16))}})),
        sources.segment(0xEB, b"JP\0\1a manifest"),
        sources.segment(0xEC, b"Ducky\0"),
        sources.segment(0xED, b"Photoshop 3.0\0" + sources.RESOURCES[:30]),  # a resource over two segments
        sources.segment(0xED, b"Photoshop 3.0\0" + sources.RESOURCES[30:]),
        sources.segment(0xFE, b"another comment"),
    )
    return file, (
        *PREVIEWED,
        *IPTC_ITEMS,
        XMP_ITEM,
        ICC_ITEM,
        RESOLUTION,
        Item("comment", words(b"a comment said"), "comment"),
        Item("another comment", words(b"another comment"), "comment"),
        Item("extended XMP", lambda _: False, "extension of XMP"),
        Item("other pictures", lambda _: False, "other pictures"),
        Item("APP11", lambda _: False, "APP11"),
        Item("APP12", lambda _: False, "APP12"),
    )


def webp_says_all() -> tuple[bytes, tuple[Item, ...]]:
    file = saved(
        Image.fromarray(board()), "WEBP", lossless=True, exif=sources.exif(), xmp=XMP, icc_profile=PROFILE
    )
    file += b"abcd" + struct.pack("<I", 5) + b"hello\0"
    file = file[:4] + struct.pack("<I", len(file) - 8) + file[8:]
    return file, (*PREVIEWED, XMP_ITEM, ICC_ITEM, Item("a chunk", lambda _: False, "abcd"))


TAGS: dict[int, tuple[sources.Value, object]] = {
    269: ((2, b"a document\0"), "a document"),
    270: ((2, b"a description said in a tag\0"), "a description said in a tag"),
    285: ((2, b"a page\0"), "a page"),
    297: ((3, (2, 5)), (2, 5)),
    305: ((2, b"a program\0"), "a program"),
    316: ((2, b"a computer\0"), "a computer"),
    318: ((5, (3127, 10000, 329, 1000)), (3127, 10000, 329, 1000)),
    33432: ((2, b"a copyright\0"), "a copyright"),
    33550: ((12, (10.0, 10.0, 0.0)), (10.0, 10.0, 0.0)),
    33922: ((12, (0.0, 0.0, 0.0, 5e5, 4e6, 0.0)), (0.0, 0.0, 0.0, 5e5, 4e6, 0.0)),
    34735: ((3, (1, 1, 0, 1, 1024, 0, 1, 1)), (1, 1, 0, 1, 1024, 0, 1, 1)),
    34736: ((12, (6378137.0, 298.25)), (6378137.0, 298.25)),
    34737: ((2, b"WGS 84|\0"), "WGS 84|"),
    42112: ((2, b'<GDALMetadata><Item name="A">b</Item></GDALMetadata>\0'), None),
    42113: ((2, b"200\0"), "200"),
}
IN_EXIF = {270, 305, 33432}
LOST_TAGS = {
    280: (3, (0, 0, 0)),
    301: (3, tuple(range(256))),
    333: (2, b"a\0b\0c\0"),
    65000: (2, b"private\0"),
}


def tiff_says_all(order: str, resolution: dict[str, sources.Value]) -> tuple[bytes, tuple[Item, ...]]:
    directories = sources.exif_directories()
    tags = {f"t{tag}": value for tag, (value, _) in TAGS.items()}
    tags |= {f"t{tag}": value for tag, value in LOST_TAGS.items()} | resolution
    tags |= {"t700": (1, XMP), "t34675": (7, PROFILE), "t34377": (1, sources.RESOURCES)}
    directories["0"] = page(board(), "pixels", **tags) | {0x8769: "camera", 0x8825: "place"}
    file = sources.tiff_of(directories, order, blobs={"pixels": board().tobytes()})
    items = []
    for tag, ((_, content), value) in TAGS.items():
        is_there = has_tag(tag, value) if value is not None else words(content.rstrip(b"\0"))
        if tag in IN_EXIF:
            is_there = words(content.rstrip(b"\0"))
        items.append(Item(f"tag {tag}", is_there, "EXIF" if tag in IN_EXIF else rf"\({tag}\)"))
    items += [Item(f"tag {tag}", lambda _: False, rf"\b{tag}\b") for tag in LOST_TAGS]
    items.append(SHAPE if resolution["t296"] == (3, 1) else RESOLUTION)
    return file, (*items, *EXIF_ITEMS[1:], *IPTC_ITEMS, XMP_ITEM, ICC_ITEM)


def gif_says_all() -> tuple[bytes, tuple[Item, ...]]:
    file = saved(Image.fromarray(board()).quantize(4), "GIF", comment=b"a comment said")
    at = 13 + (3 << (file[10] & 7) + 1)
    extensions = b"!\xff\x0bXMP DataXMP" + XMP + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    parts = (PROFILE[at : at + 255] for at in range(0, len(PROFILE), 255))
    extensions += b"!\xff\x0bICCRGBG1012" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
    extensions += b"!\xff\x0bMYPROGRAM10\3abc\0" + b"!\1\x0c" + bytes(12) + b"\5hello\0"
    file = file[:at] + extensions + file[at:-1] + b"!\xfe\x0flate, but said.\0;"
    return file, (
        Item("comment", words(b"a comment said"), "comment"),
        Item("late comment", words(b"late, but said."), "comment"),
        XMP_ITEM,
        ICC_ITEM,
        Item("an application", lambda _: False, "MYPROGRAM10"),
        Item("plain text", lambda _: False, "PlainText"),
    )


def bmp_says_all() -> tuple[bytes, tuple[Item, ...]]:
    """A BMP of version 5, with a profile after its pixels."""
    rows = board()[::-1, :, ::-1].tobytes()
    metre = [round(300 / 0.0254), round(150 / 0.0254)]
    header = struct.pack("<IiiHHIIiiII", 124, 48, 36, 1, 24, 0, len(rows), *metre, 0, 0)
    header += bytes(16) + b"DEBM" + bytes(48) + struct.pack("<IIII", 4, 124 + len(rows), len(PROFILE), 0)
    file = b"BM" + struct.pack("<IHHI", 138 + len(rows) + len(PROFILE), 0, 0, 138) + header + rows + PROFILE
    return file, (RESOLUTION, ICC_ITEM)


SOURCES: dict[str, Callable[[], tuple[bytes, tuple[Item, ...]]]] = {
    "png": png_says_all,
    "jpg": jpeg_says_all,
    "webp": webp_says_all,
    "tif": lambda: tiff_says_all("<", {"t282": (5, (300, 1)), "t283": (5, (150, 1)), "t296": (3, 2)}),
    "mm.tif": lambda: tiff_says_all(">", {"t282": (5, (3, 1)), "t283": (5, (1, 1)), "t296": (3, 1)}),
    "gif": gif_says_all,
    "bmp": bmp_says_all,
    "ppm": lambda: (
        b"P6\n# a comment said\n48 # more\n36\n#late, but said.\n255\n" + board().tobytes(),
        tuple(
            Item(text.decode(), words(text), "comment")
            for text in (b"a comment said", b"more", b"late, but said.")
        ),
    ),
    "pam": lambda: (
        b"P7\n# a comment said\nWIDTH 48\nHEIGHT 36\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n"
        + board().tobytes(),
        (Item("comment", words(b"a comment said"), "comment"),),
    ),
    "aspect.png": lambda: (sources.png(board(), chunk(b"pHYs", struct.pack(">IIB", 3, 1, 0))), (SHAPE,)),
    "aspect.jpg": lambda: (
        (file := jpeg())[:13] + struct.pack(">BHH", 0, 3, 1) + file[18:],
        (SHAPE,),
    ),
}


# For formats made of boxes, two sources that have everything: what is read is the same for all outputs.
PAIRS = [
    (form, ending) for form in OUTPUTS for ending in SOURCES if form not in BOXED or ending in ("png", "tif")
]


@pytest.mark.parametrize(("form", "ending"), PAIRS)
def test_all_metadata_is_kept_or_reported_as_lost(call: Call, tmp_path: Path, form: str, ending: str) -> None:
    if FORMATS[form].extra:
        pytest.importorskip({"codecs": "imagecodecs", "heif": "pillow_heif"}[FORMATS[form].extra])
    file, items = SOURCES[ending]()
    source, target = tmp_path / f"in.{ending}", tmp_path / f"out{OUTPUTS[form]}"
    source.write_bytes(file)
    result = call("filter", source, "-k", "box:3", "-o", target)
    assert result.code == 0, result.err
    output, notes = target.read_bytes(), [line for line in result.err.splitlines() if str(source) in line]
    message = "\n".join(notes).replace(str(source), "")
    for item in items:
        kept, reported = item.found(output), re.search(item.words, message) is not None
        assert kept or reported, f"{item.name} is lost without a note: {message}"
    assert len(notes) <= 2 + (form == "GIF"), (
        "one note on what the format has no place for, one on what is left out"
    )
    for note in notes:
        assert len(note) < 700
    if form == "NPY":
        assert not any(item.found(output) for item in items)


@pytest.mark.parametrize("ending", SOURCES)
def test_the_same_format_keeps_all_metadata_that_still_applies(
    call: Call, tmp_path: Path, ending: str
) -> None:
    file, items = SOURCES[ending]()
    source, target = tmp_path / f"in.{ending}", tmp_path / f"out.{ending.rpartition('.')[2]}"
    source.write_bytes(file)
    result = call("filter", source, "-k", "box:3", "-o", target)
    assert result.code == 0, result.err
    output = target.read_bytes()
    never = {item.name for item in items if not item.found(file)} | ({"ICC"} if ending == "bmp" else set())
    assert [item.name for item in items if item.name not in never and not item.found(output)] == []
    assert ("does not carry" in result.err) == (ending == "bmp")


def test_the_table_has_every_format_and_kind() -> None:
    assert PLACES.keys() == FORMATS.keys()
    assert set().union(*PLACES.values()) == KINDS.keys()
    assert not PLACES["NPY"] and not PLACES["PFM"]
