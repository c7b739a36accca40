"""The layer that a weight is on an input: checked once, for `conv` and for its gradients."""

from typing import NamedTuple

import numpy as np

from convcli.backend.algorithms.slide import Slide
from convcli.backend.checks import Array, check_border, check_channels, check_walk
from convcli.layers import Conv
from convcli.layers.axes import PerAxis, whole
from convcli.layers.padding import AnyPadding, Pads, mode_of

WEIGHT = "(out_channels, in_channels / groups, *kernel_size)"  # the axes of a weight, as messages name them


class LaidConv(NamedTuple):
    """A convolution on an input of known size.

    pads : how wide the padding is, and mode : what fills it, one of `layers.padding.MODES`
    """

    layer: Conv
    slide: Slide
    pads: Pads
    mode: str


def laid_conv(
    x: Array,
    weight: Array,
    stride: PerAxis,
    padding: AnyPadding,
    dilation: PerAxis,
    groups: int,
    padding_mode: str,
) -> LaidConv:
    """Return the layer of a weight on x (N, C, *spatial), or raise ArgumentError where they do not fit."""
    groups = whole("groups", groups, 1)
    check_channels(x, weight, groups)
    mode = mode_of(padding_mode)
    layer = Conv(
        in_channels=x.shape[1],
        out_channels=len(weight),
        kernel_size=weight.shape[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        dims=weight.ndim - 2,
    )
    check_walk(x, layer, len(weight))
    size = x.shape[2:]
    pads = layer.pads(size)
    check_border(mode, pads, size)
    return LaidConv(layer, Slide.of(layer, size), pads, mode)


def turned(weight: Array) -> Array:
    """Return a weight (O, C, *kernel_size) turned by 180 degrees."""
    return np.flip(weight, tuple(range(2, weight.ndim)))
