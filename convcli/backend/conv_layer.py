"""The layer for a weight and an input, checked in one place for `conv` and its gradients."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from convcli.backend.algorithms.slide import Slide
from convcli.backend.checks import Array, check_border, check_channels, check_walk
from convcli.layers import Conv
from convcli.layers.axes import PerAxis, whole
from convcli.layers.padding import AnyPadding, Pads, mode_of

WEIGHT = "(out_channels, in_channels / groups, *kernel_size)"  # the axes of a weight, for messages


class ConvOnInput(NamedTuple):
    """A convolution on an input of known size.

    pads : the (before, after) padding
    mode : the padding mode, one of `layers.padding.MODES`
    """

    layer: Conv
    slide: Slide
    pads: Pads
    mode: str


def conv_on_input(
    x: Array,
    weight: Array,
    stride: PerAxis,
    padding: AnyPadding,
    dilation: PerAxis,
    groups: int,
    padding_mode: str,
) -> ConvOnInput:
    """Return the layer of a weight on x (N, C, *spatial); raise ArgumentError if they do not match."""
    options = (stride, padding, dilation, groups, padding_mode)
    lay_out = _conv_on_input if all(map(_is_plain, options)) else _conv_on_input.__wrapped__
    on_input: ConvOnInput = lay_out(x.shape, weight.shape, *options)
    check_walk(x, on_input.pads, on_input.slide.output_size, len(weight))
    check_border(on_input.mode, on_input.pads, x.shape[2:])
    return on_input


@lru_cache(maxsize=256)
def _conv_on_input(
    x_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    stride: PerAxis,
    padding: AnyPadding,
    dilation: PerAxis,
    groups: int,
    padding_mode: str,
) -> ConvOnInput:
    """Return the layer of a weight on an input from their shapes."""
    groups = whole("groups", groups, 1)
    check_channels(x_shape, weight_shape, groups)
    mode = mode_of(padding_mode)
    layer = Conv(
        in_channels=x_shape[1],
        out_channels=weight_shape[0],
        kernel_size=weight_shape[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        dims=len(weight_shape) - 2,
    )
    return ConvOnInput(layer, Slide.of(layer, x_shape[2:]), layer.pads(x_shape[2:]), mode)


def _is_plain(option: object) -> bool:
    """Return whether an option is an int, a string or a tuple of these, and may be the key of a cache.

    True is not: it equals 1, which is accepted, while True is rejected.
    """
    return type(option) in (int, str) or (type(option) is tuple and all(map(_is_plain, option)))


def rotated(weight: Array) -> Array:
    """Return a weight (O, C, *kernel_size) rotated by 180 degrees."""
    return np.flip(weight, tuple(range(2, weight.ndim)))
