"""MobileNets v1 to v3, and MnasNet, which uses the blocks of v2: depthwise and pointwise convolutions."""

from typing import NamedTuple

from convcli.networks.builder import Builder
from convcli.networks.network import Network
from convcli.networks.zoo.rounded import rounded
from convcli.networks.zoo.squeeze_excite import squeeze_excite

# Output channels and stride of each depthwise separable convolution: Howard et al. (2017), table 1.
V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))

# Expansion, output channels, number of blocks, and stride of the first block: Sandler et al. (2018), table 2.
V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

# Kernel, expansion, output channels, number of blocks, and stride of the first block: Tan et al. (2018), figure 7.
MNASNET = (
    (3, 3, 24, 3, 2), (5, 3, 40, 3, 2), (5, 6, 80, 3, 2), (3, 6, 96, 2, 1), (5, 6, 192, 4, 2), (3, 6, 320, 1, 1)
)  # fmt: skip


class Bottleneck(NamedTuple):
    """A block of MobileNet v3: kernel, expanded and output channels, squeeze-and-excite, activation, stride."""

    kernel: int
    expanded: int
    channels: int
    squeezes: bool
    activation: str
    stride: int


_RE, _HS = "relu", "hard-swish"

# Howard et al. (2019), "Searching for MobileNetV3", arXiv 1905.02244, tables 1 and 2.
V3_LARGE = tuple(
    Bottleneck(*row)
    for row in (
        (3, 16, 16, False, _RE, 1),
        (3, 64, 24, False, _RE, 2),
        (3, 72, 24, False, _RE, 1),
        (5, 72, 40, True, _RE, 2),
        (5, 120, 40, True, _RE, 1),
        (5, 120, 40, True, _RE, 1),
        (3, 240, 80, False, _HS, 2),
        (3, 200, 80, False, _HS, 1),
        (3, 184, 80, False, _HS, 1),
        (3, 184, 80, False, _HS, 1),
        (3, 480, 112, True, _HS, 1),
        (3, 672, 112, True, _HS, 1),
        (5, 672, 160, True, _HS, 2),
        (5, 960, 160, True, _HS, 1),
        (5, 960, 160, True, _HS, 1),
    )
)
V3_SMALL = tuple(
    Bottleneck(*row)
    for row in (
        (3, 16, 16, True, _RE, 2),
        (3, 72, 24, False, _RE, 2),
        (3, 88, 24, False, _RE, 1),
        (5, 96, 40, True, _HS, 2),
        (5, 240, 40, True, _HS, 1),
        (5, 240, 40, True, _HS, 1),
        (5, 120, 48, True, _HS, 1),
        (5, 144, 48, True, _HS, 1),
        (5, 288, 96, True, _HS, 2),
        (5, 576, 96, True, _HS, 1),
        (5, 576, 96, True, _HS, 1),
    )
)


def mobilenet_v1(g: Builder, width: float = 1.0, classes: int = 1000) -> Network:
    """Build MobileNet v1: Howard et al. (2017); all channels are multiplied by `width` (section 3.3).

    Padding is TensorFlow's SAME, as in the authors' code and in Keras.
    """
    g(f"conv k3 s2 same o{_scaled(32, width)} nobias, bn, relu6")
    for number, (channels, stride) in enumerate(V1, start=1):
        with g.scope(f"block{number}"):
            g(f"dwconv k3 s{stride} same nobias, bn, relu6")
            g(f"conv k1 o{_scaled(channels, width)} nobias, bn, relu6")
    g(f"globalavgpool, flatten, dense o{classes}")
    return g.build(
        remarks=(
            "Keras also counts BatchNorm's moving statistics: 4,253,864 parameters for width 1 and 1,000 classes",
        )
    )


def mobilenet_v2(g: Builder, width: float = 1.0, classes: int = 1000) -> Network:
    """Build MobileNet v2: Sandler et al. (2018), table 2, as in torchvision; channels are multiplied by `width`."""
    g(f"conv k3 s2 p1 o{rounded(32 * width)} nobias, bn, relu6")
    number = 1
    for expansion, channels, count, first in V2:
        for block in range(count):
            with g.scope(f"block{number}"):
                _inverted(g, 3, expansion, rounded(channels * width), first if block == 0 else 1, "relu6")
            number += 1
    g(f"conv k1 o{rounded(1280 * max(1.0, width))} nobias, bn, relu6")
    g(f"globalavgpool, flatten, dropout p0.2, dense o{classes}")
    return g.build()


def mobilenet_v3_large(g: Builder, width: float = 1.0, classes: int = 1000) -> Network:
    """Build MobileNet v3 Large: table 1."""
    return _mobilenet_v3(g, V3_LARGE, 1280, width, classes)


def mobilenet_v3_small(g: Builder, width: float = 1.0, classes: int = 1000) -> Network:
    """Build MobileNet v3 Small: table 2."""
    return _mobilenet_v3(g, V3_SMALL, 1024, width, classes)


def mnasnet(g: Builder, width: float = 1.0, classes: int = 1000) -> Network:
    """Build MnasNet-B1: Tan et al. (2018), arXiv 1807.11626, as in torchvision; channels are multiplied by `width`."""
    g(f"conv k3 s2 p1 o{rounded(32 * width)} nobias, bn, relu, dwconv k3 p1 nobias, bn, relu")
    g(f"conv k1 o{rounded(16 * width)} nobias, bn")
    number = 1
    for kernel, expansion, channels, count, first in MNASNET:
        for block in range(count):
            with g.scope(f"block{number}"):
                _inverted(g, kernel, expansion, rounded(channels * width), first if block == 0 else 1, "relu")
            number += 1
    g(f"conv k1 o1280 nobias, bn, relu, globalavgpool, flatten, dropout p0.2, dense o{classes}")
    return g.build()


def _mobilenet_v3(
    g: Builder, blocks: tuple[Bottleneck, ...], hidden: int, width: float, classes: int
) -> Network:
    """Build MobileNet v3 with `hidden` units before the classifier, as in torchvision."""
    g(f"conv k3 s2 p1 o{rounded(16 * width)} nobias, bn, hard-swish")
    for number, block in enumerate(blocks, start=1):
        with g.scope(f"block{number}"):
            _bottleneck(g, block, width)
    g(f"conv k1 o{6 * g.channels()} nobias, bn, hard-swish, globalavgpool, flatten")
    g(f"dense o{hidden}, hard-swish, dropout p0.2, dense o{classes}")
    return g.build()


def _bottleneck(g: Builder, block: Bottleneck, width: float) -> None:
    kernel, expanded, o = block.kernel, rounded(block.expanded * width), rounded(block.channels * width)
    x = y = g.last
    if expanded != g.channels(x):
        y = g(f"conv k1 o{expanded} nobias, bn, {block.activation}", y)
    y = g(f"dwconv k{kernel} s{block.stride} p{kernel // 2} nobias, bn, {block.activation}", y)
    if block.squeezes:
        y = squeeze_excite(g, y, rounded(expanded / 4), "relu", "hard-sigmoid")
    y = g(f"conv k1 o{o} nobias, bn", y)
    if g.shape(x) == g.shape(y):
        g("add", y, x)


def _inverted(g: Builder, kernel: int, expansion: int, o: int, stride: int, activation: str) -> None:
    """Add an inverted residual block: expand, depthwise convolution, linear projection to fewer channels."""
    x = y = g.last
    if expansion > 1:
        y = g(f"conv k1 o{expansion * g.channels(x)} nobias, bn, {activation}", y)
    y = g(f"dwconv k{kernel} s{stride} p{kernel // 2} nobias, bn, {activation}", y)
    y = g(f"conv k1 o{o} nobias, bn", y)
    if g.shape(x) == g.shape(y):
        g("add", y, x)


def _scaled(channels: int, width: float) -> int:
    """Return the channels of a narrower or wider MobileNet v1."""
    return max(1, int(channels * width))
