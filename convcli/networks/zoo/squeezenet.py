"""SqueezeNet: Iandola et al. (2016), arXiv 1602.07360, table 1, and the authors' version 1.1, as in torchvision."""

from convcli.networks.builder import Builder
from convcli.networks.network import Network

# The fire modules between pools: channels of the squeeze layer, and of each of the two expand layers.
V1_0 = (((16, 64), (16, 64), (32, 128)), ((32, 128), (48, 192), (48, 192), (64, 256)), ((64, 256),))
V1_1 = (((16, 64), (16, 64)), ((32, 128), (32, 128)), ((48, 192), (48, 192), (64, 256), (64, 256)))


def squeezenet_1_0(g: Builder, classes: int = 1000) -> Network:
    """Build SqueezeNet 1.0, with a 7x7 convolution first and pools after conv1, fire4 and fire8."""
    g("conv k7 s2 o96, relu")
    return _body(g, V1_0, classes)


def squeezenet_1_1(g: Builder, classes: int = 1000) -> Network:
    """Build SqueezeNet 1.1, with a 3x3 convolution first and earlier pools, for 2.4 times less arithmetic."""
    g("conv k3 s2 o64, relu")
    return _body(g, V1_1, classes)


def _body(g: Builder, groups: tuple[tuple[tuple[int, int], ...], ...], classes: int) -> Network:
    number = 2
    for group in groups:
        g("maxpool k3 s2 ceil")
        for squeeze, expand in group:
            with g.scope(f"fire{number}"):
                x = g(f"conv k1 o{squeeze}, relu")
                g("concat", g(f"conv k1 o{expand}, relu", x), g(f"conv k3 p1 o{expand}, relu", x))
            number += 1
    g(f"dropout, conv k1 o{classes}, relu, globalavgpool, flatten")
    return g.build()
