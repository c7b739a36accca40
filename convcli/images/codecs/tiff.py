"""Read and write TIFFs that Pillow does not support at full depth, with tifffile and imagecodecs: `convcli[codecs]`."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.errors import install_extra
from convcli.images.codecs.tiff_claims import check_page
from convcli.images.coding import USUAL_COMPRESSION, Coded
from convcli.images.formats import formats_for
from convcli.images.header import FIRST_SWAPPED, FrameHeader, Header
from convcli.images.metadata.names import ORIENTATION
from convcli.images.metadata.words import listed
from convcli.images.modes import CHANNELS, channels_of, is_counted, mode_name
from convcli.images.picture import Frame, ImageError, Picture, damaged
from convcli.images.samples import (
    WHITE_IS_ZERO,
    black_is_zero,
    filtered_type,
    spread,
    stored,
    swapped_signs,
    unmultiplied,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.images.metadata.entries import Directory

INSTALL = install_extra("codecs")
MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # TIFF and BigTIFF in either byte order

PREDICTED = ("deflate", "lzw")  # compressions that are used with a predictor
_ASSOCIATED, _UNASSOCIATED = 1, 2  # premultiplied alpha, and straight alpha
# By photometric interpretation; in 0, white is zero.
_COLOURS = {0: "L", 1: "L", 2: "RGB", 5: "CMYK", 8: "LAB", 9: "ICCLAB"}
_OTHER_KIND = "it is damaged, or a TIFF that needs an extra"
_PHOTOMETRIC = {"L": "minisblack", "RGB": "rgb", "CMYK": "separated", "LAB": "cielab", "ICCLAB": "icclab"}


class NoCodecError(ImageError):
    """A file needs an extra that is not installed."""


def load_tifffile(why: str) -> Any:
    """Import tifffile, or raise NoCodecError with the reason why it is needed."""
    try:
        import_module("imagecodecs")  # for compression; if it is missing, fail before reading or writing
        import tifffile
    except ImportError:
        raise NoCodecError(f"{why}; {INSTALL}") from None
    logging.getLogger("tifffile").addHandler(logging.NullHandler())  # keeps its log messages off stderr
    return tifffile


class DeepPages:
    """The pages of a TIFF that Pillow opens but would reduce in depth; the file is opened once for all of them."""

    def __init__(self, file: BinaryIO, name: str, max_pixels: int) -> None:
        self._file, self._name, self._limit = file, name, max_pixels
        self._pages: Any = None

    def read(self, number: int, why: str) -> tuple[Frame, tuple[str, ...]]:
        """Return a page, upright and at full depth, and notes; or raise ImageError."""
        return _page(self._checked(number, why), self._name)

    def header(self, number: int, why: str) -> FrameHeader:
        """Return the header of the frame that `read` would return."""
        return _page_header(self._checked(number, why), self._name)

    def _checked(self, number: int, why: str) -> Any:
        if self._pages is None:
            self._file.seek(0)
            self._pages = load_tifffile(f"cannot read {self._name}: {why}").TiffFile(self._file).pages
        page = self._pages[number]
        _check_samples([page], self._name, self._limit)
        return page


def tiff_header(file: BinaryIO, name: str, choose: Callable[[int], Sequence[int]], max_pixels: int) -> Header:
    """Return the header of the picture that `read_tiff` would return."""
    file.seek(0)
    with load_tifffile(f"cannot read {name}: {_OTHER_KIND}").TiffFile(file) as pages:
        chosen = _chosen(pages.pages, name, choose)
        _check_samples(chosen, name, max_pixels)
        headers = tuple(_page_header(page, name) for page in chosen)
        return Header(headers, "TIFF", coded=Coded.of_tiff(int(chosen[0].compression)))


def read_tiff(file: BinaryIO, name: str, choose: Callable[[int], Sequence[int]], max_pixels: int) -> Picture:
    """Return a TIFF that Pillow cannot open.

    `choose` is called with the number of pages and returns the indices of the requested ones.
    """
    from convcli.images.metadata.tags import TiffPages

    file.seek(0)
    with load_tifffile(f"cannot read {name}: {_OTHER_KIND}").TiffFile(file) as pages:
        chosen = _chosen(pages.pages, name, choose)
        _check_samples(chosen, name, max_pixels)
        frames, notes = zip(*(_page(page, name) for page in chosen), strict=True)
        reader = TiffPages(file)
        metadata = [reader.metadata(page.offset) for page in chosen]
        coded = Coded.of_tiff(int(chosen[0].compression))
    frames = (
        frames[0],
        *(replace(frame, page=each.metadata) for frame, each in zip(frames[1:], metadata[1:], strict=True)),
    )
    found_notes = [note for found in metadata for note in found.notes]
    lost = [name for found in metadata for name in found.lost]
    return Picture(
        frames,
        "TIFF",
        metadata[0].metadata,
        notes=tuple(dict.fromkeys(sum(notes, (*found_notes,)))),
        coded=coded,
        lost=tuple(dict.fromkeys(lost)),
    )


def _chosen(pages: Any, name: str, choose: Callable[[int], Sequence[int]]) -> list[Any]:
    if not len(pages):
        raise damaged(name, "it has no pages")
    return [pages[number] for number in choose(len(pages))]


def _check_samples(pages: Sequence[Any], name: str, limit: int) -> None:
    """Refuse pages with too many pixels (four channels count as one) or too large tiles before they are decoded."""
    count = sum(max(page.imagewidth * page.imagelength, page.size // 4) for page in pages)
    if count > limit:
        raise ImageError(
            f"cannot read {name}: its {count:,} pixels (four channels count as one) are over the limit of "
            f"{limit:,}; raise it with `max_pixels={count}`"
        )
    for page in pages:
        check_page(name, page, limit)


def _page_header(page: Any, name: str) -> FrameHeader:
    """Return the header of a page by converting one pixel as `_page` converts all of them."""
    import numpy as np

    colours = _colours(page, name)
    sides = (1 if axis in "YX" and side else side for axis, side in zip(page.axes, page.shape, strict=True))
    frame, _ = _framed(page, np.zeros(tuple(sides), page.dtype), colours, name)
    orientation = page.tags.valueof(ORIENTATION, 1)
    size = (page.imagelength, page.imagewidth)[:: -1 if orientation >= FIRST_SWAPPED else 1]
    shape, dtype = (*size, *frame.pixels.shape[2:]), frame.pixels.dtype.name
    header = FrameHeader(shape, frame.mode, dtype)
    # Each step makes a copy. Uncompressed pages are read in place; of others, threads may decode everything ahead.
    changed = page.dtype != frame.pixels.dtype or page.photometric == WHITE_IS_ZERO
    steps = [changed, orientation != 1, bool(page.extrasamples)]
    working = sum(steps) * header.nbytes
    if page.compression != 1:
        working += page.nbytes + sum(page.databytecounts)
    return header._replace(working=working)


def _page(page: Any, name: str) -> tuple[Frame, tuple[str, ...]]:
    colours = _colours(page, name)
    return _framed(page, page.asarray(), colours, name)


def _colours(page: Any, name: str) -> str:
    """Return the colour channels of a page, or raise ImageError if they are not supported."""
    colours, bits = _COLOURS.get(int(page.photometric)), page.bitspersample
    if colours is None or page.samplesperpixel < CHANNELS[colours] or page.imagedepth > 1:
        what = f"{getattr(page.photometric, 'name', page.photometric)} of {bits} bits"
        raise ImageError(f"cannot read {name}: its colour space, {what}, is not supported; convert it to RGB")
    if page.dtype is None or page.dtype.kind not in "buif":
        what = page.dtype or f"of an unknown type with {bits} bits"
        raise ImageError(f"cannot read {name}: its samples are {what}; save real numbers, such as float32")
    return colours


def _framed(page: Any, pixels: NDArray[Any], colours: str, name: str) -> tuple[Frame, tuple[str, ...]]:
    """Return the pixels of a page as a frame, and notes."""
    import numpy as np

    if pixels.ndim not in (2, 3) or not pixels.size:  # for example if a size is missing
        raise damaged(name, "it has no pixels")
    if pixels.ndim == 2 and CHANNELS[colours] > 1:
        raise ImageError(
            f"cannot read {name}: the file is damaged (it has one channel, but {colours} needs more)"
        )
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = filtered_type(spread(pixels, page.bitspersample), name)
    pixels, channels, notes = _named(pixels, colours, tuple(map(int, page.extrasamples)))
    if page.photometric == WHITE_IS_ZERO:
        pixels = _inverted(pixels)
    elif channels == "LAB":
        pixels = swapped_signs(pixels)
    from convcli.images.upright import oriented

    pixels = oriented(pixels, page.tags.valueof(ORIENTATION, 1))
    return Frame(pixels, mode_name(channels, pixels.dtype.name)), notes


def _inverted(pixels: NDArray[Any]) -> NDArray[Any]:
    """Invert pixels in which white is 0; alpha and extra channels are unchanged."""
    if pixels.ndim == 2:
        return black_is_zero(pixels)
    import numpy as np

    return np.dstack([black_is_zero(pixels[..., :1]), pixels[..., 1:]])


def _named(
    pixels: NDArray[Any], colours: str, extras: tuple[int, ...]
) -> tuple[NDArray[Any], str, tuple[str, ...]]:
    """Return the pixels of known channels (colours and alpha), their names, and notes on channels left out."""
    import numpy as np

    if pixels.ndim == 2:
        return pixels, colours, ()
    has_alpha = colours in ("L", "RGB") and extras[:1] in ((_ASSOCIATED,), (_UNASSOCIATED,))
    count, known = pixels.shape[-1], CHANNELS[colours] + has_alpha
    if count < known:  # the tags name more channels than exist
        has_alpha, known = False, CHANNELS[colours]
    if colours == "L" and not has_alpha and count > 1:
        return pixels, f"{count} channels", ()
    if has_alpha:
        if extras[0] == _ASSOCIATED:
            pixels = np.dstack(
                [unmultiplied(pixels[..., : known - 1], pixels[..., known - 1]), pixels[..., known - 1]]
            )
        colours += "A"
    left = count - known
    notes = (f"{left} of its channels, neither colours nor alpha, are left out",) if left > 0 else ()
    return np.ascontiguousarray(pixels[..., :known]), colours, notes


def load_writer(picture: Picture, name: str) -> Any:
    """Import tifffile to write a picture that Pillow cannot write as a TIFF, or raise NoCodecError."""
    modes = sorted({frame.mode for frame in picture.frames})
    able = formats_for(modes[0], len(picture.frames), picture.frames[0].pixels.dtype.name, extras=False)
    without = [ending for ending in able.split(", ") if ending != ".tiff"]
    need = f"; {listed(without)} need{'s' if len(without) == 1 else ''} none" if any(without) else ""
    return load_tifffile(f"cannot write {name}: writing {' and '.join(modes)} as TIFF needs an extra{need}")


def encode_tiff(
    picture: Picture, name: str, tags: Sequence[Directory] = (), compression: str = USUAL_COMPRESSION
) -> bytes:
    """Return a picture as a TIFF in which each page has its own depth and tags, or raise ImageError."""
    tifffile = load_writer(picture, name)
    buffer = BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for frame in picture.frames:
            writer.write(stored(frame), **settings_of(frame, compression))
    if any(tags):
        from convcli.images.metadata.entries import add_tags

        add_tags(buffer, tags)
    return buffer.getvalue()


def settings_of(frame: Frame, compression: str) -> dict[str, Any]:
    """Return the arguments of tifffile's `write` for a page; `compression` is a key of COMPRESSIONS."""
    channels = channels_of(frame.mode)
    settings: dict[str, Any] = {"metadata": None, "software": False}
    if compression != "none":
        settings["compression"] = "zlib" if compression == "deflate" else compression
        settings["predictor"] = compression in PREDICTED
    if is_counted(frame.mode):
        settings |= {"photometric": "minisblack", "planarconfig": "contig"}
        settings["extrasamples"] = [0] * (frame.pixels.shape[2] - 1)
    else:
        settings["photometric"] = _PHOTOMETRIC[channels.removesuffix("A")]
        if channels != "L":
            settings["planarconfig"] = "contig"
        if frame.has_alpha:
            settings["extrasamples"] = [_UNASSOCIATED]
    return settings
