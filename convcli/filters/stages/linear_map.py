"""Chains of layers as linear maps of a picture, with every padding mode, and the geometry that alpha follows."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.separable import factors
from convcli.backend.bands.band_plan import TRANSFORMS
from convcli.filters.stages.offsets import Moves
from convcli.filters.tiles.layer_sources import Arrays, carried, layered
from convcli.filters.tiles.reach import Held, held
from convcli.filters.tiles.source_borders import Border
from convcli.filters.tiles.sources import Kept, Mapped, Source
from convcli.layers import Conv, ConvTranspose, DeformConv, Layer, LocalConv
from convcli.layers.axes import Shape, Sizes
from convcli.layers.chain import shapes
from convcli.layers.counts import Cost

Array = NDArray[Any]

ROUNDING = 1e-6  # weights that differ by less than this fraction of the largest are equal
PLACES = 24  # numbers per position of a deformable tap: coordinates, pixels, interpolation weights
TRANSFORMED = 9  # least side of a kernel for Fourier transforms
PLANES = 5  # arrays per transform: input, output, weights


class Pass(NamedTuple):
    """One pass of a layer over a picture: its cost, and the number of values that it writes."""

    layer: Layer
    cost: Cost
    outputs: int


class Map(Protocol):
    """A linear map of (C, *spatial), plus a bias."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the map."""

    @property
    def padding_value(self) -> float:
        """The padding value of the mode `constant`."""

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output shape for an input of `shape`."""

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield the passes for an input of `shape`."""

    def whole_sum(self, largest: float) -> float | None:
        """Return an upper bound of all sums for integer values up to `largest`; None unless weights are integers."""

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count the numbers held for a tile of the output."""

    def __call__(self, source: Source, *, outside: float | None = None, bias: bool = True) -> Source:
        """Map a source; `outside` replaces the padding value of the mode `constant`."""

    def carry(self, source: Source, outside: float) -> Source:
        """Return the centre pixel of the receptive field of each output."""


@dataclass(frozen=True)
class Linear:
    """A chain of layers; with several terms (sets of arrays), the sum of their outputs.

    terms : the arrays of each layer, for each term
    each : whether the layers are applied to each channel separately
    anchor : the tap at the output pixel, if it is not the middle one
    """

    layers: tuple[Layer, ...]
    terms: tuple[tuple[Arrays, ...], ...]
    padding_mode: str = "reflect"
    padding_value: float = 0.0
    method: str = "auto"
    each: bool = False
    anchor: Sizes | None = None

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output shape for an input of `shape`."""
        if self.each:
            return (shape[0], *shapes(self.layers, (1, *shape[1:]))[-1][1:])
        return shapes(self.layers, shape)[-1]

    def whole_sum(self, largest: float) -> float | None:
        """Bound the sums of all terms by the sums of their absolute weights, layer by layer."""
        outside, total = self.padding_value if self.padding_mode == "constant" else 0.0, 0.0
        for arrays in self.terms:
            most = max(largest, abs(outside))
            for layer, given in zip(self.layers, arrays, strict=True):
                if isinstance(layer, LocalConv | DeformConv) or given.get("bias") is not None:
                    return None
                if "weight" in given:
                    weight = np.asarray(given["weight"])
                    if weight.dtype == object:  # more than 64 bits
                        return None
                    if not (weight == np.rint(weight)).all():
                        return None
                    axis = 1 if isinstance(layer, ConvTranspose) else 0
                    sums = np.abs(weight.astype(np.float64)).sum(
                        axis=tuple(a for a in range(weight.ndim) if a != axis)
                    )
                    most *= max(1.0, float(sums.max()))
            total += most
        return total if float(outside).is_integer() else None

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield the layers of all terms."""
        times = len(self.terms) * (shape[0] if self.each else 1)
        before = self._seen(shape)
        for layer, after in zip(self.layers, shapes(self.layers, before), strict=True):
            yield Pass(layer, layer.cost(before) * times, prod(after) * times)
            before = after

    def held(self, shape: Shape, tile: Sizes) -> Held:
        """Count the numbers held for a tile: for each term, by its layers, transforms and deformable taps."""
        moved, more = 0, 0
        for layer, given in zip(self.layers, self.terms[0], strict=True):
            if isinstance(layer, DeformConv):
                moves: Moves = given["offset"]
                moved += -(-moves.spread(tile) // 2)  # on each side
                more += PLACES * prod(tile) + (0 if moves.is_computed_by_region else 4 * prod(moves.output))
            elif isinstance(layer, Conv) and may_be_transformed(np.asarray(given["weight"])):
                more += PLANES * TRANSFORMS[-1] ** 2
        times = shape[0] if self.each else 1
        numbers, seen = held(self.layers, self._seen(shape), tile, moved)
        return Held(len(self.terms) * (times * numbers + more), seen)

    def _seen(self, shape: Shape) -> Shape:
        return (1, *shape[1:]) if self.each else shape

    def __call__(self, source: Source, *, outside: float | None = None, bias: bool = True) -> Source:
        """Return the map of a source."""
        outside = self.padding_value if outside is None else outside
        parts = [self._term(source, arrays, outside, bias) for arrays in self.terms]
        return parts[0] if len(parts) == 1 else Mapped(_sum, *parts)

    def _term(self, source: Source, arrays: tuple[Arrays, ...], outside: float, bias: bool) -> Source:
        for number, (layer, given) in enumerate(zip(self.layers, arrays, strict=True)):
            mine = {name: value for name, value in given.items() if bias or name != "bias"}
            before = Kept(source) if number else source
            source = layered(layer, before, mine, Border(self.padding_mode, outside), self.method)
            if isinstance(layer, Conv):
                outside *= float(np.sum(mine["weight"][0]))  # the values outside the input of the next layer
        return source

    def carry(self, source: Source, outside: float) -> Source:
        """Return the centre pixel of the receptive field of each output; with padding `same`, the pixel itself."""
        border = Border(self.padding_mode, outside)
        for layer, given in zip(self.layers, self.terms[0], strict=True):
            source = carried(layer, source, given, border, self.anchor)
        return source


def may_be_transformed(weight: Array) -> bool:
    """Return whether `auto` may use transforms for weights (O, C / groups, *kernel_size): large, not separable ones."""
    matrix = weight[0, 0]
    return min(matrix.shape) >= TRANSFORMED and factors(matrix, matrix.ndim) is None


def _sum(*parts: Array) -> Array:
    """Return the sum of arrays."""
    total = parts[0] + parts[1]
    for part in parts[2:]:
        np.add(total, part, out=total)
    return total
