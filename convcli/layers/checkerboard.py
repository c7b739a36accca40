"""Checkerboards: a transposed convolution whose kernel overlaps itself unevenly paints its own pattern.

Odena, Dumoulin & Olah, "Deconvolution and Checkerboard Artifacts" (Distill 2016).
"""

from math import gcd


def overlap(kernel: int, stride: int, dilation: int = 1, padding: int = 0) -> tuple[int, ...]:
    """Count the kernel taps that touch each output along one axis; they repeat after `stride` outputs.

    Tap t of input x touches output s*x + d*t - padding, so these are the taps with d*t = output + padding
    modulo s; near the borders there are fewer. In more dimensions the counts of the axes multiply.

    >>> overlap(3, 2), overlap(4, 2)
    ((2, 1), (2, 2))
    """
    step = gcd(stride, dilation)
    residues = stride // step  # outputs that any tap touches
    each, left = divmod(kernel, residues)
    counts = [0] * stride
    for tap in range(min(kernel, residues)):
        counts[(dilation * tap - padding) % stride] = each + (tap < left)
    return tuple(counts)


def is_uneven(kernel: int, stride: int, dilation: int = 1) -> bool:
    """Tell whether some outputs get more taps than others: the kernel is not a multiple of the stride.

    With a dilation that has a factor in common with the stride, some outputs even get none.
    """
    return kernel % stride != 0 or gcd(stride, dilation) > 1


def remedy(kernel: int, stride: int, dilation: int = 1) -> str:
    """Say how to have an even overlap."""
    if not is_uneven(kernel, stride, dilation):
        return f"the kernel {kernel} is a multiple of the stride {stride}: every output gets as many taps"
    more = -(-kernel // stride) * stride
    change = f"a kernel of {more}" if gcd(stride, dilation) == 1 else f"a kernel of {more} without dilation"
    return f"take {change}, a multiple of the stride {stride}, or resize first, then convolve (resize-conv)"
