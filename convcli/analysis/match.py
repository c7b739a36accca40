"""Template matching by normalised cross-correlation: find a smaller picture in a larger one."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convcli.analysis.match_scores import match_scores
from convcli.backend.checks import Array
from convcli.errors import ArgumentError
from convcli.layers.axes import whole


class Place(NamedTuple):
    """A place where a template was found: the upper left corner of the window, and the score."""

    row: int
    column: int
    score: float


def match(
    picture: ArrayLike,
    template: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    top: int = 1,
    threads: int | None = None,
) -> list[Place]:
    """Find a template in a picture and return the best places, the best one first.

    Parameters
    ----------
    picture : array_like, (H, W) or (H, W, C)
        Integers or floats, all finite.
    template : array_like, (h, w) or (h, w, C)
        No larger than the picture, and not of constant value.
    mask : array_like, (h, w), optional
        The weights of the template's pixels; pixels of weight 0 are ignored.
    top : int
        The largest number of places to return. Two places differ by at least half the template's rows or columns.
    threads : int, optional
        The number of threads; one per core by default. It does not change the scores.

    Returns
    -------
    list of Place
        With the `row` and the `column` of the upper left corner of the window, and its `score`: the zero-mean
        normalised cross-correlation, above 0 and at most 1, a perfect match. It does not depend on brightness and
        contrast.

    Raises
    ------
    ArgumentError
        If the template is larger than the picture, has other channels or a constant value, or if something is not
        finite.

    Examples
    --------
    >>> import numpy as np
    >>> import convcli
    >>> picture = np.random.default_rng(0).integers(0, 256, (40, 60))
    >>> [place] = convcli.match(picture, picture[10:18, 30:42])
    >>> place.row, place.column, round(place.score, 9)
    (10, 30, 1.0)

    """
    if isinstance(top, bool) or not isinstance(top, int | np.integer) or top < 1:
        raise ArgumentError(f"top={top!r} is not a whole number of at least 1")
    if threads is not None:
        threads = whole("threads", threads, 1)
    return best_places(match_scores(picture, template, mask, threads=threads), top, np.shape(template)[:2])


def best_places(scores: Array, count: int, size: Sequence[int]) -> list[Place]:
    """Return the `count` best places of a map of scores, the best one first.

    A place must score above 0 and at least as much as its eight neighbours, and must not be close to a better one: any
    two places differ by at least half the rows or half the columns of the template. Places with equal scores are in
    reading order.

    size : rows and columns of the template

    >>> best_places(np.array([[0.9, 0.1, 0.9], [0.1, 0.0, 0.5]]), count=9, size=(3, 3))
    [Place(row=0, column=0, score=0.9), Place(row=0, column=2, score=0.9)]
    """
    apart = tuple(-(-side // 2) for side in size)
    left = np.where(_peaks(scores), scores, -np.inf)
    left[left <= 0] = -np.inf
    tops = left.max(axis=1)
    found: list[Place] = []
    while len(found) < count:
        row = int(tops.argmax())
        if not np.isfinite(tops[row]):
            break
        column = int(left[row].argmax())
        found.append(Place(row, column, float(left[row, column])))
        near = tuple(slice(max(0, p - a + 1), p + a) for p, a in zip((row, column), apart, strict=True))
        left[near] = -np.inf
        tops[near[0]] = left[near[0]].max(axis=1)
    return found


def as_grey(scores: Array, dtype: DTypeLike) -> Array:
    """Return a map of scores as integer grey values: -1 is black, 0 middle grey, 1 white; halves are rounded to even.

    >>> as_grey(np.array([-1.0, 0.0, 1.0]), "uint8").tolist()
    [0, 128, 255]
    """
    grey, scale = np.empty(scores.shape, dtype), np.iinfo(dtype).max / 2
    for row, some in zip(grey, scores, strict=True) if scores.ndim > 1 else ((grey, scores),):
        row[...] = np.rint((some + 1) * scale)
    return grey


def _peaks(scores: Array) -> Array:
    """Return whether each place scores at least as much as each of its eight neighbours."""
    peaks = np.ones(scores.shape, bool)
    for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here, there = (_shifted(scores.shape, down * s, across * s) for s in (-1, 1))
        peaks[here] &= scores[here] >= scores[there]
        peaks[there] &= scores[there] >= scores[here]
    return peaks


def _shifted(shape: tuple[int, ...], *shifts: int) -> tuple[slice, ...]:
    """Return the part of an array that still overlaps it when the array is shifted."""
    return tuple(slice(max(0, s), n + min(0, s)) for n, s in zip(shape, shifts, strict=True))
