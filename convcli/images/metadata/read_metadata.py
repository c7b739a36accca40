"""Read the metadata of a file that Pillow has opened."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image

from convcli.images.codecs.tiff_directories import tiff_of
from convcli.images.metadata.found import Found
from convcli.images.metadata.pixel_chunks import PngReader

if TYPE_CHECKING:
    from convcli.images.metadata.tags import TiffPages

# The modules for the other formats are imported when they are needed.


class MetadataReader:
    """Read the metadata of a file, and of a TIFF page by page."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._pages: TiffPages | None = None

    def __call__(self, image: Image.Image) -> Found:
        """Return the metadata of the current frame of an image that is opened and loaded."""
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
            if not self._file.chunks and not self._file.damaged:
                return Found()
            from convcli.images.metadata.chunks import png_metadata

            return png_metadata(self._file)
        if image.format in ("JPEG", "MPO"):
            from convcli.images.metadata.segments import jpeg_metadata

            return jpeg_metadata(dict(image.info), getattr(image, "applist", []))
        if image.format == "TIFF":
            return self.page(tiff_of(image).tag_v2.offset)
        from convcli.images.metadata import blocks

        if image.format == "GIF":
            return blocks.gif_metadata(self._file)
        if image.format == "BMP":
            return blocks.bmp_metadata(self._file)
        found = Found()
        found.add("icc", image.info.get("icc_profile"))
        found.add_exif(image.info.get("exif"))
        found.add_xmp(image.info.get("xmp"))
        if image.format == "WEBP":
            found.lose(blocks.other_chunks(self._file))
        return found

    def page(self, offset: int) -> Found:
        """Return the metadata of the TIFF page whose directory is at `offset`."""
        from convcli.images.metadata.entries import DirectoryError
        from convcli.images.metadata.tags import TiffPages

        try:
            self._pages = self._pages or TiffPages(self._file)
        except DirectoryError as error:
            return Found(notes=[f"damaged metadata: {error}"])
        return self._pages.metadata(offset)


def _resolution(image: Image.Image) -> tuple[float, float] | None:
    """Return the horizontal and vertical resolution in dots per inch; None if Pillow reports no valid one."""
    across, down = map(float, image.info.get("dpi") or (0, 0))
    return (across, down) if 0 < across < inf and 0 < down < inf else None
