"""Draw receptive fields over the input of a network as nested rectangles, from the first layers to the last."""

from collections.abc import Sequence

from convcli.drawing.scene import HEAT, Label, Mark, Point, Shape
from convcli.drawing.short_numbers import times

MAX_SHOWN = 7
SIDE = 132.0  # size of the input, or of the largest field that is drawn in full
TALLER = 1.4  # largest size of a drawn field, relative to the input
TEXT = 10.5
NAMES = 120.0

Field = tuple[str, Sequence[int | None] | None]


def nested_fields(
    fields: Sequence[Field], size: tuple[int, ...], right: float, top: float
) -> tuple[list[Mark], float]:
    """Draw growing receptive fields with their names; return the marks and their width, 0 if no field grows."""
    grown = _growing(fields)
    if not grown:
        return [], 0.0
    shown = _some(grown, size)
    one_row = size[0] / 4
    sides, largest = _pair(size, one_row), _pair(shown[-1][1], one_row)
    most = [min(TALLER * n, max(n, field)) for n, field in zip(sides, largest, strict=True)]
    scale = SIDE / max(most)
    middle = right - SIDE / 2, top + SIDE / 2
    marks: list[Mark] = [
        Shape(_around(middle, sides[0] * scale, sides[1] * scale), "padding", "padding-edge")
    ]
    colours = [
        f"heat-{len(HEAT) - 1 - round(n * (len(HEAT) - 2) / max(1, len(shown) - 1))}"
        for n in range(len(shown))
    ]
    for (_, field), colour in zip(reversed(shown), reversed(colours), strict=True):
        high, wide = (
            max(2.0, min(n, limit) * scale) for n, limit in zip(_pair(field, one_row), most, strict=True)
        )
        marks.append(Shape(_around(middle, high + 1.6, wide + 1.6), "paper"))
        marks.append(Shape(_around(middle, high, wide), colour))
    edge = _around(middle, sides[0] * scale, sides[1] * scale)
    marks.append(Shape(edge, None, "padding-edge", width=1.2))  # visible on all colours
    marks.append(Shape(edge, None, "ray", dashed=True, width=1.2))
    size_texts = [times(field) for _, field in shown]
    sizes = 6.4 * max(3, *map(len, size_texts)) + 10
    left = right - SIDE - NAMES - sizes
    for row, ((name, _), text, colour) in enumerate(zip(shown, size_texts, colours, strict=True)):
        y = top + 8 + 17 * row
        marks.append(Shape(_around((left + 5, y), 9, 9), colour))
        marks.append(Label(left + 16, y, text, TEXT, "ink", "start"))
        marks.append(Label(left + 16 + sizes, y, with_ellipsis(name, 15), TEXT, "faint", "start"))
    covers = next((name for name, field in grown if _covers(field, size)), None)
    below = (
        f"receptive field; dashed: the input, {times(size, each=True)}"
        if covers is None
        else f"sees the whole input from {with_ellipsis(covers, 22)} on"
    )
    marks.append(Label(right, top + SIDE + 18, below, TEXT, "faint", "end"))
    return marks, SIDE + NAMES + sizes


def with_ellipsis(name: str, most: int) -> str:
    """Return a name without its end if it is longer than `most` characters."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _growing(fields: Sequence[Field]) -> list[tuple[str, tuple[int, ...]]]:
    """Return the fields that are larger than all before them, each with the first layer that has it."""
    found: list[tuple[str, tuple[int, ...]]] = []
    for name, field in fields:
        known = tuple(n for n in field or () if n is not None)
        if known and len(known) == len(field or ()) and (not found or max(known) > max(found[-1][1])):
            found.append((name, known))
    return found


def _some(grown: list[tuple[str, tuple[int, ...]]], size: Sequence[int]) -> list[tuple[str, tuple[int, ...]]]:
    """Return a few of them: evenly spaced up to the first that covers the input, and the last one."""
    until = next((number for number, (_, field) in enumerate(grown) if _covers(field, size)), len(grown) - 1)
    last = grown[-1:] if until < len(grown) - 1 else []
    inside = grown[: until + 1]
    most = MAX_SHOWN - len(last)
    if len(inside) > most:
        inside = [inside[round(n * until / (most - 1))] for n in range(most)]
    return inside + last


def _covers(field: Sequence[int], size: Sequence[int]) -> bool:
    return all(seen >= n for seen, n in zip(field, size, strict=False))


def _pair(sizes: Sequence[int], one_row: float) -> tuple[float, float]:
    """Return rows and columns, the last two axes; `one_row` is the height of the row of a 1-D input."""
    return (one_row, sizes[0]) if len(sizes) == 1 else (sizes[-2], sizes[-1])


def _around(middle: Point, high: float, wide: float) -> tuple[Point, ...]:
    x, y = middle
    return (
        (x - wide / 2, y - high / 2),
        (x + wide / 2, y - high / 2),
        (x + wide / 2, y + high / 2),
        (x - wide / 2, y + high / 2),
    )
