"""Weighted sums of shifted rows and columns, in place: shift and add.

Every function works on strips (rows, width * channels), where a shift by one pixel is a shift by `channels` samples;
its buffers are allocated once and reused for each strip.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Tap = Callable[[int], Array]  # the samples under a tap


class Scratch:
    """Named buffers that only grow, so that a loop over bands allocates nothing."""

    def __init__(self) -> None:
        self.held: dict[str, Array] = {}

    def get(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return an uninitialised array of this shape; it overwrites the last array of this name."""
        size = prod(shape)
        held = self.held.get(name)
        if held is None or held.size < size or held.dtype != dtype:
            held = self.held[name] = np.empty(size, dtype)
        return held[:size].reshape(shape)


class WeightedSum:
    """A weighted sum of taps in an efficient order: taps of equal absolute weight are added before multiplying."""

    def __init__(self, weights: Sequence[Any], dtype: Any) -> None:
        magnitudes: dict[Any, list[tuple[int, bool]]] = {}
        for place, weight in enumerate(weights):
            if weight:
                magnitudes.setdefault(abs(weight), []).append((place, weight < 0))
        self.groups: list[tuple[Any, list[tuple[int, bool]]]] = []  # a factor, and its taps with their signs
        # First a group with a factor, then the group of weight 1, which is added tap by tap.
        ones = magnitudes.pop(1, None)
        order = sorted(magnitudes.items(), key=lambda item: len(item[1]))
        if ones:
            order.insert(min(1, len(order)), (1, ones))
        for magnitude, taps in order:
            taps.sort(key=lambda tap: tap[1])  # positive weights first
            minus = taps[0][1] and bool(not self.groups or magnitude != 1)
            factor = (
                None
                if magnitude == 1 and not minus
                else np.dtype(dtype).type(-magnitude if minus else magnitude)
            )
            self.groups.append((factor, [(place, sign != minus) for place, sign in taps]))

    def __call__(self, tap: Tap, out: Array, scratch: Scratch) -> Array:
        """Write the sum into `out`."""
        if not self.groups:
            out[...] = 0
        for number, (factor, taps) in enumerate(self.groups):
            if number and factor is None:
                for place, minus in taps:
                    (np.subtract if minus else np.add)(out, tap(place), out=out)
                continue
            group = scratch.get("group", out.shape, out.dtype) if number else out
            if len(taps) == 1:
                if factor is None:
                    np.copyto(group, tap(taps[0][0]))
                else:
                    np.multiply(tap(taps[0][0]), factor, out=group)
            else:
                (first, _), (second, minus) = taps[:2]
                (np.subtract if minus else np.add)(tap(first), tap(second), out=group)
                for place, minus in taps[2:]:
                    (np.subtract if minus else np.add)(group, tap(place), out=group)
                if factor is not None:
                    np.multiply(group, factor, out=group)
            if number:
                np.add(out, group, out=out)
        return out


def operations(weights: Sequence[Any]) -> int:
    """Return the number of passes over the samples that a WeightedSum makes."""
    used = [abs(weight) for weight in weights if weight]
    return len(used) + max(0, len(set(used) - {1}) - 1)
