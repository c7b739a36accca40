"""Read and write the metadata chunks of PNG files.

Damaged chunks are skipped, and chunks that are wrong for a filtered picture are left out. PNG, third edition, 11.3
and 13.13; the names of text profiles are ImageMagick's and ExifTool's.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any

from convcli.images.metadata.embedded import holds_picture
from convcli.images.metadata.found import Found
from convcli.images.metadata.pixel_chunks import COLOUR, PngReader, chunk_bytes
from convcli.images.metadata.ratio import whole_ratio
from convcli.images.metadata.table import Chunk
from convcli.images.metadata.texts import (
    PROFILE_TEXT,
    TEXTS,
    XMP_TEXT,
    Inflater,
    comment_text,
    profile_in,
    profile_text,
    text_of,
    unicode_text,
)
from convcli.images.metadata.words import counted

_PROFILES = {
    b"exif",
    b"app1",
    b"xmp",
    b"iptc",
    b"8bim",
    b"icc",
    b"icm",
}  # names of text profiles whose content is known
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"

_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # samples per pixel by colour type; palette colours have three
_INCH = 0.0254  # metres
_LARGEST = 2**31 - 1  # largest integer in a chunk


def png_metadata(png: PngReader) -> Found:
    """Return the metadata in the chunks of a PNG."""
    found, inflate = Found(), Inflater()
    found.notes += [f"damaged metadata: {reason}" for reason in png.damaged]
    texts: list[Chunk] = []
    kept: list[Chunk] = []
    lost: list[bytes] = []
    profiles: dict[bytes, bytes] = {}
    exif = xmp = None
    for chunk in png.chunks:
        kind, data = chunk.kind, chunk.data
        if kind == b"eXIf":
            exif = data
        elif kind == b"iCCP":
            profile = inflate(data.partition(b"\0")[2][1:])
            found.add("icc", profile)
            if profile is None:
                found.notes.append("damaged metadata: the ICC profile cannot be decompressed")
        elif kind in TEXTS:
            key, text = text_of(chunk, inflate)
            if key == XMP_TEXT and text is not None:
                xmp = text
            elif key.startswith(PROFILE_TEXT) and (profile := profile_in(text)) is not None:
                name = key.removeprefix(PROFILE_TEXT).lower()
                profiles[name] = profile
                if name not in _PROFILES:
                    _keep_text(found, texts, chunk, profile)
            else:
                _keep_text(found, texts, chunk, text)
        elif kind == b"pHYs":
            found.metadata |= _density(data)
        elif kind == b"bKGD":
            found.add("background", _background(png, data))
            lost += [kind] * ("background" not in found.metadata)
        elif kind == b"sBIT":
            found.add("bits", _all_bits(png, data))
            lost += [kind] * ("bits" not in found.metadata)
        elif kind in COLOUR or (kind[3] & 0x20 and not holds_picture(data)):
            kept.append(chunk)
        else:
            lost.append(kind)
    _add_profiles(found, profiles, exif, xmp)
    found.add("text", tuple(texts))
    found.add("chunks", tuple(kept))
    if lost:
        found.lose([counted("the PNG chunk", map(_name, lost))])
    return found


def _keep_text(found: Found, texts: list[Chunk], chunk: Chunk, content: bytes | None) -> None:
    if content is None:
        found.lose(["PNG text that cannot be decompressed"])
    elif holds_picture(content):
        found.lose(["PNG text that holds a picture"])
    else:
        texts.append(chunk)


def _add_profiles(
    found: Found, profiles: Mapping[bytes, bytes], exif: bytes | None, xmp: bytes | None
) -> None:
    """Add EXIF, XMP, IPTC and a colour profile from their chunks, or from text profiles if there are no chunks."""
    segment = profiles.get(b"app1", b"")
    if segment.startswith(_XMP_SEGMENT):
        xmp = xmp or segment.removeprefix(_XMP_SEGMENT)
        segment = b""
    found.add_exif(exif or profiles.get(b"exif") or segment)
    found.add_xmp(xmp or profiles.get(b"xmp"))
    if blocks := profiles.get(b"8bim") or profiles.get(b"iptc"):
        from convcli.images.metadata.photoshop import with_iptc

        found.add_resources(blocks if blocks.startswith(b"8BIM") else with_iptc(b"", blocks))
    found.metadata.setdefault("icc", profiles.get(b"icc") or profiles.get(b"icm"))
    if not found.metadata["icc"]:
        del found.metadata["icc"]


def orienting(png: PngReader) -> dict[str | tuple[int, int], bytes]:
    """Return the EXIF and XMP of a PNG under the names that Pillow's `exif_transpose` reads them from."""
    inflate = Inflater()
    found: dict[str | tuple[int, int], bytes] = {}
    for chunk in png.chunks:
        if chunk.kind == b"eXIf":
            found["exif"] = chunk.data
        elif chunk.kind in TEXTS and chunk.data.startswith((XMP_TEXT, PROFILE_TEXT)):
            key, text = text_of(chunk, inflate)
            if key == XMP_TEXT and text is not None:
                found["xmp"] = text
            elif key.lower() in (PROFILE_TEXT.lower() + b"exif", PROFILE_TEXT.lower() + b"app1"):
                found.setdefault("exif", profile_in(text) or b"")
    return {kind: data for kind, data in found.items() if data}


def png_chunks(metadata: Mapping[str, Any], channels: str, depth: int) -> tuple[bytes, bytes, list[str]]:
    """Return the chunks before and after the pixels, and the names of metadata that cannot be stored.

    channels, depth : channels (L, LA, RGB or RGBA) and bit depth (8 or 16) of the picture that is written
    """
    lost: list[str] = []
    chunks: list[Chunk] = []
    if "icc" in metadata:
        chunks.append(Chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata["icc"])))
    chunks += metadata.get("chunks", ())
    if "bits" in metadata:
        chunks.append(Chunk(b"sBIT", bytes([depth] * len(channels))))
    if "background" in metadata:
        samples = _fitting(metadata["background"], channels, depth)
        lost += ["the PNG chunk bKGD, a colour in a grey picture"] * (samples is None)
        chunks += [Chunk(b"bKGD", samples)] if samples else []
    try:
        chunks += _densities(metadata)
    except (struct.error, OverflowError):
        lost.append("a resolution outside the range of PNG")
    if "exif" in metadata:
        chunks.append(Chunk(b"eXIf", metadata["exif"].removeprefix(b"Exif\0\0")))
    if "iptc" in metadata:
        chunks.append(profile_text(b"iptc", metadata["iptc"]))
    if "xmp" in metadata:
        chunks += unicode_text(XMP_TEXT, metadata["xmp"])
        lost += ["XMP that is not in UTF-8"] * (not unicode_text(XMP_TEXT, metadata["xmp"]))
    if "comment" in metadata:
        chunks.append(comment_text(metadata["comment"]))
    chunks += metadata.get("text", ())
    sides = [
        b"".join(chunk_bytes(chunk.kind, chunk.data) for chunk in chunks if chunk.late == late)
        for late in (False, True)
    ]
    return sides[0], sides[1], lost


def _name(kind: bytes) -> str:
    return kind.decode("ascii")


def _density(data: bytes) -> dict[str, tuple[float, float]]:
    across, down, unit = struct.unpack(">IIB", data)
    if not across or not down:
        return {}
    return {"dpi": (across * _INCH, down * _INCH)} if unit == 1 else {"aspect": (across, down)}


def _densities(metadata: Mapping[str, Any]) -> list[Chunk]:
    if "dpi" in metadata:
        across, down = (int(each / _INCH + 0.5) for each in metadata["dpi"])
        unit = 1
    elif "aspect" in metadata:
        across, down = whole_ratio(metadata["aspect"], _LARGEST)
        unit = 0
    else:
        return []
    if not (0 < across <= _LARGEST and 0 < down <= _LARGEST):
        raise OverflowError
    return [Chunk(b"pHYs", struct.pack(">IIB", across, down, unit))]


def _background(png: PngReader, data: bytes) -> tuple[int, ...]:
    """Return the samples of bKGD scaled to 16 bits; an empty tuple if they are damaged."""
    if len(png.header) < 10:
        return ()
    depth, colour = png.header[8], png.header[9]
    if colour == 3:
        place = 3 * data[0] if data else len(png.palette)
        return tuple(257 * sample for sample in png.palette[place : place + 3])
    if len(data) != (2 if colour in (0, 4) else 6):
        return ()
    samples = struct.unpack(f">{len(data) // 2}H", data)
    return tuple(sample * (65535 // (2**depth - 1)) for sample in samples) if max(samples) < 2**depth else ()


def _fitting(samples: tuple[int, ...], channels: str, depth: int) -> bytes | None:
    """Return the data of bKGD for a picture from 16-bit samples; None for a colour in a grey picture."""
    if channels.startswith("L"):
        if len(set(samples)) > 1:
            return None
        samples = samples[:1]
    elif len(samples) == 1:
        samples *= 3
    return struct.pack(f">{len(samples)}H", *(round(each / 257) if depth == 8 else each for each in samples))


def _all_bits(png: PngReader, data: bytes) -> bool:
    """Return whether sBIT says that all bits of all samples are significant, which they are after filtering."""
    if len(png.header) < 10 or png.header[9] not in _SAMPLES:
        return False
    depth = 8 if png.header[9] == 3 else png.header[8]
    return depth >= 8 and data == bytes([depth] * _SAMPLES[png.header[9]])
