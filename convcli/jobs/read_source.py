"""The options for reading pictures: which frames and channels, as which colours, and the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from convcli.errors import ArgumentError
from convcli.filters.picture_colours import Colours
from convcli.images.formats import MAX_FRAMES, MAX_PIXELS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from convcli.filters.picture_depth import Depth
    from convcli.images.read import Opened


class Reading(NamedTuple):
    """Which part of a picture is read, how it is converted, and how large it may be.

    frame : the only frame to be read, 0 the first, -1 the last; None for all
    channels, gray, linear, depth : as in Colours
    layout : the order of the axes of arrays
    """

    frame: int | None = None
    channels: tuple[str, ...] = ()
    gray: bool = False
    linear: bool = False
    depth: Depth | None = None
    max_pixels: int = MAX_PIXELS
    max_frames: int = MAX_FRAMES
    layout: str = "hwc"

    @property
    def colours(self) -> Colours:
        """The conversion of a picture before it is filtered."""
        return Colours(self.channels or (), self.gray, self.linear, self.depth)

    def check_layout(self, read: Sequence[tuple[str, str]]) -> None:
        """Raise ArgumentError if a layout is given and none of the inputs (name, format) is an array."""
        from convcli.images.formats import ARRAYS

        if self.layout == "hwc" or any(form in ARRAYS for _, form in read):
            return
        name, form = read[0]
        raise ArgumentError(
            f"{name}: `layout={self.layout!r}` applies to arrays, {' and '.join(ARRAYS)}, not to {form}; leave it out"
        )

    def open(self, source: Path | BinaryIO) -> AbstractContextManager[Opened]:
        """Open a picture, of which only the requested frames are read."""
        from convcli.images.read import open_picture

        return open_picture(
            source, self.max_pixels, frame=self.frame, max_frames=self.max_frames, layout=self.layout
        )
