"""Spatially varying blur: local convolution with Gaussians whose width depends on the position."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import hypot, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ArgumentError
from convcli.filters.stages.linear_map import Pass
from convcli.filters.stages.offsets import middles
from convcli.filters.tiles.layer_sources import carried, layered
from convcli.filters.tiles.reach import Held, held
from convcli.filters.tiles.source_borders import Border
from convcli.filters.tiles.sources import Kept, Region, Source
from convcli.kernels.smoothing import gaussian
from convcli.layers import Conv, Layer, LocalConv
from convcli.layers.axes import Shape, Sizes

Array = NDArray[Any]

# A function of the picture's size and of positions (2, H', W') in it, which returns sigma (H', W') in pixels.
Widths = Callable[[Sizes, Array], Array]

LEVELS = 3  # levels of blur that occur in one tile, roughly
STEP = 2.0**0.5  # ratio of successive levels of blur
MIN_SIGMA = 0.4  # lowest sigma above 0: the smallest Gaussian with more than one tap


def tilt_shift(
    sigma: float = 6.0, centre: float = 0.5, width: float = 0.2, fade: float = 0.3
) -> tuple[float, Widths]:
    """Blur everything except a horizontal band, like a tilted lens, which makes a landscape look like a miniature.

    The band is at `centre` and is `width` high, both as fractions of the picture's height; outside it, the blur
    increases over `fade` of the height to a Gaussian of `sigma` pixels.
    """
    _check("tilt-shift", sigma=sigma, width=width, fade=fade)

    return sigma, partial(_off_band, sigma, centre, width, fade)


def _off_band(sigma: float, centre: float, width: float, fade: float, size: Sizes, places: Array) -> Array:
    away = np.abs((places[0] + 0.5) / size[0] - centre) - width / 2
    return sigma * _ramp(away, fade)


def vignette_blur(sigma: float = 6.0, radius: float = 0.4, fade: float = 0.6) -> tuple[float, Widths]:
    """Blur the picture beyond `radius`, increasing over `fade`; 1 is the distance from the centre to a corner."""
    _check("vignette-blur", sigma=sigma, radius=radius, fade=fade)

    return sigma, partial(_off_middle, sigma, radius, fade)


def _off_middle(sigma: float, radius: float, fade: float, size: Sizes, places: Array) -> Array:
    ends = [max(n - 1, 1) / 2 for n in size]
    away = np.hypot(places[0] - (size[0] - 1) / 2, places[1] - (size[1] - 1) / 2) / hypot(*ends)
    return sigma * _ramp(away - radius, fade)


LOCALS: dict[str, Callable[..., tuple[float, Widths]]] = {
    "tilt-shift": tilt_shift,
    "vignette-blur": vignette_blur,
}


def _check(name: str, **values: float) -> None:
    for word, value in values.items():
        if not value >= 0:
            raise ArgumentError(f"local {name}: {word} must be at least 0, got {value:g}")
    if not values["sigma"] > MIN_SIGMA:
        raise ArgumentError(f"local {name}: sigma must be above {MIN_SIGMA}, got {values['sigma']:g}")


def _ramp(away: Array, fade: float) -> Array:
    """Return a smooth step from 0 to 1 over `fade`."""
    share = (away / fade if fade else np.where(away > 0, 1.0, 0.0)).clip(0, 1)
    smooth: Array = share * share * (3 - 2 * share)
    return smooth


@dataclass(frozen=True)
class Blend:
    """A local convolution whose kernel at each position is a weighted mean of two Gaussians out of a few levels.

    The weights are chosen such that the variance of the mean is that of the requested width. The kernels of all
    positions, height * width * side**2 numbers, are never in memory.
    """

    layer: LocalConv
    levels: tuple[float, ...]
    spread: Widths
    padding_mode: str
    padding_value: float

    @classmethod
    def of(
        cls, conv: Conv, size: Sizes, sigma: float, widths: Widths, mode: str, value: float, limit: int
    ) -> "Blend":
        """Plan the levels for a picture of `size`; `conv` gives the geometry except for the kernel size."""
        levels = [0.0, min(MIN_SIGMA, sigma)]
        while levels[-1] * STEP < sigma:
            levels.append(levels[-1] * STEP)
        if levels[-1] < sigma:
            levels.append(sigma)
        side = gaussian(sigma, limit=limit).shape[0]
        options = {name: getattr(conv, name) for name in ("stride", "padding", "dilation")}
        layer = LocalConv(
            in_channels=1, out_channels=1, kernel_size=(side, side), input_size=size, bias=False, **options
        )
        return cls(layer, tuple(levels), widths, mode, value)

    def widths(self, region: Region) -> Array:
        """Return the sigma at each position of a region of the output."""
        size = self.layer.input_size
        return self.spread(size, middles(self.layer, size, region))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the local convolution."""
        return (self.layer,)

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output shape; each channel is filtered separately."""
        return (shape[0], *self.layer.output_shape((1, *shape[1:]))[1:])

    def whole_sum(self, largest: float) -> float | None:
        """Return None: a Gaussian has no integer weights."""
        return None

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield two passes for each level."""
        for level in self.levels[1:]:
            before: Shape = (1, *shape[1:])
            for layer, _ in self.passes_of(level):
                after = layer.output_shape(before)
                yield Pass(layer, layer.cost(before) * shape[0], prod(after) * shape[0])
                before = after

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count the numbers that the widest levels hold for a tile, in which only a few levels occur."""
        numbers, seen = 0, tile
        for level in self.levels[-LEVELS:]:
            each, seen = held([layer for layer, _ in self.passes_of(level)], (1, *shape[1:]), tile)
            numbers += shape[0] * each
        return Held(numbers, seen)

    def passes_of(self, sigma: float) -> list[tuple[Conv, Array]]:
        """Return the two passes of a level; all are as wide as the layer's kernel, so that borders are the same."""
        side = self.layer.kernel_size[0]
        bell = np.zeros(side)
        if sigma:
            own = gaussian(sigma, limit=side)
            part = np.sqrt(np.diag(np.array(own.matrices[0])))
            start = (side - len(part)) // 2
            bell[start : start + len(part)] = part
        else:
            bell[side // 2] = 1
        return [(self._pass(axis), bell.reshape(1, 1, *self._side(axis))) for axis in (0, 1)]

    def _side(self, axis: int) -> Sizes:
        side = self.layer.kernel_size[0]
        return (side, 1) if axis == 0 else (1, side)

    def _pass(self, axis: int) -> Conv:
        """Return the layer's convolution along one axis."""
        padding = self.layer.padding
        if not isinstance(padding, str):
            padding = tuple(pair if other == axis else (0, 0) for other, pair in enumerate(padding))
        stride, dilation = (
            tuple(value if other == axis else 1 for other, value in enumerate(values))
            for values in (self.layer.stride, self.layer.dilation)
        )
        return Conv(
            in_channels=1,
            out_channels=1,
            kernel_size=self._side(axis),
            stride=stride,
            padding=padding,
            dilation=dilation,
            bias=False,
        )

    def __call__(self, source: Source, *, outside: float | None = None, bias: bool = True) -> Source:
        """Return the blended levels of a source (C, H, W)."""
        border = Border(self.padding_mode, self.padding_value if outside is None else outside)
        return _Blended(self, source, border)

    def carry(self, source: Source, outside: float) -> Source:
        """Return the centre pixel of each window."""
        return carried(self.layer, source, {}, Border(self.padding_mode, outside))


class _Blended(Source):
    """Levels of blur, of which only those that occur in a region are computed for it."""

    def __init__(self, blend: Blend, source: Source, border: Border) -> None:
        super().__init__(blend.output_shape(source.shape), source.dtype)
        self.blend, self.source, self.border = blend, source, border
        self.blurred = {sigma: self._level(sigma) for sigma in blend.levels}

    def _level(self, sigma: float) -> Source:
        level = self.source
        for number, (layer, weight) in enumerate(self.blend.passes_of(sigma)):
            before = Kept(level) if number else level
            level = layered(layer, before, {"weight": weight}, self.border)
        return level

    def read(self, region: Region) -> Array:
        """Compute a region."""
        levels, widths = self.blend.levels, self.blend.widths(region)
        y = np.zeros((*widths.shape, self.shape[0]), self.dtype)
        squares, found = widths**2, dict[float, Array]()
        # The widest first: the inputs of narrower levels are a part of its inputs.
        for low, high in reversed(list(pairwise(levels))):
            within = (widths > low) & (widths <= high) if low else widths <= high
            if not within.any():
                continue
            for sigma in (high, low):
                if sigma not in found:
                    found[sigma] = self.blurred[sigma].read(region)
            share = ((squares - low**2) / (high**2 - low**2)).clip(0, 1).astype(self.dtype)[..., np.newaxis]
            blend = found[low] + share * (found[high] - found[low])
            np.copyto(y, blend, where=within[..., np.newaxis])
        return y
