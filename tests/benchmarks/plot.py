"""The sweeps as a picture: time against the kernel's side, and against the picture's size."""

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.report import Row

PANELS = (
    ("sweep kernel", "side of a dense kernel", "one thread, by the size of the kernel"),
    ("sweep picture", "megapixels", "one thread, by the size of the picture"),
)


def plot(path: Path, rows: Sequence[Row]) -> None:
    """Write a PNG of both sweeps, on logarithmic axes."""
    from matplotlib import ticker
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    for place, (prefix, label, title) in enumerate(PANELS, 1):
        axes = figure.add_subplot(1, len(PANELS), place)
        for name, line in _lines(rows, prefix).items():
            axes.loglog(*zip(*line, strict=True), marker="o", label=name)
        axes.set(xlabel=label, ylabel="seconds", title=title)
        axes.grid(which="both", alpha=0.3)
        points = sorted({row.point for row in rows if row.work.startswith(prefix) and row.point})
        axes.xaxis.set_major_locator(ticker.FixedLocator(points))
        axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
        axes.xaxis.set_minor_locator(ticker.NullLocator())
        if axes.lines:
            axes.legend()
    FigureCanvasAgg(figure).print_png(path)


def _lines(rows: Sequence[Row], prefix: str) -> dict[str, list[tuple[float, float]]]:
    """Return the points of every line, by the name in its legend."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if not row.work.startswith(prefix) or row.point is None:
            continue
        what = row.work.removeprefix(prefix).rsplit(" ", 2)[0].strip() if prefix == "sweep picture" else ""
        for who, seconds in (("convcli", row.ours), (row.peer, row.theirs)):
            if seconds and who:
                lines.setdefault(f"{who} {what}".strip(), []).append((row.point, seconds))
    return lines
