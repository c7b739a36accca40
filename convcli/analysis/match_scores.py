"""The zero-mean normalised cross-correlation of a template with every window of a picture."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from convcli.backend.algorithms.costs import fft_size
from convcli.backend.algorithms.slide import Slide
from convcli.backend.checks import Array, as_array
from convcli.backend.convolution import conv
from convcli.backend.windows import window_deviations
from convcli.cores import cores
from convcli.errors import ArgumentError
from convcli.images.size_in_words import size_in_words
from convcli.layers.axes import Sizes

TILE = 1024  # rows and columns of the scores that are calculated at once; more for large templates
SAMPLED = 16  # the median of a channel is taken of every 16th row and column
ROUNDING = 8 * float(np.finfo(np.float64).eps)  # error of a transform, relative to the norm of its input
SQUARABLE = 1e60  # floats between this and its inverse can be squared and added without overflow or underflow
NUMBER, PATTERNS = 8, 4  # bytes of a float64; copies of the template while it is prepared
CLEAR = 100  # a contrast counts if it is more than this many rounding errors


def match_scores(
    pixels: ArrayLike, template: ArrayLike, mask: ArrayLike | None = None, *, threads: int | None = None
) -> Array:
    """Return the score of a template at every place of a picture, from -1 to 1.

    The score is the zero-mean normalised cross-correlation of the template t with the window x under it,

        sum(w * (t - mean t) * (x - mean x)) / sqrt(sum(w * (t - mean t)^2) * sum(w * (x - mean x)^2))

    (Lewis, "Fast normalized cross-correlation" (1995), equation 2; OpenCV's TM_CCOEFF_NORMED). Means are taken for each
    channel, sums over all channels. The score does not depend on brightness and contrast: 1 is a perfect match, -1 a
    perfect negative, and a window of constant value scores 0.

    Parameters
    ----------
    pixels : array_like, (H, W) or (H, W, C)
        Integers or floats, all finite.
    template : array_like, (h, w) or (h, w, C)
        No larger than the picture, and not of constant value.
    mask : array_like, (h, w), optional
        The weights w >= 0 of the template's pixels, the same for sums and means; all 1 by default. If they are only
        0 and 1, this is OpenCV's matchTemplate with a mask.
    threads : int, optional
        The number of threads; one per core by default. It does not change the scores.

    Returns
    -------
    ndarray of float64, (H - h + 1, W - w + 1)
        The score of the window whose upper left corner has the same row and column.

    Notes
    -----
    The numerator is one convolution by the fastest method (FFT for large templates). The contrast of the windows is
    summed without cancellation. The scores are calculated in tiles, which limits the additional memory. A window counts
    as constant if its contrast is below the rounding error of the transforms: 1e-11 of the contrast around it, or
    1e-6 with a mask.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli.analysis.match_scores import match_scores
    >>> picture = np.random.default_rng(0).integers(0, 256, (40, 60))
    >>> scores = match_scores(picture, picture[10:18, 30:42])
    >>> scores.shape, round(float(scores[10, 30]), 9)
    ((33, 49), 1.0)

    """
    x, t = _as_picture("pixels", pixels), _as_picture("template", template)
    if x.shape[2] != t.shape[2]:
        raise ArgumentError(
            f"pixels {x.shape} have {x.shape[2]} channels, the template {t.shape} has {t.shape[2]}; "
            "both must have the same channels, such as grey"
        )
    size = t.shape[:2]
    if any(k > n for k, n in zip(size, x.shape, strict=False)):
        raise ArgumentError(
            f"the template is {size_in_words(size)}, larger than the picture, which is "
            f"{size_in_words(x.shape)}; crop the template, or swap the two"
        )
    x, t = _squarable(x), _squarable(t)
    pattern = _Pattern.of(t, mask)
    middle = np.median(x[::SAMPLED, ::SAMPLED], axis=(0, 1)).round()
    places = tuple(n - k + 1 for n, k in zip(x.shape, size, strict=False))
    out = np.empty(places)

    def score(tile: tuple[slice, slice]) -> None:
        part = np.ascontiguousarray(np.moveaxis(x[_seen(tile, size)], 2, 0), np.float64)
        part -= middle[:, np.newaxis, np.newaxis]
        out[tile] = pattern.scores(part)

    tiles = list(_tiles(places, size))
    workers = min(len(tiles), threads or cores())
    if workers == 1:
        for tile in tiles:
            score(tile)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(score, tiles))
    return out


def match_bytes(
    shape: Sizes, size: Sizes, channels: int, *, masked: bool = False, threads: int | None = None
) -> int:
    """Estimate the bytes that `match_scores` needs in addition to the picture, including the returned scores.

    shape, size : rows and columns of the picture and of the template, which is no larger
    """
    places = tuple(n - k + 1 for n, k in zip(shape, size, strict=True))
    taken = []
    for tile in _tiles(places, size):
        outputs = tuple(some.stop - some.start for some in tile)
        seen = prod(n + k - 1 for n, k in zip(outputs, size, strict=True))
        slide = Slide(size, (1, 1), (1, 1), outputs)
        transformed = min(seen, prod(fft_size(slide)))
        # The tile and its magnitudes, a sum of either, and the spectra of tile and kernel.
        held = 2 * channels + 2, 2.5 * channels + 1
        if masked:  # also a copy of each channel and the sum of squares, with a sum of each
            held = channels + 1 + 4 * (channels + 1), 3.5 * (channels + 1)
        # Or the contrast of windows, while its moments are merged.
        taken.append(max(held[0] * seen + held[1] * transformed, (channels + 5 + (channels > 1)) * seen))
    together = sorted(taken)[-(threads or cores()) :]
    return NUMBER * int(prod(places) + sum(together) + PATTERNS * prod(size) * channels)


@dataclass(frozen=True)
class _Pattern:
    """A template prepared for correlation.

    kernel : (1, C, h, w), the template less its mean, normalised and multiplied by the weights
    weights : (h, w), or None if all are 1
    """

    kernel: Array
    weights: Array | None

    @classmethod
    def of(cls, template: Array, mask: ArrayLike | None) -> _Pattern:
        weights = np.ones(template.shape[:2])
        if mask is not None:
            weights = as_array("mask", mask).astype(np.float64)
            _check_mask(weights, template.shape[:2])
            weights /= weights.max()
        t = np.moveaxis(template, 2, 0).astype(np.float64)
        lost = 16 * np.finfo(np.float64).eps * np.abs(t).max()  # by rounding of the mean
        for _ in range(
            2
        ):  # the rounding error of the first mean would be multiplied by the window's brightness
            t = t - (t * weights).sum(axis=(1, 2), keepdims=True) / weights.sum()
        t[np.abs(t) <= lost] = 0
        norm = np.sqrt((weights * t * t).sum())
        if not norm:
            seen = "" if mask is None else " where the mask is not 0"
            raise ArgumentError(
                f"the template is flat: all its pixels are equal{seen}, so it has no contrast to match; choose a part "
                "with some contrast"
            )
        return cls((weights * t / norm)[np.newaxis], None if weights.min() == 1 else weights)

    def scores(self, x: Array) -> Array:
        """Return the scores of a tile x (C, rows, columns), of float64."""
        fit: Array = conv(x, self.kernel)[0]
        fit_error = ROUNDING * float(np.linalg.norm(x))
        if self.weights is None:
            contrast = window_deviations(x[0], self.kernel.shape[2:])
            for channel in x[1:]:
                contrast += window_deviations(channel, self.kernel.shape[2:])
            lost = (CLEAR * fit_error) ** 2
        else:
            contrast, lost = self._weighted_contrast(x)
        seen = contrast > lost
        np.sqrt(contrast, out=contrast, where=seen)
        fit = np.divide(fit, contrast, out=np.zeros_like(fit), where=seen)
        return fit.clip(-1, 1)

    def _weighted_contrast(self, x: Array) -> tuple[Array, float]:
        """Return sum(w * x^2) - sum(w * x)^2 / sum(w), and the bound below which it is only rounding error."""
        assert self.weights is not None
        channels = np.concatenate([x, (x * x).sum(axis=0, keepdims=True)])
        kernels = np.broadcast_to(self.weights, (len(channels), 1, *self.weights.shape))
        sums = conv(channels, kernels, groups=len(channels))
        contrast: Array = sums[-1] - (sums[:-1] ** 2).sum(axis=0) / self.weights.sum()
        largest = float(np.abs(x).max())
        error = ROUNDING * largest * float(np.linalg.norm(x) * np.linalg.norm(self.weights))
        return contrast, CLEAR * error


def _as_picture(name: str, value: ArrayLike) -> Array:
    """Return a picture as (H, W, C)."""
    array = as_array(name, value, "biuf")
    if array.ndim not in (2, 3) or not array.size:
        raise ArgumentError(f"{name} has shape {array.shape}; it must be (H, W) or (H, W, C), and not empty")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ArgumentError(
            f"{name} holds {array[place]} at {place}, which cannot be correlated; replace what is not finite"
        )
    return array if array.ndim == 3 else array[..., np.newaxis]


def _squarable(array: Array) -> Array:
    """Scale floats so that their squares neither overflow nor underflow; a factor does not change the scores."""
    if array.dtype.kind != "f":
        return array
    most = float(max(-array.min(), array.max()))
    return array if not most or 1 / SQUARABLE < most < SQUARABLE else array / array.dtype.type(most)


def _check_mask(weights: Array, size: Sizes) -> None:
    if weights.shape != size:
        raise ArgumentError(
            f"mask has shape {weights.shape}; it must have the template's rows and columns, {tuple(size)}"
        )
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.max() > 0):
        raise ArgumentError(
            f"mask has weights from {weights.min()} to {weights.max()}; they must be finite, at least 0 and not all 0"
        )


def _tiles(places: Sizes, size: Sizes) -> Iterator[tuple[slice, slice]]:
    """Divide the places into tiles whose sides are TILE, or three times the template's if that is more."""
    sides = [max(TILE, 3 * k) for k in size]
    for top, left in product(*(range(0, n, side) for n, side in zip(places, sides, strict=True))):
        yield slice(top, min(places[0], top + sides[0])), slice(left, min(places[1], left + sides[1]))


def _seen(tile: tuple[slice, slice], size: Sizes) -> tuple[slice, ...]:
    """Return the part of the picture that the windows at a tile of places cover."""
    return tuple(slice(s.start, s.stop + k - 1) for s, k in zip(tile, size, strict=True))
