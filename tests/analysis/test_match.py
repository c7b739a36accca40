"""Template matching against plain loops, the formulas of published implementations, and pictures that contain the template."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import convcli
from convcli.analysis import match_scores as matching
from convcli.analysis.match import best_places
from convcli.analysis.match_scores import match_scores as match
from convcli.backend import windows
from convcli.errors import ArgumentError


def channels(array):
    return array if array.ndim == 3 else array[..., np.newaxis]


def loops(pixels, template, mask=None):
    """The definition: OpenCV's TM_CCOEFF_NORMED, with its mask of zeros and ones; 0 where a window is flat."""
    x, t = channels(pixels).astype(float), channels(template).astype(float)
    h, w = t.shape[:2]
    seen = np.ones((h, w)) if mask is None else np.asarray(mask, float)
    own = t - (t * seen[..., None]).sum(axis=(0, 1)) / seen.sum()
    out = np.zeros((x.shape[0] - h + 1, x.shape[1] - w + 1))
    for row, column in product(*map(range, out.shape)):
        window = x[row : row + h, column : column + w]
        shown = [window[..., c][seen > 0] for c in range(window.shape[2])]
        if all((part == part[0]).all() for part in shown):
            continue
        far = window - (window * seen[..., None]).sum(axis=(0, 1)) / seen.sum()
        product_ = (seen[..., None] * own * far).sum()
        energy = (seen[..., None] * own**2).sum() * (seen[..., None] * far**2).sum()
        out[row, column] = product_ / np.sqrt(energy)
    return out


def pictures(kind):
    """Pictures and templates that fit into them, with few values, so that flat windows occur."""
    sizes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([None, 1, 3]))
    elements = {
        "uint8": st.sampled_from([0, 1, 7, 254, 255]),
        "uint16": st.sampled_from([0, 1, 65534, 65535]),
        "float32": st.floats(-2, 2, width=16),
    }[kind]

    @st.composite
    def build(draw):
        height, width, depth = draw(sizes)
        h, w = draw(st.integers(1, height)), draw(st.integers(1, width))
        tail = () if depth is None else (depth,)
        pixels = draw(arrays.arrays(kind, (height, width, *tail), elements=elements))
        template = draw(arrays.arrays(kind, (h, w, *tail), elements=elements))
        assume(any(len(np.unique(part)) > 1 for part in np.moveaxis(channels(template), 2, 0)))
        return pixels, template

    return build()


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_the_score_is_its_definition(kind):
    @given(pictures(kind))
    def check(pair):
        pixels, template = pair
        scores = match(pixels, template)
        assert scores.dtype == np.float64
        assert np.abs(scores).max() <= 1
        np.testing.assert_allclose(scores, loops(pixels, template), atol=1e-9)

    check()


@given(pictures("uint8"), st.data())
def test_masked_pixels_do_not_count(pair, data):
    pixels, template = pair
    mask = data.draw(arrays.arrays(bool, template.shape[:2]))
    assume(any(len(np.unique(part[mask])) > 1 for part in np.moveaxis(channels(template), 2, 0)))
    np.testing.assert_allclose(match(pixels, template, mask), loops(pixels, template, mask), atol=1e-6)
    other = template.copy()
    other[~mask] = 99
    np.testing.assert_array_equal(match(pixels, other, mask), match(pixels, template, mask))


def test_soft_masks_are_weights():
    rng = np.random.default_rng(0)
    x, t, w = rng.random((9, 8)), rng.random((4, 3)), rng.random((4, 3))
    scores = match(x, t, w)
    for row, column in product(range(6), range(6)):
        window = x[row : row + 4, column : column + 3]
        covariance = np.cov(window.ravel(), t.ravel(), aweights=w.ravel())
        expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        assert scores[row, column] == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(match(x, t, np.full((4, 3), 0.3)), match(x, t), atol=1e-12)


@pytest.mark.parametrize("threads", [1, 3])
def test_tiles_and_threads_change_nothing(monkeypatch, threads):
    rng = np.random.default_rng(1)
    x, t = rng.integers(0, 256, (61, 83, 3)), rng.integers(0, 256, (7, 5, 3))
    whole = match(x, t)
    monkeypatch.setattr(matching, "TILE", 10)
    monkeypatch.setattr(windows, "STRIP", 40)
    np.testing.assert_allclose(match(x, t, threads=threads), whole, atol=1e-10)
    np.testing.assert_allclose(whole, loops(x, t), atol=1e-10)
    mask = rng.random((7, 5)) > 0.3
    np.testing.assert_allclose(match(x, t, mask, threads=threads), loops(x, t, mask), atol=1e-8)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(8, 20), st.integers(8, 20), st.integers(0, 99))
def test_a_cropped_template_is_found_at_its_position(row, column, h, w, seed):
    x = np.random.default_rng(seed).integers(0, 256, (50, 50, 3), np.uint8)
    (place,) = convcli.match(x, x[row : row + h, column : column + w])
    assert place[:2] == (row, column)
    assert place.score == pytest.approx(1, abs=1e-9)


def test_brightness_and_contrast_change_nothing_and_a_negative_scores_minus_one():
    x = np.random.default_rng(2).integers(0, 100, (30, 40))
    t = x[11:19, 22:33]
    scores = match(x, t)
    np.testing.assert_allclose(match(x * 3 + 1000, t), scores, atol=1e-9)
    np.testing.assert_allclose(match(x, t * 0.01 + 5), scores, atol=1e-9)
    np.testing.assert_allclose(match(-x, t), -scores, atol=1e-9)
    assert match(x, -t).min() == pytest.approx(-1, abs=1e-9)


@pytest.mark.parametrize("level", [0, 1, 200, 65535])
def test_flat_windows_score_exactly_zero_beside_the_brightest(level):
    """A screenshot that is flat except for one pattern."""
    x = np.full((60, 90), level, np.uint16)
    x[20:30, 40:52] = np.random.default_rng(3).integers(0, 65536, (10, 12))
    t = x[20:30, 40:52]
    for mask in (None, np.arange(120).reshape(10, 12) % 5 > 0):
        scores = match(x, t, mask)
        flat = np.ones(scores.shape, bool)
        flat[11:30, 29:52] = False
        assert (scores[flat] == 0).all()
        assert scores[20, 40] == pytest.approx(1, abs=1e-9)


def test_one_grey_level_is_enough_contrast_next_to_black_and_white():
    x = np.zeros((300, 300), np.uint8)
    x[:, 150:] = np.random.default_rng(4).choice([0, 255], (300, 150))
    x[100:164, :64] = 128
    x[130, 30] = 129
    t = np.full((64, 64), 7.0)
    t[30, 30] = 8
    assert match(x, t)[100, 0] == pytest.approx(1, abs=1e-9)


def test_the_least_contrast_beside_the_greatest_brightness():
    x = np.full((3, 9), 65535, np.uint16)
    x[1, 4] = 0
    x[2, 1:8] = 1, 1, 0, 1, 1, 0, 0
    t = np.array([[65535, 65534, 65535, 65535, 65535, 65534, 65535]])
    np.testing.assert_allclose(match(x, t), loops(x, t), atol=1e-9)


def test_huge_floats_cause_no_false_matches():
    rng = np.random.default_rng(5)
    x = rng.random((200, 200))
    t = x[20:36, 20:36].copy()
    x[150, 150] = 1e30
    scores = match(x, t)
    assert np.abs(scores).max() <= 1
    assert (scores[100:130, 100:130] == 0).all()  # they are rounded away next to 1e30
    x[150, 150] = 1e6
    assert convcli.match(x, t)[0][:2] == (20, 20)
    np.testing.assert_allclose(match(x, t), loops(x, t), atol=1e-6)


# The best places


def test_the_best_do_not_overlap_and_equal_ones_are_in_reading_order():
    scores = np.zeros((20, 20))
    for row, column in ((3, 15), (3, 2), (15, 9), (5, 4)):
        scores[row, column] = 0.5
    scores[10, 10] = 0.9
    assert [place[:2] for place in best_places(scores, 9, (6, 5))] == [(10, 10), (3, 2), (3, 15), (15, 9)]
    assert [place[:2] for place in best_places(scores, 9, (4, 5))] == [
        (10, 10),
        (3, 2),
        (3, 15),
        (5, 4),
        (15, 9),
    ]
    assert [place[:2] for place in best_places(scores, 2, (6, 6))] == [(10, 10), (3, 2)]


def test_a_slope_next_to_a_peak_is_no_match():
    scores = np.maximum(0.9 - 0.01 * np.abs(np.arange(60) - 20), 0.0)[np.newaxis]
    scores[0, 55:58] = 0.2, 0.6, 0.2
    assert [place.column for place in best_places(scores, 9, (7, 8))] == [20, 56]


def test_positions_where_the_template_does_not_fit_are_no_match():
    assert best_places(np.array([[-0.5]]), 1, (1, 1)) == []
    assert best_places(np.zeros((4, 4)), 3, (3, 3)) == []


@given(
    arrays.arrays("float64", st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-2, 5)),
    st.integers(1, 9),
    st.tuples(st.integers(1, 10), st.integers(1, 10)),
)
def test_the_best_places_equal_an_exhaustive_search(scores, count, size):
    def near(a, b):
        return all(2 * abs(p - q) < side for p, q, side in zip(a, b, size))

    peaks = [
        (-scores[place], place)
        for place in product(*map(range, scores.shape))
        if scores[place] > 0
        and all(
            scores[place] >= scores[other]
            for other in product(*map(range, scores.shape))
            if max(abs(p - q) for p, q in zip(place, other)) <= 1
        )
    ]
    expected = []
    for _, place in sorted(peaks):
        if not any(near(place, other) for other in expected) and len(expected) < count:
            expected.append(place)
    found = best_places(scores, count, size)
    assert [place[:2] for place in found] == expected
    assert [place.score for place in found] == [scores[place] for place in expected]


# Errors


@pytest.mark.parametrize(
    ("pixels", "template", "mask", "message"),
    [
        (np.zeros((5, 9)), np.eye(6), None, "the template is 6 wide and 6 high, larger than the picture, which is 9 wide and 5 high; "
         "crop the template, or swap the two"),
        (np.zeros((5, 9, 3)), np.eye(3), None, "pixels (5, 9, 3) have 3 channels, the template (3, 3, 1) has 1"),
        (np.zeros((5, 9)), np.full((3, 3), 0.1), None, "the template is flat: all its pixels are equal"),
        (np.zeros((5, 9)), np.eye(2), np.eye(2), "the template is flat: all its pixels are equal where the mask is not 0"),
        (np.zeros((5, 9)), np.eye(2), np.zeros((2, 2)), "mask has weights from 0.0 to 0.0; they must be finite, at least 0"),
        (np.zeros((5, 9)), np.eye(2), -np.eye(2), "mask has weights from -1.0 to -0.0"),
        (np.zeros((5, 9)), np.eye(2), np.ones((2, 3)), "mask has shape (2, 3); it must have the template's rows and columns, (2, 2)"),
        (np.full((5, 9), np.nan), np.eye(2), None, "pixels holds nan at (0, 0), which cannot be correlated"),
        (np.zeros((5, 9)), np.array([[1, np.inf]]), None, "template holds inf at (0, 1)"),
        (np.zeros(5), np.eye(2), None, "pixels has shape (5,); it must be (H, W) or (H, W, C), and not empty"),
        (np.zeros((5, 0)), np.eye(2), None, "pixels has shape (5, 0); it must be"),
        (np.zeros((5, 9), complex), np.eye(2), None, "pixels has dtype complex128"),
    ],
)  # fmt: skip
def test_errors(pixels, template, mask, message):
    with pytest.raises(ArgumentError) as error:
        match(pixels, template, mask)
    assert message in str(error.value)


@pytest.mark.parametrize("factor", [1e200, 1e300, 1e-200, 1e-300])
@pytest.mark.parametrize("masked", [False, True])
def test_a_factor_changes_no_score_however_large(factor: float, masked: bool) -> None:
    rng = np.random.default_rng(5)
    picture = rng.normal(size=(12, 15))
    template = picture[3:7, 5:10].copy()
    mask = (np.arange(20).reshape(4, 5) % 3 > 0).astype(float) if masked else None
    usual = match(picture, template, mask)
    assert match(picture * factor, template * factor, mask) == pytest.approx(usual, abs=1e-9)
    assert match(picture * factor, template, mask) == pytest.approx(usual, abs=1e-9)


@given(pictures("uint8"), st.integers(1, 5))
def test_places_are_the_best_of_the_scores(pair, top):
    pixels, template = pair
    places = convcli.match(pixels, template, top=top)
    assert places == best_places(loops_of(pixels, template), top, template.shape[:2])
    assert [place.score for place in places] == sorted((place.score for place in places), reverse=True)


def loops_of(pixels, template):
    """The scores of `match`, which agree with plain loops; a peak may depend on the last digit."""
    scores = match(pixels, template)
    np.testing.assert_allclose(scores, loops(pixels, template), atol=1e-9)
    return scores


def test_a_mask_is_applied():
    x = np.random.default_rng(7).integers(0, 256, (30, 30))
    t = x[5:15, 6:18].copy()
    t[:4] = 0
    mask = np.ones(t.shape)
    mask[:4] = 0
    (place,) = convcli.match(x, t, mask, threads=1)
    assert (place.row, place.column) == (5, 6)
    assert place.score == pytest.approx(1)


@pytest.mark.parametrize("top", [0, -1, 1.5, True, None, "2"])
def test_the_number_of_places_is_an_integer(top):
    with pytest.raises(ArgumentError, match=r"top=.* is not a whole number of at least 1"):
        convcli.match(np.eye(3), np.eye(2), top=top)
