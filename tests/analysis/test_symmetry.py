"""The reflections and rotations that leave kernels unchanged."""

import pytest

from convcli.analysis.symmetry import symmetries
from convcli.kernels import parse_kernel


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
