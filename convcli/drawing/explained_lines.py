"""The text that explains how one output sample is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convcli.layers.text.notation import format_size

if TYPE_CHECKING:
    from convcli.analysis.explained_sample import Explained, ExplainedPlace, Number, Products, Rows

MAX_TERMS = 30  # longest sum that is written out
MAX_PARTS = 12  # windows that are printed; the JSON output has all


def explained_text(found: ExplainedPlace) -> str:
    """Return the explanation as text."""
    lines = [place_line(found)]
    if has_padding(found):
        lines.append(f"in brackets: padding, {found.padding_mode}")
    shown = shown_channels(found)
    for channel in shown:
        lines += _channel(found, channel)
    if len(shown) < len(found.channels):
        lines += ["", left_out(found, shown)]
    return "".join(f"{line}\n" for line in lines)


def place_line(found: ExplainedPlace) -> str:
    """Return the position of the output and the rows and columns that it depends on."""
    return (
        f"output {found.row},{found.column} of {format_size(found.output_size)}, counted from 0: rows "
        f"{_ends(found.rows)} and columns {_ends(found.columns)} of the picture"
    )


def has_padding(found: ExplainedPlace) -> bool:
    """Return whether a window extends beyond the picture."""
    return any(any(map(any, part.padded)) for channel in found.channels for part in channel.parts)


def shown_channels(found: ExplainedPlace) -> Sequence[Explained]:
    """Return the first channels of the output, limited by the number of windows to show."""
    windows = 0
    for number, channel in enumerate(found.channels):
        windows += len(channel.parts)
        if windows > MAX_PARTS and number:
            return found.channels[:number]
    return found.channels


def left_out(found: ExplainedPlace, shown: Sequence[Explained]) -> str:
    """Return the number of channels that are not shown, as text."""
    return f"{len(found.channels) - len(shown)} more channels are in the JSON output"


def _channel(found: ExplainedPlace, channel: Explained) -> list[str]:
    lines = []
    several = len(channel.parts) > 1
    for part in channel.parts:
        lines += ["", f"{part_name(channel, part)}:", *_beside(part), _sum(part)]
    lines.append("")
    if len(found.channels) > 1 or several:
        lines.append(f"output channel {channel.channel}:")
    lines += after_lines(channel)
    return lines


def part_name(channel: Explained, part: Products) -> str:
    """Return the name of a window: its channel, and its matrix if the kernel has several."""
    return f"channel {part.channel}" + (f", matrix {part.matrix}" if len(channel.sums) > 1 else "")


def after_lines(channel: Explained) -> list[str]:
    """Describe what happens to the sums: bias, combination, division, activation."""
    lines = []
    if len(channel.sums) == 1:
        terms = [word(part.sum) for part in channel.parts]
        if channel.bias:
            terms.append(f"{word(channel.bias)} (bias)")
        if len(terms) > 1:
            lines.append(f"sum: {' + '.join(terms)} = {word(channel.sums[0])}")
        formula = word(channel.sums[0])
    else:
        several = ", ".join(map(word, channel.sums))
        formula = (
            f"sqrt of the sum of the squares of {several}"
            if channel.combine == "magnitude"
            else f"the largest of {several}"
        )
    steps = [formula]
    if channel.divisor != 1:
        steps.append(f"/ {word(channel.divisor)}")
    if channel.offset:
        steps.append(f"+ {word(channel.offset)}")
    if len(steps) > 1 or len(channel.sums) > 1:
        lines.append(f"{' '.join(steps)} = {word(channel.value)}")
    if channel.activation is not None:
        lines.append(f"{channel.activation}: {word(channel.activated)}")
    lines.append(f"sample: {word(channel.sample)}")
    return lines


def _beside(part: Products) -> list[str]:
    """Return lines with the window, the kernel and the products side by side."""
    window = [
        [f"({word(sample)})" if outside else word(sample) for sample, outside in zip(*rows, strict=True)]
        for rows in zip(part.window, part.padded, strict=True)
    ]
    blocks = [_aligned(window), _aligned(_words(part.kernel)), _aligned(_words(part.products))]
    heads = ("window", "kernel", "products")
    blocks = [[head, *block] for head, block in zip(heads, blocks, strict=True)]
    widths = [max(map(len, block)) for block in blocks]
    return [
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*blocks, strict=True)
    ]


def _sum(part: Products) -> str:
    """Return the sum of products as text."""
    pairs = [
        f"{_factor(sample)}*{_factor(weight)}"
        for rows in zip(part.window, part.kernel, strict=True)
        for sample, weight in zip(*rows, strict=True)
    ]
    if len(pairs) > MAX_TERMS:
        return f"{len(pairs)} products, sum: {word(part.sum)}"
    return f"{' + '.join(pairs)} = {word(part.sum)}"


def _words(rows: Rows) -> list[list[str]]:
    return [[word(number) for number in row] for row in rows]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    width = max(len(word) for row in rows for word in row)
    return [" ".join(word.rjust(width) for word in row) for row in rows]


def _factor(number: Number) -> str:
    return f"({word(number)})" if number < 0 else word(number)


def word(number: Number) -> str:
    """Format a number for reading."""
    return str(number) if isinstance(number, int) else f"{number:.6g}"


def _ends(ends: tuple[int, int]) -> str:
    first, last = ends
    return str(first) if first == last else f"{first} to {last}"
