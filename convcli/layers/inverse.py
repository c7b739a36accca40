"""Backwards: which options map an input size to the output size that is wanted."""

from collections.abc import Iterator
from typing import NamedTuple

from convcli.layers.axes import whole
from convcli.layers.padding import span

MOST_STRIDE = 8
MOST_DILATION = 4


class Solution(NamedTuple):
    """Options along one axis, the same padding on both sides."""

    padding: int
    stride: int
    dilation: int
    output_padding: int = 0


def solve(n: int, target: int, kernel: int, transposed: bool = False) -> list[Solution]:
    """List the options that map `n` to `target` along one axis, the simplest first; empty if there are none.

    Simplest is the smallest dilation, then (transposed) the smallest output_padding, then the smallest
    stride, then the smallest padding. The dilation is at most 4; the stride at most 8, or the kernel's own
    size without padding: patches side by side. The padding is below d*(k-1) + 1, so that every window
    touches the input.

    >>> solve(7, 4, 3)[0]
    Solution(padding=1, stride=2, dilation=1, output_padding=0)
    """
    n, target, kernel = whole("n", n, 1), whole("target", target, 1), whole("kernel", kernel, 1)
    return list(_enlarging(n, target, kernel) if transposed else _reducing(n, target, kernel))


def _reducing(n: int, target: int, kernel: int) -> Iterator[Solution]:
    """Solve floor((n + 2*p - span) / s) + 1 = target for p."""
    for dilation in range(1, MOST_DILATION + 1 if kernel > 1 else 2):
        size = span(kernel, dilation)
        for stride in range(1, MOST_STRIDE + 1):
            least = max(0, -((n - size - (target - 1) * stride) // 2))  # 2*p >= (target - 1)*s + span - n
            most = min(size - 1, (target * stride - 1 + size - n) // 2)
            for padding in range(least, most + 1):
                yield Solution(padding, stride, dilation)
        if dilation == 1 and kernel > MOST_STRIDE and n // kernel == target:
            yield Solution(0, kernel, 1)


def _enlarging(n: int, target: int, kernel: int) -> Iterator[Solution]:
    """Solve s*(n - 1) + span + output_padding - 2*p = target for p."""
    for dilation in range(1, MOST_DILATION + 1 if kernel > 1 else 2):
        size = span(kernel, dilation)
        for output_padding in range(MOST_STRIDE):
            for stride in range(1, MOST_STRIDE + 1):
                padding, odd = divmod(stride * (n - 1) + size + output_padding - target, 2)
                if not odd and 0 <= padding < size and output_padding < max(stride, dilation):
                    yield Solution(padding, stride, dilation, output_padding)
            if dilation == 1 and output_padding == 0 and kernel > MOST_STRIDE and n * kernel == target:
                yield Solution(0, kernel, 1)
