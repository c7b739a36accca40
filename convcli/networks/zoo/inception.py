"""Inception: Szegedy et al. (2014), arXiv 1409.4842, and (2015), arXiv 1512.00567."""

from convcli.networks.builder import Builder
from convcli.networks.network import Network

# Szegedy et al. (2014), table 1: channels of the 1x1 convolution, of the 1x1 before the 3x3 and of the 3x3, of the 1x1
# before the 5x5 and of the 5x5, and of the 1x1 after the pool.
V1 = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet(g: Builder, classes: int = 1000) -> Network:
    """Build GoogLeNet as in torchvision: BatchNorm instead of LRN, and 3x3 kernels in place of the paper's 5x5."""
    _conv(g, "k7 s2 p3 o64")
    g("maxpool k3 s2 ceil")
    _conv(g, "k1 o64")
    _conv(g, "k3 p1 o192")
    g("maxpool k3 s2 ceil")
    for name, (one, less3, three, less5, five, pooled) in V1.items():
        if name == "4a":
            g("maxpool k3 s2 ceil")
        if name == "5a":
            g("maxpool k2 s2 ceil")
        with g.scope(name):
            x = g.last
            g(
                "concat",
                _conv(g, f"k1 o{one}", x),
                _conv(g, f"k3 p1 o{three}", _conv(g, f"k1 o{less3}", x)),
                _conv(g, f"k3 p1 o{five}", _conv(g, f"k1 o{less5}", x)),
                _conv(g, f"k1 o{pooled}", g("maxpool k3 s1 p1 ceil", x)),
            )
    g(f"globalavgpool, flatten, dropout p0.2, dense o{classes}")
    return g.build(remarks=("the two auxiliary classifiers, which are used only in training, are left out",))


def inception_v1(g: Builder, classes: int = 1000) -> Network:
    """Build GoogLeNet as in the paper and in Caffe: 5x5 kernels, biases, and local response normalisation."""
    g("conv k7 s2 p3 o64, relu, maxpool k3 s2 ceil, lrn k5, conv k1 o64, relu, conv k3 p1 o192, relu, lrn k5")
    g("maxpool k3 s2 ceil")
    for name, (one, less3, three, less5, five, pooled) in V1.items():
        if name in ("4a", "5a"):
            g("maxpool k3 s2 ceil")
        with g.scope(name):
            x = g.last
            g(
                "concat",
                g(f"conv k1 o{one}, relu", x),
                g(f"conv k1 o{less3}, relu, conv k3 p1 o{three}, relu", x),
                g(f"conv k1 o{less5}, relu, conv k5 p2 o{five}, relu", x),
                g(f"maxpool k3 s1 p1, conv k1 o{pooled}, relu", x),
            )
    g(f"globalavgpool, dropout p0.4, flatten, dense o{classes}")
    return g.build(remarks=("the two auxiliary classifiers, which are used only in training, are left out",))


def inception_v3(g: Builder, classes: int = 1000) -> Network:
    """Build Inception v3 as in torchvision and Keras: convolutions have BatchNorm and no bias."""
    for conv in ("k3 s2 o32", "k3 o32", "k3 p1 o64"):
        _conv(g, conv)
    g("maxpool k3 s2")
    _conv(g, "k1 o80")
    _conv(g, "k3 o192")
    g("maxpool k3 s2")
    for number, pooled in enumerate((32, 64, 64)):
        with g.scope(f"mixed{number}"):
            _module(
                g, ["k1 o64"], ["k1 o48", "k5 p2 o64"], ["k1 o64", "k3 p1 o96", "k3 p1 o96"], pooled=pooled
            )
    with g.scope("mixed3"):
        _reduction(g, ["k3 s2 o384"], ["k1 o64", "k3 p1 o96", "k3 s2 o96"])
    for number, o in enumerate((128, 160, 160, 192), start=4):
        with g.scope(f"mixed{number}"):
            seven = [f"k1x7 p0x3 o{o}", f"k7x1 p3x0 o{o}"]
            _module(
                g,
                ["k1 o192"],
                [f"k1 o{o}", seven[0], "k7x1 p3x0 o192"],
                [f"k1 o{o}", seven[1], seven[0], seven[1], "k1x7 p0x3 o192"],
                pooled=192,
            )
    with g.scope("mixed8"):
        _reduction(
            g, ["k1 o192", "k3 s2 o320"], ["k1 o192", "k1x7 p0x3 o192", "k7x1 p3x0 o192", "k3 s2 o192"]
        )
    for number in (9, 10):
        with g.scope(f"mixed{number}"):
            x = g.last
            three = _conv(g, "k1 o384", x)
            double = _conv(g, "k3 p1 o384", _conv(g, "k1 o448", x))
            g(
                "concat",
                _conv(g, "k1 o320", x),
                *(
                    _conv(g, wide, each)
                    for each in (three, double)
                    for wide in ("k1x3 p0x1 o384", "k3x1 p1x0 o384")
                ),
                _conv(g, "k1 o192", g("avgpool k3 s1 p1", x)),
            )
    g(f"globalavgpool, dropout, flatten, dense o{classes}")
    return g.build(
        remarks=(
            "the auxiliary classifier, which is used only in training, is left out; Keras has no gamma, and counts the "
            "moving statistics: 23,851,784 parameters for 1,000 classes",
        )
    )


def _conv(g: Builder, options: str, *inputs: str) -> str:
    return g(f"conv {options} nobias, bn, relu", *inputs)


def _branch(g: Builder, convs: list[str], x: str) -> str:
    for options in convs:
        x = _conv(g, options, x)
    return x


def _module(g: Builder, *branches: list[str], pooled: int) -> None:
    """Concatenate branches of convolutions, and one of an average pool and a 1x1 convolution."""
    x = g.last
    made = [_branch(g, convs, x) for convs in branches]
    g("concat", *made, _conv(g, f"k1 o{pooled}", g("avgpool k3 s1 p1", x)))


def _reduction(g: Builder, *branches: list[str]) -> None:
    """Concatenate branches of convolutions and a max pool, all with stride 2."""
    x = g.last
    g("concat", *(_branch(g, convs, x) for convs in branches), g("maxpool k3 s2", x))
