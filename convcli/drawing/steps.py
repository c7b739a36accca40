"""The steps of a layer as plain records: which cells a window lies on, the products, their sum, the output cell."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Literal, NamedTuple

from convcli.layers.axes import Shape
from convcli.layers.padding import border_source

Values = tuple[tuple[Fraction, ...], ...]  # rows of one channel; of 1 axis it is one row
Kind = Literal["input", "padding", "between"]  # of a cell: between two inputs that a stride has moved apart
# How the terms of a step become its result: a weighted sum, the largest, the mean, a norm, one of them, a function.
Operation = Literal["sum", "max", "mean", "norm", "copy", "function"]


class Line(NamedTuple):
    """One axis of the canvas that the window moves over: the input with what lies around and between.

    first : the place of its first cell, where the input begins at 0
    length : its cells
    scale : cells from one input to the next; above 1 there are zeros between
    inputs : how many inputs there are
    """

    first: int
    length: int
    scale: int
    inputs: int

    def kind(self, cell: int) -> Kind:
        """Tell what a cell of the canvas is, along this axis."""
        place = cell + self.first
        if not 0 <= place <= self.scale * (self.inputs - 1):
            return "padding"
        return "between" if place % self.scale else "input"

    def input_at(self, cell: int) -> int | None:
        """Return which input stands in a cell, None if none does."""
        return (cell + self.first) // self.scale if self.kind(cell) == "input" else None

    def cell_of(self, number: int) -> int:
        """Return the cell in which an input stands."""
        return number * self.scale - self.first


class Canvas(NamedTuple):
    """The rows and columns of cells that a window moves over; all channels have the same."""

    rows: Line
    columns: Line

    def kind(self, row: int, column: int) -> Kind:
        """Tell what a cell is: padding lies outside on any axis."""
        kinds = {self.rows.kind(row), self.columns.kind(column)}
        return next(kind for kind in ("padding", "between", "input") if kind in kinds)

    def cells(self) -> Iterator[tuple[int, int]]:
        """Go through all cells in reading order."""
        return product(range(self.rows.length), range(self.columns.length))


class Border(NamedTuple):
    """What fills the padding: a mode of `layers.padding.MODES`, and the number of `constant`."""

    mode: str = "zeros"
    value: Fraction = Fraction(0)


class Term(NamedTuple):
    """One element that a window sees.

    channel, row, column : the cell of the canvas; a fraction where a tap looks between cells
    value : what stands there
    weight : what it is multiplied by, None of what is not weighted
    """

    channel: int
    row: Fraction | int
    column: Fraction | int
    value: Fraction
    weight: Fraction | None


class Step(NamedTuple):
    """One output: where it stands, what it is made of, and what it is."""

    place: tuple[int, int, int]  # channel, row, column
    terms: tuple[Term, ...]
    result: Fraction


@dataclass(frozen=True)
class Stage:
    """A layer at work on an input, step by step.

    name : the layer as it is written in a chain
    operation, detail : how terms become a result: the exponent of a norm, the name of a function
    kernel_size : rows and columns of the window's taps; None if windows differ in size
    inputs : the values of each input channel
    turned : whether the kernel lies turned by 180 degrees
    border : what stands in the padding
    """

    name: str
    operation: Operation
    detail: str
    kernel_size: tuple[int, int] | None
    canvas: Canvas
    inputs: tuple[Values, ...]
    output_shape: tuple[int, int, int]
    steps: tuple[Step, ...]
    turned: bool = False
    border: Border = Border()  # noqa: RUF009  # which never changes

    @property
    def input_shape(self) -> Shape:
        """(channels, rows, columns)."""
        return len(self.inputs), len(self.inputs[0]), len(self.inputs[0][0])

    @property
    def weighted(self) -> bool:
        """Whether there are weights, so that a kernel can be shown."""
        return self.operation == "sum"

    def value(self, channel: int, row: int, column: int) -> Fraction | None:
        """Return the input's value in a cell of the canvas, None in padding and between."""
        y, x = self.canvas.rows.input_at(row), self.canvas.columns.input_at(column)
        return None if y is None or x is None else self.inputs[channel][y][x]

    def padded(self, channel: int, row: int, column: int) -> Fraction | None:
        """Return the number that stands in a cell of the padding, None if the padding is nothing but zeros."""
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
        """Return what a window finds in a cell of the canvas: the input's value, the padding's, or 0 between."""
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
        """Return the weights of a step as they lie on each input channel."""
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
