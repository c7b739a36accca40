"""Translate a layer as PyTorch or Keras write it to an item of a chain, and names of variants to those here."""

import re
from collections.abc import Iterable

from convcli.errors import instead_of
from convcli.layers.activation import ACTIVATIONS

# Layers of PyTorch: the operator here, and the letters of the positional arguments. "" marks an argument that follows
# from the input shape.
CONV = ("", "o", "k", "s", "p", "d", "g")
POOL = ("k", "s", "p", "d")
SEPARABLE = "separable"  # a depthwise convolution and a pointwise one, which are two items of a chain
LAYERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "conv": ("conv", CONV),
    "lazyconv": ("conv", CONV[1:]),
    "convtranspose": ("convT", ("", "o", "k", "s", "p", "op", "g")),
    "maxpool": ("maxpool", POOL),
    "avgpool": ("avgpool", POOL[:3]),
    "adaptiveavgpool": ("adaptiveavgpool", ("o",)),
    "adaptivemaxpool": ("adaptivemaxpool", ("o",)),
    "lppool": ("lppool", ("norm", *POOL[:2])),
    "batchnorm": ("bn", ("",)),
    "syncbatchnorm": ("bn", ("",)),
    "localresponsenorm": ("lrn", ("k",)),
    "zeropad": ("pad", ("p",)),
    "reflectionpad": ("pad reflect", ("p",)),
    "replicationpad": ("pad replicate", ("p",)),
    "circularpad": ("pad circular", ("p",)),
    "channelshuffle": ("shuffle", ("g",)),
    "instancenorm": ("instancenorm", ("",)),
    "groupnorm": ("groupnorm", ("g", "")),
    "linear": ("linear", ("", "o")),
    "dropout": ("dropout", ("p",)),
    "pixelshuffle": ("pixelshuffle", ("x",)),
    "pixelunshuffle": ("pixelunshuffle", ("x",)),
    "flatten": ("flatten", ()),
    "upsample": ("upsample", ()),
    "upsamplingnearest": ("upsample", ()),
    "upsamplingbilinear": ("upsample bilinear", ()),
    "leakyrelu": ("leaky-relu", ()),
    "hardswish": ("hard-swish", ()),
    "hardsigmoid": ("hard-sigmoid", ()),
    "lstm": ("lstm", ("", "o", "n")),
    "gru": ("gru", ("", "o", "n")),
    # Names of other programs and of papers, some of which are variants here.
    **dict.fromkeys(("deconv", "upconv", "tconv", "conv-transpose", "transposed-conv"), ("convT", CONV[1:])),
    **dict.fromkeys(("depthwise-conv", "depthwiseconv", "dw", "convdw"), ("dwconv", ("k", "s", "p"))),
    **dict.fromkeys(("pointwise", "pointwise-conv", "pwconv", "pw", "conv1x1"), ("conv k1", ("o",))),
    **dict.fromkeys(("separableconv", "separable", "sepconv", "dsconv"), (SEPARABLE, CONV[1:5])),
    **dict.fromkeys(("deformconv", "dcn"), ("deform", CONV)),
    **dict.fromkeys(("locallyconnected",), ("local", ("o", "k", "s"))),
    **dict.fromkeys(("max-pool", "max"), ("maxpool", POOL)),
    **dict.fromkeys(("avg-pool", "avg", "mean-pool"), ("avgpool", POOL[:3])),
    **dict.fromkeys(
        ("gap", "global-avg-pool", "globalavgpooling", "global-average-pool"), ("globalavgpool", ())
    ),
    **dict.fromkeys(("gmp", "global-max-pool"), ("globalmaxpool", ())),
    **dict.fromkeys(("fully-connected", "fullyconnected", "innerproduct", "gemm"), ("dense", ("o",))),
    **dict.fromkeys(("batch-norm", "batchnormalization"), ("bn", ())),
    "layernormalization": ("layernorm channels", ()),
    "groupnormalization": ("groupnorm", ("g",)),
    "spatialdropout": ("dropout", ("p",)),
    "concatenate": ("concat", ()),
    # Keras
    "conv2dtranspose": ("convT", ("o", "k", "s")),
    "depthwiseconv2d": ("dwconv", ("k", "s")),
    "dense": ("dense", ("o",)),
    "zeropadding": ("pad", ("p",)),
    "upsampling": ("upsample", ("x",)),
    "maxpooling": ("maxpool", ("k", "s")),
    "averagepooling": ("avgpool", ("k", "s")),
    "globalaveragepooling": ("globalavgpool", ()),
    "globalmaxpooling": ("globalmaxpool", ()),
}
KEYWORDS = {
    "filters": "o",
    "units": "o",
    "pool_size": "k",
    "strides": "s",
    "dilation_rate": "d",
    "rate": "p",
    "num_groups": "g",
    "upscale_factor": "x",
    "downscale_factor": "x",
    "in_channels": "",
    "in_features": "",
    "out_channels": "o",
    "out_features": "o",
    "kernel_size": "k",
    "stride": "s",
    "padding": "p",
    "dilation": "d",
    "groups": "g",
    "output_padding": "op",
    "output_size": "o",
    "scale_factor": "x",
}
# Names of the variants in papers and in other libraries.
VARIANTS_ELSEWHERE = {
    **dict.fromkeys(("conv", "conv2d", "normal", "regular", "full"), "standard"),
    **dict.fromkeys(("dw", "dwconv", "depth-wise", "depthwise-conv"), "depthwise"),
    **dict.fromkeys(("dws", "dsc", "ds", "dw-sep", "mobilenet", "separable-conv"), "depthwise-separable"),
    **dict.fromkeys(("pw", "1x1", "point-wise"), "pointwise"),
    **dict.fromkeys(("group", "group-conv"), "grouped"),
    **dict.fromkeys(("shufflenet", "shuffle"), "shuffled-grouped"),
    **dict.fromkeys(("atrous", "dilation"), "dilated"),
    **dict.fromkeys(
        ("deconv", "convtranspose", "conv-transpose", "convt", "fractional", "upconv"), "transposed"
    ),
    **dict.fromkeys(("dcn", "deform", "deformable-conv"), "deformable"),
    **dict.fromkeys(("unshared", "locally-connected"), "local"),
    **dict.fromkeys(("fc", "linear", "fully-connected"), "dense"),
}
_CALL = re.compile(
    r"(?:[a-z]+\.)*([a-z][\w-]*?)(?:[-_]?[123]d)?\s*(?:\((.*)\)|\s((?:[a-z][\w:.=-]*\s*)*))?",
    re.IGNORECASE | re.DOTALL,
)
_ARGUMENT = re.compile(r"\s*(?:(\w+)\s*=)?\s*(\([^()]*\)|[^,()]+?)\s*(?:,|$)")


def instead_of_call(text: str) -> str:
    """Return a suggestion for a layer of PyTorch or Keras; an empty string if it is unknown.

    >>> instead_of_call("maxpool2d")
    "did you mean 'maxpool'?"
    """
    suggested = suggested_layer(text)
    return f"did you mean {suggested!r}?" if suggested else ""


def suggested_layer(text: str) -> str:
    """Return the item of a chain for a layer of PyTorch or Keras; an empty string if it is unknown.

    >>> suggested_layer("Conv2d(4, 8, 3, padding=1, bias=False)"), suggested_layer("nn.ReLU()")
    ('conv o8 k3 p1 nobias', 'relu')
    >>> suggested_layer("convtranspose2d k4 s2 o32"), suggested_layer("separable k3 p1 o32")
    ('convT k4 s2 o32', 'dwconv k3 p1, conv k1 o32')
    """
    match = _CALL.fullmatch(text.strip())
    if match is None:
        return ""
    called = text.partition("(")[0].split()[0].rpartition(".")[2]
    names = [each.lower().replace("_", "-") for each in (called, match[1])]
    operator, letters = next((LAYERS[name] for name in names if name in LAYERS), ("", ()))
    if not operator:
        return next((name for name in names if name in ACTIVATIONS and not match[3]), "")
    words = [*operator.split(), *(match[3] or "").split()]
    for place, (key, value) in enumerate(_ARGUMENT.findall(match[2] or "")):
        if key in ("bias", "use_bias"):
            words += ["nobias"] if value == "False" else []
            continue
        letter = KEYWORDS.get(key, "") if key else letters[place] if place < len(letters) else ""
        size = "x".join(part.strip() for part in value.strip("()").split(",") if part.strip())
        if letter and re.fullmatch(r"[\d.x]+", size):
            words.append(letter + size)
    return _separated(words[1:]) if operator == SEPARABLE else " ".join(words)


def _separated(words: Iterable[str]) -> str:
    """Return the two items of a depthwise-separable convolution with some options."""
    words = list(words)
    last = [word for word in words if re.fullmatch(r"o\d+|nobias", word)]
    return f"{' '.join(['dwconv', *(word for word in words if word not in last)])}, {' '.join(['conv k1', *last])}"


def instead_of_variant(name: str, known: Iterable[str]) -> str:
    """Return the advice for an unknown variant: its name here, or the most similar one, or the list.

    >>> instead_of_variant("Depth_Wise", ["depthwise"])
    "did you mean 'depthwise'?"
    """
    known, plain = list(known), name.lower().replace("_", "-")
    suggested = VARIANTS_ELSEWHERE.get(plain, plain)
    return f"did you mean {suggested!r}?" if suggested in known else instead_of(name, known)
