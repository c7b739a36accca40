"""Kernels made from kernels: normalised, scaled, shifted, anchored. Whole weights stay whole."""

from collections.abc import Sequence
from dataclasses import replace
from math import fsum, gcd, inf

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Kernel, Matrix, Number, flat, is_finite, is_line, mapped

NOUGHT = 1e-9  # a sum of floats so much smaller than the weights themselves is one of 0
MOST = (
    1e30  # of the weights that are added: with those of any 16-bit picture, float32 holds what they come to
)
LARGEST = 2**63  # whole numbers below are int64
LONGEST = 10**6  # the denominator up to which a number counts as a short decimal or a simple fraction


def normalized(kernel: Kernel) -> Kernel:
    """Divide a kernel so that its weights sum to 1; those of sum 0, so that the positive ones do.

    A negative sum becomes -1, so that no sign is turned: ImageMagick's rule (`-set option:convolve:scale '!'`).
    Several matrices are divided by the same number, that of the one which needs the largest.

    >>> from convcli.kernels import parse_kernel
    >>> normalized(parse_kernel("1 2 1")).divisor, normalized(parse_kernel("sobel-x")).divisor
    (4, 4)
    """
    weighed = kernel.matrices[:1] if kernel.threshold else kernel.matrices
    divisor = max(_total(list(flat(matrix))) for matrix in weighed)
    if not divisor:
        raise ArgumentError(f"kernel {kernel.name!r} cannot be normalised: all of its weights are 0")
    if not is_finite(divisor):
        raise ArgumentError(
            f"kernel {kernel.name!r} cannot be normalised: its weights sum to more than a float can hold; scale it down"
        )
    return replace(kernel, divisor=divisor, threshold=kernel.threshold * abs(kernel.divisor) / divisor)


def _total(weights: Sequence[Number]) -> Number:
    """Return the absolute sum of the weights, or where that is 0 the sum of the positive ones."""
    whole = all(isinstance(weight, int) for weight in weights)
    total = abs(added(weights))
    if total > (0 if whole else NOUGHT * added([abs(weight) for weight in weights])):
        return total
    return added([weight for weight in weights if weight > 0])


def added(weights: Sequence[Number]) -> Number:
    """Return the sum of weights: exact, where all are whole, else to the last digit of a float, or infinite."""
    if all(isinstance(weight, int) for weight in weights):
        return sum(weights)
    try:
        return fsum(weights)
    except OverflowError:  # on the way, or at its end
        return sum(map(float, weights))


def bounded(kernel: Kernel) -> Kernel:
    """Return a kernel whose sums over a picture are finite, or raise ArgumentError where its weights are too large.

    Weights that are far from 1, with a divisor likewise, are divided here; whole ones beyond int64 become floats.

    >>> bounded(Kernel("k", ((1e300, 3e300),), divisor=4e300)).matrices
    ((0.25, 0.75),)
    """
    size = max(map(_size, kernel.matrices))
    if not (size <= MOST and 1 / MOST <= abs(kernel.divisor) <= MOST):
        matrices = tuple(_divided(matrix, kernel.divisor) for matrix in kernel.matrices)
        kernel, size = replace(kernel, matrices=matrices, divisor=1), max(map(_size, matrices))
    elif any(isinstance(weight, int) and abs(weight) >= LARGEST for weight in kernel.flat_weights):
        kernel = replace(kernel, matrices=tuple(mapped(matrix, 1.0) for matrix in kernel.matrices))
    for what, number in (
        ("weights add up, without their signs, to", size),
        ("offset is", abs(kernel.offset)),
    ):
        if not number <= MOST:
            raise ArgumentError(
                f"kernel {kernel.name!r} is too large: its {what} {number:.4g}, and what is summed over a picture may "
                f"be {MOST:g} at most; scale it down"
            )
    return kernel


def _size(matrix: Matrix) -> float:
    """Return the sum of the weights without their signs."""
    try:
        return float(sum(abs(float(weight)) for weight in flat(matrix)))
    except OverflowError:  # of a whole number
        return inf


def _divided(matrix: Matrix, divisor: Number) -> Matrix:
    """Divide every weight, as a float; what is beyond floats becomes infinite."""
    if is_line(matrix):
        return tuple(_quotient(weight, divisor) for weight in matrix)
    return tuple(_divided(part, divisor) for part in matrix if isinstance(part, tuple))


def _quotient(weight: Number, divisor: Number) -> float:
    try:
        return weight / divisor
    except OverflowError:  # of whole numbers
        return inf


def scaled(kernel: Kernel, factor: Number) -> Kernel:
    """Multiply every weight by a factor; a magnitude has no sign to turn.

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
        threshold=kernel.threshold * abs(factor),
    )
    if not all(map(is_finite, made.flat_weights)):
        raise ArgumentError(f"kernel {kernel.name!r} times {factor} has weights that are not finite")
    return made


def shifted(kernel: Kernel, offset: Number) -> Kernel:
    """Add to every response, after the division: an offset in units of the pixels."""
    if not is_finite(offset):
        raise ArgumentError(f"a kernel's offset must be finite, got {offset}")
    return replace(kernel, offset=kernel.offset + offset)


def anchored(kernel: Kernel, anchor: tuple[int, ...]) -> Kernel:
    """Lay another tap on the pixel: its place on each axis, from 0."""
    return replace(kernel, anchor=anchor)


def ratio(number: Number) -> tuple[Number, int]:
    """Write a number as a fraction of whole numbers where it is a short decimal or a simple one.

    >>> ratio(0.3), ratio(1 / 3), ratio(7)
    ((3, 10), (1, 3), (7, 1))
    """
    from fractions import Fraction  # loads decimal, which few kernels need

    if isinstance(number, int):
        return number, 1
    for exact in (Fraction(repr(number)), Fraction(number).limit_denominator(LONGEST)):
        if exact.denominator <= LONGEST and float(exact) == number:
            return exact.numerator, exact.denominator
    return number, 1
