"""A picture with alpha through one kernel: colours weighed by it, or kept from those that are not seen."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.units import SAMPLE, UNIT, Units
from convcli.backend.settled import Response, nearest
from convcli.backend.sliding import ONE, Sliding, combined, is_small, response_of, units_of
from convcli.errors import ArgumentError
from convcli.kernels import Kernel
from convcli.kernels.kernel import flat

Array = NDArray[Any]


def premultiplied(
    sliding: Sliding, colour: Array, opacity: Array, kernel: Kernel
) -> tuple[Response, Response]:
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
    units = None if kernel.is_whole else _mean_units(sliding, kernel, total, colour.dtype)
    if units is None:
        sliding = sliding.in_order(kernel, colour.dtype)
    opaque = _opaque(opacity.dtype)
    products, around = _weighted(colour, opacity), sliding.padding_value * opaque
    weighted = sliding.sums(products, matrix, around)
    weight = sliding.sums(opacity, matrix, opaque)
    hidden = sliding.sums(colour, matrix) / kernel.divisor
    numerator, denominator = weighted, weight
    if total != kernel.divisor:
        numerator, denominator = _product(weighted, total), _product(weight, kernel.divisor)
    visible = weight != 0
    mean = np.divide(numerator, denominator, out=hidden, where=visible) + float(kernel.offset)
    share = weight / total
    if units is None:
        return Response(mean), Response(share)
    of_colour, of_alpha = units
    sums = sliding.exactly(products, of_colour, around), sliding.exactly(opacity, of_alpha, opaque)
    plain, channels = sliding.exactly(colour, of_colour), prod(colour.shape[2:])

    def mean_at(places: Array) -> Array:
        over, under = sums[0](places)[0], sums[1](places // channels)[0]
        found, seen = plain(places)[0], under != 0
        over, under = np.where(seen, over, found), np.where(seen, under, ONE)
        return nearest((over << UNIT) + of_colour.offset * under, under << UNIT)

    weights = sliding.turned(matrix)
    relative = sliding.error([weights / total], of_alpha) + sliding.error(
        [weights / kernel.divisor], of_colour
    )
    largest = sliding.largest(colour.dtype)
    # The mean is at most `largest` times as large as the sum of the weights that it is divided by.
    error = 2 * largest * relative * (1 + opaque / np.where(visible, np.abs(share), opaque))
    alpha = Response(share, opaque * relative, lambda places: nearest(sums[1](places)[0], ONE))
    return Response(mean, np.broadcast_to(error, mean.shape), mean_at), alpha


def _mean_units(
    sliding: Sliding, kernel: Kernel, total: float, dtype: np.dtype[Any]
) -> tuple[Units, Units] | None:
    """Return the weights of the colours and those of the alpha, in units; None where no sums of them are exact."""
    if not is_small(dtype):
        return None
    weights = sliding.turned(kernel.matrices[0])
    of_colour = Units.of([weights / kernel.divisor], kernel.offset, sliding.padding_value)
    of_alpha = Units.of([weights / total], 0, 0.0)
    return None if of_colour is None or of_alpha is None else (of_colour, of_alpha)


def kept(sliding: Sliding, colour: Array, opacity: Array, kernel: Kernel) -> tuple[Response, Response]:
    """Filter the colours and leave alpha; a transparent neighbour has the colour of the pixel itself.

    sum(w * (v*c + (1-v)*own)) = sum(w * v * c) + own * sum(w * (1-v)), with v = 1 where visible, else 0.
    """
    units = units_of(sliding, kernel, colour.dtype)
    if units is None:
        sliding = sliding.in_order(kernel, colour.dtype)
    visible = opacity > 0
    own = sliding.centres(_wide(colour), sliding.padding_value)
    shown, hidden = np.where(visible, colour, colour.dtype.type(0)), (~visible).astype(np.uint8)
    seen = [sliding.sums(shown, matrix) for matrix in kernel.matrices]
    missing = [sliding.sums(hidden, matrix, 0) for matrix in kernel.matrices]
    sums = [part + _product(own, weight) for part, weight in zip(seen, missing, strict=True)]
    values = combined(sums, kernel)
    alpha = Response(sliding.centres(opacity, _opaque(opacity.dtype)))
    if units is None:
        return Response(values), alpha
    of_seen, of_missing = sliding.exactly(shown, units), sliding.exactly(hidden, units, 0)
    channels, middle = prod(colour.shape[2:]), own.reshape(-1)

    def sums_at(places: Array) -> Array:
        fraction = np.rint(middle[places] * 2.0**SAMPLE).astype(np.int64).astype(object)
        sums: Array = of_seen(places) + (of_missing(places // channels) * fraction >> SAMPLE)
        return sums

    largest = sliding.largest(colour.dtype)
    weights = [sliding.turned(matrix) / kernel.divisor for matrix in kernel.matrices]
    error = 2 * largest * sliding.error(weights, units)
    return response_of(values, sums_at, kernel, units, error), alpha


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
