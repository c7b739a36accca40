"""One kernel on a picture, some rows at a time: `filter_image` on the rows that each part of its result looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from convcli.backend.parts import SAMPLES, SPANS, SURROUNDED
from convcli.backend.values import Extent, Filtered
from convcli.layers import Conv
from convcli.layers.padding import span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.filters.tiles.sources import Samples
    from convcli.kernels import Kernel

    Array = NDArray[Any]

BAND = 1 << 22  # samples of the result, or of the rows that are looked at, of a band at least
MOST_LOOKED_AT = (
    4  # times as high as a part has to be a band is at least, as rows around it are looked at twice
)


@dataclass(frozen=True)
class PlainBands:
    """Which rows of a picture each band of a result looks at. Integers only.

    size, channels : of the picture
    """

    layer: Conv
    size: tuple[int, int]
    channels: int

    @property
    def output_size(self) -> tuple[int, ...]:
        """The rows and columns of the result."""
        return self.layer.output_size(self.size)

    @property
    def rows(self) -> int:
        """The rows of a band."""
        height, width = self.output_size
        stride = self.layer.stride[0]
        samples = self.channels * max(width, stride * self.size[1])
        spans = -(-SPANS * span(self.layer.kernel_size[0], self.layer.dilation[0]) // stride)
        # As many parts as `filter_image` would make: floats of the same parts are the same.
        part = max(1, SAMPLES // samples, spans)
        return min(height, part * max(1, BAND // (part * samples), MOST_LOOKED_AT * spans // part))

    @property
    def all_look_inside(self) -> bool:
        """Whether no row of the result looks at padding alone."""
        below = span(self.layer.kernel_size[0], self.layer.dilation[0])
        return max(self.layer.pads(self.size)[0]) < below

    @property
    def rows_seen(self) -> int:
        """The rows of the picture, or beyond it, that a band looks at."""
        return self.seen(slice(0, self.rows))[1]

    def seen(self, rows: slice) -> tuple[int, int]:
        """Return which row is the first that some rows of the result look at, below 0 above the picture; how many."""
        stride, (before, _) = self.layer.stride[0], self.layer.pads(self.size)[0]
        count = (rows.stop - 1 - rows.start) * stride + span(
            self.layer.kernel_size[0], self.layer.dilation[0]
        )
        return rows.start * stride - before, count

    def __iter__(self) -> Iterator[slice]:
        """Yield the rows of the result."""
        for top in range(0, self.output_size[0], self.rows):
            yield slice(top, min(self.output_size[0], top + self.rows))


class PlainRows:
    """What a kernel makes of a picture, band after band from its top to its bottom.

    filtered : what is told of it once all bands were taken; its pixels are black
    """

    filtered: Filtered | None = None

    def __init__(self, pixels: Samples, layer: Conv, kernel: Kernel, options: Mapping[str, Any]) -> None:
        """Take pixels (H, W, C), and the options of `filter_image`; where zeros surround them, all rows look inside."""
        height, width, channels = pixels.shape
        self._pixels, self._kernel, self._options = pixels, kernel, dict(options)
        self._bands = PlainBands(layer, (height, width), channels)

    def __iter__(self) -> Iterator[Array]:
        """Yield bands (rows, W, C); `minmax` without an extent looks at all of them before."""
        from convcli.backend.values import black

        options = dict(self._options)
        if options["value_range"] == "minmax" and options["extent"] is None:
            found = Extent.around(self._filtered(rows, options).extent for rows in self._bands)
            options["extent"] = found or Extent(0, 0)
        told: list[Filtered] = []
        samples = 0
        for rows in self._bands:
            made = self._filtered(rows, options)
            samples += made.pixels.size
            told.append(replace(made, pixels=made.pixels[:0].copy(), clipped=made.clipped * made.pixels.size))
            yield made.pixels
            del made
        measured = [each.measured for each in told if each.measured is not None]
        self.filtered = replace(
            told[0],
            pixels=black((*self._bands.output_size, self._bands.channels), told[0].pixels.dtype),
            clipped=sum(each.clipped for each in told) / samples,
            measured=sum(measured[1:], measured[0]) if measured else None,
        )

    def _filtered(self, rows: slice, options: Mapping[str, Any]) -> Filtered:
        """Filter the rows of the picture that some rows of the result look at."""
        from convcli.backend.image import filter_image

        pixels, pads = self._seen(rows)
        across = self._bands.layer.pads(self._bands.size)[1]
        return filter_image(pixels, self._kernel, **{**options, "padding": (pads, across)})

    def _seen(self, rows: slice) -> tuple[Array, tuple[int, int]]:
        """Return what is looked at, and how many rows without a source there are above and below it."""
        first, count = self._bands.seen(rows)
        height = self._bands.size[0]
        if self._options["padding_mode"] in SURROUNDED:
            top, bottom = max(0, first), min(height, first + count)
            return self._rows(top, bottom), (top - first, first + count - bottom)
        import numpy as np

        from convcli.backend.borders import source_indices

        sources = source_indices(self._options["padding_mode"], height, -first, first + count - height)
        ends = [0, *(np.flatnonzero(np.diff(sources) != 1) + 1).tolist(), count]
        parts = [self._rows(int(sources[a]), int(sources[b - 1]) + 1) for a, b in pairwise(ends)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts), (0, 0)

    def _rows(self, top: int, bottom: int) -> Array:
        return self._pixels[slice(top, bottom), slice(0, self._bands.size[1])]


def plain_memory(bands: PlainBands, itemsize: int, made: int) -> int:
    """Foretell the bytes of the rows that a band looks at, and of two bands, whose samples have `made` bytes."""
    seen = bands.rows_seen * bands.size[1] * bands.channels * itemsize
    return seen + 2 * bands.rows * bands.output_size[1] * bands.channels * made
