"""Learn a kernel as networks do: by gradient descent on the squared error."""

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

POWER_STEPS, SETTLED = (
    200,
    1e-5,
)  # most steps of the power iteration; relative change of the eigenvalue that ends it
CAREFUL = 0.9  # default learning rate, relative to the largest one that converges
GROWN = 1e-9  # relative increase of the loss that rounding errors may cause


class Step(NamedTuple):
    """The weights (O, C, kh, kw) and biases (O,) before a step, their loss, and their largest error."""

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
        """Return the errors of each pair, (O, h, w), 0 for ignored samples; the outputs if not `samples`."""
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
        """Return the gradients of half the sum of squared errors with respect to the weights and biases."""
        weights, bias = np.zeros(self.shape), np.zeros(self.shape[0])
        for (before, _, _), error in zip(self._pairs, errors, strict=True):
            weights += conv_weight_grad(
                before, self.shape, error, stride=self._stride, dilation=self._dilation
            )
            if self.has_bias:
                bias += error.sum(axis=(1, 2))
        return weights, bias


def start_weights(shape: Sequence[int], seed: int | None) -> Array:
    """Return zeros or, with a seed, the initial weights of PyTorch's Conv2d: uniform within 1 / sqrt(taps)."""
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
    on_step: Callable[[Step], None] = lambda _: None,
) -> tuple[Step, float]:
    """Run `steps` steps of full-batch gradient descent; raise ArgumentError if it diverges.

    The loss is the sum of the squared errors of samples divided by `scale`; each step subtracts `lr` times its gradient
    (Zhang, Lipton, Li & Smola, "Dive into Deep Learning", section 7.2.4).

    Parameters
    ----------
    lr : float, optional
        The learning rate; by default 0.9 times the largest one that converges.
    seed : int, optional
        Seed of the initial weights; by default they are zeros.
    on_step : callable
        Called with the weights before each step, and with the final ones.

    Returns
    -------
    Step, float
        The final weights, for samples as they were given, and the learning rate.
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
        on_step(step)
        if number == steps:
            break
        before = loss
        by_weights, by_bias = problem.gradients(errors)
        weights, shift = weights - 2 * rate * by_weights, shift - 2 * rate * by_bias
    return step, rate


def largest_rate(problem: _Problem) -> float:
    """Return the largest learning rate that converges: 1 / the largest eigenvalue of the normal equations."""
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
    """Return the error for a loss that grew: the step, and a learning rate with which it falls."""
    digits = 1 - floor(log10(limit))
    below = floor(limit * 10**digits) / 10**digits
    after = f"from {before:.4g} to {loss:.4g}" if isfinite(loss) else f"from {before:.4g} to infinity"
    return (
        f"`lr={rate:g}` is too large: the loss grew {after} at step {step}; give at most `lr={below:g}`, or "
        "leave `lr` out"
    )


def descent_bytes(inputs: int, outputs: int) -> int:
    """Estimate the bytes that `descend` takes besides the pictures, for numbers of samples of both pictures."""
    return 8 * ceil(3 * inputs + 5 * outputs)
