"""The algorithms of transposed convolution: by taps, by input positions, or as interleaved ordinary convolutions."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import gcd, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.correlate import Border, correlate
from convcli.backend.algorithms.costs import METHODS, Work, ranking
from convcli.backend.algorithms.slide import Slide, last_axes
from convcli.backend.borders import pad
from convcli.backend.convolution import BUFFER
from convcli.backend.dtypes import Numbers, cast
from convcli.layers.axes import Sizes
from convcli.layers.padding import span

Array = NDArray[Any]

# Picoseconds, as in `costs`: of one call with its overhead, of a product in BLAS, of adding one element to the output,
# and of flipping one weight.
CALL, PRODUCT, ADDITION, FLIPPED = 20_000_000, 40, 1_500, 5_000


@dataclass(frozen=True)
class OutputPhase:
    """Along one axis, the outputs first, first + stride, ...: they have the same taps, on neighbouring inputs.

    first, count : the first output, and their number
    taps, width : the taps that contribute to them, and their number
    dilation : distance in the input from one tap to the next
    start : the input element of the last tap at the first output; negative before the start of the input
    """

    first: int
    count: int
    taps: slice
    width: int
    dilation: int
    start: int

    def pads(self, size: int) -> tuple[int, int]:
        """Return how far the taps extend beyond both ends of an axis; negative where elements are not used."""
        reach = self.start + self.count - 1 + span(self.width, self.dilation)
        return -self.start, reach - size


@dataclass(frozen=True)
class Spread:
    """The geometry of a kernel that each element of an input adds to an output: one number per spatial axis.

    before : number of elements cropped from the start of the output
    """

    kernel_size: Sizes
    stride: Sizes
    dilation: Sizes
    input_size: Sizes
    output_size: Sizes
    before: Sizes

    def phases(self, axis: int) -> tuple[OutputPhase, ...]:
        """Group the outputs of an axis by the taps that contribute to them; outputs without taps are left out.

        Tap t contributes to output y from element (y + before - t * dilation) / stride, if that is an integer.
        """
        k, s, d = self.kernel_size[axis], self.stride[axis], self.dilation[axis]
        step = s // gcd(s, d)  # taps this far apart contribute to the same outputs
        found = []
        for tap in range(min(step, k)):
            first = (tap * d - self.before[axis]) % s
            count = len(range(first, self.output_size[axis], s))
            if count:
                width = len(range(tap, k, step))
                apart = step * d // s
                last = (first + self.before[axis] - tap * d) // s - (width - 1) * apart
                found.append(OutputPhase(first, count, slice(tap, None, step), width, apart, last))
        return tuple(found)

    @property
    def max_phases(self) -> int:
        """Upper bound of the number of combinations of phases; cropped outputs may make it smaller."""
        axes = zip(self.kernel_size, self.stride, self.dilation, self.output_size, strict=True)
        return prod(min(k, s // gcd(s, d), n) for k, s, d, n in axes)

    def all_phases(self) -> Iterator[tuple[OutputPhase, ...]]:
        """Yield every combination of one phase per axis."""
        return product(*map(self.phases, range(len(self.kernel_size))))


def spread(x: Array, weight: Array, how: Spread, numbers: Numbers, border: tuple[str, Array]) -> Array:
    """Return the transposed convolution of x (N, G, C, *size) with weight (G, C, O, *k): (N, G, O, *output).

    border : the padding mode and value; elements beyond the border contribute too unless the mode is `zeros`
    """
    work = Work(len(x), len(weight), weight.shape[1], weight.shape[2], _slide(how))
    beyond = border[0] != "zeros"
    scattered = _cost_scattered(work, how)
    # Multiplied by the zeros of a border, a weight that is not finite would give NaN.
    if beyond or (_cost_by_phases(work, how, scattered) < scattered and np.isfinite(weight).all()):
        return _by_phases(x, weight, how, numbers, border)
    return _scattered(x, weight, how, numbers)


def _slide(how: Spread) -> Slide:
    """Return the geometry of the convolution that this is the adjoint of."""
    return Slide(how.kernel_size, how.stride, how.dilation, how.input_size)


def _phase_slide(phases: tuple[OutputPhase, ...]) -> Slide:
    return Slide(
        tuple(phase.width for phase in phases),
        (1,) * len(phases),
        tuple(phase.dilation for phase in phases),
        tuple(phase.count for phase in phases),
    )


def _cost_scattered(work: Work, how: Spread) -> int:
    """Estimate one product for each tap or each position, whichever are fewer, and its addition to the output."""
    sizes = prod(how.kernel_size), prod(how.input_size)
    elements = work.images * work.groups * work.outputs * max(sizes)
    return min(sizes) * (CALL + elements * (work.inputs * PRODUCT + ADDITION))


def _cost_by_phases(work: Work, how: Spread, most: int) -> int:
    """Estimate the ordinary convolutions, each by its fastest method; only their calls, if those exceed `most`."""
    if (calls := how.max_phases * 2 * CALL) > most:
        return calls
    total = work.groups * work.inputs * work.outputs * prod(how.kernel_size) * FLIPPED
    for phases in how.all_phases():
        one = Work(work.images, work.groups, work.inputs, work.outputs, _phase_slide(phases))
        total += 2 * CALL + METHODS[ranking(one)[0]](one)
    return total


def _by_phases(x: Array, weight: Array, how: Spread, numbers: Numbers, border: tuple[str, Array]) -> Array:
    """Compute the outputs of each phase as an ordinary convolution with some of the taps and stride 1."""
    images, groups = x.shape[:2]
    outputs = weight.shape[2]
    flat = x.reshape(images, groups * x.shape[2], *how.input_size)
    # Convolution rather than correlation: later taps use earlier elements.
    flipped = np.flip(weight.swapaxes(1, 2), tuple(range(3, weight.ndim)))
    y = np.zeros((images, groups, outputs, *how.output_size), numbers.summing)
    with np.errstate(all="ignore"):
        np.setbufsize(BUFFER)
        for phases in how.all_phases():
            taps = (_flipped(phase.taps, k) for phase, k in zip(phases, how.kernel_size, strict=True))
            some = flipped[last_axes(taps)]
            pads = tuple(phase.pads(n) for phase, n in zip(phases, how.input_size, strict=True))
            source = flat
            if min(map(min, pads)) < 0:
                mode, value = border
                source = pad(flat, pads, range(2, flat.ndim), mode, value.item())
                pads = ((0, 0),) * len(pads)
            part = correlate(
                source,
                some.reshape(groups * outputs, *some.shape[2:]),
                groups,
                _phase_slide(phases),
                Border(pads, *border),
                numbers,
            )
            places = (slice(phase.first, None, s) for phase, s in zip(phases, how.stride, strict=True))
            y[last_axes(places)] = part.reshape(images, groups, outputs, *part.shape[2:])
    return y


def _flipped(taps: slice, k: int) -> slice:
    """Return the positions of taps on a reversed axis of length k."""
    count = len(range(*taps.indices(k)))
    return slice(k - 1 - taps.start - (count - 1) * taps.step, None, taps.step)


def _scattered(x: Array, weight: Array, how: Spread, numbers: Numbers) -> Array:
    """Add the contribution of one tap for all elements, or of one element for all taps, to the output."""
    images, groups, inputs = x.shape[:3]
    outputs, size, kernel = weight.shape[2], how.input_size, how.kernel_size
    # Positions are counted from the first element that any tap reaches; those before the output are cropped at the end.
    reach = (
        (n - 1) * s + span(k, d) for n, s, k, d in zip(size, how.stride, kernel, how.dilation, strict=True)
    )
    end = tuple(max(r, b + n) for r, b, n in zip(reach, how.before, how.output_size, strict=True))
    y = np.zeros((images, groups, outputs, *end), numbers.multiplying)
    with np.errstate(all="ignore"):
        x, weight = cast(x, y.dtype), cast(weight, y.dtype)
        if prod(kernel) <= prod(size):
            flat, slide = x.reshape(images, groups, inputs, prod(size)), _slide(how)
            for tap in np.ndindex(*kernel):
                part = weight[last_axes(tap)].swapaxes(1, 2) @ flat
                y[last_axes(slide.tap_slices(tap))] += part.reshape(images, groups, outputs, *size)
        else:
            whole = weight.reshape(groups, inputs, outputs * prod(kernel))
            slide = Slide(size, how.dilation, how.stride, kernel)  # elements and taps swapped
            for place in np.ndindex(*size):
                part = x[(..., np.newaxis, *place)].swapaxes(2, 3) @ whole
                y[last_axes(slide.tap_slices(place))] += part.reshape(images, groups, outputs, *kernel)
        kept = tuple(slice(b, b + n) for b, n in zip(how.before, how.output_size, strict=True))
        return cast(y[last_axes(kept)], numbers.summing)
