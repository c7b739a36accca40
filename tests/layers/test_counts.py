import pytest

from convcli.errors import ArgumentError
from convcli.layers import Cost
from convcli.layers.counts import arithmetic_intensity, element_bytes, touched_size, weighted_sums
from tests.layers import reference


def test_costs_add_and_multiply_field_by_field():
    one = Cost(multiplications=1, additions=2, macs=3, flops=4, comparisons=5, transcendentals=6)
    two = Cost(10, 20, 30, 40, 50, 60)
    assert one + two == Cost(11, 22, 33, 44, 55, 66)
    assert one * 10 == two
    assert sum([one, two], Cost()) == one + two


def test_a_sum_of_k_products():
    assert weighted_sums(2, 3, bias=False) == Cost(multiplications=6, additions=4, macs=6, flops=12)
    assert weighted_sums(2, 3, bias=True) == Cost(multiplications=6, additions=6, macs=6, flops=14)


def test_touched_places_are_distinct():
    for n in range(1, 7):
        for k in range(1, 6):
            for s in range(1, 7):
                for d in range(1, 7):
                    places = reference.scattered(n, k, s, d)
                    assert touched_size((n,), (k,), (s,), (d,)) == len(places), (n, k, s, d)
    assert touched_size((3, 4), (2, 2), (1, 3), (1, 1)) == 4 * 8


def test_bytes_of_an_element():
    assert [element_bytes(dtype) for dtype in ("float32", "float16", "int8")] == [4, 2, 1]
    with pytest.raises(
        ArgumentError, match="there is no dtype 'float8'; choose one of float32, float16, int8"
    ):
        element_bytes("float8")


def test_intensity_is_flops_per_byte():
    assert arithmetic_intensity(10, 4) == 2.5
    assert arithmetic_intensity(10**900, 10**100) == 10**800  # larger than any float
