"""The roofline: what bounds each layer on a machine, its arithmetic or its memory, and the least time it takes.

Williams, Waterman & Patterson, "Roofline: an insightful visual performance model for multicore architectures" (2009).
"""

import re
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from convcli.errors import ArgumentError, instead_of
from convcli.layers.text.arguments import apart
from convcli.networks.rows import Row
from convcli.number_text import read_float

PREFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18}
UNITS = {"peak": "FLOP/s", "bandwidth": "B/s"}

_NUMBER = re.compile(
    r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:/\d+(?:\.\d+)?)?)\s*([kmgtpe]?)\s*(flop/?s|flops/s|b/s|bytes/s)?",
    re.IGNORECASE,
)


class Machine(NamedTuple):
    """What a machine can do at most.

    peak : FLOPs in a second
    bandwidth : bytes that memory gives and takes in a second
    """

    peak: float
    bandwidth: float

    @property
    def ridge(self) -> float:
        """FLOPs for each byte from which on arithmetic bounds a layer."""
        return self.peak / self.bandwidth


def parse_machine(text: str) -> Machine:
    """Read the peak and the bandwidth of a machine.

    >>> parse_machine("peak=100GFLOP/s,bandwidth=20GB/s")
    Machine(peak=100000000000.0, bandwidth=20000000000.0)
    """
    _, pairs = apart(f":{text}")
    found: dict[str, float] = {}
    for name, value in pairs:
        if name not in UNITS:
            raise ArgumentError(f"the roofline has no {name or value!r}; {instead_of(name or value, UNITS)}")
        if name in found:
            raise ArgumentError(f"the {name} of the roofline is given twice")
        found[name] = _number(name, value)
    for name, unit in UNITS.items():
        if name not in found:
            raise ArgumentError(
                f"the roofline needs the {name}, as peak=100GFLOP/s,bandwidth=20GB/s ({unit})"
            )
    return Machine(**found)


def _number(name: str, text: str) -> float:
    match = _NUMBER.fullmatch(text)
    unit = match[3] if match else None
    fits = unit is None or unit.lower().startswith("f") == (name == "peak")
    number = read_float(match[1]) * PREFIXES[match[2].lower()] if match and fits else 0.0
    if not 0 < number < inf:
        example = "100GFLOP/s" if name == "peak" else "20GB/s"
        raise ArgumentError(f"the {name} {text!r} is no number of {UNITS[name]} above 0, such as {example}")
    return number


def add_roofline(rows: Sequence[Row], machine: Machine) -> list[Row]:
    """Return rows with what bounds each layer, and the least seconds that it takes.

    `bound` is `compute` where its FLOPs at the peak take longer than its bytes at the bandwidth, else `memory`; every
    parameter and every activation is moved once. Both are None where a layer is not counted, or does nothing.
    Comparisons and transcendentals are no FLOPs, and not in the time.
    """
    return [row | _bound(row, machine) for row in rows]


def _bound(row: Row, machine: Machine) -> Row:
    flops, moved = row["flops"], moved_bytes(row)
    if flops is None or moved is None or not (flops or moved):
        return {"bound": None, "least_seconds": None}
    compute, memory = _quotient(flops, machine.peak), _quotient(moved, machine.bandwidth)
    return {"bound": "compute" if compute > memory else "memory", "least_seconds": max(compute, memory)}


def _quotient(count: float, each_second: float) -> float:
    """Return the seconds that so many take; infinity where no float holds the number."""
    try:
        return count / each_second
    except OverflowError:
        return inf


def moved_bytes(row: Row) -> float | None:
    """Return the bytes that a layer moves, parameters that it shares with another among them."""
    if row["activation_bytes"] is None:
        return None
    if row["shares_with"] is not None and row["flops"]:
        return float(row["flops"] / row["arithmetic_intensity"])
    return int(row["parameter_bytes"]) + int(row["activation_bytes"])


def roofline_lines(rows: Sequence[Row], machine: Machine) -> list[str]:
    """Say where the ridge is, and how much of the least time is bound by what."""
    timed = [row for row in rows if row["least_seconds"] is not None]
    total = sum(row["least_seconds"] for row in timed)
    by_memory = [row for row in timed if row["bound"] == "memory"]
    share = sum(row["least_seconds"] for row in by_memory) / total if 0 < total < inf else 0.0
    lines = [
        f"roofline: {machine.peak / 1e9:,.6g} GFLOP/s over {machine.bandwidth / 1e9:,.6g} GB/s: compute bounds from "
        f"{machine.ridge:.4g} FLOPs per byte on, memory below",
        f"at least {_seconds(total)}, one layer after the other; {len(by_memory):,} of {len(timed):,} layers are bound "
        f"by memory, {share:.1%} of that time",
    ]
    slowest = max(timed, key=lambda row: row["least_seconds"], default=None)
    if slowest is not None and len(timed) > 1:
        lines.append(
            f"the longest: {slowest['name']}, {_seconds(slowest['least_seconds'])}, bound by {slowest['bound']}"
        )
    return lines


def _seconds(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds / 1e-9:.4g} ns"
