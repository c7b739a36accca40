"""The Netpbm formats: PBM, PGM and PPM, plain and raw, PAM, and PFM; https://netpbm.sourceforge.net/doc/.

Samples are scaled to 8 bits, or to 16 bits if their maximum is above 255. PFM stores rows from bottom to top.
"""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite, prod
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.images.header import FrameHeader
from convcli.images.header import Header as PictureHeader
from convcli.images.modes import CHANNELS, channels_of, is_counted, mode_name, mode_of
from convcli.images.picture import Frame, ImageError, Picture, damaged
from convcli.npy import read_into

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREFIX = re.compile(rb"P([1-7]|[Ff])(?=[\s#])")
LONGEST = 1 << 16  # bytes of a header, including comments
PLAIN_SAMPLE = 75  # working memory in bytes per sample of a plain format: a Python object and three arrays
DEEP = 65535  # largest sample

_FORMATS = {b"1": "PBM", b"2": "PGM", b"3": "PPM", b"4": "PBM", b"5": "PGM", b"6": "PPM", b"7": "PAM"}
_PLAIN = (b"1", b"2", b"3")
_COLOURS = {"PBM": "L", "PGM": "L", "PPM": "RGB"}
_TOKEN = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])*([^\s#]+)")
_COMMENT = re.compile(rb"#[^\n\r]*")

# The PAM tuple types with a colour interpretation, and their channels; those of other types are only counted.
TUPLES = {
    "BLACKANDWHITE": "L",
    "GRAYSCALE": "L",
    "RGB": "RGB",
    "CMYK": "CMYK",
    "BLACKANDWHITE_ALPHA": "LA",
    "GRAYSCALE_ALPHA": "LA",
    "RGB_ALPHA": "RGBA",
}
_TUPLE_OF = {channels: name for name, channels in TUPLES.items() if not name.startswith("BLACK")}


@dataclass(frozen=True)
class Header:
    """The header of a file; its samples begin at byte `start`.

    digit : second byte of the file, which identifies the format
    channels : names or number of the channels
    white : maximum of a sample; for PFM the scale, which is negative for little-endian samples
    """

    digit: bytes
    width: int
    height: int
    channels: str
    count: int
    white: float
    start: int

    @property
    def format(self) -> str:
        """Name of the format: PFM, PAM, ..."""
        return _FORMATS.get(self.digit, "PFM")

    @property
    def dtype(self) -> str:
        """Dtype of the decoded samples."""
        if self.format == "PFM":
            return "float32"
        return "uint16" if self.white > 255 else "uint8"

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, columns and, if there are several, channels."""
        return (self.height, self.width) if self.count == 1 else (self.height, self.width, self.count)


def read_netpbm(
    file: BinaryIO,
    name: str,
    choose: Callable[[int], Sequence[int]],
    max_pixels: int,
) -> Picture:
    """Return the first picture of a file that begins with PREFIX, or raise ImageError.

    `choose` is called with the number of frames, 1, and raises if another frame is requested.
    """
    header = _checked(file, name, choose, max_pixels)
    mode = mode_name(header.channels, header.dtype)
    notes = []
    if header.digit in _PLAIN:
        pixels = _plain(file, name, header)
    else:
        pixels = _raw(file, name, header)
        if PREFIX.match(file.read(3)):
            notes.append("only the first picture in the file is read")
    if header.format == "PFM" and abs(header.white) != 1:
        notes.append(f"its scale of {abs(header.white):g} is ignored: samples are not multiplied by it")
    from convcli.images.metadata.lines import netpbm_metadata

    file.seek(0)
    metadata = netpbm_metadata(file.read(header.start))
    frame = Frame(pixels.reshape(header.shape), mode)
    return Picture((frame,), header.format, metadata.metadata, notes=tuple(notes), lost=tuple(metadata.lost))


def netpbm_header(
    file: BinaryIO, name: str, choose: Callable[[int], Sequence[int]], max_pixels: int
) -> PictureHeader:
    """Return the header of the picture that `read_netpbm` would return."""
    header = _checked(file, name, choose, max_pixels)
    samples = prod(header.shape)
    if header.digit in _PLAIN:
        working = PLAIN_SAMPLE * samples + 2 * file.seek(0, 2)
    else:  # samples that have to be converted need another copy
        stands = header.dtype == "float32" or header.white == 255
        working = 0 if stands else 2 * samples
    frame = FrameHeader(header.shape, mode_name(header.channels, header.dtype), header.dtype, None, working)
    return PictureHeader((frame,), header.format)


def _checked(file: BinaryIO, name: str, choose: Callable[[int], Sequence[int]], max_pixels: int) -> Header:
    """Read the header of a file; raise ImageError if another frame is requested or the picture is too large."""
    header = _header(file, name)
    choose(1)
    count = header.width * header.height * max(4, header.count) // 4
    if count > max_pixels:
        what = "pixels" if header.count <= 4 else "pixels (four channels count as one)"
        raise ImageError(
            f"cannot read {name}: its {count:,} {what} are over the limit of {max_pixels:,}; "
            f"raise it with `max_pixels={count}`"
        )
    return header


def _header(file: BinaryIO, name: str) -> Header:
    file.seek(0)
    start = file.read(LONGEST)
    digit = start[1:2]
    if digit == b"7":
        return _pam_header(start, name)
    words, at = [], 2
    for _ in range(2 if digit in (b"1", b"4") else 3):
        found = _TOKEN.match(start, at)
        if found is None:
            raise damaged(name, "its header is incomplete")
        words.append(found[1])
        at = found.end()
    width, height = (_whole(name, word, "size") for word in words[:2])
    if digit in (b"f", b"F"):
        channels = "L" if digit == b"f" else "RGB"
        return Header(digit, width, height, channels, CHANNELS[channels], _scale(name, words[2]), at + 1)
    white = _whole(name, words[2], "largest sample", DEEP) if len(words) > 2 else 1
    channels = _COLOURS[_FORMATS[digit]]
    return Header(digit, width, height, channels, CHANNELS[channels], white, at + 1)


def _pam_header(start: bytes, name: str) -> Header:
    given: dict[str, str] = {}
    at = start.find(b"\n") + 1
    while at:
        line = start[at : start.find(b"\n", at)].decode("latin-1").strip()
        at = start.find(b"\n", at) + 1
        if line == "ENDHDR":
            break
        key, _, value = line.partition(" ")
        if key and not key.startswith("#"):
            given[key] = f"{given[key]} {value.strip()}" if key in given else value.strip()
    else:
        raise damaged(name, "its header is incomplete")
    missing = [key for key in ("WIDTH", "HEIGHT", "DEPTH", "MAXVAL") if key not in given]
    if missing:
        raise damaged(name, f"its header has no {missing[0]}")
    width, height, count = (_whole(name, given[key].encode(), key) for key in ("WIDTH", "HEIGHT", "DEPTH"))
    white = _whole(name, given["MAXVAL"].encode(), "MAXVAL", DEEP)
    kind = given.get("TUPLTYPE", "").upper()
    channels = TUPLES.get(kind, "")
    if not kind:
        channels = channels_of(mode_of(count, "uint8"))
    elif CHANNELS.get(channels) != count:
        channels = "L" if count == 1 else f"{count} channels"
    return Header(b"7", width, height, channels, count, white, at)


def _whole(name: str, word: bytes, what: str, most: float = inf) -> int:
    if not (word.isdigit() and len(word) <= 10 and 0 < int(word) <= most):
        raise damaged(name, f"its {what} is {word.decode('latin-1')[:20]!r}")
    return int(word)


def _scale(name: str, word: bytes) -> float:
    try:
        scale = float(word)
    except ValueError:
        scale = 0.0
    if not scale or not isfinite(scale):
        raise damaged(name, f"its scale is {word.decode('latin-1')[:20]!r}")
    return scale


def _raw(file: BinaryIO, name: str, header: Header) -> NDArray[Any]:
    """Return the samples of a raw format, and leave the file positioned after them."""
    import numpy as np

    packed = header.format == "PBM"
    stored = np.dtype(header.dtype).newbyteorder("<" if header.white < 0 else ">")
    row = -(-header.width // 8) if packed else header.width * header.count * stored.itemsize
    there = file.seek(0, 2) - header.start  # checked before memory is allocated for the claimed size
    if there < row * header.height:
        raise damaged(name, f"it has {max(there, 0):,} of {row * header.height:,} bytes of samples")
    file.seek(header.start)
    data = np.empty(row * header.height, np.uint8)
    if (read := read_into(file, data)) < len(data):
        raise damaged(name, f"it has {read:,} of {len(data):,} bytes of samples")
    if packed:
        bits = np.unpackbits(data.reshape(header.height, row), axis=1)[:, : header.width]
        return (bits ^ 1) * np.uint8(255)
    samples = data.view(stored).astype(header.dtype, copy=False)
    if header.format == "PFM":
        return samples.reshape(header.shape)[::-1]
    return _spread(samples, int(header.white))


def _plain(file: BinaryIO, name: str, header: Header) -> NDArray[Any]:
    """Return the samples of a plain format, which stores decimal digits."""
    import numpy as np

    file.seek(header.start)
    text = _COMMENT.sub(b"", file.read())
    wanted = header.width * header.height * header.count
    if header.format == "PBM":
        bits = np.frombuffer(b"".join(text.split()), np.uint8)
        if len(bits) < wanted or not np.isin(bits[:wanted], (48, 49)).all():
            raise damaged(name, f"it does not have {wanted:,} digits that are 0 or 1")
        return (49 - bits[:wanted]) * np.uint8(255)
    words = text.split(maxsplit=wanted)[:wanted]
    if len(words) < wanted:
        raise damaged(name, f"it has {len(words):,} of {wanted:,} samples")
    wrong = next((word for word in words if not (word.isdigit() and len(word) <= 9)), None)
    if wrong is not None:
        raise damaged(name, f"a sample is {wrong.decode('latin-1')[:20]!r}")
    samples = np.array(words, "S9").astype(np.int64).clip(0, DEEP).astype(np.uint16)
    return _spread(samples, int(header.white))


def _spread(samples: NDArray[Any], white: int) -> NDArray[Any]:
    """Scale samples from 0..`white` to 8 bits, or to 16 bits if `white` is above 255; larger samples are clipped."""
    import numpy as np

    dtype, full = (np.dtype(np.uint16), DEEP) if white > 255 else (np.dtype(np.uint8), 255)
    if white == full:
        return samples.astype(dtype, copy=False)
    table = np.rint(np.arange(white + 1) * (full / white)).astype(dtype)
    spread: NDArray[Any] = table[samples.clip(None, white)]
    return spread


def encode_netpbm(frame: Frame, form: str, name: str) -> bytes:
    """Encode a frame whose mode the format can store as a raw file; raise ImageError for greys in PBM."""
    import numpy as np

    pixels = frame.pixels
    height, width = pixels.shape[:2]
    size = b"%d %d\n" % (width, height)
    if form == "PBM":
        return b"P4\n" + size + np.packbits(_black(pixels, name), axis=1).tobytes()
    if form == "PFM":
        kind = b"Pf" if frame.channels == "L" else b"PF"
        return b"".join((kind, b"\n", size, b"-1.0\n", np.ascontiguousarray(pixels[::-1], "<f4").data))
    if form == "PPM" and frame.channels == "L":
        pixels = np.repeat(pixels[..., np.newaxis], 3, axis=2)
    white = 255 if pixels.dtype == np.uint8 else DEEP
    samples = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).view(np.uint8).data
    if form != "PAM":
        return b"".join((b"P5\n" if pixels.ndim == 2 else b"P6\n", size, b"%d\n" % white, samples))
    count = 1 if pixels.ndim == 2 else pixels.shape[2]
    what = "CHANNELS" if is_counted(frame.mode) else _TUPLE_OF[frame.channels]
    lines = ("P7", f"WIDTH {width}", f"HEIGHT {height}", f"DEPTH {count}", f"MAXVAL {white}")
    return b"".join(("\n".join((*lines, f"TUPLTYPE {what}", "ENDHDR\n")).encode(), samples))


def _black(pixels: NDArray[np.uint8], name: str) -> NDArray[np.bool_]:
    """Return a mask of black pixels; raise ImageError if some are neither black nor white."""
    import numpy as np

    black: NDArray[np.bool_] = pixels == 0
    share = 1 - np.count_nonzero(black | (pixels == 255)) / pixels.size
    if share:
        raise ImageError(
            f"cannot write {name}: PBM stores only black and white, and {share:.2%} of the samples are grey; write it "
            "as .pgm"
        )
    return black
