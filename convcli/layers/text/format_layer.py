"""Format a layer as an item of a chain: 'conv k7x7 s2 p3 o64', an operator and its options.

Options at their defaults are omitted, and so are the input channels and sizes, which follow from the shape before the
layer. `chain_grammar.parse_chain` reads what `format_layer` writes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from convcli.layers.axes import Sizes
from convcli.layers.base import Layer
from convcli.layers.padding import MODES, NAMES
from convcli.layers.text.notation import format_padding, format_size

OPERATORS = {
    "Conv": "conv",
    "ConvTranspose": "convT",
    "DeformConv": "deform",
    "LocalConv": "local",
    "TiledConv": "tiled",
    "MaxPool": "maxpool",
    "AvgPool": "avgpool",
    "LpPool": "lppool",
    "BatchNorm": "bn",
    "ChannelShuffle": "shuffle",
    "Join": "concat",
    "FlattenFrom": "flatten",
    "PadAxes": "pad",
}
# Layers whose operator is the value of one of their fields.
NAMED_BY = {
    "Activation": "name",
    "Elementwise": "operator",
    **dict.fromkeys(("Recurrent", "OnnxRecurrent"), "kind"),
    **dict.fromkeys(("Unknown", "Deferred", "DependsOnData"), "operator"),
}

# field -> (its letters, the value that is omitted)
LETTERS = {
    "stride": ("s", "1"),
    "padding": ("p", "0"),
    "output_padding": ("op", "0"),
    "out_size": ("os", ""),
    "dilation": ("d", "1"),
    "groups": ("g", "1"),
    "slopes": ("o", "1"),
    "factor": ("x", ""),
    "offset_groups": ("og", "1"),
    "tile": ("t", ""),
    "norm_type": ("norm", ""),
    "scale": ("x", ""),
    "size": ("o", ""),
    "output_size": ("o", ""),
    "out_channels": ("o", ""),
    "out_features": ("o", ""),
}

# (field, value) -> the word for it
WORDS: dict[tuple[str, object], str] = {
    ("ceil_mode", True): "ceil",
    ("count_include_pad", False): "nopad",
    ("mask", True): "mask",
    ("mode", "bilinear"): "bilinear",
    ("mode", "bicubic"): "bicubic",
    ("coordinates", "align-corners"): "align-corners",
    ("bias", False): "nobias",
    ("affine", False): "noaffine",
}
# Layers in which letters or words set other fields than usual; a field that is None here is omitted.
OF_KIND: dict[str, dict[str, tuple[str, str] | None]] = {
    "LRN": {"size": ("k", "")},
    "Dropout": {"p": ("p", "0.5")},
    "InstanceNorm": {"groups": None},
}
WORDS_OF_KIND: dict[str, dict[tuple[str, object], str]] = {
    "InstanceNorm": {("affine", True): "affine", ("affine", False): ""},
    "LayerNorm": {("channels", True): "channels"},
    "Pad": {("mode", mode): mode for mode in MODES if mode != "zeros"},
}


# Words that do not correspond to a single field.
OWN_WORDS: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "Pad": lambda fields: [f"c{format_padding((fields['channels'],))}"] if any(fields["channels"]) else [],
    "LayerNorm": lambda fields: [] if fields["channels"] else [f"n{len(fields['shape'])}"],
}


def operator_of(layer: Layer) -> str:
    """Return the name of the layer's operator, as it is typed."""
    kind = type(layer).__name__
    fields = vars(layer)
    if kind in ("AdaptivePool", "GlobalPool"):
        return f"{kind.removesuffix('Pool').lower()}{fields['kind']}pool"
    if kind in NAMED_BY:
        return str(fields[NAMED_BY[kind]])
    if kind == "Gather" and fields["table"]:
        return "embedding"
    if kind == "Reduce":
        return f"reduce-{fields['kind']}"
    if kind == "Conv" and 1 < fields["groups"] == fields["in_channels"]:
        return "dwconv"
    return OPERATORS.get(kind, kind.lower())


def format_layer(layer: Layer) -> str:
    """Format a layer as its operator and the options that differ from their defaults.

    >>> from convcli.layers import Conv
    >>> format_layer(Conv(in_channels=3, out_channels=64, kernel_size=7, stride=2, padding=3, bias=False))
    'conv k7x7 s2 p3 o64 nobias'
    """
    if layer.inner is not layer:
        return f"{operator_of(layer)} {format_layer(layer.inner)}"
    if layer.of_tensors:
        from convcli.layers.text.format_tensor_layer import tensor_words

        return " ".join([operator_of(layer), *tensor_words(layer)])
    kind, fields = type(layer).__name__, vars(layer)
    operator = operator_of(layer)
    words = [operator]
    letters: dict[str, tuple[str, str] | None] = {**LETTERS, **OF_KIND.get(kind, {})}
    left_out = {field: each[1] for field, each in letters.items() if each}
    if "kernel_size" in fields:
        words.append(f"k{format_size(fields['kernel_size'])}")
        if "out_channels" not in fields:
            left_out["stride"] = _short(fields["kernel_size"])  # the default stride of a pool
    if operator == "dwconv":
        left_out |= {"groups": str(fields["groups"]), "out_channels": str(fields["groups"])}
    for field, each in letters.items():
        value = fields.get(field)
        if value is not None and each is not None:
            text = format_padding(value) if field == "padding" else _short(value)
            if text != left_out[field]:
                words.append(text if text in NAMES else each[0] + text)
    words += OWN_WORDS[kind](fields) if kind in OWN_WORDS else []
    word_of = {**WORDS, **WORDS_OF_KIND.get(kind, {})}
    return " ".join(
        words + [word for (field, value), word in word_of.items() if word and fields.get(field) == value]
    )


def _short(value: Sizes | float) -> str:
    """Format values per axis, as one number if they are all the same."""
    if not isinstance(value, tuple):
        return str(value).removesuffix(".0")
    return format_size(value[:1] if len(set(value)) == 1 else value)
