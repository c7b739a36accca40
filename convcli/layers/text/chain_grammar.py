"""Read a chain: 'conv k7 s2 p3 o64, relu, maxpool k3 s2 p1, conv k3 d2 g4 nobias'.

Items are separated by commas. An item is an operator and its options: letters and a value (k3, s2x1, p1:2), a
word (nobias), or a padding's name. Channels, axes and sizes come from the shape that arrives at the item, and
as many channels go out as come in, unless o says otherwise. Sizes may be unknown, for layers whose weights do not
depend on them. `branch` before an item lets it run beside the chain; a `deform` without one gets the branch that
predicts its offsets.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from convcli import layers
from convcli.errors import ArgumentError
from convcli.layers.activation import ACTIVATIONS, SOFTMAX
from convcli.layers.axes import OpenShape, Shape, as_open_shape, needs_size
from convcli.layers.base import Layer
from convcli.layers.padding import NAMES
from convcli.layers.text.notation import parse_number, parse_padding, parse_size
from convcli.layers.text.spelling import LETTERS, WORDS

Options = dict[str, Any]


class Operator(NamedTuple):
    """How an operator is typed and made.

    options : letters and words, `!` behind one that must be given, `=field` where another layer's letters
              mean another field
    make    : the layer from the shape that arrives and the options given
    """

    options: str
    make: Callable[[OpenShape, Options], Layer]


def _axes(shape: OpenShape) -> Options:
    if len(shape) == 1:
        of = "" if shape[0] is None else f" of {shape[0]}"
        raise ArgumentError(f"it needs sizes to slide over, the input is a vector{of}")
    return {"dims": len(shape) - 1}


def _known(shape: OpenShape, name: str) -> Shape:
    """Return a shape that is known, or raise ArgumentError where the weights of `name` depend on what is not."""
    known = tuple(n for n in shape if n is not None)
    if len(known) < len(shape):
        raise ArgumentError(needs_size(name))
    return known


def _features(shape: OpenShape) -> int:
    """Return the length of a vector; of what is none, the channels, which the layer itself refuses with its sizes."""
    if len(shape) > 1 and None in shape:
        raise ArgumentError(
            f"a dense layer takes a vector, the input has {len(shape) - 1} axes; flatten it first"
        )
    return _known(shape, "dense")[0]


def _channels(shape: OpenShape) -> Options:
    (channels,) = _known(shape[:1], "conv")
    return {"in_channels": channels, "out_channels": channels}


def _conv(shape: OpenShape) -> Options:
    return _axes(shape) | _channels(shape)


def _local(shape: OpenShape, given: Options) -> Layer:
    _axes(shape)
    return layers.LocalConv(**_channels(shape) | {"input_size": _known(shape, "local")[1:]} | given)


OPERATORS: dict[str, Operator] = {
    "conv": Operator("k! s p d g o nobias", lambda shape, given: layers.Conv(**_conv(shape) | given)),
    "convT": Operator(
        "k! s p op os d g o nobias", lambda shape, given: layers.ConvTranspose(**_conv(shape) | given)
    ),
    "dwconv": Operator(
        "k! s p d o nobias",
        lambda shape, given: layers.Conv(**_conv(shape) | {"groups": shape[0]} | given),
    ),
    "deform": Operator(
        "k! s p d g og o mask nobias", lambda shape, given: layers.DeformConv(**_conv(shape) | given)
    ),
    "local": Operator("k! s p d o nobias", _local),
    "tiled": Operator("k! s p d t o nobias", lambda shape, given: layers.TiledConv(**_conv(shape) | given)),
    "maxpool": Operator("k! s p d ceil", lambda shape, given: layers.MaxPool(**_axes(shape) | given)),
    "avgpool": Operator("k! s p d ceil nopad", lambda shape, given: layers.AvgPool(**_axes(shape) | given)),
    "lppool": Operator(
        "k! s p d norm ceil",
        lambda shape, given: layers.LpPool(**_axes(shape) | {"norm_type": 2} | given),
    ),
    "adaptiveavgpool": Operator(
        "o=output_size!", lambda shape, given: layers.AdaptivePool(**_axes(shape) | given, kind="avg")
    ),
    "adaptivemaxpool": Operator(
        "o=output_size!", lambda shape, given: layers.AdaptivePool(**_axes(shape) | given, kind="max")
    ),
    "globalavgpool": Operator("", lambda shape, given: layers.GlobalPool(kind="avg")),
    "globalmaxpool": Operator("", lambda shape, given: layers.GlobalPool(kind="max")),
    "bn": Operator("", lambda shape, given: layers.BatchNorm(channels=_known(shape[:1], "bn")[0])),
    "dense": Operator(
        "o=out_features! nobias",
        lambda shape, given: layers.Dense(in_features=_features(shape), **given),
    ),
    "flatten": Operator("", lambda shape, given: layers.Flatten()),
    "shuffle": Operator("g!", lambda shape, given: layers.ChannelShuffle(**given)),
    "resize": Operator("x o=size bilinear", lambda shape, given: layers.Resize(**_axes(shape) | given)),
    "upsample": Operator(
        "x bilinear", lambda shape, given: layers.Resize(**_axes(shape) | {"scale": 2} | given)
    ),
}

ALIASES = {
    "transposed": "convT",
    "depthwise": "dwconv",
    "batchnorm": "bn",
    "linear": "dense",
}

BRANCH = "branch"
OF_LETTERS = {letters: field for field, (letters, _) in LETTERS.items()} | {
    "k": "kernel_size",
    "o": "out_channels",
}
OF_WORDS = {word: meant for meant, word in WORDS.items()}
READERS: Mapping[str, Callable[[str], object]] = {
    "padding": parse_padding,
    "groups": parse_number,
    "offset_groups": parse_number,
    "out_channels": parse_number,
    "out_features": parse_number,
    "norm_type": float,
}


def parse_chain(text: str, input_shape: Sequence[int | None]) -> tuple[Layer, ...]:
    """Read a chain of layers for an input of `input_shape`, (channels, *sizes); a size that is not known is None.

    >>> conv, relu = parse_chain("conv k3 p1 o8 nobias, relu", (3, 32, 32))
    >>> conv.weights()
    216
    """
    shape = as_open_shape(input_shape)
    chain: list[Layer] = []
    for number, item in enumerate(text.split(","), start=1):
        words = item.split()
        try:
            layer = _parse_item(words, shape)
            if isinstance(layer, layers.DeformConv) and not (chain and chain[-1].inner is not chain[-1]):
                chain.append(layers.Branch(layer=layer.predictor()))
            shape = layer.open_shape(shape)
        except ArgumentError as error:
            raise ArgumentError(f"layer {number} of the chain, '{' '.join(words)}': {error}") from None
        chain.append(layer)
    return tuple(chain)


def _parse_item(words: list[str], shape: OpenShape) -> Layer:
    if not words:
        raise ArgumentError("it is empty; write layers such as 'conv k3 p1 o64, relu', a comma between two")
    name, *tokens = words
    if name == BRANCH:
        layer = _parse_item(tokens, shape)
        if isinstance(layer, layers.Branch | layers.DeformConv):
            raise ArgumentError(f"a branch is one layer, {tokens[0]} needs one of its own")
        return layers.Branch(layer=layer)
    name = ALIASES.get(name.lower(), name)
    name = next((known for known in OPERATORS if known.lower() == name.lower()), name.lower())
    if name in ACTIVATIONS or name == SOFTMAX:
        _parse_options(name, "", tokens)
        return layers.Activation(name=name)
    if name not in OPERATORS:
        known = ", ".join([*OPERATORS, *ALIASES, *ACTIVATIONS, SOFTMAX, BRANCH])
        raise ArgumentError(f"{words[0]!r} is not an operator; known are {known}")
    return OPERATORS[name].make(shape, _parse_options(name, OPERATORS[name].options, tokens))


def _parse_options(name: str, options: str, tokens: list[str]) -> Options:
    """Read the options of one item; `options` is that of Operator."""
    known = {}  # letters or word -> field
    for option in options.split():
        key, _, field = option.rstrip("!").partition("=")
        known[key] = field or OF_LETTERS.get(key, "")
    allowed = " ".join(known) or "none"
    given: Options = {}
    for token in tokens:
        target, value = _parse_token(token, known)
        if target is None:
            raise ArgumentError(f"{token!r} is not an option of {name}; it takes {allowed}")
        if target in given:
            raise ArgumentError(f"{token!r} gives the {target} a second time")
        given[target] = value
    for option in options.split():
        key = option.rstrip("!").partition("=")[0]
        if option.endswith("!") and known[key] not in given:
            raise ArgumentError(f"{name} needs {key}, its {known[key]}, such as {key}3")
    return given


def _parse_token(token: str, known: dict[str, str]) -> tuple[str | None, object]:
    """Return a token's field and value, or no field if it is not known."""
    if token in known and token in OF_WORDS:
        return OF_WORDS[token]
    if token in NAMES and "p" in known:
        return "padding", token
    bare = len(token.removesuffix("inf"))  # the one number without digits
    digits = next((place for place, letter in enumerate(token) if letter.isdigit()), bare)
    letters, value = token[:digits], token[digits:]
    if letters not in known or not value:
        return None, None
    field = known[letters]
    try:
        return field, READERS.get(field, parse_size)(value)
    except ValueError as error:
        raise ArgumentError(f"{token!r}: {error}") from None
