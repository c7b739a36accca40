"""Networks for semantic segmentation: U-Net, FCN and DeepLab v3."""

from collections.abc import Sequence

from convcli.layers import Slice
from convcli.networks.builder import Builder
from convcli.networks.network import Network
from convcli.networks.zoo.resnets import residual_stages

RATES = (12, 24, 36)  # dilations of the atrous head for an output stride of 8
HEAD = 256  # channels of the atrous head


def unet(g: Builder, width: int = 64, classes: int = 2) -> Network:
    """Build U-Net: Ronneberger et al. (2015), arXiv 1505.04597, figure 1; convolutions have no padding.

    width : channels of the first level; they double at each of the four levels below
    """
    kept = []
    for level in range(1, 6):
        with g.scope(f"down{level}"):
            if level > 1:
                kept.append(g.last)
                g("maxpool k2")
            _double(g, width * 2 ** (level - 1))
    for level in range(4, 0, -1):
        with g.scope(f"up{level}"):
            up = g(f"convT k2 s2 o{width * 2 ** (level - 1)}")
            g("concat", _cropped(g, kept.pop(), up), up)
            _double(g, width * 2 ** (level - 1))
    g(f"conv k1 o{classes}")
    return g.build()


def fcn_resnet(g: Builder, blocks: Sequence[int], classes: int = 21) -> Network:
    """Build a fully convolutional network on a ResNet without strides in its last two stages, as in torchvision.

    Long et al. (2014), arXiv 1411.4038. The auxiliary classifier, which torchvision runs too, is a second output.
    """
    *_, third, fourth = residual_stages(g, blocks, dilated=2)
    return _labelled(g, _fcn_head(g, "classifier", fourth, classes), third, classes)


def deeplab_v3_resnet(g: Builder, blocks: Sequence[int], classes: int = 21) -> Network:
    """Build DeepLab v3 on a ResNet without strides in its last two stages, as in torchvision.

    Chen et al. (2017), arXiv 1706.05587. The auxiliary classifier, which torchvision runs too, is a second output.
    """
    *_, third, fourth = residual_stages(g, blocks, dilated=2)
    return _labelled(g, _atrous_head(g, fourth, classes), third, classes)


def deeplab_head(g: Builder, classes: int = 21) -> Network:
    """Build only the head of DeepLab v3, atrous spatial pyramid pooling, for features of any size."""
    _atrous_head(g, g.last, classes)
    return g.build()


def _double(g: Builder, o: int) -> None:
    g(f"conv k3 o{o}, relu, conv k3 o{o}, relu")


def _cropped(g: Builder, x: str, like: str) -> str:
    """Crop the middle of x to the size of another tensor."""
    places = list(zip(g.shape(x)[1:], g.shape(like)[1:], strict=True))
    starts = [(n - m) // 2 for n, m in places]
    ends = [start + m for start, (_, m) in zip(starts, places, strict=True)]
    return g(Slice(starts, ends, [axis for axis, _ in enumerate(starts, start=2)]), x, name="crop")


def _fcn_head(g: Builder, name: str, x: str, classes: int) -> str:
    with g.scope(name):
        return g(f"conv k3 p1 o{g.channels(x) // 4} nobias, bn, relu, dropout p0.1, conv k1 o{classes}", x)


def _atrous_head(g: Builder, x: str, classes: int) -> str:
    size = "x".join(map(str, g.shape(x)[1:]))
    with g.scope("classifier"):
        branches = [g(f"conv k1 o{HEAD} nobias, bn, relu", x)]
        for rate in RATES:
            branches.append(g(f"conv k3 p{rate} d{rate} o{HEAD} nobias, bn, relu", x))
        pooled = g(f"globalavgpool, conv k1 o{HEAD} nobias, bn, relu, resize o{size} bilinear", x)
        g("concat", *branches, pooled)
        g(f"conv k1 o{HEAD} nobias, bn, relu, dropout, conv k3 p1 o{HEAD} nobias, bn, relu")
        return g(f"conv k1 o{classes}")


def _labelled(g: Builder, scores: str, third: str, classes: int) -> Network:
    """Resize the scores, and those of an auxiliary classifier after the third stage, to the input's size."""
    size = "x".join(map(str, g.shape("input")[1:]))
    made = g(f"resize o{size} bilinear", scores, name="out")
    auxiliary = g(f"resize o{size} bilinear", _fcn_head(g, "auxiliary", third, classes), name="aux")
    return g.build(made, auxiliary)
