"""Box sums by running sums: the cost is independent of the height of the box, and nearly of its width.

Crow (1984), "Summed-area tables for texture mapping", keeps such sums for a whole picture; a band keeps one row.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.passes import Scratch
from convcli.backend.bands.strip import Strip

Array = NDArray[Any]


STEP = 1 << 19  # input samples summed horizontally in one call: few calls, and the sums stay in cache
KEPT = 1 << 21  # samples of horizontal sums in memory, or more, as each row stays until it leaves the box


class RunningSums:
    """The sums of all boxes of one size in a tile: horizontally by doubling, then vertically by running sums.

    `more` is added to every sum, at no cost.
    """

    def __init__(
        self,
        strip: Strip,
        box: tuple[int, int],
        first: str,
        dtype: str,
        more: float = 0,
    ) -> None:
        self.strip, self.first, self.dtype, self.more = strip, first, dtype, more
        self.taps, across = box
        self.digits, self.slack = signed_digits(across), slack(across, strip.channels)
        self.scratch = Scratch()

    def __call__(self, tile: tuple[slice, slice]) -> Iterator[tuple[slice, Array]]:
        """Yield slices of rows with their sums, (rows, samples); the next ones overwrite them."""
        vertical, horizontal = self.strip.slide.reach(tile)
        channels, taps, height = self.strip.channels, self.taps, vertical.stop - vertical.start
        samples, width = ((places.stop - places.start) * channels for places in (tile[1], horizontal))
        step = max(1, STEP // width)
        room = taps + min(height, max(KEPT // width, step, taps))
        passing = _Passing(self.scratch.get("passing", (room, width), self.first), taps)
        total = self.scratch.get("total", (samples,), self.dtype)
        total[...] = self.more
        for start in range(0, height, step):
            stop = min(height, start + step)
            rows = slice(vertical.start + start, vertical.start + stop)
            goes, comes = passing(stop - start)
            line = self.strip.line(rows, horizontal, self.slack)
            sum_neighbours(line, self.digits, channels, comes.reshape(-1), self.scratch)
            change = self.scratch.get("change", (stop - start, samples), self.first)
            np.subtract(comes[:, :samples], goes[:, :samples], out=change)
            sums = self._run_on(change, total)
            done = max(start, taps - 1)
            if done < stop:
                yield slice(done - taps + 1, stop - taps + 1), sums[done - start :]

    def _run_on(self, change: Array, total: Array) -> Array:
        """Return the total after each row of change; `total` becomes the last."""
        sums = self.scratch.get("sums", change.shape, self.dtype)
        np.copyto(sums, change)
        before = total
        for row in list(sums):
            np.add(row, before, out=row)
            before = row
        np.copyto(total, before)
        return sums


class _Passing:
    """The rows that enter the box and leave it `taps` rows later; before the first, rows are zero."""

    def __init__(self, memory: Array, taps: int) -> None:
        self.memory, self.taps, self.first = memory, taps, taps
        memory[:taps] = 0

    def __call__(self, count: int) -> tuple[Array, Array]:
        """Return the next `count` rows that leave, and the memory for `count` rows that enter."""
        first, taps = self.first, self.taps
        if first + count > len(self.memory):  # rows still in the box move to the start
            self.memory[:taps] = self.memory[first - taps : first]
            first = taps
        self.first = first + count
        return self.memory[first - taps : self.first - taps], self.memory[first : self.first]


def signed_digits(number: int) -> list[int]:
    """Return the binary digits of a number, the highest first, in the form that needs fewest additions.

    The digits are 0 and 1, or -1, 0 and 1 with no two adjacent nonzero digits (Reitwiesner 1960): 31 is 32 - 1.
    """
    plain = [int(digit) for digit in f"{number:b}"]
    signed, rest = [], number
    while rest:
        digit = 2 - rest % 4 if rest % 2 else 0
        signed.append(digit)
        rest = (rest - digit) // 2
    return min(plain, signed[::-1], key=lambda digits: len(digits) + sum(map(abs, digits)))


def sum_neighbours(line: Array, digits: list[int], step: int, out: Array, scratch: Scratch) -> None:
    """Sum neighbouring samples, `step` apart: out[i] = line[i] + line[i + step] + ...; `digits` give their number.

    `line` is longer than `out` by `slack` samples. The content of the last ones is added and subtracted again:
    integers may overflow on the way and are correct at the end.
    """
    sums, count = line, 1
    for place, digit in enumerate(digits[1:], start=1):
        last = place == len(digits) - 1
        length = len(out) if last else len(sums) - (count + 1) * step
        target = out if last else scratch.get(f"doubled{place % 2}", (length,), out.dtype)
        np.add(sums[:length], sums[count * step : count * step + length], out=target)
        count *= 2
        if digit > 0:
            np.add(target, line[count * step : count * step + length], out=target)
            count += 1
        elif digit < 0:
            count -= 1
            np.subtract(target, line[count * step : count * step + length], out=target)
        sums = target
    if len(digits) == 1:
        np.copyto(out, line[: len(out)])


def slack(taps: int, step: int) -> int:
    """Return how much longer than its sums a line must be for `sum_neighbours`."""
    return 2 * (taps + taps.bit_length()) * step
