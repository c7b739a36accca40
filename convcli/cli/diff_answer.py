"""The answers of `convcli diff`: a row for each frame of two pictures or each pair in two folders; and CI reports."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from convcli import __version__
from convcli.analysis.picture_difference import PictureDifference
from convcli.analysis.similarity import SIDE
from convcli.ci_reports import Case, Outcome
from convcli.cli.diff_pairs import DIFFERENT, FAILED, SAME, Compared
from convcli.cli.user_messages import Messages
from convcli.render import Answer, Row

COLUMNS = (
    "difference",
    "row",
    "column",
    "channel",
    "mean_squared_error",
    "psnr",
    "ssim",
    "beyond",
    "share",
)
OF_FOLDERS = ("picture", "outcome", "difference", "psnr", "ssim", "beyond", "share")
OUTCOMES = {SAME: "same", DIFFERENT: "different", FAILED: "trouble"}
MEASURES = (
    *("frame", "row", "column", "channel", "first", "second", "difference", "mean_squared_error", "psnr"),
    *("ssim", "beyond", "samples", "share", "tolerance", "within"),
)


def picture_answer(compared: Compared, found: PictureDifference, tolerance: float) -> Answer:
    """Return the answer for two pictures, with a row for each frame."""
    several = len(found.rows) > 1
    first, second = compared.pair.names
    return Answer(
        command="diff",
        version=__version__,
        rows=found.rows,
        results=[found.whole],
        totals={name: value for name, value in found.whole.items() if name != "frame"},
        columns=("frame", *COLUMNS) if several else COLUMNS,
        value=("difference",),
        remarks=[
            f"difference: the largest |A - B| for A {first}, B {second}, and its first place, counted from 0",
            *_remarks([found], tolerance),
        ],
    )


def folders_answer(all_compared: Sequence[Compared], tolerance: float) -> Answer:
    """Return the answer for two folders, with a row for each pair."""
    rows = [_pair_row(compared, tolerance) for compared in all_compared]
    measured = [compared.found for compared in all_compared if compared.found is not None]
    samples, beyond = (sum(found.whole[name] for found in measured) for name in ("samples", "beyond"))
    largest = max((found.largest for found in measured), default=None)
    return Answer(
        command="diff",
        version=__version__,
        rows=rows,
        results=rows,
        totals={
            "difference": largest if largest is None or isfinite(largest) else str(largest),
            "beyond": beyond,
            "samples": samples,
            "share": beyond / samples if samples else None,
            "tolerance": tolerance,
            "within": all(compared.code == SAME for compared in all_compared),
        },
        columns=OF_FOLDERS,
        value=("difference",),
        remarks=["difference: the largest |A - B| of a pair", *_remarks(measured, tolerance)],
    )


def _pair_row(compared: Compared, tolerance: float) -> Row:
    measures: Row = compared.found.whole if compared.found is not None else {}
    row: dict[str, Any] = {name: measures.get(name) for name in MEASURES}
    only = f"only in {compared.pair.only_in}" if compared.pair.only_in else ""
    outcome = {
        "outcome": only or OUTCOMES[compared.code],
        "tolerance": tolerance,
        "within": compared.code == SAME,
    }
    return {"picture": compared.pair.name, **row, **outcome}


def _remarks(measured: Sequence[PictureDifference], tolerance: float) -> list[str]:
    samples = sum(found.whole["samples"] for found in measured)
    hidden = sum(found.hidden for found in measured)
    remarks = [
        f"beyond: the number of samples that differ by more than {tolerance:g}; share: of {samples:,} samples",
        f"psnr: in dB, empty if nothing differs; ssim: 1 if nothing differs, empty for pictures below {SIDE}x{SIDE}",
    ]
    if hidden:
        remarks.append(f"the colours of {hidden:,} pixels that are fully transparent in both count as equal")
    return remarks


def ci_case(messages: Messages, compared: Compared, tolerance: float) -> Case:
    """Return a pair as a test case of a CI report."""
    pair, found, problem = compared.pair, compared.found, compared.problem
    if found is None:
        message = messages.name_options(str(problem))
        outcome: Outcome = "failed" if compared.code == DIFFERENT else "error"
        kind = "missing" if pair.only_in else OUTCOMES[compared.code]
        return Case(pair.name, outcome, pair.file, message, (), kind, compared.seconds)
    if compared.code == SAME:
        return Case(pair.name, "passed", pair.file, seconds=compared.seconds)
    details = [f"{name}: {value}" for name, value in found.whole.items() if value is not None]
    message = verdict(compared, tolerance)
    return Case(pair.name, "failed", pair.file, message, details, OUTCOMES[DIFFERENT], compared.seconds)


def verdict(compared: Compared, tolerance: float) -> str:
    """Return the message about two pictures that differ."""
    assert compared.found is not None
    whole, (first, second) = compared.found.whole, compared.pair.names
    largest = whole["difference"]
    return (
        f"{first} and {second} differ by up to {largest if isinstance(largest, str) else f'{largest:g}'}: "
        f"{whole['beyond']:,} of {whole['samples']:,} samples by more than {tolerance:g}"
    )
