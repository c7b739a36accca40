"""The columns of a network's picture: bars per field, and the totals in large type."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from convcli.drawing.network_lines import Line
from convcli.drawing.short_numbers import short, times
from convcli.networks.graph import Graph

Row = Mapping[str, Any]
NEARLY_ALL = 0.95


class Column(NamedTuple):
    """A column of bars.

    title : the heading
    values : one per line; None if there is none
    texts : the values as text
    caption : the total or the reference value, as text
    colour : of the largest bars
    pale : of the other bars
    mark : a value that is marked by a dashed line
    whole : the total that the values are parts of; None if they are not parts of a total
    """

    title: str
    values: tuple[float | int | None, ...]
    texts: tuple[str, ...]
    caption: str
    colour: str
    pale: str
    mark: float | None = None
    whole: float | int | None = None

    @property
    def most(self) -> float | int:
        """The value of the longest bar."""
        return max((value for value in self.values if value is not None), default=0)

    def largest(self) -> list[int]:
        """Return the fewest lines that make up half of the total, the largest first, including equal values.

        If these would make up nearly everything, only the larger ones are returned.
        """
        if not self.whole:
            return []
        sizes = {number: value for number, value in enumerate(self.values) if value}
        order = sorted(sizes, key=lambda number: -sizes[number])
        made: float | int = 0
        for number in order:
            made += sizes[number]
            if 2 * made >= self.whole:
                break
        found = [each for each in order if sizes[each] >= sizes[number]]
        larger = [each for each in found if sizes[each] > sizes[number]]
        nearly_all = part(sum(sizes[each] for each in found), self.whole) >= NEARLY_ALL
        return larger if nearly_all and larger else found


SUMS = {  # field -> title, colours, and unit (empty for counts)
    "macs": ("MACs", "window", "input", ""),
    "params": ("parameters", "current", "output", ""),
    "least_seconds": ("shortest time", "tap-1", "tap-2", "s"),
    "training_bytes": ("training memory", "tap-1", "tap-2", "B"),
}
OF_COMMANDS = {
    "cost": ("macs", "params", "least_seconds", "training_bytes"),
    "params": ("params",),
    "shape": (),
}


def columns(command: str, network: Graph, lines: Sequence[Line], rows: Sequence[Row]) -> list[Column]:
    """Return the columns of a command's picture for the fields that the rows have."""
    made = [_sum(field, lines, rows) for field in OF_COMMANDS[command] if rows and field in rows[0]]
    if command == "params" or not rows or "receptive_field" not in rows[0]:
        return made
    if command == "shape":
        made += _shapes(network, lines, rows)
    return [*made, _fields(network, lines, rows)]


def _sum(field: str, lines: Sequence[Line], rows: Sequence[Row]) -> Column:
    title, colour, pale, unit = SUMS[field]
    values = tuple(line.total(rows, field) for line in lines)
    whole = sum(value for value in values if value is not None)
    texts = tuple(
        ("not counted" if line.members else "") if value is None else short(value, unit) if value else ""
        for line, value in zip(lines, values, strict=True)
    )
    return Column(title, values, texts, short(whole, unit), colour, pale, whole=whole)


def _shapes(network: Graph, lines: Sequence[Line], rows: Sequence[Row]) -> list[Column]:
    """Return the columns of the output size and of the number of channels."""
    first = 0 if network.per_item else 1
    shapes = [line.last(rows, "output_shape") for line in lines]
    for number, shape in enumerate(network.inputs.values()):
        known = [n for n in shape[1:] if isinstance(n, int)]
        shapes[number] = [1, *known][first ^ 1 :] if len(known) == len(shape) - 1 else None
    sizes = [None if not shape else shape[first + 1 :] for shape in shapes]
    channels = [None if not shape or len(shape) <= first else shape[first] for shape in shapes]
    return [
        Column(
            "size",
            tuple(max(size) if size else None for size in sizes),
            tuple(times(size) for size in sizes),
            "largest axis",
            "window",
            "input",
        ),
        Column(
            "channels",
            tuple(channels),
            tuple("" if n is None else times((n,)) for n in channels),
            "",
            "current",
            "output",
        ),
    ]


def _fields(network: Graph, lines: Sequence[Line], rows: Sequence[Row]) -> Column:
    """Return the column of the receptive field on its largest axis, with the input size as a mark."""
    fields = [_known(line.last(rows, "receptive_field")) for line in lines]
    size = max(input_size(network), default=None)
    return Column(
        "receptive field",
        tuple(max(field) if field else None for field in fields),
        tuple(times(field) for field in fields),
        "" if size is None else f"input {times((size,))}",
        "tap-1",
        "tap-1",
        mark=size,
    )


def input_size(network: Graph) -> tuple[int, ...]:
    """Return the spatial sizes of the first input, or an empty tuple if one is unknown."""
    sizes = next(iter(network.inputs.values()), ())[2:]
    known = tuple(n for n in sizes if isinstance(n, int))
    return known if len(known) == len(sizes) else ()


def _known(field: Sequence[int | None] | None) -> list[int]:
    """Return a field if all of its axes are known, else an empty list."""
    known = [n for n in field or () if n is not None]
    return known if field and len(known) == len(field) else []


def part(value: float | int, whole: float | int) -> float:
    """Return the ratio of a value to the whole; 1 if both are infinite."""
    return 1.0 if value == whole else value / whole


def figures(command: str, totals: Row, last: Row, nodes: int) -> list[tuple[str, str]]:
    """Return the totals of a network as (text, label), to be drawn in large type."""
    known = {
        "cost": [
            (short(totals.get("macs")), "MACs"),
            (short(totals.get("flops")), "FLOPs"),
            (short(totals.get("params")), "parameters"),
            (short(totals.get("parameter_bytes"), "B"), "parameters, buffers"),
            (short(totals.get("activation_bytes"), "B"), "activations moved"),
        ],
        "params": [
            (short(totals.get("params")), "parameters"),
            (short(totals.get("weights")), "weights"),
            (short(totals.get("biases")), "biases"),
            (short(totals.get("buffers")), "buffers"),
            (short(totals.get("parameter_bytes"), "B"), "parameters, buffers"),
        ],
        "shape": [
            (times(last.get("output_shape"), each=True) or "unknown", "output"),
            (times(_known(last.get("receptive_field"))) or "unknown", "receptive field"),
        ],
    }[command]
    return [*known, (f"{nodes:,}", "layer" if nodes == 1 else "layers")]
