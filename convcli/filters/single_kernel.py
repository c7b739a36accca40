"""Filter a picture by a single kernel: in bands if they support it, otherwise by the tile loop of stages."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from convcli.backend.bands.band_memory import band_bytes
from convcli.backend.bands.band_plan import METHODS
from convcli.backend.bands.picture_in_bands import (
    FAR,
    InBands,
    KernelOnPicture,
    Samples,
    in_bands,
    light_in_bands,
)
from convcli.backend.bands.units import to_sample_units
from convcli.backend.checks import one_of
from convcli.backend.values import Alpha, Extent, Filtered, Range, Zero, is_small
from convcli.errors import ArgumentError
from convcli.filters.recipe import Recipe
from convcli.images.modes import SRGB
from convcli.kernels.kernel import by_axes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from convcli.backend.bands.band_plan import BandPlan
    from convcli.filters.stages.stage import Weighted
    from convcli.filters.tiles.exact_values import ExactKernel
    from convcli.filters.tiles.finished_rows import FinishedRows
    from convcli.filters.tiles.given_picture import Given
    from convcli.filters.tiles.sources import Samples as Pixels
    from convcli.filters.tiles.tile_loop import TileWork
    from convcli.filters.tiles.values_to_pixels import Finish
    from convcli.kernels import Kernel
    from convcli.layers import Conv
    from convcli.layers.axes import Sizes

    Array = NDArray[Any]

BANDED = ("uint8", "uint16", "int8", "int16", "float32")  # the dtypes that bands support
MAX_SUM = 2.0**500  # largest sum of absolute weights, so that squares of outputs do not overflow
SMALLEST, LARGEST = (
    2.0**-100,
    2.0**31,
)  # range of sums of floats that can be computed by matrix products
TRANSFORMED = 2.0**24  # largest output for transforms, so that their errors are far below one level
PLANS = 16  # kept for the next pictures
# Whether stages premultiply colours; None leaves the choice to the stage.
PREMULTIPLY = {"auto": None, "premultiply": True, "keep": False, "filter": None}


class SingleKernel(NamedTuple):
    """A filter of a single kernel for pictures of a dtype.

    alpha : how alpha is treated, None if the last channel is not alpha
    zero : the sample that represents 0 in each channel
    light : whether to filter sRGB samples in linear light
    """

    recipe: Recipe
    dtype: np.dtype[Any]
    alpha: Alpha | None = None
    value_range: Range | None = "clip"
    zero: Zero | None = None
    light: bool = False
    threads: int | None = None

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        dtype: np.dtype[Any],
        alpha: Alpha | None,
        value_range: Range | None,
        zero: Zero | None,
        light: bool,
        threads: int | None,
    ) -> SingleKernel:
        """Check the arguments, and round the padding value to the units in which samples are exact."""
        kernel, value = recipe.kernels[0], recipe.padding_value
        if value_range is not None:
            one_of("value_range", value_range, get_args(Range))
        elif light:
            raise ArgumentError("light cannot be returned without a value_range; give one")
        if alpha is not None:
            one_of("alpha", alpha, get_args(Alpha))
        if alpha == "premultiply" and not kernel.is_smoothing:
            raise ArgumentError(
                "alpha 'premultiply' computes a mean, so it needs a kernel of weights >= 0 with a sum above 0; "
                "use 'keep' or 'filter' with this kernel"
            )
        if not abs(value) < float("inf"):
            raise ArgumentError(f"padding_value must be finite, got {value}")
        if light and dtype.name not in SRGB:
            raise ArgumentError(f"light needs sRGB samples of {' or '.join(SRGB)}, got {dtype}")
        one_of("method", recipe.method, METHODS)
        if kernel.dims != 2:
            raise ArgumentError(
                f"kernel {kernel.name!r} has {kernel.dims} axes, {by_axes(kernel.shape)}; a picture needs a 2-D "
                "kernel"
            )
        if recipe.method == "separable":
            _check_separable(kernel)
        if (total := sum(map(abs, kernel.flat_weights))) > MAX_SUM:
            raise ArgumentError(f"the kernel's weights are too large: they add up to {total:.3g}")
        if is_small(dtype) and not light:
            recipe = replace(recipe, padding_value=to_sample_units(value))
        return cls(recipe, dtype, alpha, value_range, zero, light, threads)

    @property
    def has_alpha(self) -> bool:
        """Whether colours are filtered with alpha treated separately."""
        return self.alpha is not None and self.alpha != "filter"

    def filtered(self, pixels: Array, extent: Extent | None = None, measure: bool = False) -> Filtered:
        """Filter a picture."""
        import numpy as np

        samples = Samples.of(pixels)
        found = self._in_bands(pixels.shape, samples)
        if found is None:
            return self._in_tiles(pixels, samples, extent, measure)
        with np.errstate(all="ignore"):  # NaN and infinity propagate, as in IEEE 754
            made = found(pixels)
        if not measure:
            return made
        from convcli.filters.tiles.tile_loop import measured_of

        return made._replace(measured=measured_of(self._work(_with_channels(pixels), samples)))

    def extent(self, pixels: Array) -> Extent | None:
        """Return the range that `minmax` stretches for a picture."""
        from convcli.filters.tiles.tile_loop import extent_of

        return extent_of(self._work(_with_channels(pixels), Samples.of(pixels)))

    def band_plan(self, shape: tuple[int, ...]) -> BandPlan | None:
        """Return the band plan for pictures of a shape; None if the kernel runs tile by tile."""
        found = self._in_bands(shape, Samples.alike(self.dtype, 1 if len(shape) == 2 else shape[2]))
        return None if found is None else found.band_plan

    def memory(self, shape: tuple[int, ...], measure: bool = False) -> int:
        """Estimate the bytes needed in addition to a picture of a shape and its result."""
        channels = prod(shape[2:])
        samples = Samples.alike(self.dtype, channels)
        found = self._in_bands(shape, samples)
        bands = 0
        if found is not None:
            bands = band_bytes(
                found.band_plan, found.on_picture.slide, channels, len(found.weights), found.finish
            )
            if not measure:
                return bands
        from convcli.filters.tiles.estimate import estimate

        stages, has_alpha = self._stages(shape, samples), self.has_alpha
        own = (channels - has_alpha, *shape[:2])
        return max(bands, estimate(stages, own, self.dtype, has_alpha or self.light, self.threads).memory)

    def takes_slabs(self, shape: tuple[int, ...]) -> bool:
        """Return whether rows of a picture can be filtered separately: if it is filtered in bands, or has floats.

        For floats, the values of the rows determine whether they are filtered in bands, and by which method.
        """
        samples = Samples.alike(self.dtype, prod(shape[2:]))
        return self.dtype.kind == "f" or self._in_bands(shape, samples) is not None

    def rows(self, pixels: Pixels, measure: bool = False) -> FinishedRows:
        """Return the result for integer samples (H, W, C) by rows, with the same tiles as for the whole picture."""
        from convcli.filters.tiles.finished_rows import FinishedRows

        return FinishedRows(self._work(pixels, Samples.alike(self.dtype, pixels.shape[2]), measure=measure))

    def _in_bands(self, shape: tuple[int, ...], samples: Samples) -> InBands | None:
        """Return the filter in bands; None if bands do not support the picture."""
        return _planned(self, shape, samples)

    def on_picture(self, size: Sizes) -> KernelOnPicture:
        """Return the kernel for pictures of a size, or raise ArgumentError if it does not fit."""
        kernel = self.recipe.kernels[0]
        recipe, matrices, _ = self.recipe.anchored(kernel, (1, *size))
        layer: Conv | None = recipe.lone(size, matrices[0].shape)
        assert layer is not None
        return KernelOnPicture.of(
            kernel,
            matrices,
            layer,
            size,
            recipe.padding_mode,
            recipe.padding_value,
            recipe.method,
            self.threads,
        )

    def _in_tiles(self, pixels: Array, samples: Samples, extent: Extent | None, measure: bool) -> Filtered:
        """Filter by the tile loop of stages; integers whose rounding is in doubt are summed exactly."""
        from convcli.filters.tiles.tile_loop import run

        found = run(self._work(_with_channels(pixels), samples, extent, measure))
        plan = found.plan
        if self.recipe.method != "auto":
            plan = plan.replace("stages in", f"{self.recipe.method} in stages of")
        made = found.pixels.reshape(*found.pixels.shape[:2], *pixels.shape[2:])
        return found._replace(pixels=made, plan=plan)

    def _exact(self, stage: Weighted) -> ExactKernel | None:
        """Return the exact kernel for rounding; None if floats are exact enough, or if nothing is rounded."""
        from convcli.filters.tiles.exact_values import ExactKernel

        if not is_small(self.dtype) or self.light or self.value_range in (None, "minmax"):
            return None
        means = self.alpha == "premultiply" or (self.alpha == "auto" and self.recipe.kernels[0].is_smoothing)
        return ExactKernel.of(stage, means)

    def _work(
        self, pixels: Pixels, samples: Samples, extent: Extent | None = None, measure: bool = False
    ) -> TileWork:
        """Return the tile-loop work for pixels (H, W, C)."""
        from convcli.filters.tiles.tile_loop import TileWork

        stages = self._stages(pixels.shape, samples)
        return TileWork(
            self._given(pixels),
            stages,
            self._finish(extent),
            PREMULTIPLY[self.alpha or "auto"],
            self.threads,
            measure,
            self._exact(stages[0]),
        )

    def _given(self, pixels: Pixels) -> Given:
        from convcli.filters.tiles.given_picture import Given

        wide = self.dtype.kind == "f"  # floats are not exact in bands
        return Given(pixels, self.has_alpha, self.zero, self.light, self.alpha is not None, wide)

    def _finish(self, extent: Extent | None) -> Finish:
        import numpy as np

        from convcli.backend.values import raw_dtype
        from convcli.filters.tiles.values_to_pixels import Finish

        return Finish(
            np.dtype("float64") if self.light else self.dtype,
            raw_dtype(self.dtype) if self.value_range is None else self.dtype,
            self.value_range,
            extent,
            extent,
            self.zero,
            light=self.light,
            ends_in_alpha=self.alpha == "filter",
        )

    def _stages(self, shape: tuple[int, ...], samples: Samples) -> tuple[Weighted]:
        """Return the only stage for pictures of a shape."""
        from convcli.filters.stages.stage import Weighted
        from convcli.filters.tiles.alpha_rule import NOISE

        recipe = self.recipe
        if recipe.method == "auto":
            recipe = replace(recipe, method=self._method(samples))
        (stage,) = recipe.stages((prod(shape[2:]) - self.has_alpha, *shape[:2]))
        assert isinstance(stage, Weighted)
        return (replace(stage, faint=NOISE),)

    def _method(self, samples: Samples) -> str:
        """Return the method, or group of methods, that is as exact as plain sums.

        In matrix products and transforms, huge values take away the precision of the values around them.
        """
        from convcli.filters.tiles.weighing import PLAIN_SUMS

        recipe, kernel = self.recipe, self.recipe.kernels[0]
        total, border = float(sum(map(abs, kernel.flat_weights))), 0.0
        if recipe.padding_mode == "constant":
            border = abs(recipe.padding_value)
        largest = 1.0 if self.light else samples.largest
        reach = max(largest, border, 1.0)
        if self.dtype.kind == "f":  # NaN and infinity fail these comparisons
            small_enough = SMALLEST < total * reach < LARGEST and reach < LARGEST
            return PLAIN_SUMS if small_enough else "direct"
        if border > FAR * largest:
            return "direct"
        return "auto" if total * reach < TRANSFORMED * abs(kernel.divisor) else PLAIN_SUMS


@lru_cache(PLANS)  # the pictures of a folder are often alike, and small ones take less time than their plan
def _planned(single: SingleKernel, shape: tuple[int, ...], samples: Samples) -> InBands | None:
    """Return how a kernel filters a picture in bands; None if bands do not support it."""
    on_picture, value_range = single.on_picture(shape[:2]), single.value_range
    one = single.alpha is None or (single.alpha == "filter" and not single.light)
    if not one or value_range is None or value_range == "minmax" or single.zero is not None:
        return None
    if single.light:
        return light_in_bands(on_picture, samples, value_range)
    if single.dtype.name not in BANDED:
        return None
    return in_bands(on_picture, samples, value_range)


def _with_channels(pixels: Array) -> Array:
    return pixels.reshape(*pixels.shape[:2], -1)


def _check_separable(kernel: Kernel) -> None:
    """Raise ArgumentError unless a kernel is the product of a column and a row."""
    import numpy as np

    from convcli.backend.algorithms.separable import factors

    if any(factors(np.array(matrix), 2) is None for matrix in kernel.matrices):
        raise ArgumentError(
            f"method 'separable' does not suit the kernel {kernel.name!r}, whose rank is above 1; take 'auto', or "
            "another method"
        )
