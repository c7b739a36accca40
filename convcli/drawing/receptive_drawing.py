"""The receptive field of one output: what it sees of each layer's input, back to the input of the chain."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from convcli.drawing.forms import Drawing
from convcli.drawing.scene import Label, Mark, Scene, Shape
from convcli.drawing.step_scene import GAP, LEADING, MARGIN, RISE, Plane, rays
from convcli.errors import ArgumentError
from convcli.layers.axes import Shape as Sizes
from convcli.layers.axes import as_shape, axis_names, by_axes
from convcli.layers.base import Layer
from convcli.layers.receptive import ReceptiveField, seen_inputs
from convcli.layers.text.spelling import spell

MOST_SIDE = 4096  # on a side of a level
MOST_CELLS = 48  # on a side of what is drawn cell by cell; larger tensors are outlines
OUTLINE = 14.0  # cells that the longest side of an outline is as long as
SEEN, NOT_SEEN = "#", "."


class Level(NamedTuple):
    """One of the tensors of a chain: after which layer it comes, its sizes, and what is seen of it on each axis."""

    name: str
    size: Sizes
    seen: tuple[tuple[int, ...], ...]


class Field(NamedTuple):
    """What an output sees, from the input of the chain to the output itself, and the numbers of its field."""

    levels: tuple[Level, ...]
    numbers: ReceptiveField


def field_of_output(layers: Sequence[Layer], input_shape: Sequence[int], at: Sequence[int] | None) -> Field:
    """Return what the output at a place sees; without one, the output in the middle."""
    chain = [layer for layer in layers if layer.inner is layer]
    shapes = [as_shape(input_shape)]
    numbers = ReceptiveField.of_input(shapes[0])
    for layer in chain:
        output_shape = layer.output_shape(shapes[-1])
        seen = layer.sees(shapes[-1][1:])
        if len(output_shape) != len(shapes[-1]) or len(seen) != len(output_shape) - 1 or None in seen:
            why = "depends on the data" if None in seen else "has no window"
            raise ArgumentError(f"what {spell(layer)!r} sees {why}, so that it cannot be drawn; leave it out")
        numbers = numbers.through(layer, shapes[-1], output_shape)
        shapes.append(output_shape)
    if max(n for shape in shapes for n in shape[1:]) > MOST_SIDE:
        largest = max((shape[1:] for shape in shapes), key=max)
        raise ArgumentError(
            f"a tensor of the chain would be {by_axes(largest)}, and at most {MOST_SIDE} on a side are drawn; "
            "take a smaller input"
        )
    place = _place(at, shapes[-1][1:])
    levels = [Level(spell(chain[-1]), shapes[-1][1:], tuple((y,) for y in place))]
    for number in range(len(chain) - 1, -1, -1):
        size = shapes[number][1:]
        before = tuple(
            tuple(sorted({x for y in outputs for x in seen_inputs(link, y) if 0 <= x < n}))
            for link, outputs, n in zip(chain[number].sees(size), levels[0].seen, size, strict=True)
            if link is not None
        )
        name = spell(chain[number - 1]) if number else "input"
        levels.insert(0, Level(name, size, before))
    return Field(tuple(levels), numbers)


def _place(at: Sequence[int] | None, size: Sizes) -> tuple[int, ...]:
    if at is None:
        return tuple(n // 2 for n in size)
    if len(at) != len(size) or not all(0 <= y < n for y, n in zip(at, size, strict=True)):
        raise ArgumentError(
            f"`at` {','.join(map(str, at))} is no output; the output is {by_axes(size)}, counted from 0"
        )
    return tuple(at)


def receptive_drawing(
    layers: Sequence[Layer], input_shape: Sequence[int], at: Sequence[int] | None
) -> Drawing:
    """Return what is drawn of the receptive field of an output."""
    field = field_of_output(layers, input_shape, at)
    return Drawing(
        steps=0,
        text=lambda width, _: _text(field, width),
        record=lambda: _record(field),
        scenes=lambda: [_scene(field)],
    )


def _title(field: Field) -> str:
    place = ", ".join(f"{n[0]}" for n in field.levels[-1].seen)
    return f"what output ({place}) sees"


def _told(field: Field) -> list[str]:
    """Return the numbers of the field on each axis, as `convcli shape` has them."""
    lines = []
    for name, axis in zip(axis_names(len(field.numbers.paths)), field.numbers.axes(), strict=True):
        lines.append(
            f"{name}: receptive field {_known(axis.size)}, effective stride {_known(axis.stride)}, "
            f"padding {_known(axis.padding)}"
        )
    rest = {line.partition(": ")[2] for line in lines}
    return lines if len(rest) > 1 else [rest.pop()]


def _known(number: object) -> str:
    return "unknown" if number is None else str(number)


def _text(field: Field, width: int) -> str:
    lines = [_title(field)]
    for level in reversed(field.levels):
        sizes = by_axes([len(seen) for seen in level.seen])
        heading = f"{level.name}, {by_axes(level.size)}: {sizes} seen"
        lines += ["", heading, *(_grid(level, width) if max(level.size) <= width else [_ranges(level)])]
    return "".join(f"{line}\n" for line in (*lines, "", *_told(field)))


def _grid(level: Level, width: int) -> list[str]:
    rows, columns = _rows_and_columns(level)
    seen_rows, seen_columns = ((0,), *level.seen)[-2:]
    gap = " " if 2 * columns <= width else ""
    return [
        gap.join(
            SEEN if row in seen_rows and column in seen_columns else NOT_SEEN for column in range(columns)
        )
        for row in range(rows)
    ]


def _ranges(level: Level) -> str:
    """Say what is seen of a level that is too large to be printed."""
    told = [
        f"{name} {seen[0]} to {seen[-1]}" if seen else f"{name}: nothing"
        for name, seen in zip(axis_names(len(level.size)), level.seen, strict=True)
    ]
    return ", ".join(told)


def _rows_and_columns(level: Level) -> tuple[int, int]:
    """Return the sizes of a level; of 1 axis it is one row."""
    *_, rows, columns = 1, *level.size
    return rows, columns


def _record(field: Field) -> dict[str, Any]:
    return {
        "levels": [
            {"layer": level.name, "size": list(level.size), "seen": [list(seen) for seen in level.seen]}
            for level in field.levels
        ],
        "receptive_field": [axis.size for axis in field.numbers.axes()],
    }


def _scene(field: Field) -> Scene:
    largest = max(max(level.size) for level in field.levels)
    shrunk = 1.0 if largest <= MOST_CELLS else OUTLINE / largest
    levels: list[tuple[Level, float, float]] = []
    for level in field.levels:
        rows, columns = _rows_and_columns(level)
        levels.append((level, rows * shrunk, columns * shrunk))
    widest = max(max(Plane(0, 0, rows, columns).width for _, rows, columns in levels), 420.0)
    named = {level: f"{level.name}, {by_axes(level.size)}" for level in field.levels}
    names = max(map(len, named.values())) * 6.6
    top = MARGIN + 2 * LEADING
    planes: list[tuple[Level, Plane]] = []
    for level, height, width in reversed(levels):
        plane = Plane(0, top, height, width)
        planes.append((level, plane._replace(x=MARGIN + names + (widest - plane.width) / 2)))
        top += plane.height + RISE
    marks: list[Mark] = [Label(MARGIN, MARGIN, _title(field), 15, "ink", "start")]
    for number, (level, plane) in enumerate(planes):
        marks.append(Label(MARGIN, plane.y + plane.height / 2, named[level], 12.5, "faint", "start"))
        marks += (_cells if shrunk == 1 else _outline)(level, plane, shrunk, is_output=number == 0)
    for (above, upper), (below, lower) in pairwise(planes):
        marks += rays(lower.cell(*_box(below, shrunk)), upper.cell(*_box(above, shrunk)), 0.1)
    bottom = top - RISE + GAP
    told = _told(field)
    if shrunk < 1:
        told.append(f"areas to scale: {largest} cells on a side are too many to be drawn one by one")
    marks += [Label(MARGIN, bottom + n * LEADING, line, 15, "ink", "start") for n, line in enumerate(told)]
    return Scene(widest + names + 2 * MARGIN, bottom + len(told) * LEADING, tuple(marks), title=_title(field))


def _cells(level: Level, plane: Plane, _: float, *, is_output: bool) -> Iterator[Mark]:
    """Draw each cell of a level."""
    rows, columns = ((0,), *level.seen)[-2:]
    height, width = _rows_and_columns(level)
    plain, seen = _kinds(is_output)
    for inside in (False, True):  # edges of what is seen lie on top
        for row in range(height):
            for column in range(width):
                if (row in rows and column in columns) == inside:
                    kind = seen if inside else plain
                    yield Shape(plane.cell(row, column), kind, f"{kind}-edge")


def _outline(level: Level, plane: Plane, shrunk: float, *, is_output: bool) -> Iterator[Mark]:
    """Draw a level and what is seen of it as two areas."""
    plain, seen = _kinds(is_output)
    yield Shape(plane.cell(0, 0, plane.rows, plane.columns), plain, f"{plain}-edge")
    yield Shape(plane.cell(*_box(level, shrunk)), seen, f"{seen}-edge")


def _kinds(is_output: bool) -> tuple[str, str]:
    return ("waiting", "current") if is_output else ("input", "window")


def _box(level: Level, shrunk: float) -> tuple[float, float, float, float]:
    """Return the row, column, height and width that what is seen covers."""
    rows, columns = ((0,), *level.seen)[-2:]
    if not rows or not columns:
        return 0, 0, 0, 0
    box = rows[0], columns[0], rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    top, left, height, width = (n * shrunk for n in box)
    return top, left, height, width
