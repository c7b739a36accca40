"""Write a picture whose rows are made one band after the other: .npy, and TIFF through `convcli[codecs]`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from convcli.cores import cores
from convcli.images.metadata.write_metadata import beside
from convcli.images.picture import Frame, Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = Iterable[NDArray[Any]]

FORMATS_BY_ROWS = ("NPY", "TIFF")


class RowsWriter(NamedTuple):
    """How a picture is written by rows.

    write : writes a file, which is read again for a TIFF's metadata; rows come as (rows, W) or (rows, W, C)
    notes : what the format cannot carry
    """

    write: Callable[[BinaryIO, Rows], None]
    notes: tuple[str, ...]


def takes_rows(form: str) -> bool:
    """Return whether a format can be written by rows here."""
    if form != "TIFF":
        return form in FORMATS_BY_ROWS
    from convcli.images.codecs.tiff import NoCodecError, load_tifffile

    try:
        load_tifffile("")
    except NoCodecError:
        return False
    return True


def rows_writer(picture: Picture, form: str, threads: int | None = None) -> RowsWriter:
    """Return how a still picture, whose pixels are black, is written in a format that takes rows."""
    others = beside(picture, form)
    (frame,) = picture.frames
    if form == "NPY":
        from convcli.images.codecs.npy_pictures import write_array

        shape, dtype = frame.pixels.shape, frame.pixels.dtype
        return RowsWriter(lambda file, rows: write_array(file, shape, dtype, rows), others.notes)
    from convcli.images.codecs.tiff_rows import write_tiff

    tags = others.pages[0] if others.pages else {}
    return RowsWriter(lambda file, rows: write_tiff(file, frame, rows, tags, threads), others.notes)


def writing(frame: Frame, form: str, threads: int | None = None) -> int:
    """Return the bytes that are taken beside the rows of a frame, which is black, while they are written."""
    if form == "NPY":
        return 0

    from convcli.images.codecs.tiff_rows import AHEAD, strip_rows

    shape, itemsize = frame.pixels.shape, frame.pixels.itemsize
    strip = strip_rows(shape, itemsize) * prod(shape[1:]) * itemsize
    return (2 * AHEAD + 3) * strip * (threads or cores())
