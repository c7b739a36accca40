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

MOST_SIDE = 64  # cells on a side of a level
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
            f"a tensor of the chain would be {by_axes(largest)} cells, and at most {MOST_SIDE} on a side are drawn; "
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
        lines += ["", heading, *_grid(level, width)]
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
    levels = [(level, *_rows_and_columns(level)) for level in field.levels]
    widest = max(max(Plane(0, 0, rows, columns).width for _, rows, columns in levels), 420.0)
    names = max(len(level.name) for level, *_ in levels) * 7.0
    top = MARGIN + 2 * LEADING
    planes: list[tuple[Level, Plane]] = []
    for level, rows, columns in reversed(levels):
        plane = Plane(0, top, rows, columns)
        planes.append((level, plane._replace(x=MARGIN + names + (widest - plane.width) / 2)))
        top += plane.height + RISE
    marks: list[Mark] = [Label(MARGIN, MARGIN, _title(field), 15, "ink", "start")]
    for number, (level, plane) in enumerate(planes):
        marks += _plane(level, plane, names, is_output=number == 0)
    for (above, upper), (below, lower) in pairwise(planes):
        marks += rays(lower.cell(*_box(below)), upper.cell(*_box(above)), 0.1)
    bottom = top - RISE + GAP
    told = _told(field)
    marks += [Label(MARGIN, bottom + n * LEADING, line, 15, "ink", "start") for n, line in enumerate(told)]
    return Scene(widest + names + 2 * MARGIN, bottom + len(told) * LEADING, tuple(marks), title=_title(field))


def _plane(level: Level, plane: Plane, names: float, *, is_output: bool) -> Iterator[Mark]:
    rows, columns = ((0,), *level.seen)[-2:]
    fill, seen = ("waiting", "current") if is_output else ("input", "window")
    yield Label(MARGIN, plane.y + plane.height / 2, level.name, 12.5, "faint", "start")
    for inside in (False, True):  # edges of what is seen lie on top
        for row in range(plane.rows):
            for column in range(plane.columns):
                if (row in rows and column in columns) == inside:
                    kind = seen if inside else fill
                    yield Shape(plane.cell(row, column), kind, f"{kind}-edge")


def _box(level: Level) -> tuple[float, float, float, float]:
    """Return the row, column, height and width that what is seen covers."""
    rows, columns = ((0,), *level.seen)[-2:]
    if not rows or not columns:
        return 0, 0, 0, 0
    return rows[0], columns[0], rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
