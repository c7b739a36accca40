"""Variants: what another kind of convolution makes of the same layer; one function each, in one dict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import gcd, isqrt, prod

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, Shape, as_shape, is_sequence, needs_size
from convcli.layers.base import Layer
from convcli.layers.conv import Conv
from convcli.layers.padding import Padding

ENLARGING_STRIDE = 2  # of variants that enlarge, where none is given


@dataclass(frozen=True, eq=False)
class Variant:
    """One kind of convolution: a function from a convolution, and its input shape where that matters, to a chain.

    own : the options of the convolution that make no difference, as the variant has its own: what that is, None where
          it depends on the layer
    replaced : the values in whose place the variant puts its own choice
    enlarges : the stride is how many times as large the output is, 2 where none is given
    per_channel : every channel is filtered on its own, and where no out_channels are given as many come out
    needs_size : the weights depend on the size of the input
    """

    make: Callable[[Conv, Shape | None], tuple[Layer, ...]]
    own: Mapping[str, int | str | None] = field(default_factory=dict)
    replaced: Mapping[str, int] = field(default_factory=dict)
    enlarges: bool = False
    per_channel: bool = False
    needs_size: bool = False

    def __call__(self, conv: Conv, input_shape: AnyShape | None = None) -> tuple[Layer, ...]:
        """Return the chain."""
        return self.make(conv, None if input_shape is None else as_shape(input_shape))

    @property
    def meaning(self) -> str:
        """What the variant is, in one line."""
        return (self.make.__doc__ or "").partition("\n")[0]

    def ignores(self, option: str, value: object) -> bool:
        """Tell whether the layers would be others than an option of the convolution says.

        >>> VARIANTS["pointwise"].ignores("kernel_size", (3, 3)), VARIANTS["pointwise"].ignores("kernel_size", 1)
        (True, False)
        """
        values = _flat(value)
        if option in self.replaced:
            return values == {self.replaced[option]}
        return option in self.own and values != {self.own[option]}

    def instead_of(self, option: str) -> str:
        """Say what the variant has in the place of an option that it ignores."""
        name = option.replace("_", " ")
        if option in self.replaced:
            return f"which takes another {name} in its place; give a larger one, or leave it out"
        if self.own[option] is None:
            return f"which makes its own {name}; leave it out"
        return f"whose {name} is always {self.own[option]}; leave it out"


def _flat(value: object) -> set[object]:
    """Return the numbers and names that an option is made of; the padding `valid` is 0."""
    if is_sequence(value):
        return set().union(*map(_flat, value))
    return {0 if value == "valid" else value}


MOST_GROUPS = 1_000_000  # how far the fewest groups are looked for

# A variant's own modules are imported inside its function: asking for one does not load them all.


def standard(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """Every output channel sums over every input channel."""
    return (replace(conv, groups=1),)


def separable(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
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


def depthwise(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """Every channel is filtered on its own, by one kernel or by as many as out_channels / in_channels."""
    if conv.out_channels % conv.in_channels:
        raise ArgumentError(
            f"out_channels {conv.out_channels} is no multiple of in_channels {conv.in_channels}, and a depthwise layer "
            f"makes the same number of outputs of each channel; give {conv.in_channels}, or a multiple of it"
        )
    return (replace(conv, groups=conv.in_channels),)


def pointwise(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """Channels are mixed at each place on its own: a 1 x 1 kernel."""
    ones = (1,) * conv.dims
    return (replace(conv, kernel_size=ones, padding=((0, 0),) * conv.dims, dilation=ones, groups=1),)


def depthwise_separable(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """Depthwise, then pointwise: filter each channel, then mix them (Howard et al. 2017, MobileNets)."""
    return (
        *depthwise(replace(conv, out_channels=conv.in_channels, groups=1, bias=False), input_shape),
        *pointwise(replace(conv, stride=(1,) * conv.dims), input_shape),
    )


def grouped(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """Channels are mixed within groups only: the layer's own groups, else the fewest there can be.

    Krizhevsky et al. (2012), AlexNet: two groups, one for each of two GPUs.
    """
    return (replace(conv, groups=_groups(conv)),)


def shuffled_grouped(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """Grouped, then shuffled, so that the next groups mix (Zhang et al. 2018, ShuffleNet)."""
    from convcli.layers.other import ChannelShuffle

    groups = _groups(conv)
    return replace(conv, groups=groups), ChannelShuffle(groups=groups)


def dilated(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """The kernel's taps stand apart: the layer's own dilation, else 2 (Yu & Koltun 2016)."""
    return (conv if max(conv.dilation) > 1 else replace(conv, dilation=(2,) * conv.dims),)


def transposed(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """The same options turned round: the stride enlarges, the padding is cut off."""
    from convcli.layers.transposed import ConvTranspose

    return (ConvTranspose(**vars(conv)),)


def resize_conv(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """Enlarge by the stride, then convolve with padding `same`: no checkerboard (Odena et al. 2016)."""
    from convcli.layers.other import Resize

    return Resize(scale=conv.stride), replace(conv, stride=(1,) * conv.dims, padding="same")


def deformable(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """A branch predicts from the input where each tap is moved to (Dai et al. 2017)."""
    from convcli.layers.deform import Branch, DeformConv

    deform = DeformConv(**vars(conv))
    return Branch(layer=deform.predictor()), deform


def local(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """Unshared: weights of their own at every output place."""
    from convcli.layers.unshared import LocalConv

    options = {name: value for name, value in vars(conv).items() if name != "groups"}
    return (LocalConv(**options, input_size=_known("local", input_shape)[1:]),)


def tiled(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """Two sets of weights take turns along each axis: between shared and unshared."""
    from convcli.layers.unshared import TiledConv

    options = {name: value for name, value in vars(conv).items() if name != "groups"}
    return (TiledConv(**options),)


def dense(conv: Conv, input_shape: Shape | None) -> tuple[Layer, ...]:
    """Every output sums over the whole input: m x n weights, where local has k x n and standard k."""
    from convcli.layers.other import Dense, Flatten

    input_shape = _known("dense", input_shape)
    outputs = prod(conv.output_shape(input_shape))
    return Flatten(), Dense(in_features=prod(input_shape), out_features=outputs, bias=conv.bias)


def _known(name: str, input_shape: Shape | None) -> Shape:
    if input_shape is None:
        raise ArgumentError(needs_size(name))
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


VARIANTS: dict[str, Variant] = {
    "standard": Variant(standard, own={"groups": 1}),
    "separable": Variant(separable),
    "depthwise": Variant(depthwise, own={"groups": None}, per_channel=True),
    "depthwise-separable": Variant(depthwise_separable, own={"groups": None}),
    "pointwise": Variant(pointwise, own={"kernel_size": 1, "padding": 0, "dilation": 1, "groups": 1}),
    "grouped": Variant(grouped, replaced={"groups": 1}),
    "shuffled-grouped": Variant(shuffled_grouped, replaced={"groups": 1}),
    "dilated": Variant(dilated, replaced={"dilation": 1}),
    "transposed": Variant(transposed, enlarges=True),
    "resize-conv": Variant(resize_conv, own={"padding": "same"}, enlarges=True),
    "deformable": Variant(deformable),
    "local": Variant(local, own={"groups": 1}, needs_size=True),
    "tiled": Variant(tiled, own={"groups": 1}),
    "dense": Variant(dense, own={"groups": 1}, needs_size=True),
}


def meaning(name: str) -> str:
    """Return what a variant means, in one line."""
    return VARIANTS[name].meaning
