"""Run the selected works, and compare the answers."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from tests.benchmarks.peers import Peer
from tests.benchmarks.pictures import Array
from tests.benchmarks.report import Row
from tests.benchmarks.setting import Setting
from tests.benchmarks.timing import Timing, alternate
from tests.benchmarks.works import Work, works


def measure(setting: Setting, only: str = "") -> Iterator[list[Row]]:
    """Yield the rows of each work, in which only peers are kept whose `work / peer` has the pattern."""
    pattern = re.compile(only)
    for work in works(setting):
        kept = tuple(peer for peer in work.peers if pattern.search(f"{work.name} / {peer.name}"))
        if kept or (not work.peers and pattern.search(work.name)):
            yield _rows(replace(work, peers=kept), setting)


def _rows(work: Work, setting: Setting) -> list[Row]:
    material = work.material()
    calls = [partial(work.ours, material)]
    calls += [partial(peer.run, peer.prepare(material)) for peer in work.peers]
    ours, *theirs = alternate(calls, setting.repeats, setting.patience)
    if not work.peers:
        return [Row(work.name, "", _median(ours), None, ours.cut, error=ours.error, point=work.point)]
    own = None if ours.error or ours.cut else work.read(ours.answer)
    return [_row(work, peer, ours, own, timing) for peer, timing in zip(work.peers, theirs, strict=True)]


def _row(work: Work, peer: Peer, ours: Timing, own: Array | None, theirs: Timing) -> Row:
    apart = None
    error = f"convcli: {ours.error}" if ours.error else theirs.error
    if own is not None and not theirs.error and not theirs.cut:
        apart, error = _apart(work, own, work.read(theirs.answer), peer.margin)
    return Row(
        work=work.name,
        peer=peer.name,
        ours=_median(ours),
        theirs=_median(theirs),
        ours_cut=ours.cut,
        theirs_cut=theirs.cut,
        limit=peer.limit,
        apart=apart,
        tolerance=peer.tolerance,
        approximates=peer.approximates,
        error=error,
        point=work.point,
    )


def _apart(work: Work, own: Array, other: Array, margin: int) -> tuple[float | None, str]:
    if own.shape != other.shape:
        return None, f"answers of shape {own.shape} and {other.shape}"
    inside: Any = tuple(slice(margin, size - margin) for size in own.shape[:2]) if margin else ...
    return work.distance(own[inside], other[inside]), ""


def _median(timing: Timing) -> float | None:
    return timing.seconds if timing.samples else None
