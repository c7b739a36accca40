"""Pictures with all the metadata that their formats can store, made without the writers under test."""

import io
import struct
import zlib
from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageCms

SIZE = (36, 48)  # rows and columns


def board() -> np.ndarray:
    """A chequerboard, (H, W, 3), which a box of 33 turns grey."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.repeat(((x // 4 + y // 4) % 2 * 255).astype(np.uint8)[..., None], 3, 2)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def jpeg(array: np.ndarray | None = None) -> bytes:
    return saved(Image.fromarray(board() if array is None else array), "JPEG", quality=95)


THUMBNAIL = jpeg(board()[::2, ::2])
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP_WORDS = b"said in XMP"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="' + XMP_WORDS + b'"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


# Directories of tags, in either byte order

Value = tuple[int, object]  # a type of TIFF, and text, bytes or numbers
_FORMS = {3: "H", 4: "I", 5: "I", 9: "i", 12: "d", 13: "I"}


def packed(order: str, kind: int, value: object) -> tuple[int, bytes]:
    """Return the count of values, and their bytes."""
    if isinstance(value, bytes):
        return len(value), value
    numbers = tuple(value) if isinstance(value, Iterable) else (value,)
    return len(numbers) // (2 if kind == 5 else 1), struct.pack(
        f"{order}{len(numbers)}{_FORMS[kind]}", *numbers
    )


def tiff_of(
    directories: dict[str, dict[int, Value | str]],
    order: str = "<",
    chain: tuple[str, ...] = ("0",),
    blobs: dict[str, bytes] | None = None,
) -> bytes:
    """Return a TIFF from directories by name, the names of those that are pages in order, and other bytes by name.

    A name in place of a tag's value becomes the offset of that directory or of those bytes.
    """
    places: dict[str, int] = {}
    out = b""
    for _ in range(2):  # the first pass only finds the offsets
        out = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, places.get(chain[0], 0))
        for name, tags in directories.items():
            places[name] = len(out)
            after = len(out) + 6 + 12 * len(tags)
            body, tail = struct.pack(f"{order}H", len(tags)), b""
            for tag, value in sorted(tags.items()):
                kind, content = (4, places.get(value, 0)) if isinstance(value, str) else value
                count, data = packed(order, kind, content)
                field = data.ljust(4, b"\0")
                if len(data) > 4:
                    field = struct.pack(f"{order}I", after + len(tail))
                    tail += data + bytes(len(data) % 2)
                body += struct.pack(f"{order}HHI", tag, kind, count) + field
            following = chain[chain.index(name) + 1] if name in chain[:-1] else ""
            out += body + struct.pack(f"{order}I", places.get(following, 0)) + tail
        for name, data in (blobs or {}).items():
            places[name] = len(out)
            out += data + bytes(len(data) % 2)
    return out


def page(array: np.ndarray, blob: str, **tags: Value | str) -> dict[int, Value | str]:
    """Return the tags of an 8-bit page with one uncompressed strip, `blob`; t270=... adds tag 270."""
    rows, columns = array.shape[:2]
    channels = 1 if array.ndim == 2 else array.shape[2]
    found: dict[int, Value | str] = {
        256: (3, columns),
        257: (3, rows),
        258: (3, (8,) * channels),
        259: (3, 1),
        262: (3, 1 if channels == 1 else 2),
        273: blob,
        277: (3, channels),
        278: (3, rows),
        279: (4, array.size),
    }
    return found | {int(name[1:]): value for name, value in tags.items()}


EXIF_WORDS, CAMERA_WORDS, PLACE_WORDS = b"said in EXIF", b"2017:08:21 15:08:00", b"WGS-84 said in GPS"


def exif_directories(*, previews: bool = True, orientation: int = 1) -> dict[str, dict[int, Value | str]]:
    return {
        "0": {
            0x100: (3, 1),  # not the size of the picture
            0x10E: (2, EXIF_WORDS + b"\0"),
            0x112: (3, orientation),
            0x8769: "camera",
            0x8825: "place",
        },
        "camera": {
            0x9003: (2, CAMERA_WORDS + b"\0"),
            0x927C: (7, (b"maker" + THUMBNAIL) if previews else b"maker"),
            0x9286: (7, b"ASCII\0\0\0a user's comment"),
            0xA002: (4, 9999),
            0xA003: (3, 9999),
            0xA005: "interoperability",
        },
        "place": {0x12: (2, PLACE_WORDS + b"\0"), 2: (5, (51, 1, 30, 1, 0, 1))},
        "interoperability": {1: (2, b"R98\0")},
    }


def exif(order: str = "<", *, previews: bool = True, orientation: int = 1) -> bytes:
    """Return EXIF with all its directories, without the six-byte prefix; its previews are `THUMBNAIL`."""
    directories = exif_directories(previews=previews, orientation=orientation)
    if not previews:
        return tiff_of(directories, order)
    directories["1"] = {0x103: (3, 6), 0x201: "thumbnail", 0x202: (4, len(THUMBNAIL))}
    return tiff_of(directories, order, ("0", "1"), {"thumbnail": THUMBNAIL})


# Photoshop's resources and IPTC

CAPTION, KEYWORD = b"a caption said in IPTC", b"a keyword said in IPTC"


def data_set(record: int, number: int, data: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, record, number, len(data)) + data


IPTC = data_set(2, 120, CAPTION) + data_set(2, 25, KEYWORD)


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    padded = bytes([len(name)]) + name
    padded += bytes(len(padded) % 2)
    return (
        b"8BIM"
        + struct.pack(">H", number)
        + padded
        + struct.pack(">I", len(data))
        + data
        + bytes(len(data) % 2)
    )


RESOURCES = (
    resource(1028, IPTC, b"odd")
    + resource(1036, bytes(28) + THUMBNAIL)
    + resource(1035, b"http://example.org/said")
    + resource(1050, b"slices")
)


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def with_segments(file: bytes, *segments: bytes) -> bytes:
    """Insert segments after the start marker of a JPEG."""
    return file[:2] + b"".join(segments) + file[2:]


# Chunks of PNG

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes, crc: int | None = None) -> bytes:
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png(array: np.ndarray, *before: bytes, after: tuple[bytes, ...] = ()) -> bytes:
    """Return a PNG of 8 or 16 bits with chunks before and after its pixels."""
    depth, channels = 8 * array.itemsize, 1 if array.ndim == 2 else array.shape[2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = array.astype(array.dtype.newbyteorder(">")).tobytes()
    width = len(rows) // array.shape[0]
    lines = b"".join(b"\0" + rows[at : at + width] for at in range(0, len(rows), width))
    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], depth, colour, 0, 0, 0)
    parts = (
        chunk(b"IHDR", header),
        *before,
        chunk(b"IDAT", zlib.compress(lines)),
        *after,
        chunk(b"IEND", b""),
    )
    return SIGNATURE + b"".join(parts)


def chunks(file: bytes) -> list[tuple[bytes, bytes]]:
    """Return the kinds and the data of the chunks of a PNG."""
    found, at = [], 8
    while at < len(file):
        end = at + 8 + int.from_bytes(file[at : at + 4], "big")
        found.append((file[at + 4 : at + 8], file[at + 8 : end]))
        at = end + 4
    return found


def profile_text(name: bytes, data: bytes) -> bytes:
    """Return a raw profile as ImageMagick writes it."""
    digits = data.hex().encode()
    lines = b"\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return (
        b"Raw profile type " + name + b"\0\0" + zlib.compress(b"\n%s\n%8d\n%s\n" % (name, len(data), lines))
    )


def contents(file: bytes) -> bytes:
    """Return all bytes of a file, followed by what its chunks hold compressed or in hexadecimal digits."""
    found = [file]
    if file.startswith(SIGNATURE):
        for kind, data in chunks(file):
            if kind in (b"zTXt", b"iCCP"):
                text = zlib.decompress(data.partition(b"\0")[2][1:])
                found.append(text)
                if data.startswith(b"Raw profile type "):
                    found.append(bytes.fromhex("".join(text.decode().split("\n")[3:])))
    return b"".join(found)
