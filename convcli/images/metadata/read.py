"""Read the metadata of a file that Pillow has opened."""

from __future__ import annotations

from math import inf
from typing import BinaryIO

from PIL import Image

from convcli.images.metadata.blocks import bmp_metadata, gif_metadata, other_chunks
from convcli.images.metadata.chunks import png_metadata
from convcli.images.metadata.directories import DirectoryError
from convcli.images.metadata.found import Found
from convcli.images.metadata.pixel_chunks import PngReader
from convcli.images.metadata.segments import jpeg_metadata
from convcli.images.metadata.tags import TiffPages


class MetadataReader:
    """Read what a file says: once for all of it, of a TIFF page by page."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._pages: TiffPages | None = None

    def __call__(self, image: Image.Image) -> Found:
        """Return what the file says of the frame that an opened and loaded image is at."""
        place = self._file.tell()
        try:
            found = self._found(image)
        finally:
            self._file.seek(place)
        if image.format != "TIFF" and "dpi" not in found.metadata:
            found.add("dpi", _resolution(image))
        return found

    def _found(self, image: Image.Image) -> Found:
        if isinstance(self._file, PngReader):
            return png_metadata(self._file)
        if image.format in ("JPEG", "MPO"):
            return jpeg_metadata(dict(image.info), getattr(image, "applist", []))
        if image.format == "GIF":
            return gif_metadata(self._file)
        if image.format == "BMP":
            return bmp_metadata(self._file)
        if image.format == "TIFF":
            return self._page(image.tag_v2.offset)  # type: ignore[attr-defined]
        found = Found()
        if image.format == "WEBP":
            found.add("icc", image.info.get("icc_profile"))
            found.add_exif(image.info.get("exif"))
            found.add_xmp(image.info.get("xmp"))
            found.lose(other_chunks(self._file))
        return found

    def _page(self, offset: int) -> Found:
        try:
            self._pages = self._pages or TiffPages(self._file)
        except DirectoryError as error:
            return Found(notes=[f"damaged metadata: {error}"])
        return self._pages.metadata(offset)


def _resolution(image: Image.Image) -> tuple[float, float] | None:
    """Return the dots an inch across and down, if Pillow tells them and they are any."""
    across, down = map(float, image.info.get("dpi") or (0, 0))
    return (across, down) if 0 < across < inf and 0 < down < inf else None
