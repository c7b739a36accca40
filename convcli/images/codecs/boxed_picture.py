"""Common base of JPEG 2000, JPEG XL, HEIF and AVIF: check the claims of headers, and convert samples to frames."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.images.coding import Coded
from convcli.images.header import FIRST_SWAPPED, FrameHeader, Header
from convcli.images.metadata.found import Found
from convcli.images.modes import CHANNELS, mode_name
from convcli.images.picture import Frame, ImageError, Picture, damaged
from convcli.images.pixel_limit import check_pixels
from convcli.images.samples import spread, unmultiplied
from convcli.images.upright import oriented

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEEPEST = 16  # most bits of an integer sample
BLOCK = 64  # side of the largest HEVC blocks in pixels; the pictures of a stream are padded to whole blocks
OWN = 4  # least bytes per pixel that a decoder needs for itself


class Claims(NamedTuple):
    """The description of pictures in the header of a file.

    height, width : size of the decoded pictures
    channels : L, LA, RGB, RGBA or CMYK
    bits : bits per sample
    floats : whether samples are floats instead of integers
    frames : number of frames of an animation
    orientation : EXIF orientation that has to be applied to decoded pixels
    premultiplied : whether colours are premultiplied by alpha
    working : bytes per pixel that the decoder needs in addition to the samples
    """

    height: int
    width: int
    channels: str
    bits: int = 8
    floats: bool = False
    frames: int = 1
    orientation: int = 1
    premultiplied: bool = False
    working: int = OWN

    @property
    def dtype(self) -> str:
        """NumPy dtype of the samples."""
        return "float32" if self.floats else "uint8" if self.bits <= 8 else "uint16"

    @property
    def mode(self) -> str:
        """Pixel mode of the frames."""
        return mode_name(self.channels, self.dtype)


class BoxedPicture(ABC):
    """A file of one of these formats whose header is read.

    form : name of the format in FORMATS
    claims, coded : description and coding from the header
    notes : notes about parts that are left out, other than metadata
    """

    form: str
    claims: Claims
    coded: Coded | None = None
    notes: tuple[str, ...] = ()

    def __init__(self, name: str, max_pixels: int) -> None:
        self.name, self.max_pixels = name, max_pixels

    @abstractmethod
    def samples(self, number: int) -> NDArray[Any]:
        """Return the decoded samples of a frame, (H, W) or (H, W, C)."""

    @abstractmethod
    def found(self) -> Found:
        """Return the metadata."""

    def duration(self, number: int) -> float | None:
        """Return the duration in milliseconds of the frame that was decoded last, None for a still picture."""
        return None

    def header(self, chosen: Callable[[int], Sequence[int]]) -> Header:
        """Return the header of the chosen frames without decoding, or raise ImageError."""
        claims, numbers = self.claims, self._chosen(chosen)
        size = (claims.height, claims.width)
        pixels = claims.height * claims.width
        count = CHANNELS[claims.channels]
        if claims.orientation >= FIRST_SWAPPED:
            size = size[::-1]
        shape = size if count == 1 else (*size, count)
        frame = FrameHeader(shape, claims.mode, claims.dtype, 0 if claims.frames > 1 else None)
        steps = (claims.orientation != 1) + claims.premultiplied + (claims.bits % 8 > 0)
        frame = frame._replace(working=claims.working * pixels + steps * frame.nbytes)
        return Header((frame,) * len(numbers), self.form, coded=self.coded)

    def read(self, chosen: Callable[[int], Sequence[int]]) -> Picture:
        """Return the chosen frames, upright and at full depth, or raise ImageError."""
        frames = tuple(self._frame(number) for number in self._chosen(chosen))
        found = self.found()
        notes = (*self.notes, *found.notes)
        return Picture(
            frames, self.form, found.metadata, None, notes=notes, coded=self.coded, lost=tuple(found.lost)
        )

    def _chosen(self, chosen: Callable[[int], Sequence[int]]) -> Sequence[int]:
        claims = self.claims
        if claims.bits > DEEPEST and not claims.floats:
            raise self.unread(f"its samples have {claims.bits} bits, more than {DEEPEST}")
        numbers = chosen(claims.frames)
        left = self.max_pixels - len(numbers) * claims.height * claims.width
        check_pixels(self.name, len(numbers), left, self.max_pixels)
        return numbers

    def _frame(self, number: int) -> Frame:
        claims = self.claims
        pixels = self.samples(number)
        shape = (claims.height, claims.width)
        count = CHANNELS[claims.channels]
        if pixels.shape != (shape if count == 1 else (*shape, count)):
            raise damaged(
                self.name, f"its pixels are not {shape[0]}x{shape[1]} in {claims.channels} as in its header"
            )
        pixels = spread(pixels, claims.bits).astype(claims.dtype, copy=False)
        if claims.premultiplied:
            import numpy as np

            pixels = np.dstack([unmultiplied(pixels[..., :-1], pixels[..., -1]), pixels[..., -1]])
        duration = self.duration(number) if claims.frames > 1 else None
        return Frame(oriented(pixels, claims.orientation), claims.mode, duration)

    def unread(self, why: str) -> ImageError:
        """Return the error for an unsupported kind of file."""
        return ImageError(f"cannot read {self.name}: {why}; convert it to PNG or TIFF")

    def check_stream(self, height: int, width: int) -> None:
        """Raise ImageError if a video stream in the file, without block padding, is larger than the limit."""
        if max(0, height - BLOCK + 1) * max(0, width - BLOCK + 1) > self.max_pixels:
            self.check_claimed(height * width)

    def check_claimed(self, pixels: int) -> None:
        """Raise ImageError if a picture in the file is larger than the limit, whatever size the file claims."""
        check_pixels(self.name, 1, self.max_pixels - pixels, self.max_pixels)
