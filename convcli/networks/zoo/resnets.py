"""Residual networks: He et al. (2016), "Deep Residual Learning for Image Recognition", table 1, as in torchvision."""

from collections.abc import Sequence

from convcli.networks.builder import Builder
from convcli.networks.network import Network

WIDTHS = (64, 128, 256, 512)  # of the four stages


def resnet(g: Builder, blocks: Sequence[int]) -> Network:
    """Build a residual network of blocks of two 3x3 convolutions."""
    _stem(g)
    for stage, (count, o) in enumerate(zip(blocks, WIDTHS, strict=True), start=1):
        for block in range(1, count + 1):
            s = 2 if stage > 1 and block == 1 else 1
            with g.scope(f"stage{stage}.{block}"):
                x = g.last
                y = g(f"conv k3 s{s} p1 o{o} nobias, bn, relu, conv k3 p1 o{o} nobias, bn", x)
                _joined(g, x, y, s)
    return _classified(g)


def bottleneck_resnet(g: Builder, blocks: Sequence[int]) -> Network:
    """Build a residual network of bottlenecks; the stride stands in the 3x3 convolution, as torchvision has it."""
    _stem(g)
    for stage, (count, o) in enumerate(zip(blocks, WIDTHS, strict=True), start=1):
        for block in range(1, count + 1):
            s = 2 if stage > 1 and block == 1 else 1
            with g.scope(f"stage{stage}.{block}"):
                x = g.last
                y = g(f"conv k1 o{o} nobias, bn, relu, conv k3 s{s} p1 o{o} nobias, bn, relu", x)
                y = g(f"conv k1 o{4 * o} nobias, bn", y)
                _joined(g, x, y, s)
    return _classified(g)


def _stem(g: Builder) -> None:
    g("conv k7 s2 p3 o64 nobias, bn, relu, maxpool k3 s2 p1")


def _joined(g: Builder, x: str, y: str, stride: int) -> None:
    """Add the shortcut: the input itself, or a 1x1 convolution of it where the shapes differ (option B)."""
    if g.shape(x) != g.shape(y):
        x = g(f"conv k1 s{stride} o{g.channels(y)} nobias, bn", x)
    g("add", y, x)
    g("relu")


def _classified(g: Builder) -> Network:
    g("globalavgpool, flatten, dense o1000")
    return g.build()
