"""Aligned pairs of pictures: every sample of the second with the window of the first that it was computed from."""

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
from convcli.images.size_in_words import size_in_words
from convcli.layers import Conv
from convcli.layers.axes import Sizes, by_axes
from convcli.layers.padding import AnyPadding, Pads

Array = NDArray[Any]

# Number of samples whose windows are laid out at once: enough to stay in the cache, within bounds.
TILE, MIN_TILE, CACHED = 1 << 15, 1 << 11, 1 << 19
GUESSED = ("same", "valid", "full")  # the paddings that are tried by default
SPATIAL = (1, 2)  # the spatial axes of (C, H, W)


class LeftOut(NamedTuple):
    """The numbers of samples of the second pictures that are ignored, by reason.

    clipped : they have the smallest or largest value of their type, and may have been clipped
    border : their windows extend beyond the first picture, and the padding mode is unknown
    masked : the caller excluded them
    """

    clipped: int = 0
    border: int = 0
    masked: int = 0

    def __add__(self, other: object) -> LeftOut:
        """Add the counts."""
        assert isinstance(other, LeftOut)
        return LeftOut(*(one + more for one, more in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Pair:
    """Two pictures; the whole window of every sample of the second lies in the first.

    before : (C, H, W), padded if a padding mode was given
    after : (O, h, w), the samples for the positions of a window that slides over `before`
    counts : (O, h, w) of bool, the samples of `after` to use; None for all
    padding : the name or the numbers of the padding from the first to the second
    """

    before: Array
    after: Array
    counts: Array | None
    padding: AnyPadding
    left_out: LeftOut

    @property
    def samples(self) -> int:
        """The number of samples of the second picture to use."""
        return self.after.size if self.counts is None else int(np.count_nonzero(self.counts))

    def in_light(self) -> Pair:
        """Return both pictures decoded from sRGB of 8 or 16 bits to linear light, 0 to 1."""
        return replace(self, before=to_light(self.before), after=to_light(self.after))

    def channel(self, number: int) -> Pair:
        """Return one channel of both pictures."""
        one = slice(number, number + 1)
        counts = None if self.counts is None else self.counts[one]
        return replace(self, before=self.before[one], after=self.after[one], counts=counts)


class Geometry(NamedTuple):
    """How a window slides over the first picture of a pair; padding and padding mode are None if unknown."""

    kernel_size: Sizes
    stride: Sizes = (1, 1)
    dilation: Sizes = (1, 1)
    padding: AnyPadding | None = None
    padding_mode: str | None = None

    def layer(self, padding: AnyPadding) -> Conv:
        """Return a single-channel layer with a padding."""
        return Conv(
            in_channels=1, out_channels=1, kernel_size=self.kernel_size, stride=self.stride, padding=padding,
            dilation=self.dilation,
        )  # fmt: skip

    def slide(self, pair: Pair) -> Slide:
        """Return how the window slides over the first picture of an aligned pair."""
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
    """Return a picture (C, H, W) and the one made from it, (O, h, w), aligned, or raise ArgumentError.

    mask : (h, w) of bool, the samples of `after` to use
    keep_clipped : whether to use samples that may be clipped
    alike : whether to use a sample only if it can be used in all channels
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
                f"no window of {by_axes(geometry.kernel_size)} fits into {names[0]}, which is "
                f"{size_in_words(size)}; give its padding with `padding_mode`, or use a smaller `size`"
            )
    else:
        check_border(geometry.padding_mode, pads, size)
        before = pad(before, pads, SPATIAL, geometry.padding_mode)
    if counts is not None and counts.all():
        counts = None
    return Pair(before, after, counts, padding, LeftOut(clipped, border, masked))


def _check_numbers(name: str, array: Array) -> None:
    """Raise ArgumentError if an array is not a picture of finite real numbers."""
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"{name} has dtype {array.dtype}; it must hold bool, integers or floats")
    if 0 in array.shape:
        raise ArgumentError(f"{name} has no pixels: its shape (C, H, W) is {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        channel, row, column = (int(i[0]) for i in np.nonzero(~np.isfinite(array)))
        raise ArgumentError(
            f"{name} holds {array[channel, row, column]} in row {row}, column {column}; every sample must be finite"
        )


def padding_between(
    geometry: Geometry, size: Sequence[int], made: Sequence[int], names: tuple[str, str]
) -> AnyPadding:
    """Return the padding with which a window maps one size to the other."""
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
        sizes[str(padding)] = size_in_words(output)
    window = f"a window of {by_axes(geometry.kernel_size)}"
    if set(geometry.stride) != {1}:
        window += f" and the stride {by_axes(geometry.stride)}"
    made_of = ", ".join(f"{output} with padding {name}" for name, output in sizes.items())
    stride = _stride_between(geometry, size, made)
    raise ArgumentError(
        f"{names[0]} is {size_in_words(size)} and {names[1]} {size_in_words(made)}; {window} makes {made_of}; "
        + (f"learn with `stride={stride}`, which fits, or " if stride else "")
        + "crop or resize one of them, or give the right `size` and `padding`"
    )


def _stride_between(geometry: Geometry, size: Sequence[int], made: Sequence[int]) -> int | None:
    """Return the stride, the same along both axes, with which a window maps one size to a smaller one, or None."""
    stride = max(1, round(size[0] / made[0]))
    for padding in GUESSED if geometry.padding is None else (geometry.padding,):
        try:
            layer = geometry._replace(stride=(stride, stride)).layer(padding)
            if layer.output_size(tuple(size)) == tuple(made):
                return stride
        except ArgumentError:
            continue
    return None


def _inside(
    before: Array, after: Array, counts: Array | None, pads: Pads, slide: Slide
) -> tuple[Array, Array, Array | None, int]:
    """Crop a pair to samples whose windows lie in the picture; return the number of used samples that are cropped."""
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
    """Return the number of samples, with a given number of taps, that are laid out at once."""
    return max(MIN_TILE, min(TILE, CACHED // taps))


class Windows(NamedTuple):
    """The windows of some samples as columns, and the samples.

    inputs : (C * kh * kw, samples) of float64
    outputs : (O, samples) of float64
    """

    inputs: Array
    outputs: Array


def tiles(pairs: Sequence[Pair], geometry: Geometry, middle: float, level: float) -> Iterator[Windows]:
    """Yield the windows of all samples to use, some rows at a time; `middle` and `level` are subtracted.

    A sample is used only if it can be used in all of its channels.
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
                inputs[(slice(None), *tap)] = seen[(slice(None), *slide.tap_slices(tap, inner))].reshape(
                    len(seen), -1
                )
            outputs = pair.after[:, rows].astype(np.float64).reshape(len(pair.after), -1) - level
            columns = inputs.reshape(-1, inputs.shape[-1])
            if pair.counts is not None:
                counted = pair.counts[:, rows].all(axis=0).ravel()
                columns, outputs = columns[:, counted], outputs[:, counted]
            yield Windows(columns, outputs)
