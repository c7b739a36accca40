"""Steps as text: the padded input with the window marked, the kernel, the output so far, and the arithmetic."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor
from textwrap import wrap
from typing import NamedTuple

from convcli.drawing.arithmetic import lines
from convcli.drawing.example_numbers import shown
from convcli.drawing.steps import Stage, Step
from convcli.errors import ArgumentError
from convcli.layers.axes import by_axes

MAX_PRINTED = 2_000_000  # total cells of all steps
NOTHING, WAITING = ".", "_"  # a zero that is not of the input; an output that is not computed yet
BLANK = (NOTHING, WAITING)
GAP = "   "  # between blocks side by side

# The styles of pieces of a line, for terminals with colours.
PLAIN, TITLE, WINDOW, PADDING, INPUT, OUTPUT, CURRENT = (
    "", "title", "window", "padding", "input", "output", "current",
)  # fmt: skip


class Piece(NamedTuple):
    """A part of a line with its style."""

    text: str
    style: str = PLAIN


TextLine = list[Piece]
Block = list[TextLine]


def heading(stage: Stage) -> str:
    """Return the name of a layer with its input and output shape and the number of steps."""
    name = {"conv": "convolution", "convT": "transposed convolution"}.get(stage.name.split()[0], "")
    count = len(stage.steps)
    return (
        f"{stage.name}{f' ({name})' if name else ''}: {by_axes(stage.input_shape)} to {by_axes(stage.output_shape)}, "
        f"{count} step{'s' if count > 1 else ''}"
    )


def legend(stage: Stage) -> list[str]:
    """Return explanations of the marks that occur in the frames of a stage."""
    kinds = {stage.canvas.kind(row, column) for row, column in stage.canvas.cells()}
    meaning = {"padding": "padding", "between": "a zero between two inputs"}
    marks = [meaning[kind] for kind in ("padding", "between") if kind in kinds]
    marks_text = [f"{NOTHING} is {' or '.join(marks)}"] if marks else []
    between = (
        ["a tap between cells interpolates the cells around it"] if stage.name.startswith("deform") else []
    )
    rotated = (
        ["the kernel is rotated by 180 degrees"] if stage.rotated and stage.kernel_size != (1, 1) else []
    )
    around = f"( ) is padding, {stage.border.mode}"
    padded = [around] if "padding" in kinds and stage.border.mode != "zeros" else marks_text
    return [*rotated, *between, *padded, f"[ ] is the window, {WAITING} an output not computed yet"]


class TextFrames:
    """The steps of a stage as text."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.inputs = [[[shown(value) for value in row] for row in channel] for channel in stage.inputs]
        self.results = [shown(step.result) for step in stage.steps]
        self.input_width = max(len(text) for channel in self.inputs for row in channel for text in row)
        if stage.border.mode == "constant":
            self.input_width = max(self.input_width, len(shown(stage.border.value)))
        self.output_width = max(map(len, self.results))

    def frame(self, number: int, width: int) -> list[TextLine]:
        """Return one step as lines that fit a width, if the cells allow it."""
        stage, step = self.stage, self.stage.steps[number]
        channel, row, column = step.place
        position = f"row {row}, column {column}" + (
            f", channel {channel}" if stage.output_shape[0] > 1 else ""
        )
        title = f"step {number + 1} of {len(stage.steps)}: output {position}"
        blocks = [*self._input_blocks(step), *_kernel_blocks(stage, step), *self._output_blocks(number)]
        found: list[TextLine] = [[Piece(title, TITLE)], []]
        for band in _bands(blocks, width):
            found += [*band, []]
        for text in lines(stage, step):
            first, *others = wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
            found += [[Piece(first)], *([Piece(f"  {other}")] for other in others)]
        return found

    def _input_blocks(self, step: Step) -> Iterator[Block]:
        rows, columns = self.stage.canvas
        for channel, texts in enumerate(self.inputs):
            inside = {
                (row, column)
                for term in step.terms
                if term.channel == channel
                for row in _both(term.row)
                for column in _both(term.column)
            }
            cells = []
            for row in range(rows.length):
                y, line = rows.input_at(row), []
                for column in range(columns.length):
                    x = columns.input_at(column)
                    padded = self.stage.padded(channel, row, column)
                    outside = NOTHING if padded is None else shown(padded)
                    text = outside if y is None or x is None else texts[y][x]
                    real = text != NOTHING and padded is None
                    style = WINDOW if (row, column) in inside else INPUT if real else PADDING
                    line.append((text, style))
                cells.append(line)
            yield _grid(_numbered("input", channel, len(self.inputs)), cells, self.input_width)

    def _output_blocks(self, number: int) -> Iterator[Block]:
        """Yield the blocks of the output channels; the steps follow them in reading order."""
        channels, rows, columns = self.stage.output_shape
        for channel in range(channels):
            cells = []
            for row in range(rows):
                first = (channel * rows + row) * columns
                cells.append(
                    [
                        (WAITING, PADDING)
                        if place > number
                        else (self.results[place], CURRENT if place == number else OUTPUT)
                        for place in range(first, first + columns)
                    ]
                )
            yield _grid(_numbered("output", channel, channels), cells, self.output_width)


def check_printable(stages: Sequence[Stage]) -> None:
    """Raise ArgumentError if the frames of all steps would be too much text."""
    for stage in stages:
        _, rows, columns = stage.output_shape
        cells = len(stage.inputs) * stage.canvas.rows.length * stage.canvas.columns.length
        cells += stage.output_shape[0] * rows * columns
        if cells * len(stage.steps) > MAX_PRINTED:
            raise ArgumentError(
                f"{len(stage.steps):,} steps of {cells:,} cells each are too many to print; use `step=N`, .html, or a "
                "smaller input"
            )


def plain_frames(stages: Sequence[Stage], width: int, only: int | None = None) -> Iterator[str]:
    """Yield paragraphs of plain text with all steps, or only step `only`, counted from 1 over all stages."""
    begun = 0
    for stage in stages:
        wanted = [n for n in range(len(stage.steps)) if only in (None, begun + n + 1)]
        begun += len(stage.steps)
        if not wanted:
            continue
        head = (heading(stage), "; ".join(legend(stage)))
        yield "".join(f"{line}\n" for text in head for line in wrap(text, width))
        frames = TextFrames(stage)
        for number in wanted:
            yield "".join(f"{_joined(line)}\n" for line in frames.frame(number, width))


def _joined(line: TextLine) -> str:
    return "".join(piece.text for piece in line).rstrip()


# Blocks: titled grids that are put side by side if they fit


def _bands(blocks: Sequence[Block], width: int) -> Iterator[Block]:
    """Put blocks side by side, in as many bands as the width requires."""
    row: list[Block] = []
    for block in blocks:
        wide = sum(_width(each) + len(GAP) for each in row) + _width(block)
        if row and wide > width:
            yield _beside(row)
            row = []
        row.append(block)
    yield _beside(row)


def _width(block: Block) -> int:
    return max(sum(len(piece.text) for piece in line) for line in block)


def _beside(blocks: Sequence[Block]) -> Block:
    joined: Block = []
    for place in range(max(map(len, blocks))):
        line: TextLine = []
        for block in blocks:
            own = block[place] if place < len(block) else []
            rest = _width(block) - sum(len(piece.text) for piece in own)
            line += [*own, Piece(" " * rest + GAP)]
        joined.append(line)
    return joined


def _grid(title: str, cells: Sequence[Sequence[tuple[str, str]]], width: int) -> Block:
    """Return a titled grid of (text, style) cells; cells in the window are in brackets."""
    block: Block = [[Piece(title, TITLE)]]
    for row in cells:
        line: TextLine = []
        for text, style in row:
            marks = (
                "[]"
                if style in (WINDOW, CURRENT)
                else "()"
                if style == PADDING and text not in BLANK
                else "  "
            )
            line.append(Piece(f"{marks[0]}{text.rjust(width)}{marks[1]}", style))
        block.append(line)
    return block


def _numbered(name: str, channel: int, channels: int) -> str:
    return f"{name} {channel}" if channels > 1 else name


def _both(place: Fraction | int) -> set[int]:
    """Return the cells that a position lies on or between."""
    return {floor(place), ceil(place)}


def _kernel_blocks(stage: Stage, step: Step) -> Iterator[Block]:
    kernels = stage.kernels(step)
    for channel, kernel in kernels.items():
        texts = [[shown(weight) for weight in row] for row in kernel]
        width = max(len(text) for row in texts for text in row)
        title = _numbered("kernel", channel, len(stage.inputs)) if len(kernels) > 1 else "kernel"
        yield _grid(title, [[(text, PLAIN) for text in row] for row in texts], width)
