"""The page of measured speed: a section for each machine, with the date, the versions, the table and what was missed."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from tests.benchmarks.report import COLUMNS, Row, cells, closing
from tests.benchmarks.setting import Setting

HEADING = "## "
FIRST = """# Measured speed

Each section was written by `make bench ARGS='--brief --page convcli/docs/speed.md'` on one machine: convcli and its peers
take turns in one run, and the medians are compared. A ratio below 1 means that convcli is quicker; targets that were
missed say so.
"""


def section(about: dict[str, Any], setting: Setting, rows: Sequence[Row]) -> str:
    """Return the section of this machine."""
    height, width = setting.size
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items() if version)
    lines = [
        f"{HEADING}{about['processor'] or about['machine']}, {about['cores']} cores",
        "",
        f"{date.today().isoformat()}; {about['cache']} KiB of second-level cache a core; {about['blas']}; load before the "
        f"run {about['load']:.1f}. Pictures of {width}x{height} RGB, medians of {setting.repeats}. {versions}.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'|'.join(' --- ' for _ in COLUMNS)}|",
        *(f"| {' | '.join(cell.replace('|', '/') for cell in cells(row))} |" for row in rows),
        "",
        closing(rows),
        "",
    ]
    return "\n".join(lines)


def with_section(page: str, section: str) -> str:
    """Return a page with a section that replaces the one of the same heading, or is added at the end."""
    first, *others = (page or FIRST).split(f"\n{HEADING}")
    own = section.removeprefix(HEADING)
    heading = own.partition("\n")[0]
    places = [number for number, each in enumerate(others) if each.partition("\n")[0] == heading]
    if places:
        others[places[0]] = own
    else:
        others.append(own)
    return f"\n{HEADING}".join(each.rstrip("\n") + "\n" for each in (first, *others))
