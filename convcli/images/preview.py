"""Previews of pictures as bytes for a terminal: inline images of kitty and iTerm2, or coloured half blocks.

Protocols: https://sw.kovidgoyal.net/kitty/graphics-protocol/ and https://iterm2.com/documentation-images.html; the 256
colours are those of xterm.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convcli.images.modes import CHANNELS
from convcli.images.picture import Frame, ImageError

KITTY, ITERM, TRUE_COLOUR, COLOURS_256, SHADES = "kitty", "iterm", "24 bits", "256 colours", "shades"

CHUNK = 4096  # bytes of base 64 in one escape sequence of kitty
CHECKS = (153, 102)  # the two greys behind transparent places
CHECK = 8  # pixels: the side of a square of them in an inline image
CHECK_OF_BLOCKS = 2  # the same among half blocks
TINY, TINY_OF_BLOCKS = 160, 16  # pixels: a picture of no longer sides is enlarged up to that
HALF = "▀"  # a cell whose upper half has the foreground colour, its lower half the background colour
GREYS = " ░▒▓█"  # from black to white, without colours
CUBE = (0, 95, 135, 175, 215, 255)  # the levels of red, green and blue of xterm's colours 16 to 231
GREY_RAMP = range(8, 248, 10)  # the levels of its greys, 232 to 255
BAND = 64  # rows
SHOWING = 10  # bytes that a preview needs for each pixel of the picture
RESET = "\x1b[0m"


class Screen(NamedTuple):
    """A terminal.

    method : how it shows pictures: KITTY, ITERM, TRUE_COLOUR, COLOURS_256 or SHADES
    columns, rows : the cells that a picture may fill
    cell : the width and the height of a cell in pixels
    """

    method: str
    columns: int
    rows: int
    cell: tuple[int, int] = (10, 20)

    @property
    def room(self) -> tuple[int, int]:
        """The height and the width in pixels that a picture may have: of half blocks, two to a cell."""
        if self.method in (KITTY, ITERM):
            return self.rows * self.cell[1], self.columns * self.cell[0]
        return 2 * self.rows, self.columns


def preview(frame: Frame, screen: Screen, name: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a frame as bytes that show it, and notes; raise ImageError if it cannot be shown.

    A larger picture is reduced to the room that there is, and the pixels of a tiny one become squares; transparent
    places are drawn over a checkerboard.
    """
    pixels, notes = shown_pixels(frame, name)
    height, width = pixels.shape[:2]
    inline = screen.method in (KITTY, ITERM)
    share = min(room / side for room, side in zip(screen.room, (height, width), strict=True))
    tiny = TINY if inline else TINY_OF_BLOCKS
    factor = max(1, int(min(share, tiny / max(height, width))))
    image = Image.fromarray(pixels.repeat(factor, axis=0).repeat(factor, axis=1))
    size = max(1, round(width * min(share, factor))), max(1, round(height * min(share, factor)))
    if size != image.size:
        image = image.resize(size, Image.Resampling.BOX)
    drawn = over_checkerboard(np.asarray(image), CHECK if inline else CHECK_OF_BLOCKS)
    if inline:
        buffer = BytesIO()
        Image.fromarray(drawn).save(buffer, "PNG", compress_level=1)
        parts = _kitty(buffer.getvalue()) if screen.method == KITTY else _iterm(buffer.getvalue(), *size)
        return b"".join(parts) + b"\n", notes
    if screen.method == SHADES:
        return "".join(_shades(drawn)).encode(), notes
    return "".join(_half_blocks(drawn, screen.method)).encode(), notes


def shown_pixels(frame: Frame, name: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return a frame in 8 bits, as (H, W), (H, W, 3) or with alpha (H, W, 4), and notes.

    Floats that are not all between 0 and 1, and whole numbers with a sign or of 32 bits, are drawn from their least,
    black, to their largest, white. NaN and infinities are transparent.
    """
    channels, pixels = frame.channels, frame.pixels
    if channels not in CHANNELS or "LAB" in channels:
        hint = "; draw them side by side with `sheet`" if channels not in CHANNELS else ""
        raise ImageError(f"cannot show {name}: its channels are {channels}, which are no grey or RGB{hint}")
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    notes: tuple[str, ...] = ()
    known: NDArray[np.bool_] | None = None
    if pixels.dtype == np.uint16:
        pixels = _by_bands(pixels, lambda part: (part.astype(np.uint32) + 128) // 257)
    elif pixels.dtype != np.uint8:
        pixels, known, notes = _spread(pixels, has_alpha=frame.has_alpha)
    if channels == "CMYK":
        return np.asarray(Image.fromarray(np.ascontiguousarray(pixels), "CMYK").convert("RGB")), notes
    colours, alpha = (pixels[..., :-1], pixels[..., -1:]) if frame.has_alpha else (pixels, None)
    if known is not None and not known.all():
        alpha = np.where(known, np.uint8(255) if alpha is None else alpha, np.uint8(0))
    if alpha is None:
        return np.ascontiguousarray(colours[..., 0] if colours.shape[2] == 1 else colours), notes
    return np.concatenate([np.broadcast_to(colours, (*colours.shape[:2], 3)), alpha], axis=2), notes


def _spread(
    pixels: NDArray[Any], *, has_alpha: bool
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], tuple[str, ...]]:
    """Return numbers in 8 bits, which places are known, (H, W, 1), and a note on what is black and white."""
    colours = pixels[..., :-1] if has_alpha else pixels
    finite = np.isfinite(colours)
    known = finite.all(axis=2, keepdims=True)
    least = most = 0.0
    if pixels.dtype.kind != "f":
        least, most = float(colours.min()), float(colours.max())
    elif finite.any():
        least = float(np.min(colours, where=finite, initial=np.inf))
        most = float(np.max(colours, where=finite, initial=-np.inf))
    notes: tuple[str, ...] = ()
    if pixels.dtype.kind == "f" and least >= 0 and most <= 1:
        least, most = 0.0, 1.0
    else:
        notes = (f"shown from {least:g}, black, to {most:g}, white",)
    span = most / 2 - least / 2 or 0.5  # half of it, as the whole may be beyond the largest number

    def levels(part: NDArray[Any]) -> NDArray[Any]:
        values = part.astype(np.float64)
        with np.errstate(all="ignore"):
            drawn = (values / 2 - least / 2) / span
        if has_alpha:
            drawn[..., -1] = values[..., -1]
        return np.rint(np.clip(np.nan_to_num(drawn, nan=0.0), 0, 1) * 255)

    return _by_bands(pixels, levels), known, notes


def _by_bands(pixels: NDArray[Any], to_levels: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[np.uint8]:
    """Return pixels in 8 bits, some rows at a time, so that what is between needs little memory."""
    found = np.empty(pixels.shape, np.uint8)
    for start in range(0, len(pixels), BAND):
        found[start : start + BAND] = to_levels(pixels[start : start + BAND])
    return found


def over_checkerboard(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return (H, W) or (H, W, 3) as RGB; (H, W, 4) over squares of two greys, whose side is given in pixels."""
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    if pixels.shape[2] == 3:
        return pixels
    y, x = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    board = np.where((y // side + x // side) % 2, *reversed(CHECKS))[..., None]
    alpha = pixels[..., 3:].astype(np.float64) / 255
    return np.rint(pixels[..., :3] * alpha + board * (1 - alpha)).astype(np.uint8)


def _kitty(data: bytes) -> Iterator[bytes]:
    """Yield escape sequences that send a PNG and show it, without a response from the terminal."""
    text = b64encode(data)
    for start in range(0, len(text), CHUNK):
        keys = b"a=T,f=100,q=2," if start == 0 else b""
        more = b"m=%d;" % (start + CHUNK < len(text))
        yield b"\x1b_G" + keys + more + text[start : start + CHUNK] + b"\x1b\\"


def _iterm(data: bytes, width: int, height: int) -> Iterator[bytes]:
    yield b"\x1b]1337;File=inline=1;size=%d;width=%dpx;height=%dpx:" % (len(data), width, height)
    yield b64encode(data) + b"\a"


def _half_blocks(pixels: NDArray[np.uint8], method: str) -> Iterator[str]:
    """Yield a line of cells for each two rows of pixels; below the last one of an odd number nothing is drawn."""
    if method == TRUE_COLOUR:
        codes = [[f"2;{red};{green};{blue}" for red, green, blue in row] for row in pixels.tolist()]
    else:
        codes = [[f"5;{number}" for number in row] for row in nearest_of_256(pixels).tolist()]
    for upper, lower in zip(
        codes[::2], [*codes[1::2], *[[""] * len(codes[0])] * (len(codes) % 2)], strict=True
    ):
        was = ("", "")
        for colours in zip(upper, lower, strict=True):
            changed = [
                f"{ground};{code}"
                for ground, code, before in zip(("38", "48"), colours, was, strict=True)
                if code and code != before
            ]
            yield (f"\x1b[{';'.join(changed)}m" if changed else "") + HALF
            was = colours
        yield f"{RESET}\n"


def nearest_of_256(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the number of the nearest of xterm's 256 colours for each pixel, in its cube or among its greys."""
    cube = np.array(CUBE)
    steps = np.abs(np.arange(256)[:, None] - cube).argmin(axis=1)
    place = steps[pixels]
    in_cube = 16 + place @ np.array([36, 6, 1])
    ramp = np.array(GREY_RAMP)
    grey = np.abs(pixels.mean(axis=2)[..., None] - ramp).argmin(axis=2)
    far = ((cube[place] - pixels.astype(np.int64)) ** 2).sum(axis=2)
    far_grey = ((ramp[grey][..., None] - pixels.astype(np.int64)) ** 2).sum(axis=2)
    found: NDArray[np.int64] = np.where(far_grey < far, 232 + grey, in_cube)
    return found


def _shades(pixels: NDArray[np.uint8]) -> Iterator[str]:
    """Yield a line of shades of grey for each two rows of pixels."""
    grey = np.asarray(Image.fromarray(pixels).convert("L")).astype(np.float64)
    if len(grey) % 2:
        grey = np.vstack([grey, grey[-1:]])
    cells = (grey[::2] + grey[1::2]) / 2
    for row in np.rint(cells / 255 * (len(GREYS) - 1)).astype(int).tolist():
        yield "".join(GREYS[level] for level in row) + "\n"
