"""Lossy and lossless WebP: written as the input was coded, or as requested."""

from typing import Any, BinaryIO

from convcli.images.coding import LOSSLESS, Coded, Coding

QUALITY = 90  # of a lossy WebP; files do not record their quality

# https://developers.google.com/speed/webp/docs/riff_container
_START = 12  # bytes before the first chunk
_FRAME = 16  # bytes of an ANMF chunk before the chunks inside it


def coded(file: BinaryIO) -> Coded:
    """Return the coding of a WebP: whether any of its frames is lossy."""
    place, at = file.tell(), _START
    end, lossy = file.seek(0, 2), False
    while not lossy and at + 8 <= end:
        file.seek(at)
        kind, size = file.read(4), int.from_bytes(file.read(4), "little")
        lossy = kind == b"VP8 "
        at += 8 + (_FRAME if kind == b"ANMF" else size + size % 2)
    file.seek(place)
    return Coded(lossy=lossy)


def webp_settings(coding: Coding, was: Coded | None) -> dict[str, Any]:
    """Return the options of Pillow's `save`: lossless unless the input was lossy or a quality is requested."""
    quality = coding.quality_or(QUALITY, was)
    return {"exact": True} | ({"lossless": True} if quality == LOSSLESS else {"quality": quality})
