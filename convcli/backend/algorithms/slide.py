"""The positions of a kernel over an input, and the elements under each of its taps; integers only, no arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import gcd, prod
from typing import Any, NamedTuple

from convcli.layers.axes import Sizes
from convcli.layers.base import Window
from convcli.layers.padding import span

Index = tuple[Any, ...]  # index of an array


def last_axes(places: Iterable[slice | int]) -> Index:
    """Return an index of the last axes of an array that keeps the others whole."""
    return (..., *places)


@dataclass(frozen=True)
class Slide:
    """The geometry of a kernel that slides over an already padded input: one number per spatial axis."""

    kernel_size: Sizes
    stride: Sizes
    dilation: Sizes
    output_size: Sizes

    @classmethod
    def of(cls, layer: Window, input_size: Sizes) -> "Slide":
        """Return the geometry of a layer's kernel on an input of `input_size`, which is padded first.

        The stride is limited to the padded input if there is one output, and the dilation if there is one tap.
        """
        output = layer.output_size(input_size)
        most = [n + sum(pair) for n, pair in zip(input_size, layer.pads(input_size), strict=True)]
        stride = (s if o > 1 else min(s, n) for s, o, n in zip(layer.stride, output, most, strict=True))
        dilation = (
            d if k > 1 else min(d, n) for d, k, n in zip(layer.dilation, layer.kernel_size, most, strict=True)
        )
        return cls(layer.kernel_size, tuple(stride), tuple(dilation), output)

    @cached_property
    def spans(self) -> Sizes:
        """The number of elements from the kernel's first tap to its last, per axis."""
        return tuple(span(k, d) for k, d in zip(self.kernel_size, self.dilation, strict=True))

    def only(self, axis: int, output_size: Sizes) -> "Slide":
        """Return the same geometry along one axis only, for an output of `output_size`."""
        kernel, stride, dilation = (
            tuple(number if other == axis else 1 for other, number in enumerate(numbers))
            for numbers in (self.kernel_size, self.stride, self.dilation)
        )
        return Slide(kernel, stride, dilation, output_size)

    @property
    def whole(self) -> tuple[slice, ...]:
        """All positions of the output."""
        return tuple(slice(0, count) for count in self.output_size)

    def tap_slices(self, tap: Sequence[int], box: Sequence[slice] | None = None) -> tuple[slice, ...]:
        """Return the input elements under `tap`, for a box of the output or all of it."""
        return tuple(
            slice(t * d + place.start * s, t * d + (place.stop - 1) * s + 1, s)
            for t, d, s, place in zip(tap, self.dilation, self.stride, box or self.whole, strict=True)
        )

    def reach(self, box: Sequence[slice]) -> tuple[slice, ...]:
        """Return the range of the input that a box of the output needs."""
        return tuple(
            slice(place.start * s, (place.stop - 1) * s + reach)
            for place, s, reach in zip(box, self.stride, self.spans, strict=True)
        )


@dataclass(frozen=True)
class Taps:
    """Along one axis, the taps on the same phase of the input: the elements phase, phase + stride, ...

    taps, count : the taps, and their number
    first, step : the element of the phase under the first tap at output 0, and the distance to the next tap's
    """

    phase: int
    taps: slice
    count: int
    first: int
    step: int


class Phases(NamedTuple):
    """A padded input divided by the stride: within a phase, adjacent outputs use adjacent elements."""

    slide: Slide

    @property
    def worth_copying(self) -> bool:
        """Return whether enough taps use each element to make copying the divided input worthwhile."""
        return set(self.slide.stride) == {1} or prod(self.slide.kernel_size) > prod(self.slide.stride)

    def taps(self, axis: int, before: int = 0) -> tuple[Taps, ...]:
        """Group the taps of an axis by their phase, for an input that begins `before` elements later."""
        k, s, d = self.slide.kernel_size[axis], self.slide.stride[axis], self.slide.dilation[axis]
        period = s // gcd(s, d)  # taps this far apart have the same phase
        return tuple(
            Taps(
                (t * d - before) % s,
                slice(t, k, period),
                len(range(t, k, period)),
                (t * d - before) // s,
                period * d // s,
            )
            for t in range(min(period, k))
        )
