"""Strategies for matrices of every kind."""

from typing import Any

from hypothesis import strategies as st

WEIGHTS = st.one_of(
    st.integers(-999, 999),
    st.integers(-(2**62), 2**62),
    st.floats(-1e9, 1e9),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e200, max_value=1e200),
)


@st.composite
def matrices(draw: st.DrawFn, dims: tuple[int, ...] = (1, 2, 3), weights: Any = None) -> tuple:
    """Draw nested tuples of numbers with the given number of axes; integer-valued floats become ints."""
    shape = draw(st.lists(st.integers(1, 4), min_size=min(dims), max_size=max(dims)))
    kind = draw(st.sampled_from([st.integers(-9, 9), WEIGHTS])) if weights is None else weights

    def part(sides: list[int]) -> tuple:
        return tuple(part(sides[1:]) if sides[1:] else as_read(draw(kind)) for _ in range(sides[0]))

    return part(shape)


def as_read(number: float) -> float:
    """Return a number as kernels hold it: as an int if it is an integer that a float represents exactly."""
    return (
        int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number
    )
