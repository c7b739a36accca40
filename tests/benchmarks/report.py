"""Rows of numbers, and their presentation: a table, verdicts, JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TextIO

COLUMNS = ("work", "peer", "ours", "theirs", "ratio", "at most", "apart", "verdict")


@dataclass(frozen=True)
class Row:
    """One work against one peer.

    ours, theirs : median seconds; None where there was no answer
    ours_cut, theirs_cut : it was stopped at that time, and would have taken longer
    limit        : the target of their ratio; None where nothing is promised
    apart        : the distance of the two answers; None where there are no two
    tolerance    : what it may be
    approximates : the peer takes a short cut, and may be further away
    error        : why one of them gave no answer
    point        : the place in a sweep
    """

    work: str
    peer: str
    ours: float | None
    theirs: float | None
    ours_cut: bool = False
    theirs_cut: bool = False
    limit: float | None = None
    apart: float | None = None
    tolerance: float = 0.0
    approximates: bool = False
    error: str = ""
    point: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.ours and self.theirs else None

    @property
    def verdict(self) -> str:
        """`failed`: no answer; `differs`: not the same work; else whether the target is met.

        Of a command that was stopped the time is longer than what stands there: ours is then missed, and
        against theirs the ratio is smaller than what stands there.
        """
        if self.error:
            return "failed"
        if self.apart is not None and self.apart > self.tolerance and not self.approximates:
            return "differs"
        if self.limit is None or self.ratio is None:
            return ""
        return "met" if self.ratio <= self.limit and not self.ours_cut else "missed"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text in columns."""
    return columns([COLUMNS, *map(cells, rows)], left=(0, 1, len(COLUMNS) - 1))


def columns(cells: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    """Return lines of cells, the first of them headings, in columns: those numbered `left` begin together."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def closing(rows: Sequence[Row]) -> str:
    """Return a line with the number of targets that are met, and those that are not."""
    targets = [row for row in rows if row.limit is not None]
    missed = [row for row in targets if row.verdict != "met"]
    text = f"{len(targets) - len(missed)} of {len(targets)} targets met"
    if missed:
        text += "; missed: " + "; ".join(f"{row.work} / {row.peer} ({_missed(row)})" for row in missed)
    return text + "."


def write_json(file: TextIO, rows: Sequence[Row], about: dict[str, Any]) -> None:
    """Write the rows with their ratios and verdicts, after a description of the machine and the run."""
    lines = [asdict(row) | {"ratio": row.ratio, "verdict": row.verdict} for row in rows]
    json.dump(about | {"rows": lines}, file, indent=1)
    file.write("\n")


def _missed(row: Row) -> str:
    if row.verdict != "missed":
        return row.verdict
    if row.ours_cut:
        return "stopped"
    return f"{row.ratio:.2f} > {row.limit:g}"


def cells(row: Row) -> tuple[str, ...]:
    """Return the row as text, a cell a column."""
    sign = ">" if row.ours_cut else "<" if row.theirs_cut else ""
    return (
        row.work,
        row.peer,
        _seconds(row.ours, row.ours_cut),
        _seconds(row.theirs, row.theirs_cut),
        "" if row.ratio is None else f"{sign}{row.ratio:.2f}",
        "" if row.limit is None else f"{row.limit:g}",
        "" if row.apart is None else f"{'~' if row.approximates else ''}{row.apart:.2g}",
        f"{row.verdict}: {row.error}" if row.error else row.verdict,
    )


def _seconds(seconds: float | None, cut: bool) -> str:
    if seconds is None:
        return ""
    return f"{'>' if cut else ''}{seconds:.3f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"
