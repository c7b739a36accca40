"""Read a picture but leave its pixels in the file, to be decoded block by block: .npy, and most TIFFs."""

from __future__ import annotations

from typing import Any, BinaryIO

from convcli.images.header import Header
from convcli.images.picture import Frame, Picture

FORMATS_IN_BLOCKS = ("NPY", "TIFF")


def stored_picture(
    file: BinaryIO, name: str, header: Header, frame: int | None, max_pixels: int
) -> Picture | None:
    """Return a still picture with its pixels as `StoredPixels`; None if it must be read whole.

    frame : index of the frame in the file, if one was chosen
    """
    if header.format not in FORMATS_IN_BLOCKS or len(header.frames) != 1:
        return None
    (only,) = header.frames
    number = frame or 0
    if header.format == "NPY":
        from convcli.images.codecs.npy_pictures import stored_array

        array = stored_array(file, name, number)
        if array is None or not array[0].worthwhile:
            return None
        return Picture((Frame(_as_array(array[0]), only.mode),), "NPY", notes=array[1])
    from convcli.images.codecs.tiff_blocks import stored_page
    from convcli.images.metadata.read_metadata import MetadataReader

    page = stored_page(file, name, number, only, max_pixels)
    if page is None or not page[0].worthwhile:
        return None
    found = MetadataReader(file).page(page[1])
    frames = (Frame(_as_array(page[0]), only.mode),)
    notes, lost = tuple(found.notes), tuple(found.lost)
    return Picture(frames, "TIFF", found.metadata, notes=notes, coded=header.coded, lost=lost)


def _as_array(pixels: Any) -> Any:
    """Return stored pixels unchanged, typed as an array to fit `Frame`."""
    return pixels
