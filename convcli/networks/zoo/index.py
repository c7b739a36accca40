"""The list of published networks: name, building function, default input, and source.

The module of a family has functions that build its networks. A function takes a `Builder` with the network's name,
source and input, and returns the network; its optional parameters are the user's options, as in mobilenet-v1:width=0.5:

    def mobilenet_v1(g: Builder, width: float = 1.0) -> Network:
        g(f"conv k3 s2 p1 o{int(32 * width)} nobias, bn, relu")
        ...
        return g.build()

Arguments that distinguish the networks of a family are in `fixed`. `build.py` imports only the requested family.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from convcli.errors import instead_of
from convcli.layers.axes import Shape

IMAGE = (3, 224, 224)


class Entry(NamedTuple):
    """One network.

    name : its name on the command line
    family : the module in this folder
    function : the function in it that builds the network
    input : the default (channels, *sizes)
    about : a short description
    source : the paper, and the implementation that is followed if implementations differ
    fixed : arguments of the function for this network
    """

    name: str
    family: str
    function: str
    input: Shape
    about: str
    source: str
    fixed: Mapping[str, Any] = {}


def by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return a dict of the networks by name; raise ValueError if a name occurs twice."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.name in found:
            raise ValueError(f"there are two networks {entry.name!r}")
        found[entry.name] = entry
    return found


def _letters(name: str) -> str:
    """Return the letters and digits of a name, by which networks are looked up."""
    return "".join(filter(str.isalnum, name.lower()))


_LENET = "LeCun et al. (1998), Gradient-Based Learning Applied to Document Recognition, figure 2"
_ALEXNET = "Krizhevsky (2014), arXiv 1404.5997; torchvision"
_ALEXNET_V2 = "Krizhevsky (2014), arXiv 1404.5997; TF-slim"
_VGG = "Simonyan & Zisserman (2014), arXiv 1409.1556, table 1; torchvision"
_GOOGLENET = "Szegedy et al. (2014), arXiv 1409.4842, table 1; torchvision"
_INCEPTION_V1 = "Szegedy et al. (2014), arXiv 1409.4842, table 1; Caffe"
_INCEPTION_V3 = "Szegedy et al. (2015), arXiv 1512.00567; torchvision"
_SQUEEZENET = "Iandola et al. (2016), arXiv 1602.07360; torchvision"
_RESNET = "He et al. (2015), arXiv 1512.03385, table 1; torchvision"
_RESNET_SLIM = "He et al. (2015), arXiv 1512.03385, table 1; TF-slim"
_RESNEXT = "Xie et al. (2016), arXiv 1611.05431; torchvision"
_WIDE = "Zagoruyko & Komodakis (2016), arXiv 1605.07146; torchvision"
_DENSENET = "Huang et al. (2016), arXiv 1608.06993, table 1; torchvision"
_XCEPTION = "Chollet (2016), arXiv 1610.02357, figure 5; Keras"
_MOBILENET = "Howard et al. (2017), arXiv 1704.04861, table 1; Keras"
_MOBILENET_V2 = "Sandler et al. (2018), arXiv 1801.04381, table 2; torchvision"
_MOBILENET_V3 = "Howard et al. (2019), arXiv 1905.02244, tables 1 and 2; torchvision"
_MNASNET = "Tan et al. (2018), arXiv 1807.11626; torchvision"
_SHUFFLENET = "Zhang et al. (2017), arXiv 1707.01083, table 1"
_SHUFFLENET_V2 = "Ma et al. (2018), arXiv 1807.11164, table 5; torchvision"
_EFFICIENTNET = "Tan & Le (2019), arXiv 1905.11946, table 1; torchvision"
_CONVNEXT = "Liu et al. (2022), arXiv 2201.03545; torchvision"
_UNET = "Ronneberger et al. (2015), arXiv 1505.04597, figure 1"
_FCN = "Long et al. (2014), arXiv 1411.4038; torchvision"
_DEEPLAB = "Chen et al. (2017), arXiv 1706.05587; torchvision"
_DEFORMABLE = "Dai et al. (2017), arXiv 1703.06211, on torchvision's ResNet-50"
_DEFORMABLE_V2 = "Zhu et al. (2018), arXiv 1811.11168, on torchvision's ResNet-50"
_WAVENET = "van den Oord et al. (2016), arXiv 1609.03499, figures 3 and 4"
_BOOK = "Goodfellow, Bengio & Courville (2016), Deep Learning, figure 9.11"

_50, _101, _152 = {"blocks": (3, 4, 6, 3)}, {"blocks": (3, 4, 23, 3)}, {"blocks": (3, 8, 36, 3)}
_PLAIN = {"groups": 1, "group_width": 64}  # the 3x3 convolutions of a plain ResNet
_VGG_11, _VGG_13 = {"blocks": (1, 1, 2, 2, 2)}, {"blocks": (2, 2, 2, 2, 2)}
_VGG_16, _VGG_19 = {"blocks": (2, 2, 3, 3, 3)}, {"blocks": (2, 2, 4, 4, 4)}
_BN, _NO_BN = {"norm": True}, {"norm": False}

# fmt: off
ZOO: dict[str, Entry] = by_name(
    Entry(*row)
    for row in (
        ("lenet-5", "early", "lenet_5", (1, 32, 32), "digits of 32x32", _LENET),
        ("alexnet", "early", "alexnet", IMAGE, "5 convolutions, 3 dense layers", _ALEXNET),
        ("alexnet-v2", "early", "alexnet_v2", IMAGE, "no padding in the first layer", _ALEXNET_V2),
        ("vgg-11", "vgg", "vgg", IMAGE, "8 convolutions of 3x3, 3 dense layers", _VGG, _VGG_11 | _NO_BN),
        ("vgg-13", "vgg", "vgg", IMAGE, "10 convolutions of 3x3, 3 dense layers", _VGG, _VGG_13 | _NO_BN),
        ("vgg-16", "vgg", "vgg", IMAGE, "13 convolutions of 3x3, 3 dense layers", _VGG, _VGG_16 | _NO_BN),
        ("vgg-19", "vgg", "vgg", IMAGE, "16 convolutions of 3x3, 3 dense layers", _VGG, _VGG_19 | _NO_BN),
        ("vgg-11-bn", "vgg", "vgg", IMAGE, "VGG-11 with BatchNorm", _VGG, _VGG_11 | _BN),
        ("vgg-13-bn", "vgg", "vgg", IMAGE, "VGG-13 with BatchNorm", _VGG, _VGG_13 | _BN),
        ("vgg-16-bn", "vgg", "vgg", IMAGE, "VGG-16 with BatchNorm", _VGG, _VGG_16 | _BN),
        ("vgg-19-bn", "vgg", "vgg", IMAGE, "VGG-19 with BatchNorm", _VGG, _VGG_19 | _BN),
        ("googlenet", "inception", "googlenet", IMAGE, "Inception v1 with BatchNorm, no 5x5", _GOOGLENET),
        ("inception-v1", "inception", "inception_v1", IMAGE, "as in the paper: 5x5, LRN", _INCEPTION_V1),
        ("inception-v3", "inception", "inception_v3", (3, 299, 299), "1x7 and 7x1 kernels", _INCEPTION_V3),
        ("squeezenet-1.0", "squeezenet", "squeezenet_1_0", IMAGE, "AlexNet's accuracy, 50x smaller", _SQUEEZENET),
        ("squeezenet-1.1", "squeezenet", "squeezenet_1_1", IMAGE, "2.4x less work than 1.0", _SQUEEZENET),
        ("resnet-18", "resnets", "resnet", IMAGE, "8 blocks of two 3x3", _RESNET, {"blocks": (2, 2, 2, 2)}),
        ("resnet-34", "resnets", "resnet", IMAGE, "16 blocks of two 3x3", _RESNET, _50),
        ("resnet-50", "resnets", "bottleneck_resnet", IMAGE, "16 bottlenecks", _RESNET, _50 | _PLAIN),
        ("resnet-101", "resnets", "bottleneck_resnet", IMAGE, "33 bottlenecks", _RESNET, _101 | _PLAIN),
        ("resnet-152", "resnets", "bottleneck_resnet", IMAGE, "50 bottlenecks", _RESNET, _152 | _PLAIN),
        ("resnet-50-slim", "resnets", "slim_resnet", IMAGE, "strides in the last blocks", _RESNET_SLIM, _50),
        (
            "resnext-50-32x4d", "resnets", "bottleneck_resnet", IMAGE, "3x3 in 32 groups", _RESNEXT,
            _50 | {"groups": 32, "group_width": 4},
        ),
        (
            "resnext-101-32x8d", "resnets", "bottleneck_resnet", IMAGE, "3x3 in 32 groups", _RESNEXT,
            _101 | {"groups": 32, "group_width": 8},
        ),
        (
            "wide-resnet-50-2", "resnets", "bottleneck_resnet", IMAGE, "3x3 of twice the width", _WIDE,
            _50 | {"groups": 1, "group_width": 128},
        ),
        (
            "wide-resnet-101-2", "resnets", "bottleneck_resnet", IMAGE, "3x3 of twice the width", _WIDE,
            _101 | {"groups": 1, "group_width": 128},
        ),
        (
            "densenet-121", "densenet", "densenet", IMAGE, "58 layers of 32 channels", _DENSENET,
            {"blocks": (6, 12, 24, 16), "growth": 32, "first": 64},
        ),
        (
            "densenet-161", "densenet", "densenet", IMAGE, "78 layers of 48 channels", _DENSENET,
            {"blocks": (6, 12, 36, 24), "growth": 48, "first": 96},
        ),
        (
            "densenet-169", "densenet", "densenet", IMAGE, "82 layers of 32 channels", _DENSENET,
            {"blocks": (6, 12, 32, 32), "growth": 32, "first": 64},
        ),
        (
            "densenet-201", "densenet", "densenet", IMAGE, "98 layers of 32 channels", _DENSENET,
            {"blocks": (6, 12, 48, 32), "growth": 32, "first": 64},
        ),
        ("xception", "xception", "xception", (3, 299, 299), "depthwise separable, residual", _XCEPTION),
        ("mobilenet-v1", "mobilenets", "mobilenet_v1", IMAGE, "depthwise separable", _MOBILENET),
        ("mobilenet-v2", "mobilenets", "mobilenet_v2", IMAGE, "inverted residuals", _MOBILENET_V2),
        ("mobilenet-v3-large", "mobilenets", "mobilenet_v3_large", IMAGE, "found by search", _MOBILENET_V3),
        ("mobilenet-v3-small", "mobilenets", "mobilenet_v3_small", IMAGE, "found by search", _MOBILENET_V3),
        ("mnasnet", "mobilenets", "mnasnet", IMAGE, "found by search for phones", _MNASNET),
        ("shufflenet-v1", "shufflenet", "shufflenet_v1", IMAGE, "grouped pointwise, shuffled", _SHUFFLENET),
        ("shufflenet-v2", "shufflenet", "shufflenet_v2", IMAGE, "half the channels stay", _SHUFFLENET_V2),
        (
            "efficientnet-b0", "efficientnet", "efficientnet", (3, 224, 224), "found by search", _EFFICIENTNET,
            {"wider": 1.0, "deeper": 1.0},
        ),
        (
            "efficientnet-b1", "efficientnet", "efficientnet", (3, 240, 240), "B0 scaled by 1.0 and 1.1", _EFFICIENTNET,
            {"wider": 1.0, "deeper": 1.1},
        ),
        (
            "efficientnet-b2", "efficientnet", "efficientnet", (3, 288, 288), "B0 scaled by 1.1 and 1.2", _EFFICIENTNET,
            {"wider": 1.1, "deeper": 1.2},
        ),
        (
            "efficientnet-b3", "efficientnet", "efficientnet", (3, 300, 300), "B0 scaled by 1.2 and 1.4", _EFFICIENTNET,
            {"wider": 1.2, "deeper": 1.4},
        ),
        (
            "efficientnet-b4", "efficientnet", "efficientnet", (3, 380, 380), "B0 scaled by 1.4 and 1.8", _EFFICIENTNET,
            {"wider": 1.4, "deeper": 1.8},
        ),
        (
            "efficientnet-b5", "efficientnet", "efficientnet", (3, 456, 456), "B0 scaled by 1.6 and 2.2", _EFFICIENTNET,
            {"wider": 1.6, "deeper": 2.2},
        ),
        (
            "efficientnet-b6", "efficientnet", "efficientnet", (3, 528, 528), "B0 scaled by 1.8 and 2.6", _EFFICIENTNET,
            {"wider": 1.8, "deeper": 2.6},
        ),
        (
            "efficientnet-b7", "efficientnet", "efficientnet", (3, 600, 600), "B0 scaled by 2.0 and 3.1", _EFFICIENTNET,
            {"wider": 2.0, "deeper": 3.1},
        ),
        (
            "convnext-tiny", "convnext", "convnext", IMAGE, "depthwise 7x7, LayerNorm", _CONVNEXT,
            {"blocks": (3, 3, 9, 3), "widths": (96, 192, 384, 768)},
        ),
        (
            "convnext-small", "convnext", "convnext", IMAGE, "depthwise 7x7, LayerNorm", _CONVNEXT,
            {"blocks": (3, 3, 27, 3), "widths": (96, 192, 384, 768)},
        ),
        (
            "convnext-base", "convnext", "convnext", IMAGE, "depthwise 7x7, LayerNorm", _CONVNEXT,
            {"blocks": (3, 3, 27, 3), "widths": (128, 256, 512, 1024)},
        ),
        (
            "convnext-large", "convnext", "convnext", IMAGE, "depthwise 7x7, LayerNorm", _CONVNEXT,
            {"blocks": (3, 3, 27, 3), "widths": (192, 384, 768, 1536)},
        ),
        ("unet", "segmentation", "unet", (1, 572, 572), "transposed convolutions, skips", _UNET),
        ("fcn-resnet-50", "segmentation", "fcn_resnet", (3, 520, 520), "a dilated ResNet-50", _FCN, _50),
        ("fcn-resnet-101", "segmentation", "fcn_resnet", (3, 520, 520), "a dilated ResNet-101", _FCN, _101),
        (
            "deeplab-v3-resnet-50", "segmentation", "deeplab_v3_resnet", (3, 520, 520), "atrous pyramid pooling",
            _DEEPLAB, _50,
        ),
        (
            "deeplab-v3-resnet-101", "segmentation", "deeplab_v3_resnet", (3, 520, 520), "atrous pyramid pooling",
            _DEEPLAB, _101,
        ),
        ("deeplab-v3-head", "segmentation", "deeplab_head", (2048, 65, 65), "the atrous head alone", _DEEPLAB),
        (
            "deformable-resnet-50", "resnets", "deformable_resnet", IMAGE, "the last stage is deformable", _DEFORMABLE,
            _50 | {"stages": 1, "mask": False},
        ),
        (
            "deformable-v2-resnet-50", "resnets", "deformable_resnet", IMAGE, "three stages with masks", _DEFORMABLE_V2,
            _50 | {"stages": 3, "mask": True},
        ),
        ("wavenet", "wavenet", "wavenet", (256, 16000), "dilated causal 1-D convolutions", _WAVENET),
        ("figure-9.11-left", "textbook", "fixed_size", (3, 256, 256), "for images of one size", _BOOK),
        ("figure-9.11-center", "textbook", "variable_size", (3, 256, 256), "for images of any size", _BOOK),
        ("figure-9.11-right", "textbook", "without_dense_layer", (3, 256, 256), "no dense layer", _BOOK),
    )
)
# fmt: on
_BY_LETTERS: dict[str, str] = {_letters(name): name for name in ZOO}


def find(name: str) -> str | None:
    """Return the canonical name of a published network for any spelling, or None if there is none.

    >>> find("resnet-50"), find("resnet50"), find("MobileNet_V2"), find("squeezenet1_0")
    ('resnet-50', 'resnet-50', 'mobilenet-v2', 'squeezenet-1.0')
    """
    return _BY_LETTERS.get(_letters(name))


def beginning(name: str) -> list[str]:
    """Return the names of the published networks that begin with a name, however it is spelled.

    >>> beginning("MobileNetV3"), beginning("")
    (['mobilenet-v3-large', 'mobilenet-v3-small'], [])
    """
    letters = _letters(name)
    return [known for known in ZOO if letters and _letters(known).startswith(letters)]


def network_instead(name: str) -> str:
    """Return the advice for an unknown network: those that begin as it does, or the most similar one, or the list."""
    called = name.partition("(")[0]
    last = called.rpartition(".")[2]  # of torchvision.models.resnet50(weights=None)
    if last != name and (known := find(last)):
        return f"did you mean {known!r}?"
    if found := beginning(name):
        return f"did you mean {' or '.join(map(repr, found))}?"
    return instead_of(name, ZOO)
