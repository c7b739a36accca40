"""Checkerboard artifacts: patterns that a transposed convolution makes if its kernel overlaps itself unevenly.

Odena, Dumoulin & Olah, "Deconvolution and Checkerboard Artifacts" (Distill 2016).
"""

from math import gcd


def overlap(kernel: int, stride: int, dilation: int = 1, padding: int = 0) -> tuple[int, ...]:
    """Count the kernel taps that contribute to each output along one axis; the counts repeat every `stride` outputs.

    Tap t of input x contributes to output s*x + d*t - padding, so an output gets the taps with d*t = output + padding
    modulo s; near the borders there are fewer. In more dimensions the counts of the axes multiply.

    >>> overlap(3, 2), overlap(4, 2)
    ((2, 1), (2, 2))
    """
    step = gcd(stride, dilation)
    residues = stride // step  # residues modulo the stride that some tap contributes to
    each, left = divmod(kernel, residues)
    counts = [0] * stride
    for tap in range(min(kernel, residues)):
        counts[(dilation * tap - padding) % stride] = each + (tap < left)
    return tuple(counts)


def is_uneven(kernel: int, stride: int, dilation: int = 1) -> bool:
    """Return whether some outputs get more taps than others.

    The overlap is even if the kernel is a multiple of the stride and the dilation has no factor in common with the
    stride; with such a factor some outputs get no tap at all.
    """
    return kernel % stride != 0 or gcd(stride, dilation) > 1


def remedy(kernel: int, stride: int, dilation: int = 1) -> str:
    """Return advice for an even overlap."""
    if not is_uneven(kernel, stride, dilation):
        return f"the kernel {kernel} is a multiple of the stride {stride}: every output gets the same number of taps"
    more = -(-kernel // stride) * stride
    change = f"a kernel of {more}" if gcd(stride, dilation) == 1 else f"a kernel of {more} without dilation"
    return (
        f"take {change}, a multiple of the stride {stride}, or resize first and then convolve (resize-conv)"
    )
