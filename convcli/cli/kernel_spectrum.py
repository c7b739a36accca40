"""The spectrum of a picture before and after kernels: `convcli kernels NAME --spectrum PICTURE`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from convcli import __version__
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.remote_files import file_path
from convcli.render import Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.kernels.kernel import Kernel

COLUMNS = ("frequency", "before", "after", "gain")
REMARKS = (
    "frequency: the middle of a ring of frequencies, in cycles per pixel; before, after: its mean power in decibels "
    "relative to the strongest ring before",
    "gain: after minus before, in decibels; the mean of the picture is removed, and its borders are circular",
)


def spectrum_answer(messages: Messages, kernels: Sequence[Kernel], spec: str, picture: str) -> Answer:
    """Return the answer, with a row for each ring of frequencies and a drawing of the spectra."""
    from convcli.analysis.picture_spectrum import radial_rows, spectra

    if any(kernel.dims > 2 for kernel in kernels):
        raise ArgumentError(
            "`spectrum` filters a picture, which a kernel with 3 axes cannot; use `dims=1` or `dims=2`"
        )
    values, white = _grey(picture, messages)
    found = spectra(values, kernels)
    rows = radial_rows(found)

    def draw() -> Any:
        from convcli.drawing.spectrum_drawing import spectrum_scene

        return spectrum_scene(found, rows, kernels, white, spec)

    return Answer("kernels", __version__, rows, rows, {}, COLUMNS, ("gain",), REMARKS, draw=draw)


def _grey(name: str, messages: Messages) -> tuple[NDArray[Any], float]:
    """Return the brightness (H, W) of a picture's first frame, and the value of white."""
    from convcli.backend.values import full_scale
    from convcli.filters.picture_colours import Colours
    from convcli.images.read import read_picture

    picture = read_picture(file_path(name))
    notes = list(picture.notes)
    if len(picture.frames) > 1:
        notes.append(f"only the first of its {len(picture.frames)} frames is used")
    frame = picture.frames[0]
    if frame.channels not in ("L", "LA", "RGB", "RGBA"):
        raise ArgumentError(f"{name} has the pixel mode {frame.mode}; a spectrum needs grey, RGB or RGBA")
    if frame.has_alpha:
        notes.append("its alpha is left out")
    for note in notes:
        messages.note(f"{name}: {note}")
    (grey,) = Colours(gray=True).converted(replace(picture, frames=(frame,)), name).frames
    pixels = grey.pixels if grey.pixels.ndim == 2 else grey.pixels[..., 0]
    return pixels.astype(float), float(full_scale(grey.pixels.dtype))
