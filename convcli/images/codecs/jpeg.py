"""JPEG as it was: the sampling of its colours and its quality tables are kept, whatever is done to its pixels.

Other pictures are written with QUALITY and full colours. Pillow writes the samplings of most files; the others need
`convcli[codecs]`, or are written with the next one that keeps all of their colours.
"""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.images.codecs.tiff import INSTALL, NoCodecError
from convcli.images.coding import SAMPLINGS, Coded, Coding
from convcli.images.picture import Frame, ImageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

QUALITY = 95  # of a picture that was no JPEG before
FULL_FROM = 90  # the quality from which its colours are stored in full, as ImageMagick and libvips have it

BASELINE = 255  # the largest step of a table that every decoder reads
PILLOWS = ("4:4:4", "4:2:2", "4:2:0")  # the samplings that Pillow writes
IN_RGB, YCCK = (
    0,
    2,
)  # Adobe's transforms, in APP14, of colours that are none, and of CMYK that are brightness and colours

_LEADING = (*range(0xE0, 0xF0), 0xFE)  # the markers of segments before a picture: APP0 to APP15, and COM
_SCALE = (16, 11, 10, 16, 24, 40, 51, 61)  # the first row of quality 50: ITU-T T.81, table K.1


def coded(image: ImageFile) -> Coded | None:
    """Tell how a JPEG was coded that Pillow has opened; None where it does not say."""
    layers = getattr(image, "layer", ())
    if not layers:
        return None
    known: dict[int, Any] = getattr(image, "quantization", {})
    transform = image.info.get("adobe_transform")
    tables: tuple[tuple[int, ...], ...] = ()
    if transform != YCCK and all(layer[3] in known for layer in layers):
        tables = tuple(tuple(min(BASELINE, step) for step in known[layer[3]]) for layer in layers)
        while (
            len(tables) > 1 and tables[-1] == tables[-2]
        ):  # Pillow takes the last for all channels that follow
            tables = tables[:-1]
    ratio = None
    if len(layers) == 3 and transform != IN_RGB:
        across, down = (
            max(1, layers[0][place] // max(1, layers[1][place], layers[2][place])) for place in (1, 2)
        )
        ratio = across, down
    return Coded(image.mode, ratio, tables)


class Way(NamedTuple):
    """How a JPEG is written.

    settings : options of Pillow's `save`
    beyond : a sampling that Pillow does not write, a key of SAMPLINGS
    notes : what is not as it was
    """

    settings: dict[str, Any]
    beyond: str | None = None
    notes: tuple[str, ...] = ()


def jpeg_way(frame: Frame, coding: Coding, was: Coded | None) -> Way:
    """Choose how a frame is written: as it is asked for, else as it was, else well; or raise ImageError."""
    was = was or Coded()
    settings: dict[str, Any] = {}
    if coding.quality is not None:
        settings["quality"] = coding.quality
    elif was.tables and frame.channels in (was.channels, "L"):
        settings["qtables"] = [list(table) for table in was.tables[: 1 if frame.channels == "L" else None]]
    else:
        settings["quality"] = QUALITY
    if frame.channels == "CMYK" and coding.subsampling not in (None, "4:4:4"):
        raise ImageError(
            f"JPEG stores all channels of CMYK in full, not as {coding.subsampling}; convert it to RGB"
        )
    if frame.channels != "RGB":
        return Way(settings)
    if was.channels == "RGB" and was.ratio is None and coding.subsampling is None:
        return Way({**settings, "keep_rgb": True})
    usual = "4:4:4" if settings.get("quality", QUALITY) >= FULL_FROM else "4:2:0"
    sampling = coding.subsampling or (_finest_within(was.ratio, SAMPLINGS) if was.ratio else usual)
    if sampling not in PILLOWS and _extra() is None:
        if coding.subsampling is not None:
            raise NoCodecError(f"JPEG of {sampling} is written through an extra; {INSTALL}")
        sampling = _finest_within(SAMPLINGS[sampling], PILLOWS)
    notes: tuple[str, ...] = ()
    if coding.subsampling is None and was.ratio not in (None, SAMPLINGS[sampling]):
        assert was.ratio is not None
        across, down = was.ratio
        notes = (
            f"its colours, one for {across}x{down} pixels, are written as {sampling}, which keeps them all",
        )
    if sampling not in PILLOWS:
        return Way(settings, sampling, notes)
    return Way({**settings, "subsampling": sampling}, None, notes)


def _finest_within(ratio: tuple[int, int], names: Iterable[str]) -> str:
    """Return the sampling that stores the fewest colours of those that store no fewer than `ratio`."""
    fitting = [
        name for name in names if all(one <= other for one, other in zip(SAMPLINGS[name], ratio, strict=True))
    ]
    return max(fitting, key=lambda name: (SAMPLINGS[name][0] * SAMPLINGS[name][1], SAMPLINGS[name][1]))


def _extra() -> Any:
    """Return imagecodecs, or None where it is not installed."""
    try:
        return import_module("imagecodecs")
    except ImportError:
        return None


def encode_beyond(pixels: NDArray[np.uint8], way: Way, pillows: bytes) -> bytes:
    """Return a JPEG (H, W, 3) of a sampling that Pillow does not write, with the metadata of one that Pillow wrote."""
    assert way.beyond is not None
    quality = way.settings.get("quality") or _quality(way.settings["qtables"][0])
    codes = way.beyond.replace(":", "")
    data = bytes(_extra().jpeg8_encode(pixels, level=quality, subsampling=codes))
    return pillows[: _leading(pillows)] + data[_leading(data) :]


def _leading(data: bytes) -> int:
    """Return where the segments of metadata end with which a JPEG begins."""
    at = 2
    while data[at + 1] in _LEADING:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at


def _quality(table: Sequence[int]) -> int:
    """Return the quality from which libjpeg makes about such a table of brightness."""
    scale = 100 * sum(table[: len(_SCALE)]) / sum(_SCALE)
    quality = 100 - scale / 2 if scale <= 100 else 5000 / scale
    return min(100, max(1, round(quality)))
