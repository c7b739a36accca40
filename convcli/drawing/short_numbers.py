"""Format counts, measures and sizes for labels: three digits and a unit."""

from collections.abc import Sequence
from math import inf
from typing import Any

UNITS = ("", "k", "M", "G", "T", "P", "E")
LONG = 10**7  # sizes from here on are abbreviated


def short(count: float | int | None, unit: str = "") -> str:
    """Format a count or a measure with three digits and a unit.

    >>> short(9408), short(118_013_952), short(3.2e-5, "s"), short(46_796_448, "B"), short(512)
    ('9.41 k', '118 M', '32.0 us', '46.8 MB', '512')
    """
    if count is None:
        return "unknown"
    if unit == "s":
        return _seconds(count)
    if count < 1000:
        return f"{count:,} {unit}".rstrip()
    power = 1
    while power < len(UNITS) - 1 and 2 * count >= 1999 * 1000**power:  # would be rounded to 1,000
        power += 1
    try:
        value = count / 1000**power
    except OverflowError:
        value = inf
    if value < 1000:
        return f"{_three(value)} {UNITS[power]}{unit}"
    digits = str(count)
    return f"{digits[0]}.{digits[1:3]}e{len(digits) - 1} {unit}".rstrip()


def _seconds(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{_three(seconds / size)} {unit}"
    return f"{_three(seconds * 1e9)} ns"


def _three(value: float) -> str:
    """Format a number with three digits; a number of 100 and more as an integer."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def times(sizes: Sequence[Any] | None, *, each: bool = False) -> str:
    """Format sizes; a size that all axes have in common is written once, unless `each` is True."""
    if not sizes:
        return ""
    texts = [short(n) if isinstance(n, int) and n >= LONG else str(n) for n in sizes]
    return texts[0] if len(set(texts)) == 1 and not each else "x".join(texts)
