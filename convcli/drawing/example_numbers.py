"""The numbers in drawings: the given ones as exact fractions, or small integers as examples."""

from fractions import Fraction

from convcli.drawing.steps import Values
from convcli.errors import ArgumentError
from convcli.kernels.change import ratio
from convcli.kernels.kernel import MAX_SIDE, Kernel, Matrix, Number, by_axes, shape_of
from convcli.kernels.kernel_files import PICTURES, has_ending, is_file, read_kernel
from convcli.kernels.matrices import grid, number
from convcli.number_text import split, without_brackets
from convcli.remote_files import file_path

INPUTS = (0, 1, 2, 3)  # example input values
WEIGHTS = (1, 2, 3)  # example weights; 0 would look like a missing weight
HINT = "; give rows of numbers separated by ;, as in '0 1 2; 3 4 5; 6 7 8', or a file"
OFFSETS = (-1, Fraction(-1, 2), 0, Fraction(1, 2), 1)

# Park & Miller (1988), "Random number generators: good ones are hard to find", with the multiplier of 1993. Products
# stay below 2^53, so JavaScript computes the same numbers.
_MODULUS, _MULTIPLIER = 2**31 - 1, 48271


def chosen(levels: int, *places: int) -> int:
    """Return a pseudo-random number below `levels` that depends only on the given integers.

    >>> [chosen(4, 0, column) for column in range(8)]
    [2, 0, 2, 0, 2, 1, 1, 2]
    """
    state = 1
    for place in (*places, 0, 0):
        state = (state + place + 1) * _MULTIPLIER % _MODULUS
        state = state * (state % 1021 + 1) % _MODULUS
    return state // 8 % levels


def example_values(channels: int, rows: int, columns: int, seed: int) -> tuple[Values, ...]:
    """Return an example input of small integers."""
    return tuple(
        tuple(
            tuple(Fraction(INPUTS[chosen(len(INPUTS), seed, 1, c, row, column)]) for column in range(columns))
            for row in range(rows)
        )
        for c in range(channels)
    )


def exact(number: Number) -> Fraction:
    """Return a number as a fraction: as the simple decimal or fraction that it was typed as, if it is one.

    >>> exact(1 / 9), exact(0.3), exact(7)
    (Fraction(1, 9), Fraction(3, 10), Fraction(7, 1))
    """
    over, under = ratio(number)
    return Fraction(over) / under


def is_picture(text: str) -> bool:
    """Return whether a text is the path of a picture that exists, rather than numbers or a file of numbers."""
    return file_path(text).suffix.lower() in PICTURES and is_file(text)


def read_values(text: str, name: str = "values") -> tuple[Values, ...]:
    """Read input values: rows separated by ;, channels separated by |, or a file of numbers.

    name : the argument, for errors

    >>> read_values("0 1/2; 3 4")[0][0]
    (Fraction(0, 1), Fraction(1, 2))
    """
    what = f"`{name}` {text!r}"
    if is_picture(text):
        raise ArgumentError(f"{what} is a picture; give numbers such as '0 1 2; 3 4 5'")
    if has_ending(text):
        matrix = read_kernel(file_path(text), MAX_SIDE).matrices[0]
        slices = matrix if len(shape_of(matrix)) > 2 else (matrix,)
        return tuple(map(grid_of, slices))  # type: ignore[arg-type]  # a slice is a matrix
    found = tuple(
        grid([[number(word, what, HINT) for word in split(row)] for row in part.split(";")], what)
        for part in without_brackets(text).split("|")
    )
    for place, part in enumerate(found, start=1):
        if shape_of(part) != shape_of(found[0]):
            raise ArgumentError(
                f"{what} is ragged: channel 1 is {by_axes(shape_of(found[0]))}, channel {place} is "
                f"{by_axes(shape_of(part))}; give every channel the same rows and columns"
            )
    return tuple(map(grid_of, found))


def grid_of(matrix: Matrix, divisor: Number = 1) -> Values:
    """Return the rows of a matrix divided by a divisor; a matrix with one axis is a single row."""
    rows = matrix if len(shape_of(matrix)) > 1 else (matrix,)
    # Matrices of all ranks have the same type, so mypy believes that a cell may be a row.
    return tuple(tuple(exact(weight) / exact(divisor) for weight in row) for row in rows)  # type: ignore[arg-type, union-attr]


def weights_of(kernel: Kernel) -> Values:
    """Return the weights of a kernel with one matrix, divided by its divisor."""
    kernel.check_linear("a drawing")
    if len(kernel.matrices) > 1:
        raise ArgumentError(
            f"kernel {kernel.name!r} combines the responses of {len(kernel.matrices)} matrices; draw one of them, such "
            f"as '{kernel.name}-x'"
        )
    if kernel.offset:
        raise ArgumentError(
            f"kernel {kernel.name!r} adds an offset of {kernel.offset:g}, which cannot be drawn; leave it out"
        )
    return grid_of(kernel.matrices[0], kernel.divisor)


def shown(number: Fraction) -> str:
    """Format a number briefly: as an integer, a decimal, a fraction, or rounded to 4 significant digits.

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
