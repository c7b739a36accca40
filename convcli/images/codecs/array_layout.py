"""Convert between axis orders of arrays: channels last (pictures), channels first, and volumes of slices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.images.picture import ImageError

Array = NDArray[Any]

# The axes of an array in each layout, by its number of dimensions.
AXES = {
    "hwc": {1: "W", 2: "HW", 3: "HWC", 4: "NHWC"},
    "chw": {2: "HW", 3: "CHW", 4: "NCHW"},
    "dhw": {3: "DHW", 4: "DHWC"},
}
_ORDER = "NDHWC"  # axis order of a picture: frames or slices, rows, columns, channels


def arranged(array: Array, layout: str, name: str) -> Array:
    """Return an array as (H, W), (H, W, C) or (frames, H, W, C); raise ImageError if its dimensions do not fit.

    >>> import numpy as np
    >>> arranged(np.zeros((3, 20, 30)), "chw", "x").shape, arranged(np.zeros((3, 20, 30)), "dhw", "x").shape
    ((20, 30, 3), (3, 20, 30, 1))
    """
    return array.transpose(_order(array.shape, layout, name)).reshape(
        arranged_shape(array.shape, layout, name)
    )


def arranged_shape(shape: tuple[int, ...], layout: str, name: str) -> tuple[int, ...]:
    """Return the shape that `arranged` would return, without an array."""
    ordered = tuple(shape[axis] for axis in _order(shape, layout, name))
    return (*ordered, 1) if AXES[layout][len(shape)] == "DHW" else ordered


def _order(shape: tuple[int, ...], layout: str, name: str) -> list[int]:
    """Return the permutation of axes that turns an array into a picture."""
    axes = AXES[layout].get(len(shape))
    if axes is None:
        known = " or ".join(f"({', '.join(each)})" for each in AXES[layout].values())
        raise ImageError(
            f"cannot read {name}: its shape {shape} does not fit `layout={layout!r}`, which takes {known}"
        )
    return [axes.index(axis) for axis in _ORDER if axis in axes]


def restored(array: Array, layout: str) -> Array:
    """Undo `arranged`: convert (H, W), (H, W, C) or (frames, H, W, C) to a layout."""
    if layout == "chw" and array.ndim > 2:
        return np.moveaxis(array, -1, -3)
    if layout == "dhw" and array.ndim == 4 and array.shape[-1] == 1:
        return array[..., 0]
    return array
