"""Find the named kernel that is nearest to given weights, by a search over the arguments of every family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from inspect import signature
from itertools import product
from math import inf, log10
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ArgumentError
from convcli.kernels import KERNELS, Kernel
from convcli.kernels.kernel_grammar import has_form
from convcli.kernels.named import arguments_of

Array = NDArray[Any]

NEAR = 0.25  # relative distance up to which weights resemble a kernel
ALIKE = 5e-4  # if distances differ by less, the shorter name is chosen
EXACT = 1e-6  # distance up to which weights count as noise-free, and arguments keep all digits
PROMISING = 0.6  # distance on the grid below which the arguments are refined
LARGE = 31  # with more taps on a side, families with 3 arguments are skipped

# Start values of the search for the arguments of a family.
_WIDTHS = (0.3, 0.5, 0.7, 0.85, 1, 1.2, 1.4, 1.7, 2, 2.5, 3, 4, 5, 7, 10)
_AMOUNTS = (0.25, 0.5, 1, 1.5, 2, 3, 5)
_ANGLES = tuple(range(0, 180, 15))
GRIDS: Mapping[str, Mapping[str, Sequence[float]]] = {
    "gaussian": {"sigma": _WIDTHS},
    "disk": {"radius": (0.5, 1, 1.5, 2, 2.3, 3, 3.5, 4, 5, 6, 7)},
    "motion": {"length": (2, 3, 4, 5, 6, 7, 9, 11, 13, 15), "angle": _ANGLES},
    "sharpen": {"amount": _AMOUNTS},
    "unsharp": {"sigma": _WIDTHS[1:10], "amount": _AMOUNTS},
    "highboost": {"amount": _AMOUNTS},
    "log": {"sigma": _WIDTHS[1:12]},
    "dog": {"sigma": _WIDTHS[1:10], "ratio": (1.2, 1.6, 2, 3)},
    "gabor": {"wavelength": (2, 3, 4, 5, 6, 8, 10), "angle": _ANGLES, "phase": (0, 90, 180, 270)},
}
SEEDS = range(10)  # seeds of `random` that are tried


class Nearest(NamedTuple):
    """A named kernel and its distance from the weights.

    spec : the kernel in the grammar of `parse_kernel`
    scale : factor of the kernel
    distance : distance of the weights from the scaled kernel, relative to the kernel's norm
    dims : number of axes; a 1-D kernel lies along the only axis that is longer than 1
    """

    spec: str
    scale: float
    distance: float
    dims: int

    @property
    def is_near(self) -> bool:
        """Whether the weights resemble the kernel."""
        return self.distance <= NEAR

    @property
    def words(self) -> str:
        """The kernel, its factor and its distance, as text."""
        times = "" if self.scale == 1 else f"{self.scale:.4g} times "
        return f"{times}{self.spec}, within {share(self.distance)}"


def share(distance: float) -> str:
    """Format a share as a percentage with a useful number of digits.

    >>> share(0.0031), share(0.000004), share(0.12)
    ('0.31 %', '0.01 %', '12 %')
    """
    percent = max(100 * distance, 0.01)
    return f"{percent:.2g} %" if percent < 10 else f"{percent:.0f} %"


def nearest_kernel(weights: Array) -> Nearest | None:
    """Return the named kernel that is nearest to weights (kh, kw), or None if they are all 0.

    Every named kernel with one matrix is tried in all sizes that fit; its other arguments are searched on a grid and
    then with the simplex method of Nelder and Mead (SciPy). A factor is used only if it makes the kernel much nearer.
    """
    if not np.abs(weights).max():
        return None
    dims = 1 if 1 in weights.shape and weights.size > 1 else 2
    target = weights.ravel() if dims == 1 else weights
    found = [near for name in KERNELS if has_form(name, dims) for near in _of_family(name, target, dims)]
    plain = _best(near for near in found if near.scale == 1)
    multiplied = _best(found)
    if multiplied.distance < plain.distance / 2 - ALIKE:
        return multiplied
    return plain


def _best(found: Iterator[Nearest] | Sequence[Nearest]) -> Nearest:
    """Return the kernel with the shortest name among those that are about as near as the nearest."""
    found = list(found)
    least = min(near.distance for near in found)
    alike = [near for near in found if near.distance <= 1.05 * least + ALIKE]
    return min(alike, key=lambda near: (near.spec.count("="), len(near.spec) if least else 0))


def _of_family(name: str, target: Array, dims: int) -> Iterator[Nearest]:
    """Yield the nearest kernels of a family, without and with a factor."""
    fixed = list(_sizes(name, min(target.shape), dims))
    grid = GRIDS.get(name, {})
    if len(grid) > 2 and max(target.shape) > LARGE:
        return
    for scaled in (False, True):
        best, least = None, inf
        for settings in fixed:
            for values in product(*grid.values()):
                arguments = {**settings, **dict(zip(grid, values, strict=True))}
                distance, _ = _distance(name, arguments, target, dims, scaled)
                if distance < least - 1e-12:
                    best, least = arguments, distance
        if best is None:
            continue
        if grid and least < PROMISING:
            best = _refined(name, best, tuple(grid), target, dims, scaled)
        distance, scale = _distance(name, best, target, dims, scaled)
        if scaled:
            scale = float(f"{scale:.4g}")
        if distance < inf:
            yield Nearest(_spec(name, best), scale, distance, dims)


def _sizes(name: str, most: int, dims: int) -> Iterator[dict[str, float]]:
    """Yield the integer arguments of a family to try: sizes, the default size, and seeds."""
    takes = arguments_of(KERNELS[name])
    seeds: Sequence[dict[str, float]] = [{"seed": seed} for seed in SEEDS] if "seed" in takes else [{}]
    sizes: list[dict[str, float]] = [{}]
    if "size" in takes:
        sizes += [{"size": size} for size in range(1, most + 1)]
    if "factor" in takes:
        sizes += [{"factor": factor} for factor in range(1, most + 1)]
    if name in ("gaussian", "unsharp", "log", "dog", "gabor"):
        sizes = [{}, {"size": most}]
    for size, seed in product(sizes, seeds):
        yield {**size, **seed}


def _distance(
    name: str, arguments: Mapping[str, float], target: Array, dims: int, scaled: bool
) -> tuple[float, float]:
    """Return the distance of weights from a kernel, relative to the kernel's norm, and the kernel's factor."""
    laid = _laid(name, tuple(sorted(arguments.items())), target.shape, dims)
    if laid is None:
        return inf, 1.0
    length = float(np.linalg.norm(laid))
    factor = float((laid * target).sum()) / length**2 if scaled else 1.0
    if factor <= 0:
        return inf, 1.0
    return float(np.linalg.norm(target - factor * laid)) / (factor * length), factor


@lru_cache
def _accepted(name: str) -> tuple[str, ...]:
    """Return the names of all parameters of a family."""
    return tuple(signature(KERNELS[name]).parameters)


@lru_cache(maxsize=4096)
def _laid(
    name: str, arguments: tuple[tuple[str, float], ...], shape: tuple[int, ...], dims: int
) -> Array | None:
    """Return a kernel in the middle of zeros of a shape; None if it does not fit or has several matrices."""
    build = KERNELS[name]
    context = {"limit": max(shape), "dims": dims}
    accepted = _accepted(name)
    try:
        kernel: Kernel = build(
            **dict(arguments), **{key: value for key, value in context.items() if key in accepted}
        )
    except ArgumentError:
        return None
    if kernel.combine != "none" or any(k > n for k, n in zip(kernel.shape, shape, strict=True)):
        return None
    laid = np.zeros(shape)
    starts = [(n - 1) // 2 - (k - 1) // 2 for k, n in zip(kernel.shape, shape, strict=True)]
    inner = tuple(slice(start, start + k) for start, k in zip(starts, kernel.shape, strict=True))
    laid[inner] = np.array(kernel.weights, float) / kernel.divisor
    return laid if laid.any() else None


def _refined(
    name: str, best: Mapping[str, float], free: Sequence[str], target: Array, dims: int, scaled: bool
) -> dict[str, float]:
    """Refine the free arguments, and round them to as few digits as possible."""
    from scipy.optimize import minimize

    def settings(values: Sequence[float]) -> dict[str, float]:
        return {**best, **{key: float(value) for key, value in zip(free, values, strict=True)}}

    def distance(values: Sequence[float]) -> float:
        return min(_distance(name, settings(values), target, dims, scaled)[0], 1e3)

    start = [best[key] for key in free]
    done = minimize(
        distance, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 400}
    )
    values = list(done.x) if done.fun <= distance(start) else start
    least = distance(values)
    allowed = 1.25 * least + (ALIKE if least > EXACT else EXACT)
    for digits in range(7):
        short = [round(value, digits) for value in values]
        if distance(short) <= allowed:
            return settings(short)
    return settings(values)


def _spec(name: str, arguments: Mapping[str, float]) -> str:
    """Format a kernel for `parse_kernel`, without arguments at their defaults."""
    accepted = arguments_of(KERNELS[name])
    given = [
        f"{key}={_number(arguments[key])}"
        for key, parameter in accepted.items()
        if key in arguments and arguments[key] != parameter.default
    ]
    return f"{name}:{','.join(given)}" if given else name


def _number(value: float) -> str:
    return f"{value:.6g}" if abs(log10(abs(value) or 1)) < 5 else repr(value)
