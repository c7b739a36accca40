"""Descriptions of what pictures leave undetermined, which can be added to a kernel without a change of the result."""

import numpy as np
import pytest

from convcli import backend, learn_kernel
from convcli.learning.least_squares import fit
from convcli.learning.picture_pairs import Geometry, aligned

WEIGHTS = np.arange(9.0).reshape(3, 3)


def learned_from(before, bias=True, weights=WEIGHTS):
    after = backend.conv(before[np.newaxis], weights[np.newaxis, np.newaxis])[0]
    return learn_kernel(before, after, weights.shape, bias=bias), after


FIRST = "of all kernels that fit equally well, this is the one with the smallest weights"


def test_equal_rows_determine_the_sums_of_columns():
    before = np.tile(np.random.default_rng(0).standard_normal(40), (30, 1))
    learned, _ = learned_from(before)
    assert learned.undetermined == (
        f"the pictures determine 4 of 10 numbers; {FIRST}",
        "the first picture does not change from row to row: only the sum of each column of weights is determined",
    )
    assert (learned.rank, learned.unknowns) == (4, 10)
    assert learned.weights.sum(axis=0) == pytest.approx(WEIGHTS.sum(axis=0))
    assert np.ptp(learned.weights, axis=0) == pytest.approx(0, abs=1e-9)  # the weights of least norm


def test_equal_columns_determine_the_sums_of_rows():
    learned, _ = learned_from(np.tile(np.random.default_rng(0).standard_normal((30, 1)), (1, 40)))
    assert learned.undetermined[1] == (
        "the first picture does not change from column to column: only the sum of each row of weights is determined"
    )
    assert learned.weights.sum(axis=1) == pytest.approx(WEIGHTS.sum(axis=1))


def test_weights_that_are_always_multiplied_by_zero():
    before = np.zeros((3, 5))
    before[1, 1] = 3
    learned, _ = learned_from(before, bias=False)
    assert learned.undetermined == (
        f"the pictures determine 2 of 9 numbers; {FIRST}",
        "the weights (0, 0), (0, 1), (0, 2), (1, 2), (2, 0), (2, 1) and 1 more are always multiplied by 0",
    )
    assert learned.weights[1, :2] == pytest.approx(WEIGHTS[1, :2])
    assert learned.weights[0].tolist() == [0, 0, 0]


def test_a_weight_of_a_constant_value_is_part_of_the_bias():
    before = np.random.default_rng(0).standard_normal((2, 30))
    before[1] = 5
    learned, _ = learned_from(before, weights=WEIGHTS[:2, :1])
    assert learned.undetermined == (
        f"the pictures determine 2 of 3 numbers; {FIRST}",
        "the weight (1, 0) is always multiplied by the same value",
    )
    assert learned.weights[0, 0] == pytest.approx(WEIGHTS[0, 0])
    assert 5 * learned.weights[1, 0] + learned.bias == pytest.approx(5 * WEIGHTS[1, 0])


def test_a_checkerboard_determines_two_numbers():
    learned, _ = learned_from((np.indices((30, 40)).sum(axis=0) % 2).astype(float))
    assert learned.rank == 2
    assert learned.undetermined[1].startswith(
        "8 more combinations can be added without any effect, such as '"
    )
    assert learned.residual < 1e-9


def test_an_example_can_be_added():
    """Stripes of period 2: the example in the description changes no output."""
    before = np.tile([1.0, 0.0], (9, 10))
    learned, after = learned_from(before, weights=WEIGHTS[:1])
    (line,) = learned.undetermined[1:]
    assert line.startswith("2 more combinations can be added without any effect, such as '")
    assert line.endswith(" for the bias")
    change = np.array([float(word) for word in line.split("'")[1].split()])
    bias = learned.bias + float(line.split("with ")[1].split()[0])
    moved = backend.conv(before[np.newaxis], (learned.weights + change)[np.newaxis, np.newaxis], [bias])[0]
    assert moved == pytest.approx(after, abs=0.01)


@pytest.mark.parametrize("bias", [True, False])
def test_the_basis_changes_nothing(bias):
    before = np.tile([1.0, 0.0, 2.0], (9, 10))
    pair = aligned(Geometry((3, 3)), before[np.newaxis], before[np.newaxis, 1:-1, 1:-1])
    found = fit([pair], Geometry((3, 3)), bias=bias)
    assert found.undetermined.shape == (9 + bias, found.unknowns - found.rank)
    for change in found.undetermined.T:
        made = backend.conv(before[np.newaxis], change[:9].reshape(1, 1, 3, 3))
        made += change[9] * found.spread if bias else 0
        assert np.abs(made - found.middle * change[:9].sum()).max() < 1e-9


def test_noise_determines_every_weight():
    assert learned_from(np.random.default_rng(0).standard_normal((20, 20)))[0].undetermined == ()
