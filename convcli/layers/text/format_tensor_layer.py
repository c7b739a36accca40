"""Format layers of whole tensors as items of a chain; axes count from 0, the batch axis, as in PyTorch and ONNX."""

from collections.abc import Callable, Sequence
from typing import Any

from convcli.layers.base import Layer
from convcli.layers.text.notation import format_padding

LONG = 1 << 31  # larger ends, as exporters write them, mean the end of the axis

Fields = dict[str, Any]


def _sizes(letter: str, values: Sequence[int] | int | None) -> list[str]:
    if values is None:
        return []
    return [letter + "x".join(map(str, values if isinstance(values, tuple | list) else [values]))]


def _shape(letter: str, shape: Sequence[int]) -> list[str]:
    """Format a shape without the batch axis if that is 0 (kept) or 1, else as a whole."""
    if not shape:
        return [f"{letter}1"]
    first, *others = shape
    return _sizes(letter, others) if others and first in (0, 1) else ["whole", *_sizes(letter, tuple(shape))]


def _stored(fields: Fields) -> list[str]:
    words = _shape("o", fields["shape"])
    return [*words, "learned"] if fields["learned"] else words


def _matmul(fields: Fields) -> list[str]:
    weight = fields["weight"]
    if weight is None:
        return []
    usual = len(weight) == 2 and fields["learned"] and not fields["weight_first"]
    return [f"o{weight[1]}"] if usual else ["whole", *_sizes("o", weight)]


def _gather(fields: Fields) -> list[str]:
    table = fields["table"]
    if table and len(table) == 2 and fields["axis"] == 0:
        return [f"n{table[0]}", f"o{table[1]}"]
    return [f"a{fields['axis']}", *_sizes("o", fields["indices"]), *_sizes("t", table)]


def _slice(fields: Fields) -> list[str]:
    words = _sizes("a", fields["axes"])
    if any(fields["starts"]):
        words += _sizes("f", fields["starts"])
    if any(abs(end) < LONG for end in fields["ends"]):
        words += _sizes("t", fields["ends"])
    return words + (_sizes("s", fields["steps"]) if any(step != 1 for step in fields["steps"]) else [])


def _split(fields: Fields) -> list[str]:
    parts = _sizes("o", fields["sizes"]) if fields["sizes"] else [f"n{fields['parts']}"]
    return [*parts, *([] if fields["axis"] == 1 else [f"a{fields['axis']}"])]


def _elementwise(fields: Fields) -> list[str]:
    words = _sizes("o", fields["operand"]) if fields["operand"] else []
    return words + (["learned"] if fields["learned"] else [])


def _recurrent(fields: Fields) -> list[str]:
    words = [f"o{fields['hidden']}"]
    if fields["layers"] > 1:
        words.append(f"n{fields['layers']}")
    return (
        words + [word for word in ("bidirectional",) if fields[word]] + ([] if fields["bias"] else ["nobias"])
    )


def _linear(fields: Fields) -> list[str]:
    return [f"o{fields['out_features']}", *([] if fields["bias"] else ["nobias"])]


def _reduce(fields: Fields) -> list[str]:
    return [*_sizes("a", fields["axes"]), *(["keep"] if fields["keep"] else [])]


def _mode(fields: Fields) -> list[str]:
    return [] if fields["mode"] == "zeros" else [fields["mode"]]


def _reduction(fields: Fields) -> list[str]:
    return [] if fields["reduction"] == "none" else [fields["reduction"]]


WRITTEN: dict[str, Callable[[Fields], list[str]]] = {
    "Elementwise": _elementwise,
    "Softmax": lambda fields: [f"a{fields['axis']}", *(["log"] if fields["log"] else [])],
    "Reshape": lambda fields: _shape("o", fields["shape"]),
    "Transpose": lambda fields: (
        _sizes("a", fields["axes"][1:])
        if fields["axes"][:1] == (0,)
        else ["whole", *_sizes("a", fields["axes"])]
    ),
    "Squeeze": lambda fields: _sizes("a", fields["axes"]),
    "Unsqueeze": lambda fields: _sizes("a", fields["axes"]),
    "Expand": lambda fields: _shape("o", fields["shape"]),
    "Tile": lambda fields: _sizes("o", fields["repeats"]),
    "FlattenFrom": lambda fields: [f"a{fields['axis']}"],
    "Slice": _slice,
    "Split": _split,
    "Join": lambda fields: [f"a{fields['axis']}"],
    "Gather": _gather,
    "Constant": _stored,
    "Linear": _linear,
    "MatMul": _matmul,
    "Gemm": lambda fields: [],
    "Reduce": _reduce,
    "Recurrent": _recurrent,
    "OnnxRecurrent": _recurrent,
    "PadAxes": lambda fields: ["whole", f"p{format_padding(fields['pairs'])}", *_mode(fields)],
    "GatherElements": lambda fields: _sizes("a", fields["axis"]),
    "GatherND": lambda fields: [],
    "ScatterElements": lambda fields: [*_sizes("a", fields["axis"]), *_reduction(fields)],
    "ScatterND": lambda fields: _reduction(fields),
    "TopK": lambda fields: [f"n{fields['count']}", f"a{fields['axis']}"],
    "OneHot": lambda fields: [f"n{fields['depth']}", f"a{fields['axis']}"],
    "Einsum": lambda fields: [fields["equation"]],
    "CumSum": lambda fields: [f"a{fields['axis']}"],
    "Triangle": lambda fields: ["upper" if fields["upper"] else "lower"],
    "GridSample": lambda fields: [fields["mode"]],
    "RoiAlign": lambda fields: [*_sizes("o", fields["size"]), fields["kind"]],
}


def tensor_words(layer: Layer) -> list[str]:
    """Return the options of a layer of whole tensors as they are typed.

    >>> from convcli.layers import Reduce, Reshape
    >>> tensor_words(Reshape((0, -1, 49))), tensor_words(Reduce("mean", (2, 3)))
    (['o-1x49'], ['a2x3', 'keep'])
    """
    return WRITTEN[type(layer).__name__](vars(layer))
