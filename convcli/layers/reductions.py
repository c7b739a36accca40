"""Reductions along axes of a tensor: sums, means, maxima, norms and others."""

from dataclasses import dataclass
from math import prod
from typing import Any

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape
from convcli.layers.base import ITSELF, Trace
from convcli.layers.counts import Cost, plain
from convcli.layers.tensor_layer import TensorLayer, axes_of, integers

# The work of a reduction: per element, per element after the first of each output, and per output.
KINDS: dict[str, tuple[Cost, Cost, Cost]] = {
    "sum": (plain(), plain(additions=1), plain()),
    "mean": (plain(), plain(additions=1), plain(multiplications=1)),
    "max": (plain(), plain(comparisons=1), plain()),
    "min": (plain(), plain(comparisons=1), plain()),
    "argmax": (plain(), plain(comparisons=1), plain()),
    "argmin": (plain(), plain(comparisons=1), plain()),
    "prod": (plain(), plain(multiplications=1), plain()),
    "l1": (plain(), plain(additions=1), plain()),  # |x| only clears the sign bit
    "l2": (plain(multiplications=1), plain(additions=1), plain(transcendentals=1)),
    "sum-square": (plain(multiplications=1), plain(additions=1), plain()),
    "log-sum": (plain(), plain(additions=1), plain(transcendentals=1)),
    "log-sum-exp": (plain(transcendentals=1), plain(additions=1), plain(transcendentals=1)),
}


@dataclass(frozen=True, init=False)
class Reduce(TensorLayer):
    """Reduce the elements along the given axes, by default all axes, to one number.

    keep : whether reduced axes stay with size 1, as in ONNX; PyTorch removes them

    >>> Reduce("mean", (2, 3), keep=False).output_shapes((8, 512, 7, 7))
    ((8, 512),)
    """

    kind: str
    axes: tuple[int, ...] | None
    keep: bool

    def __init__(self, kind: str, axes: Any = None, *, keep: bool = True) -> None:
        if kind not in KINDS:
            raise ArgumentError(f"there is no reduction {kind!r}; {instead_of(kind, KINDS)}")
        self._set(kind=kind, axes=None if axes is None else integers("axes", axes), keep=bool(keep))

    def _reduced(self, shape: Shape) -> tuple[int, ...]:
        return tuple(range(len(shape))) if self.axes is None else axes_of(self.axes, len(shape))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the other sizes, and 1 for each reduced axis if `keep`."""
        reduced = self._reduced(shapes[0])
        sizes = ((1 if axis in reduced else n, axis in reduced) for axis, n in enumerate(shapes[0]))
        return (tuple(n for n, gone in sizes if self.keep or not gone),)

    def work(self, *shapes: Shape) -> Cost:
        """Count the work by the formula in KINDS."""
        elements, outputs = prod(shapes[0]), prod(self.output_shapes(*shapes)[0])
        each, further, one = KINDS[self.kind]
        return each * elements + further * (elements - outputs) + one * outputs

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return where the other axes go; each output sees the whole of each reduced axis."""
        reduced = self._reduced(shapes[0])
        made, place = [], 0
        for axis in range(len(shapes[0])):
            gone = axis in reduced and not self.keep
            made.append(Trace(None if gone else place, "whole" if axis in reduced else ITSELF))
            place += not gone
        return (tuple(made),)
