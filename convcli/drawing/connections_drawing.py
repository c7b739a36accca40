"""Draw which inputs a layer connects to which outputs, compared with unshared weights and a fully connected layer.

Goodfellow, Bengio & Courville, "Deep Learning" (2016), figures 9.2 to 9.5 and 9.14: sparse interactions seen from below
and from above, and parameter sharing.
"""

from collections.abc import Iterator, Sequence
from math import cos, pi, sin
from typing import Any, NamedTuple

from convcli.drawing.forms import Drawing
from convcli.drawing.matrix_drawing import matrix_of
from convcli.drawing.scene import Label, Mark, Point, Scene, Shape
from convcli.drawing.walk_layers import Numbers
from convcli.errors import ArgumentError
from convcli.layers.base import Layer
from convcli.layers.conv import Convolution
from convcli.layers.deform import DeformConv
from convcli.layers.text.format_layer import format_layer
from convcli.layers.unshared import LocalConv

MAX_NODES = 24


class Wiring(NamedTuple):
    """The connections of a layer: the numbers of inputs and outputs, and the weight of each connected pair."""

    name: str
    inputs: int
    outputs: int
    weights: dict[tuple[int, int], int]  # (output, input) -> index of the weight

    def reached(self, source: int) -> list[int]:
        """Return the outputs that depend on an input."""
        return sorted(output for output, each in self.weights if each == source)

    def seen(self, output: int) -> list[int]:
        """Return the inputs that an output depends on."""
        return sorted(source for each, source in self.weights if each == output)

    def shared(self, weight: int) -> list[tuple[int, int]]:
        """Return the connections that use a weight."""
        return sorted(pair for pair, each in self.weights.items() if each == weight)

    @property
    def weight_count(self) -> int:
        """The number of weights."""
        return len(set(self.weights.values()))


def wirings(layer: Layer, input_shape: Sequence[int]) -> list[Wiring]:
    """Return the connections of a convolution along its last axis, and of its unshared and fully connected variants."""
    if not isinstance(layer, Convolution) or isinstance(layer, DeformConv):
        raise ArgumentError(
            f"`connections=True` draws convolutions, not {format_layer(layer)!r}; give a convolution"
        )
    size = input_shape[-1]
    if size > MAX_NODES:
        raise ArgumentError(f"{size} inputs are too many to draw; give at most {MAX_NODES}")
    own = _one_axis(layer, size)
    matrix = matrix_of(own, (1, size), Numbers())
    outputs = matrix.shape[0]
    found = {place: entry.weight for place, entry in matrix.entries.items()}
    unshared = {place: number for number, place in enumerate(sorted(found))}
    full = {(output, source): output * size + source for output in range(outputs) for source in range(size)}
    wired = [
        Wiring(format_layer(own), size, outputs, found),
        Wiring("locally connected", size, outputs, unshared),
        Wiring("fully connected", size, outputs, full),
    ]
    return [wired[0], wired[2]] if isinstance(layer, LocalConv) else wired


def _one_axis(layer: Convolution, size: int) -> Convolution:
    """Return the layer reduced to its last axis, with one input and one output channel."""
    settings = {
        name: value[-1:] if isinstance(value, tuple) else value
        for name, value in vars(layer).items()
        if name not in ("in_channels", "out_channels", "groups", "bias", "input_size", "out_size")
    }
    if isinstance(layer, LocalConv):
        settings["input_size"] = (size,)
    kind: Any = type(layer)
    own: Convolution = kind(in_channels=1, out_channels=1, **settings)
    return own


def connections_drawing(layers: Sequence[Layer], input_shape: Sequence[int]) -> Drawing:
    """Return the drawing of a layer's connections."""
    if len(layers) > 1:
        raise ArgumentError("`connections=True` draws one layer; for a chain use `receptive=True`")
    wired = wirings(layers[0], input_shape)
    return Drawing(
        steps=0,
        text=lambda width, _: _text(wired),
        record=lambda: _record(wired),
        scenes=lambda: [_scene(wired)],
    )


def _chosen(wired: Sequence[Wiring]) -> tuple[int, int, int]:
    """Return the input, the output and the weight that are highlighted: those in the middle."""
    first = wired[0]
    weights = sorted(set(first.weights.values()))
    return first.inputs // 2, first.outputs // 2, weights[len(weights) // 2]


def _uses(wiring: Wiring, weight: int, place: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the connections of a weight; in other wirings, of the weight at the same connection."""
    return wiring.shared(wiring.weights.get(place, weight))


def _text(wired: Sequence[Wiring]) -> str:
    source, output, weight = _chosen(wired)
    place = wired[0].shared(weight)[0]
    lines = []
    for wiring in wired:
        uses = _uses(wiring, weight, place)
        lines += [
            wiring.name,
            f"  input x{source} reaches {_names('s', wiring.reached(source))}",
            f"  output s{output} sees {_names('x', wiring.seen(output))}",
            f"  the weight from x{place[1]} to s{place[0]} is used {len(uses)} time{'s' if len(uses) > 1 else ''}",
            f"  {len(wiring.weights)} connections, {wiring.weight_count} weights",
            "",
        ]
    return "".join(f"{line}\n" for line in lines[:-1])


def _names(letter: str, numbers: Sequence[int]) -> str:
    return " ".join(f"{letter}{number}" for number in numbers) or "nothing"


def _record(wired: Sequence[Wiring]) -> list[dict[str, Any]]:
    return [
        {
            "layer": wiring.name,
            "inputs": wiring.inputs,
            "outputs": wiring.outputs,
            "connections": [
                {"output": output, "input": source, "weight": weight}
                for (output, source), weight in sorted(wiring.weights.items())
            ],
        }
        for wiring in wired
    ]


MARGIN, GAP, LEADING = 26.0, 44.0, 22.0
APART, RISE, RADIUS = (
    42.0,
    96.0,
    14.0,
)  # distance between nodes, distance between their rows, radius of a node


def _scene(wired: Sequence[Wiring]) -> Scene:
    """Draw a column per wiring: what one input reaches, what one output sees, where one weight is used."""
    source, output, weight = _chosen(wired)
    place = wired[0].shared(weight)[0]
    wide = max((max(wiring.inputs, wiring.outputs) - 1) * APART + 2 * RADIUS for wiring in wired)
    wide = max(wide, 200.0)
    marks: list[Mark] = []
    top = MARGIN + LEADING
    rows = (
        f"what input x{source} reaches",
        f"what output s{output} sees",
        "where one weight is used",
    )
    high = RISE + 2 * RADIUS + 2 * LEADING
    for number, wiring in enumerate(wired):
        left = MARGIN + number * (wide + GAP)
        marks.append(Label(left, MARGIN, wiring.name, 15, "ink", "start"))
        lit = (
            [(y, source) for y in wiring.reached(source)],
            [(output, x) for x in wiring.seen(output)],
            _uses(wiring, weight, place),
        )
        for row, (title, pairs) in enumerate(zip(rows, lit, strict=True)):
            above = top + row * high
            marks.append(Label(left, above + 4, title, 12.5, "faint", "start"))
            marks += _panel(wiring, pairs, left + wide / 2, above + LEADING + RADIUS, by_weight=row == 2)
        summary = f"{len(wiring.weights)} connections, {wiring.weight_count} weights"
        marks.append(Label(left, top + len(rows) * high + 6, summary, 15, "ink", "start"))
    width = len(wired) * (wide + GAP) - GAP + 2 * MARGIN
    return Scene(
        width, top + len(rows) * high + MARGIN, tuple(marks), title=f"connections of {wired[0].name}"
    )


def _panel(
    wiring: Wiring, lit: Sequence[tuple[int, int]], middle: float, top: float, *, by_weight: bool
) -> Iterator[Mark]:
    """Draw inputs at the bottom, outputs at the top, and the connections, some of them highlighted."""

    def below(number: int) -> Point:
        return middle + (number - (wiring.inputs - 1) / 2) * APART, top + RISE

    def above(number: int) -> Point:
        return middle + (number - (wiring.outputs - 1) / 2) * APART, top

    bold = set(lit)
    for output, source in sorted(wiring.weights, key=lambda pair: pair in bold):
        line = (below(source), above(output))
        if (output, source) in bold:
            yield Shape(line, None, "window-edge", width=2.5, closed=False)
        else:
            yield Shape(line, None, "padding-edge", closed=False)
    sources, outputs = (
        ({pair[1] for pair in lit}, {pair[0] for pair in lit}) if not by_weight else (set(), set())
    )
    for number in range(wiring.inputs):
        kind = "window" if number in sources else "input"
        yield Shape(_circle(*below(number)), kind, f"{kind}-edge")
        yield Label(*below(number), f"x{number}", 11.5, f"{kind}-ink")
    for number in range(wiring.outputs):
        kind = "current" if number in outputs else "output"
        yield Shape(_circle(*above(number)), kind, f"{kind}-edge")
        yield Label(*above(number), f"s{number}", 11.5, f"{kind}-ink")


def _circle(x: float, y: float) -> tuple[Point, ...]:
    return tuple((x + RADIUS * cos(2 * pi * n / 32), y + RADIUS * sin(2 * pi * n / 32)) for n in range(32))
