"""VGG: Simonyan & Zisserman (2014), "Very Deep Convolutional Networks", arXiv 1409.1556, table 1, as in torchvision."""

from collections.abc import Sequence

from convcli.networks.builder import Builder
from convcli.networks.network import Network

WIDTHS = (64, 128, 256, 512, 512)  # channels of the 3x3 convolutions before each of the five pools


def vgg(g: Builder, blocks: Sequence[int], norm: bool, classes: int = 1000) -> Network:
    """Build VGG with the given number of 3x3 convolutions per block; `norm` adds BatchNorm after each."""
    after = ", bn, relu" if norm else ", relu"
    for block, (count, o) in enumerate(zip(blocks, WIDTHS, strict=True), start=1):
        for layer in range(1, count + 1):
            g(f"conv k3 p1 o{o}", name=f"conv{block}_{layer}")
            g(after[2:])
        g("maxpool k2", name=f"pool{block}")
    g("adaptiveavgpool o7, flatten, dense o4096, relu, dropout, dense o4096, relu, dropout")
    g(f"dense o{classes}")
    return g.build()
