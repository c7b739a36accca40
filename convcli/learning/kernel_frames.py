"""An animation of a kernel that is being learned: its weights as colours, blue below 0 and red above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.images.picture import Frame, Picture

Array = NDArray[Any]

SIDE, MOST_CELL = 256, 48  # pixels of a kernel's longer side, and of a weight, at most
MOST_FRAMES = 200
DURATION, LAST = 100, 1500  # milliseconds of a frame, and of the last one
BLUE, WHITE, RED = np.array((33, 102, 172)), np.array((247, 247, 247)), np.array((178, 24, 43))
PAPER = 128  # the grey between kernels


def kernel_frames(trace: Sequence[Array]) -> Picture:
    """Return an animation of weights (..., kh, kw), white where they are 0; the scale is that of the largest of all."""
    chosen = np.unique(np.linspace(0, len(trace) - 1, min(len(trace), MOST_FRAMES)).round().astype(int))
    largest = max(float(np.abs(trace[number]).max()) for number in chosen) or 1.0
    frames = []
    for number in chosen:
        drawn = _drawn(trace[number].reshape(-1, *trace[number].shape[-2:]) / largest)
        frames.append(Frame(drawn, "RGB", LAST if number == chosen[-1] else DURATION))
    return Picture(tuple(frames), "GIF", loop=0)


def _drawn(kernels: Array) -> Array:
    """Draw kernels (N, kh, kw), of weights from -1 to 1, beside each other."""
    count, height, width = kernels.shape
    cell = max(1, min(MOST_CELL, SIDE // max(height, width)))
    share = np.abs(kernels)[..., np.newaxis]
    ends = np.where(kernels[..., np.newaxis] < 0, BLUE, RED)
    colours = np.rint(WHITE + share * (ends - WHITE)).astype(np.uint8)
    large = colours.repeat(cell, axis=1).repeat(cell, axis=2)
    gap = max(1, cell // 4)
    sheet = np.full((height * cell, count * (width * cell + gap) - gap, 3), PAPER, np.uint8)
    for number, each in enumerate(large):
        left = number * (width * cell + gap)
        sheet[:, left : left + width * cell] = each
    return sheet
