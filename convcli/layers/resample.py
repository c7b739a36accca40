"""Resampling to another size with a kernel that is widened when the input is shrunk."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, Shape, Sizes, by_axes, input_sizes, split_shape
from convcli.layers.base import ITSELF, Layer, Reach, Seen
from convcli.layers.counts import Cost, weighted_sums

# The full width of each kernel, in input samples, or in output samples when the input is shrunk.
WIDTHS = {"lanczos": 6, "cubic": 4, "bilinear": 2, "hamming": 2, "box": 1, "nearest": 0}
USUAL = "lanczos"


@dataclass(frozen=True)
class Resample(Layer):
    """Resize by weighted means of the samples around the centre of each output; `nearest` copies one sample.

    Output y of o is centred at (y + 1/2) * n / o in the input, where sample x is centred at x + 1/2. It is the mean of
    the samples closer than half the kernel's width, times n / o if that is above 1. Samples beyond the ends are left
    out: the weights are divided by their sum. An axis that keeps its size is not changed. As Pillow's `Image.resize`.

    input_size, size : spatial sizes before and after
    method : a key of `WIDTHS`
    """

    input_size: Sizes
    size: Sizes
    method: str

    def __post_init__(self) -> None:
        """Raise ArgumentError for an unknown method, an empty size, or different numbers of axes."""
        if self.method not in WIDTHS:
            raise ArgumentError(f"there is no resampling {self.method!r}; use {', '.join(WIDTHS)}")
        if len(self.size) != len(self.input_size) or min(*self.size, *self.input_size) < 1:
            raise ArgumentError(f"a size {by_axes(self.input_size)} cannot become {by_axes(self.size)}")

    @property
    def axes(self) -> list[int]:
        """The axes whose size changes."""
        return [axis for axis, n in enumerate(self.input_size) if n != self.size[axis]]

    def taps(self, axis: int) -> int:
        """Return the largest number of samples that an output uses along an axis."""
        n, made = self.input_size[axis], self.size[axis]
        return max(1, -(-WIDTHS[self.method] * max(n, made) // made)) if n != made else 1

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return (channels, *size) for an input of `input_size`; raise ArgumentError for other sizes."""
        channels, size = split_shape(input_shape)
        if size != self.input_size:
            raise ArgumentError(f"the layer resizes {by_axes(self.input_size)}, not {by_axes(size)}")
        return (channels, *self.size)

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count one pass per axis, the last axis first; windows at the ends count as complete."""
        channels, size = split_shape(input_shape)
        total, left = Cost(), list(size)
        for axis in reversed(self.axes if self.method != "nearest" else []):
            left[axis] = self.size[axis]
            total += weighted_sums(channels * prod(left), self.taps(axis), bias=False)
        return total

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the samples that output y uses; a sample at the very end of a box is not one of them."""
        return tuple(map(self._sees, range(len(input_sizes(input_size)))))

    def _sees(self, axis: int) -> Seen:
        n, made = self.input_size[axis], self.size[axis]
        if n == made:
            return ITSELF
        wide = WIDTHS[self.method] * max(n, made)
        if not wide:
            return Reach(2 * n, 2 * made, n, n)
        return Reach(2 * n, 2 * made, n - wide + made, n + wide - made - 1)
