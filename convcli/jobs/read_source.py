"""Which part of a source is read, and as what."""

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
    """What is read of a picture, what it becomes, and how large it may be.

    frame : the only one that is read, 0 the first, -1 the last; all where it is None
    channels, gray, linear, depth : as of Colours
    layout : in which order arrays have their axes
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
        """What a picture that was read becomes before it is filtered."""
        return Colours(self.channels or (), self.gray, self.linear, self.depth)

    def check_layout(self, read: Sequence[tuple[str, str]]) -> None:
        """Raise ArgumentError where there is no array whose axes could be in another order, among (name, format)."""
        from convcli.images.formats import ARRAYS

        if self.layout == "hwc" or any(form in ARRAYS for _, form in read):
            return
        name, form = read[0]
        raise ArgumentError(
            f"{name}: `layout={self.layout!r}` belongs to arrays, {' and '.join(ARRAYS)}, and it is {form}"
        )

    def open(self, source: Path | BinaryIO) -> AbstractContextManager[Opened]:
        """Open a picture, of which the frames that were asked for are read."""
        from convcli.images.read import open_picture

        return open_picture(
            source, self.max_pixels, frame=self.frame, max_frames=self.max_frames, layout=self.layout
        )
