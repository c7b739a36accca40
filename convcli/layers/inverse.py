"""Backwards: which options map an input size to the output size that is wanted."""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from convcli.layers.axes import whole
from convcli.layers.padding import span

MOST_STRIDE = 8
MOST_DILATION = 4
MOST_SOLUTIONS = 1000


class Solution(NamedTuple):
    """Options along one axis, the same padding on both sides."""

    padding: int
    stride: int
    dilation: int
    output_padding: int = 0


def solve(
    n: int,
    target: int,
    kernel: int,
    transposed: bool = False,
    *,
    paddings: Collection[int] | None = None,
    strides: Collection[int] | None = None,
    dilations: Collection[int] | None = None,
    output_paddings: Collection[int] | None = None,
) -> list[Solution]:
    """List the options that map `n` to `target` along one axis, the simplest first; empty if there are none.

    Simplest is the smallest dilation, then (transposed) the smallest output_padding, then the smallest
    stride, then the smallest padding. Options that are given are taken as they are. The others are small: the
    dilation at most 4; the stride at most 8, or the kernel's own size without padding: patches side by side;
    the padding below d*(k-1) + 1, so that every window touches the input. At most MOST_SOLUTIONS are listed.

    >>> solve(7, 4, 3)[0]
    Solution(padding=1, stride=2, dilation=1, output_padding=0)
    """
    n, target, kernel = whole("n", n, 1), whole("target", target, 1), whole("kernel", kernel, 1)
    found = (_enlarging if transposed else _reducing)(
        n, target, kernel, paddings, strides, dilations, output_paddings
    )
    return list(islice(found, MOST_SOLUTIONS))


Typed = Collection[int] | None


def _reducing(
    n: int, target: int, kernel: int, paddings: Typed, strides: Typed, dilations: Typed, _: Typed
) -> Iterator[Solution]:
    """Solve floor((n + 2*p - span) / s) + 1 = target for p."""
    for dilation in _dilations(kernel, dilations):
        size = span(kernel, dilation)
        for stride in _strides(kernel, dilation, strides):
            least = max(0, -((n - size - (target - 1) * stride) // 2))  # 2*p >= (target - 1)*s + span - n
            most = (target * stride - 1 + size - n) // 2
            patches = stride == kernel > MOST_STRIDE
            for padding in _within(least, min(most, 0 if patches else size - 1), most, paddings):
                yield Solution(padding, stride, dilation)


def _enlarging(
    n: int,
    target: int,
    kernel: int,
    paddings: Typed,
    strides: Typed,
    dilations: Typed,
    output_paddings: Typed,
) -> Iterator[Solution]:
    """Solve s*(n - 1) + span + output_padding - 2*p = target for p."""
    for dilation in _dilations(kernel, dilations):
        size = span(kernel, dilation)
        for output_padding in sorted(output_paddings) if output_paddings else range(MOST_STRIDE):
            for stride in _strides(kernel, dilation, strides):
                padding, odd = divmod(stride * (n - 1) + size + output_padding - target, 2)
                patches = stride == kernel > MOST_STRIDE and (padding or output_padding)
                if odd or output_padding >= max(stride, dilation) or (patches and strides is None):
                    continue
                if list(_within(padding, min(padding, size - 1), padding, paddings)):
                    yield Solution(padding, stride, dilation, output_padding)


def _dilations(kernel: int, typed: Typed) -> Iterable[int]:
    return sorted(typed) if typed else range(1, MOST_DILATION + 1 if kernel > 1 else 2)


def _strides(kernel: int, dilation: int, typed: Typed) -> Iterable[int]:
    """Return the strides to try: the small ones, and the kernel's size for patches."""
    if typed:
        return sorted(typed)
    return [*range(1, MOST_STRIDE + 1), *([kernel] if dilation == 1 and kernel > MOST_STRIDE else [])]


def _within(least: int, most: int, utmost: int, typed: Typed) -> Iterable[int]:
    """Return the paddings from least to most, or the typed ones up to the utmost that gives the target."""
    if typed:
        return [padding for padding in sorted(typed) if max(least, 0) <= padding <= utmost]
    return range(max(least, 0), most + 1)
