"""Translate a layer as PyTorch or Keras write it to an item of a chain: Conv2d(4, 8, 3) is 'conv k3 o8'."""

import re

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
_CALL = re.compile(
    r"(?:nn\.|torch\.nn\.|layers\.)?([a-z]\w*?)(?:[123]d)?\s*(?:\((.*)\))?", re.IGNORECASE | re.DOTALL
)
_ARGUMENT = re.compile(r"\s*(?:(\w+)\s*=)?\s*(\([^()]*\)|[^,()]+?)\s*(?:,|$)")


def instead_of_call(text: str) -> str:
    """Return a suggestion for a layer of PyTorch or Keras; an empty string if it is unknown.

    >>> instead_of_call("Conv2d(4, 8, 3, padding=1, bias=False)"), instead_of_call("maxpool2d")
    ("did you mean 'conv o8 k3 p1 nobias'?", "did you mean 'maxpool'?")
    """
    match = _CALL.fullmatch(text.strip())
    if match is None:
        return ""
    whole = text.partition("(")[0].strip().rpartition(".")[2].lower()
    operator, letters = LAYERS.get(whole) or LAYERS.get(match[1].lower()) or ("", ())
    if not operator:
        return ""
    words = [operator]
    for place, (key, value) in enumerate(_ARGUMENT.findall(match[2] or "")):
        if key == "bias":
            words += ["nobias"] if value == "False" else []
            continue
        letter = KEYWORDS.get(key, "") if key else letters[place] if place < len(letters) else ""
        size = "x".join(part.strip() for part in value.strip("()").split(",") if part.strip())
        if letter and re.fullmatch(r"[\d.x]+", size):
            words.append(letter + size)
    return f"did you mean {' '.join(words)!r}?"
