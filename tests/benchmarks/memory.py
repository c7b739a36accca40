"""Compare the memory of runs with its estimates: `make bench ARGS=--memory`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from PIL import Image

from tests.benchmarks.memory_works import WORKS, Work, template, write
from tests.benchmarks.pictures import Size, photograph
from tests.benchmarks.report import columns

# A process is charged for the pages of the one that it was forked from, so that this one is small.
PROBE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes, of `ru_maxrss`
MIB = 1 << 20
REFUSED = re.compile(r"raise it with --max-memory (?P<enough>\d+[KMG])")
ESTIMATED = re.compile(r"(?P<mib>[\d,]+) MiB; write|\"bytes\": (?P<bytes>\d+)")
SMALL = (64, 64)  # rows and columns of a picture that takes next to nothing compared with the program itself
UNLIMITED = ("--max-memory", "1000G")
HEADINGS = ("work", "estimate", "peak", "ratio", "at least", "at most", "verdict")


@dataclass(frozen=True)
class Taken:
    """The estimated and the measured memory of a run, in bytes in addition to the program itself; None if it failed."""

    work: Work
    estimate: int | None = None
    peak: int | None = None
    error: str = ""

    @property
    def ratio(self) -> float | None:
        """The estimate by the peak."""
        return (
            self.estimate / max(self.peak, 1) if self.estimate is not None and self.peak is not None else None
        )

    @property
    def verdict(self) -> str:
        """`ok`, `MISS`, or `failed`."""
        if self.ratio is None:
            return "failed"
        within = self.work.least <= self.ratio and (self.work.most is None or self.ratio <= self.work.most)
        return "ok" if within else "MISS"


def measured(size: Size, folder: Path, only: str = "", works: Sequence[Work] = WORKS) -> Iterator[Taken]:
    """Run each work whose name has a pattern, on a picture of a size and on a small one; yield what they took."""
    make = cache(lambda kind, large: _made(folder, kind, size if large else SMALL))
    for work in works:
        if re.search(only, work.name):
            yield _taken(work, folder, make)


def _taken(work: Work, folder: Path, make: Callable[[str, bool], Path]) -> Taken:
    target = folder / f"out{work.into}"

    def words(large: bool) -> list[str]:
        text = work.words if large or work.small is None else work.small
        options = [each.format(template=make("template.png", True)) for each in text.split()]
        return [work.command, str(make(work.source, large)), *options, "-o", str(target), "--force"]

    try:
        rest = peak([*words(False), *UNLIMITED])
        limit = ("--max-memory", least(words(True))) if work.by_rows else UNLIMITED
        return Taken(work, estimate([*words(True), *limit]), peak([*words(True), *limit]) - rest)
    except OSError as error:
        return Taken(work, error=str(error))


def _made(folder: Path, kind: str, size: Size) -> Path:
    """Return a file of a kind, which is written where it is not there."""
    name = Path(kind)
    path = folder / f"{name.stem}-{size[0]}{name.suffix}"
    if kind == "template.png":
        Image.fromarray(template(photograph(size))).save(path)
    else:
        write(path, photograph(size))
    return path


def peak(words: Sequence[str]) -> int:
    """Return the peak memory of a run of convcli in bytes, or raise OSError with its message."""
    done = _run([sys.executable, "-S", "-c", PROBE, sys.executable, "-m", "convcli", *words])
    if done.returncode:
        raise OSError(_last(done.stderr))
    return int(done.stdout) * UNIT


def estimate(words: Sequence[str]) -> int:
    """Return the memory that convcli estimates for a run on its first file; or raise OSError."""
    done = _run([sys.executable, "-m", "convcli", *words, "--dry-run"])
    found = ESTIMATED.search(done.stdout)
    if found is None:
        raise OSError(f"there is no estimate: {_last(done.stderr)}")
    return int(found["bytes"]) if found["bytes"] else int(found["mib"].replace(",", "")) * MIB


def least(words: Sequence[str]) -> str:
    """Return the memory that convcli needs by its error for a file with a tiny limit; or raise OSError."""
    done = _run([sys.executable, "-m", "convcli", *words, "--max-memory", "1K"])
    found = REFUSED.search(done.stderr)
    if found is None:
        raise OSError(f"nothing is refused: {_last(done.stderr)}")
    return found["enough"]


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


def _last(text: str) -> str:
    return (text.strip() or "no word").splitlines()[-1]


def table(rows: Sequence[Taken]) -> str:
    """Return the rows as text in columns."""
    return columns([HEADINGS, *map(_cells, rows)], left=(0, len(HEADINGS) - 1))


def closing(rows: Sequence[Taken]) -> str:
    """Return a line with the number and the names of estimates outside their limits."""
    missed = [row for row in rows if row.verdict != "ok"]
    text = f"{len(missed)} of {len(rows)} estimates miss"
    if missed:
        text += ": " + "; ".join(f"{row.work.name} ({_missed(row)})" for row in missed)
    return text + "."


def write_json(file: TextIO, rows: Sequence[Taken], about: dict[str, Any]) -> None:
    """Write the rows with their ratios and verdicts, after a description of the machine and the run."""
    lines = [asdict(row) | {"ratio": row.ratio, "verdict": row.verdict} for row in rows]
    json.dump(about | {"rows": lines}, file, indent=1)
    file.write("\n")


def _missed(row: Taken) -> str:
    return "failed" if row.ratio is None else f"{row.ratio:.2f}"


def _cells(row: Taken) -> tuple[str, ...]:
    def size(count: int | None) -> str:
        return "" if count is None else f"{count / MIB:.0f} MiB"

    return (
        row.work.name,
        size(row.estimate),
        size(row.peak),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        f"{row.work.least:.2f}",
        "" if row.work.most is None else f"{row.work.most:.2f}",
        f"{row.verdict}: {row.error}" if row.error else row.verdict,
    )
