"""Trials: a kernel on a picture by every variant and method, timed, and compared with plain sums."""

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

MOST_RUNS, ENOUGH = 5, 1.0  # of a timing: so many runs, or as many as take so many seconds
MOST_SECONDS = 6.0  # that a method may take by its estimate
MOST_RANKS = 3  # approximations that are tried, beside the whole kernel
SIDE = 128  # of the middle of the picture, where equivariance is measured; more for wide kernels
ROUNDING = 1e-9  # of white: sums in float64 that differ by less are equal
MOST_BYTES = 4e9  # likewise
DIRECT_PASS = 1e-10  # seconds for one weight of one sample in filter_image


@dataclass(frozen=True)
class Trial:
    """One way to run the kernel.

    engine : `filter` is filter_image, in the picture's own dtype and clipped; `conv` the operators, in floats
    averages : whether it should give the plain sums of the mean of the channels, not of each channel
    rank : of the approximation, where it is one
    """

    variant: str
    engine: str
    method: str
    recipe: Recipe
    averages: bool = False
    rank: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    layers, output_shape, cost : of the layers that the variant is, all matrices and terms of the kernel counted
    values : (O, H, W), of floats, or as filter_image gives them
    seconds : the median of a few runs
    difference, place : the largest distance to the plain sums and where (row, column, channel); None where those
        are of another shape
    psnr : in decibels; None there, and where nothing differs
    rank_error : of the kernel's approximation, relative, by Frobenius' norm
    shift, rotation, scaling : the largest differences of `equivariance`, in float64, on the middle of the picture
    change : how much the outputs there change when the picture moves by a pixel, as a share of how much they vary
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
    """A picture (H, W, C) without alpha, a kernel, and the ways to run one on the other.

    zero : the sample of each channel that stands for 0, by default 0
    activation, pool : what stands behind the layer of every variant; the pool for a number of axes
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
        self.remarks: list[str] = []  # on what is left out, and why
        self._plain: dict[bool, Array] = {}  # by whether channels are averaged
        self._moved: dict[tuple[str, int | None], tuple[float | None, ...]] = {}

    def all(self, variants: Sequence[str]) -> Iterator[Trial]:
        """Yield the trials of some variants, in their order."""
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
        """How much the plain variant's outputs change when the picture moves, where no pool stands behind it."""
        recipe = replace(self.recipe, pool=None)
        layers = (layer for stage in recipe.stages(self._values.shape) for layer in stage.layers)
        return self._differences(recipe, Motion.of(layers))[-1]

    def setting(self, variant: str) -> str:
        """Say what a variant is given beside the kernel."""
        return setting(VARIANTS[variant], self.kernel, self.pixels.shape[2])[1]

    @np.errstate(all="ignore")  # NaN and infinity pass, as IEEE 754 has it
    def run(self, trial: Trial) -> Outcome | None:
        """Run a trial; None, and a remark, where it does not suit the kernel or would take too long."""
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
        """Return what a trial gave as pixels (H, W, O), in the picture's dtype, clipped."""
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
            self._leave_out(f"{PLAIN}, filter", "it runs a kernel alone")
        for method in FILTER_METHODS if self.alone else ():
            yield Trial(PLAIN, "filter", method, self.recipe)
        for method in ("auto", *METHODS):
            if method == "separable" and rank > 1:
                method = f"separable:{rank}"
            yield Trial(PLAIN, "conv", method, replace(self.recipe, method=method))

    def _approximations(self, variant: str) -> Iterator[Trial]:
        rank = max(self.ranks)
        for each in sorted({*range(1, min(rank, MOST_RANKS) + 1), rank}):
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
        needed = f"about {seconds:.3g} s" if seconds > MOST_SECONDS else f"about {memory / 1e9:.3g} GB"
        if seconds > MOST_SECONDS or memory > MOST_BYTES:
            raise ArgumentError(f"it would take {needed}; give a smaller picture or kernel")

    def _estimate(self, method: str) -> float:
        """Foretell the seconds of a method of `conv` on all channels, for all matrices."""
        channels, *size = self._values.shape
        layer = self.recipe.conv(channels, channels, self.kernel.shape, channels)
        work = Work(1, channels, 1, 1, Slide.of(layer, tuple(size)))
        name, _, rank = method.partition(":")
        return METHODS[name](work) * 1e-12 * len(self.kernel.matrices) * int(rank or 1)

    def plain(self, averages: bool) -> Array:
        """Return the sums of each channel, or of their mean, added one by one in float64.

        They are taken by FFT where that would take too long.
        """
        if averages not in self._plain:
            method = "direct"
            if 2 * self._estimate(method) > MOST_SECONDS:
                method = "fft"
                self._leave_out("the plain sum", "it would take too long; differences are to FFT in float64")
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
    """Return what `run` returns, and the median of its seconds, without the first run's where there are others."""
    taken: list[float] = []
    while True:
        started = time.perf_counter()
        result = run()
        taken.append(time.perf_counter() - started)
        if len(taken) > MOST_RUNS or sum(taken) > (2 * ENOUGH if len(taken) == 1 else ENOUGH):
            return result, median(taken[1:] or taken)


def _called(trial: Trial) -> str:
    rank = f" of rank {trial.rank}" if trial.rank else ""
    return f"{trial.variant}{rank}, {trial.engine} {trial.method}"
