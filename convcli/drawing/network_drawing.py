"""The picture of a network: its graph, and next to each layer bars of its cost, size and receptive field."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import cos, pi, sin

from convcli.drawing.graph_lanes import Lanes, lanes
from convcli.drawing.nested_fields import nested_fields
from convcli.drawing.network_columns import Column, Row, columns, figures, input_size, part
from convcli.drawing.network_lines import Line, network_lines
from convcli.drawing.scene import Label, Mark, Point, Scene, Shape
from convcli.drawing.short_numbers import times
from convcli.networks.graph import Graph

MARGIN, GAP = 28.0, 26.0
TITLE, FIGURE, TEXT, SMALL = 22.0, 19.0, 12.0, 10.5  # font sizes
PITCH, THIN = 19.0, 1100.0  # height of a line with a name; total height of lines without names
LANE, MAX_GRAPH = 15.0, 170.0  # width of a lane, and of all lanes together
MAX_NAME, SUMMARY_WIDTH = 170.0, 240.0
NARROWEST = 880.0
BAR, VALUE = 128.0, 62.0  # minimum width of the bars, and width of the number after a bar
RADIUS = 4.6
LARGEST = 3  # number of largest layers that are named in the header, or at their bars if lines have no names
USUAL = "float32"
LETTER = 0.53  # average width of a letter, relative to the font size

FILLS: Mapping[str, tuple[str, str]] = {  # fill and edge colours of the nodes of a graph
    "input": ("paper", "input-edge"),
    "convolution": ("window", "window-edge"),
    "dense": ("current", "current-edge"),
    "pool": ("output", "output-edge"),
    "join": ("tap-2", "ray"),
    "other": ("padding-window", "padding-edge"),
    "group": ("input", "input-edge"),
}


def network_scene(command: str, network: Graph, rows: Sequence[Row], totals: Row, title: str) -> Scene:
    """Return the picture of a network for the command `cost`, `params` or `shape`.

    rows : one per node, in order, from `network_rows` or `network_parameter_rows`
    """
    lines, narrow = network_lines(network)
    shown = columns(command, network, lines, rows)
    laid = lanes([line.inputs for line in lines])
    pitch = min(PITCH, THIN / len(lines)) if narrow else PITCH
    lane = min(LANE, MAX_GRAPH / laid.width)
    graph = (laid.width - 1) * lane + 2 * RADIUS
    names = 0.0 if narrow else min(MAX_NAME, text_width([line.name for line in lines], TEXT))
    words = 0.0 if narrow else min(SUMMARY_WIDTH, text_width([line.summary for line in lines], SMALL))
    left = MARGIN + graph + 12
    bars = left + (names + 14 + words + GAP if not narrow else GAP)
    width = max(bars + len(shown) * (BAR + VALUE + GAP) - GAP + MARGIN, NARROWEST)
    step = (width - MARGIN + GAP - bars) / max(1, len(shown))  # distance between columns
    bar = step - VALUE - GAP

    marks, below = _header(command, network, lines, rows, totals, title, shown, width)
    top = below + 52
    ys = [top + (number + 0.5) * pitch for number in range(len(lines))]
    bottom = top + len(lines) * pitch
    if not narrow:
        marks += bands(ys, pitch, width)
    marks += column_heads(shown, bars, top, bottom, step, bar)
    marks += _graph(lines, laid, ys, MARGIN + graph - RADIUS, lane, min(RADIUS, 0.45 * pitch))
    if not narrow:
        for line, y in zip(lines, ys, strict=True):
            marks.append(Label(left, y, fitted(line.name, names, TEXT), TEXT, "ink", "start"))
            what = fitted(line.summary, words, SMALL)
            marks.append(Label(left + names + 14, y, what, SMALL, "faint", "start"))
    for number, column in enumerate(shown):
        marks += draw_bars(column, lines, bars + number * step, bar, ys, pitch, named=narrow)
    marks += _legend(lines, bottom + 26)
    marks += _note(network, lines, bottom + 26, width)
    descriptions = tuple(f"{line.name}: {line.summary}" for line in lines)
    heading = f"convcli {command}: {fitted(title, width, SMALL)}"
    return Scene(width, bottom + 52, tuple(marks), title=heading, descriptions=descriptions)


def _header(
    command: str,
    network: Graph,
    lines: Sequence[Line],
    rows: Sequence[Row],
    totals: Row,
    title: str,
    shown: Sequence[Column],
    width: float,
) -> tuple[list[Mark], float]:
    """Draw the name, the totals, the largest layers and the receptive fields; return the marks and the bottom."""
    marks: list[Mark] = []
    space = 0.0
    if command != "params" and input_size(network):
        fields = [(line.name, line.last(rows, "receptive_field")) for line in lines if line.members]
        marks, space = nested_fields(fields, input_size(network), width - MARGIN, MARGIN)
    room = width - 2 * MARGIN - space - (GAP if space else 0)
    marks.append(Label(MARGIN, MARGIN + 8, fitted(title, room, TITLE), TITLE, "ink", "start"))
    summary = _input_summary(network, rows[0] if rows else {})
    marks.append(Label(MARGIN, MARGIN + 34, fitted(summary, room, SMALL), SMALL, "faint", "start"))
    makers = {tensor: number for number, node in enumerate(network.nodes) for tensor in node.outputs}
    number = makers.get(next(iter(network.outputs), ""))
    last = {} if number is None else rows[number]
    x, y = MARGIN, MARGIN + 66
    for figure, what in figures(command, totals, last, len(rows)):
        step = max(text_width([figure], FIGURE), text_width([what], SMALL)) + 22
        if x > MARGIN and x + step - 22 > MARGIN + room:
            x, y = MARGIN, y + 52
        marks.append(Label(x, y, figure, FIGURE, "ink", "start"))
        marks.append(Label(x, y + 20, what, SMALL, "faint", "start"))
        x += step
    y += 48
    for column in shown:
        if len(lines) > LARGEST and (text := _largest_summary(column, lines)):
            marks.append(Label(MARGIN, y, fitted(text, room, TEXT), TEXT, "ink", "start"))
            y += 18
    return marks, max(y - 10, MARGIN + (158 if space else 0))


def _input_summary(network: Graph, row: Row) -> str:
    """Return the shapes of the inputs and the source of the network as text."""
    parts = [f"{name} {times(shape[1:], each=True)}" for name, shape in network.inputs.items() if shape[1:]]
    if row.get("batch", 1) > 1:
        parts.append(f"batch {row['batch']:,}")
    if row.get("dtype", USUAL) != USUAL:
        parts.append(row["dtype"])
    inputs = ", ".join(parts)
    return " · ".join(filter(None, (inputs, network.source)))


def _largest_summary(column: Column, lines: Sequence[Line]) -> str:
    """Return a sentence about the share of the largest layers, those with dark bars, and their names."""
    largest = column.largest()
    if not largest or not column.whole:
        return ""
    values = [column.values[number] or 0 for number in largest]
    named = [
        f"{lines[number].name} {part(value, column.whole):.1%}"
        for number, value in zip(largest[:LARGEST], values, strict=False)
    ]
    if len(largest) == 1:
        return f"{lines[largest[0]].name} makes {part(values[0], column.whole):.0%} of the {column.title}"
    more = ", ..." if len(largest) > LARGEST else ""
    together = f"{part(sum(values), column.whole):.0%} of the {column.title}"
    return f"the {len(largest)} largest make {together}: {', '.join(named)}{more}"


def column_heads(
    shown: Sequence[Column], left: float, top: float, bottom: float, step: float, bar: float
) -> Iterator[Mark]:
    """Draw the titles of the columns, their totals, and the line at which the bars start."""
    for number, column in enumerate(shown):
        x = left + number * step
        yield Label(x, top - 30, column.title, 13, "ink", "start")
        yield Label(x, top - 13, column.caption, SMALL, "faint", "start")
        yield Shape(((x, top - 2), (x, bottom + 2)), None, "padding-edge", closed=False)
        if column.mark is not None and column.most > 0 and column.mark <= column.most:
            at = x + bar * part(column.mark, column.most)
            yield Shape(((at, top - 2), (at, bottom + 2)), None, "padding-edge", dashed=True, closed=False)


def bands(ys: Sequence[float], pitch: float, width: float) -> Iterator[Mark]:
    """Draw a band behind every second line, which guides the eye from a name to its bars."""
    for y in ys[1::2]:
        yield Shape(_box(MARGIN - 8, y - pitch / 2, width - MARGIN + 8, y + pitch / 2), "padding")


def _graph(
    lines: Sequence[Line], laid: Lanes, ys: Sequence[float], right: float, lane: float, radius: float
) -> Iterator[Mark]:
    def x(place: int) -> float:
        return right - place * lane

    for edge in sorted(laid.edges, key=lambda edge: (-edge.lane, edge.end - edge.start)):
        start, end = laid.nodes[edge.start], laid.nodes[edge.end]
        passes = not start == end == edge.lane
        points = _path(
            (x(start), ys[edge.start]),
            x(edge.lane),
            (x(end), ys[edge.end]),
            ys[edge.start + 1],
            ys[edge.end - 1],
        )
        colour = "input-edge" if passes else "ray"
        yield Shape(points, None, colour, width=1.5, opacity=0.8 if passes else 1.0, closed=False)
    for line, place, y in zip(lines, laid.nodes, ys, strict=True):
        fill, edge_colour = FILLS[line.kind]
        yield Shape(_circle(x(place), y, radius), fill, edge_colour, width=1.2)


def _path(start: Point, middle: float, end: Point, after: float, before: float) -> tuple[Point, ...]:
    """Return the path of an edge: from its node into its lane, down, and into the other node."""
    if middle == start[0] == end[0]:
        return start, end
    if after >= end[1]:  # on the next line
        return _curve(start, end)
    points = [*_curve(start, (middle, after)), *_curve((middle, before), end)]
    return tuple(dict.fromkeys(points))


def _curve(start: Point, end: Point, pieces: int = 10) -> tuple[Point, ...]:
    """Return a curve that starts and ends vertically."""
    if start[0] == end[0]:
        return start, end
    points = []
    for number in range(pieces + 1):
        share = number / pieces
        across = share * share * (3 - 2 * share)
        points.append((start[0] + (end[0] - start[0]) * across, start[1] + (end[1] - start[1]) * share))
    return tuple(points)


def draw_bars(
    column: Column,
    lines: Sequence[Line],
    x: float,
    bar: float,
    ys: Sequence[float],
    pitch: float,
    *,
    named: bool,
) -> Iterator[Mark]:
    """Draw the bars of a column from x on with their numbers, or with the names of the largest if `named`."""
    largest = column.largest()
    first = largest[:LARGEST]
    most = column.most
    half = max(0.31 * pitch, 0.5)
    for number, (value, text, y) in enumerate(zip(column.values, column.texts, ys, strict=True)):
        length = bar * part(value, most) if value and most else 0.0
        strong = number in largest
        if length:
            yield Shape(_box(x, y - half, x + length, y + half), column.colour if strong else column.pale)
        if text and not named:
            yield Label(x + length + 6, y, text, SMALL, "ink" if strong or not largest else "faint", "start")
        if named and number in first:
            yield Label(x + length + 6, y, fitted(lines[number].name, VALUE + 12, 9), 9, "ink", "start")


def _legend(lines: Sequence[Line], y: float) -> Iterator[Mark]:
    there = {line.kind for line in lines}
    x = MARGIN + RADIUS
    for kind, (fill, edge) in FILLS.items():
        if kind in there:
            yield Shape(_circle(x, y, RADIUS), fill, edge, width=1.2)
            name = "group of layers" if kind == "group" else kind
            yield Label(x + 10, y, name, SMALL, "faint", "start")
            x += 10 + text_width([name], SMALL) + 18


def _note(network: Graph, lines: Sequence[Line], y: float, width: float) -> Iterator[Mark]:
    drawn = sum(1 for line in lines if line.members)
    if drawn < len(network.nodes):
        how = (
            "layers of a scope, or neighbouring layers, are grouped"
            if any(line.kind == "group" for line in lines)
            else "activations, norms and similar layers are on the line of the layer before"
        )
        text = f"{len(network.nodes):,} layers in {drawn:,} lines; {how}"
        yield Label(width - MARGIN, y, text, SMALL, "faint", "end")


def _box(left: float, top: float, right: float, bottom: float) -> tuple[Point, ...]:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _circle(x: float, y: float, radius: float) -> tuple[Point, ...]:
    return tuple((x + radius * cos(2 * pi * n / 24), y + radius * sin(2 * pi * n / 24)) for n in range(24))


def text_width(texts: Iterable[str], size: float) -> float:
    """Return the approximate width of the widest text."""
    return max((len(text) for text in texts), default=0) * LETTER * size


def fitted(text: str, width: float, size: float) -> str:
    """Return a text shortened to a width, with non-printable characters escaped."""
    text = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )
    most = max(4, round(width / (LETTER * size)))
    return text if len(text) <= most else f"{text[: most - 1].rstrip(' ,')}…"
