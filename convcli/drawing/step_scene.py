"""The steps of a layer as a scene: the input below, the output above it, the window, and the arithmetic."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import cos, pi, sin
from textwrap import wrap
from typing import NamedTuple

from convcli.drawing.arithmetic import lines
from convcli.drawing.example_numbers import shown
from convcli.drawing.scene import Label, Mark, Point, Scene, Shape
from convcli.drawing.steps import Stage, Step
from convcli.drawing.text_frames import heading

WIDTH, HEIGHT, SKEW = (
    46.0,
    32.0,
    13.0,
)  # of a cell; SKEW is the shift of each row against the next one
MARGIN, GAP = 26.0, 34.0  # around the scene, and between planes
RISE = 46.0  # distance between the planes of output and input
VALUE, WEIGHT, TEXT, SMALL = 15.0, 11.5, 15.0, 12.5  # font sizes
MAX_OF_WEIGHT = 6  # characters of a weight in a cell, unless two digits need more
LETTER = 0.5  # width of a letter, relative to the font size
NARROWEST, WIDEST = 480.0, 1200.0  # width of the planes; more planes are put in several rows
LEADING = 21.0
MAX_LINES = 6  # of arithmetic


class Plane(NamedTuple):
    """A sheet of cells in oblique projection; (x, y) is the upper left corner of its bounding box."""

    x: float
    y: float
    rows: float
    columns: float

    @property
    def width(self) -> float:
        """The width of the bounding box."""
        return self.columns * WIDTH + self.rows * SKEW

    @property
    def height(self) -> float:
        """The height of the bounding box."""
        return self.rows * HEIGHT

    def at(self, row: float, column: float) -> Point:
        """Return the picture coordinates of a point of the sheet."""
        return self.x + column * WIDTH + (self.rows - row) * SKEW, self.y + row * HEIGHT

    def cell(self, row: float, column: float, rows: float = 1, columns: float = 1) -> tuple[Point, ...]:
        """Return the corners of a cell, or of a rectangle of cells."""
        return (
            self.at(row, column),
            self.at(row, column + columns),
            self.at(row + rows, column + columns),
            self.at(row + rows, column),
        )

    def centre(self, row: float, column: float) -> Point:
        """Return the centre of a cell."""
        return self.at(row + 0.5, column + 0.5)


def step_scene(stage: Stage) -> Scene:
    """Return the steps of a layer as a scene."""
    return _Layout(stage).scene()


class _Layout:
    """The positions of the planes of a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        canvas = (stage.canvas.rows.length, stage.canvas.columns.length)
        channels, *output = stage.output_shape
        above = list(_bands([Plane(0, 0, *output)] * channels))
        below = list(_bands([Plane(0, 0, *canvas)] * len(stage.inputs)))
        inner = max(*map(_breadth, (*above, *below)), NARROWEST)
        self.width = inner + 2 * MARGIN
        top = MARGIN + 2 * LEADING + 16
        self.rays = len(above) == len(below) == 1  # with several rows of planes they would hide too much
        self.above: list[Plane] = []
        self.below: list[Plane] = []
        for bands, planes in ((above, self.above), (below, self.below)):
            for band in bands:
                planes += _placed(band, self.width, top)
                top += band[0].height + GAP
            top += RISE - GAP
        self.bottom = top - RISE + 24
        self.letters = int(inner / (TEXT * LETTER))
        self.descriptions = [self._sums(step) for step in stage.steps]
        self.height = self.bottom + max(map(len, self.descriptions)) * LEADING + MARGIN / 2

    def scene(self) -> Scene:
        """Return the scene."""
        steps = range(len(self.stage.steps))
        return Scene(
            self.width,
            self.height,
            tuple(self._base()),
            tuple(tuple(self._output(number, "output")) for number in steps),
            tuple(tuple(self._now(number)) for number in steps),
            tuple(
                f"step {number + 1} of {len(steps)}: "
                + "; ".join(lines(self.stage, self.stage.steps[number]))
                for number in steps
            ),
            heading(self.stage),
        )

    def _sums(self, step: Step) -> list[str]:
        """Return the arithmetic as lines that fit; if there are too many, the middle is omitted."""
        found = [
            line
            for text in lines(self.stage, step)
            for line in wrap(text, self.letters, break_long_words=False, break_on_hyphens=False)
        ]
        return found if len(found) <= MAX_LINES else [*found[: MAX_LINES - 2], "...", found[-1]]

    def _base(self) -> Iterator[Mark]:
        stage = self.stage
        name, _, shapes = heading(stage).rpartition(": ")
        yield Label(MARGIN, MARGIN, name, TEXT, "ink", "start")
        yield Label(MARGIN, MARGIN + LEADING, shapes.rpartition(",")[0], SMALL, "faint", "start")
        for channel, plane in enumerate(self.below):
            yield self._caption("input", channel, plane, len(self.below), at_bottom=True)
            cells = [(cell, stage.value(channel, *cell)) for cell in stage.canvas.cells()]
            for cell, value in sorted(
                cells, key=lambda pair: pair[1] is not None
            ):  # edges of inputs are drawn on top
                kind = "padding" if value is None else "input"
                yield Shape(plane.cell(*cell), kind, f"{kind}-edge", dashed=value is None)
                padded = stage.padded(channel, *cell)
                if value is not None or padded is not None or stage.canvas.kind(*cell) == "between":
                    yield _number(plane.centre(*cell), stage.found(channel, *cell), f"{kind}-ink")
        for channel, plane in enumerate(self.above):
            yield self._caption("output", channel, plane, len(self.above), at_bottom=False)
            for row in range(stage.output_shape[1]):
                for column in range(stage.output_shape[2]):
                    yield Shape(plane.cell(row, column), "waiting", "waiting-edge", dashed=True)

    @staticmethod
    def _caption(name: str, channel: int, plane: Plane, channels: int, *, at_bottom: bool) -> Label:
        text = f"{name} {channel}" if channels > 1 else name
        x, y = plane.at(plane.rows, 0) if at_bottom else plane.at(0, plane.columns)
        if at_bottom:
            return Label(x, y + 11, text, SMALL, "faint", "start")
        return Label(x, y - 11, text, SMALL, "faint", "end")

    def _output(self, number: int, kind: str) -> Iterator[Mark]:
        step = self.stage.steps[number]
        channel, row, column = step.place
        plane = self.above[channel]
        yield Shape(plane.cell(row, column), kind, f"{kind}-edge", width=2 if kind == "current" else 1)
        yield _number(plane.centre(row, column), step.result, f"{kind}-ink")

    def _now(self, number: int) -> Iterator[Mark]:
        stage, step = self.stage, self.stage.steps[number]
        yield Label(
            self.width - MARGIN, MARGIN, f"step {number + 1} of {len(stage.steps)}", SMALL, "faint", "end"
        )
        channel, row, column = step.place
        target = self.above[channel].cell(row, column)
        channels = list(dict.fromkeys(term.channel for term in step.terms))
        for source in channels if self.rays else ():
            terms = [term for term in step.terms if term.channel == source]
            box = _box([term.row for term in terms], [term.column for term in terms])
            yield from rays(self.below[source].cell(*box), target, 0.1 if len(channels) == 1 else 0.06)
        for term in step.terms:
            yield from self._seen(term.channel, term.row, term.column, term.value, term.weight)
        yield from self._output(number, "current")
        for place, text in enumerate(self.descriptions[number]):
            yield Label(MARGIN, self.bottom + (place + 0.8) * LEADING, text, TEXT, "ink", "start")

    def _seen(
        self,
        channel: int,
        row: Fraction | int,
        column: Fraction | int,
        value: Fraction,
        weight: Fraction | None,
    ) -> Iterator[Mark]:
        """Draw a cell in the window with its weight; a value between cells is a dot."""
        plane, stage = self.below[channel], self.stage
        if row != int(row) or column != int(column) or stage.name.startswith("deform"):
            x, y = plane.centre(float(row), float(column))
            yield Shape(_circle(x, y, 8), "window", "window-edge")
            yield Label(x, y, shown(value), WEIGHT, "window-ink")
            return
        real = stage.value(channel, int(row), int(column)) is not None
        kind = "window" if real else "padding-window"
        ink = "weight-ink" if real else "padding-weight-ink"
        x, y = plane.centre(int(row), int(column))
        yield Shape(plane.cell(int(row), int(column)), kind, "window-edge")
        apart = 0.0 if weight is None else 1.0
        yield _number((x - 5 * apart, y - 4 * apart), value, f"{kind}-ink")
        if weight is not None:
            text = f"*{_brief(weight)}"
            size = min(WEIGHT, (WIDTH - 8) / (len(text) * 0.58))
            yield Label(x + WIDTH / 2 - 9, y + 9, text, size, ink, "end")


def _number(place: Point, value: Fraction, colour: str) -> Label:
    """Return a label with a number in the middle of a cell, in a size that fits."""
    text = shown(value)
    return Label(*place, text, min(VALUE, (WIDTH - 4) / (len(text) * 0.58)), colour)


def _brief(weight: Fraction) -> str:
    """Format a weight for the corner of a cell, rounded to 2 digits if it is long.

    >>> [_brief(Fraction(*pair)) for pair in ((-2, 1), (1, 9), (1234, 10**7), (-10**9, 3))]
    ['-2', '1/9', '0.00012', '-3.3e+08']
    """
    text = shown(weight)
    try:
        return text if len(text) <= MAX_OF_WEIGHT else f"{float(weight):.2g}"
    except OverflowError:
        return text


def _bands(planes: Sequence[Plane]) -> Iterator[list[Plane]]:
    """Divide planes of the same size into rows that fit the width."""
    count = max(1, int((WIDEST + GAP) // (planes[0].width + GAP)))
    rows = -(-len(planes) // count)
    each = -(-len(planes) // rows)
    for start in range(0, len(planes), each):
        yield list(planes[start : start + each])


def _breadth(planes: Sequence[Plane]) -> float:
    return sum(plane.width for plane in planes) + GAP * (len(planes) - 1)


def _placed(planes: Sequence[Plane], width: float, top: float) -> Iterator[Plane]:
    """Place planes side by side, centred in the width."""
    left = (width - _breadth(planes)) / 2
    for plane in planes:
        yield plane._replace(x=left, y=top)
        left += plane.width + GAP


def _box(
    rows: Sequence[Fraction | int], columns: Sequence[Fraction | int]
) -> tuple[float, float, float, float]:
    """Return the row, column, height and width of the bounding box of cells."""
    top, left = float(min(rows)), float(min(columns))
    return top, left, float(max(rows)) + 1 - top, float(max(columns)) + 1 - left


def rays(window: Sequence[Point], target: Sequence[Point], opacity: float) -> Iterator[Mark]:
    """Draw the projection from a window to an output: a translucent body with its edges."""
    yield Shape(_hull([*window, *target]), "ray", None, opacity=opacity)
    for start, end in zip(window, target, strict=True):
        yield Shape((start, end), None, "ray", opacity=0.45, closed=False)


def _hull(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the convex hull of points (Andrew's monotone chain)."""
    half: list[list[Point]] = []
    for ordered in (sorted(points), sorted(points, reverse=True)):
        chain: list[Point] = []
        for point in ordered:
            while len(chain) > 1 and _cross_product(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        half.append(chain[:-1])
    return (*half[0], *half[1])


def _cross_product(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _circle(x: float, y: float, radius: float) -> tuple[Point, ...]:
    return tuple(
        (x + radius * 1.35 * cos(2 * pi * n / 24), y + radius * sin(2 * pi * n / 24)) for n in range(24)
    )
