"""What a kernel is made of, against the definitions."""

from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcli.backend.anatomy import factors_of, frequency_response, rank_of, symmetries
from convcli.kernels import KERNELS, Kernel, parse_kernel, parse_kernels
from convcli.kernels.kernel import outer
from tests.kernels.matrices import matrices

VECTORS = st.lists(st.integers(-9, 9), min_size=1, max_size=5)


def rank_by_elimination(matrix: tuple) -> int:
    """Return the rank by Gauss's elimination in exact fractions."""
    rows, rank = [[Fraction(weight) for weight in row] for row in matrix], 0
    for column in range(len(rows[0])):
        pivot = next((row for row in rows[rank:] if row[column]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        rows.insert(rank, pivot)
        for row in rows[rank + 1 :]:
            factor = row[column] / pivot[column]
            row[:] = [a - factor * b for a, b in zip(row, pivot)]
        rank += 1
    return rank


@given(matrices(dims=(2,), weights=st.integers(-3, 3)))
def test_the_rank_is_that_of_elimination(matrix: tuple) -> None:
    assert rank_of(matrix) == rank_by_elimination(matrix)
    assert (factors_of(matrix) is not None) == (rank_of(matrix) == 1)


@given(st.lists(VECTORS, min_size=1, max_size=3), st.sampled_from([1, 0.1]))
def test_factors_multiply_to_the_matrix(vectors: list[list[int]], scale: float) -> None:
    assume(all(any(vector) for vector in vectors))
    matrix = outer([weight * scale for weight in vectors[0]], *vectors[1:])
    found = factors_of(matrix)
    assert rank_of(matrix) == 1
    assert [len(factor) for factor in found] == [len(vector) for vector in vectors]
    assert reduce(np.multiply.outer, map(np.array, found)) == pytest.approx(np.array(matrix))
    if scale == 1:
        assert all(isinstance(weight, int) for factor in found for weight in factor)
    for factor in found[1:]:
        if abs(sum(factor)) > 1e-9:
            assert sum(factor) > 0 if scale == 1 else sum(factor) == pytest.approx(1)


def test_factors_as_books_have_them() -> None:
    assert factors_of(parse_kernel("sobel-x").matrices[0]) == ((1, 2, 1), (-1, 0, 1))
    assert factors_of(parse_kernel("sobel-y").matrices[0]) == ((-1, 0, 1), (1, 2, 1))
    assert factors_of(parse_kernel("binomial:5", dims=3).matrices[0]) == ((1, 4, 6, 4, 1),) * 3
    column, row = factors_of(parse_kernel("gaussian:2").matrices[0])
    assert column == pytest.approx(row)
    assert sum(row) == pytest.approx(1)


def test_ranks() -> None:
    ranks = {"laplacian": 2, "outline": 2, "sobel-x": 1, "emboss": 3, "log": 3, "disk:2": 3, "0 0": 0}
    assert {spec: rank_of(parse_kernel(spec).matrices[0]) for spec in ranks} == ranks
    assert rank_of(parse_kernel("laplacian", dims=3).matrices[0]) is None
    assert rank_of(parse_kernel("0 | 0", dims=3).matrices[0]) == 0
    assert factors_of(parse_kernel("0 0").matrices[0]) is None
    huge = f"{2**70} 1; 1 1"
    assert rank_of(parse_kernel(huge).matrices[0]) == 1  # but for 1e-21 of it


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sobel-x", ["odd in x", "even in y"]),
        ("sobel-y", ["even in x", "odd in y"]),
        ("laplacian", ["even in x", "even in y", "even when transposed"]),
        ("emboss", ["even when transposed"]),
        ("roberts-se", ["odd under a half turn", "even when transposed"]),
        ("roberts-ne", ["odd under a half turn", "odd when transposed"]),
        ("motion:9,30", ["even under a half turn"]),
        ("motion:9,45", ["even under a half turn", "even when transposed"]),
        ("1 2 3", ["even in y"]),
        ("1 2; 3 4", []),
    ],
)
def test_symmetries(text: str, found: list[str]) -> None:
    assert symmetries(parse_kernel(text).matrices[0]) == found


def test_symmetries_of_other_axes() -> None:
    assert symmetries(parse_kernel("sobel-x", dims=1).matrices[0]) == ["odd in x"]
    assert symmetries(parse_kernel("sobel-x", dims=3).matrices[0]) == ["odd in x", "even in y", "even in z"]


@given(matrices(dims=(2,), weights=st.integers(-9, 9)), st.integers(0, 15), st.integers(0, 15))
def test_the_response_is_the_sum_of_waves(matrix: tuple, row: int, column: int) -> None:
    response = frequency_response([Kernel("k", (matrix,), divisor=-3)], 16)
    wave = sum(
        weight * np.exp(-2j * np.pi * ((row - 8) * i + (column - 8) * j) / 16)
        for i, line in enumerate(matrix)
        for j, weight in enumerate(line)
    )
    assert response[row, column] == pytest.approx(abs(wave) / 3)


def test_zero_frequency_is_the_sum_in_the_middle() -> None:
    for name in KERNELS:
        kernel = parse_kernel(name)
        if kernel.combine == "none":
            total = abs(np.sum(kernel.matrices[0]) / kernel.divisor)
            assert frequency_response([kernel], 256)[128, 128] == pytest.approx(total, abs=1e-12)


def test_the_response_of_several_matrices_and_kernels() -> None:
    across, down, both = (frequency_response([parse_kernel(f"sobel{end}")], 64) for end in ("-x", "-y", ""))
    assert both == pytest.approx(np.hypot(across, down))
    kirsch = parse_kernel("kirsch")
    masks = [frequency_response([Kernel("mask", (mask,))], 64) for mask in kirsch.matrices]
    assert frequency_response([kirsch], 64) == pytest.approx(np.max(masks, axis=0))
    pair = frequency_response(parse_kernels("box; sobel-x"), 64)
    assert pair == pytest.approx(frequency_response([parse_kernel("box")], 64) * across)
    line = frequency_response([parse_kernel("1 1", dims=1)], 64)
    assert line == pytest.approx(frequency_response([parse_kernel("1 1")], 64))
