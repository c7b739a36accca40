"""How a layer is written in a chain: 'conv k7x7 s2 p3 o64', an operator and its options.

Options at their defaults are left out, and so is what the shape before the layer tells: its channels and
sizes. `grammar.parse_chain` reads what `spell` writes.
"""

from convcli.layers.axes import Sizes
from convcli.layers.base import Layer
from convcli.layers.padding import NAMES
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
}

# field -> (its letters, the text that is left out)
LETTERS = {
    "stride": ("s", "1"),
    "padding": ("p", "0"),
    "output_padding": ("op", "0"),
    "out_size": ("os", ""),
    "dilation": ("d", "1"),
    "groups": ("g", "1"),
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
WORDS = {
    ("ceil_mode", True): "ceil",
    ("count_include_pad", False): "nopad",
    ("mask", True): "mask",
    ("mode", "bilinear"): "bilinear",
    ("bias", False): "nobias",
}


def operator_of(layer: Layer) -> str:
    """Return the operator's name, as it is typed."""
    kind = type(layer).__name__
    fields = vars(layer)
    if kind in ("AdaptivePool", "GlobalPool"):
        return f"{kind.removesuffix('Pool').lower()}{fields['kind']}pool"
    if kind == "Activation":
        return str(fields["name"])
    if kind == "Conv" and 1 < fields["groups"] == fields["in_channels"]:
        return "dwconv"
    return OPERATORS.get(kind, kind.lower())


def spell(layer: Layer) -> str:
    """Write a layer as its operator and the options that are not at their defaults.

    >>> from convcli.layers import Conv
    >>> spell(Conv(in_channels=3, out_channels=64, kernel_size=7, stride=2, padding=3, bias=False))
    'conv k7x7 s2 p3 o64 nobias'
    """
    if layer.inner is not layer:
        return f"{operator_of(layer)} {spell(layer.inner)}"
    fields = vars(layer)
    operator = operator_of(layer)
    words = [operator]
    left_out = {field: text for field, (_, text) in LETTERS.items()}
    if "kernel_size" in fields:
        words.append(f"k{format_size(fields['kernel_size'])}")
        if "out_channels" not in fields:
            left_out["stride"] = _short(fields["kernel_size"])  # the windows of a pool lie side by side
    if operator == "dwconv":
        left_out |= {"groups": str(fields["groups"]), "out_channels": str(fields["groups"])}
    for field, (letters, _) in LETTERS.items():
        value = fields.get(field)
        if value is not None:
            text = format_padding(value) if field == "padding" else _short(value)
            if text != left_out[field]:
                words.append(text if text in NAMES else letters + text)
    return " ".join(words + [word for (field, value), word in WORDS.items() if fields.get(field) == value])


def _short(value: Sizes | float) -> str:
    """Write one number for all axes where they have the same."""
    if not isinstance(value, tuple):
        return str(value).removesuffix(".0")
    return format_size(value[:1] if len(set(value)) == 1 else value)
