"""Many pages of a TIFF through Pillow, in time that grows with their count."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import AppendingTiffWriter


class _Appending(AppendingTiffWriter):
    """Goes on behind the last page, where Pillow's walks to it from the first one for each that is added."""

    _last: int | None = None  # where the offset of the next page belongs

    def skipIFDs(self) -> None:  # noqa: N802, it is Pillow's name
        """Go to the end of the chain of pages."""
        if self._last is not None:
            self.f.seek(self._last)
        super().skipIFDs()
        self._last = self.whereToWriteNewIFDOffset


def write_pages(file: BytesIO, images: Iterable[Image.Image], settings: dict[str, Any]) -> None:
    """Write a TIFF of some pages, each saved with the same settings."""
    with _Appending(file) as writer:
        for image in images:
            image.save(writer, "TIFF", **settings)
            writer.newFrame()
