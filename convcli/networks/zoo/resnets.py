"""Residual networks: He et al. (2016), "Deep Residual Learning for Image Recognition", table 1, as in torchvision.

ResNeXt is Xie et al. (2017), "Aggregated Residual Transformations"; the wide ones are Zagoruyko & Komodakis (2016).
"""

from collections.abc import Sequence

from convcli.networks.builder import Builder
from convcli.networks.network import Network

WIDTHS = (64, 128, 256, 512)  # channels of the four stages
EXPANSION = 4  # output channels of a bottleneck, relative to the stage's width


def resnet(g: Builder, blocks: Sequence[int], classes: int = 1000) -> Network:
    """Build a residual network with the given number of blocks, of two 3x3 convolutions each, per stage."""
    _stem(g)
    for stage, (count, o) in enumerate(zip(blocks, WIDTHS, strict=True), start=1):
        for block in range(1, count + 1):
            s = 2 if stage > 1 and block == 1 else 1
            with g.scope(f"stage{stage}.{block}"):
                x = g.last
                y = g(f"conv k3 s{s} p1 o{o} nobias, bn, relu, conv k3 p1 o{o} nobias, bn", x)
                _joined(g, x, y, s)
    return _classified(g, classes)


def bottleneck_resnet(
    g: Builder, blocks: Sequence[int], groups: int, group_width: int, classes: int = 1000
) -> Network:
    """Build a residual network of bottlenecks; the 3x3 convolution has the stride, as in torchvision.

    groups : of the 3x3 convolutions
    group_width : channels per group in the first stage; one group of 64 is the plain ResNet
    """
    residual_stages(g, blocks, groups=groups, group_width=group_width)
    return _classified(g, classes)


def slim_resnet(g: Builder, blocks: Sequence[int], classes: int = 1000) -> Network:
    """Build a residual network as TF-slim's `resnet_v1`: the last block of a stage has the stride, not the first.

    The shortcut of that block is a 1x1 max pool, and the first pool has TensorFlow's SAME padding.
    """
    _stem(g, "same")
    for stage, (count, o) in enumerate(zip(blocks, WIDTHS, strict=True), start=1):
        for block in range(1, count + 1):
            s = 2 if stage < len(WIDTHS) and block == count else 1
            with g.scope(f"stage{stage}.{block}"):
                x = g.last
                y = _bottleneck(g, x, o, EXPANSION * o, f"conv k3 s{s} p1")
                if g.channels(x) == g.channels(y) and s > 1:
                    x = g(f"maxpool k1 s{s}", x)
                _joined(g, x, y, s)
    return _classified(g, classes)


def deformable_resnet(
    g: Builder, blocks: Sequence[int], stages: int, mask: bool, classes: int = 1000
) -> Network:
    """Build a residual network with deformable 3x3 convolutions in its last stages.

    Dai et al. (2017), "Deformable Convolutional Networks", section 4.1, use them in one stage; version 2, Zhu et al.
    (2018), uses them in three stages, with a `mask`.
    """
    residual_stages(g, blocks, deformable=stages, mask=mask)
    return _classified(g, classes)


def residual_stages(
    g: Builder,
    blocks: Sequence[int],
    *,
    groups: int = 1,
    group_width: int = 64,
    dilated: int = 0,
    deformable: int = 0,
    mask: bool = False,
) -> list[str]:
    """Add the stem and the four stages of bottlenecks; return the output of each stage.

    dilated : number of last stages with a dilation instead of a stride, doubled from stage to stage
    deformable : number of last stages with deformable 3x3 convolutions, with a `mask` for version 2
    """
    _stem(g)
    made = []
    dilation = 1
    for stage, (count, o) in enumerate(zip(blocks, WIDTHS, strict=True), start=1):
        between = groups * group_width * o // WIDTHS[0]
        left = len(WIDTHS) - stage  # number of stages after this one
        operator = "deform" if left < deformable else "conv"
        for block in range(1, count + 1):
            s = 2 if stage > 1 and block == 1 and left >= dilated else 1
            three = f"{operator} k3 s{s} p{dilation} d{dilation} g{groups}" + (
                " mask" if mask and operator == "deform" else ""
            )
            with g.scope(f"stage{stage}.{block}"):
                x = g.last
                y = _bottleneck(g, x, between, EXPANSION * o, three)
                _joined(g, x, y, s)
            if block == 1 and left < dilated:
                dilation *= 2
        made.append(g.last)
    return made


def _bottleneck(g: Builder, x: str, between: int, o: int, three: str) -> str:
    return g(
        f"conv k1 o{between} nobias, bn, relu, {three} o{between} nobias, bn, relu, conv k1 o{o} nobias, bn",
        x,
    )


def _stem(g: Builder, pooled: str = "p1") -> None:
    g(f"conv k7 s2 p3 o64 nobias, bn, relu, maxpool k3 s2 {pooled}")


def _joined(g: Builder, x: str, y: str, stride: int) -> None:
    """Add the shortcut: the input itself, or a 1x1 convolution of it if the shapes differ (option B)."""
    if g.shape(x) != g.shape(y):
        x = g(f"conv k1 s{stride} o{g.channels(y)} nobias, bn", x)
    g("add", y, x)
    g("relu")


def _classified(g: Builder, classes: int) -> Network:
    g(f"globalavgpool, flatten, dense o{classes}")
    return g.build()
