"""Weighted sums of shifted rows and columns, in place: shift and add.

Every function works on strips (rows, width * channels), where a shift of one pixel is one of `channels`
samples; its buffers are made once and reused for each strip.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Tap = Callable[[int], Array]  # the samples that a tap meets


class Scratch:
    """Buffers by name, as large as they were ever asked for, so that a loop over bands allocates nothing."""

    def __init__(self) -> None:
        self.held: dict[str, Array] = {}

    def get(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return an uninitialised array of this shape; the name's last array is gone."""
        size = int(np.prod(shape))
        held = self.held.get(name)
        if held is None or held.size < size or held.dtype != dtype:
            held = self.held[name] = np.empty(size, dtype)
        return held[:size].reshape(shape)


def weighted_sum(weights: Sequence[Any], tap: Tap, out: Array, scratch: Scratch) -> Array:
    """Sum weight * tap over all taps into `out`; taps of equal magnitude are summed before they are weighed."""
    groups: dict[Any, list[tuple[int, bool]]] = {}
    for place, weight in enumerate(weights):
        if weight:
            groups.setdefault(abs(weight), []).append((place, weight < 0))
    if not groups:
        out[...] = 0
        return out
    started = False
    for magnitude, taps in sorted(groups.items(), key=lambda item: -len(item[1])):
        taps.sort(key=lambda item: item[1])  # a group that has one begins with a plus
        negative = taps[0][1]
        if not started and magnitude == 1 and not negative:
            _signed_sum(taps, tap, out)
            started = True
            continue
        if magnitude == 1 and started:
            for place, minus in taps:
                (np.subtract if minus else np.add)(out, tap(place), out=out)
            continue
        group = scratch.get("group", out.shape, out.dtype) if started else out
        factor = out.dtype.type(-magnitude if negative else magnitude)
        flipped = [(place, minus != negative) for place, minus in taps]
        if len(taps) == 1:
            np.multiply(tap(taps[0][0]), factor, out=group)
        else:
            _signed_sum(flipped, tap, group)
            np.multiply(group, factor, out=group)
        if started:
            np.add(out, group, out=out)
        started = True
    return out


def _signed_sum(taps: Sequence[tuple[int, bool]], tap: Tap, out: Array) -> None:
    """Sum taps with their signs into `out`; the first is a plus."""
    first = tap(taps[0][0])
    if len(taps) == 1:
        np.copyto(out, first)
        return
    place, minus = taps[1]
    (np.subtract if minus else np.add)(first, tap(place), out=out)
    for place, minus in taps[2:]:
        (np.subtract if minus else np.add)(out, tap(place), out=out)


def operations(weights: Sequence[Any]) -> int:
    """Count the passes over the samples that `weighted_sum` makes."""
    used = [abs(weight) for weight in weights if weight]
    return len(used) + sum(1 for magnitude in set(used) if magnitude != 1)


def running_rows(strip: Array, taps: int, out: Array) -> Array:
    """Sum `taps` rows at every place of the band, by one sum that runs down: its cost is free of `taps`."""
    total = out[0]
    np.copyto(total, strip[0])
    for row in range(1, taps):
        np.add(total, strip[row], out=total)
    for row in range(1, len(out)):
        np.add(out[row - 1], strip[row - 1 + taps], out=out[row])
        np.subtract(out[row], strip[row - 1], out=out[row])
    return out


def doubling_columns(strip: Array, taps: int, channels: int, scratch: Scratch) -> Array:
    """Sum `taps` neighbours along the rows, by sums of 2, 4, 8 ...: about 2 * log2(taps) passes."""
    width = strip.shape[1] - (taps - 1) * channels
    total, done, power, sums = None, 0, 1, strip
    while power <= taps:
        if taps & power:
            part = sums[:, done * channels : done * channels + width]
            if total is None:
                total = part if power == taps else scratch.get("total", part.shape, part.dtype)
                if power != taps:
                    np.copyto(total, part)
            else:
                np.add(total, part, out=total)
            done += power
        if power * 2 <= taps:
            length = sums.shape[1] - power * channels
            doubled = scratch.get(f"sums{power}", (len(sums), length), sums.dtype)
            sums = np.add(sums[:, :length], sums[:, power * channels :], out=doubled)
        power *= 2
    assert total is not None
    return total
