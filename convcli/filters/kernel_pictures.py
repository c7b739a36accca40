"""Pictures as kernels: their grey values, which stay integers if the samples are integers."""

from pathlib import Path

from convcli.errors import ArgumentError
from convcli.images.picture import Picture
from convcli.kernels.kernel import Number, check_side

LUMA = (19595, 38470, 7471)  # Rec. 601 in 65536ths, rounded as Pillow's L: 0.299, 0.587, 0.114


def grey_rows(path: Path, limit: int) -> list[list[Number]]:
    """Return the grey values of a picture, row by row; transparent pixels are 0.

    Colours are converted to Rec. 601 luma. Raises ImageError if the picture cannot be read, and ArgumentError if it has
    several frames, another pixel mode, or more than `limit` rows or columns, before it is decoded.
    """
    import numpy as np

    from convcli.images.read import read_header, read_picture

    _check(path, read_header(path), limit)
    picture = read_picture(path)
    _check(path, picture, limit)
    (frame,) = picture.frames
    pixels = frame.pixels if frame.pixels.ndim == 3 else frame.pixels[..., np.newaxis]
    if frame.channels not in ("RGB", "RGBA"):
        grey = pixels[..., 0]
    elif pixels.dtype.kind == "f":
        grey = pixels[..., :3].astype(float) @ np.array(LUMA) / 0x10000
    else:
        grey = (pixels[..., :3].astype(np.int64) @ np.array(LUMA) + 0x8000) >> 16
    if frame.has_alpha:
        grey = np.where(pixels[..., -1] > 0, grey, 0)
    rows: list[list[Number]] = grey.tolist()
    return rows


def _check(path: Path, picture: Picture, limit: int) -> None:
    if len(picture.frames) > 1:
        raise ArgumentError(f"{path} has {len(picture.frames)} frames; a kernel needs a still picture")
    (frame,) = picture.frames
    if frame.channels not in ("L", "LA", "RGB", "RGBA"):
        raise ArgumentError(f"{path} has the pixel mode {frame.mode}; a kernel needs grey, RGB or RGBA")
    check_side(max(frame.pixels.shape[:2]), limit)
