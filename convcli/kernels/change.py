"""Kernels derived from kernels: normalised, scaled, shifted, anchored. Integer weights stay integers."""

from collections.abc import Sequence
from dataclasses import replace
from math import fsum, gcd, inf

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Kernel, Matrix, Number, flat, is_finite, is_line, mapped

NOUGHT = 1e-9  # relative to the weights: a smaller sum of floats counts as 0
MAX_SUM = 1e30  # largest sum of absolute weights: times the values of any 16-bit picture it fits float32
LARGEST = 2**63  # integers must be smaller to fit int64
LONGEST = 10**6  # largest denominator of a number that counts as a short decimal or a simple fraction


def normalized(kernel: Kernel) -> Kernel:
    """Divide a kernel by the sum of its weights; if the sum is 0, by the sum of its positive weights.

    A negative sum becomes -1, so that no weight changes its sign: ImageMagick's rule
    (`-set option:convolve:scale '!'`). If there are several matrices, all are divided by the largest of their sums.

    >>> from convcli.kernels import parse_kernel
    >>> normalized(parse_kernel("1 2 1")).divisor, normalized(parse_kernel("sobel-x")).divisor
    (4, 4)
    """
    weighed = kernel.matrices[:1] if kernel.threshold else kernel.matrices
    divisor = max(_total(list(flat(matrix))) for matrix in weighed)
    if not divisor:
        raise ArgumentError(
            f"kernel {kernel.name!r} cannot be normalised: all of its weights are 0; give at least one that is not"
        )
    if not is_finite(divisor):
        raise ArgumentError(
            f"kernel {kernel.name!r} cannot be normalised: its weights sum to more than a float can hold; scale it down"
        )
    return replace(kernel, divisor=divisor, gain=kernel.gain * abs(kernel.divisor) / divisor)


def _total(weights: Sequence[Number]) -> Number:
    """Return the absolute value of the sum of the weights, or the sum of the positive ones if that is 0."""
    whole = all(isinstance(weight, int) for weight in weights)
    total = abs(added(weights))
    if total > (0 if whole else NOUGHT * added([abs(weight) for weight in weights])):
        return total
    return added([weight for weight in weights if weight > 0])


def added(weights: Sequence[Number]) -> Number:
    """Return the sum of weights: exact if all are integers, else correctly rounded; it may be infinite."""
    if all(isinstance(weight, int) for weight in weights):
        return sum(weights)
    try:
        return fsum(weights)
    except OverflowError:  # in an intermediate or the final sum
        return sum(map(float, weights))


def bounded(kernel: Kernel) -> Kernel:
    """Return a kernel whose sums over a picture are finite, or raise ArgumentError if its weights are too large.

    Weights and divisors of extreme magnitude are divided here; integers beyond int64 become floats.

    >>> bounded(Kernel("k", ((1e300, 3e300),), divisor=4e300)).matrices
    ((0.25, 0.75),)
    """
    size = max(map(_size, kernel.matrices))
    if not (size <= MAX_SUM and 1 / MAX_SUM <= abs(kernel.divisor) <= MAX_SUM):
        matrices = tuple(_divided(matrix, kernel.divisor) for matrix in kernel.matrices)
        kernel, size = replace(kernel, matrices=matrices, divisor=1), max(map(_size, matrices))
    elif any(isinstance(weight, int) and abs(weight) >= LARGEST for weight in kernel.flat_weights):
        kernel = replace(kernel, matrices=tuple(mapped(matrix, 1.0) for matrix in kernel.matrices))
    for what, number in (
        ("absolute weights sum to", size),
        ("offset is", abs(kernel.offset)),
    ):
        if not number <= MAX_SUM:
            raise ArgumentError(
                f"kernel {kernel.name!r} is too large: its {what} {number:.4g}, and the limit is {MAX_SUM:g}; "
                "scale it down"
            )
    return kernel


def _size(matrix: Matrix) -> float:
    """Return the sum of the absolute weights."""
    try:
        return float(sum(abs(float(weight)) for weight in flat(matrix)))
    except OverflowError:  # an integer too large for a float
        return inf


def _divided(matrix: Matrix, divisor: Number) -> Matrix:
    """Divide every weight, as a float; a quotient beyond the range of floats becomes infinite."""
    if is_line(matrix):
        return tuple(_quotient(weight, divisor) for weight in matrix)
    return tuple(_divided(part, divisor) for part in matrix if isinstance(part, tuple))


def _quotient(weight: Number, divisor: Number) -> float:
    try:
        return weight / divisor
    except OverflowError:  # integers too large for a float
        return inf


def scaled(kernel: Kernel, factor: Number) -> Kernel:
    """Multiply every weight by a factor; for a magnitude the sign of the factor makes no difference.

    >>> from convcli.kernels import parse_kernel
    >>> half = scaled(parse_kernel("1 2 1"), 0.5)
    >>> half.matrices, half.divisor
    ((((1, 2, 1),),), 2)
    """
    if not is_finite(factor):
        raise ArgumentError(f"a kernel's scale must be finite, got {factor}")
    over, under = ratio(factor)
    divisor: Number
    if isinstance(over, int) and isinstance(kernel.divisor, int):
        common = gcd(over, kernel.divisor)
        over, divisor = over // common, kernel.divisor // common * under
    else:
        divisor = kernel.divisor * under
    made = replace(
        kernel,
        matrices=tuple(mapped(matrix, over) for matrix in kernel.matrices),
        divisor=divisor,
        gain=kernel.gain * abs(factor),
    )
    if not all(map(is_finite, made.flat_weights)):
        raise ArgumentError(
            f"kernel {kernel.name!r} times {factor} has weights that are not finite; use a smaller one"
        )
    return made


def shifted(kernel: Kernel, offset: Number) -> Kernel:
    """Add an offset to every response, after the division, in units of pixel values."""
    if not is_finite(offset):
        raise ArgumentError(f"a kernel's offset must be finite, got {offset}")
    return replace(kernel, offset=kernel.offset + offset)


def anchored(kernel: Kernel, anchor: tuple[int, ...]) -> Kernel:
    """Set the anchor: the index, from 0, of the tap that lies on the pixel, one number per axis."""
    return replace(kernel, anchor=anchor)


def ratio(number: Number) -> tuple[Number, int]:
    """Return a number as a ratio of integers if it is a short decimal or a simple fraction.

    >>> ratio(0.3), ratio(1 / 3), ratio(7)
    ((3, 10), (1, 3), (7, 1))
    """
    from fractions import Fraction  # imports decimal, which few kernels need

    if isinstance(number, int):
        return number, 1
    for exact in (Fraction(repr(number)), Fraction(number).limit_denominator(LONGEST)):
        if exact.denominator <= LONGEST and float(exact) == number:
            return exact.numerator, exact.denominator
    return number, 1
