"""Translate a layer as PyTorch or Keras write it to an item of a chain, and names of variants to those here."""

import re
from collections.abc import Iterable

from convcli.errors import instead_of
from convcli.layers.activation import ACTIVATIONS

# Layers of PyTorch: the operator here, and the letters of the positional arguments. "" marks an argument that follows
# from the input shape.
CONV = ("", "o", "k", "s", "p", "d", "g")
POOL = ("k", "s", "p", "d")
LAYERS = {
    "conv": ("conv", CONV),
    "convtranspose": ("convT", ("", "o", "k", "s", "p", "op", "g")),
    "maxpool": ("maxpool", POOL),
    "avgpool": ("avgpool", POOL[:3]),
    "adaptiveavgpool": ("adaptiveavgpool", ("o",)),
    "adaptivemaxpool": ("adaptivemaxpool", ("o",)),
    "batchnorm": ("bn", ("",)),
    "instancenorm": ("instancenorm", ("",)),
    "groupnorm": ("groupnorm", ("g", "")),
    "linear": ("linear", ("", "o")),
    "dropout": ("dropout", ("p",)),
    "pixelshuffle": ("pixelshuffle", ("x",)),
    "pixelunshuffle": ("pixelunshuffle", ("x",)),
    "flatten": ("flatten", ()),
    "upsample": ("upsample", ()),
    "leakyrelu": ("leaky-relu", ()),
    "hardswish": ("hard-swish", ()),
    "hardsigmoid": ("hard-sigmoid", ()),
    "lstm": ("lstm", ("", "o", "n")),
    "gru": ("gru", ("", "o", "n")),
    # Keras
    "conv2dtranspose": ("convT", ("o", "k", "s")),
    "depthwiseconv2d": ("dwconv", ("k", "s")),
    "dense": ("dense", ("o",)),
    "maxpooling": ("maxpool", ("k", "s")),
    "averagepooling": ("avgpool", ("k", "s")),
    "globalaveragepooling": ("globalavgpool", ()),
    "globalmaxpooling": ("globalmaxpool", ()),
}
KEYWORDS = {
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
    r"(?:nn\.|torch\.nn\.|layers\.)?([a-z]\w*?)(?:[123]d)?\s*(?:\((.*)\))?", re.IGNORECASE | re.DOTALL
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
    """
    match = _CALL.fullmatch(text.strip())
    if match is None:
        return ""
    whole = text.partition("(")[0].strip().rpartition(".")[2].lower()
    operator, letters = LAYERS.get(whole) or LAYERS.get(match[1].lower()) or ("", ())
    if not operator:
        return match[1].lower() if match[1].lower() in ACTIVATIONS else ""
    words = [operator]
    for place, (key, value) in enumerate(_ARGUMENT.findall(match[2] or "")):
        if key == "bias":
            words += ["nobias"] if value == "False" else []
            continue
        letter = KEYWORDS.get(key, "") if key else letters[place] if place < len(letters) else ""
        size = "x".join(part.strip() for part in value.strip("()").split(",") if part.strip())
        if letter and re.fullmatch(r"[\d.x]+", size):
            words.append(letter + size)
    return " ".join(words)


def instead_of_variant(name: str, known: Iterable[str]) -> str:
    """Return the advice for an unknown variant: its name here, or the most similar one, or the list.

    >>> instead_of_variant("Depth_Wise", ["depthwise"])
    "did you mean 'depthwise'?"
    """
    known, plain = list(known), name.lower().replace("_", "-")
    suggested = VARIANTS_ELSEWHERE.get(plain, plain)
    return f"did you mean {suggested!r}?" if suggested in known else instead_of(name, known)
