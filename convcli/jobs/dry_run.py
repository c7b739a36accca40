"""The report of a dry run on a picture: what would be read, run and written, and the estimated time and memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcli.images.picture import Picture
from convcli.images.size_in_words import size_in_words
from convcli.render import visible

LEAST = 0.1  # seconds; less is not printed as a number
WHOLE, BY_ROWS = "whole", "by rows"


def dry_run_facts(
    name: str,
    target: str,
    before: Picture,
    after: Picture,
    runs: Mapping[str, Any],
    memory: int,
    by_rows: tuple[bool, bool] = (False, False),
) -> dict[str, Any]:
    """Return the facts of a dry run, which can be encoded as JSON.

    name, target : the names of the input and the output in messages
    before, after : the picture that would be read and the one that would be written, of which only the headers matter
    runs : the facts about the work
    memory : the estimated memory in bytes
    by_rows : whether the input is decoded by rows, and whether the output is written by rows
    """
    return {
        "input": name,
        "output": target,
        "dry_run": True,
        "input_format": before.format,
        "input_mode": before.frames[0].mode,
        "input_size": list(before.frames[0].pixels.shape[:2]),
        "input_frames": len(before.frames),
        "decoded": _how(by_rows[0]),
        **runs,
        "format": after.format,
        "mode": after.frames[0].mode,
        "size": list(after.frames[0].pixels.shape[:2]),
        "frames": len(after.frames),
        "written": _how(by_rows[1]),
        "bytes": memory,
    }


def sentence(facts: Mapping[str, Any], runs: str) -> str:
    """Return the facts as a line of text; `runs` describes the work."""
    before = _picture(*(facts[f"input_{key}"] for key in ("format", "mode", "size", "frames")))
    after = _picture(*(facts[key] for key in ("format", "mode", "size", "frames")))
    time = "about "
    if "seconds" in facts:
        seconds = f"about {facts['seconds']:.1f} s" if facts["seconds"] >= LEAST else f"less than {LEAST} s"
        time = f"{seconds} on a core and "
    written = "" if facts["written"] == WHOLE else f", written {facts['written']}"
    return visible(
        f"{facts['input']}: would read {before}, decoded {facts['decoded']}; {runs}, {time}"
        f"{-(-facts['bytes'] // 2**20):,} MiB; "
        f"write {facts['output']}: {after}{written}"
    )


def _how(by_rows: bool) -> str:
    return BY_ROWS if by_rows else WHOLE


def _picture(form: str, mode: str, size: list[int], frames: int) -> str:
    several = f", {frames} frames" if frames > 1 else ""
    return f"{form}, {mode}, {size_in_words(size)}{several}"
