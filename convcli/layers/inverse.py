"""Inverse shape arithmetic: find the options that map an input size to a given output size."""

from collections.abc import Collection, Iterator
from itertools import islice, product
from typing import NamedTuple

from convcli.errors import ArgumentError
from convcli.layers.axes import whole
from convcli.layers.base import Window
from convcli.layers.conv import Conv
from convcli.layers.padding import Pair, span

MAX_STRIDE = 8
MAX_DILATION = 4
MAX_SOLUTIONS = 1000


class Solution(NamedTuple):
    """Options along one axis; the padding is one number for both sides, or a pair (before, after)."""

    padding: int | Pair
    stride: int
    dilation: int
    output_padding: int = 0


class _Axis(NamedTuple):
    """The problem to solve along one axis."""

    n: int
    target: int
    kernel: int
    transposed: bool

    def sums(self, stride: int, dilation: int, extra: int) -> tuple[int, int]:
        """Return the smallest and the largest total padding (before plus after) that give the target.

        floor((n + total - span) / s) + 1 = target has s solutions; the transposed
        s*(n - 1) + span + extra - total = target has one.
        """
        size = span(self.kernel, dilation)
        if self.transposed:
            least = most = stride * (self.n - 1) + size + extra - self.target
        else:
            least, most = (self.target - 1) * stride + size - self.n, self.target * stride - 1 + size - self.n
        return max(0, least), min(most, 2 * (size - 1))

    def pads(self, stride: int, dilation: int, extra: int, padding: int | Pair | str) -> Pair | None:
        """Return a padding as a pair, or None if it does not give the target."""
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
            return None  # the output would be empty


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
    """List the options that map `n` to `target` along one axis, simplest first; empty if there are none.

    Solutions are sorted by the smallest dilation, then equal padding on both sides, then (transposed) the smallest
    output_padding, the smallest stride and the smallest padding. The size depends on the total padding; an odd total is
    split as `same` splits it, with the larger half at the end. Options that are given are used as they are; paddings
    may be given by name. Options that are not given are searched in a range: dilations up to MAX_DILATION; strides up
    to MAX_STRIDE, or the kernel size without padding (non-overlapping patches); paddings below d*(k-1) + 1, so that
    every window overlaps the input. At most MAX_SOLUTIONS are listed.

    >>> solve(7, 4, 3)[0]
    Solution(padding=1, stride=2, dilation=1, output_padding=0)
    >>> solve(8, 8, 4)[0]
    Solution(padding=(1, 2), stride=1, dilation=1, output_padding=0)
    """
    axis = _Axis(whole("n", n, 1), whole("target", target, 1), whole("kernel", kernel, 1), transposed)
    extras = sorted(output_paddings) if output_paddings else range(MAX_STRIDE if transposed else 1)
    found = (
        Solution(padding, stride, dilation, extra)
        for dilation in sorted(dilations or range(1, MAX_DILATION + 1 if kernel > 1 else 2))
        for uneven, extra in product((False, True), extras)
        for stride in sorted(strides or _strides(axis, dilation, extra))
        if not transposed or extra < max(stride, dilation)
        for padding in (
            _given(axis, stride, dilation, extra, uneven, paddings)
            if paddings
            else _small(axis, stride, dilation, extra, uneven, patches=not strides)
        )
    )
    return list(islice(found, MAX_SOLUTIONS))


def reachable(
    n: int,
    kernel: int,
    transposed: bool = False,
    *,
    strides: Collection[int] | None = None,
    dilations: Collection[int] | None = None,
) -> tuple[int, int]:
    """Return the smallest and the largest output size that paddings below d*(k-1) + 1 give along one axis.

    Options that are not given are those that `solve` searches.

    >>> reachable(224, 7, strides=[2], dilations=[1])
    (109, 115)
    """
    least, most = [], []
    for dilation in dilations or range(1, MAX_DILATION + 1):
        size = span(kernel, dilation)
        for stride in strides or (*range(1, MAX_STRIDE + 1), kernel):
            whole = stride * (n - 1)
            if transposed:
                least.append(max(1, whole + 2 - size))
                most.append(whole + size + max(stride, dilation) - 1)
            else:
                least.append((max(n - size, 0)) // stride + 1)
                most.append((n + size - 2) // stride + 1)
    return min(least), max(most)


def _strides(axis: _Axis, dilation: int, extra: int) -> list[int]:
    """Return the strides to try: small ones, and the kernel size for non-overlapping patches."""
    patches = [axis.kernel] if dilation == 1 and axis.kernel > MAX_STRIDE and not extra else []
    return [*range(1, MAX_STRIDE + 1), *patches]


def _small(
    axis: _Axis, stride: int, dilation: int, extra: int, uneven: bool, *, patches: bool
) -> Iterator[int | Pair]:
    """Yield the paddings with an even or an odd total that give the target; `patches` use no padding."""
    least, most = axis.sums(stride, dilation, extra)
    if patches and stride > MAX_STRIDE:
        most = min(most, 0)
    for half in range(least // 2 if uneven else -(-least // 2), most // 2 + 1):
        if not uneven:
            yield half
        elif 2 * half + 1 <= most:
            yield half, half + 1


def _given(
    axis: _Axis, stride: int, dilation: int, extra: int, uneven: bool, paddings: Collection[int | Pair | str]
) -> Iterator[int | Pair]:
    """Yield those of the given paddings that give the target, as numbers."""
    for padding in paddings:
        pair = axis.pads(stride, dilation, extra, padding)
        if pair is not None and (pair[0] != pair[1]) == uneven:
            yield pair if uneven else pair[0]
