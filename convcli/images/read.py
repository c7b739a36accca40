"""Read a picture: upright, palettes expanded, every frame, nothing cut without a word."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from convcli.images.formats import FORMATS, MAX_FRAMES, MAX_PIXELS, NETPBM
from convcli.images.frames import frame_headers, read_frames
from convcli.images.netpbm import PREFIX, read_netpbm
from convcli.images.picture import ImageError, Picture
from convcli.images.tiff import MAGICS, read_tiff
from convcli.npy import MAGIC
from convcli.warned import warnings_caught

# The limit above is checked on the header; Pillow's own warns first and cannot be lifted for one call.
Image.MAX_IMAGE_PIXELS = None

# A decoder that gets a file whole holds no lock meanwhile, and others can work beside it.
ImageFile.MAXBLOCK = 1 << 25

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it says of damaged files, we say once

_PILLOWS = [name for name in FORMATS if name not in ("NPY", *NETPBM)]


def read_picture(
    source: Path | BinaryIO,
    max_pixels: int = MAX_PIXELS,
    *,
    frame: int | None = None,
    max_frames: int = MAX_FRAMES,
) -> Picture:
    """Return the picture in a file or a stream, or raise ImageError.

    EXIF orientation is applied and removed; palettes, 1-bit pictures and transparent colours are expanded;
    what Pillow would cut is read another way or refused, and what is left out is noted. With `frame` only that
    frame or page is read, counted from 0, or from the end by -1, -2 ...: a still picture.
    """
    name = str(source) if isinstance(source, Path) else "standard input"
    with _explained(name), warnings_caught() as caught, _opened(source) as file:
        chosen = partial(_chosen, name, frame, max_frames)
        start = file.read(len(MAGIC))
        file.seek(0)
        if start == MAGIC:
            from convcli.images.arrays import read_array

            return read_array(file, name, chosen, max_pixels)
        if PREFIX.match(start):
            return read_netpbm(file, name, chosen, max_pixels)
        try:
            with Image.open(file, formats=_PILLOWS) as image:
                picture = read_frames(name, file, image, chosen, max_pixels)
        except (UnidentifiedImageError, SyntaxError):  # of the first page, or another
            if not start.startswith(MAGICS):
                raise
            picture = read_tiff(file, name, chosen, max_pixels)
    notes = [f"damaged metadata: {warning}" for warning in caught]
    picture = replace(picture, notes=(*picture.notes, *notes))
    return picture if frame is None else _as_still(picture)


def read_header(
    source: Path | BinaryIO,
    max_pixels: int = MAX_PIXELS,
    *,
    frame: int | None = None,
    max_frames: int = MAX_FRAMES,
) -> Picture:
    """Return what `read_picture` would, with black for all pixels, which take no memory and cannot be written.

    Where the header does not tell what the pixels are, the picture is read.
    """
    name = str(source) if isinstance(source, Path) else "standard input"
    with _explained(name), warnings_caught(), _opened(source) as file:
        found, chosen = None, partial(_chosen, name, frame, max_frames)
        start = file.read(len(MAGIC))
        if PREFIX.match(start):
            return read_netpbm(file, name, chosen, max_pixels, black=True)
        if start != MAGIC:
            file.seek(0)
            with suppress(UnidentifiedImageError, SyntaxError), Image.open(file, formats=_PILLOWS) as image:
                found = frame_headers(name, image, chosen, max_pixels)
        if found is None:
            file.seek(0)
            again = source if isinstance(source, Path) and source.is_file() else file  # errors name the path
            found = read_picture(again, max_pixels, frame=frame, max_frames=max_frames)
    return found if frame is None else _as_still(found)


def _chosen(name: str, frame: int | None, limit: int, count: int) -> Sequence[int]:
    """Return the numbers of the frames to be read, of so many that there are."""
    if frame is not None:
        if not -count <= frame < count:
            there = f"it has {count}, 0 to {count - 1}, or {-count} to -1 from the end"
            raise ImageError(
                f"cannot read {name}: there is no frame {frame}; " + (there if count > 1 else "it has one, 0")
            )
        return (frame % count,)
    if count > limit:
        raise ImageError(
            f"cannot read {name}: its {count:,} frames are over the limit of {limit:,}; "
            f"raise it with --max-frames {count}, or choose one with --frame"
        )
    return range(count)


def _as_still(picture: Picture) -> Picture:
    (frame,) = picture.frames
    return replace(picture, frames=(replace(frame, duration=None),), loop=None, poster=False)


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open a path, and make what cannot be searched, such as a pipe, searchable."""
    if not isinstance(source, Path):
        yield BytesIO(source.read())
        return
    with source.open("rb") as file:
        yield file if file.seekable() else BytesIO(file.read())


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Say in one line why a file cannot be read.

    Only the work of Pillow runs in here, whose decoders raise exceptions of every kind on damaged files.
    """
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        known = " ".join(FORMATS)
        raise ImageError(
            f"cannot read {name}: it is not a picture, or of a kind that convcli does not read ({known})"
        ) from None
    except FileNotFoundError:
        raise ImageError(
            f"cannot read {name}: there is no such file; check the spelling and the folder"
        ) from None
    except IsADirectoryError:
        raise ImageError(
            f"cannot read {name}: it is a folder; name the pictures in it, as in {name}/*.png"
        ) from None
    except OSError as error:
        if error.errno is not None:  # the system's word, not the decoder's
            raise ImageError(f"cannot read {name}: {error.strerror}") from None
        raise _damaged(name, error) from error
    except Exception as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> ImageError:
    why = str(error) or type(error).__name__
    return ImageError(f"cannot read {name}: the file is damaged or cut short ({why}); get a whole copy")
