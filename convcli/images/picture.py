"""A picture in memory: its frames as arrays, and its metadata."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError, ConvcliError
from convcli.images.coding import Coded
from convcli.images.modes import LABS, channels_of
from convcli.memory import black_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ImageError(ConvcliError):
    """A picture that cannot be read or written."""


@contextmanager
def content_of_pictures() -> Iterator[None]:
    """Raise ImageError for an ArgumentError inside, which is about the content of pictures."""
    try:
        yield
    except ArgumentError as error:
        raise ImageError(str(error)) from None


def no_such_file(name: str) -> ImageError:
    """Return the error for an input that does not exist, which without an ending may be meant as a folder."""
    if PurePath(name).suffix:
        return ImageError(f"cannot read {name}: there is no such file; check the spelling and the folder")
    return ImageError(f"cannot read {name}: there is no such file or folder; check the spelling")


def damaged(name: str, why: object) -> ImageError:
    """Return the error for a file that cannot be decoded; `why` is the reason in a few words."""
    return ImageError(f"cannot read {name}: the file is damaged or cut short ({why}); get a whole copy")


@dataclass(frozen=True)
class Frame:
    """One frame or page.

    pixels : ndarray, (H, W) or (H, W, C); integers or floats
    mode : channels and depth, by the names in `modes`; in LA and RGBA the last channel is alpha
    duration : milliseconds on screen, or None for a still picture
    page : metadata of this page; None if it has that of the picture
    """

    pixels: NDArray[Any]
    mode: str
    duration: float | None = None
    page: dict[str, Any] | None = None

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.channels in ("LA", "RGBA")

    @property
    def channels(self) -> str:
        """The channels without the depth: L, LA, RGB, RGBA, CMYK, LAB, ICCLAB, or their number."""
        return channels_of(self.mode)

    @property
    def zero(self) -> tuple[int, ...] | None:
        """The sample that represents 0 in each channel of unsigned CIELAB, whose a* and b* are signed; else None."""
        if self.channels not in LABS or self.pixels.dtype.kind != "u":
            return None
        half: int = 1 << (8 * self.pixels.dtype.itemsize - 1)
        return 0, half, half


@dataclass(frozen=True)
class Picture:
    """The frames of a file, its format, its metadata by kind, and what was lost in reading it.

    metadata : metadata by the kinds in `metadata/table.py`; for a TIFF, that of its first page
    loop : number of repeats of an animation, 0 for endless; None if the file does not say
    poster : whether the first frame is a PNG's default image, shown only by programs without animation
    coded : coding of the file, for formats with several codings
    lost : names of metadata left out in reading, which are reported when the picture is written
    layout : axis order if it is written as an array: a key of `array_layout.AXES`
    """

    frames: tuple[Frame, ...]
    format: str
    metadata: dict[str, Any] = field(default_factory=dict)
    loop: int | None = None
    poster: bool = False
    notes: tuple[str, ...] = ()
    coded: Coded | None = None
    lost: tuple[str, ...] = ()
    layout: str = "hwc"

    def black(self) -> Picture:
        """Return a picture of the same frames with black pixels that take no memory."""
        frames = (
            replace(frame, pixels=black_pixels(frame.pixels.shape, frame.pixels.dtype))
            for frame in self.frames
        )
        return replace(self, frames=tuple(frames))
