"""Receptive fields over the input of a network: rectangles in each other, from the first layers' to the last one's."""

from collections.abc import Sequence

from convcli.drawing.scene import HEAT, Label, Mark, Point, Shape

MOST_SHOWN = 7
SIDE = 132.0  # of the input, or of the largest field that is drawn whole
TALLER = 1.4  # times the input, to which a field is drawn
TEXT = 10.5
NAMES = 142.0

Field = tuple[str, Sequence[int | None] | None]


def nested_fields(
    fields: Sequence[Field], size: tuple[int, ...], right: float, top: float
) -> tuple[list[Mark], float]:
    """Draw the fields that grow, with their names beside them, and return how wide that is; 0 where nothing grows."""
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
        marks.append(Shape(_around(middle, high, wide), colour, "paper"))
    marks.append(
        Shape(_around(middle, sides[0] * scale, sides[1] * scale), None, "ray", dashed=True, width=1.2)
    )
    left = right - SIDE - 16 - NAMES
    y = top + 8
    for (name, field), colour in zip(shown, colours, strict=True):
        marks.append(Shape(_around((left + 5, y), 9, 9), colour))
        told = "x".join(map(str, dict.fromkeys(field) if len(set(field)) == 1 else field))
        marks.append(Label(left + 16, y, told, TEXT, "ink", "start"))
        marks.append(
            Label(left + 54, y, name if len(name) <= 15 else f"{name[:14]}…", TEXT, "faint", "start")
        )
        y += 17
    covers = next((name for name, field in grown if _covers(field, size)), None)
    told = f"receptive field; dashed: the input, {'x'.join(map(str, size))}"
    if covers is not None:
        told = f"sees the whole input from {covers if len(covers) <= 22 else covers[:21] + '…'} on"
    marks.append(Label(right, top + SIDE + 18, told, TEXT, "faint", "end"))
    return marks, SIDE + 16 + NAMES


def _growing(fields: Sequence[Field]) -> list[tuple[str, tuple[int, ...]]]:
    """Return the fields that are larger than all before them, each with the first layer that has it."""
    found: list[tuple[str, tuple[int, ...]]] = []
    for name, field in fields:
        known = tuple(n for n in field or () if n is not None)
        if known and len(known) == len(field or ()) and (not found or max(known) > max(found[-1][1])):
            found.append((name, known))
    return found


def _some(grown: list[tuple[str, tuple[int, ...]]], size: Sequence[int]) -> list[tuple[str, tuple[int, ...]]]:
    """Return a few of them: evenly those up to the first that covers the input, and the last one."""
    until = next((number for number, (_, field) in enumerate(grown) if _covers(field, size)), len(grown) - 1)
    last = grown[-1:] if until < len(grown) - 1 else []
    inside = grown[: until + 1]
    most = MOST_SHOWN - len(last)
    if len(inside) > most:
        inside = [inside[round(n * until / (most - 1))] for n in range(most)]
    return inside + last


def _covers(field: Sequence[int], size: Sequence[int]) -> bool:
    return all(seen >= n for seen, n in zip(field, size, strict=False))


def _pair(sizes: Sequence[int], one_row: float) -> tuple[float, float]:
    """Return rows and columns: the last two axes; `one_row` is how high the row of a single axis is drawn."""
    return (one_row, sizes[0]) if len(sizes) == 1 else (sizes[-2], sizes[-1])


def _around(middle: Point, high: float, wide: float) -> tuple[Point, ...]:
    x, y = middle
    return (
        (x - wide / 2, y - high / 2),
        (x + wide / 2, y - high / 2),
        (x + wide / 2, y + high / 2),
        (x - wide / 2, y + high / 2),
    )
