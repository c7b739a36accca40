"""Read and write AVIF with Pillow; samples of more than 8 bits, which Pillow would reduce, are read by imagecodecs."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image

from convcli.images.codecs.boxed_picture import BoxedPicture, Claims
from convcli.images.codecs.chroma import chroma_for
from convcli.images.codecs.extras import check_pillow, load_codec
from convcli.images.codecs.media_items import TooManyError, coded_bytes, coded_parts, colour_codes
from convcli.images.codecs.sequence_headers import Sequence, StreamError, av1_sequences
from convcli.images.coding import Coded, Coding
from convcli.images.metadata.boxed_metadata import lose_colours
from convcli.images.metadata.read_metadata import MetadataReader
from convcli.images.orientation import orientation_of
from convcli.images.picture import Frame, damaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.images.metadata.found import Found

BRANDS = (b"avif", b"avis")
QUALITY = 90  # default quality; files do not record theirs

CODEC = b"av01"
ITEMS = (
    4  # all pictures inside a file (tiles, alpha, maps, previews) may have this many times the pixel limit
)
WORKING = 16  # bytes per pixel: planes of the decoder, its canvas, and Pillow's copies
COLOURS = ("LA", "RGBA")


class AvifPicture(BoxedPicture):
    """An AVIF file whose header is read."""

    form = "AVIF"

    def __init__(self, file: BinaryIO, name: str, max_pixels: int) -> None:
        super().__init__(name, max_pixels)
        check_pillow(self.form, f"cannot read {name}: ")
        self._file = file
        streams = self._streams()
        file.seek(0)
        image: Any = Image.open(file, formats=["AVIF"])
        self._image = image
        channels = str(image.mode)
        if channels == "RGBA" and all(stream.ratio is None for stream in streams):
            channels = "LA"
        bits = max((stream.bits for stream in streams), default=8)
        self.claims = Claims(
            image.height,
            image.width,
            channels,
            bits,
            frames=image.n_frames,
            orientation=orientation_of(image),
            working=WORKING * (2 if bits > 8 else 1),
        )
        ratio = next((stream.ratio for stream in streams if stream.ratio is not None), None)
        self.coded = Coded(ratio=ratio, lossy=True)

    def _streams(self) -> list[Sequence]:
        """Return the headers of the streams in the file, or raise ImageError if one of them is too large."""
        found: list[Sequence] = []
        pixels = 0
        try:
            for part in coded_parts(self._file):
                for stream in av1_sequences(coded_bytes(self._file, part)) if part.codec == CODEC else ():
                    self.check_stream(stream.height, stream.width)
                    pixels += 0 if part.sample else stream.height * stream.width
                    found.append(stream)
        except (StreamError, TooManyError) as error:
            raise damaged(self.name, str(error)) from None
        self.check_claimed(-(-pixels // ITEMS))
        return found

    def samples(self, number: int) -> NDArray[Any]:
        """Return the decoded samples of a frame."""
        import numpy as np

        self._image.seek(number)
        if self.claims.bits > 8:
            why = f"cannot read {self.name}: reading {self.claims.bits} bits per sample needs an extra"
            package = load_codec("AVIF", "AVIF", why)
            self._file.seek(0)
            animated = self.claims.frames > 1
            if animated:
                self._image.load()  # the duration of a frame is only known after loading
            pixels: NDArray[Any] = package.avif_decode(self._file.read(), index=number if animated else None)
            return pixels
        self._image.load()
        pixels = np.asarray(self._image)
        return pixels[..., 2:] if self.claims.channels == "LA" else pixels

    def duration(self, number: int) -> float | None:
        """Return the duration of a frame in milliseconds."""
        return float(self._image.info.get("duration", 0))

    def found(self) -> Found:
        """Return the metadata."""
        found = MetadataReader(self._file)(self._image)
        lose_colours(found, colour_codes(self._file))
        return found


def avif_settings(coding: Coding, was: Coded | None, frame: Frame, threads: int | None) -> dict[str, Any]:
    """Return the options of Pillow's `save`."""
    quality = QUALITY if coding.quality is None else int(coding.quality)
    sampling = "4:0:0" if frame.channels in ("L", "LA") else chroma_for(coding, was, quality)
    settings: dict[str, Any] = {"quality": quality, "subsampling": sampling}
    return settings if threads is None else settings | {"max_threads": threads}
