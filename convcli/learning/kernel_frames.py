"""Kernels as pictures: weights as colours, blue below 0 and red above; a sheet of a bank, an animation of learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.values import sheet_columns
from convcli.images.picture import Frame, Picture
from convcli.images.signs import signed_colours

Array = NDArray[Any]

SIDE, SHEET_SIDE = 256, 96  # pixels of a kernel's longer side at most: alone, and in a sheet
MOST_CELL = 48  # pixels of a weight at most
TINY = 1e-300  # stands for the largest weight where all are 0
MOST_FRAMES = 200
DURATION, LAST = 100, 1500  # milliseconds of a frame, and of the last one
COLOURS = 3  # channels of a kernel whose weights are red, green and blue
GAP, GAP_OF_COLOURS = 128, 255  # the grey between kernels, and between those of red, green and blue weights


def kernel_frames(trace: Sequence[Array]) -> Picture:
    """Return an animation of weights (..., kh, kw), white where they are 0; the scale is that of the largest of all."""
    chosen = np.unique(np.linspace(0, len(trace) - 1, min(len(trace), MOST_FRAMES)).round().astype(int))
    largest = max(float(np.abs(trace[number]).max()) for number in chosen) or 1.0
    frames = []
    for number in chosen:
        kernels = trace[number].reshape(-1, *trace[number].shape[-2:]) / largest
        drawn = _drawn(signed_colours(kernels), len(kernels))
        frames.append(Frame(drawn, "RGB", LAST if number == chosen[-1] else DURATION))
    return Picture(tuple(frames), "GIF", loop=0)


def kernel_sheet(bank: Array) -> Picture:
    """Return a sheet of kernels (N, C, kh, kw) in rows, each on a scale of its own.

    Of 3 channels the weights are red, green and blue, grey where they are 0; of others each channel is drawn apart.
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
    """Draw kernels (N, kh, kw, 3), enlarged, in rows of so many."""
    count, height, width, _ = kernels.shape
    cell = max(1, min(MOST_CELL, most // max(height, width)))
    large = kernels.repeat(cell, axis=1).repeat(cell, axis=2)
    gap = max(1, cell // 4)
    step = (height * cell + gap, width * cell + gap)
    rows = -(-count // columns)
    sheet = np.full((rows * step[0] - gap, columns * step[1] - gap, 3), between, np.uint8)
    for number, each in enumerate(large):
        top, left = (place * size for place, size in zip(divmod(number, columns), step, strict=True))
        sheet[top : top + height * cell, left : left + width * cell] = each
    return sheet
