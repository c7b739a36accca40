"""Variants: what another kind of convolution makes of the same layer; one function each, in one dict."""

from collections.abc import Callable
from dataclasses import replace

from convcli.layers.base import Layer
from convcli.layers.conv import Conv
from convcli.layers.padding import Padding


def standard(conv: Conv) -> tuple[Layer, ...]:
    """Every output channel sums over every input channel."""
    return (replace(conv, groups=1),)


def separable(conv: Conv) -> tuple[Layer, ...]:
    """One pass an axis: k x 1, then 1 x k; the first mixes the channels, the last adds the bias."""
    passes = []
    for axis in range(conv.dims):
        passes.append(
            replace(
                conv,
                in_channels=conv.in_channels if axis == 0 else conv.out_channels,
                kernel_size=_only(axis, conv.kernel_size),
                stride=_only(axis, conv.stride),
                padding=_only_padding(axis, conv.padding),
                dilation=_only(axis, conv.dilation),
                bias=conv.bias and axis == conv.dims - 1,
            )
        )
    return tuple(passes)


def depthwise(conv: Conv) -> tuple[Layer, ...]:
    """Every channel is filtered on its own; in_channels come out."""
    return (replace(conv, out_channels=conv.in_channels, groups=conv.in_channels),)


def pointwise(conv: Conv) -> tuple[Layer, ...]:
    """Channels are mixed at each place on its own: a 1 x 1 kernel."""
    ones = (1,) * conv.dims
    return (replace(conv, kernel_size=ones, padding=((0, 0),) * conv.dims, dilation=ones, groups=1),)


def depthwise_separable(conv: Conv) -> tuple[Layer, ...]:
    """Depthwise, then pointwise: filter each channel, then mix them (Howard et al. 2017, MobileNets)."""
    (spatial,) = depthwise(replace(conv, bias=False))
    (mixing,) = pointwise(replace(conv, stride=(1,) * conv.dims))
    return spatial, mixing


def _only(axis: int, values: tuple[int, ...]) -> tuple[int, ...]:
    """Keep the value of one axis; 1 on the others."""
    return tuple(value if other == axis else 1 for other, value in enumerate(values))


def _only_padding(axis: int, padding: Padding) -> Padding:
    """Keep the padding of one axis; none on the others, where `same` is none by itself."""
    if isinstance(padding, str):
        return padding
    return tuple(pair if other == axis else (0, 0) for other, pair in enumerate(padding))


VARIANTS: dict[str, Callable[[Conv], tuple[Layer, ...]]] = {
    "standard": standard,
    "separable": separable,
    "depthwise": depthwise,
    "depthwise-separable": depthwise_separable,
    "pointwise": pointwise,
}
