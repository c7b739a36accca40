"""The mode and dtype of a result, determined before it is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcli.backend.values import EIGHT_BITS, raw_dtype
from convcli.errors import ArgumentError
from convcli.filters.frame_group import FrameGroup, Result
from convcli.filters.request import Request
from convcli.images.formats import FORMATS, NUMBERS
from convcli.images.modes import channels_of, mode_name
from convcli.images.picture import Frame, ImageError

if TYPE_CHECKING:
    import numpy as np

    from convcli.backend.values import Range

RAW = "NPY"  # a format of NUMBERS, which store values before `value_range`
ANY = "memory"  # no format: a result in memory, with any mode and number of channels
COLOURS = {1: "L", 3: "RGB", 4: "RGBA"}  # the channels of a picture for a number of maps
WITH_ALPHA = {"L": "LA", "RGB": "RGBA"}


def narrowed(
    value_range: Range | None, dtype: np.dtype[Any], mode: str, form: str, requested: np.dtype[Any] | None
) -> np.dtype[Any] | None:
    """Return the dtype of a result that is rounded to fewer bits; None if it keeps its dtype.

    It is the requested one, or 8 bits for floats with a range if the format holds no floats.
    """
    if requested is not None:
        return requested if dtype != requested and form not in NUMBERS else None
    into_eight = (
        dtype.kind == "f"
        and form not in (*NUMBERS, ANY)
        and value_range is not None
        and not FORMATS[form].holds(mode)
        and FORMATS[form].holds(channels_of(mode))
    )
    return EIGHT_BITS if into_eight else None


def check_sheet(drawn_by: str, form: str, target: str) -> None:
    """Raise ImageError if a format cannot hold the colours of a sheet, which an option draws."""
    if form != ANY and not FORMATS[form].holds("RGB"):
        able = [
            each.endings[0] for name, each in FORMATS.items() if name not in NUMBERS and each.holds("RGB")
        ]
        raise ImageError(
            f"cannot write {target}: {drawn_by} draws maps in colours, which {form} cannot hold; these can: "
            f"{', '.join(able)}"
        )


def result_mode(
    request: Request, name: str, target: str, group: FrameGroup, requested: np.dtype[Any] | None = None
) -> Result:
    """Return the mode and dtype of a group's result, or raise an error if its format cannot hold it.

    name, target : names of the input and the output in errors
    requested : the dtype to which results are rounded, if one is requested
    """
    frame, maps, form = group.frames[0], group.output_shape[0], group.form
    dtype = frame.pixels.dtype
    if request.sheet and form not in NUMBERS:
        check_sheet("`sheet`", form, target)
        return Result("RGB", EIGHT_BITS)
    if form in NUMBERS:
        if request.value_range is not None:
            raise ArgumentError(
                f"{name}: `value_range={request.value_range!r}` maps values to the depth of a picture, and {form} "
                "keeps them unchanged; leave it out"
            )
        if request.sheet:
            raise ArgumentError(
                f"{name}: `sheet` draws a picture, and {form} stores all maps without it; leave it out"
            )
        if requested is not None:
            bits = 8 * requested.itemsize
            raise ArgumentError(
                f"{name}: `depth='{bits}'` rounds the result to {bits} bits, and {form} keeps the values unchanged; "
                "leave it out"
            )
        dtype = raw_dtype(dtype)
    colours = _colours(frame, group, maps)
    if colours is None and form not in (*NUMBERS, ANY):
        kept = " and keeps alpha" if group.has_alpha else ""
        raise ImageError(
            f"cannot write {target}: the layer makes {maps} maps{kept}, and a picture has 1, 3 or 4 channels; give "
            "`output='x.npy'` for the values, `sheet=True` to draw them side by side, or `pool_channels` to reduce "
            "them to one"
        )
    mode = f"{maps + group.has_alpha} channels" if colours is None else mode_name(colours, dtype.name)
    narrow = narrowed(request.value_range, dtype, mode, form, requested)
    if narrow is not None:
        dtype = narrow
        mode = mode_name(colours or "L", dtype.name)
    return Result(mode, dtype)


def _colours(frame: Frame, group: FrameGroup, maps: int) -> str | None:
    """Return the channels of the result, or None if no picture has that number of channels."""
    if maps == group.shape[0]:
        return channels_of(frame.mode)
    named = COLOURS.get(maps)
    if group.has_alpha:
        return WITH_ALPHA.get(named or "")
    return named
