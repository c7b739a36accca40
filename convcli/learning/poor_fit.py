"""What explains the residual of a poor fit: a larger window, the median of the window or the like, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.layers.axes import by_axes
from convcli.learning.least_squares import Fit, fit
from convcli.learning.picture_pairs import Geometry, Pair

Array = NDArray[Any]

ROUNDING = sqrt(1 / 12)  # root mean square error of rounding to integers
# Multiples of the rounding error above which a residual and a largest error are looked into. The latter is one level,
# twice the largest error of rounding: in pictures with few edges, only the largest errors show that the window is too
# small.
CLEAR, CLEAR_LARGEST = 1.2, sqrt(12)
OF_FLOATS = 1e-6  # rounding error of floats, relative to the standard deviation of the samples
LEVEL = 1 / 255  # of 8 bits, for samples of linear light
LITTLE = (
    0.5  # explained share of the variance of the samples below which the fit is reported to explain little
)
GAIN = 0.3  # share of the variance of the residuals from which a larger window is advised
AGREE = 0.99  # share of samples that are equal from which a picture is a median, a minimum or a maximum
BANDS = 8  # bands of rows that are looked at
FEW = 20  # samples per unknown that a comparison needs
SHARE, LEAST = 0.1, 2 * 10**8  # products for a comparison: this share of those of the fit, or this number
MAX_TRIED = 15  # largest side of a window whose median is computed


def words_on_residual(
    pairs: Sequence[Pair], geometry: Geometry, found: Fit, *, bias: bool, light: bool, largest: int
) -> tuple[str, ...]:
    """Return a sentence about what would explain the residual of a fit better, or that the fit explains little.

    Larger windows are only looked into without a stride, in pictures of the same size: on bands of rows, the residuals
    of the fit and of one with a window that is larger by one tap on each side are compared.

    light : whether the samples are linear light, decoded from integers
    largest : the largest side of a window
    """
    unit = _unit(pairs, found, light=light)
    if sqrt(found.squares / found.samples) <= CLEAR * unit and found.largest <= CLEAR_LARGEST * unit:
        return ()
    better = _better(pairs, geometry, found, bias=bias, largest=largest)
    explained = 1 - found.squares / found.variation if found.variation > 0 else 1.0
    if better or explained >= LITTLE or not found.weights.any():
        return better
    return (
        f"the second picture does not follow from the first by this kernel, which explains {100 * explained:.0f} % of "
        "its variance",
    )


def _better(
    pairs: Sequence[Pair], geometry: Geometry, found: Fit, *, bias: bool, largest: int
) -> tuple[str, ...]:
    """Return a sentence about a larger window, or a filter that is no convolution, if one explains the residual."""
    if set(geometry.stride) != {1} or any(pair.padding != "same" for pair in pairs):
        return ()
    larger = geometry._replace(kernel_size=tuple(side + 2 for side in geometry.kernel_size))
    unknowns = len(pairs[0].before) * prod(larger.kernel_size) + bias
    samples = int(max(SHARE * found.samples * found.unknowns**2, LEAST) / unknowns**2)
    bands = [band for pair in pairs for band in _bands(pair, geometry, samples // len(pairs))]
    if words := _rank_filter([small for small, _ in bands], geometry):
        return (words,)
    if max(larger.kernel_size) > largest or sum(wide.samples for _, wide in bands) < FEW * unknowns:
        return ()
    before, after = (
        _variance(fit(pairs, layout, bias=bias))
        for pairs, layout in zip(zip(*bands, strict=True), (geometry, larger), strict=True)
    )
    gain = 1 - after / before if before > 0 else 0.0
    if gain < GAIN:
        return ()
    advised = by_axes([min(largest, 2 * side + side % 2) for side in geometry.kernel_size])
    smaller = 100 * (1 - sqrt(1 - gain))
    return (
        f"the kernel is too small: with {by_axes(larger.kernel_size)} the residual is {smaller:.0f} % smaller; try a "
        f"larger `size`, such as {advised}",
    )


def _unit(pairs: Sequence[Pair], found: Fit, *, light: bool) -> float:
    """Return the root mean square error of a perfect fit, as far as the type of the samples determines it."""
    if light:
        return LEVEL * ROUNDING
    if all(pair.after.dtype.kind in "iu" for pair in pairs):
        return ROUNDING
    return OF_FLOATS * sqrt(found.variation / found.samples)


def _bands(pair: Pair, geometry: Geometry, samples: int) -> list[tuple[Pair, Pair]]:
    """Return bands of rows of a pair, with about that many samples: for the window, and for one tap more per side.

    Both have the same samples of the second picture.
    """
    down, right = geometry.dilation
    height, width = (n - 2 * d for n, d in zip(pair.after.shape[1:], geometry.dilation, strict=True))
    reach = (geometry.kernel_size[0] - 1) * down
    if min(height, width) < 1:
        return []
    rows = min(height, max(1, samples // width))
    count = min(BANDS, rows)
    found = []
    for number in range(count):
        top = (height - rows // count) * number // max(1, count - 1)
        stop = top + rows // count
        inner = (slice(None), slice(top + down, stop + down), slice(right, right + width))
        cut = replace(
            pair, after=pair.after[inner], counts=None if pair.counts is None else pair.counts[inner]
        )
        seen = slice(None), slice(top + down, stop + down + reach), slice(right, pair.before.shape[2] - right)
        around = slice(None), slice(top, stop + 2 * down + reach)
        found.append((replace(cut, before=pair.before[seen]), replace(cut, before=pair.before[around])))
    return found


def _variance(found: Fit) -> float:
    """Return the variance of the residuals, without bias by the number of unknowns."""
    outputs = len(found.weights)
    return found.squares / max(1, found.samples - found.rank * outputs)


def _rank_filter(pairs: Sequence[Pair], geometry: Geometry) -> str:
    """Return a sentence if the samples are the median, minimum or maximum of their windows; otherwise nothing."""
    from scipy import ndimage

    side = min(geometry.kernel_size)
    pairs = [pair for pair in pairs if pair.samples]
    if not pairs or len(pairs[0].before) > 1 or set(geometry.dilation) != {1} or side % 2 == 0:
        return ""
    for size in range(3, min(side, MAX_TRIED) + 1, 2):
        for name, run in (
            ("median", ndimage.median_filter),
            ("minimum", ndimage.minimum_filter),
            ("maximum", ndimage.maximum_filter),
        ):
            equal = [_share_equal(pair, geometry, partial(run, size=size)) for pair in pairs]
            if min(equal) >= AGREE:
                return (
                    f"{100 * np.mean(equal):.4g} % of the samples are the {name} of their {size}x{size} windows, which "
                    "is not a convolution: no kernel makes them"
                )
    return ""


def _share_equal(pair: Pair, geometry: Geometry, run: Any) -> float:
    """Return the share of samples that a filter of the window's centre makes of the first picture."""
    top, left = ((side - 1) // 2 for side in geometry.kernel_size)
    height, width = pair.after.shape[1:]
    made = run(pair.before[0])[top : top + height, left : left + width]
    equal = made == pair.after[0]
    return float(equal.mean() if pair.counts is None else equal[pair.counts[0]].mean())
