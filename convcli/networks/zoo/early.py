"""Early convolutional networks: LeNet-5 and AlexNet."""

from convcli.networks.builder import Builder
from convcli.networks.network import Network


def lenet_5(g: Builder, classes: int = 10) -> Network:
    """Build LeNet-5: LeCun et al. (1998), "Gradient-Based Learning Applied to Document Recognition", figure 2."""
    g("conv k5 o6", name="c1")
    g("tanh, avgpool k2", name="s2")
    g("conv k5 o16", name="c3")
    g("tanh, avgpool k2", name="s4")
    g("conv k5 o120", name="c5")
    g("tanh, flatten, dense o84", name="f6")
    g(f"tanh, dense o{classes}", name="output")
    return g.build(
        remarks=(
            "C3 takes all maps of S2, while the paper's table I omits some (1,516 parameters instead of 2,416); "
            "S2 and S4 are plain averages, without the paper's coefficient and bias per map",
        )
    )


def alexnet(g: Builder, classes: int = 1000) -> Network:
    """Build AlexNet on one GPU: Krizhevsky (2014), "One weird trick", arXiv 1404.5997, as in torchvision."""
    g("conv k11 s4 p2 o64, relu, maxpool k3 s2")
    g("conv k5 p2 o192, relu, maxpool k3 s2")
    g("conv k3 p1 o384, relu, conv k3 p1 o256, relu, conv k3 p1 o256, relu, maxpool k3 s2")
    g("adaptiveavgpool o6, flatten, dropout, dense o4096, relu, dropout, dense o4096, relu")
    g(f"dense o{classes}")
    return g.build()


def alexnet_v2(g: Builder, classes: int = 1000) -> Network:
    """Build AlexNet as in TF-slim's `alexnet_v2`: no padding in the first layer, dense layers as convolutions."""
    g("conv k11 s4 o64, relu")
    g("maxpool k3 s2", name="pool1")
    g("conv k5 same o192, relu")
    g("maxpool k3 s2", name="pool2")
    g("conv k3 same o384, relu, conv k3 same o384, relu, conv k3 same o256, relu")
    g("maxpool k3 s2", name="pool5")
    g("conv k5 o4096, relu, dropout, conv k1 o4096, relu, dropout")
    g(f"conv k1 o{classes}, globalavgpool, flatten")
    return g.build()
