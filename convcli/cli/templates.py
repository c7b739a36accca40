"""Pictures as kernels: their grey values, in whole numbers."""

from pathlib import Path

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Number

LUMA = (19595, 38470, 7471)  # Rec. 601 in 65536ths, rounded as Pillow's L: 0.299, 0.587, 0.114


def grey_rows(path: Path) -> list[list[Number]]:
    """Return the grey values of a picture, row by row; what is transparent is 0, as no part of a kernel.

    Colours become Rec. 601 luma. Raises ImageError where the picture cannot be read, ArgumentError where it has
    several frames or colours of another kind.
    """
    import numpy as np

    from convcli.images.read import read_picture

    picture = read_picture(path)
    if len(picture.frames) > 1:
        raise ArgumentError(f"{path} has {len(picture.frames)} frames; a kernel is made of a still picture")
    (frame,) = picture.frames
    if frame.mode in ("CMYK", "LAB"):
        raise ArgumentError(f"{path} has the colours {frame.mode}; a kernel is made of grey, RGB or RGBA")
    pixels = frame.pixels if frame.pixels.ndim == 3 else frame.pixels[..., np.newaxis]
    if frame.pixels.ndim == 3 and frame.mode in ("RGB", "RGBA"):
        grey = (pixels[..., :3].astype(np.int64) @ np.array(LUMA) + 0x8000) >> 16
    else:
        grey = pixels[..., 0]
    if frame.has_alpha:
        grey = np.where(pixels[..., -1] > 0, grey, 0)
    rows: list[list[Number]] = grey.tolist()
    return rows
