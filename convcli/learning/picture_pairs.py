"""Pairs of pictures, laid over each other: every sample of the second beside the window of the first that made it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.slide import Slide
from convcli.backend.borders import pad
from convcli.backend.checks import check_border
from convcli.backend.colour import to_light
from convcli.errors import ArgumentError
from convcli.layers import Conv
from convcli.layers.axes import Sizes, by_axes
from convcli.layers.padding import AnyPadding, Pads

Array = NDArray[Any]

# Samples whose windows are laid out at once: as many as stay in cache, within bounds.
TILE, LEAST_TILE, CACHED = 1 << 15, 1 << 11, 1 << 19
GUESSED = ("same", "valid", "full")  # the paddings that are tried where none is given
SPATIAL = (1, 2)  # of (C, H, W)


class LeftOut(NamedTuple):
    """How many samples of the second pictures do not count, and why.

    clipped : they are the least or the largest of their type, which may stand for any value beyond
    border : their windows reach beyond the first picture, and nobody says what is there
    masked : the caller left them out
    """

    clipped: int = 0
    border: int = 0
    masked: int = 0

    def __add__(self, other: object) -> LeftOut:
        """Count those of both."""
        assert isinstance(other, LeftOut)
        return LeftOut(*(one + more for one, more in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Pair:
    """Two pictures of which every sample of the second has its whole window in the first.

    before : (C, H, W), with its border where one is made
    after : (O, h, w), what lies at the places of a window that slides over `before`
    counts : (O, h, w) of bool, which samples of `after` count; None for all
    padding : the name or the numbers of the padding between them
    """

    before: Array
    after: Array
    counts: Array | None
    padding: AnyPadding
    left_out: LeftOut

    @property
    def samples(self) -> int:
        """How many samples of the second picture count."""
        return self.after.size if self.counts is None else int(np.count_nonzero(self.counts))

    def in_light(self) -> Pair:
        """Return the light that both pictures stand for, 0 to 1, of sRGB samples of 8 or 16 bits."""
        return replace(self, before=to_light(self.before), after=to_light(self.after))

    def channel(self, number: int) -> Pair:
        """Return one channel of both."""
        one = slice(number, number + 1)
        counts = None if self.counts is None else self.counts[one]
        return replace(self, before=self.before[one], after=self.after[one], counts=counts)


class Geometry(NamedTuple):
    """How a window slides over the first picture of a pair; of padding and mode, None is what is not known."""

    kernel_size: Sizes
    stride: Sizes = (1, 1)
    dilation: Sizes = (1, 1)
    padding: AnyPadding | None = None
    padding_mode: str | None = None

    def layer(self, padding: AnyPadding) -> Conv:
        """Return the layer of one channel with a padding."""
        return Conv(
            in_channels=1, out_channels=1, kernel_size=self.kernel_size, stride=self.stride, padding=padding,
            dilation=self.dilation,
        )  # fmt: skip

    def slide(self, pair: Pair) -> Slide:
        """Return the walk of the window over the first picture of an aligned pair."""
        return Slide.of(self.layer(0), pair.before.shape[1:])


def aligned(
    geometry: Geometry,
    before: Array,
    after: Array,
    mask: Array | None = None,
    *,
    keep_clipped: bool = False,
    alike: bool = False,
    names: tuple[str, str] = ("before", "after"),
) -> Pair:
    """Lay a picture (C, H, W) over what became of it, (O, h, w), or raise ArgumentError where they do not fit.

    mask : (h, w) of bool, the samples of `after` that count
    keep_clipped : whether those count that may be clipped
    alike : whether a sample counts only where it does in all channels
    """
    for name, array in zip(names, (before, after), strict=True):
        _check_numbers(name, array)
    size, made = before.shape[1:], after.shape[1:]
    padding = padding_between(geometry, size, made, names)
    layer = geometry.layer(padding)
    pads, slide = layer.pads(size), Slide.of(layer, size)
    counts = None
    if not keep_clipped and after.dtype.kind in "iu":
        limits = np.iinfo(after.dtype)
        counts = (after > limits.min) & (after < limits.max)
        if alike:
            counts &= counts.all(axis=0)
    clipped = 0 if counts is None else counts.size - int(np.count_nonzero(counts))
    masked = 0
    if mask is not None:
        mask = np.broadcast_to(mask, after.shape)
        counts = mask.copy() if counts is None else counts & mask
        masked = counts.size - int(np.count_nonzero(counts)) - clipped
    border = 0
    if geometry.padding_mode is None:
        before, after, counts, border = _inside(before, after, counts, pads, slide)
        if not after.size:
            raise ArgumentError(
                f"no window of {by_axes(geometry.kernel_size)} lies in {names[0]} of {by_axes(size)} (rows x columns); "
                "say how it is padded by `padding_mode`, or take a smaller `size`"
            )
    else:
        check_border(geometry.padding_mode, pads, size)
        before = pad(before, pads, SPATIAL, geometry.padding_mode)
    if counts is not None and counts.all():
        counts = None
    return Pair(before, after, counts, padding, LeftOut(clipped, border, masked))


def _check_numbers(name: str, array: Array) -> None:
    """Refuse what is no picture of real, finite numbers."""
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"{name} has dtype {array.dtype}; it must hold bool, integers, floats")
    if 0 in array.shape:
        raise ArgumentError(f"{name} has no pixels: its shape (C, H, W) is {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        channel, row, column = (int(i[0]) for i in np.nonzero(~np.isfinite(array)))
        raise ArgumentError(
            f"{name} holds {array[channel, row, column]} in row {row}, column {column}; every sample must be a finite "
            "number"
        )


def padding_between(
    geometry: Geometry, size: Sequence[int], made: Sequence[int], names: tuple[str, str]
) -> AnyPadding:
    """Return the padding that makes one size of the other."""
    given = geometry.padding
    sizes: dict[str, str] = {}
    for padding in GUESSED if given is None else (given,):
        try:
            output = geometry.layer(padding).output_size(tuple(size))
        except ArgumentError:
            if given is not None:
                raise
            continue
        if output == tuple(made):
            return padding
        sizes[str(padding)] = by_axes(output)
    window = f"a window of {by_axes(geometry.kernel_size)}"
    if set(geometry.stride) != {1}:
        window += f" and the stride {by_axes(geometry.stride)}"
    made_of = ", ".join(f"{output} with padding {name}" for name, output in sizes.items())
    raise ArgumentError(
        f"{names[0]} is {by_axes(size)} and {names[1]} {by_axes(made)} (rows x columns); {window} makes {made_of}; "
        "crop or resize one of them, or give the `size` and the `padding` that lie between them"
    )


def _inside(
    before: Array, after: Array, counts: Array | None, pads: Pads, slide: Slide
) -> tuple[Array, Array, Array | None, int]:
    """Cut a pair down to the samples whose windows lie in the picture; return how many that counted are cut off."""
    seen, kept = [], []
    for n, (start, _), s, span, count in zip(
        before.shape[1:], pads, slide.stride, slide.spans, slide.output_size, strict=True
    ):
        first = -(-start // s)
        stop = max(first, min(count, (n + start - span) // s + 1))
        kept.append(slice(first, stop))
        left = first * s - start
        seen.append(slice(left, left + max(0, stop - first - 1) * s + span))
    inner = (slice(None), *kept)
    whole = after.size if counts is None else int(np.count_nonzero(counts))
    after = after[inner]
    counts = None if counts is None else counts[inner]
    rest = after.size if counts is None else int(np.count_nonzero(counts))
    return before[(slice(None), *seen)], after, counts, whole - rest


def tile_size(taps: int) -> int:
    """Return about how many samples with so many taps are laid out at once."""
    return max(LEAST_TILE, min(TILE, CACHED // taps))


class Windows(NamedTuple):
    """The windows of some samples, in columns, and the samples.

    inputs : (C * kh * kw, samples) of float64
    outputs : (O, samples) of float64
    """

    inputs: Array
    outputs: Array


def tiles(pairs: Sequence[Pair], geometry: Geometry, middle: float, level: float) -> Iterator[Windows]:
    """Lay out the windows of all samples that count, some rows at a time; `middle` and `level` are subtracted.

    The channels of a sample count together: those where all do.
    """
    for pair in pairs:
        slide = geometry.slide(pair)
        height, width = slide.output_size
        step = max(1, tile_size(len(pair.before) * prod(slide.kernel_size)) // width)
        for top in range(0, height, step):
            rows = slice(top, min(height, top + step))
            box = (rows, slice(0, width))
            reach = slide.reach(box)
            seen = pair.before[(slice(None), *reach)].astype(np.float64) - middle
            inner = (slice(0, rows.stop - top), slice(0, width))
            inputs = np.empty((len(seen), *slide.kernel_size, inner[0].stop * width))
            for tap in np.ndindex(*slide.kernel_size):
                inputs[(slice(None), *tap)] = seen[(slice(None), *slide.meets(tap, inner))].reshape(
                    len(seen), -1
                )
            outputs = pair.after[:, rows].astype(np.float64).reshape(len(pair.after), -1) - level
            columns = inputs.reshape(-1, inputs.shape[-1])
            if pair.counts is not None:
                counted = pair.counts[:, rows].all(axis=0).ravel()
                columns, outputs = columns[:, counted], outputs[:, counted]
            yield Windows(columns, outputs)
