"""Read and write JPEG 2000 with Pillow, and colours of more than 8 bits, which Pillow would reduce, by imagecodecs."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

import struct
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from PIL import Image

from convcli.images.codecs.boxed_picture import BoxedPicture, Claims
from convcli.images.codecs.boxes import find
from convcli.images.codecs.extras import check_pillow, load_codec
from convcli.images.coding import LOSSLESS, Coded, Coding
from convcli.images.metadata.boxed_metadata import jpeg2000_metadata
from convcli.images.metadata.exif import exif_orientation
from convcli.images.picture import Frame, damaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.images.metadata.found import Found

MAGICS = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n")  # of a bare codestream, and of a file with boxes
QUALITY = 48  # default PSNR in dB for pictures that were lossy, as in libvips

TILE = 5600  # bytes that OpenJPEG needs for each tile, however small
WORKING = 10  # bytes per sample: two 32-bit integers, and Pillow's sample
HEADER = 1 << 16  # bytes of a codestream that are searched for its first markers

_SIZE = 38  # bytes of SIZ before its components: ITU T.800, A.5.1
_CODING_STYLE, _TILE_PART = 0x52, 0x90  # markers COD and SOT
_REVERSIBLE = 1  # the wavelet 5-3


class Codestream(NamedTuple):
    """The main header of a codestream.

    components : bits, horizontal step and vertical step of each component
    tiles : number of tiles
    reversible : whether the wavelet is lossless
    """

    height: int
    width: int
    components: tuple[tuple[int, int, int], ...]
    tiles: int
    reversible: bool

    @property
    def bits(self) -> int:
        """The bits of the deepest component."""
        return max(bits for bits, _, _ in self.components)

    @property
    def whole(self) -> bool:
        """Whether every component has a sample for each pixel."""
        return all((across, down) == (1, 1) for _, across, down in self.components)


def codestream(file: BinaryIO) -> Codestream | None:
    """Read the main header of the codestream in a file; None if it is damaged."""
    file.seek(0)
    start = 0
    if file.read(4) != MAGICS[0]:
        box = find(file, (b"jp2c",))
        if box is None:
            return None
        start = box.start
    file.seek(start)
    data = file.read(HEADER)
    if not data.startswith(MAGICS[0]) or len(data) < 4 + _SIZE:
        return None
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, count = struct.unpack_from(
        ">8IH", data, 8
    )
    fields = data[4 + _SIZE : 4 + _SIZE + 3 * count]
    if (
        not count
        or len(fields) < 3 * count
        or not (tile_width and tile_height)
        or right <= left
        or bottom <= top
    ):
        return None
    components = tuple(
        ((bits & 127) + 1, across, down) for bits, across, down in zip(*[iter(fields)] * 3, strict=True)
    )
    across = -(-(right - tile_left) // tile_width)
    down = -(-(bottom - tile_top) // tile_height)
    return Codestream(bottom - top, right - left, components, across * down, _reversible(data))


def _reversible(data: bytes) -> bool:
    """Return whether the wavelet is lossless: ITU T.800, A.6.1."""
    at = 2
    while at + 14 < len(data):
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == 0xFF00 | _CODING_STYLE:
            return data[at + 13] == _REVERSIBLE
        if marker == 0xFF00 | _TILE_PART or length < 2:
            return False
        at += 2 + length
    return False


class Jpeg2000Picture(BoxedPicture):
    """A JPEG 2000 file whose header is read."""

    form = "JPEG2000"

    def __init__(self, file: BinaryIO, name: str, max_pixels: int) -> None:
        super().__init__(name, max_pixels)
        check_pillow(self.form, f"cannot read {name}: ")
        file.seek(0)
        if file.read(4) == MAGICS[0]:
            self.form = "J2K"
        stream = codestream(file)
        if stream is None:
            raise damaged(name, "it has no codestream")
        self.check_claimed(stream.height * stream.width)
        self.check_claimed(-(-stream.tiles * TILE // WORKING))
        file.seek(0)
        self._image: Any = Image.open(file, formats=["JPEG2000"])
        if self._image.size != (stream.width, stream.height):
            raise damaged(name, "the size of its codestream differs from that in the file header")
        self._file, self._stream = file, stream
        self._found = jpeg2000_metadata(file, self._image)
        palette = self._image.mode in ("P", "PA")
        mode = str(self._image.mode)
        channels = "L" if mode == "I;16" else ("RGBA" if mode == "PA" else "RGB") if palette else mode
        self.claims = Claims(
            stream.height,
            stream.width,
            channels,
            8 if palette or stream.bits < 8 else stream.bits,
            orientation=exif_orientation(self._found[1]),
            working=WORKING * len(stream.components),
        )
        self.coded = Coded(lossy=not stream.reversible)
        if self.claims.bits > 8 and mode != "I;16" and not stream.whole:
            raise self.unread(
                f"its channels of {stream.bits} bits have different sizes, which is not supported"
            )

    def samples(self, number: int) -> NDArray[Any]:
        """Return the samples of the picture."""
        import numpy as np

        if self.claims.bits > 8 and self._image.mode != "I;16":
            why = f"cannot read {self.name}: reading {self.claims.bits} bits per sample needs an extra"
            package = load_codec("JPEG2K", "JPEG 2000", why)
            self._file.seek(0)
            pixels: NDArray[Any] = package.jpeg2k_decode(self._file.read())
            return pixels
        self._image.load()
        if self._image.mode == "I;16":  # Pillow has shifted samples to 16 bits
            return np.asarray(self._image) >> (16 - self._stream.bits)
        return np.asarray(self._image.convert(self.claims.channels))

    def found(self) -> Found:
        """Return the metadata."""
        return self._found[0]


def jpeg2000_settings(coding: Coding, was: Coded | None, frame: Frame, form: str) -> dict[str, Any]:
    """Return the options of Pillow's `save`."""
    quality = coding.quality_or(QUALITY, was)
    settings: dict[str, Any] = {"mct": int(frame.channels == "RGB"), "no_jp2": form == "J2K"}
    if quality != LOSSLESS:
        settings |= {"irreversible": True, "quality_mode": "dB", "quality_layers": [quality]}
    return settings


def load_writer(mode: str) -> Any:
    """Import imagecodecs for 16-bit colours of a mode, or raise NoCodecError."""
    return load_codec("JPEG2K", "JPEG 2000", f"writing {mode} needs an extra")


def encode_deep(frame: Frame, form: str, coding: Coding, was: Coded | None) -> bytes:
    """Encode 16-bit colours as a file."""
    package = load_writer(frame.mode)
    quality = coding.quality_or(QUALITY, was)
    options = {} if quality == LOSSLESS else {"level": quality, "reversible": False}
    return bytes(
        package.jpeg2k_encode(frame.pixels, codecformat="j2k" if form == "J2K" else "jp2", **options)
    )
