"""How one output is computed, as text and as JSON: what `convcli filter --explain` prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from convcli import __version__
from convcli.layers.text.notation import format_size

if TYPE_CHECKING:
    from convcli.analysis.explained_sample import Explained, ExplainedPlace, Number, Products, Rows

MOST_TERMS = 30  # of a sum that are written out
MOST_PARTS = 12  # windows that are printed; JSON has all


def as_json(found: ExplainedPlace) -> str:
    """Return everything as one JSON object."""
    whole = {"command": "filter", "version": __version__, **asdict(found)}
    return json.dumps(whole, indent=2) + "\n"


def as_text(found: ExplainedPlace) -> str:
    """Return the explanation as lines of text."""
    lines = [
        f"output {found.row},{found.column} of {format_size(found.output_size)}, counted from 0: rows "
        f"{_ends(found.rows)} and columns {_ends(found.columns)} of the picture"
    ]
    parts = [part for channel in found.channels for part in channel.parts]
    if any(any(map(any, part.padded)) for part in parts):
        lines.append(f"in brackets: padding, {found.padding_mode}")
    printed = 0
    for number, channel in enumerate(found.channels):
        if printed + len(channel.parts) > MOST_PARTS and number:
            lines += ["", f"{len(found.channels) - number} more channels; -o x.json has all"]
            break
        printed += len(channel.parts)
        lines += _channel(found, channel)
    return "".join(f"{line}\n" for line in lines)


def _channel(found: ExplainedPlace, channel: Explained) -> list[str]:
    lines = []
    several = len(channel.parts) > 1
    for part in channel.parts:
        name = f"channel {part.channel}" + (f", matrix {part.matrix}" if len(channel.sums) > 1 else "")
        lines += ["", f"{name}:", *_beside(part), _sum(part)]
    lines.append("")
    if len(found.channels) > 1 or several:
        lines.append(f"output channel {channel.channel}:")
    lines += _after(channel)
    return lines


def _after(channel: Explained) -> list[str]:
    """Describe what happens to the sums: bias, combination, division, activation."""
    lines = []
    if len(channel.sums) == 1:
        terms = [_word(part.sum) for part in channel.parts]
        if channel.bias:
            terms.append(f"{_word(channel.bias)} (bias)")
        if len(terms) > 1:
            lines.append(f"sum: {' + '.join(terms)} = {_word(channel.sums[0])}")
        told = _word(channel.sums[0])
    else:
        several = ", ".join(map(_word, channel.sums))
        told = (
            f"sqrt of the summed squares of {several}"
            if channel.combine == "magnitude"
            else f"the largest of {several}"
        )
    steps = [told]
    if channel.divisor != 1:
        steps.append(f"/ {_word(channel.divisor)}")
    if channel.offset:
        steps.append(f"+ {_word(channel.offset)}")
    if len(steps) > 1 or len(channel.sums) > 1:
        lines.append(f"{' '.join(steps)} = {_word(channel.value)}")
    if channel.activation is not None:
        lines.append(f"{channel.activation}: {_word(channel.activated)}")
    lines.append(f"sample: {_word(channel.sample)}")
    return lines


def _beside(part: Products) -> list[str]:
    """Lay the window, the kernel and the products beside each other."""
    window = [
        [f"({_word(sample)})" if outside else _word(sample) for sample, outside in zip(*rows, strict=True)]
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
    """Write the sum of products as arithmetic."""
    pairs = [
        f"{_factor(sample)}*{_factor(weight)}"
        for rows in zip(part.window, part.kernel, strict=True)
        for sample, weight in zip(*rows, strict=True)
    ]
    if len(pairs) > MOST_TERMS:
        return f"{len(pairs)} products, their sum: {_word(part.sum)}"
    return f"{' + '.join(pairs)} = {_word(part.sum)}"


def _words(rows: Rows) -> list[list[str]]:
    return [[_word(number) for number in row] for row in rows]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    width = max(len(word) for row in rows for word in row)
    return [" ".join(word.rjust(width) for word in row) for row in rows]


def _factor(number: Number) -> str:
    return f"({_word(number)})" if number < 0 else _word(number)


def _word(number: Number) -> str:
    """Write a number for reading."""
    return str(number) if isinstance(number, int) else f"{number:.6g}"


def _ends(ends: tuple[int, int]) -> str:
    first, last = ends
    return str(first) if first == last else f"{first} to {last}"
