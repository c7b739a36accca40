"""The roofline model: whether arithmetic or memory limits each layer on a machine, and its shortest possible time.

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
    """The limits of a machine.

    peak : FLOPs per second
    bandwidth : bytes per second between memory and processor
    """

    peak: float
    bandwidth: float

    @property
    def ridge(self) -> float:
        """The arithmetic intensity in FLOPs per byte from which on arithmetic limits a layer."""
        return self.peak / self.bandwidth


def parse_machine(text: str) -> Machine:
    """Parse the peak and the bandwidth of a machine.

    >>> parse_machine("peak=100GFLOP/s,bandwidth=20GB/s")
    Machine(peak=100000000000.0, bandwidth=20000000000.0)
    """
    _, pairs = apart(f":{text}")
    found: dict[str, float] = {}
    for name, value in pairs:
        if name not in UNITS:
            raise ArgumentError(
                f"the roofline has no argument {name or value!r}; {instead_of(name or value, UNITS)}"
            )
        if name in found:
            raise ArgumentError(f"the {name} of the roofline is given twice; give it once")
        found[name] = _number(name, value)
    for name, unit in UNITS.items():
        if name not in found:
            raise ArgumentError(
                f"the roofline needs the {name} in {unit}, for example peak=100GFLOP/s,bandwidth=20GB/s"
            )
    return Machine(**found)


def _number(name: str, text: str) -> float:
    match = _NUMBER.fullmatch(text)
    unit = match[3] if match else None
    fits = unit is None or unit.lower().startswith("f") == (name == "peak")
    number = read_float(match[1]) * PREFIXES[match[2].lower()] if match and fits else 0.0
    if not 0 < number < inf:
        example = "100GFLOP/s" if name == "peak" else "20GB/s"
        raise ArgumentError(
            f"the {name} must be a positive number of {UNITS[name]}, such as {example}, got {text!r}"
        )
    return number


def add_roofline(rows: Sequence[Row], machine: Machine) -> list[Row]:
    """Return rows with the limit of each layer and its shortest possible time in seconds.

    `bound` is `compute` if its FLOPs at the peak take longer than its bytes at the bandwidth, else `memory`; every
    parameter and activation is moved once. Both fields are None for a layer that is not counted or does nothing.
    Comparisons and transcendentals are not FLOPs, and are not part of the time.
    """
    return [row | _bound(row, machine) for row in rows]


def _bound(row: Row, machine: Machine) -> Row:
    flops, moved = row["flops"], moved_bytes(row)
    if flops is None or moved is None or not (flops or moved):
        return {"bound": None, "least_seconds": None}
    compute, memory = _quotient(flops, machine.peak), _quotient(moved, machine.bandwidth)
    return {"bound": "compute" if compute > memory else "memory", "least_seconds": max(compute, memory)}


def _quotient(count: float, each_second: float) -> float:
    """Return the time in seconds for a count, or infinity if it is too large for a float."""
    try:
        return count / each_second
    except OverflowError:
        return inf


def moved_bytes(row: Row) -> float | None:
    """Return the bytes that a layer moves, including parameters that it shares with another layer."""
    if row["activation_bytes"] is None:
        return None
    if row["shares_with"] is not None and row["flops"]:
        return float(row["flops"] / row["arithmetic_intensity"])
    return int(row["parameter_bytes"]) + int(row["activation_bytes"])


def roofline_lines(rows: Sequence[Row], machine: Machine) -> list[str]:
    """Return lines that describe the ridge point, and how much of the shortest time is limited by memory."""
    timed = [row for row in rows if row["least_seconds"] is not None]
    total = sum(row["least_seconds"] for row in timed)
    by_memory = [row for row in timed if row["bound"] == "memory"]
    share = sum(row["least_seconds"] for row in by_memory) / total if 0 < total < inf else 0.0
    lines = [
        f"roofline: {machine.peak / 1e9:,.6g} GFLOP/s and {machine.bandwidth / 1e9:,.6g} GB/s: layers of at least "
        f"{machine.ridge:.4g} FLOPs per byte are limited by compute, the others by memory",
        f"at least {_seconds(total)}, one layer after the other; {len(by_memory):,} of {len(timed):,} layers are "
        f"limited by memory, {share:.1%} of that time",
    ]
    slowest = max(timed, key=lambda row: row["least_seconds"], default=None)
    if slowest is not None and len(timed) > 1:
        lines.append(
            f"the longest: {slowest['name']}, {_seconds(slowest['least_seconds'])}, limited by {slowest['bound']}"
        )
    return lines


def _seconds(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds / 1e-9:.4g} ns"
