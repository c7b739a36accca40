"""The variants of convolution, one record each, and the functions that make their layers."""

from collections.abc import Iterable
from dataclasses import replace
from math import gcd, isqrt, prod

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.conv import Conv
from convcli.layers.padding import Padding
from convcli.layers.variant_spec import VariantSpec

ENLARGING_STRIDE = 2  # the default stride of variants that enlarge
BASELINE = "standard"  # the variant that the others' cost is compared with
TRANSPOSED = "transposed"  # the variant that has a shorthand option
PLAIN = "depthwise"  # the default variant for a kernel on a picture

MAX_GROUPS = 1_000_000  # up to here the smallest number of groups is searched

# Layers that only one variant needs are imported inside its function, so that one variant does not import them all.


def _standard(conv: Conv) -> tuple[Layer, ...]:
    return (replace(conv, groups=1),)


def _separable(conv: Conv) -> tuple[Layer, ...]:
    """Make one pass per axis, with the smaller of the two channel counts between the passes.

    For kernels of size 2 and more it therefore never has more weights than the standard layer.
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


def _depthwise(conv: Conv) -> tuple[Layer, ...]:
    if conv.out_channels % conv.in_channels:
        raise ArgumentError(
            f"out_channels {conv.out_channels} is not a multiple of in_channels {conv.in_channels}, and a depthwise "
            f"layer makes the same number of outputs from each channel; give {conv.in_channels}, or a multiple of it"
        )
    return (replace(conv, groups=conv.in_channels),)


def _pointwise(conv: Conv) -> tuple[Layer, ...]:
    ones = (1,) * conv.dims
    return (replace(conv, kernel_size=ones, padding=((0, 0),) * conv.dims, dilation=ones, groups=1),)


def _depthwise_separable(conv: Conv) -> tuple[Layer, ...]:
    return (
        *_depthwise(replace(conv, out_channels=conv.in_channels, groups=1, bias=False)),
        *_pointwise(replace(conv, stride=(1,) * conv.dims)),
    )


def _grouped(conv: Conv) -> tuple[Layer, ...]:
    """Use the layer's own groups; Krizhevsky et al. (2012), AlexNet, used one group for each of two GPUs."""
    return (replace(conv, groups=_groups(conv)),)


def _shuffled_grouped(conv: Conv) -> tuple[Layer, ...]:
    from convcli.layers.other import ChannelShuffle

    groups = _groups(conv)
    return replace(conv, groups=groups), ChannelShuffle(groups=groups)


def _dilated(conv: Conv) -> tuple[Layer, ...]:
    return (conv if max(conv.dilation) > 1 else replace(conv, dilation=(2,) * conv.dims),)


def _transposed(conv: Conv) -> tuple[Layer, ...]:
    from convcli.layers.transposed import ConvTranspose

    return (ConvTranspose(**vars(conv)),)


def _resize_conv(conv: Conv) -> tuple[Layer, ...]:
    from convcli.layers.resize import Resize

    return Resize(scale=conv.stride), replace(conv, stride=(1,) * conv.dims, padding="same")


def _deformable(conv: Conv) -> tuple[Layer, ...]:
    from convcli.layers.deform import Branch, DeformConv

    deform = DeformConv(**vars(conv))
    return Branch(layer=deform.predictor()), deform


def _local(conv: Conv, input_shape: Shape) -> tuple[Layer, ...]:
    from convcli.layers.unshared import LocalConv

    options = {name: value for name, value in vars(conv).items() if name != "groups"}
    return (LocalConv(**options, input_size=input_shape[1:]),)


def _tiled(conv: Conv) -> tuple[Layer, ...]:
    from convcli.layers.unshared import TiledConv

    options = {name: value for name, value in vars(conv).items() if name != "groups"}
    return (TiledConv(**options),)


def _dense(conv: Conv, input_shape: Shape) -> tuple[Layer, ...]:
    """Sum over all m inputs in each of n outputs: m x n weights, while local has k x n and standard k."""
    from convcli.layers.other import Dense, Flatten

    outputs = prod(conv.output_shape(input_shape))
    return Flatten(), Dense(in_features=prod(input_shape), out_features=outputs, bias=conv.bias)


def _groups(conv: Conv) -> int:
    if conv.groups > 1:
        return conv.groups
    common = gcd(conv.in_channels, conv.out_channels)
    root = isqrt(common)
    for groups in range(2, min(root, MAX_GROUPS) + 1):
        if common % groups == 0:
            return groups
    if common > 1 and root <= MAX_GROUPS:
        return common  # no factor up to the root: a prime
    raise ArgumentError(
        f"no number of groups above 1 divides both in_channels {conv.in_channels} and "
        f"out_channels {conv.out_channels}; change one of them, or give the groups"
    )


def _only(axis: int, values: tuple[int, ...]) -> tuple[int, ...]:
    """Keep the value of one axis; use 1 on the others."""
    return tuple(value if other == axis else 1 for other, value in enumerate(values))


def _only_padding(axis: int, padding: Padding) -> Padding:
    """Keep the padding of one axis; use none on the others, where `same` adds none anyway."""
    if isinstance(padding, str):
        return padding
    return tuple(pair if other == axis else (0, 0) for other, pair in enumerate(padding))


def by_name(specs: Iterable[VariantSpec]) -> dict[str, VariantSpec]:
    """Return a dict of the variants by name; raise ValueError if a name occurs twice."""
    found: dict[str, VariantSpec] = {}
    for spec in specs:
        if spec.name in found:
            raise ValueError(f"there are two variants {spec.name!r}")
        found[spec.name] = spec
    return found


VARIANTS: dict[str, VariantSpec] = by_name(
    (
        VariantSpec(
            "standard",
            "Every output channel sums over every input channel.",
            _standard,
            own={"groups": 1},
            sizes="conv",
            usual=True,
            weighing="sum",
            implied_by="weights",
        ),
        VariantSpec(
            "separable",
            "One pass per axis: k x 1, then 1 x k; the smaller channel count lies between them.",
            _separable,
            sizes="conv",
            usual=True,
            weighing="factors",
            implied_by="rank",
            only_2d=True,
        ),
        VariantSpec(
            "depthwise",
            "Each channel is filtered separately, by one kernel or by out_channels / in_channels kernels.",
            _depthwise,
            own={"groups": None},
            sizes="conv",
            per_channel=True,
            usual=True,
        ),
        VariantSpec(
            "depthwise-separable",
            "Depthwise, then pointwise: filter each channel, then mix them (Howard et al. 2017, MobileNets).",
            _depthwise_separable,
            own={"groups": None},
            sizes="conv",
            usual=True,
            weighing="each-then-mix",
            needs=("pointwise", "kernels"),
            implied_by="pointwise",
        ),
        VariantSpec(
            "pointwise",
            "The channels are mixed at each position: a 1 x 1 kernel.",
            _pointwise,
            own={"kernel_size": 1, "padding": 0, "dilation": 1, "groups": 1},
            weighing="mix",
            needs=("pointwise",),
            implied_by="pointwise",
            methods=False,
        ),
        VariantSpec(
            "grouped",
            "Channels are mixed within groups only: the given groups, else the fewest possible.",
            _grouped,
            replaced={"groups": 1},
            sizes="conv",
            weighing="groups",
            implied_by="groups",
        ),
        VariantSpec(
            "shuffled-grouped",
            "Grouped, then shuffled, so that the next layer mixes across groups (Zhang et al. 2018, ShuffleNet).",
            _shuffled_grouped,
            replaced={"groups": 1},
            sizes="conv",
            weighing="groups",
        ),
        VariantSpec(
            "dilated",
            "The kernel's taps are spread out: the given dilation, else 2 (Yu & Koltun 2016).",
            _dilated,
            replaced={"dilation": 1},
        ),
        VariantSpec(
            "transposed",
            "The same options reversed: the stride enlarges, the padding crops.",
            _transposed,
            sizes="transposed",
            enlarges=True,
            implied_by="output_padding",
            methods=False,
        ),
        VariantSpec(
            "resize-conv",
            "Enlarge by the stride, then convolve with padding same: no checkerboard (Odena et al. 2016).",
            _resize_conv,
            own={"padding": "same"},
            enlarges=True,
        ),
        VariantSpec(
            "deformable",
            "A branch predicts from the input where each tap samples (Dai et al. 2017).",
            _deformable,
            sizes="conv",
            needs=("offsets",),
            implied_by="offsets",
            lone_kernel="identity",
            only_2d=True,
            methods=False,
        ),
        VariantSpec(
            "local",
            "Unshared: separate weights at every output position.",
            _local,
            own={"groups": 1},
            sizes="conv",
            needs_size=True,
            weighing="places",
            needs=("local",),
            implied_by="local",
            only_2d=True,
            methods=False,
        ),
        VariantSpec(
            "tiled",
            "Two sets of weights alternate along each axis: between shared and unshared.",
            _tiled,
            own={"groups": 1},
            sizes="conv",
            weighing="turns",
            implied_by="tile",
            only_2d=True,
            methods=False,
        ),
        VariantSpec(
            "dense",
            "Every output sums over the whole input: m x n weights, while local has k x n and standard k.",
            _dense,
            own={"groups": 1},
            needs_size=True,
            weighing=None,
            too_much="needs a weight for every pair of an input and an output pixel, 1.6e10 for 400 x 300",
        ),
    )
)
