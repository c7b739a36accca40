"""Draw the receptive field of one output: what it sees of each earlier tensor, back to the input."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from convcli.drawing.forms import Drawing
from convcli.drawing.nested_fields import with_ellipsis
from convcli.drawing.scene import Label, Mark, Scene, Shape
from convcli.drawing.step_scene import GAP, LEADING, MARGIN, RISE, Plane, rays
from convcli.errors import ArgumentError
from convcli.layers.axes import Shape as Sizes
from convcli.layers.axes import as_shape, axis_names, by_axes
from convcli.layers.base import Layer
from convcli.layers.text.format_layer import format_layer
from convcli.networks.bind_shapes import bind_shapes
from convcli.networks.graph import Graph
from convcli.networks.rows import chain, network_rows
from convcli.networks.seen_places import Seen, last_spatial, seen_on_path
from convcli.networks.tensor_shapes import tensor_shapes

MAX_SIDE = 4096  # largest size of a tensor
MAX_CELLS = 48  # largest size of tensors that are drawn cell by cell; larger ones are outlines
MAX_ROWS = 72  # total rows of cells in all levels
MAX_LEVELS = 9  # of a network that are drawn
MAX_NAME = 40  # characters
OUTLINE = 14.0  # length of the longest side of an outline, in cells
SEEN, NOT_SEEN = "#", "."


class Level(NamedTuple):
    """One tensor: the layer that makes it, its sizes, and the positions that are seen on each axis."""

    name: str
    size: Sizes
    seen: tuple[tuple[int, ...], ...]


class Numbers(NamedTuple):
    """The receptive field along one axis, as in `convcli shape`; None if it is unknown."""

    size: int | None
    stride: float | None
    padding: int | None


class Field(NamedTuple):
    """What an output sees, from the input to the output itself, and the numbers of its receptive field.

    levels : of all tensors on the path
    shown : the levels that are drawn and printed
    network : the name of the network; empty for a chain
    """

    levels: tuple[Level, ...]
    shown: tuple[Level, ...]
    numbers: tuple[Numbers, ...]
    network: str = ""


def field_in_chain(layers: Sequence[Layer], input_shape: Sequence[int], at: Sequence[int] | None) -> Field:
    """Return the receptive field of an output position of a chain, by default the middle."""
    graph = chain(layers, as_shape(input_shape))
    return _field(graph, graph.outputs[0], at)


def field_in_network(network: Graph, tensor: str | None, at: Sequence[int] | None) -> Field:
    """Return the receptive field of a position of a tensor, by default the last one with several positions."""
    field = _field(network, tensor, at)
    return field._replace(shown=_some(field.levels))


def _field(network: Graph, tensor: str | None, at: Sequence[int] | None) -> Field:
    shapes = tensor_shapes(network.nodes, bind_shapes(network), network.stated)
    tensor = last_spatial(network, shapes) if tensor is None else tensor
    maker = next((place for place, node in enumerate(network.nodes) if tensor in node.outputs), None)
    size = shapes.get(tensor, ())[2:]
    if maker is None or not size:
        name = tensor if maker is None or network.name else format_layer(network.nodes[maker].layer)
        raise ArgumentError(f"what {name!r} sees has no window, so it cannot be drawn; leave it out")
    largest = max((shape[2:] for shape in shapes.values() if len(shape) > 2), key=max)
    if max(largest) > MAX_SIDE:
        raise ArgumentError(
            f"a tensor of the {'network' if network.name else 'chain'} would be {by_axes(largest)}, but at most "
            f"{MAX_SIDE} on a side are drawn; use a smaller input"
        )
    seen = seen_on_path(network, shapes, tensor, tuple(n // 2 for n in size) if at is None else at)
    levels = tuple(Level(_name(each, network), each.size, each.places) for each in seen)
    row = network_rows(network)[maker]
    fields = ("receptive_field", "effective_stride", "effective_padding")
    numbers = tuple(Numbers(*each) for each in zip(*(row[field] for field in fields), strict=True))
    return Field(levels, levels, numbers, network.name)


def _name(seen: Seen, network: Graph) -> str:
    """Return the name of a tensor: the text of its layer, and in a network the name of the node."""
    if seen.node is None:
        return seen.tensor
    spelled = format_layer(seen.node.layer)
    return with_ellipsis(f"{seen.node.name}: {spelled}" if network.name else spelled, MAX_NAME)


def _some(levels: Sequence[Level]) -> tuple[Level, ...]:
    """Return the input, the output, and between them the last tensor of each size; if there are many, some of these."""
    if len(levels) <= MAX_LEVELS:
        return tuple(levels)
    ends = [number for number, (one, two) in enumerate(pairwise(levels)) if one.size != two.size]
    kept = sorted({0, *ends, len(levels) - 1})
    if len(kept) > MAX_LEVELS:
        kept = [kept[round(n * (len(kept) - 1) / (MAX_LEVELS - 1))] for n in range(MAX_LEVELS)]
    return tuple(levels[number] for number in kept)


def receptive_drawing(field: Field) -> Drawing:
    """Return the drawing of a receptive field."""
    return Drawing(
        steps=0,
        text=lambda width, _: _text(field, width),
        record=lambda: _record(field),
        scenes=lambda: [_scene(field)],
    )


def _title(field: Field) -> str:
    place = ", ".join(f"{n[0]}" for n in field.levels[-1].seen)
    return f"what output ({place}){f' of {field.network}' if field.network else ''} sees"


def _summary(field: Field) -> list[str]:
    """Return lines with the receptive field on each axis, as in `convcli shape`."""
    lines = []
    for name, axis in zip(axis_names(len(field.numbers)), field.numbers, strict=True):
        lines.append(
            f"{name}: receptive field {_known(axis.size)}, effective stride {_known(axis.stride)}, "
            f"padding {_known(axis.padding)}"
        )
    rest = {line.partition(": ")[2] for line in lines}
    summary = lines if len(rest) > 1 else sorted(rest)
    if len(field.shown) < len(field.levels):
        summary.append(
            f"{len(field.shown)} of the {len(field.levels)} tensors on the longest path, the last of each size"
        )
    return summary


def _known(number: object) -> str:
    return "unknown" if number is None else str(number)


def _text(field: Field, width: int) -> str:
    lines = [_title(field)]
    for level in reversed(field.shown):
        sizes = by_axes([len(seen) for seen in level.seen])
        heading = f"{level.name}, {by_axes(level.size)}: {sizes} seen"
        lines += ["", heading, *(_grid(level, width) if max(level.size) <= width else [_ranges(level)])]
    return "".join(f"{line}\n" for line in (*lines, "", *_summary(field)))


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
    """Return the seen positions of a level that is too large to print."""
    parts = [
        f"{name} {seen[0]} to {seen[-1]}" if seen else f"{name}: nothing"
        for name, seen in zip(axis_names(len(level.size)), level.seen, strict=True)
    ]
    return ", ".join(parts)


def _rows_and_columns(level: Level) -> tuple[int, int]:
    """Return the rows and columns of a level; a 1-D level is a single row."""
    *_, rows, columns = 1, *level.size
    return rows, columns


def _record(field: Field) -> dict[str, Any]:
    return {
        "levels": [
            {"layer": level.name, "size": list(level.size), "seen": [list(seen) for seen in level.seen]}
            for level in field.levels
        ],
        "receptive_field": [axis.size for axis in field.numbers],
    }


def _scene(field: Field) -> Scene:
    largest = max(max(level.size) for level in field.shown)
    rows_of_all = sum(_rows_and_columns(level)[0] for level in field.shown)
    shrunk = 1.0 if largest <= MAX_CELLS and rows_of_all <= MAX_ROWS else OUTLINE / largest
    levels: list[tuple[Level, float, float]] = []
    for level in field.shown:
        rows, columns = _rows_and_columns(level)
        levels.append((level, rows * shrunk, columns * shrunk))
    widest = max(max(Plane(0, 0, rows, columns).width for _, rows, columns in levels), 420.0)
    named = {level: f"{level.name}, {by_axes(level.size)}" for level in field.shown}
    names = max(map(len, named.values())) * 6.6
    top = MARGIN + 2 * LEADING
    planes: list[tuple[Level, Plane]] = []
    for level, height, width in reversed(levels):
        plane = Plane(0, top, height, width)
        planes.append((level, plane._replace(x=MARGIN + names + (widest - plane.width) / 2)))
        top += plane.height + RISE
    marks: list[Mark] = [Label(MARGIN, MARGIN, _title(field), 15, "ink", "start")]
    for number, (level, plane) in enumerate(planes):
        middle = plane.y + plane.height / 2
        marks.append(Label(MARGIN, middle - 8, named[level], 12.5, "faint", "start"))
        sees = f"{by_axes([len(seen) for seen in level.seen])} seen"
        marks.append(Label(MARGIN, middle + 9, sees, 12.5, "ink", "start"))
        marks += (_cells if shrunk == 1 else _outline)(level, plane, shrunk, is_output=number == 0)
    for (above, upper), (below, lower) in pairwise(planes):
        marks += rays(lower.cell(*_box(below, shrunk)), upper.cell(*_box(above, shrunk)), 0.1)
    bottom = top - RISE + GAP
    summary = _summary(field)
    if shrunk < 1:
        summary.append("areas are to scale: there are too many cells to draw individually")
    marks += [Label(MARGIN, bottom + n * LEADING, line, 15, "ink", "start") for n, line in enumerate(summary)]
    return Scene(
        widest + names + 2 * MARGIN, bottom + len(summary) * LEADING, tuple(marks), title=_title(field)
    )


def _cells(level: Level, plane: Plane, _: float, *, is_output: bool) -> Iterator[Mark]:
    """Draw each cell of a level."""
    rows, columns = ((0,), *level.seen)[-2:]
    height, width = _rows_and_columns(level)
    plain, seen = _kinds(is_output)
    for inside in (False, True):  # edges of seen cells are drawn on top
        for row in range(height):
            for column in range(width):
                if (row in rows and column in columns) == inside:
                    kind = seen if inside else plain
                    yield Shape(plane.cell(row, column), kind, f"{kind}-edge")


def _outline(level: Level, plane: Plane, shrunk: float, *, is_output: bool) -> Iterator[Mark]:
    """Draw a level and the seen part of it as two areas."""
    plain, seen = _kinds(is_output)
    yield Shape(plane.cell(0, 0, plane.rows, plane.columns), plain, f"{plain}-edge")
    yield Shape(plane.cell(*_box(level, shrunk)), seen, f"{seen}-edge")


def _kinds(is_output: bool) -> tuple[str, str]:
    return ("waiting", "current") if is_output else ("input", "window")


def _box(level: Level, shrunk: float) -> tuple[float, float, float, float]:
    """Return the row, column, height and width of the seen part."""
    rows, columns = ((0,), *level.seen)[-2:]
    if not rows or not columns:
        return 0, 0, 0, 0
    box = rows[0], columns[0], rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    top, left, height, width = (n * shrunk for n in box)
    return top, left, height, width
