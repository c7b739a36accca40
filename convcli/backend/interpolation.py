"""Resizing: nearest, linear and cubic interpolation along each axis."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.checks import Array, as_array, as_batch, check_room, spatial_axes
from convcli.backend.dtypes import as_input, cast, computing_float
from convcli.layers import Resize
from convcli.layers.axes import PerAxis
from convcli.layers.base import Reach
from convcli.layers.resize import Coordinates, Mode, Rounding

CUBIC = -0.75  # the cubic kernel's parameter in PyTorch and OpenCV; -0.5 gives Catmull-Rom splines


def resize(
    x: ArrayLike,
    *,
    scale: float | Sequence[float] | None = None,
    size: PerAxis | None = None,
    mode: Mode = "nearest",
    coordinates: Coordinates | None = None,
    rounding: Rounding = "floor",
    cubic: float = CUBIC,
) -> Array:
    """Resize x on every spatial axis.

    Like PyTorch's interpolate, and ONNX's Resize in whose terms the options are given. Output y of o is taken at
    position y * n / o, rounded down (`nearest`), or (y + 1/2) * n / o - 1/2 (the other modes), computed in integers.

    Parameters
    ----------
    x : array_like, (N, C, *spatial), or (C, *spatial) if an option has one number per axis
        The input, never modified.
    scale : number or one per axis, optional
        The factor of the size; the output size is rounded down.
    size : int or one per axis, optional
        The output size; give either scale or size.
    mode : str
        `nearest` copies elements, `bilinear` interpolates between two neighbours per axis, `bicubic` between four.
    coordinates : str, optional
        The input position of each output: `asymmetric`, `half-pixel`, `pytorch-half-pixel` or
        `align-corners`; see `layers.Resize`. By default `asymmetric` for nearest, `half-pixel` for the others.
    rounding : str
        For nearest: `floor`, `ceil`, `half-down` or `half-up`.
    cubic : float
        The parameter a of the cubic kernel of Keys (1981).

    Returns
    -------
    ndarray, (N, C, *output) or (C, *output)
        Of x's dtype; interpolation gives float64 for integers, and computes float16 in float32.

    Raises
    ------
    ArgumentError
        If shapes do not match, or not exactly one of scale and size is given.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> backend.resize([[[1, 2]]], scale=(3,))
    array([[[1, 1, 1, 2, 2, 2]]])
    >>> backend.resize([[[1, 2]]], scale=(2,), mode="bilinear")
    array([[[1.  , 1.25, 1.75, 2.  ]]])
    >>> backend.resize([[[1, 2]]], size=(3,), mode="bilinear", coordinates="align-corners")
    array([[[1. , 1.5, 2. ]]])
    >>> backend.resize(np.zeros((1, 3, 32, 32)), size=(48, 20)).shape
    (1, 3, 48, 20)

    """
    x = as_array("x", x)
    options: dict[str, Any] = {
        "scale": scale,
        "size": size,
        "mode": mode,
        "coordinates": coordinates,
        "rounding": rounding,
    }
    Resize(**options)  # report errors that do not depend on x first
    dims = spatial_axes(x, "size" if scale is None else "scale", scale, size)
    x, alone = as_batch(x, dims, f"the size {size}" if scale is None else f"the scale {scale}")
    layer = Resize(**options, dims=dims)
    _, *output = layer.output_shape(x.shape[1:])
    check_room("the output", (*x.shape[:2], *output), x.dtype)
    y = x
    with np.errstate(all="ignore"):
        for axis, (low, share) in enumerate(_places(layer, x.shape[2:]), start=2):
            if mode == "nearest":
                y = y.take(low.clip(0, x.shape[axis] - 1), axis=axis)
            else:
                weights = _linear(share) if mode == "bilinear" else keys_weights(share, cubic)
                y = _blended(cast(y, computing_float(x.dtype)), axis, low, weights)
        y = as_input(y, x)
    return y[0] if alone else y


def _places(layer: Resize, sizes: tuple[int, ...]) -> Iterator[tuple[Array, Array]]:
    """Yield, for each axis, the positions of the outputs: the integer part, and the rest in [0, 1)."""
    # The first of the four neighbours is one before the position.
    behind = 1 if layer.mode == "bicubic" else 0
    for count, seen in zip(layer.output_shape((1, *sizes))[1:], layer.sees(sizes), strict=True):
        assert isinstance(seen, Reach)
        places = [divmod(seen.step * y + seen.low, seen.scale) for y in range(count)]
        yield (
            np.array([whole + behind for whole, _ in places], np.intp),
            np.array([rest / seen.scale for _, rest in places]),
        )


def _linear(share: Array) -> tuple[tuple[int, Array], ...]:
    """Return the offsets and weights of the two neighbours of a position."""
    return (0, 1 - share), (1, share)


def keys_weights(share: Array, a: float) -> tuple[tuple[int, Array], ...]:
    """Return the offsets and weights of the four neighbours: Keys (1981), "Cubic convolution interpolation", eq. 4."""

    def near(d: Array) -> Array:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Array) -> Array:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return (-1, far(share + 1)), (0, near(share)), (1, near(1 - share)), (2, far(2 - share))


def _blended(x: Array, axis: int, low: Array, weights: tuple[tuple[int, Array], ...]) -> Array:
    """Interpolate along one axis; beyond the ends the outermost elements are repeated."""
    n = x.shape[axis]
    y: Array | None = None
    for offset, weight in weights:
        part = x.take((low + offset).clip(0, n - 1), axis=axis)
        column = weight.astype(x.real.dtype).reshape(-1, *(1,) * (x.ndim - 1 - axis))
        part *= column
        np.copyto(part, 0, where=column == 0)  # 0 * infinity would be NaN
        if y is None:
            y = part
        else:
            y += part
    assert y is not None
    return y
