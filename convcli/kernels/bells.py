"""Sampled Gaussian curves, the basis of all Gaussian kernels."""

from collections.abc import Callable, Sequence
from itertools import product
from math import exp, fsum, inf

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Line, Matrix, Number, check_side, check_sides, flat, nested, shape_of

MAX_WIDTH = 1e9  # widths are clipped here, so that errors show a readable size
SMALLEST_SIGMA = 0.05  # below, one tap has all but 1e-43 of the weight, and all taps of an even size are 0


def check_sigma(kernel: str, sigma: float, name: str = "sigma") -> float:
    """Return `sigma` if it is a valid standard deviation, or raise ArgumentError."""
    if not SMALLEST_SIGMA <= sigma < inf:
        raise ArgumentError(f"{kernel}: {name} must be at least {SMALLEST_SIGMA} and finite, got {sigma}")
    return sigma


def side_for(sigma: float, size: int | None, limit: int, reach: float = 3) -> int:
    """Return the number of taps of a Gaussian: `size`, or round(2 * reach * sigma + 1), made odd by rounding up."""
    return check_side(size if size is not None else round(min(2 * reach * sigma, MAX_WIDTH) + 1) | 1, limit)


def bell(sigma: float, side: int) -> Line:
    """Return the normal density sampled at `side` places around its middle, normalised to sum to 1."""
    heights = [exp(-((place / sigma) ** 2) / 2) for place in places(side)]
    total = sum(heights)
    return tuple(height / total for height in heights)


def places(side: int) -> list[float]:
    """Return the coordinates of `side` taps, relative to the middle: -1, 0, 1."""
    return [place - (side - 1) / 2 for place in range(side)]


def sampled(weight: Callable[..., Number], *axes: Sequence[Number]) -> Matrix:
    """Return the values of a function at every point of a grid, nested as deep as there are axes.

    >>> sampled(lambda y, x: 10 * y + x, (0, 1), (2, 3))
    ((2, 3), (12, 13))
    """
    check_sides(*map(len, axes))
    return nested([weight(*place) for place in product(*axes)], [len(axis) for axis in axes])


def without_mean(matrix: Matrix) -> Matrix:
    """Subtract the mean, so that the weights sum to 0."""
    weights = list(flat(matrix))
    mean = fsum(weights) / len(weights)
    return nested([weight - mean for weight in weights], shape_of(matrix))
