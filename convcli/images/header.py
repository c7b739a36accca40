"""The header of a picture, read before any pixel is decoded, and the memory that decoding needs."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from convcli.images.coding import Coded
from convcli.images.picture import Frame, Picture
from convcli.memory import black_pixels

FIRST_SWAPPED = 5  # the first orientation of EXIF in which rows and columns are swapped


class FrameHeader(NamedTuple):
    """The header of one frame or page.

    shape, mode, duration : as in `Frame`
    dtype : NumPy dtype of its samples
    working : bytes needed to decode it, in addition to its pixels
    image : bytes of the Pillow image that it is decoded to, if any
    """

    shape: tuple[int, ...]
    mode: str
    dtype: str
    duration: float | None = None
    working: int = 0
    image: int = 0

    @classmethod
    def of(cls, frame: Frame) -> FrameHeader:
        """Return the header of a decoded frame."""
        return cls(frame.pixels.shape, frame.mode, frame.pixels.dtype.name, frame.duration)

    @property
    def itemsize(self) -> int:
        """Bytes per sample."""
        return int("".join(filter(str.isdigit, self.dtype))) // 8

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels."""
        return prod(self.shape) * self.itemsize


@dataclass(frozen=True)
class Header:
    """The header of a file: the frames to read, the format, the loop count of an animation, and the coding.

    held : bytes of the file that stay in memory while it is open
    layout : as in `Picture`
    """

    frames: tuple[FrameHeader, ...]
    format: str
    loop: int | None = None
    coded: Coded | None = None
    held: int = 0
    layout: str = "hwc"

    @property
    def pixels(self) -> int:
        """Bytes of the pixels of all frames."""
        return sum(frame.nbytes for frame in self.frames)

    @property
    def memory(self) -> int:
        """Bytes needed to read the file: all frames, decoding the largest one, and the file in memory."""
        return self.pixels + max(frame.working for frame in self.frames) + self.held

    def black(self) -> Picture:
        """Return a picture with black pixels that take no memory."""
        frames = (
            Frame(black_pixels(each.shape, each.dtype), each.mode, each.duration) for each in self.frames
        )
        return Picture(tuple(frames), self.format, {}, self.loop, coded=self.coded, layout=self.layout)
