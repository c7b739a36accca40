"""A convolution as a matrix, y = A x, drawn with its transpose: one row per output, one column per input."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import prod
from textwrap import wrap
from typing import Any, NamedTuple

from convcli.drawing.example_numbers import shown
from convcli.drawing.forms import Drawing
from convcli.drawing.records import plain
from convcli.drawing.scene import TAPS, Label, Mark, Scene, Shape
from convcli.drawing.steps import Stage, Values
from convcli.drawing.walk_layers import Numbers, walk_layers
from convcli.errors import ArgumentError
from convcli.layers.axes import by_axes
from convcli.layers.base import Layer
from convcli.layers.conv import Convolution
from convcli.layers.deform import DeformConv
from convcli.layers.text.format_layer import format_layer

MAX_SIDE = 256  # largest number of rows or columns
MAX_NUMBERED = 40  # largest number of rows or columns for which the entries are written as numbers
NOTHING = "."  # printed for an entry without a weight


class Entry(NamedTuple):
    """One entry of a matrix: its value, and the index of the layer's weight."""

    value: Fraction
    weight: int


Entries = Mapping[tuple[int, int], Entry]  # by row and column


class MatrixOf(NamedTuple):
    """The matrix of a layer."""

    name: str
    shape: tuple[int, int]
    entries: Entries

    @property
    def weights(self) -> int:
        """The number of different weights of the layer in the matrix."""
        return len({entry.weight for entry in self.entries.values()})

    @property
    def zeros(self) -> int:
        """The number of entries that are 0, with or without a weight."""
        return prod(self.shape) - sum(entry.value != 0 for entry in self.entries.values())

    @property
    def values(self) -> int:
        """The number of different non-zero values."""
        return len({entry.value for entry in self.entries.values()} - {0})

    @property
    def transposed(self) -> "MatrixOf":
        """The matrix with rows and columns swapped."""
        swapped = {(column, row): entry for (row, column), entry in self.entries.items()}
        return MatrixOf(self.name, (self.shape[1], self.shape[0]), swapped)


def matrix_of(layer: Layer, input_shape: Sequence[int], numbers: Numbers) -> MatrixOf:
    """Return the matrix of a convolution of any kind whose windows do not depend on the data."""
    if not isinstance(layer, Convolution) or isinstance(layer, DeformConv):
        raise ArgumentError(
            f"{format_layer(layer)!r} is not a fixed matrix of weights; give a convolution, or leave out `matrix=True`"
        )
    (stage,) = walk_layers((layer,), input_shape, numbers)
    shape = prod(stage.output_shape), prod(stage.input_shape)
    if max(shape) > MAX_SIDE:
        raise ArgumentError(
            f"the matrix would be {by_axes(shape)}, but at most {MAX_SIDE} rows or columns are drawn; use a "
            "smaller input"
        )
    # The same walk with a unique number in place of each weight identifies the weight of each entry.
    (numbered,) = walk_layers((layer,), input_shape, numbers._replace(kernels=_numbered(layer, stage)))
    entries = {
        place: Entry(value, int(weight))
        for (place, value), (_, weight) in zip(_placed(stage), _placed(numbered), strict=True)
    }
    return MatrixOf(stage.name, shape, entries)


def _numbered(layer: Convolution, stage: Stage) -> tuple[Values, ...]:
    """Return kernels whose weights are 0, 1, 2, ..."""
    assert stage.kernel_size is not None
    rows, columns = stage.kernel_size
    size = rows * columns
    return tuple(
        tuple(
            tuple(Fraction(number * size + row * columns + column) for column in range(columns))
            for row in range(rows)
        )
        for number in range(layer.weights() // size)
    )


def _placed(stage: Stage) -> Iterator[tuple[tuple[int, int], Fraction]]:
    """Yield the matrix position and the weight of each term that is on an input, not on padding."""
    _, height, width = stage.output_shape
    _, rows, columns = stage.input_shape
    for step in stage.steps:
        channel, y, x = step.place
        for term in step.terms:
            row = stage.canvas.rows.input_at(int(term.row))
            column = stage.canvas.columns.input_at(int(term.column))
            if row is not None and column is not None:
                place = (channel * height + y) * width + x, (term.channel * rows + row) * columns + column
                yield place, term.weight or Fraction(0)


def matrix_drawing(layer: Layer, input_shape: Sequence[int], numbers: Numbers) -> Drawing:
    """Return the drawing of a convolution's matrix."""
    matrix = matrix_of(layer, input_shape, numbers)
    return Drawing(
        steps=0,
        text=lambda width, _: _text(matrix, width),
        record=lambda: _record(matrix),
        scenes=lambda: [_scene(matrix)],
    )


def _summary(matrix: MatrixOf) -> list[str]:
    rows, columns = matrix.shape
    count = rows * columns
    return [
        f"{rows} x {columns} = {count:,} entries: {matrix.zeros:,} are 0 ({matrix.zeros / count:.1%}), "
        f"{count - matrix.zeros:,} are not",
        f"{_counted(len(matrix.entries), 'entry')} for {_counted(matrix.weights, 'weight')} with "
        f"{_counted(matrix.values, 'non-zero value')}; a full matrix would have {_counted(count, 'weight')}",
    ]


def _counted(number: int, what: str) -> str:
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number:,} {plural if number != 1 else what}"


def _text(matrix: MatrixOf, width: int) -> str:
    lines = [f"{matrix.name} as a matrix: y = A x, one row per output, one column per input"]
    for name, each in (("A", matrix), ("its transpose", matrix.transposed)):
        lines += ["", f"{name}, {by_axes(each.shape)}", *_grid(each, width)]
    lines += ["", *_summary(matrix), f"{NOTHING} is an entry without a weight"]
    return "".join(
        f"{part}\n" for line in lines for part in (wrap(line, width) if line[:1].isalnum() else [line])
    )


def _grid(matrix: MatrixOf, width: int) -> list[str]:
    rows, columns = matrix.shape
    texts = {place: shown(entry.value) for place, entry in matrix.entries.items()}
    wide = max((len(text) for text in texts.values()), default=1)
    if columns * (wide + 1) > width:  # a mark instead of each value
        texts, wide = dict.fromkeys(texts, "#"), 0
        if columns > width:
            return [f" ({columns} columns are too wide to print; `output` draws them)"]
    gap = " " if wide else ""
    return [
        " " + gap.join(texts.get((row, column), NOTHING).rjust(wide) for column in range(columns))
        for row in range(rows)
    ]


def _record(matrix: MatrixOf) -> dict[str, Any]:
    return {
        "layer": matrix.name,
        "shape": list(matrix.shape),
        "entries": [
            {"row": row, "column": column, "value": plain(entry.value), "weight": entry.weight}
            for (row, column), entry in sorted(matrix.entries.items())
        ],
        "zeros": matrix.zeros,
        "weights": matrix.weights,
        "values": matrix.values,
    }


MARGIN, GAP, SIZE, LEADING = 26.0, 60.0, 30.0, 22.0


def _scene(matrix: MatrixOf) -> Scene:
    side = max(matrix.shape)
    cell = SIZE if side <= MAX_NUMBERED else max(3.0, SIZE * MAX_NUMBERED / side)
    rows, columns = matrix.shape
    top = MARGIN + 3 * LEADING
    marks: list[Mark] = [
        Label(MARGIN, MARGIN, f"{matrix.name} as a matrix", 15, "ink", "start"),
        Label(MARGIN, MARGIN + LEADING, "one row per output, one column per input", 12.5, "faint", "start"),
    ]
    left = MARGIN
    for name, each in (("A", matrix), ("its transpose", matrix.transposed)):
        marks.append(Label(left, top - 14, f"{name}: {by_axes(each.shape)}", 12.5, "faint", "start"))
        marks += _cells(each, left, top, cell)
        left += each.shape[1] * cell + GAP
    bottom = top + max(rows, columns) * cell + 1.4 * LEADING
    summary = [part for line in _summary(matrix) for part in line.split("; ")]
    marks += [Label(MARGIN, bottom + n * LEADING, line, 15, "ink", "start") for n, line in enumerate(summary)]
    width = max(left - GAP + MARGIN, 560.0)
    return Scene(width, bottom + len(summary) * LEADING, tuple(marks), title=f"{matrix.name} as a matrix")


def _cells(matrix: MatrixOf, left: float, top: float, cell: float) -> Iterator[Mark]:
    """Draw the grid, and each entry in the colour of its weight."""
    rows, columns = matrix.shape
    right, bottom = left + columns * cell, top + rows * cell
    yield Shape(((left, top), (right, top), (right, bottom), (left, bottom)), "padding", "padding-edge")
    if cell == SIZE:
        for row in range(1, rows):
            yield _line((left, top + row * cell), (right, top + row * cell))
        for column in range(1, columns):
            yield _line((left + column * cell, top), (left + column * cell, bottom))
    for (row, column), entry in matrix.entries.items():
        x, y = left + column * cell, top + row * cell
        corners = ((x, y), (x + cell, y), (x + cell, y + cell), (x, y + cell))
        yield Shape(corners, f"tap-{entry.weight % len(TAPS)}", "padding-edge" if cell == SIZE else None)
        if cell == SIZE:
            text = shown(entry.value)
            size = min(14.0, (cell - 4) / (len(text) * 0.58))
            yield Label(x + cell / 2, y + cell / 2, text, size, "tap-ink")


def _line(start: tuple[float, float], end: tuple[float, float]) -> Shape:
    return Shape((start, end), None, "padding-edge", opacity=0.6, closed=False)
