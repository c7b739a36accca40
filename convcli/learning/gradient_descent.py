"""A kernel learned as a network learns it: step by step, down the gradient of the squared error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, isfinite, log10, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.conv_gradients import conv_weight_grad
from convcli.backend.convolution import conv
from convcli.errors import ArgumentError
from convcli.learning.picture_pairs import Geometry, Pair

Array = NDArray[Any]

POWER_STEPS, SETTLED = 200, 1e-5  # of the power iteration, and the change of its eigenvalue that ends it
CAREFUL = 0.9  # of the largest learning rate, where none is given
GROWN = 1e-9  # the share by which rounding may let a loss grow


class Step(NamedTuple):
    """The weights (O, C, kh, kw) and biases (O,) before a step, their loss, and the largest error in it."""

    weights: Array
    bias: Array
    loss: float
    largest: float


class _Problem:
    """The pictures as floats, and the loss of weights on them: the sum of all squared errors."""

    def __init__(self, pairs: Sequence[Pair], geometry: Geometry, scale: float, *, bias: bool) -> None:
        self.shape = (len(pairs[0].after), len(pairs[0].before), *geometry.kernel_size)
        self.has_bias = bias
        self._stride, self._dilation = geometry.stride, geometry.dilation
        self._pairs = [
            (pair.before.astype(np.float64) / scale, pair.after.astype(np.float64) / scale, pair.counts)
            for pair in pairs
        ]

    def errors(self, weights: Array, bias: Array, *, samples: bool = True) -> list[Array]:
        """Return what each pair is off by, (O, h, w), 0 where samples do not count; without `samples`, the answers."""
        found = []
        for before, after, counts in self._pairs:
            error = conv(before, weights, bias, stride=self._stride, dilation=self._dilation)
            if samples:
                error -= after
            if counts is not None:
                error *= counts.all(axis=0)
            found.append(error)
        return found

    def gradients(self, errors: Sequence[Array]) -> tuple[Array, Array]:
        """Return the gradients of half the squared errors, with respect to weights and biases."""
        weights, bias = np.zeros(self.shape), np.zeros(self.shape[0])
        for (before, _, _), error in zip(self._pairs, errors, strict=True):
            weights += conv_weight_grad(
                before, self.shape, error, stride=self._stride, dilation=self._dilation
            )
            if self.has_bias:
                bias += error.sum(axis=(1, 2))
        return weights, bias


def start_weights(shape: Sequence[int], seed: int | None) -> Array:
    """Return zeros, or with a seed what PyTorch's Conv2d begins with: uniform within 1 / sqrt(taps)."""
    if seed is None:
        return np.zeros(shape)
    bound = prod(shape[1:]) ** -0.5
    drawn: Array = np.random.default_rng(seed).uniform(-bound, bound, shape)
    return drawn


def descend(
    pairs: Sequence[Pair],
    geometry: Geometry,
    scale: float,
    *,
    steps: int,
    lr: float | None = None,
    seed: int | None = None,
    bias: bool = True,
    told: Callable[[Step], None] = lambda _: None,
) -> tuple[Step, float]:
    """Take so many steps of gradient descent on all samples at once, or raise ArgumentError where it diverges.

    The loss is the sum of the squared errors of samples divided by `scale`, and each step subtracts `lr` times its
    gradient (Zhang, Lipton, Li & Smola, "Dive into Deep Learning", section 7.2.4).

    Parameters
    ----------
    lr : float, optional
        The learning rate; by default nine tenths of the largest one that converges.
    seed : int, optional
        Of the weights that it begins with; zeros without one.
    told : callable
        Is given the weights before each step, and the last ones.

    Returns
    -------
    Step, float
        What it ends with, of samples as they were given, and the learning rate.
    """
    problem = _Problem(pairs, geometry, scale, bias=bias)
    weights, shift = start_weights(problem.shape, seed), np.zeros(problem.shape[0])
    rate = CAREFUL * largest_rate(problem) if lr is None else lr
    before = first = float("inf")
    for number in range(steps + 1):
        errors = problem.errors(weights, shift)
        with np.errstate(over="ignore"):
            loss = sum(float(np.square(error).sum()) for error in errors)
        if number == 0:
            first = loss
        elif not loss <= before + GROWN * first:
            raise ArgumentError(_diverged(number, before, loss, rate, largest_rate(problem)))
        step = Step(weights, shift * scale, loss, scale * max(float(np.abs(error).max()) for error in errors))
        told(step)
        if number == steps:
            break
        before = loss
        by_weights, by_bias = problem.gradients(errors)
        weights, shift = weights - 2 * rate * by_weights, shift - 2 * rate * by_bias
    return step, rate


def largest_rate(problem: _Problem) -> float:
    """Return the learning rate below which the loss falls: 1 / the largest eigenvalue of the normal equations."""
    random = np.random.default_rng(0)
    weights, bias = random.standard_normal(problem.shape), np.zeros(problem.shape[0])
    largest = 0.0
    for _ in range(POWER_STEPS):
        size = float(np.sqrt(np.square(weights).sum() + np.square(bias).sum()))
        if not size or not isfinite(size):
            break
        settled = abs(size - largest) <= SETTLED * size
        largest, weights, bias = size, weights / size, bias / size
        if settled:
            break
        weights, bias = problem.gradients(problem.errors(weights, bias, samples=False))
    return 1 / largest if largest else 1.0


def _diverged(step: int, before: float, loss: float, rate: float, limit: float) -> str:
    """Say at which step the loss grew, and what would let it fall."""
    digits = 1 - floor(log10(limit))
    below = floor(limit * 10**digits) / 10**digits
    after = f"from {before:.4g} to {loss:.4g}" if isfinite(loss) else f"from {before:.4g} beyond all numbers"
    return (
        f"`lr={rate:g}` is too large: the loss grew {after} at step {step}; with at most `lr={below:g}` it falls, or "
        "leave `lr` out"
    )


def descent_bytes(inputs: int, outputs: int) -> int:
    """Foretell the bytes that `descend` takes beside the pictures, for so many samples of both."""
    return 8 * ceil(3 * inputs + 5 * outputs)
