"""The picture of a comparison: one line per variant or network, with bars of parameters, MACs and activations."""

from collections.abc import Sequence

from convcli.drawing.network_columns import Column, Row
from convcli.drawing.network_drawing import (
    BAR,
    GAP,
    MARGIN,
    NARROWEST,
    PITCH,
    SMALL,
    TEXT,
    TITLE,
    bands,
    column_heads,
    draw_bars,
    fitted,
    text_width,
)
from convcli.drawing.scene import Label, Mark, Scene
from convcli.drawing.short_numbers import short

VALUE = 104.0  # width of the number after a bar with its ratio
MAX_NAME = 300.0
FIELDS = {  # title, unit, and the colours of the bars: of the largest values, and of the others
    "params": ("parameters", "", "current", "output"),
    "macs": ("MACs", "", "window", "input"),
    "flops": ("FLOPs", "", "window", "input"),
    "activation_bytes": ("activations, read and written", "B", "current", "output"),
}


def compare_scene(rows: Sequence[Row], key: str, fields: Sequence[str], title: str, subtitle: str) -> Scene:
    """Return the picture of compared rows: one line each, with bars, and ratios to the first row.

    key : the field with the name of a row
    fields : the fields to draw, out of FIELDS
    """
    names = [str(row[key]) for row in rows]
    shown = [_column(field, rows, names[0]) for field in fields]
    left = MARGIN + min(MAX_NAME, text_width(names, TEXT)) + GAP
    width = max(left + len(shown) * (BAR + VALUE + GAP) - GAP + MARGIN, NARROWEST)
    step = (width - MARGIN + GAP - left) / len(shown)
    bar = step - VALUE - GAP
    top = MARGIN + 108
    pitch = 1.3 * PITCH
    ys = [top + (number + 0.5) * pitch for number in range(len(rows))]
    bottom = top + len(rows) * pitch
    room = width - 2 * MARGIN
    marks: list[Mark] = [
        Label(MARGIN, MARGIN + 8, fitted(title, room, TITLE), TITLE, "ink", "start"),
        Label(MARGIN, MARGIN + 34, fitted(subtitle, room, SMALL), SMALL, "faint", "start"),
        *bands(ys, pitch, width),
        *column_heads(shown, left, top, bottom, step, bar),
    ]
    for name, y in zip(names, ys, strict=True):
        marks.append(Label(MARGIN, y, fitted(name, left - MARGIN - GAP, TEXT), TEXT, "ink", "start"))
    for number, column in enumerate(shown):
        marks += draw_bars(column, (), left + number * step, bar, ys, pitch, named=False)
    lines = tuple(
        f"{name}: {', '.join(f'{column.title} {column.texts[number]}' for column in shown)}"
        for number, name in enumerate(names)
    )
    heading = f"convcli compare: {fitted(title, room, SMALL)}"
    return Scene(width, bottom + MARGIN, tuple(marks), title=heading, descriptions=lines)


def _column(field: str, rows: Sequence[Row], first_name: str) -> Column:
    title, unit, strong, pale = FIELDS[field]
    values = [row.get(field) for row in rows]
    first = values[0]
    texts = [
        "not counted"
        if value is None
        else short(value, unit) + (f"  x {_ratio(value / first)}" if number and first else "")
        for number, value in enumerate(values)
    ]
    caption = f"{fitted(first_name, 120, SMALL)}: {'not counted' if first is None else f'{first:,}'}"
    return Column(title, tuple(values), tuple(texts), caption, strong, pale)


def _ratio(ratio: float) -> str:
    return f"{ratio:.3g}" if ratio < 1000 else short(round(ratio))
