"""Write a picture from consecutive bands of rows: .npy, and TIFF with `convcli[codecs]`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from convcli.cores import cores
from convcli.images.coding import Coding
from convcli.images.metadata.write_metadata import file_metadata
from convcli.images.picture import Frame, Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = Iterable[NDArray[Any]]

PLAIN = Coding()
FORMATS_BY_ROWS = ("NPY", "TIFF")


class RowsWriter(NamedTuple):
    """How a picture is written by rows.

    write : writes bands of rows, (rows, W) or (rows, W, C), to a file, which must be readable for a TIFF's metadata
    notes : messages about what the format cannot store
    """

    write: Callable[[BinaryIO, Rows], None]
    notes: tuple[str, ...]


def takes_rows(form: str) -> bool:
    """Return whether a format can be written by rows in this environment."""
    if form != "TIFF":
        return form in FORMATS_BY_ROWS
    from convcli.images.codecs.tiff import NoCodecError, load_tifffile

    try:
        load_tifffile("")
    except NoCodecError:
        return False
    return True


def rows_writer(
    picture: Picture, form: str, threads: int | None = None, coding: Coding = PLAIN
) -> RowsWriter:
    """Return the writer of a still picture in a format that takes rows; the pixels of `picture` are ignored."""
    others = file_metadata(picture, form)
    (frame,) = picture.frames
    if form == "NPY":
        from convcli.images.codecs.npy_pictures import write_array

        shape, dtype = frame.pixels.shape, frame.pixels.dtype
        return RowsWriter(lambda file, rows: write_array(file, shape, dtype, rows), others.notes)
    from convcli.images.codecs.tiff_rows import write_tiff

    tags = others.pages[0] if others.pages else {}
    compression = coding.compression(picture.coded)
    return RowsWriter(
        lambda file, rows: write_tiff(file, frame, rows, tags, threads, compression), others.notes
    )


def writing(frame: Frame, form: str, threads: int | None = None) -> int:
    """Return the bytes of memory needed to write a frame by rows, in addition to the rows."""
    if form == "NPY":
        return 0

    from convcli.images.codecs.tiff_rows import AHEAD, strip_rows

    shape, itemsize = frame.pixels.shape, frame.pixels.itemsize
    strip = strip_rows(shape, itemsize) * prod(shape[1:]) * itemsize
    return (2 * AHEAD + 3) * strip * (threads or cores())
