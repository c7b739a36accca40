"""Variants: what another kind of convolution makes of the same layer; one record each, in one dict."""

from collections.abc import Iterable
from dataclasses import replace
from math import gcd, isqrt, prod

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.conv import Conv
from convcli.layers.padding import Padding
from convcli.layers.variant_spec import VariantSpec

ENLARGING_STRIDE = 2  # of variants that enlarge, where none is given
BASELINE = "standard"  # what the cost of the others is compared with
TRANSPOSED = "transposed"  # what an option of its own is short for
PLAIN = "depthwise"  # what a kernel on a picture is where no variant is named

MOST_GROUPS = 1_000_000  # how far the fewest groups are looked for

# A variant's own modules are imported inside its function: asking for one does not load them all.


def _standard(conv: Conv) -> tuple[Layer, ...]:
    return (replace(conv, groups=1),)


def _separable(conv: Conv) -> tuple[Layer, ...]:
    """Between the passes stand the fewer of the two channel counts.

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


def _depthwise(conv: Conv) -> tuple[Layer, ...]:
    if conv.out_channels % conv.in_channels:
        raise ArgumentError(
            f"out_channels {conv.out_channels} is not a multiple of in_channels {conv.in_channels}, and a depthwise "
            f"layer makes the same number of outputs of each channel; give {conv.in_channels}, or a multiple of it"
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
    """Take the layer's own groups; Krizhevsky et al. (2012), AlexNet, had one for each of two GPUs."""
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
    """Sum over all m inputs in each of n outputs: m x n weights, where local has k x n and standard k."""
    from convcli.layers.other import Dense, Flatten

    outputs = prod(conv.output_shape(input_shape))
    return Flatten(), Dense(in_features=prod(input_shape), out_features=outputs, bias=conv.bias)


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


def by_name(specs: Iterable[VariantSpec]) -> dict[str, VariantSpec]:
    """Return variants by their names, of which each may be there once."""
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
            "One pass an axis: k x 1, then 1 x k; between them stand the fewer of the two channel counts.",
            _separable,
            sizes="conv",
            usual=True,
            weighing="factors",
            implied_by="rank",
            only_2d=True,
        ),
        VariantSpec(
            "depthwise",
            "Every channel is filtered on its own, by one kernel or by as many as out_channels / in_channels.",
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
            "Channels are mixed at each place on its own: a 1 x 1 kernel.",
            _pointwise,
            own={"kernel_size": 1, "padding": 0, "dilation": 1, "groups": 1},
            weighing="mix",
            needs=("pointwise",),
            implied_by="pointwise",
            methods=False,
        ),
        VariantSpec(
            "grouped",
            "Channels are mixed within groups only: the layer's own groups, else the fewest there can be.",
            _grouped,
            replaced={"groups": 1},
            sizes="conv",
            weighing="groups",
            implied_by="groups",
        ),
        VariantSpec(
            "shuffled-grouped",
            "Grouped, then shuffled, so that the next groups mix (Zhang et al. 2018, ShuffleNet).",
            _shuffled_grouped,
            replaced={"groups": 1},
            sizes="conv",
            weighing="groups",
        ),
        VariantSpec(
            "dilated",
            "The kernel's taps stand apart: the layer's own dilation, else 2 (Yu & Koltun 2016).",
            _dilated,
            replaced={"dilation": 1},
        ),
        VariantSpec(
            "transposed",
            "The same options reversed: the stride enlarges, the padding is cut off.",
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
            "A branch predicts from the input where each tap is moved to (Dai et al. 2017).",
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
            "Unshared: weights of their own at every output place.",
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
            "Two sets of weights take turns along each axis: between shared and unshared.",
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
            "Every output sums over the whole input: m x n weights, where local has k x n and standard k.",
            _dense,
            own={"groups": 1},
            needs_size=True,
            weighing=None,
            too_much="has a weight for every pair of an input and an output pixel, 1.6e10 for 400 x 300",
        ),
    )
)
