"""The heights of a bell at whole places: what every Gaussian kernel is made of."""

from collections.abc import Callable, Sequence
from itertools import product
from math import exp, fsum, inf

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Line, Matrix, Number, check_side, check_sides, flat, nested, shape_of

MOST_WIDTH = 1e9  # of a bell, for its size to be told as a number that can be read
SMALLEST_SIGMA = 0.05  # below, one tap holds all but 1e-43 of a bell's weight, and an even size holds nothing


def check_sigma(kernel: str, sigma: float, name: str = "sigma") -> float:
    """Return `sigma` if it is the width of a bell, or raise ArgumentError."""
    if not SMALLEST_SIGMA <= sigma < inf:
        raise ArgumentError(f"{kernel}: {name} must be at least {SMALLEST_SIGMA} and finite, got {sigma}")
    return sigma


def side_for(sigma: float, size: int | None, limit: int, reach: float = 3) -> int:
    """Return the taps of a bell: `size`, or round(2 * reach * sigma + 1), or the odd number above."""
    return check_side(size if size is not None else round(min(2 * reach * sigma, MOST_WIDTH) + 1) | 1, limit)


def bell(sigma: float, side: int) -> Line:
    """Return the normal density at so many places around its middle, with a sum of 1."""
    heights = [exp(-((place / sigma) ** 2) / 2) for place in places(side)]
    total = sum(heights)
    return tuple(height / total for height in heights)


def places(side: int) -> list[float]:
    """Return the places of so many taps, counted from the middle: -1, 0, 1."""
    return [place - (side - 1) / 2 for place in range(side)]


def sampled(weight: Callable[..., Number], *axes: Sequence[Number]) -> Matrix:
    """Return what a function weighs every place of a grid, nested as deep as there are axes.

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
