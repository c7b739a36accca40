"""Pictures of the difference of two pictures."""

from math import isfinite

import numpy as np

from convcli.analysis.difference import difference
from convcli.analysis.picture_difference import PictureDifference, seen
from convcli.analysis.similarity import BAND
from convcli.backend.checks import Array
from convcli.backend.values import EIGHT_BITS
from convcli.images.formats import FORMATS, NUMBERS
from convcli.images.modes import mode_of
from convcli.images.picture import Frame, Picture


def difference_map(a: Picture, b: Picture, found: PictureDifference, form: str) -> tuple[Picture, str]:
    """Return a picture of the differences, and a description of what it shows.

    It has all frames, or only the one with the largest difference if the format can hold only one. In a format of
    pictures it shows |A - B|, scaled so that the largest difference of all frames is white; in NPY, A - B itself.
    """
    colours, count = _colours(a), len(a.frames)
    if form not in NUMBERS and not FORMATS[form].holds(colours, count):
        frame, text = largest_frame(a, b, found)
        return Picture((frame,), form, loop=a.loop), text
    frames = tuple(_frame(a, b, number, form, colours, found.largest) for number in range(count))
    text = "A - B" if form in NUMBERS else f"|A - B|{_scale(found.largest)}"
    return Picture(frames, form, loop=a.loop), text


def largest_frame(a: Picture, b: Picture, found: PictureDifference) -> tuple[Frame, str]:
    """Return the frame with the largest difference as |A - B| in 8 bits, and a description of what it shows."""
    number = found.whole["frame"]
    which = f"frame {number}, where it is largest, " if len(a.frames) > 1 else ""
    return _frame(a, b, number, "PNG", _colours(a), found.largest), f"{which}|A - B|{_scale(found.largest)}"


def _colours(picture: Picture) -> str:
    return "RGB" if picture.frames[0].channels in ("RGB", "RGBA") else "L"


def _frame(a: Picture, b: Picture, number: int, form: str, colours: str, largest: float) -> Frame:
    one, other, _ = seen(a, b, number)
    frame = a.frames[number]
    if form in NUMBERS:
        return Frame(difference(one, other), mode_of(one.shape[2], "float64"))
    scaled = drawn(one, other, largest, has_alpha=frame.has_alpha, in_colours=colours == "RGB")
    return Frame(scaled, colours, frame.duration)


def _scale(largest: float) -> str:
    if not largest:
        return ", black: nothing differs"
    if largest == float("inf"):
        return ", white where the difference is infinite or only one is NaN, black elsewhere"
    return f" times {255 / largest:.4g}: white is {largest:g}"


def drawn(a: Array, b: Array, largest: float, *, has_alpha: bool, in_colours: bool) -> Array:
    """Return |a - b| as 8-bit pixels, scaled so that `largest` is white.

    a, b : (H, W, C)
    in_colours : whether to return (H, W, 3), where a difference of alpha is drawn in all three channels; otherwise
        (H, W), the largest difference of the channels

    If `largest` is infinite, infinite differences are white and all others black.
    """
    height = len(a)
    scaled = np.zeros((*a.shape[:2], 3) if in_colours else a.shape[:2], EIGHT_BITS)
    step = max(1, BAND * height // a.size)
    for top in range(0, height, step):
        apart = np.abs(difference(a[top : top + step], b[top : top + step]))
        if not isfinite(largest):
            apart = np.where(np.isfinite(apart), 0, 255)
        elif largest:
            apart *= 255 / largest
        if not in_colours:
            apart = apart.max(axis=2)
        elif has_alpha:
            apart = np.maximum(apart[..., :-1], apart[..., -1:])
        scaled[top : top + step] = np.rint(apart)
    return scaled
