"""Draw the checkerboard of a transposed convolution: the number of taps per output, compared with resize-conv.

Odena, Dumoulin & Olah, "Deconvolution and Checkerboard Artifacts" (Distill 2016).
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

from convcli.drawing.forms import Drawing
from convcli.drawing.scene import HEAT, Label, Mark, Scene, Shape
from convcli.drawing.walk_layers import Numbers, walk_layers
from convcli.errors import ArgumentError
from convcli.layers.axes import axis_names
from convcli.layers.base import Layer
from convcli.layers.checkerboard import is_uneven, remedy
from convcli.layers.conv import Conv
from convcli.layers.text.format_layer import format_layer
from convcli.layers.transposed import ConvTranspose
from convcli.layers.variants import VARIANTS

CURE = "resize-conv"

Counts = tuple[tuple[int, ...], ...]  # rows of outputs


class Overlap(NamedTuple):
    """The number of products that are summed in each output of a chain."""

    name: str
    counts: Counts


def overlap_of(layers: Sequence[Layer], input_shape: Sequence[int]) -> Overlap:
    """Count the taps on an input for each output of the last layer, for one pair of channels."""
    *_, stage = walk_layers(layers, input_shape, Numbers())
    _, rows, columns = stage.output_shape
    counts = [[0] * columns for _ in range(rows)]
    for step in stage.steps:
        channel, row, column = step.place
        if channel == 0:
            first = step.terms[0].channel
            counts[row][column] = sum(
                term.channel == first and stage.value(first, int(term.row), int(term.column)) is not None
                for term in step.terms
            )
    return Overlap(", ".join(map(format_layer, layers)), tuple(map(tuple, counts)))


def overlap_drawing(layers: Sequence[Layer], input_shape: Sequence[int]) -> Drawing:
    """Return the drawing of a transposed layer's overlap, and of layers without a checkerboard."""
    layer = layers[0]
    if len(layers) > 1 or not isinstance(layer, ConvTranspose):
        raise ArgumentError(
            "`checkerboard=True` draws one transposed convolution; use `variant='transposed'`"
        )
    plain = {
        name: getattr(layer, name)
        for name in ("in_channels", "out_channels", "kernel_size", "stride", "groups")
    }
    cure = VARIANTS[CURE](Conv(**plain))
    both = (overlap_of(layers, input_shape), overlap_of(cure, input_shape))
    summary = _summary(layer)
    return Drawing(
        steps=0,
        text=lambda width, _: _text(both, summary, width),
        record=lambda: _record(both),
        scenes=lambda: [_scene(both, summary)],
    )


def _summary(layer: ConvTranspose) -> list[str]:
    lines = []
    for name, k, s, d in zip(
        axis_names(layer.dims), layer.kernel_size, layer.stride, layer.dilation, strict=True
    ):
        evenness = "unevenly, a checkerboard" if is_uneven(k, s, d) else "evenly, no checkerboard"
        lines.append(f"{name}: the kernel overlaps {evenness}; {remedy(k, s, d)}")
    rest = {line.partition(": ")[2] for line in lines}
    return lines if len(rest) > 1 else [rest.pop()]


def _text(both: Sequence[Overlap], summary: Sequence[str], width: int) -> str:
    lines = ["how many products are summed in each output"]
    for overlap in both:
        wide = max(len(str(count)) for row in overlap.counts for count in row)
        lines += [
            "",
            overlap.name,
            *(" ".join(str(count).rjust(wide) for count in row) for row in overlap.counts),
        ]
    return "".join(
        f"{line}\n" for line in (*lines, "", *(part for line in summary for part in wrap(line, width)))
    )


def _record(both: Sequence[Overlap]) -> list[dict[str, Any]]:
    return [{"layers": each.name, "counts": [list(row) for row in each.counts]} for each in both]


MARGIN, GAP, SIZE, LEADING = 26.0, 50.0, 34.0, 22.0


def _scene(both: Sequence[Overlap], summary: Sequence[str]) -> Scene:
    top, left = MARGIN + 3 * LEADING, MARGIN
    title = "How many products are summed in each output"
    marks: list[Mark] = [Label(MARGIN, MARGIN, title, 15, "ink", "start")]
    for overlap in both:
        marks.append(Label(left, top - 16, overlap.name, 12.5, "faint", "start"))
        marks += _map(overlap.counts, left, top)
        left += max(len(overlap.counts[0]) * SIZE, len(overlap.name) * 6.6) + GAP
    bottom = top + max(len(overlap.counts) for overlap in both) * SIZE + 1.5 * LEADING
    lines = [part for line in summary for part in wrap(line, 72)]
    marks += [Label(MARGIN, bottom + n * LEADING, line, 15, "ink", "start") for n, line in enumerate(lines)]
    return Scene(max(left - GAP + MARGIN, 580.0), bottom + len(lines) * LEADING, tuple(marks), title=title)


def _map(counts: Counts, left: float, top: float) -> Iterator[Mark]:
    """Draw counts as colours, from the smallest to the largest, with the numbers."""
    most = max(max(row) for row in counts) or 1
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            x, y = left + column * SIZE, top + row * SIZE
            level = count * (len(HEAT) - 1) // most
            corners = ((x, y), (x + SIZE, y), (x + SIZE, y + SIZE), (x, y + SIZE))
            yield Shape(corners, f"heat-{level}", "padding-edge")
            ink = "deep-heat-ink" if level > 4 else "heat-ink"
            yield Label(x + SIZE / 2, y + SIZE / 2, str(count), 14, ink)
