"""The elements of pictures, independent of the renderer: polygons, labels, bitmaps, and colours named by meaning."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Point = tuple[float, float]

# Blue and teal can be distinguished by people with red-green colour blindness too; text colours have sufficient
# contrast with their background (WCAG AA). Colours of weights: Paul Tol's scheme "light", on which black text is
# readable; of counts: from light to dark blue.
TAPS = ("#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#99ddff", "#44bb99", "#bbcc33", "#aaaa00", "#dddddd")
# Colours of signed numbers: from blue (the least) over white (0) to red. ColorBrewer's RdBu, whose ends can be
# distinguished by people with red-green colour blindness too.
SIGNS = (
    *("#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#f7f7f7"),
    *("#fddbc7", "#f4a582", "#d6604d", "#b2182b"),
)
HEAT = ("#f2f7fc", "#dbe9f6", "#bdd7ee", "#93c0e2", "#6aa9d6", "#2b71a8", "#174f80")
_SHARED = {
    **{f"tap-{number}": colour for number, colour in enumerate(TAPS)},
    **{f"heat-{number}": colour for number, colour in enumerate(HEAT)},
    **{f"sign-{number}": colour for number, colour in enumerate(SIGNS)},
    "sign-ink": "#0b1116",
    "deep-sign-ink": "#ffffff",
    "tap-ink": "#1c2733",
    "heat-ink": "#12304a",
    "deep-heat-ink": "#ffffff",
}
LIGHT: Mapping[str, str] = {
    **_SHARED,
    "paper": "#ffffff",
    "ink": "#1c2733",
    "faint": "#5d6b7a",
    "input": "#a9d3f5",
    "input-edge": "#4a90c9",
    "input-ink": "#12304a",
    "window": "#1f69a6",
    "window-edge": "#154a76",
    "window-ink": "#ffffff",
    "weight-ink": "#fff0c4",
    "padding": "#f6f8fa",
    "padding-edge": "#b3bfca",
    "padding-ink": "#5d6b7a",
    "padding-window": "#c3d4e3",
    "padding-window-ink": "#12304a",
    "padding-weight-ink": "#5b3d00",
    "output": "#8fdccb",
    "output-edge": "#2f9c88",
    "output-ink": "#0c3a32",
    "waiting": "#ffffff",
    "waiting-edge": "#8cc9be",
    "current": "#0b7a68",
    "current-edge": "#06493e",
    "current-ink": "#ffffff",
    "ray": "#33475b",
}
DARK: Mapping[str, str] = {
    **_SHARED,
    "paper": "#10161d",
    "ink": "#e6edf3",
    "faint": "#9aa7b4",
    "input": "#1f4e75",
    "input-edge": "#4a90c9",
    "input-ink": "#e3f1fc",
    "window": "#6bb3ec",
    "window-edge": "#c4e2f9",
    "window-ink": "#06233a",
    "weight-ink": "#4a1f00",
    "padding": "#161e27",
    "padding-edge": "#45525f",
    "padding-ink": "#9aa7b4",
    "padding-window": "#3a5468",
    "padding-window-ink": "#eef6fc",
    "padding-weight-ink": "#ffdf8f",
    "output": "#17574b",
    "output-edge": "#35a590",
    "output-ink": "#dff7f1",
    "waiting": "#10161d",
    "waiting-edge": "#2c6f62",
    "current": "#4fd0b6",
    "current-edge": "#c5f3e9",
    "current-ink": "#03261f",
    "ray": "#c9d6e2",
}
PALETTES: Mapping[str, Mapping[str, str]] = {"light": LIGHT, "dark": DARK}


def sign_colours(value: float, largest: float) -> tuple[str, str]:
    """Return the names of the colour of a signed number, on a scale up to `largest`, and of the text on it.

    >>> sign_colours(-3, 3), sign_colours(0, 3), sign_colours(1, 3)
    (('sign-0', 'deep-sign-ink'), ('sign-4', 'sign-ink'), ('sign-5', 'sign-ink'))
    """
    middle = len(SIGNS) // 2
    level = middle + (round(middle * value / largest) if largest else 0)
    return f"sign-{level}", "deep-sign-ink" if level in (0, len(SIGNS) - 1) else "sign-ink"


class Shape(NamedTuple):
    """A polygon, or a polyline if `closed` is False; colours are names in a palette, or None."""

    points: tuple[Point, ...]
    fill: str | None = None
    edge: str | None = None
    dashed: bool = False
    opacity: float = 1.0
    width: float = 1.0
    closed: bool = True


class Label(NamedTuple):
    """A line of text; `anchor` says whether `x` is its start, middle or end; `y` is its vertical middle."""

    x: float
    y: float
    text: str
    size: float
    colour: str = "ink"
    anchor: str = "middle"  # start, middle or end, as in SVG


class Bitmap(NamedTuple):
    """Pixels (H, W, 3) of 8 bits that fill a rectangle; enlarged pixels stay sharp."""

    x: float
    y: float
    width: float
    height: float
    pixels: Any


Mark = Shape | Label | Bitmap


class Scene(NamedTuple):
    """A picture with steps.

    base : marks that are always visible
    kept : for each step, marks that are visible from the next step on
    now : for each step, marks that are visible in this step only
    descriptions : a description of each step
    """

    width: float
    height: float
    base: tuple[Mark, ...]
    kept: tuple[tuple[Mark, ...], ...] = ()
    now: tuple[tuple[Mark, ...], ...] = ()
    descriptions: tuple[str, ...] = ()
    title: str = ""

    def frame(self, number: int) -> list[Mark]:
        """Return all marks that are visible in a step."""
        before = [mark for marks in self.kept[:number] for mark in marks]
        return [*self.base, *before, *(self.now[number] if self.now else ())]
