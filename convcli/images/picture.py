"""A picture in memory: its frames as arrays, and all that travels with them."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from convcli.errors import ConvcliError
from convcli.images.coding import Coded
from convcli.images.modes import LABS, channels_of
from convcli.memory import black_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ImageError(ConvcliError):
    """A picture cannot be read or written."""


def damaged(name: str, why: object) -> ImageError:
    """Return the error of a file whose picture cannot be decoded; `why` says in a few words what is wrong with it."""
    return ImageError(f"cannot read {name}: the file is damaged or cut short ({why}); get a whole copy")


@dataclass(frozen=True)
class Frame:
    """One frame or page.

    pixels : ndarray, (H, W) or (H, W, C); whole numbers or floats
    mode : what the channels are and how deep, as `modes` names it; those of LA and RGBA end in alpha
    duration : milliseconds on screen, or None for a still picture
    page : the metadata of this page alone; None where those of the picture are its own
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
        """What the channels are, whatever their depth: L, LA, RGB, RGBA, CMYK, LAB, ICCLAB, or how many."""
        return channels_of(self.mode)

    @property
    def zero(self) -> tuple[int, ...] | None:
        """The sample of each channel that stands for 0, where they differ: a* and b* of LAB have either sign."""
        if self.channels not in LABS or self.pixels.dtype.kind != "u":
            return None
        half: int = 1 << (8 * self.pixels.dtype.itemsize - 1)
        return 0, half, half


@dataclass(frozen=True)
class Picture:
    """The frames of a file, its format, its metadata by kind, and what reading it could not keep.

    metadata : what the file says, by kinds that `metadata/table.py` lists; of a TIFF what its first page says
    loop : how often an animation repeats, 0 for ever; None where the file does not say
    coded : how its file was coded, of a format that has several ways
    poster : whether the first frame is shown only where animations are not: a PNG's default image
    lost : the names of metadata that were left out in reading, which are said when it is written
    layout : in which order an array has its axes, where it is written as one: a key of `array_layout.AXES`
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
        """Return a picture of the same frames whose pixels are black and take no memory."""
        frames = (
            replace(frame, pixels=black_pixels(frame.pixels.shape, frame.pixels.dtype))
            for frame in self.frames
        )
        return replace(self, frames=tuple(frames))
