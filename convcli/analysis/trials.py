"""Trials of a kernel on a picture: every variant and method is timed and compared with direct summation."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.analysis.difference import measured
from convcli.analysis.equivariance import (
    Motion,
    change_by_a_pixel,
    rotation_difference,
    scaling_difference,
    shift_difference,
)
from convcli.analysis.trial_setting import setting
from convcli.backend.algorithms.costs import METHODS, Work
from convcli.backend.algorithms.separable import rank_of
from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.band_plan import METHODS as FILTER_METHODS
from convcli.backend.values import Zero, full_scale, into_dtype, signed, working_dtype
from convcli.errors import ArgumentError, ConvcliError
from convcli.filters.filter_image import filter_image
from convcli.filters.recipe import Recipe
from convcli.filters.stages.factored import factored
from convcli.filters.stages.stage import Stage
from convcli.filters.tiles.estimate import estimate
from convcli.filters.tiles.tile_loop import values_of
from convcli.kernels import Kernel
from convcli.layers import Layer
from convcli.layers.axes import Shape
from convcli.layers.counts import Cost
from convcli.layers.text.pool_grammar import Pool
from convcli.layers.variants import BASELINE, PLAIN, VARIANTS

Array = NDArray[Any]

MAX_RUNS, ENOUGH = 5, 1.0  # a timing ends after this many runs, or after this many seconds
MAX_SECONDS = 6.0  # a method that is estimated to take longer is left out
MAX_RANKS = 3  # approximations of a kernel by a lower rank that are tried
SIDE = 128  # side in pixels of the part in the middle where equivariance is measured; more for large kernels
ROUNDING = 1e-9  # relative to white: sums in float64 that differ by less count as equal
MAX_BYTES = 4e9  # a variant that is estimated to need more memory is left out
DIRECT_PASS = 1e-10  # seconds for one weight of one sample in filter_image


@dataclass(frozen=True)
class Trial:
    """One way to run the kernel.

    engine : `filter` for filter_image, in the picture's dtype and clipped; `conv` for the operators, in floats
    averages : whether the expected result is the filtered mean of the channels, not each filtered channel
    rank : the rank of an approximation, else None
    """

    variant: str
    engine: str
    method: str
    recipe: Recipe
    averages: bool = False
    rank: int | None = None


@dataclass(frozen=True)
class Outcome:
    """The result of a trial.

    layers, output_shape, cost : of the variant's layers, for all matrices and terms of the kernel
    values : (O, H, W), floats, or samples from filter_image
    seconds : the median of a few runs
    difference, place : the largest difference from direct summation, and its row, column and channel; None if the
        shapes differ
    psnr : in decibels; None if the shapes differ, or nothing differs
    rank_error : the relative error of an approximation of the kernel in the Frobenius norm
    shift, rotation, scaling : the largest differences that `equivariance` defines, in float64, in the middle of the
        picture
    change : the change of the outputs there when the picture is shifted by a pixel, relative to their variation
    """

    trial: Trial
    layers: tuple[Layer, ...]
    output_shape: Shape
    cost: Cost
    values: Array
    seconds: float
    difference: float | None
    place: tuple[int, ...] | None
    psnr: float | None
    rank_error: float | None
    shift: float | None
    rotation: float | None
    scaling: float | None
    change: float | None


class Trials:
    """The trials of a kernel on a picture.

    pixels : (H, W, C) without alpha
    zero : the sample of each channel that represents 0, by default 0
    activation, pool : the stages after the layer of every variant; `pool` takes the number of axes
    """

    def __init__(
        self,
        pixels: Array,
        kernel: Kernel,
        zero: Zero | None = None,
        *,
        activation: str | None = None,
        pool: Callable[[int], Pool] | None = None,
    ) -> None:
        self.pixels, self.kernel, self.zero = pixels, kernel, zero
        self.white = full_scale(pixels.dtype)
        self.recipe = Recipe(kernels=(kernel,), activation=activation, pool=pool, full_scale=self.white)
        self.alone = activation is None and pool is None
        self.ranks = [max(1, rank_of(matrix)) for matrix in self._matrices] if kernel.dims == 2 else [0]
        self.remarks: list[str] = []  # what is left out and why
        self._plain: dict[bool, Array] = {}  # results of direct summation, by whether channels are averaged
        self._moved: dict[tuple[str, int | None], tuple[float | None, ...]] = {}

    def all(self, variants: Sequence[str]) -> Iterator[Trial]:
        """Yield the trials of the given variants, in their order."""
        for variant in variants:
            spec = VARIANTS[variant]
            if not spec.filters:
                self._leave_out(variant, f"it {spec.too_much}")
            elif variant == PLAIN:
                yield from self._methods()
            elif spec.takes("rank"):
                yield from self._approximations(variant)
            else:
                averages = spec.weighing in ("sum", "each-then-mix")
                yield Trial(variant, "conv", "auto", self._recipe(variant), averages)

    @property
    def change_without_pool(self) -> float | None:
        """The `change` of the depthwise variant without the pool."""
        recipe = replace(self.recipe, pool=None)
        layers = (layer for stage in recipe.stages(self._values.shape) for layer in stage.layers)
        return self._differences(recipe, Motion.of(layers))[-1]

    def setting(self, variant: str) -> str:
        """Return a description of the settings of a variant apart from the kernel."""
        return setting(VARIANTS[variant], self.kernel, self.pixels.shape[2])[1]

    @np.errstate(all="ignore")  # NaN and infinity propagate as in IEEE 754
    def run(self, trial: Trial) -> Outcome | None:
        """Run a trial; add a remark and return None if it does not suit the kernel or would take too long."""
        shape = self._values.shape
        try:
            stages = trial.recipe.stages(shape)
            self._check_time(trial, stages)
            if trial.engine == "filter":
                found, seconds = _timed(
                    lambda: filter_image(self.pixels, self.kernel, method=trial.method, zero=self.zero).pixels
                )
                found = np.moveaxis(signed(found, self.zero), 2, 0)
            else:
                x = self._values.astype(working_dtype(self.pixels.dtype))
                found, seconds = _timed(lambda: values_of(x, stages, 1))
            moved = self._equivariance(trial)
        except ConvcliError as error:
            self._leave_out(_called(trial), str(error))
            return None
        difference, place, ratio = self._compared(trial, found)
        return Outcome(
            trial,
            tuple(layer for stage in stages for layer in stage.layers),
            found.shape,
            sum((stage.cost(shape) for stage in stages), Cost()),
            found,
            seconds,
            difference,
            place,
            ratio,
            self._rank_error(trial.rank),
            *moved,
        )

    def drawn(self, outcome: Outcome) -> Array:
        """Return the result of a trial as pixels (H, W, O) in the picture's dtype, clipped."""
        return self._fitted(outcome.values)

    def _fitted(self, values: Array) -> Array:
        """Return values (O, H, W) as pixels (H, W, O), rounded and clipped."""
        zero = self.zero if len(values) == self.pixels.shape[2] else None
        return into_dtype(np.moveaxis(values, 0, 2), self.pixels.dtype, "clip", zero=zero).pixels

    @cached_property
    def _values(self) -> Array:
        return np.ascontiguousarray(np.moveaxis(signed(self.pixels, self.zero), 2, 0), np.float64)

    @property
    def _matrices(self) -> list[Array]:
        return [np.array(matrix, np.float64) for matrix in self.kernel.matrices]

    def _methods(self) -> Iterator[Trial]:
        rank = max(self.ranks)
        if not self.alone:
            self._leave_out(f"{PLAIN}, filter", "it runs a kernel without activation and pool")
        for method in FILTER_METHODS if self.alone else ():
            yield Trial(PLAIN, "filter", method, self.recipe)
        for method in ("auto", *METHODS):
            if method == "separable" and rank > 1:
                method = f"separable:{rank}"
            yield Trial(PLAIN, "conv", method, replace(self.recipe, method=method))

    def _approximations(self, variant: str) -> Iterator[Trial]:
        rank = max(self.ranks)
        for each in sorted({*range(1, min(rank, MAX_RANKS) + 1), rank}):
            recipe = replace(self.recipe, variant=variant, rank=each)
            yield Trial(variant, "conv", "auto", recipe, rank=each)

    def _recipe(self, variant: str) -> Recipe:
        changes, _ = setting(VARIANTS[variant], self.kernel, self.pixels.shape[2])
        return replace(self.recipe, variant=variant, **changes)

    def _check_time(self, trial: Trial, stages: Sequence[Stage]) -> None:
        macs = sum(stage.cost(self._values.shape).macs for stage in stages)
        seconds, memory = 0.0, 0
        if trial.engine == "filter":
            seconds = macs * DIRECT_PASS if trial.method == "direct" else 0.0
        elif trial.method != "auto":
            seconds = self._estimate(trial.method)
        elif not VARIANTS[trial.variant].methods:
            seconds, memory = vars(estimate(stages, self._values.shape, self.pixels.dtype)).values()
        needed = f"about {seconds:.3g} s" if seconds > MAX_SECONDS else f"about {memory / 1e9:.3g} GB"
        if seconds > MAX_SECONDS or memory > MAX_BYTES:
            raise ArgumentError(f"it would take {needed}; give a smaller picture or kernel")

    def _estimate(self, method: str) -> float:
        """Estimate the seconds of a method of `conv` for all channels and all matrices."""
        channels, *size = self._values.shape
        layer = self.recipe.conv(channels, channels, self.kernel.shape, channels)
        work = Work(1, channels, 1, 1, Slide.of(layer, tuple(size)))
        name, _, rank = method.partition(":")
        return METHODS[name](work) * 1e-12 * len(self.kernel.matrices) * int(rank or 1)

    def plain(self, averages: bool) -> Array:
        """Return each filtered channel, or their filtered mean, by direct summation in float64.

        If that would take too long, by FFT.
        """
        if averages not in self._plain:
            method = "direct"
            if 2 * self._estimate(method) > MAX_SECONDS:
                method = "fft"
                self._leave_out(
                    "direct summation", "it would take too long; differences are from FFT in float64"
                )
            recipe = self._recipe(BASELINE if averages else PLAIN)
            stages = replace(recipe, method=method).stages(self._values.shape)
            self._plain[averages] = values_of(self._values, stages, 1)
        return self._plain[averages]

    def _compared(
        self, trial: Trial, found: Array
    ) -> tuple[float | None, tuple[int, ...] | None, float | None]:
        plain = self.plain(trial.averages)
        if plain.shape != found.shape:
            return None, None, None
        if trial.engine == "filter":
            plain = np.moveaxis(signed(self._fitted(plain), self.zero), 2, 0)
        apart = measured(found, plain, peak=self.white)
        channel, row, column = apart.place or (0, 0, 0)
        return apart.largest, (row, column, channel), apart.psnr if np.isfinite(apart.psnr) else None

    def _equivariance(self, trial: Trial) -> tuple[float | None, ...]:
        key = (trial.variant, trial.rank)
        if key not in self._moved:
            recipe = replace(trial.recipe, method="auto")
            layers = (layer for stage in recipe.stages(self._values.shape) for layer in stage.layers)
            self._moved[key] = self._differences(recipe, Motion.of(layers))
        return self._moved[key]

    def _differences(self, recipe: Recipe, motion: Motion | None) -> tuple[float | None, ...]:
        if motion is None:
            return None, None, None, None
        middle = self._middle(max(SIDE, 6 * motion.pixels))

        def run(x: Array) -> Array:
            return values_of(x, recipe.stages(x.shape), 1)

        found = (
            shift_difference(run, middle, *motion),
            rotation_difference(run, middle, motion.reach),
            scaling_difference(run, middle, motion.reach),
        )
        exact = (0.0 if value is not None and value < ROUNDING * self.white else value for value in found)
        return (*exact, change_by_a_pixel(run, middle, motion.reach))

    def _middle(self, side: int) -> Array:
        side = min(side, *self._values.shape[1:])
        starts = [(n - side) // 2 for n in self._values.shape[1:]]
        return self._values[:, starts[0] : starts[0] + side, starts[1] : starts[1] + side].copy()

    def _rank_error(self, rank: int | None) -> float | None:
        if rank is None:
            return None
        name = self.kernel.name
        return max(factored(matrix, rank, name).relative for matrix in self._matrices)

    def _leave_out(self, what: str, why: str) -> None:
        self.remarks.append(f"{what} is left out: {why}")


def _timed(run: Callable[[], Array]) -> tuple[Array, float]:
    """Return the result of `run`, and the median of its seconds; the first of several runs does not count."""
    taken: list[float] = []
    while True:
        started = time.perf_counter()
        result = run()
        taken.append(time.perf_counter() - started)
        if len(taken) > MAX_RUNS or sum(taken) > (2 * ENOUGH if len(taken) == 1 else ENOUGH):
            return result, median(taken[1:] or taken)


def _called(trial: Trial) -> str:
    rank = f" of rank {trial.rank}" if trial.rank else ""
    return f"{trial.variant}{rank}, {trial.engine} {trial.method}"
