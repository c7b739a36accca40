"""Layers that select, sort or sum elements: sizes, counts and errors."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.layers import (
    CumSum,
    Einsum,
    GatherElements,
    GatherND,
    GridSample,
    OneHot,
    PadAxes,
    RoiAlign,
    ScatterElements,
    ScatterND,
    TopK,
    Triangle,
)
from convcli.layers.base import ITSELF, Reach, Trace
from convcli.layers.counts import Cost


@given(st.integers(1, 40), st.integers(1, 5))
def test_top_k_counts_a_sort_by_halving(n, rows):
    # element i finds its position among the i - 1 before it by ceil(log2 i) comparisons
    each = sum(next(power for power in range(9) if 2**power >= i) for i in range(1, n + 1))
    layer = TopK(n, axis=1)
    assert layer.output_shapes((rows, n)) == ((rows, n), (rows, n))
    assert layer.work((rows, n)) == Cost(comparisons=each * rows)


@given(st.integers(1, 9), st.booleans())
def test_cum_sum_counts_its_additions(n, exclusive):
    added = sum(max(0, place - exclusive) for place in range(n))  # terms after the first, one by one ...
    running = max(0, n - 1 - exclusive)  # ... each of which a running sum adds once
    assert CumSum(0, exclusive=exclusive).work((n, 3)) == Cost(additions=3 * running, flops=3 * running)
    assert running <= added or not added


def test_sizes():
    assert GatherElements(-1).output_shapes((2, 5), (2, 9)) == ((2, 9),)
    assert GatherND(1).output_shapes((2, 5, 4), (2, 3, 1)) == ((2, 3, 4),)
    assert ScatterND().output_shapes((5, 4), (3, 1), (3, 4)) == ((5, 4),)
    assert OneHot(10, axis=1).output_shapes((2, 3)) == ((2, 10, 3),)
    assert Triangle().output_shapes((7, 2, 3)) == ((7, 2, 3),)
    assert PadAxes(((1, 0), (-2, 5))).output_shapes((3, 4)) == ((4, 7),)
    assert Einsum("...ij,jk").output_shapes((2, 3, 4, 5), (5, 6)) == ((2, 3, 4, 6),)
    assert GridSample().output_shapes((1, 8, 5, 5, 5), (1, 2, 3, 4, 3)) == ((1, 8, 2, 3, 4),)


def test_work():
    assert ScatterElements(reduction="add").work((9, 9), (2, 3), (2, 3)) == Cost(additions=6, flops=6)
    assert ScatterND(reduction="max").work((9, 9), (2, 1), (2, 9)) == Cost(comparisons=18)
    assert ScatterND().work((9, 9), (2, 1), (2, 9)) == Cost()
    assert GridSample("nearest").work((1, 2, 4, 4), (1, 3, 3, 2)) == Cost()
    blends = GridSample().work((1, 2, 4, 4), (1, 3, 3, 2))  # 6 products and 3 additions for each of 18
    assert (blends.multiplications, blends.additions) == (6 * 18, 3 * 18)
    cells = RoiAlign(2, samples=3).work(
        (1, 5, 9, 9), (4, 4), (4,)
    )  # 9 samples for each of 80 cells, and their mean
    assert (cells.multiplications, cells.additions) == (6 * 9 * 80 + 80, 3 * 9 * 80 + 8 * 80)
    of_map = RoiAlign((2, 3)).work((1, 5, 9, 9), (4, 4), (4,))
    assert of_map == RoiAlign((2, 3)).work((7, 5, 9, 9), (4, 4), (4,)) != cells


@given(st.permutations("abcd"), st.integers(1, 3), st.integers(1, 3))
def test_einsum_of_two_counts_a_sum_for_each_output(letters, kept, n):
    out = "".join(letters[:kept])
    layer = Einsum(f"{''.join(letters[:3])},{''.join(letters[1:])}->{out}")
    sizes = {letter: n + place for place, letter in enumerate(letters)}
    shapes = [tuple(sizes[letter] for letter in term) for term in layer.terms]
    pairs = sum(1 for _ in product(*(range(sizes[letter]) for letter in letters)))
    outputs = sum(1 for _ in product(*(range(sizes[letter]) for letter in out)))
    work = layer.work(*shapes)
    assert (work.macs, work.multiplications, work.additions) == (pairs, pairs, pairs - outputs)


def test_what_an_output_sees():
    (left, right) = Einsum("nct,cd->ndt").traces(0, (1, 8, 9), (8, 4))
    assert left == (Trace(0), Trace(None, "whole"), Trace(2))
    assert right == (Trace(None, "whole"), Trace(1))
    assert PadAxes(((0, 0), (2, 1))).traces(0, (1, 5)) == (
        (Trace(0, Reach(1, 1, 0, 0)), Trace(1, Reach(1, 1, -2, -2))),
    )
    assert TopK(3, axis=1).traces(0, (2, 9)) == ((Trace(0, ITSELF), Trace(1, "whole")),)
    assert OneHot(4, axis=1).traces(0, (2, 3)) == ((Trace(0), Trace(2)),)


@pytest.mark.parametrize(
    ("make", "reported"),
    [
        (lambda: TopK(-1), "count must be at least 0, got -1"),
        (lambda: TopK(5).output_shapes((4,)), "count 5 is larger than the size 4 of axis -1 of 4"),
        (lambda: Einsum("ij->kj"), "repeats a letter or has one that is in no input"),
        (lambda: Einsum("ij,jk").output_shapes((2, 3), (4, 5)), "'j' of the equation ij,jk->ik is 3 and 4"),
        (lambda: Einsum("ij").output_shapes((2, 3), (4, 5)), "takes 1 inputs, not 2"),
        (
            lambda: GatherElements(0).output_shapes((2, 3), (2, 4)),
            "must not be larger than the data 2x3 on any axis but 0",
        ),
        (
            lambda: GatherND().output_shapes((2, 3), (4, 3)),
            "a row of 3 indices must address 1 to 2 axes of the data 2x3",
        ),
        (lambda: GatherND(1).output_shapes((2, 3), (4, 1)), "the first 1 axes of the data 2x3"),
        (
            lambda: ScatterND().output_shapes((4, 3), (2, 1), (2, 2)),
            "the updates 2x2 must have the shape 2x3",
        ),
        (
            lambda: ScatterElements().output_shapes((4, 3), (2, 1), (2, 2)),
            "must have the shape of the indices 2x1: one per index",
        ),
        (lambda: ScatterND(reduction="sum"), "there is no reduction 'sum'"),
        (lambda: Triangle().output_shapes((3,)), "a triangle needs at least 2 axes"),
        (lambda: GridSample("linear"), "mode must be one of nearest, bilinear, bicubic, got 'linear'"),
        (lambda: GridSample().output_shapes((1, 2, 3, 4), (1, 5, 5, 3)), "the grid 1x5x5x3 does not fit"),
        (lambda: RoiAlign(kind="sum"), "there is no kind 'sum'; choose avg or max"),
        (lambda: RoiAlign().output_shapes((1, 2, 3, 4), (5, 4), (4,)), "must be N x C x H x W, R x 4 and R"),
        (lambda: PadAxes(((0, 0),)).output_shapes((2, 3)), "the input has 2 axes but the padding has 1"),
        (lambda: PadAxes(((-2, 0),)).output_shapes((2,)), "the output would be empty: 2 becomes 0"),
        (lambda: PadAxes(((0, 0),), mode="odd"), "there is no padding mode 'odd'; choose one of"),
    ],
)
def test_errors_of_inputs_that_do_not_fit(make, reported):
    with pytest.raises(ArgumentError) as error:
        make()
    assert reported in str(error.value)
