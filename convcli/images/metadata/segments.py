"""Read and write the metadata segments of JPEG files.

JFIF 1.02; Adobe Photoshop File Formats Specification; XMP specification, part 3, 1.1.3.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from convcli.images.metadata.embedded import holds_picture
from convcli.images.metadata.found import Found
from convcli.images.metadata.photoshop import SEGMENT
from convcli.images.metadata.ratio import whole_ratio
from convcli.images.metadata.table import KINDS
from convcli.images.metadata.words import counted

MAX_SEGMENT = 65533  # bytes, without the marker and the length
_XMP, _EXTENDED_XMP = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_MAX_PROFILE = 255 * (MAX_SEGMENT - 14)  # bytes of an ICC profile: at most 255 segments
_JFIF = b"\xff\xd8\xff\xe0\0\x10JFIF\0"  # the start of a JPEG with a density
_LARGEST = 65535  # largest density


def jpeg_metadata(info: Mapping[Any, Any], segments: list[tuple[str, bytes]]) -> Found:
    """Return the metadata in the segments of a JPEG, from Pillow's `info` and `applist`."""
    found = Found()
    comments: list[bytes] = []
    resources: list[bytes] = []
    others: list[str] = []
    for name, data in segments:
        if name == "COM":
            if holds_picture(data):
                found.lose(["a comment that holds a picture"])
            else:
                comments.append(data)
        elif name == "APP13" and data.startswith(SEGMENT):
            resources.append(data.removeprefix(SEGMENT))
        elif name == "APP0" and data.startswith((b"JFIF\0", b"JFXX\0")):
            if data.startswith(b"JFXX") or any(data[12:14]):
                found.lose(["the JFIF thumbnail"])
        elif name == "APP1" and data.startswith(_EXTENDED_XMP):
            found.lose(["the extension of XMP"])
        elif name == "APP2" and data.startswith(b"MPF\0"):
            found.lose(["the other pictures in the file"])
        elif name == "APP2" and data.startswith(b"ICC_PROFILE\0"):
            if not info.get("icc_profile"):
                found.lose(["the ICC profile, which is damaged"])
        elif not (name == "APP14" and data.startswith(b"Adobe")) and not (
            name == "APP1" and data.startswith((_XMP, b"Exif\0\0"))
        ):
            others.append(name)
    found.add("icc", info.get("icc_profile"))
    found.add_exif(info.get("exif"))
    found.add_xmp(info.get("xmp"))
    found.add_resources(b"".join(resources))
    found.add("comment", b"\n".join(comments))
    if info.get("jfif_unit") == 0 and len(set(info["jfif_density"])) == 2 and all(info["jfif_density"]):
        found.add("aspect", info["jfif_density"])
    if others:
        found.lose([counted("the JPEG segment", others)])
    return found


def jpeg_settings(metadata: Mapping[str, Any], *, has_header: bool) -> tuple[dict[str, Any], list[str]]:
    """Return the metadata as arguments of Pillow's `save`, and the names of metadata that cannot be stored.

    has_header : whether the file will have a JFIF segment, which stores the density; CMYK files have Adobe's instead
    """
    settings: dict[str, Any] = {}
    lost: list[str] = []
    for kind, name, room in (
        ("exif", "exif", MAX_SEGMENT),
        ("xmp", "xmp", MAX_SEGMENT - len(_XMP)),
        ("comment", "comment", MAX_SEGMENT),
        ("icc", "icc_profile", _MAX_PROFILE),
    ):
        if len(metadata.get(kind, b"")) > room:
            lost.append(f"{KINDS[kind]} of more than {room:,} bytes")
        elif kind in metadata:
            settings[name] = metadata[kind]
    if "iptc" in metadata:
        room = MAX_SEGMENT - len(SEGMENT)
        parts = [metadata["iptc"][at : at + room] for at in range(0, len(metadata["iptc"]), room)]
        settings["extra"] = b"".join(
            b"\xff\xed" + struct.pack(">H", 2 + len(SEGMENT) + len(part)) + SEGMENT + part for part in parts
        )
    if not has_header:
        lost += [f"{KINDS[kind]} of CMYK" for kind in ("dpi", "aspect") if kind in metadata]
    elif "dpi" in metadata:
        if all(0.5 < each < _LARGEST + 0.5 for each in metadata["dpi"]):
            settings["dpi"] = metadata["dpi"]
        else:
            lost.append("a resolution outside the range of JPEG")
    return settings, lost


def with_aspect(data: bytes, aspect: tuple[float, float]) -> bytes:
    """Return a JPEG written by Pillow with a pixel aspect ratio instead of a resolution."""
    if not data.startswith(_JFIF):  # CMYK
        return data
    densities = whole_ratio(aspect, _LARGEST)
    return data[:13] + struct.pack(">BHH", 0, *densities) + data[18:]
