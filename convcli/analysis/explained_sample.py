"""The calculation of one output sample: the window, the kernel, their products, the sum, and all later steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli import backend
from convcli.backend.borders import OUTSIDE, source_indices
from convcli.backend.values import into_dtype
from convcli.errors import ArgumentError
from convcli.filters.frame_group import FrameGroup
from convcli.filters.run import PictureFilter
from convcli.filters.stages.activation_and_pools import Activated
from convcli.filters.stages.linear_map import Linear
from convcli.filters.stages.stage import Stage, Weighted
from convcli.images.picture import Picture
from convcli.layers import Conv
from convcli.layers.activation import SOFTMAX
from convcli.layers.axes import by_axes

Array = NDArray[Any]
Number = int | float
Rows = list[list[Number]]


@dataclass(frozen=True)
class Products:
    """The contribution of one input channel: the samples under the kernel, the weights, and their products.

    channel : the index of the input channel
    matrix : the index of the kernel's matrix
    padded : whether each sample belongs to the padding
    """

    channel: int
    matrix: int
    window: Rows
    padded: list[list[bool]]
    kernel: Rows
    products: Rows
    sum: Number


@dataclass(frozen=True)
class Explained:
    """The calculation of one output channel at one place.

    sums : the sum of products over the channels plus the bias, for each matrix of the kernel
    value : the sums combined, divided by the divisor and shifted by the offset
    activated : the value after the activation
    sample : the sample that is written
    """

    channel: int
    parts: tuple[Products, ...]
    bias: Number
    sums: tuple[Number, ...]
    combine: str
    divisor: Number
    offset: Number
    value: Number
    activation: str | None
    activated: Number
    sample: Number


@dataclass(frozen=True)
class ExplainedPlace:
    """A place of the output, the window that it depends on, and the calculation of each channel.

    rows, columns : the first and the last of the window in the picture; negative or beyond its size in the padding
    """

    row: int
    column: int
    output_size: tuple[int, int]
    rows: tuple[int, int]
    columns: tuple[int, int]
    padding_mode: str
    channels: tuple[Explained, ...]


def explain_sample(
    picture_filter: PictureFilter, name: str, picture: Picture, place: Sequence[int], form: str
) -> ExplainedPlace:
    """Return how the output of a filter at a place is calculated; raise ArgumentError if it is not a single layer.

    name : the name of the picture in messages
    place : row and column of the output
    form : the format of the output, which decides how values become samples
    """
    if len(picture.frames) > 1:
        raise ArgumentError(f"{name} has {len(picture.frames)} frames; choose one with `frame`")
    (group,) = picture_filter.groups(name, picture, form)
    weighted, maps, activation = _layer_of(picture_filter, group)
    conv = maps[0].layers[0]
    assert isinstance(conv, Conv)
    (frame,) = group.frames
    pixels = frame.pixels if frame.pixels.ndim == 3 else frame.pixels[..., np.newaxis]
    size = (group.shape[1], group.shape[2])
    height, width = conv.output_size(size)
    row, column = place
    if not (row < height and column < width):
        raise ArgumentError(
            f"there is no output at {row},{column}: the output is {by_axes((height, width))}, rows 0 to {height - 1} "
            f"and columns 0 to {width - 1}"
        )
    seen = _Window(conv, size, (row, column), maps[0])
    window, padded = seen.of(pixels, group)
    channels = []
    for number in range(group.output_shape[0]):
        parts, sums, bias = [], [], Fraction(0)
        for order, each in enumerate(maps):
            weights = np.asarray(each.terms[0][0]["weight"])
            given = each.terms[0][0].get("bias")
            bias = Fraction(0) if given is None else Fraction(float(np.asarray(given)[number]))
            mine, first = (
                (0, number)
                if each.each
                else (number, number // (len(weights) // conv.groups) * weights.shape[1])
            )
            total = bias
            for channel, kernel in enumerate(weights[mine], start=first):
                part = _products(channel, order, window[channel], padded, kernel)
                parts.append(part)
                total += _exact_sum(part.window, part.kernel)
            sums.append(total)
        value = _combined(sums, weighted)
        shown = _number(value)
        activated = shown if activation is None else _activated(activation, float(value))
        final = value if activation is None else activated
        sample = _sample(picture_filter, final, frame.pixels.dtype, form)
        channels.append(
            Explained(
                channel=number,
                parts=tuple(parts),
                bias=_number(bias),
                sums=tuple(map(_number, sums)),
                combine=weighted.combine,
                divisor=weighted.divisor,
                offset=weighted.shift,
                value=shown,
                activation=None if activation is None else activation.layer.name,
                activated=activated,
                sample=sample,
            )
        )
    rows, columns = seen.reach
    mode = maps[0].padding_mode
    return ExplainedPlace(row, column, (height, width), rows, columns, mode, tuple(channels))


def _layer_of(
    picture_filter: PictureFilter, group: FrameGroup
) -> tuple[Weighted, list[Linear], Activated | None]:
    """Return the convolution of a filter and the activation after it; raise ArgumentError if it does more."""
    first, *others = group.stages
    last: Stage | None = others[0] if others else None
    if (
        not isinstance(first, Weighted)
        or len(others) > 1
        or not (last is None or isinstance(last, Activated))
    ):
        raise ArgumentError(
            "`explain` shows one convolution and the activation after it; leave out `resize`, pools and `repeat`, and "
            "give only one kernel"
        )
    if first.threshold:
        raise ArgumentError("`explain` shows one sum of products; leave the threshold of the kernel out")
    maps = [each for each in first.maps if isinstance(each, Linear)]
    plain = all(len(each.layers) == len(each.terms) == 1 and type(each.layers[0]) is Conv for each in maps)
    if len(maps) < len(first.maps) or not plain:
        raise ArgumentError(
            "`explain` shows one sum of products per output channel, which "
            f"`variant={picture_filter.request.chosen!r}` does not calculate; use depthwise, standard or grouped"
        )
    if group.has_alpha:
        raise ArgumentError(
            "`explain` shows sums that are not weighted by alpha; give `alpha='filter'`, or leave alpha out with "
            "`channels`"
        )
    if picture_filter.colours.linear or group.frames[0].zero is not None:
        raise ArgumentError(
            "`explain` shows samples as they are stored; leave out `linear`, and use an RGB or grey picture"
        )
    if picture_filter.colours.rounded_to(group.frames[0].pixels.dtype) is not None:
        depth = picture_filter.colours.depth
        raise ArgumentError(
            f"`explain` shows samples in the depth of the picture; leave out `depth={depth!r}`"
        )
    if picture_filter.value_range == "minmax" or picture_filter.sheet:
        raise ArgumentError(
            "`explain` shows one sample; leave out `sheet`, and `value_range='minmax'`, which depends on all samples"
        )
    if last is not None and last.layer.name == SOFTMAX:
        raise ArgumentError(
            "`explain` shows one sample, and softmax depends on all channels; use another activation"
        )
    return first, maps, last


class _Window:
    """The samples under the kernel at one place."""

    def __init__(self, conv: Conv, size: tuple[int, int], place: tuple[int, int], linear: Linear) -> None:
        self._linear = linear
        self._indices = []
        self.reach = []
        for n, p, k, s, d, (before, after) in zip(
            size, place, conv.kernel_size, conv.stride, conv.dilation, conv.pads(size), strict=True
        ):
            sources = source_indices(linear.padding_mode, n, max(before, 0), max(after, 0))
            places = [p * s + t * d for t in range(k)]
            self._indices.append([int(sources[at]) for at in places])
            self.reach.append((places[0] - before, places[-1] - before))
        self._inside = [
            [first + number * d in range(n) for number in range(k)]
            for (first, _), n, k, d in zip(self.reach, size, conv.kernel_size, conv.dilation, strict=True)
        ]

    def of(self, pixels: Array, group: FrameGroup) -> tuple[list[Rows], list[list[bool]]]:
        """Return the samples (C, kh, kw), and whether each belongs to the padding (kh, kw)."""
        rows, columns = self._indices
        outside: Number = self._linear.padding_value if self._linear.padding_mode == "constant" else 0
        found = [
            [
                [
                    outside if OUTSIDE in (row, column) else pixels[row, column, channel].item()
                    for column in columns
                ]
                for row in rows
            ]
            for channel in range(group.shape[0])
        ]
        if not all(isfinite(sample) for channel in found for row in channel for sample in row):
            raise ArgumentError(
                "`explain` adds finite samples, and the window holds NaN or infinity; choose another place"
            )
        padded = [[not (down and across) for across in self._inside[1]] for down in self._inside[0]]
        return found, padded


def _products(channel: int, matrix: int, window: Rows, padded: list[list[bool]], kernel: Array) -> Products:
    weights = [[weight.item() for weight in row] for row in kernel]
    products = [
        [_number(Fraction(sample) * Fraction(weight)) for sample, weight in zip(*rows, strict=True)]
        for rows in zip(window, weights, strict=True)
    ]
    return Products(channel, matrix, window, padded, weights, products, _number(_exact_sum(window, weights)))


def _exact_sum(window: Rows, weights: Rows) -> Fraction:
    """Return the sum of all products."""
    pairs = zip((s for row in window for s in row), (w for row in weights for w in row), strict=True)
    return sum((Fraction(sample) * Fraction(weight) for sample, weight in pairs), Fraction(0))


def _combined(sums: Sequence[Fraction], weighted: Weighted) -> Fraction:
    """Combine the sums of all matrices, divide and shift them."""
    squares = sum((part * part for part in sums), Fraction(0))
    whole = Fraction(sqrt(squares)) if weighted.combine == "magnitude" else max(sums)
    return whole / Fraction(weighted.divisor) + Fraction(weighted.shift)


def _activated(stage: Activated, value: float) -> Number:
    white = 1.0 if stage.selects else stage.full_scale
    return _number(
        Fraction(float(backend.activation(np.array([[value / white]]), stage.layer.name)[0, 0]) * white)
    )


def _sample(
    picture_filter: PictureFilter, value: Fraction | Number, dtype: np.dtype[Any], form: str
) -> Number:
    """Return the sample that is written: rounded and clipped for integer dtypes, unchanged for floats."""
    from convcli.images.formats import NUMBERS

    if form in NUMBERS:
        return _number(Fraction(value))
    if dtype.kind in "iu" and picture_filter.value_range in (None, "clip"):
        limits = np.iinfo(dtype)
        return min(max(round(Fraction(value)), int(limits.min)), int(limits.max))
    found = into_dtype(np.array([[[float(value)]]]), dtype, picture_filter.value_range or "clip")
    number: Number = found.pixels[0, 0, 0].item()
    return number


def _number(value: Fraction) -> Number:
    """Return a fraction as an integer if it is one, else as the nearest float."""
    return int(value) if value.denominator == 1 else float(value)
