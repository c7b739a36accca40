"""The forms that a drawing can be encoded in, named by file endings."""

from collections.abc import Callable, Collection, Sequence
from math import prod
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from convcli.drawing.scene import PALETTES, Scene
from convcli.errors import ArgumentError

if TYPE_CHECKING:
    from PIL import Image

    from convcli.drawing.raster import Size

TEXT_WIDTH = 80
MAX_FRAMES = 256  # frames of an animation
MAX_PIXELS = 200_000_000  # total pixels of all frames of an animation
ON_SHEET = 24  # steps on a contact sheet
WIDEST = {"still": 1600, "moving": 900}  # width in pixels, unless numbers would become unreadable
MAX_SCALE = 8  # largest factor of the size in pixels
MAX_SCALED = 50_000_000  # pixels of an enlarged picture or contact sheet
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

    def encode(
        self,
        form: str,
        *,
        step: int | None = None,
        delay: float = 0.8,
        theme: str = "auto",
        scale: float = 1.0,
    ) -> bytes:
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
        scale : float
            Factor of the width and height in pixels of PNG, GIF and APNG; 2 doubles both.

        """
        if form not in FORMS:
            raise ArgumentError(
                f"`form` must be one of {', '.join(FORMS)}, got {form!r}{instead_of_ending(form, FORMS)}"
            )
        if theme not in THEMES:
            raise ArgumentError(f"`theme` must be one of {', '.join(THEMES)}, got {theme!r}")
        if not 0 < scale <= MAX_SCALE:
            raise ArgumentError(f"`scale` must be above 0 and at most {MAX_SCALE}, got {scale}")
        return encode(self, form, Settings(step, delay, theme, scale))[0]

    def save(
        self,
        path: str | PathLike[str],
        *,
        step: int | None = None,
        delay: float = 0.8,
        theme: str = "auto",
        scale: float = 1.0,
        force: bool = False,
    ) -> Path:
        """Write the drawing to a file whose ending gives its form, and return the path; see `encode`.

        An existing file is replaced only if `force` is True.
        """
        from convcli.files import write_whole
        from convcli.remote_files import target_path

        target = target_path(path)
        form = target.suffix.removeprefix(".").lower()
        data = self.encode(form, step=step, delay=delay, theme=theme, scale=scale)
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
    scale : factor of the usual size in pixels
    """

    step: int | None = None
    delay: float = 0.8
    theme: str = "auto"
    scale: float = 1.0


def encode(drawing: Drawing, form: str, settings: Settings) -> tuple[bytes, str]:
    """Return the bytes of a drawing in one of FORMS, and a note for the user or an empty string."""
    _check_step(drawing, settings)
    if settings.scale != 1 and form not in IN_PIXELS:
        raise ArgumentError(
            f"`scale` is the size in pixels of {' '.join(f'.{each}' for each in IN_PIXELS)}, and .{form} has none; "
            "leave it out"
        )
    return FORMS[form](drawing, settings)


def encode_still(scene: Scene, form: str, theme: str) -> bytes:
    """Return a still picture as `svg` or `png`."""
    if form == "svg":
        from convcli.drawing.svg import svg

        return svg([scene], theme, 0).encode()
    from convcli.drawing.raster import png, still

    settings = Settings(theme=theme)
    return png(still(scene, 0, _palette(settings), _size([scene], 2, "still", settings)))


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
    from convcli.drawing.raster import contact_sheet, draw_frames

    _check_step(drawing, settings)
    scenes, colours = drawing.scenes(), _palette(settings)
    if drawing.steps < 2 or settings.step is not None:
        return _one_step(drawing, settings, _size(scenes, 2, "still", settings)), ""
    count = min(drawing.steps, ON_SHEET)
    wanted = {round(n * (drawing.steps - 1) / (count - 1)) for n in range(count)}
    size = _size(scenes, 1, "still", settings)
    columns, rows = size.sheet(scenes, count)
    _check_pixels(columns * rows * prod(size.frame(scenes)), settings)
    frames = draw_frames(scenes, colours, size, wanted)
    note = (
        ""
        if count == drawing.steps
        else f"{count} of {drawing.steps} steps are drawn; `step=N` draws one of them"
    )
    return contact_sheet(list(frames), columns, colours["paper"]), note


def _one_step(drawing: Drawing, settings: Settings, size: "Size") -> "Image.Image":
    """Return one step, the first by default, as an image."""
    from convcli.drawing.raster import still

    scene, number = _found(drawing.scenes(), settings.step or 1)
    _check_pixels(prod(size.frame([scene])), settings)
    return still(scene, number, _palette(settings), size)


def _animated(form: str) -> Callable[[Drawing, Settings], tuple[bytes, str]]:
    def encoded(drawing: Drawing, settings: Settings) -> tuple[bytes, str]:
        from convcli.drawing.raster import animation, one_frame

        if settings.step is not None or drawing.steps < 2:
            size = _size(drawing.scenes(), 1, "moving", settings)
            return one_frame(_one_step(drawing, settings, size), form), ""
        _check_frames(drawing, settings, form)
        scenes = drawing.scenes()
        size = _size(scenes, 1, "moving", settings)
        pixels = prod(size.frame(scenes)) * drawing.steps
        if pixels > MAX_PIXELS:
            raise ArgumentError(
                f"the animation would have {pixels:,} pixels in {drawing.steps} frames, over the limit of "
                f"{MAX_PIXELS:,}; use `step=N`, .html, or a smaller input"
            )
        return animation(scenes, _palette(settings), size, settings.delay, form), ""

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


def _check_pixels(pixels: int, settings: Settings) -> None:
    """Raise ArgumentError for an enlarged picture that would take too much memory."""
    if settings.scale > 1 and pixels > MAX_SCALED:
        raise ArgumentError(
            f"with `scale={settings.scale:g}` the picture would have {pixels:,} pixels, over the limit of "
            f"{MAX_SCALED:,}; use a smaller one, or .svg"
        )


def _palette(settings: Settings) -> Any:
    return PALETTES["dark" if settings.theme == "dark" else "light"]


def _size(scenes: Sequence[Scene], largest: float, kind: str, settings: Settings) -> "Size":
    """Return the size in pixels, without the factor limited so that pictures are not too wide."""
    from convcli.drawing.raster import Size

    usual = min(largest, max(SMALLEST, WIDEST[kind] / max(scene.width for scene in scenes)))
    return Size(usual, settings.scale)


def _found(scenes: Sequence[Scene], step: int) -> tuple[Scene, int]:
    """Return the scene of a step, counted from 1 over all scenes, and the index of the step in it."""
    for scene in scenes:
        steps = max(1, len(scene.now))
        if step <= steps:
            return scene, step - 1
        step -= steps
    raise AssertionError


IN_PIXELS = ("png", "gif", "apng")
FORMS: dict[str, Callable[[Drawing, Settings], tuple[bytes, str]]] = {
    "txt": _text,
    "png": _png,
    "gif": _animated("GIF"),
    "apng": _animated("PNG"),
    "svg": _svg,
    "html": _html,
    "json": _json,
}

# Endings of formats that drawings have none of, and the nearest one that they may have.
_INSTEAD = {
    **dict.fromkeys(
        ("pdf", "eps", "ps", "emf"), ("svg", "which other programs print and convert at any size")
    ),
    **dict.fromkeys(("mp4", "webm", "mov", "avi", "mkv"), ("gif", "which is an animation")),
    **dict.fromkeys(
        ("jpg", "jpeg", "webp", "tif", "tiff", "bmp"), ("png", "which is sharp at the edges of lines")
    ),
}


def instead_of_ending(ending: str, known: Collection[str]) -> str:
    """Return the end of an error about an ending without a dot, of a format that there is not; empty for others.

    >>> instead_of_ending("mp4", FORMS)
    '; .gif, which is an animation, is the nearest to .mp4'
    """
    form, why = _INSTEAD.get(ending.lower(), ("", ""))
    return f"; .{form}, {why}, is the nearest to .{ending}" if form in known else ""
