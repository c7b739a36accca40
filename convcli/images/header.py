"""What a file tells of its picture before any pixel is decoded, and the memory that decoding will take."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from convcli.images.coding import Coded
from convcli.images.picture import Frame, Picture
from convcli.memory import black_pixels

TURNED = 5  # the first orientation of EXIF in which rows and columns are swapped


class FrameHeader(NamedTuple):
    """What one frame or page will be.

    shape, mode, duration : as of a Frame
    dtype : the NumPy type of its samples
    working : bytes that are taken beside its pixels while it is decoded
    image : bytes of Pillow's own image of it, where it is decoded to one
    """

    shape: tuple[int, ...]
    mode: str
    dtype: str
    duration: float | None = None
    working: int = 0
    image: int = 0

    @classmethod
    def of(cls, frame: Frame) -> FrameHeader:
        """Describe a frame that is there."""
        return cls(frame.pixels.shape, frame.mode, frame.pixels.dtype.name, frame.duration)

    @property
    def itemsize(self) -> int:
        """The bytes of a sample."""
        return int("".join(filter(str.isdigit, self.dtype))) // 8

    @property
    def nbytes(self) -> int:
        """The bytes of its pixels."""
        return prod(self.shape) * self.itemsize


@dataclass(frozen=True)
class Header:
    """The frames of a file that are to be read, its format, how often an animation repeats, and how it was coded.

    held : bytes of the file that are in memory as long as it is open
    layout : as of a Picture
    """

    frames: tuple[FrameHeader, ...]
    format: str
    loop: int | None = None
    coded: Coded | None = None
    held: int = 0
    layout: str = "hwc"

    @property
    def pixels(self) -> int:
        """The bytes of all pixels."""
        return sum(frame.nbytes for frame in self.frames)

    @property
    def memory(self) -> int:
        """The bytes that reading takes at most: all frames, one while it is decoded, and the file's own."""
        return self.pixels + max(frame.working for frame in self.frames) + self.held

    def black(self) -> Picture:
        """Return a picture whose pixels are black and take no memory."""
        frames = (
            Frame(black_pixels(each.shape, each.dtype), each.mode, each.duration) for each in self.frames
        )
        return Picture(tuple(frames), self.format, {}, self.loop, coded=self.coded, layout=self.layout)
