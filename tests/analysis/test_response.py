"""The frequency response of kernels, against sums of waves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.analysis.response import frequency_response
from convcli.kernels import KERNELS, Kernel, parse_kernel, parse_kernels
from tests.kernels.matrices import matrices


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
