"""Advice for words without an option that a command does not take: sizes, layers, variants and several networks."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

# Returns what to type instead of positional words, or "" if they are right. The second argument has the values of the
# options that were typed, by the names of their parameters.
Advice = Callable[[Sequence[str], Mapping[str, Any]], str]

_SIZE = re.compile(r"[0-9]+(x[0-9]+)*")
CHAINS = "convcli compare 'conv k3 o64' 'dwconv k3, conv k1 o64' --input 64x56x56"  # how chains are compared
_CHANNELS = ("1", "3", "4")  # the channels of pictures, the first number of a shape such as 3x224x224
_LONG = {"in_channels": "in", "out_channels": "out"}


def layer_words(*order: str, several: bool = False, picture: str = "") -> Advice:
    """Return the advice for a command about a layer or a network.

    order : the parameters of the options in the order in which numbers without options are usually meant
    several : whether the command takes several networks
    picture : what to type instead of a picture, with the fields {picture}, {kernel} for the value of --kernel,
        {channels} and {size} for those of the picture

    >>> layer_words("n", "k")(["224", "7"], {}), layer_words("n", "k")(["conv k3 o64", "relu"], {})
    ('numbers belong to options; did you mean --n 224 --k 7?', "layers belong to --layers 'conv k3 o64, relu'")
    """

    def advice(words: Sequence[str], typed: Mapping[str, Any]) -> str:
        if flag := _value_of_flag(words, typed):
            return flag
        if all(map(_SIZE.fullmatch, words)):
            return _numbers(words, order, typed)
        from convcli.layers.text.chain_grammar import is_chain
        from convcli.networks.load_network import is_network

        names = [word for word in words if is_network(word) or (several and is_chain(word))]
        if not names and picture and (pictures := list(filter(_is_picture, words))):
            return _about_picture(picture, pictures[0], typed)
        if not names:
            return _several(words) if several else _chain(words)
        if len(names) == len(words):
            return "" if several or len(words) == 1 else _compared(names)
        rest = [word for word in words if word not in names]
        if len(names) == 1 and len(rest) == 1 and _SIZE.fullmatch(rest[0]):
            size = rest[0] if "x" in rest[0] else f"3x{rest[0]}x{rest[0]}"
            return f"the input of a network is given as --input {size}"
        return ""

    return advice


def _value_of_flag(words: Sequence[str], typed: Mapping[str, Any]) -> str:
    """Return the advice for a word such as `false` after --bias, which takes no value; empty if there is none."""
    from convcli.cli.settings import FLAGS

    value = next((word for word in words if word.lower() in FLAGS and not word.isdigit()), None)
    if value is None:
        return ""
    flags = [name for name, given in typed.items() if isinstance(given, bool)]
    if "bias" not in flags:
        return f"an option without a value takes no {value}; leave it out" if flags else ""
    return f"--bias takes no value; write {'--bias' if FLAGS[value.lower()] else '--no-bias'}"


def _is_picture(word: str) -> bool:
    from convcli.images.formats import ENDINGS

    return word.lower().endswith(ENDINGS)


def _about_picture(advice: str, picture: str, typed: Mapping[str, Any]) -> str:
    """Return the advice for a picture, with its channels and its size if it can be read."""
    from convcli.errors import ConvcliError
    from convcli.images.read import read_header
    from convcli.remote_files import file_path

    # -k is the kernel in filter, but its size in other commands.
    kernels = [
        each for each in (*typed.get("kernel", ()), typed.get("k", "")) if each and not _SIZE.fullmatch(each)
    ]
    kernel = shlex.quote(kernels[0]) if kernels else "SPEC"
    fields = {
        "picture": shlex.quote(picture),
        "kernel": kernel,
        "channels": "CHANNELS",
        "size": "HEIGHTxWIDTH",
    }
    try:
        height, width, *channels = read_header(file_path(picture)).frames[0].pixels.shape
    except (ConvcliError, OSError):
        return advice.format_map(fields)
    return advice.format_map(fields | {"channels": str(*channels) or "1", "size": f"{height}x{width}"})


def _numbers(words: Sequence[str], order: Sequence[str], typed: Mapping[str, Any]) -> str:
    """Return the options to which numbers belong."""
    left = [name for name in order if name not in typed]
    if len(words) > len(left) or left[0] != order[0]:
        return "an option takes one word; write a number for each axis as 224x112"
    channels, _, sizes = words[0].partition("x")
    if len(words) == 1 and "x" in sizes and channels in _CHANNELS:
        options = [f"--in {channels}", f"--n {sizes}"]
    else:
        options = [f"--{_LONG.get(name, name)} {word}" for name, word in zip(left, words, strict=False)]
    return f"numbers belong to options; did you mean {' '.join(options)}?"


def _compared(names: Sequence[str]) -> str:
    return f"several networks are compared by convcli compare {' '.join(names)}"


def _chain(words: Sequence[str]) -> str:
    """Return the option for layers that are written as here, or as PyTorch or Keras write them."""
    from convcli.layers.activation import ACTIVATIONS
    from convcli.layers.text.chain_grammar import split_chain, with_commas
    from convcli.layers.text.foreign_layers import suggested_layer
    from convcli.layers.text.operators import ALIASES, OPERATORS

    known = {name.lower() for name in (*OPERATORS, *ALIASES, *ACTIVATIONS)}
    words = list(filter(str.strip, words))
    if len(words) == 1 and words[0].lower().endswith(".txt"):
        return f"layers in a file belong to --layers {shlex.quote(f'@{words[0]}')}"
    text = "".join(
        word if number == 0 else f", {word}" if word.split()[0].lower() in known else f" {word}"
        for number, word in enumerate(words)
    )
    items = [with_commas(item) or item.strip() for item in split_chain(text)]
    layers = [
        item if item.partition(" ")[0].lower() in known else suggested_layer(item)
        for item in filter(None, items)
    ]
    return f"layers belong to --layers {', '.join(layers)!r}" if layers and all(layers) else ""


def _several(words: Sequence[str]) -> str:
    """Return the option for the names of variants; otherwise how chains of layers are given as words."""
    from convcli.layers.text.foreign_layers import VARIANTS_ELSEWHERE
    from convcli.layers.variants import VARIANTS

    names = [VARIANTS_ELSEWHERE.get(word.lower(), word) for word in words]
    if len(words) > 1 and all(name in VARIANTS for name in names):
        return f"variants belong to --variants {','.join(names)}"
    return f"write each chain of layers as one word: {CHAINS}" if _chain(words) else ""


def kernel_words(words: Sequence[str], typed: Mapping[str, Any]) -> str:
    """Return the advice for several words where one kernel is described.

    >>> kernel_words(["gaussian", "sigma=2"], {}), kernel_words(["sobel", "box"], {})
    ("a kernel is one word, 'gaussian:sigma=2'", "a kernel is one word, 'sobel; box'")
    """
    if len(words) < 2:
        return ""
    from convcli.kernels.kernel_grammar import suggested_kernel

    suggested = suggested_kernel(" ".join(words))
    return f"a kernel is one word, {suggested.spec!r}" if suggested else ""


def topic_words(words: Sequence[str], typed: Mapping[str, Any]) -> str:
    """Return the advice for several words where one topic is named.

    >>> topic_words(["exit", "codes"], {}), topic_words(["kernels", "sobel"], {})
    ("a topic is one word, 'exit-codes'", 'use convcli kernels sobel')
    """
    from convcli.cli.topics import TOPICS

    joined = "-".join(words)
    if len(words) > 1 and joined in TOPICS:
        return f"a topic is one word, {joined!r}"
    return f"use convcli kernels {' '.join(words[1:])}" if len(words) > 1 and words[0] == "kernels" else ""


def setting_words(words: Sequence[str], typed: Mapping[str, Any]) -> str:
    """Return the advice for a setting, which is edited in the file of settings.

    >>> setting_words(["set", "jobs", "4"], {})
    'convcli config only shows settings; write jobs = 4 below [filter] in convcli.toml'
    >>> setting_words(["diff.layout=chw"], {})
    'convcli config only shows settings; write layout = "chw" below [diff] in convcli.toml'
    """
    from convcli.cli import COMMANDS

    verbs, left = (
        ("get", "set", "unset"),
        [each for text in words for each in re.split(r"[=\s]", text) if each],
    )
    if not left:
        return ""
    changes = left[0] in verbs or len(left) > 1
    left = left[1:] if left[0] in verbs else left
    if left and left[0].partition(".")[0] in COMMANDS:
        left = [*filter(None, left[0].split(".", 1)), *left[1:]]
    command = left.pop(0) if left and left[0] in COMMANDS else None
    if command is not None and not left and not changes:
        return ""
    name, *values = left or ["jobs"]
    name = name.lstrip("-").replace("_", "-")
    option, command = _setting(name, [command] if command else COMMANDS)
    if option is None:
        return f"no command has an option --{name}" if changes else ""
    if not changes:
        return f"use convcli config {command}"
    value = _in_toml(values[0]) if values else "true" if option.is_flag else "VALUE"
    return f"convcli config only shows settings; write {name} = {value} below [{command}] in convcli.toml"


def _setting(name: str, commands: Sequence[str]) -> tuple[click.Option | None, str]:
    """Return an option by its name in a file of settings, and the first of the commands that has it."""
    from convcli.cli import group
    from convcli.cli.settings import TYPED

    context = click.Context(group)
    for command in commands:
        found = group.get_command(context, command)
        for each in found.params if found is not None else ():
            if isinstance(each, click.Option) and f"--{name}" in each.opts and f"--{name}" not in TYPED:
                return each, command
    return None, ""


def _in_toml(value: str) -> str:
    """Return a typed value as TOML has it: text is quoted."""
    import json

    return (
        value
        if re.fullmatch(r"true|false|[-+]?\d+(\.\d+)?", value)
        else json.dumps(value, ensure_ascii=False)
    )
