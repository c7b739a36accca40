"""A picture with alpha through one kernel: colours weighed by it, or kept from those that are not seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.sliding import Sliding, combined
from convcli.errors import ArgumentError
from convcli.kernels import Kernel
from convcli.kernels.kernel import flat

Array = NDArray[Any]


def premultiplied(sliding: Sliding, colour: Array, opacity: Array, kernel: Kernel) -> tuple[Array, Array]:
    """Weigh every colour by its alpha; alpha is smoothed with it.

    Where no neighbour is visible there is no weight, and the hidden colours are filtered as they are.
    """
    if not kernel.is_smoothing:
        raise ArgumentError(
            "alpha 'premultiply' takes a mean, so it needs a kernel of weights >= 0 with a sum above 0; "
            "use 'keep' or 'filter' with this kernel"
        )
    (matrix,) = kernel.matrices
    total = sum(flat(matrix))
    opaque = _opaque(opacity.dtype)
    weighted = sliding.sums(_weighted(colour, opacity), matrix, sliding.padding_value * opaque)
    weight = sliding.sums(opacity, matrix, opaque)
    hidden = sliding.sums(colour, matrix) / kernel.divisor
    numerator, denominator = weighted, weight
    if total != kernel.divisor:
        numerator, denominator = _product(weighted, total), _product(weight, kernel.divisor)
    mean = np.divide(numerator, denominator, out=hidden, where=weight != 0)
    return mean + float(kernel.offset), weight / total


def kept(sliding: Sliding, colour: Array, opacity: Array, kernel: Kernel) -> tuple[Array, Array]:
    """Filter the colours and leave alpha; a transparent neighbour has the colour of the pixel itself.

    sum(w * (v*c + (1-v)*own)) = sum(w * v * c) + own * sum(w * (1-v)), with v = 1 where visible, else 0.
    """
    visible = opacity > 0
    own = sliding.centres(_wide(colour), sliding.padding_value)
    seen = [
        sliding.sums(np.where(visible, colour, colour.dtype.type(0)), matrix) for matrix in kernel.matrices
    ]
    missing = [sliding.sums((~visible).astype(np.uint8), matrix, 0) for matrix in kernel.matrices]
    sums = [part + _product(own, weight) for part, weight in zip(seen, missing, strict=True)]
    return combined(sums, kernel), sliding.centres(opacity, _opaque(opacity.dtype))


def _weighted(colour: Array, opacity: Array) -> Array:
    """Return colours times alpha, in the shortest dtype that holds it."""
    if colour.dtype == np.uint8:
        return np.multiply(colour, opacity, dtype=np.uint16)
    return colour * _wide(opacity)


def _wide(x: Array) -> Array:
    """Return whole numbers as int64 and floats as float64, so that a product of two samples fits."""
    return x.astype(np.float64 if x.dtype.kind == "f" else np.int64)


def _opaque(dtype: np.dtype[Any]) -> float:
    """Return the alpha of a pixel that hides all behind it."""
    return 1.0 if dtype.kind == "f" else np.iinfo(dtype).max


def _product(x: Array, factor: Array | float) -> Array:
    """Return x * factor, exact where both are whole and the product fits, else as float64."""
    factor = np.asarray(factor)
    if x.dtype.kind == factor.dtype.kind == "i":
        most = max(abs(int(x.max())), abs(int(x.min()))) * max(abs(int(factor.max())), abs(int(factor.min())))
        if most < 2**63:
            return x * factor
    return x.astype(np.float64) * factor.astype(np.float64)
