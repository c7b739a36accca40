"""Describe in words what pictures do not determine about a kernel."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.layers.axes import by_axes

Array = NDArray[Any]

INSIDE = 1e-5  # relative tolerance for a change to lie in the space of changes that make no difference
MAX_NAMED = 6  # largest number of weights that are listed
MAX_SHOWN = 25  # largest number of weights of a change that is shown


def undetermined_words(basis: Array, shape: tuple[int, int, int], unit: float, middle: float) -> list[str]:
    """Return sentences about the changes of weights and bias that make no difference on the pictures.

    basis : (unknowns, changes), orthonormal; the weights (C, kh, kw) in reading order, then the bias if there is one,
        in units of `unit`, for samples from which `middle` is subtracted
    """
    bias = len(basis) > prod(shape)
    channels, height, width = shape
    rest = basis
    if not rest.shape[1]:
        return []
    unknowns, determined = len(basis), len(basis) - basis.shape[1]
    lines = [
        f"the pictures determine {determined} of {unknowns} numbers; of all kernels that fit equally well, this is "
        "the one with the smallest weights"
    ]
    what = "first picture" if channels == 1 else "first picture, in any channel,"
    for axis, (one, other) in enumerate((("row", "column"), ("column", "row")), 1):
        moves = _moves(shape, axis)
        if moves.shape[1] and _holds(basis, moves):
            lines.append(
                f"the {what} does not change from {one} to {one}: only the sum of each {other} of weights is determined"
            )
            rest = _without(rest, moves)
    unused = {
        tap: change
        for tap in range(channels * height * width)
        if rest.shape[1] and _holds(rest, change := _one(rest, tap, bias=bias))
    }
    if unused:
        names = [_tap(tap, shape) for tap in list(unused)[:MAX_NAMED]]
        more = f" and {len(unused) - MAX_NAMED} more" if len(unused) > MAX_NAMED else ""
        words = (
            ("weight", "is always multiplied by")
            if len(unused) == 1
            else ("weights", "are always multiplied by")
        )
        lines.append(
            f"the {words[0]} {', '.join(names)}{more} {words[1]} {'the same value' if bias else '0'}"
        )
        rest = _without(rest, np.concatenate(list(unused.values()), axis=1))
    if rest.shape[1]:
        lines.append(_example(rest, shape, unit, middle))
    return lines


def _moves(shape: tuple[int, int, int], axis: int) -> Array:
    """Return the changes that move weight along an axis: (weights, changes)."""
    steps = []
    size = list(shape)
    for place in np.ndindex(*shape):
        if place[axis] + 1 < size[axis]:
            change = np.zeros(shape)
            change[place] = 1
            change[tuple(p + (a == axis) for a, p in enumerate(place))] = -1
            steps.append(change.ravel())
    return np.array(steps).T.reshape(prod(shape), -1)


def _one(basis: Array, tap: int, *, bias: bool) -> Array:
    """Return the change of one weight, with the change of the bias that compensates it best."""
    change = np.zeros((len(basis), 1))
    change[tap] = 1
    if bias:
        last = np.zeros_like(change)
        last[-1] = 1
        outside, beside = (each - basis @ (basis.T @ each) for each in (change, last))
        size = float((beside**2).sum())
        change -= last * (float((outside * beside).sum()) / size if size > INSIDE**2 else 0)
    return change


def _padded(basis: Array, changes: Array) -> Array:
    """Return changes of weights as changes of all unknowns."""
    return np.pad(changes, ((0, len(basis) - len(changes)), (0, 0)))


def _holds(basis: Array, changes: Array) -> bool:
    """Return whether all changes lie in the space of a basis."""
    changes = _padded(basis, changes)
    outside = changes - basis @ (basis.T @ changes)
    return bool((np.linalg.norm(outside, axis=0) <= INSIDE * np.linalg.norm(changes, axis=0)).all())


def _without(basis: Array, changes: Array) -> Array:
    """Return a basis of the part of a space that is orthogonal to some changes in it."""
    from scipy.linalg import orth

    taken = orth(_padded(basis, changes))
    rest = basis - taken @ (taken.T @ basis)
    left = basis.shape[1] - np.linalg.matrix_rank(basis.T @ taken, tol=0.5)
    u, _, _ = np.linalg.svd(rest, full_matrices=False)
    return np.asarray(u[:, :left])


def _tap(tap: int, shape: tuple[int, int, int]) -> str:
    """Return the name of a weight: its row and column, counted from 0."""
    channel, row, column = np.unravel_index(tap, shape)
    return f"({row}, {column})" if shape[0] == 1 else f"({channel}, {row}, {column})"


def _example(rest: Array, shape: tuple[int, int, int], unit: float, middle: float) -> str:
    """Return a sentence with an example of the remaining changes."""
    count, taps = rest.shape[1], prod(shape)
    bias = len(rest) > taps
    what = "one more combination" if count == 1 else f"{count} more combinations"
    change = rest[:, 0] / rest[np.abs(rest[:taps, 0]).argmax(), 0]
    weights = change[:taps].reshape(shape)
    if weights.size > MAX_SHOWN or shape[0] > 1:
        return f"{what} of the {by_axes(shape[1:])} weights {'and the bias ' if bias else ''}can be added"
    rows = "; ".join(" ".join(f"{weight:.3g}" for weight in np.round(row, 6) + 0.0) for row in weights[0])
    moved = change[-1] * unit - middle * weights.sum() if bias else 0.0
    also = f" with {moved:.3g} for the bias" if abs(moved) > INSIDE * unit else ""
    return f"{what} can be added without any effect, such as '{rows}'{also}"
