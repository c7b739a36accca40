"""Write TIFFs of many pages with Pillow in linear time."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import AppendingTiffWriter


class _Appending(AppendingTiffWriter):
    """A writer that remembers the last page; Pillow's walks the chain from the first page for each new one."""

    _last: int | None = None  # offset of the field for the next page's offset

    def skipIFDs(self) -> None:  # noqa: N802, it is Pillow's name
        """Go to the end of the chain of pages."""
        if self._last is not None:
            self.f.seek(self._last)
        super().skipIFDs()
        self._last = self.whereToWriteNewIFDOffset


def write_pages(file: BytesIO, images: Iterable[Image.Image], settings: dict[str, Any]) -> None:
    """Write images as the pages of a TIFF, all with the same settings."""
    with _Appending(file) as writer:
        for image in images:
            image.save(writer, "TIFF", **settings)
            writer.newFrame()
