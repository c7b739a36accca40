"""Padding and cropping as an operator."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.borders import pad as bordered
from convcli.backend.checks import Array, as_array, as_padding_value, check_border
from convcli.errors import ArgumentError
from convcli.layers import Pad
from convcli.layers.padding import mode_of


def pad(
    x: ArrayLike,
    padding: int | Sequence[int | Sequence[int]],
    *,
    channels: Sequence[int] = (0, 0),
    mode: str = "zeros",
    value: complex = 0.0,
) -> Array:
    """Add elements before and after each spatial axis of x; negative numbers crop.

    Like PyTorch's pad, but with the axes in their order, as in NumPy's pad.

    Parameters
    ----------
    x : array_like, (N, C, *spatial)
        The input, never modified.
    padding : int, one per axis, or (before, after) pairs
        The numbers of elements; negative ones crop.
    channels : (before, after)
        The numbers of channels to add.
    mode, value
        What fills the padding: padding_mode and padding_value of `conv`.

    Returns
    -------
    ndarray, (N, before + C + after, *before + spatial + after)
        Of x's dtype.

    Raises
    ------
    ArgumentError
        If shapes do not match, nothing would be left, or the padding is too wide for the mode.

    Examples
    --------
    >>> from convcli import backend
    >>> backend.pad([[[1, 2, 3]]], ((2, -1),), mode="replicate")
    array([[[1, 1, 1, 2]]])

    """
    x = as_array("x", x)
    if x.ndim < 3:
        raise ArgumentError(f"x has shape {x.shape}; it must be (N, C, *spatial)")
    mode = mode_of(mode)
    layer = Pad(padding, channels=channels, mode=mode, dims=x.ndim - 2)
    layer.output_shape(x.shape[1:])
    return pad_axes(x, ((0, 0), layer.channels, *layer.padding), mode, value)


def pad_axes(x: Array, pairs: Sequence[Sequence[int]], mode: str, value: complex = 0.0) -> Array:
    """Return x padded on every axis, including the batch axis; cropping is done first."""
    fill = as_padding_value(value, mode, x)
    kept = tuple(
        slice(max(0, -before), n - max(0, -after)) for n, (before, after) in zip(x.shape, pairs, strict=True)
    )
    y = x[kept]
    wide = tuple((max(0, before), max(0, after)) for before, after in pairs)
    padded = [axis for axis, pair in enumerate(wide) if any(pair)]
    check_border(mode, [wide[axis] for axis in padded], [y.shape[axis] for axis in padded])
    y = bordered(y, wide, range(x.ndim), mode, fill.item())
    return y.copy() if np.may_share_memory(y, x) else y
