"""Parse a chain: 'conv k7 s2 p3 o64, relu, maxpool k3 s2 p1, conv k3 d2 g4 nobias'.

Items are separated by commas. An item is an operator followed by its options: letters and a value (k3, s2x1, p1:2), a
word (nobias), or the name of a padding. Input channels, axes and sizes come from the output shape of the item before;
the number of output channels is that of the input unless `o` gives another. Sizes may be unknown, for layers whose
weights do not depend on them. `branch` before an item runs it on a side branch; a `deform` without a branch gets the
one that predicts its offsets.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from convcli import layers
from convcli.errors import ArgumentError, instead_of
from convcli.layers.activation import ACTIVATIONS
from convcli.layers.axes import OpenShape, as_open_shape
from convcli.layers.base import Layer
from convcli.layers.padding import NAMES
from convcli.layers.text.format_layer import LETTERS, WORDS
from convcli.layers.text.notation import (
    parse_number,
    parse_padding,
    parse_scale,
    parse_signed,
    parse_size,
)
from convcli.layers.text.operators import ALIASES, OPERATORS, Options
from convcli.number_text import read_float

BRANCH = "branch"
OF_LETTERS = {letters: field for field, (letters, _) in LETTERS.items()} | {
    "k": "kernel_size",
    "o": "out_channels",
}
OF_WORDS = {word: field for field, word in WORDS.items()}
_OPERATOR_OF = {name.lower(): name for name in OPERATORS}
_SIGNED: dict[str, Callable[[str], object]] = dict.fromkeys(
    ("axes", "starts", "ends", "steps", "shape"), parse_signed
)
READERS: Mapping[str, Callable[[str], object]] = {
    **_SIGNED,
    "padding": parse_padding,
    "groups": parse_number,
    "offset_groups": parse_number,
    "out_channels": parse_number,
    "out_features": parse_number,
    "norm_type": read_float,
    "p": read_float,
    "scale": parse_scale,
    "count": parse_number,
    "hidden": parse_number,
    "layers": parse_number,
    "parts": parse_number,
    "slopes": parse_number,
    "factor": parse_number,
    "axis": parse_number,
    "beside": parse_padding,
}


def parse_chain(text: str, input_shape: Sequence[int | None]) -> tuple[Layer, ...]:
    """Parse a chain of layers for an input of `input_shape`, (channels, *sizes); None is an unknown size.

    >>> conv, relu = parse_chain("conv k3 p1 o8 nobias, relu", (3, 32, 32))
    >>> conv.weights()
    216
    """
    items = enumerate(split_chain(text), start=1)
    return parse_items([(f"layer {number} of the chain", item) for number, item in items], input_shape)


def parse_items(items: Iterable[tuple[str, str]], input_shape: Sequence[int | None]) -> tuple[Layer, ...]:
    """Parse a chain of (place, item) pairs; errors name the place: ("net.txt, line 3", "conv k3 p1")."""
    shape = as_open_shape(input_shape)
    chain: list[Layer] = []
    for place, item in items:
        try:
            layer = _parse_item(item.split(), shape)
            _check_one_to_one(layer)
            if isinstance(layer, layers.DeformConv) and not (chain and chain[-1].inner is not chain[-1]):
                chain.append(layers.Branch(layer=layer.predictor()))
            shape = layer.open_shape(shape)
        except ArgumentError as error:
            separated = with_commas(item)
            why = f"layers are separated by commas; did you mean {separated!r}?" if separated else error
            raise ArgumentError(f"{place}, '{' '.join(item.split())}': {why}") from None
        chain.append(layer)
    return tuple(chain)


def is_chain(text: str) -> bool:
    """Return whether a text is a chain of layers: one with options, or several.

    >>> is_chain("conv k3 o64"), is_chain("conv"), is_chain("resnet 18")
    (True, False, False)
    """
    words = text.replace(",", " , ").split()
    return len(words) > 1 and _operator(words[0]) is not None


def split_chain(text: str) -> list[str]:
    """Split a chain into its items, at the commas outside parentheses.

    >>> split_chain("Conv2d(4, 8, 3), relu")
    ['Conv2d(4, 8, 3)', ' relu']
    """
    if "(" not in text:
        return text.split(",")
    items, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            items.append("")
        else:
            items[-1] += character
    return items


def parse_layer(text: str, input_shape: Sequence[int | None]) -> Layer:
    """Parse one item of a chain; `input_shape`, (channels, *sizes), is the shape of its first input.

    >>> parse_layer("conv k3 p1 o8", (3, 32, 32)).params()
    224
    """
    return _parse_item(text.split(), as_open_shape(input_shape))


def _check_one_to_one(layer: Layer) -> None:
    """Raise ArgumentError if a layer cannot be in a chain, because it does not have one input and one output."""
    if layer.fewest_inputs > 1:
        raise ArgumentError(
            f"it takes {layer.fewest_inputs} or more inputs, but in a chain it gets one; use a network file"
        )
    if layer.most_inputs == 0:
        raise ArgumentError("it takes no input, but in a chain it gets one; use a network file")
    if isinstance(layer, layers.Split) and layer.parts > 1:
        raise ArgumentError(
            f"it makes {layer.parts} outputs, but a chain continues with one; use slice, or a network file"
        )


# What other notations write between layers, in a word with them or as a word.
_BETWEEN = re.compile(r"\s*(?:[-=]?>|[|;])\s*|\s+(?:\+|then)\s+")


def with_commas(item: str) -> str:
    """Return several layers that are separated as in another notation with commas; empty if they are not.

    >>> with_commas("conv k3; relu->maxpool k2"), with_commas("conv k3;"), with_commas("conv k3 > 5")
    ('conv k3, relu, maxpool k2', 'conv k3', '')
    """
    parts = [" ".join(part.split()) for part in _BETWEEN.split(item)]
    layers_of_item = [part for part in parts if part]
    known = all(_operator(part.split()[0]) is not None for part in layers_of_item)
    return ", ".join(layers_of_item) if known and len(parts) > 1 else ""


def _operator(word: str) -> str | None:
    """Return the operator or the activation that a word names; None if it names none."""
    name = ALIASES.get(word.lower(), word)
    name = _OPERATOR_OF.get(name.lower(), name.lower())
    return name if name in OPERATORS or name in ACTIVATIONS or name == BRANCH else None


def _parse_item(words: list[str], shape: OpenShape) -> Layer:
    if not words:
        raise ArgumentError("it is empty; write layers separated by commas, such as 'conv k3 p1 o64, relu'")
    name, tokens = _operator(words[0]), words[1:]
    if name is None:
        from convcli.layers.text.foreign_layers import instead_of_call

        known = [*OPERATORS, *ALIASES, *ACTIVATIONS, BRANCH]
        raise ArgumentError(
            f"{words[0]!r} is not an operator; {instead_of_call(' '.join(words)) or instead_of(words[0], known)}"
        )
    if name == BRANCH:
        layer = _parse_item(tokens, shape)
        if isinstance(layer, layers.Branch | layers.DeformConv):
            raise ArgumentError(f"a branch is one layer, but {tokens[0]} needs a branch of its own")
        return layers.Branch(layer=layer)
    if name not in OPERATORS:
        _parse_options(name, "", tokens)
        return layers.Activation(name=name)
    return OPERATORS[name].make(shape, _parse_options(name, OPERATORS[name].options, tokens))


def _parse_options(name: str, options: str, tokens: list[str]) -> Options:
    """Parse the options of one item; `options` has the form of Operator.options."""
    known, of_word, needed = _option_table(options)
    given: Options = {}
    for token in tokens:
        target, value = of_word.get(token) or _parse_token(token, known)
        if target is None:
            hint = f"it takes {' '.join(known) or 'none'}"
            plain = token.replace("=", "")
            if plain != token and (plain in of_word or _parse_token(plain, known)[0] is not None):
                hint = f"did you mean {plain!r}?"
            raise ArgumentError(f"{token!r} is not an option of {name}; {hint}")
        if target in given:
            raise ArgumentError(f"{token!r} gives the {target} a second time; give it once")
        given[target] = value
    for key in needed:
        if known[key] not in given:
            raise ArgumentError(f"{name} needs {key}, its {known[key]}, such as {key}3")
    return given


@cache
def _option_table(options: str) -> tuple[dict[str, str], dict[str, tuple[str, object]], list[str]]:
    """Return (option -> field, word -> (field, value), the required letters) of the options of an operator."""
    known: dict[str, str] = {}
    of_word: dict[str, tuple[str, object]] = {}
    needed = []
    for option in options.split():
        key, *field = option.rstrip("!").split("=")
        if len(field) > 1:
            of_word[key] = field[0], {"True": True, "False": False}.get(field[1], field[1])
        elif not field and key in OF_WORDS:
            of_word[key] = OF_WORDS[key]
        known[key] = field[0] if field else OF_LETTERS.get(key, "")
        if option.endswith("!"):
            needed.append(key)
    return known, of_word, needed


def _parse_token(token: str, known: dict[str, str]) -> tuple[str | None, object]:
    """Return the field and value of a token, or (None, None) if it is unknown."""
    if token in NAMES and known.get("p") == "padding":
        return "padding", token
    bare = len(token.removesuffix("inf"))  # the only number without digits
    digits = next((place for place, letter in enumerate(token) if letter.isdigit()), bare)
    if READERS.get(known.get(token[: digits - 1], "")) is parse_signed and token[digits - 1] == "-":
        digits -= 1
    letters, value = token[:digits], token[digits:]
    if letters not in known or not value:
        return None, None
    field = known[letters]
    try:
        return field, READERS.get(field, parse_size)(value)
    except ValueError as error:
        raise ArgumentError(f"{token!r}: {error}") from None
