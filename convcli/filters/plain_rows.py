"""Filter a picture by one kernel in bands: each band of the result is filtered from the rows that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from convcli.backend.values import Extent, Filtered
from convcli.layers import Conv
from convcli.layers.padding import span
from convcli.memory import black_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.filters.single_kernel import SingleKernel
    from convcli.filters.tiles.sources import Samples

    Array = NDArray[Any]

SURROUNDED = ("zeros", "constant")  # the padding modes that do not use rows of the picture
BAND = 1 << 22  # least samples of a band: of its result or its input rows
MIN_SPANS = (
    8  # a band is at least this many times as high as the kernel, as the rows around it are read twice
)


@dataclass(frozen=True)
class PlainBands:
    """The rows of a picture that each band of the result needs; integers only.

    size, channels : size and channels of the picture
    """

    layer: Conv
    size: tuple[int, int]
    channels: int

    @property
    def output_size(self) -> tuple[int, ...]:
        """The size of the result."""
        return self.layer.output_size(self.size)

    @property
    def rows(self) -> int:
        """The number of rows in a band."""
        height, width = self.output_size
        stride = self.layer.stride[0]
        samples = self.channels * max(width, stride * self.size[1])
        spans = -(-span(self.layer.kernel_size[0], self.layer.dilation[0]) // stride)
        return min(height, max(1, BAND // samples, MIN_SPANS * spans))

    @property
    def all_look_inside(self) -> bool:
        """Whether every row of the result depends on at least one row of the picture."""
        below = span(self.layer.kernel_size[0], self.layer.dilation[0])
        return max(self.layer.pads(self.size)[0]) < below

    @property
    def rows_seen(self) -> int:
        """The number of input rows of a band, including padding."""
        return self.seen(slice(0, self.rows))[1]

    def seen(self, rows: slice) -> tuple[int, int]:
        """Return the first input row of some rows of the result (negative in the padding), and the number of rows."""
        stride, (before, _) = self.layer.stride[0], self.layer.pads(self.size)[0]
        count = (rows.stop - 1 - rows.start) * stride + span(
            self.layer.kernel_size[0], self.layer.dilation[0]
        )
        return rows.start * stride - before, count

    def __iter__(self) -> Iterator[slice]:
        """Yield the rows of each band of the result."""
        for top in range(0, self.output_size[0], self.rows):
            yield slice(top, min(self.output_size[0], top + self.rows))


class PlainRows:
    """The result of a kernel on a picture, computed band by band from top to bottom.

    filtered : statistics of the result after all bands were computed; its pixels are black
    """

    filtered: Filtered | None = None

    def __init__(self, pixels: Samples, layer: Conv, single: SingleKernel, measure: bool = False) -> None:
        """Initialise with pixels (H, W, C) and a kernel; with `SURROUNDED` modes, `all_look_inside` must hold."""
        height, width, channels = pixels.shape
        self._pixels, self._single, self._measure = pixels, single, measure
        self._bands = PlainBands(layer, (height, width), channels)

    def __iter__(self) -> Iterator[Array]:
        """Yield bands (rows, W, C); `minmax` first computes the range of all bands."""
        extent = None
        if self._single.value_range == "minmax":
            extent = Extent.around(self._extent(rows) for rows in self._bands) or Extent(0, 0)
        bands: list[Filtered] = []
        samples = 0
        for rows in self._bands:
            made = self._filtered(rows, extent)
            samples += made.pixels.size
            bands.append(
                made._replace(pixels=made.pixels[:0].copy(), clipped=made.clipped * made.pixels.size)
            )
            yield made.pixels
            del made
        measured = [each.measured for each in bands if each.measured is not None]
        self.filtered = bands[0]._replace(
            pixels=black_pixels((*self._bands.output_size, self._bands.channels), bands[0].pixels.dtype),
            clipped=sum(each.clipped for each in bands) / samples,
            measured=sum(measured[1:], measured[0]) if measured else None,
        )

    def _filtered(self, rows: slice, extent: Extent | None) -> Filtered:
        """Filter the input rows of some rows of the result."""
        pixels, single = self._seen(rows)
        return single.filtered(pixels, extent, self._measure)

    def _extent(self, rows: slice) -> Extent | None:
        pixels, single = self._seen(rows)
        return single.extent(pixels)

    def _seen(self, rows: slice) -> tuple[Array, SingleKernel]:
        """Return the input rows, and the kernel with the padding that remains around them."""
        pixels, pads = self._looked_at(rows)
        across = self._bands.layer.pads(self._bands.size)[1]
        recipe = replace(self._single.recipe, padding=(pads, across))
        return pixels, self._single._replace(recipe=recipe)

    def _looked_at(self, rows: slice) -> tuple[Array, tuple[int, int]]:
        """Return the input rows, and the numbers of padding rows without a source above and below them."""
        first, count = self._bands.seen(rows)
        height = self._bands.size[0]
        if self._single.recipe.padding_mode in SURROUNDED:
            top, bottom = max(0, first), min(height, first + count)
            return self._rows(top, bottom), (top - first, first + count - bottom)
        import numpy as np

        from convcli.backend.borders import source_indices

        sources = source_indices(self._single.recipe.padding_mode, height, -first, first + count - height)
        ends = [0, *(np.flatnonzero(np.diff(sources) != 1) + 1).tolist(), count]
        parts = [self._rows(int(sources[a]), int(sources[b - 1]) + 1) for a, b in pairwise(ends)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts), (0, 0)

    def _rows(self, top: int, bottom: int) -> Array:
        return self._pixels[slice(top, bottom), slice(0, self._bands.size[1])]


def plain_memory(bands: PlainBands, itemsize: int, made: int) -> int:
    """Estimate the bytes of the input rows of a band, and of two bands with samples of `made` bytes."""
    seen = bands.rows_seen * bands.size[1] * bands.channels * itemsize
    return seen + 2 * bands.rows * bands.output_size[1] * bands.channels * made
