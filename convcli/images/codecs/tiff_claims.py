"""Check the sizes that the tiles and strips of a TIFF claim against the pixel limit before they are decoded."""

from typing import Any, BinaryIO

from PIL.ImageFile import ImageFile

from convcli.images.codecs.compressed_streams import is_picture, stream_of
from convcli.images.codecs.tiff_directories import (
    BITS_PER_SAMPLE,
    COMPRESSION,
    PLANAR_CONFIGURATION,
    SAMPLES_PER_PIXEL,
    STRIP_BYTE_COUNTS,
    TILE_BYTE_COUNTS,
    TILE_LENGTH,
    TILE_WIDTH,
    tiff_of,
    wholes,
)
from convcli.images.picture import ImageError, damaged
from convcli.images.size_in_words import size_in_words

SEPARATE, UNCOMPRESSED = 2, 1
JPEG_XR = (22610, 34934)  # its library writes to standard error for each error in a stream
COLOURS = 4  # channels that a codec may use for a picture with fewer

TIMES = 4  # a tile may be this many times as large as its picture
SHARE = 8  # a tile may have this fraction of the pixel limit in bytes, however small its picture is
SHARED = 16  # the tiles may together claim this many times the size of the file
SMALL = 1 << 28  # bytes that may be claimed in any case


def check_tiles(name: str, file: BinaryIO, image: ImageFile, max_pixels: int) -> None:
    """Refuse a page opened by Pillow if libtiff would need far more memory or time than its size suggests."""
    if image.format != "TIFF":
        return
    tags = tiff_of(image).tag_v2
    place = file.tell()
    file_size = file.seek(0, 2)
    file.seek(place)
    channels, bits = _whole(tags.get(SAMPLES_PER_PIXEL), 1), max(wholes(tags.get(BITS_PER_SAMPLE)), default=1)
    counts = wholes(tags.get(TILE_BYTE_COUNTS) or tags.get(STRIP_BYTE_COUNTS))
    width, height = image.size
    size = _Limit(name, (height, width), -(-width * height * channels * bits // 8), max_pixels)
    size.check_counts(sum(counts), file_size)
    if tags.get(COMPRESSION, UNCOMPRESSED) != UNCOMPRESSED and TILE_WIDTH in tags:
        tile = _whole(tags.get(TILE_LENGTH), 0), _whole(tags.get(TILE_WIDTH), 0)
        together = 1 if tags.get(PLANAR_CONFIGURATION) == SEPARATE else channels
        size.check(*tile, -(-tile[0] * tile[1] * together * bits // 8))


def check_page(name: str, page: Any, max_pixels: int) -> None:
    """Refuse a page opened by tifffile if its codecs would need far more memory or time than its size suggests."""
    channels, itemsize = page.samplesperpixel, page.dtype.itemsize if page.dtype else 1
    limit = _Limit(name, (page.imagelength, page.imagewidth), page.size * itemsize, max_pixels)
    handle = page.parent.filehandle
    limit.check_counts(sum(page.databytecounts), handle.size)
    compression = int(page.compression)
    if compression in JPEG_XR:
        raise ImageError(
            f"cannot read {name}: JPEG XR compression is not supported; save it with deflate compression"
        )
    if compression == UNCOMPRESSED:
        return
    sides = min(page.rowsperstrip, page.imagelength), page.imagewidth
    if page.is_tiled:
        together = 1 if page.planarconfig == SEPARATE else channels
        sides = page.tilelength, page.tilewidth
        limit.check(*sides, sides[0] * sides[1] * page.tiledepth * together * itemsize)
    if not is_picture(compression):
        return
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        if not count:
            continue
        handle.seek(offset)
        stream = stream_of(compression, handle.read(count), limit.most)
        if stream is None:
            raise damaged(name, "one of its tiles has no header with its size")
        fits = (
            stream.height <= sides[0]
            and stream.width <= sides[1]
            and stream.channels <= max(COLOURS, channels)
        )
        if not fits:
            limit.check(stream.height, stream.width, stream.size)


class _Limit:
    """The limit on the bytes of a tile of a picture."""

    def __init__(self, name: str, sides: tuple[int, int], size: int, max_pixels: int) -> None:
        self.name, self.sides = name, sides
        self.most = max(TIMES * size, max_pixels // SHARE)

    def check(self, height: int, width: int, size: int) -> None:
        """Raise ImageError for a tile that is larger than the limit."""
        if size > self.most:
            raise ImageError(
                f"cannot read {self.name}: one of its tiles is {size_in_words((height, width))}, {size:,} bytes, "
                f"but the picture is only {size_in_words(self.sides)}; raise the limit with `max_pixels={size * SHARE}`"
            )

    def check_counts(self, claimed: int, file_size: int) -> None:
        """Raise ImageError if the tiles claim far more bytes than the file has."""
        if claimed > SHARED * file_size + SMALL:
            raise ImageError(
                f"cannot read {self.name}: the file is damaged (its tiles claim {claimed:,} bytes, but it has only "
                f"{file_size:,}); get a whole copy"
            )


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) else default
