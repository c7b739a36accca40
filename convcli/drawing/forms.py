"""The forms that a drawing can be encoded in, named by file endings."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from convcli.drawing.scene import PALETTES, Scene
from convcli.errors import ArgumentError

if TYPE_CHECKING:
    from PIL import Image

TEXT_WIDTH = 80
MAX_FRAMES = 256  # frames of an animation
MAX_PIXELS = 200_000_000  # total pixels of all frames of an animation
ON_SHEET = 24  # steps on a contact sheet
WIDEST = {"still": 1600, "moving": 900}  # width in pixels, unless numbers would become unreadable
SMALLEST = 0.7  # pixels per unit below which numbers are unreadable
THEMES = ("auto", "light", "dark")


class Drawing(NamedTuple):
    """A drawing as text, data and pictures, each made on demand.

    steps : the number of steps; 0 for a still drawing
    text : return the text, wrapped to a width, of all steps or of one
    record : return the data for JSON
    scenes : return the pictures in order
    page : return an interactive web page; None if there is none
    play : play the steps on a terminal, with a delay per step; return False if that is not possible
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
        """Return the drawing encoded in one of FORMS: txt, png, gif, apng, svg, html, json.

        Parameters
        ----------
        form : str
            The form, a file ending without the dot.
        step : int, optional
            Encode only this step, counted from 1 over all layers.
        delay : float
            Duration of each step of an animation in seconds.
        theme : str
            `light` or `dark`; `auto` follows the viewer's preference in SVG and HTML, and is light elsewhere.

        """
        if form not in FORMS:
            raise ArgumentError(f"`form` must be one of {', '.join(FORMS)}, got {form!r}")
        if theme not in THEMES:
            raise ArgumentError(f"`theme` must be one of {', '.join(THEMES)}, got {theme!r}")
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
        """Write the drawing to a file whose ending gives its form, and return the path; see `encode`.

        An existing file is replaced only if `force` is True.
        """
        from convcli.files import write_whole
        from convcli.remote_files import target_path

        target = target_path(path)
        data = self.encode(target.suffix.removeprefix(".").lower(), step=step, delay=delay, theme=theme)
        write_whole(target, data, overwrite=force)
        return target

    def _repr_html_(self) -> str:
        """Return HTML for notebooks: the SVG as an image, so that its styles affect nothing else."""
        from base64 import b64encode

        data = b64encode(self.encode("svg")).decode()
        return f'<img alt="a drawing by convcli" src="data:image/svg+xml;base64,{data}">'


class Settings(NamedTuple):
    """How a drawing is encoded.

    step : encode only this step, counted from 1 over all layers
    delay : duration of each step of an animation in seconds
    theme : light or dark; auto follows the viewer's preference in SVG and HTML, and is light elsewhere
    """

    step: int | None = None
    delay: float = 0.8
    theme: str = "auto"


def encode(drawing: Drawing, form: str, settings: Settings) -> tuple[bytes, str]:
    """Return the bytes of a drawing in one of FORMS, and a note for the user or an empty string."""
    _check_step(drawing, settings)
    return FORMS[form](drawing, settings)


def encode_still(scene: Scene, form: str, theme: str) -> bytes:
    """Return a still picture as `svg` or `png`."""
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
    from convcli.drawing.raster import png

    image, note = rasterized(drawing, settings)
    return png(image), note


def rasterized(drawing: Drawing, settings: Settings) -> tuple["Image.Image", str]:
    """Return a drawing, or a contact sheet of its steps, as an image, and a note for the user or an empty string."""
    from convcli.drawing.raster import contact_sheet, draw_frames, still

    _check_step(drawing, settings)
    scenes, colours = drawing.scenes(), _palette(settings)
    if drawing.steps < 2 or settings.step is not None:
        scene, number = _found(scenes, settings.step or 1)
        return still(scene, number, colours, _scale(scenes, 2, "still")), ""
    count = min(drawing.steps, ON_SHEET)
    wanted = {round(n * (drawing.steps - 1) / (count - 1)) for n in range(count)}
    frames = draw_frames(scenes, colours, _scale(scenes, 1, "still"), wanted)
    note = (
        ""
        if count == drawing.steps
        else f"{count} of {drawing.steps} steps are drawn; `step=N` draws one of them"
    )
    return contact_sheet(list(frames), colours["paper"]), note


def _animated(form: str) -> Callable[[Drawing, Settings], tuple[bytes, str]]:
    def encoded(drawing: Drawing, settings: Settings) -> tuple[bytes, str]:
        from convcli.drawing.raster import animation

        if settings.step is not None or drawing.steps < 2:
            why = (
                "this drawing has no steps"
                if settings.step is None
                else f"`step={settings.step}` is one frame"
            )
            raise ArgumentError(f"{why}, but .gif and .apng are animations; use .png or .svg")
        _check_frames(drawing, settings, form)
        scenes = drawing.scenes()
        scale = _scale(scenes, 1, "moving")
        pixels = int(max(s.width for s in scenes) * max(s.height for s in scenes) * scale**2) * drawing.steps
        if pixels > MAX_PIXELS:
            raise ArgumentError(
                f"the animation would have {pixels:,} pixels in {drawing.steps} frames, over the limit of "
                f"{MAX_PIXELS:,}; use `step=N`, .html, or a smaller input"
            )
        return animation(scenes, _palette(settings), scale, settings.delay, form), ""

    return encoded


def _html(drawing: Drawing, settings: Settings) -> tuple[bytes, str]:
    if drawing.page is not None:
        return drawing.page(settings).encode(), ""
    from convcli.drawing.page import still_page

    return still_page(drawing.scenes(), drawing.text(TEXT_WIDTH, None), settings.theme).encode(), ""


def _check_step(drawing: Drawing, settings: Settings) -> None:
    if settings.step is not None and settings.step > drawing.steps:
        there = f"there are {drawing.steps}, counted from 1" if drawing.steps else "the drawing has none"
        raise ArgumentError(f"there is no step {settings.step}; {there}")


def _check_frames(drawing: Drawing, settings: Settings, form: str) -> None:
    if settings.step is None and drawing.steps > MAX_FRAMES:
        raise ArgumentError(
            f"there are {drawing.steps} steps, but an animation has at most {MAX_FRAMES}; use `step=N`, .html, or a "
            "smaller input"
        )


def _palette(settings: Settings) -> Any:
    return PALETTES["dark" if settings.theme == "dark" else "light"]


def _scale(scenes: Sequence[Scene], largest: float, kind: str) -> float:
    """Return the pixels per unit, limited so that pictures are not too wide."""
    return min(largest, max(SMALLEST, WIDEST[kind] / max(scene.width for scene in scenes)))


def _found(scenes: Sequence[Scene], step: int) -> tuple[Scene, int]:
    """Return the scene of a step, counted from 1 over all scenes, and the index of the step in it."""
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
