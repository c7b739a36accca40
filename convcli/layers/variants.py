"""Variants: what another kind of convolution makes of the same layer; one function each, in one dict."""

from dataclasses import replace
from math import gcd, isqrt, prod
from typing import TYPE_CHECKING

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.conv import Conv
from convcli.layers.padding import Padding

if TYPE_CHECKING:
    from typing import Protocol

    class Variant(Protocol):
        """A function from a convolution, and its input shape where that matters, to a chain."""

        def __call__(self, conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
            """Return the chain."""


MOST_GROUPS = 1_000_000  # how far the fewest groups are looked for

# A variant's own modules are imported inside its function: asking for one does not load them all.


def standard(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """Every output channel sums over every input channel."""
    return (replace(conv, groups=1),)


def separable(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """One pass an axis: k x 1, then 1 x k; between them stand the fewer of the two channel counts.

    So it never has more weights than the standard layer, whatever the channels, for kernels of 2 and more.
    """
    passes = []
    between = min(conv.in_channels, conv.out_channels)
    for axis in range(conv.dims):
        passes.append(
            replace(
                conv,
                in_channels=conv.in_channels if axis == 0 else between,
                out_channels=conv.out_channels if axis == conv.dims - 1 else between,
                kernel_size=_only(axis, conv.kernel_size),
                stride=_only(axis, conv.stride),
                padding=_only_padding(axis, conv.padding),
                dilation=_only(axis, conv.dilation),
                bias=conv.bias and axis == conv.dims - 1,
            )
        )
    return tuple(passes)


def depthwise(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """Every channel is filtered on its own; in_channels come out."""
    return (replace(conv, out_channels=conv.in_channels, groups=conv.in_channels),)


def pointwise(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """Channels are mixed at each place on its own: a 1 x 1 kernel."""
    ones = (1,) * conv.dims
    return (replace(conv, kernel_size=ones, padding=((0, 0),) * conv.dims, dilation=ones, groups=1),)


def depthwise_separable(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """Depthwise, then pointwise: filter each channel, then mix them (Howard et al. 2017, MobileNets)."""
    return (
        *depthwise(replace(conv, bias=False)),
        *pointwise(replace(conv, stride=(1,) * conv.dims)),
    )


def grouped(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """Channels are mixed within groups only: the layer's own groups, else the fewest there can be.

    Krizhevsky et al. (2012), AlexNet: two groups, one for each of two GPUs.
    """
    return (replace(conv, groups=_groups(conv)),)


def shuffled_grouped(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """Grouped, then shuffled, so that the next groups mix (Zhang et al. 2018, ShuffleNet)."""
    from convcli.layers.other import ChannelShuffle

    groups = _groups(conv)
    return replace(conv, groups=groups), ChannelShuffle(groups=groups)


def dilated(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """The kernel's taps stand apart: the layer's own dilation, else 2 (Yu & Koltun 2016)."""
    return (conv if max(conv.dilation) > 1 else replace(conv, dilation=(2,) * conv.dims),)


def transposed(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """The same options turned round: the stride enlarges, the padding is cut off."""
    from convcli.layers.transposed import ConvTranspose

    return (ConvTranspose(**vars(conv)),)


def resize_conv(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """Enlarge by the stride, then convolve with padding `same`: no checkerboard (Odena et al. 2016)."""
    from convcli.layers.other import Resize

    return Resize(scale=conv.stride), replace(conv, stride=(1,) * conv.dims, padding="same")


def deformable(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """A branch predicts from the input where each tap is moved to (Dai et al. 2017)."""
    from convcli.layers.deform import Branch, DeformConv

    deform = DeformConv(**vars(conv))
    return Branch(layer=deform.predictor()), deform


def local(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """Unshared: weights of their own at every output place."""
    from convcli.layers.unshared import LocalConv

    options = {name: value for name, value in vars(conv).items() if name != "groups"}
    return (LocalConv(**options, input_size=_needed("local", input_shape)[1:]),)


def tiled(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """Two sets of weights take turns along each axis: between shared and unshared."""
    from convcli.layers.unshared import TiledConv

    options = {name: value for name, value in vars(conv).items() if name != "groups"}
    return (TiledConv(**options),)


def dense(conv: Conv, input_shape: Shape | None = None) -> tuple[Layer, ...]:
    """Every output sums over the whole input: m x n weights, where local has k x n and standard k."""
    from convcli.layers.other import Dense, Flatten

    input_shape = _needed("dense", input_shape)
    outputs = prod(conv.output_shape(input_shape))
    return Flatten(), Dense(in_features=prod(input_shape), out_features=outputs, bias=conv.bias)


def _needed(name: str, input_shape: Shape | None) -> Shape:
    if input_shape is None:
        raise ArgumentError(f"the weights of {name} depend on the input size; give --n / input_shape")
    return input_shape


def _groups(conv: Conv) -> int:
    if conv.groups > 1:
        return conv.groups
    common = gcd(conv.in_channels, conv.out_channels)
    root = isqrt(common)
    for groups in range(2, min(root, MOST_GROUPS) + 1):
        if common % groups == 0:
            return groups
    if common > 1 and root <= MOST_GROUPS:
        return common  # a prime
    raise ArgumentError(
        f"no number of groups above 1 divides both in_channels {conv.in_channels} and "
        f"out_channels {conv.out_channels}; change one of them, or give the groups"
    )


def _only(axis: int, values: tuple[int, ...]) -> tuple[int, ...]:
    """Keep the value of one axis; 1 on the others."""
    return tuple(value if other == axis else 1 for other, value in enumerate(values))


def _only_padding(axis: int, padding: Padding) -> Padding:
    """Keep the padding of one axis; none on the others, where `same` is none by itself."""
    if isinstance(padding, str):
        return padding
    return tuple(pair if other == axis else (0, 0) for other, pair in enumerate(padding))


VARIANTS: dict[str, "Variant"] = {
    "standard": standard,
    "separable": separable,
    "depthwise": depthwise,
    "depthwise-separable": depthwise_separable,
    "pointwise": pointwise,
    "grouped": grouped,
    "shuffled-grouped": shuffled_grouped,
    "dilated": dilated,
    "transposed": transposed,
    "resize-conv": resize_conv,
    "deformable": deformable,
    "local": local,
    "tiled": tiled,
    "dense": dense,
}


# Variants that group their channels in their own way, or not at all, whatever the layer's groups are.
UNGROUPED = frozenset(
    {"standard", "depthwise", "depthwise-separable", "pointwise", "local", "tiled", "dense"}
)


def meaning(name: str) -> str:
    """Return what a variant means, in one line."""
    return (VARIANTS[name].__doc__ or "").partition("\n")[0]
