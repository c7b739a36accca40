"""Chains of layers as linear maps of a picture: with borders of every mode, and the geometry that alpha follows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from convcli import backend
from convcli.backend.borders import pad
from convcli.backend.stages.offsets import Moves, deformed, nearest_of
from convcli.layers import Conv, ConvTranspose, DeformConv, Layer, LocalConv, Resize, TiledConv, Window
from convcli.layers.axes import Shape, Sizes
from convcli.layers.chain import shapes
from convcli.layers.counts import Cost
from convcli.layers.padding import span

Array = NDArray[Any]
Arrays = Mapping[str, Any]  # of one layer, by its operator's names

BAND_BYTES = 1 << 26  # of local weights that are in memory at once


class Pass(NamedTuple):
    """A layer that once walks over all of a picture: its work, and how many numbers it writes."""

    layer: Layer
    cost: Cost
    outputs: int


class Map(Protocol):
    """A linear map of (C, *spatial), but for a bias."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What is computed, as records."""

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape that the map makes of `shape`."""

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield what is done to an input of `shape`."""

    def memory(self, shape: Shape) -> int:
        """Count the numbers that are held at once."""

    def __call__(self, x: Array, *, outside: float | None = None, bias: bool = True) -> Array:
        """Map x; `outside` is what `constant` surrounds it with, where that is not the padding value."""

    def carry(self, x: Array, outside: float) -> Array:
        """Return for each output place the pixel in the middle of what it sees."""


@dataclass(frozen=True)
class Linear:
    """Layers one after the other; with several terms, sets of arrays for them, the sum of their answers.

    terms : for each term the arrays of each layer
    each : whether the layers see one channel at a time
    anchor : the tap that lies on the pixel, where it is not the middle one
    """

    layers: tuple[Layer, ...]
    terms: tuple[tuple[Arrays, ...], ...]
    padding_mode: str = "reflect"
    padding_value: float = 0.0
    method: str = "auto"
    each: bool = False
    anchor: Sizes | None = None

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape that the layers make of `shape`."""
        if self.each:
            return (shape[0], *shapes(self.layers, (1, *shape[1:]))[-1][1:])
        return shapes(self.layers, shape)[-1]

    def passes(self, shape: Shape) -> Iterator[Pass]:
        """Yield the layers of all terms."""
        times = len(self.terms) * (shape[0] if self.each else 1)
        before = self._seen(shape)
        for layer, after in zip(self.layers, shapes(self.layers, before), strict=True):
            yield Pass(layer, layer.cost(before) * times, prod(after) * times)
            before = after

    def memory(self, shape: Shape) -> int:
        """Count the numbers of the largest layer: its input, padded and copied, and what comes out."""
        held = []
        for layer, after in zip(self.layers, shapes(self.layers, self._seen(shape)), strict=True):
            count = 2 * prod(shape) + 2 * prod(after)
            if isinstance(layer, DeformConv):  # moves, places, shares and their temporaries
                moves = self.terms[0][0]["offset"]
                count += prod(after[1:]) * (32 if moves.alike else 4 * prod(layer.kernel_size) + 32)
            held.append(count)
            shape = (shape[0], *after[1:]) if self.each else after
        return max(held)

    def _seen(self, shape: Shape) -> Shape:
        return (1, *shape[1:]) if self.each else shape

    def __call__(self, x: Array, *, outside: float | None = None, bias: bool = True) -> Array:
        """Map x, (C, *spatial), to (O, *output)."""
        outside = self.padding_value if outside is None else outside
        total: Array | None = None
        for arrays in self.terms:
            part = self._term(x, arrays, outside, bias)
            total = part if total is None else np.add(total, part, out=total)
        assert total is not None
        return total

    def _term(self, x: Array, arrays: tuple[Arrays, ...], outside: float, bias: bool) -> Array:
        y = x[:, np.newaxis] if self.each else x[np.newaxis]
        for layer, given in zip(self.layers, arrays, strict=True):
            mine = {name: value for name, value in given.items() if bias or name != "bias"}
            if not isinstance(layer, LocalConv):
                mine = {name: np.asarray(_present(value), x.dtype) for name, value in mine.items()}
            if isinstance(layer, Conv):
                y = bordered(layer, y, {**mine, "method": self.method}, self.padding_mode, outside)
                outside *= float(np.sum(mine["weight"][0]))  # what the next layer finds beyond the border
            else:
                y = bordered(layer, y, mine, self.padding_mode, outside)
        return y[:, 0] if self.each else y[0]

    def carry(self, x: Array, outside: float) -> Array:
        """Return for each output place the pixel in the middle of what it sees: under `same`, the pixel itself."""
        for layer, given in zip(self.layers, self.terms[0], strict=True):
            x = carried(layer, x, given, self.padding_mode, outside, self.anchor)
        return x


def _present(value: Any) -> Any:
    return value.array if isinstance(value, Moves) else value


def bordered(layer: Layer, x: Array, arrays: Arrays, mode: str, outside: float) -> Array:
    """Run x, (N, C, *spatial), through a layer; beyond its border x goes on as `mode` says."""
    if isinstance(layer, ConvTranspose):
        return backend.run_layer(layer, x, **arrays, **_beyond(mode, outside))
    if isinstance(layer, DeformConv):
        return deformed(layer, x, arrays, mode, outside)
    if not isinstance(layer, Window):
        return backend.run_layer(layer, x, **arrays)
    pads = layer.pads(x.shape[2:])
    if isinstance(layer, LocalConv):
        return _local(layer, pad(x, pads, range(2, x.ndim), mode, outside), arrays)
    if mode == "zeros":
        return backend.run_layer(layer, x, **arrays)
    if isinstance(layer, TiledConv) or any(max(pair) >= n for pair, n in zip(pads, x.shape[2:], strict=True)):
        return backend.run_layer(_unpadded(layer), pad(x, pads, range(2, x.ndim), mode, outside), **arrays)
    return backend.run_layer(layer, x, **arrays, **_beyond(mode, outside))


def _beyond(mode: str, outside: float) -> dict[str, Any]:
    """Return the options that say how x goes on."""
    value = {"padding_value": outside} if mode == "constant" else {}
    return {"padding_mode": mode, **value}


def _unpadded(layer: Any) -> Any:
    return replace(layer, padding=0)


def _local(layer: LocalConv, padded: Array, arrays: Arrays) -> Array:
    """Run in bands of rows: the weights may be a file that is read as it is needed."""
    weight = arrays["weight"]
    row_bytes = max(1, weight.nbytes // weight.shape[1])
    step = max(1, BAND_BYTES // row_bytes)
    rows, stride = weight.shape[1], layer.stride[0]
    reach = span(layer.kernel_size[0], layer.dilation[0])
    bias = arrays.get("bias")
    bands = []
    for first in range(0, rows, step):
        last = min(rows, first + step)
        source = padded[:, :, first * stride : (last - 1) * stride + reach]
        own = np.asarray(weight[:, first:last], padded.dtype)
        bands.append(backend.local_conv(source, own, bias, stride=layer.stride, dilation=layer.dilation))
    return np.concatenate(bands, axis=2)


def carried(
    layer: Layer, x: Array, arrays: Arrays, mode: str, outside: float, anchor: Sizes | None = None
) -> Array:
    """Return the pixels of x, (C, *spatial), in the middle, or under the anchor, of what each output sees."""
    size = x.shape[1:]
    if isinstance(layer, Resize):
        return backend.resize(x, scale=layer.scale, size=layer.size)
    if isinstance(layer, ConvTranspose):
        return _spread(layer, x)
    if isinstance(layer, DeformConv):
        return nearest_of(layer, x, _present(arrays["offset"]), mode, outside)
    if not isinstance(layer, Window):
        return x
    padded = pad(x, layer.pads(size), range(1, x.ndim), mode, outside)
    behind = layer.padding == "same-lower"
    index: list[slice] = []
    axes = zip(layer.kernel_size, layer.dilation, layer.stride, layer.output_size(size), strict=True)
    for axis, (k, d, s, count) in enumerate(axes):
        reach = span(k, d)
        start = reach // 2 if behind else (reach - 1) // 2
        if anchor is not None:
            start = min(anchor[axis], k - 1) * d
        index.append(slice(start, start + (count - 1) * s + 1, s))
    return padded[(slice(None), *index)]


def _spread(layer: ConvTranspose, x: Array) -> Array:
    """Return for each output of a transposed convolution the input whose kernel lies around it."""
    size: Sizes = x.shape[1:]
    axes = zip(
        size,
        layer.kernel_size,
        layer.stride,
        layer.dilation,
        layer.pads(size),
        layer.output_size(size),
        strict=True,
    )
    for axis, (n, k, s, d, (before, _), count) in enumerate(axes, start=1):
        twice = 2 * (np.arange(count) + before) - (span(k, d) - 1)  # the place, from the kernel's middle
        x = x.take(((twice + s) // (2 * s)).clip(0, n - 1), axis=axis)
    return x
