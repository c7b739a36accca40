"""Read a picture with all its frames, upright and with palettes expanded; nothing is dropped silently."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

from PIL import Image, ImageFile, UnidentifiedImageError

from convcli.errors import MAX_MESSAGE, cut
from convcli.images.codecs.identify_boxed import BOXED, opened_boxed
from convcli.images.codecs.jpeg_claims import MAGIC as JPEG_MAGIC
from convcli.images.codecs.jpeg_claims import check_jpeg
from convcli.images.codecs.netpbm import PREFIX, netpbm_header, read_netpbm
from convcli.images.codecs.text_files import text_form
from convcli.images.codecs.tiff import MAGICS, read_tiff, tiff_header
from convcli.images.codecs.tiff_directories import page_offsets
from convcli.images.formats import FORMATS, MAX_FRAMES, MAX_PIXELS, NETPBM
from convcli.images.frames import frame_headers, read_frames
from convcli.images.header import Header
from convcli.images.metadata.pixel_chunks import SIGNATURE, PngReader
from convcli.images.picture import ImageError, Picture, damaged, no_such_file
from convcli.images.pixel_limit import at_most
from convcli.npy import MAGIC
from convcli.thread_warnings import warnings_caught

logging.getLogger("PIL").addHandler(
    logging.NullHandler()
)  # its messages about damaged files are reported as notes

MAX_NOTES = 30  # per file
MAX_DAMAGES = 5  # warnings of Pillow that are reported per file

_BEGINNINGS = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "GIF": rb"GIF8",
    "WebP": rb"RIFF....WEBP",
}
_PILLOWS = [name for name in FORMATS if name not in ("NPY", *NETPBM, *BOXED)]


class Opened:
    """A picture whose header is read, but whose pixels are not decoded.

    header : the header of the file
    warnings : problems found in the file
    """

    warnings: Sequence[str] = ()

    def __init__(
        self,
        name: str,
        file: BinaryIO,
        frame: int | None,
        max_frames: int,
        max_pixels: int,
        layout: str,
        stack: ExitStack,
    ) -> None:
        self._name, self._frame, self._max_pixels, self._file = name, frame, max_pixels, file
        self._layout = layout
        self.header = replace(self._open(file, max_frames, max_pixels, stack), layout=layout)
        if frame is not None:
            (still,) = self.header.frames
            self.header = replace(self.header, frames=(still._replace(duration=None),), loop=None)

    def _open(self, file: BinaryIO, max_frames: int, max_pixels: int, stack: ExitStack) -> Header:
        """Choose how to read the picture, and return its header."""
        name = self._name
        start = file.read(len(MAGIC))
        if start.startswith(MAGICS):
            page_offsets(file, name)  # refuses overlapping pages before any reader sees them
        elif start.startswith(JPEG_MAGIC):
            check_jpeg(file, name, max_pixels)
        file.seek(0)
        chosen = partial(_chosen, name, self._frame, max_frames)
        self._as_tiff = (
            partial(read_tiff, file, name, chosen, max_pixels) if start.startswith(MAGICS) else None
        )
        if start == MAGIC:
            from convcli.images.codecs.npy_pictures import array_header, read_array

            self._read: Callable[[], Picture] = partial(
                read_array, file, name, chosen, max_pixels, self._layout
            )
            return array_header(file, name, chosen, max_pixels, self._layout)
        form = text_form(name, file)
        if form is not None:
            from convcli.images.codecs.text_matrices import read_text, text_header

            picture = read_text(file, form, name, chosen, max_pixels, self._layout)
            self._read = lambda: picture
            return text_header(picture)
        if PREFIX.match(start):
            self._read = partial(read_netpbm, file, name, chosen, max_pixels)
            return netpbm_header(file, name, chosen, max_pixels)
        boxed = opened_boxed(file, start, name, max_pixels)
        if boxed is not None:
            self._read = partial(boxed.read, chosen)
            return boxed.header(chosen)
        try:
            seen, image = stack.enter_context(_identified(file))
            self._read = partial(read_frames, name, seen, image, chosen, max_pixels)
            return frame_headers(name, seen, image, chosen, max_pixels)
        except (UnidentifiedImageError, SyntaxError):  # from the first page or a later one
            if self._as_tiff is None:
                raise
            self._read = self._as_tiff
            return tiff_header(file, name, chosen, max_pixels)

    def read(self) -> Picture:
        """Return the picture, or raise ImageError."""
        with _explained(self._name, self._max_pixels), warnings_caught() as caught:
            try:
                picture = self._read()
            except (UnidentifiedImageError, SyntaxError):  # from a page that was not read for the header
                if self._as_tiff is None:
                    raise
                picture = self._as_tiff()
        return replace(self._noted(picture, caught), layout=self._layout)

    def stored(self) -> Picture | None:
        """Return the picture with its pixels left in the file, as `StoredPixels`; None if it must be read whole.

        The pixels can be read while the picture is open.
        """
        if self._layout != "hwc":
            return None
        from convcli.images.read_stored import stored_picture

        with _explained(self._name, self._max_pixels), warnings_caught() as caught:
            picture = stored_picture(self._file, self._name, self.header, self._frame, self._max_pixels)
        return None if picture is None else self._noted(picture, caught)

    def _noted(self, picture: Picture, caught: Sequence[str]) -> Picture:
        """Return a picture with notes about damage."""
        notes = [*picture.notes, *_damages(dict.fromkeys((*self.warnings, *caught)))]
        picture = replace(picture, notes=_few(notes))
        return picture if self._frame is None else _as_still(picture)


@contextmanager
def open_picture(
    source: Path | BinaryIO,
    max_pixels: int = MAX_PIXELS,
    *,
    frame: int | None = None,
    max_frames: int = MAX_FRAMES,
    layout: str = "hwc",
) -> Iterator[Opened]:
    """Open the picture in a file or a stream without decoding it, or raise ImageError.

    With `frame` only that frame or page is read, as a still picture; frames count from 0, or from the end with negative
    numbers. `layout` is the axis order of arrays, a key of `array_layout.AXES`.
    """
    name = str(source) if isinstance(source, Path) else getattr(source, "shown", "standard input")
    with ExitStack() as stack:
        with _explained(name, max_pixels), warnings_caught() as caught:
            file, held = _opened(source, stack)
            opened = Opened(name, file, frame, max_frames, max_pixels, layout, stack)
        opened.header, opened.warnings = replace(opened.header, held=held), caught
        try:
            yield opened
        finally:
            del opened._read, opened._as_tiff, opened._file  # they hold the decoder's image


def read_picture(
    source: Path | BinaryIO,
    max_pixels: int = MAX_PIXELS,
    *,
    frame: int | None = None,
    max_frames: int = MAX_FRAMES,
) -> Picture:
    """Return the picture in a file or a stream, or raise ImageError.

    EXIF orientation is applied and removed; palettes, 1-bit pictures and transparent colours are expanded. Pictures
    that Pillow would reduce in depth are read by other decoders or refused, and everything left out is noted. With
    `frame` only that frame or page is read, as a still picture; frames count from 0, or from the end with negative
    numbers.
    """
    with open_picture(source, max_pixels, frame=frame, max_frames=max_frames) as opened:
        return opened.read()


def read_header(
    source: Path | BinaryIO,
    max_pixels: int = MAX_PIXELS,
    *,
    frame: int | None = None,
    max_frames: int = MAX_FRAMES,
) -> Picture:
    """Return the result of `read_picture` with black, read-only pixels that take no memory."""
    with open_picture(source, max_pixels, frame=frame, max_frames=max_frames) as opened:
        return opened.header.black()


@contextmanager
def _identified(file: BinaryIO) -> Iterator[tuple[BinaryIO, ImageFile.ImageFile]]:
    """Open an image with Pillow, which gets only the pixel chunks and the orientation of a PNG."""
    start = file.read(12)
    file.seek(0)
    is_png = start.startswith(SIGNATURE)
    seen = cast(BinaryIO, PngReader(file)) if is_png else file
    try:
        image = Image.open(seen, formats=["PNG"] if is_png else _PILLOWS)
    except UnidentifiedImageError:
        for form, beginning in _BEGINNINGS.items():
            if re.match(beginning, start, re.DOTALL):
                raise SyntaxError(f"it starts like a {form} but cannot be read as one") from None
        raise
    with image:
        if isinstance(seen, PngReader) and seen.chunks:
            from convcli.images.metadata.chunks import orienting

            image.info.update(orienting(seen))
        yield seen, image


def _chosen(name: str, frame: int | None, limit: int, count: int) -> Sequence[int]:
    """Return the indices of the frames to read from a file with `count` frames."""
    if frame is not None:
        if not -count <= frame < count:
            there = f"it has {count}, 0 to {count - 1}, or {-count} to -1 from the end"
            raise ImageError(
                f"cannot read {name}: there is no frame {frame}; " + (there if count > 1 else "it has one, 0")
            )
        return (frame % count,)
    if count > limit:
        raise ImageError(
            f"cannot read {name}: its {count:,} frames are over the limit of {limit:,}; "
            f"raise it with `max_frames={count}`, or choose one with `frame`"
        )
    return range(count)


def _as_still(picture: Picture) -> Picture:
    (frame,) = picture.frames
    return replace(picture, frames=(replace(frame, duration=None),), loop=None, poster=False)


def _opened(source: Path | BinaryIO, stack: ExitStack) -> tuple[BinaryIO, int]:
    """Return a seekable file for a path or a stream, and the bytes of it that are in memory (those of a pipe)."""
    if isinstance(source, BytesIO):
        source.seek(0)
        return source, len(source.getbuffer())
    file = stack.enter_context(source.open("rb")) if isinstance(source, Path) else source
    if isinstance(source, Path) and file.seekable() and not isinstance(file, BytesIO):
        return file, 0
    whole = file if isinstance(file, BytesIO) else BytesIO(file.read())
    return whole, len(whole.getbuffer())


def _few(notes: Sequence[str]) -> tuple[str, ...]:
    """Return notes limited in number and length."""
    more = [f"{len(notes) - MAX_NOTES:,} more notes"] if len(notes) > MAX_NOTES else []
    return tuple(cut(note, MAX_MESSAGE) for note in (*notes[:MAX_NOTES], *more))


def _damages(warnings: Iterable[str]) -> list[str]:
    """Return notes about damage, limited in number."""
    found = [f"damaged metadata: {warning}" for warning in warnings]
    more = [f"damaged metadata: {len(found) - MAX_DAMAGES:,} more"] if len(found) > MAX_DAMAGES else []
    return found[:MAX_DAMAGES] + more


@contextmanager
def _explained(name: str, max_pixels: int) -> Iterator[None]:
    """Convert exceptions to an ImageError that says in one line why a file cannot be read.

    Only Pillow's decoders run in here, which raise exceptions of many types for damaged files.
    """
    try:
        with at_most(max_pixels):
            yield
    except ImageError:
        raise
    except (
        Image.DecompressionBombError
    ) as error:  # from a decoder that allocates memory while it opens a file
        (count,) = re.findall(r"\((\d+) pixels\)", str(error))
        raise ImageError(
            f"cannot read {name}: its {int(count):,} pixels are over the limit of {max_pixels:,}; raise it with "
            f"`max_pixels={count}`"
        ) from None
    except MemoryError:
        raise ImageError(
            f"cannot read {name}: there is not enough memory for it; take a smaller picture, or fewer `jobs`"
        ) from None
    except UnidentifiedImageError:
        known = " ".join(FORMATS)
        raise ImageError(f"cannot read {name}: it is not a picture in a supported format ({known})") from None
    except FileNotFoundError:
        raise no_such_file(name) from None
    except IsADirectoryError:
        raise ImageError(
            f"cannot read {name}: it is a folder; name one picture in it, such as {name}/NAME.png"
        ) from None
    except OSError as error:
        if error.errno is not None:  # an error of the operating system, not of the decoder
            raise ImageError(f"cannot read {name}: {error.strerror}") from None
        raise damaged(name, str(error) or type(error).__name__) from error
    except Exception as error:
        raise damaged(name, str(error) or type(error).__name__) from error
