"""The numbers that are drawn: those that are given, as exact fractions, or small whole ones that stand for them."""

from fractions import Fraction
from pathlib import Path

from convcli.drawing.steps import Values
from convcli.errors import ArgumentError
from convcli.kernels.change import ratio
from convcli.kernels.kernel import MOST_SIDE, Kernel, Matrix, Number, by_axes, shape_of
from convcli.kernels.kernel_files import has_ending, read_kernel
from convcli.kernels.matrices import grid, number
from convcli.number_text import split

INPUTS = (0, 1, 2, 3)  # what the values of an input are chosen from
WEIGHTS = (1, 2, 3)  # no 0: a weight is told from a place without one
HINT = "; give rows of numbers divided by ;, as in '0 1 2; 3 4 5; 6 7 8', or a file"
OFFSETS = (-1, Fraction(-1, 2), 0, Fraction(1, 2), 1)

# Park & Miller (1988), "Random number generators: good ones are hard to find", with the multiplier of 1993; products
# stay below 2^53, so that JavaScript computes the same.
_MODULUS, _MULTIPLIER = 2**31 - 1, 48271


def chosen(levels: int, *places: int) -> int:
    """Return a number below `levels` that looks like chance, always the same for the same places.

    >>> [chosen(4, 0, column) for column in range(8)]
    [2, 0, 2, 0, 2, 1, 1, 2]
    """
    state = 1
    for place in (*places, 0, 0):
        state = (state + place + 1) * _MULTIPLIER % _MODULUS
        state = state * (state % 1021 + 1) % _MODULUS
    return state // 8 % levels


def example_values(channels: int, rows: int, columns: int, seed: int) -> tuple[Values, ...]:
    """Return an input of small whole numbers."""
    return tuple(
        tuple(
            tuple(Fraction(INPUTS[chosen(len(INPUTS), seed, 1, c, row, column)]) for column in range(columns))
            for row in range(rows)
        )
        for c in range(channels)
    )


def exact(number: Number) -> Fraction:
    """Return a number as the fraction that it was typed as, where it is a simple one.

    >>> exact(1 / 9), exact(0.3), exact(7)
    (Fraction(1, 9), Fraction(3, 10), Fraction(7, 1))
    """
    over, under = ratio(number)
    return Fraction(over) / under


def read_values(text: str) -> tuple[Values, ...]:
    """Read the values of an input: rows divided by ;, channels divided by |, or a file of numbers.

    >>> read_values("0 1/2; 3 4")[0][0]
    (Fraction(0, 1), Fraction(1, 2))
    """
    what = f"`values` {text!r}"
    if has_ending(text):
        matrix = read_kernel(Path(text), MOST_SIDE).matrices[0]
        slices = matrix if len(shape_of(matrix)) > 2 else (matrix,)
        return tuple(map(grid_of, slices))  # type: ignore[arg-type]  # a slice is a matrix
    found = tuple(
        grid([[number(word, what, HINT) for word in split(row)] for row in part.split(";")], what)
        for part in text.split("|")
    )
    for place, part in enumerate(found, start=1):
        if shape_of(part) != shape_of(found[0]):
            raise ArgumentError(
                f"{what} are ragged: channel 1 is {by_axes(shape_of(found[0]))}, channel {place} is "
                f"{by_axes(shape_of(part))}; give every channel the same rows and columns"
            )
    return tuple(map(grid_of, found))


def grid_of(matrix: Matrix, divisor: Number = 1) -> Values:
    """Return the rows of a matrix; of one with one axis it is the only row."""
    rows = matrix if len(shape_of(matrix)) > 1 else (matrix,)
    # Matrices of any number of axes have one type: for mypy a cell may be a row.
    return tuple(tuple(exact(weight) / exact(divisor) for weight in row) for row in rows)  # type: ignore[arg-type, union-attr]


def weights_of(kernel: Kernel) -> Values:
    """Return the weights of a kernel of one matrix, divided by its divisor."""
    kernel.check_linear("a drawing")
    if len(kernel.matrices) > 1:
        raise ArgumentError(
            f"kernel {kernel.name!r} has {len(kernel.matrices)} matrices whose responses are combined; draw one of "
            f"them, such as '{kernel.name}-x'"
        )
    if kernel.offset:
        raise ArgumentError(
            f"kernel {kernel.name!r} adds an offset of {kernel.offset:g}, which is not drawn; leave it out"
        )
    return grid_of(kernel.matrices[0], kernel.divisor)


def shown(number: Fraction) -> str:
    """Write a number as briefly as it can be read: whole, as a decimal, as a fraction, or rounded to 4 digits.

    >>> [shown(Fraction(*pair)) for pair in ((-19, 1), (5, 4), (1, 9), (1, 1024), (10**9, 1))]
    ['-19', '1.25', '1/9', '0.0009766', '1e+09']
    """
    over, under = number.numerator, number.denominator
    if under == 1 and len(text := str(over)) <= 7:
        return text
    try:
        value = over / under
    except OverflowError:
        from decimal import Decimal

        return f"{Decimal(over) / Decimal(under):.3e}"
    if under > 1 and 1000 % under == 0 and len(text := str(value)) <= 7:
        return text
    if under > 1 and len(text := f"{over}/{under}") <= 5:
        return text
    return f"{value:.4g}"
