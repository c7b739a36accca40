"""Measure convcli and its peers side by side: `make bench`, or `python -m tests.benchmarks --help`."""

import os

# Read when NumPy is loaded: the threads that are measured are convcli's own.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import platform
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from tests.benchmarks import memory, networks
from tests.benchmarks.measure import measure
from tests.benchmarks.peers import ALL_THREADS, versions
from tests.benchmarks.pictures import Size, size_of
from tests.benchmarks.plot import plot as write_plot
from tests.benchmarks.report import Row, closing, table, write_json
from tests.benchmarks.setting import Setting
from tests.benchmarks.speed_page import section, with_section
from tests.benchmarks.tools import TOOLS, tool

BRIEF = (
    r", (one|all) threads? / (opencv|one thread|torch|onnxruntime)"
    r"|^choice (gaussian|box|dense (9x9|15x15|31x31)).*, RGB / "
    r"|^command jpg (integer 3x3|gaussian 2.5|box 31x31) / (opencv script|libvips$)"
    r"|^(pipeline|calculator) .* / "
    r"|^folder of \d+ photographs|^folder .*(icons|TIFFs).* / (opencv|pillow)"
)


@click.command()
@click.option("--quick", is_flag=True, help="A smaller picture, fewer runs, a shorter batch.")
@click.option("--megapixels", type=float, help="Of the picture.  [default: 12; quick: 3]")
@click.option("--repeats", type=click.IntRange(1), help="Timed runs of each.  [default: 7; quick: 3]")
@click.option("--brief", is_flag=True, help="Only the targets, with 3 runs each: about five minutes.")
@click.option(
    "--only", default="", metavar="REGEX", help="Measure rows whose 'work / peer' has this pattern."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all numbers to a file.")
@click.option("--plot", "plot_file", type=click.Path(path_type=Path), help="Draw the sweeps in a PNG.")
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Put the table into a page with a section a machine.",
)
@click.option("--memory", "of_memory", is_flag=True, help="Compare the memory of filters with its estimates.")
def main(
    quick: bool,
    brief: bool,
    megapixels: float | None,
    repeats: int | None,
    only: str,
    json_file: Path | None,
    plot_file: Path | None,
    page: Path | None,
    of_memory: bool,
) -> None:
    """Measure convcli and every peer that is installed, side by side; compare the answers and the times.

    With --memory, compare the memory of runs of `convcli filter` with its estimates instead.
    """
    about = _about()
    if of_memory:
        if repeats is not None or plot_file is not None or page is not None or brief:
            raise click.UsageError(
                "--repeats, --brief, --plot and --page have no use with --memory, which runs each work once"
            )
        _measure_memory(size_of(megapixels or (3 if quick else 12)), only, json_file, about)
        return
    present = {name: version for name, version in about["versions"].items() if version}
    absent = [name for name, version in about["versions"].items() if not version]
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(
            size=size_of(megapixels or (3 if quick else 12)),
            sweep=(0.1, 0.3, 1, 3, 12) if quick else (0.1, 0.3, 1, 3, 12, 30, 100),
            batch=(50 if quick else 500, size_of(1)),
            repeats=repeats or (3 if quick or brief else 7),
            patience=2.0 if quick else 10.0,
            limit=30.0 if quick else 120.0,
            folder=Path(folder),
        )
        height, width = setting.size
        print(
            f"{width}x{height} RGB; medians of {setting.repeats}; all threads: {ALL_THREADS}; load before: {about['load']:.1f}"
        )
        print(f"{about['processor']}, {about['cores']} cores, {about['cache']} KiB of L2; {about['blas']}")
        print(", ".join(f"{name} {version}" for name, version in present.items()))
        print(f"absent: {', '.join(absent) or 'none'}\n")
        rows: list[Row] = []
        with suppress(KeyboardInterrupt):  # the results until then are shown
            for some in measure(setting, only or (BRIEF if brief else "")):
                rows += some
                _show_progress(f"{len(rows)} {some[0].work}")
    _show_progress("")
    print(table(rows))
    print(f"\n{closing(rows)}")
    if json_file:
        run: dict[str, Any] = {"size": setting.size, "repeats": setting.repeats, "quick": quick, "only": only}
        with json_file.open("w", encoding="utf-8") as file:
            write_json(file, rows, about | run)
    if plot_file:
        write_plot(plot_file, rows)
    if page:
        text = page.read_text(encoding="utf-8") if page.exists() else ""
        page.write_text(with_section(text, section(about, setting, rows)), encoding="utf-8")


def _measure_memory(size: Size, only: str, json_file: Path | None, about: dict[str, Any]) -> None:
    """Print the memory of filters on a picture of a size, and its estimates."""
    rows: list[memory.Taken] = []
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        for row in memory.measured(size, Path(folder), only):
            rows.append(row)
            _show_progress(f"{len(rows)} {row.work.name}")
    _show_progress("")
    print(
        f"{size[1]}x{size[0]}; the peak of a run, less that of the same on {memory.SMALL[1]}x{memory.SMALL[0]}\n"
    )
    print(f"{memory.table(rows)}\n\n{memory.closing(rows)}")
    print("\n".join(["", *networks.memory_lines(only)]))
    if json_file:
        with json_file.open("w", encoding="utf-8") as file:
            memory.write_json(file, rows, about | {"size": size, "only": only})


def _show_progress(text: str) -> None:
    """Show the progress on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _about() -> dict[str, Any]:
    """Return the conditions of the numbers, except the run's options."""
    import numpy

    import convcli
    from convcli.backend.machine import held_for, second_level_cache

    tools = {name: found and found[1] for name in TOOLS for found in [tool(name)]}
    own = {"convcli": convcli.__version__, "python": platform.python_version(), "numpy": numpy.__version__}
    holds = held_for()
    return {
        "machine": platform.machine(),
        "processor": holds["processor"],
        "cores": holds["cores"],
        "cache": second_level_cache() >> 10,
        "blas": holds["blas"],
        "threads": ALL_THREADS,
        "load": os.getloadavg()[0],  # well above 0, and others were at work: measure again
        "versions": own | versions() | tools,
    }


if __name__ == "__main__":
    main()
