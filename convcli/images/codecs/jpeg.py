"""Keep the chroma subsampling and the quantization tables of a JPEG when its filtered pixels are written.

Other pictures are written with QUALITY and without subsampling. Pillow writes the most common subsamplings; the others
need `convcli[codecs]`, or are written with the next finer one. With that extra, pictures whose tables are those of a
quality are encoded directly from their arrays, which saves the copy that Pillow needs; the data are the same.
"""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.images.codecs.jpeg_tables import BASELINE, nearest_quality, quality_of
from convcli.images.codecs.tiff import INSTALL, NoCodecError
from convcli.images.coding import SAMPLINGS, Coded, Coding
from convcli.images.picture import ImageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

QUALITY = 95  # for pictures that were not read from a JPEG
FULL_FROM = 90  # lowest quality without chroma subsampling, as in ImageMagick and libvips

PILLOWS = ("4:4:4", "4:2:2", "4:2:0")  # the subsamplings that Pillow writes
IN_RGB, YCCK = 0, 2  # colour transforms in Adobe's APP14 segment: none, and CMYK stored as YCCK

_LEADING = (*range(0xE0, 0xF0), 0xFE)  # markers of metadata segments: APP0 to APP15, and COM


def coded(image: ImageFile) -> Coded:
    """Return the coding of a JPEG that Pillow has opened, as far as Pillow reports it."""
    layers = getattr(image, "layer", ())
    if not layers:
        return Coded(lossy=True)
    known: dict[int, Any] = getattr(image, "quantization", {})
    transform = image.info.get("adobe_transform")
    tables: tuple[tuple[int, ...], ...] = ()
    if transform != YCCK and all(layer[3] in known for layer in layers):
        tables = tuple(tuple(min(BASELINE, step) for step in known[layer[3]]) for layer in layers)
        # Pillow uses the last table for all remaining channels.
        while len(tables) > 1 and tables[-1] == tables[-2]:
            tables = tables[:-1]
    ratio = None
    if len(layers) == 3 and transform != IN_RGB:
        across, down = (
            max(1, layers[0][place] // max(1, layers[1][place], layers[2][place])) for place in (1, 2)
        )
        ratio = across, down
    return Coded(image.mode, ratio, tables, lossy=True)


class JpegCoding(NamedTuple):
    """How a JPEG is written.

    settings : options of Pillow's `save`
    beyond : a subsampling that Pillow cannot write, a key of SAMPLINGS
    notes : messages about what differs from the input's coding
    """

    settings: dict[str, Any]
    beyond: str | None = None
    notes: tuple[str, ...] = ()


def jpeg_coding(channels: str, coding: Coding, was: Coded | None) -> JpegCoding:
    """Choose the options for a picture: as requested, else as in the input, else defaults; or raise ImageError."""
    was = was or Coded()
    settings: dict[str, Any] = {}
    if coding.quality is not None:
        settings["quality"] = coding.quality
    elif was.tables and channels in (was.channels, "L"):
        settings["qtables"] = [list(table) for table in was.tables[: 1 if channels == "L" else None]]
    else:
        settings["quality"] = QUALITY
    if channels == "CMYK" and coding.subsampling not in (None, "4:4:4"):
        raise ImageError(
            f"JPEG does not subsample CMYK, so it cannot be stored as {coding.subsampling}; convert it to RGB"
        )
    if channels != "RGB":
        return JpegCoding(settings)
    if was.channels == "RGB" and was.ratio is None and coding.subsampling is None:
        return JpegCoding({**settings, "keep_rgb": True})
    usual = "4:4:4" if settings.get("quality", QUALITY) >= FULL_FROM else "4:2:0"
    sampling = coding.subsampling or (finest_within(was.ratio, SAMPLINGS) if was.ratio else usual)
    if sampling not in PILLOWS and _extra() is None:
        if coding.subsampling is not None:
            raise NoCodecError(f"writing JPEG with {sampling} subsampling needs an extra; {INSTALL}")
        sampling = finest_within(SAMPLINGS[sampling], PILLOWS)
    notes: tuple[str, ...] = ()
    if coding.subsampling is None and was.ratio not in (None, SAMPLINGS[sampling]):
        assert was.ratio is not None
        across, down = was.ratio
        notes = (
            f"its chroma, one sample per {across}x{down} pixels, is written as {sampling}, which keeps every sample",
        )
    if sampling not in PILLOWS:
        return JpegCoding(settings, sampling, notes)
    return JpegCoding({**settings, "subsampling": sampling}, None, notes)


def finest_within(ratio: tuple[int, int], names: Iterable[str]) -> str:
    """Return the coarsest of the named subsamplings that is at least as fine as `ratio` along both axes."""
    fitting = [
        name for name in names if all(one <= other for one, other in zip(SAMPLINGS[name], ratio, strict=True))
    ]
    return max(fitting, key=lambda name: (SAMPLINGS[name][0] * SAMPLINGS[name][1], SAMPLINGS[name][1]))


def _extra() -> Any:
    """Return imagecodecs, or None if it is not installed."""
    try:
        return import_module("imagecodecs")
    except ImportError:
        return None


def direct_quality(jpeg: JpegCoding, channels: str) -> int | None:
    """Return the quality with which imagecodecs writes what Pillow would write; None if Pillow must write it."""
    if channels not in ("L", "RGB") or jpeg.settings.get("keep_rgb") or find_spec("imagecodecs") is None:
        return None
    tables = jpeg.settings.get("qtables")
    quality: int | None = jpeg.settings.get("quality")
    return quality_of(tables, len(channels)) if tables else quality


def is_copied(channels: str, coding: Coding, was: Coded | None) -> bool:
    """Return whether Pillow encodes a picture, from a copy; True also for a coding that is refused."""
    try:
        return direct_quality(jpeg_coding(channels, coding, was), channels) is None
    except ImageError:
        return True


def encode_direct(pixels: NDArray[np.uint8], jpeg: JpegCoding, channels: str, around: bytes) -> bytes | None:
    """Encode (H, W) or (H, W, 3) without a copy for Pillow; None if Pillow must encode it or refuse it.

    around : a JPEG with the metadata segments of the output
    """
    subsampling = jpeg.beyond or jpeg.settings.get("subsampling")
    quality = direct_quality(jpeg, channels)
    if jpeg.beyond is not None and quality is None:
        quality = nearest_quality(jpeg.settings["qtables"][0])
    if quality is None:
        return None
    extra = _extra()
    codes = None if subsampling is None else subsampling.replace(":", "")
    try:
        data = bytes(extra.jpeg8_encode(pixels, level=quality, subsampling=codes))
    except (extra.Jpeg8Error, ValueError):
        if jpeg.beyond is not None:
            raise
        return None
    return around[: _leading(around)] + data[_leading(data) :]


def _leading(data: bytes) -> int:
    """Return the offset at which the metadata segments at the start of a JPEG end."""
    at = 2
    while data[at + 1] in _LEADING:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at
