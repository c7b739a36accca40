"""DenseNet: Huang et al. (2016), arXiv 1608.06993, table 1, as in torchvision."""

from collections.abc import Sequence

from convcli.networks.builder import Builder
from convcli.networks.network import Network

BOTTLENECK = 4  # output channels of a layer's 1x1 convolution per channel that the layer adds


def densenet(g: Builder, blocks: Sequence[int], growth: int, first: int, classes: int = 1000) -> Network:
    """Build DenseNet with the given number of layers per block; each layer adds `growth` channels to its input."""
    g(f"conv k7 s2 p3 o{first} nobias, bn, relu, maxpool k3 s2 p1")
    for block, count in enumerate(blocks, start=1):
        for layer in range(1, count + 1):
            with g.scope(f"block{block}.{layer}"):
                x = g.last
                y = g(
                    f"bn, relu, conv k1 o{BOTTLENECK * growth} nobias, bn, relu, conv k3 p1 o{growth} nobias",
                    x,
                )
                g("concat", x, y)
        if block < len(blocks):
            with g.scope(f"transition{block}"):
                g(f"bn, relu, conv k1 o{g.channels() // 2} nobias, avgpool k2")
    g(f"bn, relu, globalavgpool, flatten, dense o{classes}")
    return g.build()
