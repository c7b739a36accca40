"""Backwards: which options map an input size to the output size that is wanted."""

from collections.abc import Collection, Iterator
from itertools import islice, product
from typing import NamedTuple

from convcli.errors import ArgumentError
from convcli.layers.axes import whole
from convcli.layers.base import Window
from convcli.layers.conv import Conv
from convcli.layers.padding import Pair, span

MOST_STRIDE = 8
MOST_DILATION = 4
MOST_SOLUTIONS = 1000


class Solution(NamedTuple):
    """Options along one axis; the padding is a number for both sides, or a pair (before, after)."""

    padding: int | Pair
    stride: int
    dilation: int
    output_padding: int = 0


class _Axis(NamedTuple):
    """What is asked along one axis."""

    n: int
    target: int
    kernel: int
    transposed: bool

    def sums(self, stride: int, dilation: int, extra: int) -> tuple[int, int]:
        """Return the least and the largest sum of both paddings that give the target.

        floor((n + sum - span) / s) + 1 = target is solved by s sums, s*(n - 1) + span + extra - sum = target by one.
        """
        size = span(self.kernel, dilation)
        if self.transposed:
            least = most = stride * (self.n - 1) + size + extra - self.target
        else:
            least, most = (self.target - 1) * stride + size - self.n, self.target * stride - 1 + size - self.n
        return max(0, least), min(most, 2 * (size - 1))

    def pads(self, stride: int, dilation: int, extra: int, padding: int | Pair | str) -> Pair | None:
        """Return a padding as a pair, or None where it does not give the target."""
        sides = (padding,) if isinstance(padding, tuple) else padding
        conv = Conv(
            in_channels=1,
            out_channels=1,
            kernel_size=self.kernel,
            stride=stride,
            padding=sides,
            dilation=dilation,
            dims=1,
        )
        layer: Window = conv
        if self.transposed:
            from convcli.layers.transposed import ConvTranspose

            layer = ConvTranspose(**vars(conv), output_padding=extra)
        try:
            return layer.pads((self.n,))[0] if layer.output_size((self.n,)) == (self.target,) else None
        except ArgumentError:
            return None  # an empty output


def solve(
    n: int,
    target: int,
    kernel: int,
    transposed: bool = False,
    *,
    paddings: Collection[int | Pair | str] | None = None,
    strides: Collection[int] | None = None,
    dilations: Collection[int] | None = None,
    output_paddings: Collection[int] | None = None,
) -> list[Solution]:
    """List the options that map `n` to `target` along one axis, the simplest first; empty if there are none.

    Simplest is the smallest dilation, then the same padding on both sides, then (transposed) the smallest
    output_padding, then the smallest stride, then the smallest padding. The size depends on the sum of both sides: an
    odd one is divided as `same` does it, with the larger half behind. Options that are given are taken as they are,
    paddings also by name. The others are small: the dilation at most 4; the stride at most 8, or the kernel's own
    size without padding: patches side by side; the padding below d*(k-1) + 1, so that every window touches the input.
    At most MOST_SOLUTIONS are listed.

    >>> solve(7, 4, 3)[0]
    Solution(padding=1, stride=2, dilation=1, output_padding=0)
    >>> solve(8, 8, 4)[0]
    Solution(padding=(1, 2), stride=1, dilation=1, output_padding=0)
    """
    axis = _Axis(whole("n", n, 1), whole("target", target, 1), whole("kernel", kernel, 1), transposed)
    extras = sorted(output_paddings) if output_paddings else range(MOST_STRIDE if transposed else 1)
    found = (
        Solution(padding, stride, dilation, extra)
        for dilation in sorted(dilations or range(1, MOST_DILATION + 1 if kernel > 1 else 2))
        for uneven, extra in product((False, True), extras)
        for stride in sorted(strides or _strides(axis, dilation, extra))
        if not transposed or extra < max(stride, dilation)
        for padding in (
            _given(axis, stride, dilation, extra, uneven, paddings)
            if paddings
            else _small(axis, stride, dilation, extra, uneven, patches=not strides)
        )
    )
    return list(islice(found, MOST_SOLUTIONS))


def _strides(axis: _Axis, dilation: int, extra: int) -> list[int]:
    """Return the strides to try: the small ones, and the kernel's size for patches."""
    patches = [axis.kernel] if dilation == 1 and axis.kernel > MOST_STRIDE and not extra else []
    return [*range(1, MOST_STRIDE + 1), *patches]


def _small(
    axis: _Axis, stride: int, dilation: int, extra: int, uneven: bool, *, patches: bool
) -> Iterator[int | Pair]:
    """Yield the paddings of an even or an odd sum that give the target; of `patches` side by side only none."""
    least, most = axis.sums(stride, dilation, extra)
    if patches and stride > MOST_STRIDE:
        most = min(most, 0)
    for half in range(least // 2 if uneven else -(-least // 2), most // 2 + 1):
        if not uneven:
            yield half
        elif 2 * half + 1 <= most:
            yield half, half + 1


def _given(
    axis: _Axis, stride: int, dilation: int, extra: int, uneven: bool, paddings: Collection[int | Pair | str]
) -> Iterator[int | Pair]:
    """Yield those of the given paddings that give the target, in numbers."""
    for padding in paddings:
        pair = axis.pads(stride, dilation, extra, padding)
        if pair is not None and (pair[0] != pair[1]) == uneven:
            yield pair if uneven else pair[0]
