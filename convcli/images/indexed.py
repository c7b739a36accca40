"""Convert pictures to at most 256 colours for GIF, exactly if they have no more."""

from collections.abc import Iterator
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convcli.images.picture import Frame

COLOURS = 256
VISIBLE = 128  # lowest alpha of a pixel that is not transparent
BAND = 1 << 16  # pixels processed at a time
LOOKED_AT = 1 << 20  # pixels from which colours are chosen, as the quantiser takes 22 bytes for each

Array = NDArray[Any]


def indexed(frame: Frame) -> tuple[Image.Image, bool]:
    """Return a frame as a palette image, and whether every visible colour is exact.

    Up to 256 colours are kept exactly, which Pillow's quantiser does not guarantee; more are replaced by similar ones.
    In a picture with alpha, the last palette entry is for transparent pixels: those less than half opaque.
    """
    pixels = frame.pixels.reshape(*frame.pixels.shape[:2], -1)
    colours, alpha = (pixels[..., :-1], pixels[..., -1]) if frame.has_alpha else (pixels, None)
    colours = np.broadcast_to(colours, (*pixels.shape[:2], 3))
    room = COLOURS if alpha is None else COLOURS - 1
    found = _few(colours, alpha, room)
    palette, index = _nearest(colours, room) if found is None else _exact(colours, found)
    if alpha is not None:
        index[alpha < VISIBLE] = COLOURS - 1
    image = Image.fromarray(index, "P")
    image.putpalette(palette.astype(np.uint8).tobytes())
    if alpha is not None:
        image.info["transparency"] = COLOURS - 1
    return image, found is not None


def _bands(colours: Array) -> Iterator[slice]:
    step = max(1, BAND // colours.shape[1])
    return (slice(top, top + step) for top in range(0, len(colours), step))


def _packed(colours: Array) -> Array:
    """Pack colours (H, W, 3) into one integer each."""
    red, green, blue = np.moveaxis(colours.astype(np.uint32), 2, 0)
    packed: Array = red << 16 | green << 8 | blue
    return packed


def _few(colours: Array, alpha: Array | None, room: int) -> Array | None:
    """Return the visible colours, packed and sorted; None if there are more than `room`."""
    found: Array = np.empty(0, np.uint32)
    for rows in _bands(colours):
        packed = _packed(colours[rows])
        found = np.union1d(found, packed if alpha is None else packed[alpha[rows] >= VISIBLE])
        if len(found) > room:
            return None
    return found


def _exact(colours: Array, found: Array) -> tuple[Array, Array]:
    """Return a palette of the found colours, and the index of each pixel; arbitrary for invisible pixels."""
    index = np.empty(colours.shape[:2], np.uint8)
    for rows in _bands(colours):
        index[rows] = np.searchsorted(found, _packed(colours[rows]))
    return np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1), index


def _nearest(colours: Array, room: int) -> tuple[Array, Array]:
    """Return a palette of `room` colours similar to those of a picture, and the index of each pixel's nearest."""
    apart = isqrt(-(-colours.shape[0] * colours.shape[1] // LOOKED_AT))
    few = Image.fromarray(np.ascontiguousarray(colours[::apart, ::apart])).quantize(room)
    palette = np.array(few.getpalette("RGB"), np.uint8)
    if apart == 1:
        return palette, np.array(few)
    index = np.empty(colours.shape[:2], np.uint8)
    for rows in _bands(colours):
        band = Image.fromarray(np.ascontiguousarray(colours[rows]))
        index[rows] = np.asarray(band.quantize(palette=few, dither=Image.Dither.NONE))
    return palette, index
