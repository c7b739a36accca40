"""Chroma subsampling of AVIF and HEIF."""

from __future__ import annotations

from convcli.images.codecs.jpeg import FULL_FROM, finest_within
from convcli.images.coding import SAMPLINGS, Coded, Coding
from convcli.images.picture import ImageError

HELD = ("4:4:4", "4:2:2", "4:2:0")


def chroma_for(coding: Coding, was: Coded | None, quality: int) -> str:
    """Return the requested subsampling, else that of the input file, else a default for the quality.

    Raises ImageError if these formats do not support the requested one.
    """
    if coding.subsampling is not None:
        if coding.subsampling not in HELD:
            raise ImageError(f"it supports the subsamplings {', '.join(HELD)}, not {coding.subsampling}")
        return coding.subsampling
    if was is not None and was.ratio is not None:
        return finest_within(was.ratio, HELD)
    return "4:4:4" if quality >= FULL_FROM else "4:2:0"


def ratio_of(sampling: object) -> tuple[int, int] | None:
    """Return the luma samples per chroma sample for a subsampling of three digits, such as 420."""
    return SAMPLINGS.get(":".join(str(sampling)))
