"""The rank of a kernel and its factors, against the definitions."""

from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcli.analysis.rank import factors_of, kernel_rank
from convcli.kernels import parse_kernel
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
    assert kernel_rank(matrix) == rank_by_elimination(matrix)
    assert (factors_of(matrix) is not None) == (kernel_rank(matrix) == 1)


@given(st.lists(VECTORS, min_size=1, max_size=3), st.sampled_from([1, 0.1]))
def test_factors_multiply_to_the_matrix(vectors: list[list[int]], scale: float) -> None:
    assume(all(any(vector) for vector in vectors))
    matrix = outer([weight * scale for weight in vectors[0]], *vectors[1:])
    found = factors_of(matrix)
    assert kernel_rank(matrix) == 1
    assert [len(factor) for factor in found] == [len(vector) for vector in vectors]
    assert reduce(np.multiply.outer, map(np.array, found)) == pytest.approx(np.array(matrix))
    if scale == 1:
        assert all(isinstance(weight, int) for factor in found for weight in factor)
    for factor in found[1:]:
        if abs(sum(factor)) > 1e-9:
            assert sum(factor) > 0 if scale == 1 else sum(factor) == pytest.approx(1)


def test_factors_of_textbooks() -> None:
    assert factors_of(parse_kernel("sobel-x").matrices[0]) == ((1, 2, 1), (-1, 0, 1))
    assert factors_of(parse_kernel("sobel-y").matrices[0]) == ((-1, 0, 1), (1, 2, 1))
    assert factors_of(parse_kernel("binomial:5", dims=3).matrices[0]) == ((1, 4, 6, 4, 1),) * 3
    column, row = factors_of(parse_kernel("gaussian:2").matrices[0])
    assert column == pytest.approx(row)
    assert sum(row) == pytest.approx(1)


def test_ranks() -> None:
    ranks = {"laplacian": 2, "outline": 2, "sobel-x": 1, "emboss": 3, "log": 3, "disk:2": 3, "0 0": 0}
    assert {spec: kernel_rank(parse_kernel(spec).matrices[0]) for spec in ranks} == ranks
    assert kernel_rank(parse_kernel("laplacian", dims=3).matrices[0]) is None
    assert kernel_rank(parse_kernel("0 | 0", dims=3).matrices[0]) == 0
    assert factors_of(parse_kernel("0 0").matrices[0]) is None
    huge = f"{2**70} 1; 1 1"
    assert kernel_rank(parse_kernel(huge).matrices[0]) == 1  # except for 1e-21 of it
