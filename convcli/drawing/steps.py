"""The records of steps: the cells that a window covers, the products, their sum, the output."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Literal, NamedTuple

from convcli.layers.axes import Shape
from convcli.layers.padding import border_source

Values = tuple[tuple[Fraction, ...], ...]  # rows of one channel; 1-D input has a single row
Kind = Literal[
    "input", "padding", "between"
]  # of a cell; `between` is a zero that a stride inserts between two inputs
# How the terms of a step become its result: a weighted sum, the maximum, the mean, a norm, a copy, or a function.
Operation = Literal["sum", "max", "mean", "norm", "copy", "function"]


class Line(NamedTuple):
    """One axis of the canvas that the window moves over: the input, its padding, and inserted zeros.

    first : the position of the first cell; the input starts at 0
    length : the number of cells
    scale : the number of cells from one input to the next; if above 1 there are zeros between inputs
    inputs : the number of inputs
    """

    first: int
    length: int
    scale: int
    inputs: int

    def kind(self, cell: int) -> Kind:
        """Return the kind of a cell along this axis."""
        place = cell + self.first
        if not 0 <= place <= self.scale * (self.inputs - 1):
            return "padding"
        return "between" if place % self.scale else "input"

    def input_at(self, cell: int) -> int | None:
        """Return the index of the input in a cell, or None if there is none."""
        return (cell + self.first) // self.scale if self.kind(cell) == "input" else None

    def cell_of(self, number: int) -> int:
        """Return the cell of an input."""
        return number * self.scale - self.first


class Canvas(NamedTuple):
    """The cells that a window moves over; they are the same for all channels."""

    rows: Line
    columns: Line

    def kind(self, row: int, column: int) -> Kind:
        """Return the kind of a cell; padding on any axis makes it padding."""
        kinds = {self.rows.kind(row), self.columns.kind(column)}
        return next(kind for kind in ("padding", "between", "input") if kind in kinds)

    def cells(self) -> Iterator[tuple[int, int]]:
        """Iterate over all cells in reading order."""
        return product(range(self.rows.length), range(self.columns.length))


class Border(NamedTuple):
    """What fills the padding: a mode of `layers.padding.MODES`, and the value for `constant`."""

    mode: str = "zeros"
    value: Fraction = Fraction(0)


class Term(NamedTuple):
    """One element in a window.

    channel, row, column : the cell of the canvas; row and column are fractions if a tap lies between cells
    value : the value of the element
    weight : the factor of the value; None if there are no weights
    """

    channel: int
    row: Fraction | int
    column: Fraction | int
    value: Fraction
    weight: Fraction | None


class Step(NamedTuple):
    """One output: its position, its terms and its value."""

    place: tuple[int, int, int]  # channel, row, column
    terms: tuple[Term, ...]
    result: Fraction


@dataclass(frozen=True)
class Stage:
    """The steps of a layer on an input.

    name : the layer as it is written in a chain
    operation, detail : how terms become a result; the detail is the exponent of a norm or the name of a function
    kernel_size : rows and columns of taps; None if windows differ in size
    inputs : the values of each input channel
    rotated : whether the kernel is rotated by 180 degrees
    border : what fills the padding
    """

    name: str
    operation: Operation
    detail: str
    kernel_size: tuple[int, int] | None
    canvas: Canvas
    inputs: tuple[Values, ...]
    output_shape: tuple[int, int, int]
    steps: tuple[Step, ...]
    rotated: bool = False
    border: Border = Border()  # noqa: RUF009  # immutable

    @property
    def input_shape(self) -> Shape:
        """(channels, rows, columns)."""
        return len(self.inputs), len(self.inputs[0]), len(self.inputs[0][0])

    @property
    def weighted(self) -> bool:
        """Whether there are weights to show as a kernel."""
        return self.operation == "sum"

    def value(self, channel: int, row: int, column: int) -> Fraction | None:
        """Return the input's value in a cell of the canvas; None for padding and inserted zeros."""
        y, x = self.canvas.rows.input_at(row), self.canvas.columns.input_at(column)
        return None if y is None or x is None else self.inputs[channel][y][x]

    def padded(self, channel: int, row: int, column: int) -> Fraction | None:
        """Return the value of a cell of the padding; None if the padding is zeros, or the cell is not padding."""
        mode, value = self.border
        if mode == "zeros" or self.canvas.kind(row, column) != "padding":
            return None
        lines = (self.canvas.rows, self.canvas.columns)
        y, x = (
            border_source(mode, line.inputs, cell + line.first)
            for line, cell in zip(lines, (row, column), strict=True)
        )
        return value if y is None or x is None else self.inputs[channel][y][x]

    def found(self, channel: int, row: int, column: int) -> Fraction:
        """Return the value that a window sees in a cell: the input's, the padding's, or 0 for an inserted zero."""
        value = self.value(channel, row, column)
        return (self.padded(channel, row, column) or Fraction(0)) if value is None else value

    def outputs(self) -> tuple[Values, ...]:
        """Return the values of each output channel."""
        _, rows, columns = self.output_shape
        found = {step.place: step.result for step in self.steps}
        return tuple(
            tuple(tuple(found[channel, row, column] for column in range(columns)) for row in range(rows))
            for channel in range(self.output_shape[0])
        )

    def kernels(self, step: Step) -> dict[int, Values]:
        """Return the weights of a step for each input channel."""
        if self.kernel_size is None or not self.weighted:
            return {}
        _, columns = self.kernel_size
        lists: dict[int, list[Fraction]] = {}
        for term in step.terms:
            lists.setdefault(term.channel, []).append(term.weight or Fraction(0))
        return {
            channel: tuple(
                tuple(weights[start : start + columns]) for start in range(0, len(weights), columns)
            )
            for channel, weights in lists.items()
        }
