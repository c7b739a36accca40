"""Sheets of maps: each map is drawn on its own scale, with its kernels next to it and its name above it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.images.map_sheet import (
    BAR,
    ENDS,
    GAP,
    INK,
    MAX_MAPS,
    MISSING,
    NAME,
    NARROWEST,
    SIDE,
    SheetPlan,
    draw_maps,
)
from convcli.images.signs import signed_colours
from tests.examples import examples

RNG = np.random.default_rng(0)
BLUE, WHITE, RED = (33, 102, 172), (247, 247, 247), (178, 24, 43)


def drawn(sheet, plan, number):
    """Return one map of a sheet, reduced to one pixel per value."""
    top, left = plan.place(number)
    (height, width), times = plan.drawn, plan.times
    large = sheet[top : top + height, left : left + width]
    assert np.array_equal(large, large[::times, ::times].repeat(times, 0).repeat(times, 1))
    return large[::times, ::times]


@pytest.mark.parametrize("shape", [(1, 30, 40), (16, 32, 20), (5, 1, 7), (300, 3, 3), (9, 112, 112)])
def test_maps_without_negative_values_are_grey(shape):
    maps = RNG.random(shape) + 5
    maps[0] = 3.0  # constant
    sheet, plan = draw_maps(maps), SheetPlan.of(*shape)
    assert sheet.shape == (*plan.shape, 3)
    assert 0.4 < sheet.shape[1] / sheet.shape[0] < 5 or shape[0] < 6
    for number in {0, min(1, shape[0] - 1), shape[0] // 2, min(shape[0], MAX_MAPS) - 1}:
        spread = np.ptp(maps[number])
        expected = (maps[number] - maps[number].min()) / spread * 255 if spread else np.zeros(shape[1:])
        found = drawn(sheet, plan, number)
        np.testing.assert_allclose(found, np.repeat(expected[..., None], 3, axis=2), atol=0.51)


def test_maps_of_one_value_share_a_scale():
    values = np.array([4.0, 1.0, 2.5])
    sheet, plan = draw_maps(values[:, None, None]), SheetPlan.of(3, 1, 1)
    assert [drawn(sheet, plan, number)[0, 0, 0] for number in range(3)] == [255, 0, 128]
    signed = draw_maps(np.array([-2.0, 2.0, 1.0])[:, None, None])
    found = [tuple(map(int, drawn(signed, plan, number)[0, 0])) for number in range(2)]
    assert found == [BLUE, RED]
    top, left = plan.place(0)
    name = sheet[top - NAME : top, left : left + NARROWEST]
    assert not np.array_equal(
        name, draw_maps(values[:, None, None] + 1)[top - NAME : top, left : left + NARROWEST]
    )


def test_signed_maps_have_0_in_the_middle_of_each_scale():
    maps = np.array([[[-2.0, 0, 1], [2, -1, 0]], [[0, 0, 8], [4, 0, 0]]])
    sheet, plan = draw_maps(maps), SheetPlan.of(2, 2, 3)
    first, second = drawn(sheet, plan, 0), drawn(sheet, plan, 1)
    assert [tuple(first[place]) for place in ((0, 0), (0, 1), (1, 0))] == [BLUE, WHITE, RED]
    assert [tuple(second[place]) for place in ((0, 0), (0, 2))] == [WHITE, RED], (
        "on the scale of the sheet's signs"
    )
    half = np.add(WHITE, RED) / 2
    assert np.abs(first[0, 2] - half).max() <= 1
    assert np.abs(second[1, 0] - half).max() <= 1
    top, left = plan.place(0)
    scale = sheet[top + plan.drawn[0] + 4 + BAR // 2, left : left + max(plan.drawn[1], NARROWEST)]
    assert (tuple(scale[0]), tuple(scale[-1])) == (BLUE, RED)
    top, left = plan.place(1)
    assert tuple(sheet[top + plan.drawn[0] + 4 + BAR // 2, left]) == BLUE, "as wide to both sides of 0"
    assert np.abs(scale[len(scale) // 2].astype(int) - WHITE).max() <= 6


def test_nan_and_infinities_are_marked_and_do_not_change_the_scale():
    maps = np.array([[[0.0, 10, np.nan], [np.inf, 5, -np.inf]]])
    sheet = draw_maps(maps)
    found = drawn(sheet, SheetPlan.of(1, 2, 3), 0)
    assert [tuple(found[place]) for place in ((0, 2), (1, 0), (1, 2))] == [MISSING] * 3
    assert [found[place][0] for place in ((0, 0), (0, 1), (1, 1))] == [0, 255, 128]


@pytest.mark.parametrize("count", [1, 4])
def test_kernels_are_drawn_beside_their_maps(count):
    maps, kernels = RNG.random((3, 50, 120)), RNG.standard_normal((3, count, 3, 5))
    sheet, plan = draw_maps(maps, (), kernels), SheetPlan.of(3, 50, 120, (count, 3, 5))
    assert plan.tap == 8
    for number in range(3):
        top, left = plan.place(number)
        for place, kernel in enumerate(kernels[number]):
            y, x = top + place * (3 * plan.tap + GAP // 2), left - plan.kernel_grid
            found = sheet[y : y + 3 * plan.tap : plan.tap, x : x + 5 * plan.tap : plan.tap]
            assert np.array_equal(found, signed_colours(kernel / np.abs(kernels[number]).max()))
    many = draw_maps(maps, (), RNG.random((3, 5, 3, 5)))
    assert np.array_equal(many, draw_maps(maps)), "of more kernels none"


def test_names_and_titles_are_written_and_fit():
    def letters(sheet, plan, number):
        top, left = plan.place(number)
        line = sheet[top - NAME : top - 2, left : left + plan.drawn[1]]
        return int((np.abs(line.astype(int) - INK).max(axis=2) < 60).sum())

    maps, plan = RNG.random((3, 100, 120)), SheetPlan.of(3, 100, 120)
    sheet = draw_maps(maps, ("m", "mmm", "m" * 99), title="t" * 500)
    assert 0 < letters(sheet, plan, 0) < letters(sheet, plan, 1) < letters(sheet, plan, 2)
    edge = sheet[:, -GAP // 2 :]
    assert (edge == 255).all(), "nothing is written beyond the sheet"
    gap = plan.place(1)[1] - GAP // 2
    assert (sheet[plan.place(0)[0] :, gap] == 255).all()


@settings(max_examples=examples(60))
@given(
    maps=st.integers(1, 300),
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    kernels=st.tuples(st.integers(0, 6), st.integers(1, 70), st.integers(1, 70)),
)
def test_maps_never_overlap(maps, height, width, kernels):
    plan = SheetPlan.of(maps, height, width, kernels)
    assert max(plan.drawn) >= SIDE
    assert plan.times == 1 or max(height, width) * (plan.times - 1) < SIDE
    places = [plan.place(number) for number in range(min(maps, MAX_MAPS))]
    assert len(set(places)) == len(places)
    for top, left in places:
        assert left - plan.kernel_grid >= 0
        assert top + plan.drawn[0] + BAR + ENDS <= plan.shape[0]
        assert left + plan.drawn[1] <= plan.shape[1]
    for axis in (0, 1):
        lines = sorted({place[axis] for place in places})
        steps = np.diff(lines)
        assert all(step >= plan.drawn[axis] for step in steps)
