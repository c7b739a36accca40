"""Xception: Chollet (2016), "Deep Learning with Depthwise Separable Convolutions", arXiv 1610.02357, as in Keras."""

from convcli.networks.builder import Builder
from convcli.networks.network import Network


def xception(g: Builder, classes: int = 1000) -> Network:
    """Build Xception: figure 5."""
    g("conv k3 s2 o32 nobias, bn, relu, conv k3 o64 nobias, bn, relu")
    for number, o in enumerate((128, 256, 728), start=2):
        _reduced(g, f"block{number}", (o, o), activated=number > 2)
    for number in range(5, 13):
        with g.scope(f"block{number}"):
            x = y = g.last
            for _ in range(3):
                y = _separable(g, 728, g("relu", y))
            g("add", y, x)
    _reduced(g, "block13", (728, 1024), activated=True)
    with g.scope("block14"):
        for o in (1536, 2048):
            _separable(g, o, g.last)
            g("relu")
    g(f"globalavgpool, flatten, dense o{classes}")
    return g.build(
        remarks=("Keras also counts BatchNorm's moving statistics: 22,910,480 parameters for 1,000 classes",)
    )


def _separable(g: Builder, o: int, x: str) -> str:
    """Add a depthwise separable convolution with BatchNorm and without an activation in between."""
    return g(f"dwconv k3 same nobias, conv k1 o{o} nobias, bn", x)


def _reduced(g: Builder, name: str, widths: tuple[int, int], *, activated: bool) -> None:
    """Add a block that halves the size; with `activated` it starts with a ReLU."""
    with g.scope(name):
        x = y = g.last
        for number, o in enumerate(widths):
            if number or activated:
                y = g("relu", y)
            y = _separable(g, o, y)
        y = g("maxpool k3 s2 same", y)
        g("add", y, g(f"conv k1 s2 same o{widths[-1]} nobias, bn", x))
