"""The forms that a drawing can be written in, by the endings of files."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import IO, Any, NamedTuple

from convcli.drawing.scene import PALETTES, Scene
from convcli.errors import ArgumentError

TEXT_WIDTH = 80
MOST_FRAMES = 256  # of an animation
MOST_PIXELS = 200_000_000  # of all its frames together
ON_SHEET = 24  # steps on a contact sheet
WIDEST = {"still": 1600, "moving": 900}  # pixels of a picture, if its numbers can be read then
SMALLEST = 0.7  # pixels of a unit, so that they can
THEMES = ("auto", "light", "dark")


class Drawing(NamedTuple):
    """What is drawn, in words, as numbers and as pictures; each is made when it is asked for.

    steps : how many there are; 0 where nothing moves
    text : the words for lines of so many characters, or of one step alone
    record : all of it as JSON has it
    scenes : the pictures, one after the other
    page : a page that recomputes it; None if there is none
    play : shows the steps in place on a terminal, each for some seconds; False where that cannot be
    """

    steps: int
    text: Callable[[int, int | None], str]
    record: Callable[[], Any]
    scenes: Callable[[], list[Scene]]
    page: Callable[["Settings"], str] | None = None
    play: Callable[[IO[str], float], bool] | None = None

    def __str__(self) -> str:
        """Return all steps as text."""
        return self.text(TEXT_WIDTH, None).rstrip("\n")

    def encode(self, form: str, *, step: int | None = None, delay: float = 0.8, theme: str = "auto") -> bytes:
        """Return the drawing as one of FORMS: txt, png, gif, apng, svg, html, json.

        Parameters
        ----------
        form : str
            The ending of such a file.
        step : int, optional
            Only this step, counted from 1 through all layers.
        delay : float
            Seconds for which each step of what moves is shown.
        theme : str
            `light` or `dark`; `auto` is what the reader of an SVG or a page prefers, and light elsewhere.

        """
        if form not in FORMS:
            raise ArgumentError(f"`form` {form!r} is none that can be drawn; take one of {', '.join(FORMS)}")
        if theme not in THEMES:
            raise ArgumentError(f"`theme` is one of {', '.join(THEMES)}, got {theme!r}")
        return encode(self, form, Settings(step, delay, theme))[0]

    def save(
        self,
        path: str | PathLike[str],
        *,
        step: int | None = None,
        delay: float = 0.8,
        theme: str = "auto",
        force: bool = False,
    ) -> Path:
        """Write the drawing to a file whose ending says its form, and return its path; see `encode`.

        An existing file is replaced with `force` alone.
        """
        from convcli.files import write_whole

        target = Path(path)
        data = self.encode(target.suffix.removeprefix(".").lower(), step=step, delay=delay, theme=theme)
        write_whole(target, data, overwrite=force)
        return target

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the SVG as an image of its own, whose styles touch nothing else."""
        from base64 import b64encode

        data = b64encode(self.encode("svg")).decode()
        return f'<img alt="what convcli draws" src="data:image/svg+xml;base64,{data}">'


class Settings(NamedTuple):
    """How a drawing is shown.

    step : only this one, counted from 1 through all layers
    delay : seconds for which each step of an animation is shown
    theme : light or dark; auto is what the reader of an SVG or a page prefers, and light elsewhere
    """

    step: int | None = None
    delay: float = 0.8
    theme: str = "auto"


def encode(drawing: Drawing, form: str, settings: Settings) -> tuple[bytes, str]:
    """Return the bytes of a drawing in one of FORMS, and what should be said about them."""
    if settings.step is not None and settings.step > drawing.steps:
        there = f"there are {drawing.steps}, counted from 1" if drawing.steps else "nothing moves here"
        raise ArgumentError(f"there is no step {settings.step}; {there}")
    return FORMS[form](drawing, settings)


def encode_still(scene: Scene, form: str, theme: str) -> bytes:
    """Return a picture in which nothing moves, as `svg` or `png`."""
    if form == "svg":
        from convcli.drawing.svg import svg

        return svg([scene], theme, 0).encode()
    from convcli.drawing.raster import png, still

    return png(still(scene, 0, _palette(Settings(theme=theme)), _scale([scene], 2, "still")))


def _text(drawing: Drawing, settings: Settings) -> tuple[bytes, str]:
    return drawing.text(TEXT_WIDTH, settings.step).encode(), ""


def _json(drawing: Drawing, _: Settings) -> tuple[bytes, str]:
    import json

    return (json.dumps(drawing.record()) + "\n").encode(), ""


def _svg(drawing: Drawing, settings: Settings) -> tuple[bytes, str]:
    from convcli.drawing.svg import svg

    _check_frames(drawing, settings, "SVG")
    return svg(drawing.scenes(), settings.theme, settings.delay, settings.step).encode(), ""


def _png(drawing: Drawing, settings: Settings) -> tuple[bytes, str]:
    from convcli.drawing.raster import contact_sheet, draw_frames, png, still

    scenes, colours = drawing.scenes(), _palette(settings)
    if drawing.steps < 2 or settings.step is not None:
        scene, number = _found(scenes, settings.step or 1)
        return png(still(scene, number, colours, _scale(scenes, 2, "still"))), ""
    count = min(drawing.steps, ON_SHEET)
    wanted = {round(n * (drawing.steps - 1) / (count - 1)) for n in range(count)}
    frames = draw_frames(scenes, colours, _scale(scenes, 1, "still"), wanted)
    told = "" if count == drawing.steps else f"{count} of {drawing.steps} steps are drawn; `step=N` draws one"
    return png(contact_sheet(list(frames), colours["paper"])), told


def _animated(form: str) -> Callable[[Drawing, Settings], tuple[bytes, str]]:
    def encoded(drawing: Drawing, settings: Settings) -> tuple[bytes, str]:
        from convcli.drawing.raster import animation

        if settings.step is not None or drawing.steps < 2:
            why = "nothing moves here" if settings.step is None else f"`step={settings.step}` is one frame"
            raise ArgumentError(f"{why}, and .gif and .apng are animations; take .png or .svg")
        _check_frames(drawing, settings, form)
        scenes = drawing.scenes()
        scale = _scale(scenes, 1, "moving")
        pixels = int(max(s.width for s in scenes) * max(s.height for s in scenes) * scale**2) * drawing.steps
        if pixels > MOST_PIXELS:
            raise ArgumentError(
                f"the animation would have {pixels:,} pixels in {drawing.steps} frames, and at most {MOST_PIXELS:,} "
                "are drawn; take `step=N`, .html, or a smaller input"
            )
        return animation(scenes, _palette(settings), scale, settings.delay, form), ""

    return encoded


def _html(drawing: Drawing, settings: Settings) -> tuple[bytes, str]:
    if drawing.page is not None:
        return drawing.page(settings).encode(), ""
    from convcli.drawing.page import still_page

    return still_page(drawing.scenes(), drawing.text(TEXT_WIDTH, None), settings.theme).encode(), ""


def _check_frames(drawing: Drawing, settings: Settings, form: str) -> None:
    if settings.step is None and drawing.steps > MOST_FRAMES:
        raise ArgumentError(
            f"there are {drawing.steps} steps, and an animation has {MOST_FRAMES} at most; take `step=N`, .html, or a "
            "smaller input"
        )


def _palette(settings: Settings) -> Any:
    return PALETTES["dark" if settings.theme == "dark" else "light"]


def _scale(scenes: Sequence[Scene], largest: float, kind: str) -> float:
    """Return how many pixels a unit has, so that no picture is too wide."""
    return min(largest, max(SMALLEST, WIDEST[kind] / max(scene.width for scene in scenes)))


def _found(scenes: Sequence[Scene], step: int) -> tuple[Scene, int]:
    """Return the scene of a step, counted from 1 through all of them, and its number there."""
    for scene in scenes:
        steps = max(1, len(scene.now))
        if step <= steps:
            return scene, step - 1
        step -= steps
    raise AssertionError


FORMS: dict[str, Callable[[Drawing, Settings], tuple[bytes, str]]] = {
    "txt": _text,
    "png": _png,
    "gif": _animated("GIF"),
    "apng": _animated("PNG"),
    "svg": _svg,
    "html": _html,
    "json": _json,
}
