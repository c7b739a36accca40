"""Separable kernels: their factors, and one pass per axis."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms import direct
from convcli.backend.algorithms.slide import Slide
from convcli.errors import ArgumentError
from convcli.layers.axes import by_axes

Array = NDArray[Any]
Factors = tuple[
    Array, ...
]  # for each spatial axis (terms, ..., k): the sum of their outer products is the kernel


def factors(weight: Array, dims: int) -> Factors | None:
    """Return the factors of kernels (..., *k) of rank 1, or None if a kernel has a higher rank.

    A kernel of rank 1 is the outer product of its fibres through any nonzero element, divided by that element
    dims - 1 times; the largest element loses the fewest digits. Integer fibres are divided by their common divisors,
    which makes every factor an integer: by Gauss's lemma the product of primitive vectors is primitive.
    """
    shape = weight.shape[weight.ndim - dims :]
    whole = weight.dtype.kind in "biu"
    kernels = weight.reshape(-1, *shape).astype(np.int64 if whole else weight.dtype, copy=False)
    at = np.unravel_index(_magnitudes(kernels).argmax(axis=1), shape)
    every = np.arange(len(kernels))
    fibres = [
        np.moveaxis(kernels, axis + 1, -1)[(every, *(at[other] for other in range(dims) if other != axis))]
        for axis in range(dims)
    ]
    pivot = kernels[(every, *at)]
    if whole:
        fibres = [_primitive(fibre) for fibre in fibres]
        top = np.prod([fibre[every, at[axis]] for axis, fibre in enumerate(fibres)], axis=0)
        fibres[0] = fibres[0] * (pivot // np.where(top == 0, 1, top))[:, np.newaxis]
        # Modulo 2**64 a wrong product may compare equal; the comparison of floats rules that out.
        fits = _close(kernels, fibres, 1e-9) and np.array_equal(_outer(fibres), kernels)
    else:
        unit = np.where(pivot == 0, 1, pivot)[:, np.newaxis].astype(weight.dtype)
        fibres = [fibres[0], *(fibre / unit for fibre in fibres[1:])]
        fits = _close(kernels, fibres, 16 * float(np.finfo(weight.dtype).eps))
    if not fits:
        return None
    return tuple(fibre.reshape(1, *weight.shape[: weight.ndim - dims], -1) for fibre in fibres)


def rank_of(matrix: Array) -> int:
    """Return the rank of a matrix, up to rounding errors; 0 for a zero matrix."""
    sizes = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    return int((sizes > sizes[0] * max(matrix.shape) * 4 * np.finfo(np.float64).eps).sum())


def factors_of_rank(weight: Array, dims: int, rank: int | None) -> Factors:
    """Return `rank` terms per kernel (..., *k); raise ArgumentError if rank is None and a kernel needs more than 1.

    The terms come from singular value decompositions along one axis after the other. They are orthogonal, so the
    largest ones are kept and the error is the root of the sum of the others' squares; for two axes it is the smallest
    possible (Eckart & Young 1936).
    """
    exact = factors(weight, dims)
    if exact is not None:
        return exact
    if weight.dtype.kind in "biu" and rank is not None:
        raise ArgumentError(
            f"method 'separable:{rank}' rounds, but integers are computed exactly and not every kernel has rank 1; "
            "convert weight to float64, or use another method"
        )
    lead, shape = weight.shape[: weight.ndim - dims], weight.shape[weight.ndim - dims :]
    kernels = weight.reshape(-1, *shape).astype(np.result_type(weight, np.float32))
    if not np.isfinite(kernels).all():
        raise ArgumentError(
            "weight contains NaN or infinity, which has no separable form; use another method"
        )
    sizes, parts = _decompose(kernels)
    order = np.argsort(-sizes, axis=1, kind="stable")
    sizes = np.take_along_axis(sizes, order, axis=1)
    if rank is None:
        raise ArgumentError(_refusal(sizes, lead, shape, float(np.finfo(kernels.dtype).eps)))
    order, sizes = order[:, :rank], sizes[:, :rank]
    chosen = [np.take_along_axis(part, order[..., np.newaxis], axis=1) for part in parts]
    chosen[0] = chosen[0] * sizes[..., np.newaxis]
    return tuple(np.moveaxis(part, 1, 0).reshape(-1, *lead, part.shape[-1]) for part in chosen)


def correlate(x: Array, factors: Factors, slide: Slide) -> Array:
    """Return the correlation of x (N, G, C, *padded) with factors (terms, G, O, C, k): (N, G, O, *out).

    One output channel of every group is computed at a time: a pass along each axis for each input channel, which are
    summed at the end, so that the extra memory is no larger than the input.
    """
    images, groups, inputs = x.shape[:3]
    terms, _, outputs = factors[0].shape[:3]
    dims = len(factors)
    out = np.zeros((images, groups, outputs, *slide.output_size), x.dtype)
    for output in range(outputs):
        for term in range(terms):
            passed = x.reshape(images, groups * inputs, 1, *x.shape[3:])
            for axis in range(dims):
                sizes = (*slide.output_size[: axis + 1], *passed.shape[4 + axis :])
                kernel = factors[axis][term, :, output].reshape(groups * inputs, 1, 1, -1)
                lying = [1] * dims
                lying[axis] = -1
                walk = slide.only(axis, sizes)
                passed = direct.correlate(passed, kernel.reshape(groups * inputs, 1, 1, *lying), walk)
            out[:, :, output] += passed.reshape(images, groups, inputs, *slide.output_size).sum(axis=2)
    return out


def _primitive(vectors: Array) -> Array:
    """Divide integer vectors (B, k) by the greatest common divisor of their elements."""
    divisor: Array = np.gcd.reduce(vectors, axis=1, keepdims=True)
    return vectors // np.maximum(divisor, 1)


def _outer(fibres: list[Array]) -> Array:
    """Return the outer products (B, *k) of vectors (B, k)."""
    result = fibres[0]
    for fibre in fibres[1:]:
        result = result[..., np.newaxis] * fibre.reshape(len(fibre), *(1,) * (result.ndim - 1), -1)
    return result


def _close(kernels: Array, fibres: list[Array], tolerance: float) -> bool:
    """Return whether the outer products are the kernels, up to `tolerance` of the largest element of each."""
    wide = np.result_type(kernels, np.float64 if kernels.dtype.kind == "i" else kernels)
    error = _magnitudes(_outer([fibre.astype(wide) for fibre in fibres]) - kernels)
    return bool((error.max(axis=1) <= tolerance * _magnitudes(kernels).max(axis=1)).all())


def _magnitudes(kernels: Array) -> Array:
    """Return |kernels| as floats, one row per kernel."""
    rows = kernels.reshape(len(kernels), -1)
    magnitudes: Array = np.abs(rows.astype(np.float64) if rows.dtype.kind == "i" else rows)
    return magnitudes


def _decompose(kernels: Array) -> tuple[Array, list[Array]]:
    """Write kernels (B, *k) as sums of outer products: sizes (B, terms) and unit factors (B, terms, k)."""
    if kernels.ndim == 2:
        return np.ones((len(kernels), 1), kernels.real.dtype), [kernels[:, np.newaxis]]
    count, first, *rest = kernels.shape
    left, values, right = np.linalg.svd(kernels.reshape(count, first, -1), full_matrices=False)
    ranks = values.shape[1]
    sizes, parts = _decompose(right.reshape(count * ranks, *rest))
    sizes = values[:, :, np.newaxis] * sizes.reshape(count, ranks, -1)
    within = sizes.shape[2]
    own = np.repeat(np.moveaxis(left, 1, 2), within, axis=1)
    return sizes.reshape(count, -1), [own, *(part.reshape(count, ranks * within, -1) for part in parts)]


def _refusal(sizes: Array, lead: tuple[int, ...], shape: tuple[int, ...], eps: float) -> str:
    """Return the message about the least separable kernel: its rank, and the error of rank 1."""
    whole = np.sqrt((sizes**2).sum(axis=1))
    errors = np.sqrt((sizes[:, 1:] ** 2).sum(axis=1)) / np.where(whole == 0, 1, whole)
    worst = int(errors.argmax())
    rank = int((sizes[worst] > 16 * eps * sizes[worst, 0]).sum())
    place = tuple(int(i) for i in np.unravel_index(worst, lead))
    return (
        f"the {by_axes(shape)} kernel of group {place[0]}, output {place[1]}, input {place[2]} is not "
        f"separable: its rank is {rank}, and rank 1 would make a relative error of {errors[worst]:.2g}; use "
        f"method='separable:{rank}' for an exact result, fewer terms for an approximation, or another method"
    )
