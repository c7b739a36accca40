"""How AVIF and HEIF store colours: in full, or one for several pixels."""

from __future__ import annotations

from convcli.images.codecs.jpeg import FULL_FROM, finest_within
from convcli.images.coding import SAMPLINGS, Coded, Coding
from convcli.images.picture import ImageError

HELD = ("4:4:4", "4:2:2", "4:2:0")


def chroma_for(coding: Coding, was: Coded | None, quality: int) -> str:
    """Return the sampling of colours that is asked for, else that of the file that was read, else one that fits.

    Raises ImageError where these formats have not what is asked for.
    """
    if coding.subsampling is not None:
        if coding.subsampling not in HELD:
            raise ImageError(f"it stores colours as {', '.join(HELD)}, not as {coding.subsampling}")
        return coding.subsampling
    if was is not None and was.ratio is not None:
        return finest_within(was.ratio, HELD)
    return "4:4:4" if quality >= FULL_FROM else "4:2:0"


def ratio_of(sampling: object) -> tuple[int, int] | None:
    """Return the samples of brightness for one of colour, by the three digits of a sampling: 420."""
    return SAMPLINGS.get(":".join(str(sampling)))
