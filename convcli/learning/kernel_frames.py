"""Kernels as pictures, with blue for negative and red for positive weights: a sheet of a bank, or an animation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.values import sheet_columns
from convcli.images.picture import Frame, Picture
from convcli.images.signs import signed_colours

Array = NDArray[Any]

SIDE, SHEET_SIDE = 256, 96  # largest side of a kernel in pixels: alone, and in a sheet
MAX_CELL = 48  # largest side of a weight in pixels
TINY = 1e-300  # used in place of the largest weight if all are 0
MAX_FRAMES = 200
DURATION, LAST = 100, 1500  # milliseconds per frame, and of the last frame
COLOURS = 3  # channels of a kernel whose weights are drawn as red, green and blue
GAP, GAP_OF_COLOURS = 128, 255  # grey value between kernels, and between kernels drawn as RGB


def kernel_frames(trace: Sequence[Array]) -> Picture:
    """Return an animation of weights (..., kh, kw); 0 is white, and all frames have the scale of the largest weight."""
    chosen = np.unique(np.linspace(0, len(trace) - 1, min(len(trace), MAX_FRAMES)).round().astype(int))
    largest = max(float(np.abs(trace[number]).max()) for number in chosen) or 1.0
    frames = []
    for number in chosen:
        kernels = trace[number].reshape(-1, *trace[number].shape[-2:]) / largest
        drawn = _drawn(signed_colours(kernels), len(kernels))
        frames.append(Frame(drawn, "RGB", LAST if number == chosen[-1] else DURATION))
    return Picture(tuple(frames), "GIF", loop=0)


def kernel_sheet(bank: Array) -> Picture:
    """Return a sheet of kernels (N, C, kh, kw), each scaled separately.

    Kernels of 3 channels are drawn as RGB, grey for 0; of other kernels each channel is drawn separately.
    """
    scaled = bank / np.maximum(np.abs(bank).max(axis=(1, 2, 3), keepdims=True), TINY)
    if bank.shape[1] == COLOURS:
        coloured = np.rint((np.moveaxis(scaled, 1, -1) + 1) * 127.5).astype(np.uint8)
    else:
        coloured = signed_colours(scaled.reshape(-1, *bank.shape[2:]))
    columns = bank.shape[1] if bank.shape[1] not in (1, COLOURS) else sheet_columns(len(coloured))
    between = GAP_OF_COLOURS if bank.shape[1] == COLOURS else GAP
    return Picture((Frame(_drawn(coloured, columns, SHEET_SIDE, between), "RGB"),), "PNG")


def _drawn(kernels: Array, columns: int, most: int = SIDE, between: int = GAP) -> Array:
    """Draw kernels (N, kh, kw, 3), enlarged, in rows of `columns` kernels."""
    count, height, width, _ = kernels.shape
    cell = max(1, min(MAX_CELL, most // max(height, width)))
    large = kernels.repeat(cell, axis=1).repeat(cell, axis=2)
    gap = max(1, cell // 4)
    step = (height * cell + gap, width * cell + gap)
    rows = -(-count // columns)
    sheet = np.full((rows * step[0] - gap, columns * step[1] - gap, 3), between, np.uint8)
    for number, each in enumerate(large):
        top, left = (place * size for place, size in zip(divmod(number, columns), step, strict=True))
        sheet[top : top + height * cell, left : left + width * cell] = each
    return sheet
