"""Resizing, compared with Pillow's `Image.resize` and with plain loops over the definition of each kernel."""

from fractions import Fraction
from math import cos, pi, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convcli.errors import ArgumentError
from convcli.filters.filter_picture import filter_picture
from convcli.filters.tiles import tile_plan
from tests.examples import examples

RNG = np.random.default_rng(17)
PILLOW = {
    "lanczos": Image.Resampling.LANCZOS,
    "cubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "box": Image.Resampling.BOX,
    "nearest": Image.Resampling.NEAREST,
}
RADIUS = {"lanczos": 3, "cubic": 2, "bilinear": 1, "hamming": 1, "box": Fraction(1, 2)}
SIDES = st.integers(1, 16)


def sinc(x: float) -> float:
    return sin(pi * x) / (pi * x) if x else 1.0


def kernel(method: str, distance: Fraction) -> float:
    d = abs(float(distance))
    if method == "box":
        return float(-Fraction(1, 2) < distance <= Fraction(1, 2))
    if d >= RADIUS[method]:
        return 0.0
    if method == "bilinear":
        return 1 - d
    if method == "hamming":
        return sinc(d) * (0.54 + 0.46 * cos(pi * d))
    if method == "lanczos":
        return sinc(d) * sinc(d / 3)
    return 1.5 * d**3 - 2.5 * d**2 + 1 if d < 1 else -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2  # a = -1/2


def matrix(n: int, made: int, method: str) -> np.ndarray:
    """Return the weights of n samples in each of `made` outputs."""
    weights = np.zeros((made, n))
    for y in range(made):
        if n == made:
            weights[y, y] = 1
            continue
        centre = Fraction((2 * y + 1) * n, 2 * made)
        if method == "nearest":
            weights[y, centre.numerator // centre.denominator] = 1
            continue
        for x in range(n):
            weights[y, x] = kernel(method, (x + Fraction(1, 2) - centre) / max(1, Fraction(n, made)))
        weights[y] /= weights[y].sum()
    return weights


def by_loops(x: np.ndarray, width: int, height: int, method: str) -> np.ndarray:
    down, across = matrix(x.shape[0], height, method), matrix(x.shape[1], width, method)
    return np.einsum("yr,xc,rc...->yx...", down, across, x)


@settings(max_examples=examples(30))
@given(st.sampled_from(list(PILLOW)), SIDES, SIDES, SIDES, SIDES)
def test_values_equal_plain_loops_and_pillow(
    method: str, rows: int, columns: int, height: int, width: int
) -> None:
    x = RNG.random((rows, columns)).astype(np.float32)
    options = {"resize": (width, height), "resampling": method, "value_range": None}
    made = filter_picture(x, **options)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, by_loops(x, width, height, method), atol=2e-6)
    double = filter_picture(x.astype(np.float64), **options)
    np.testing.assert_allclose(double, by_loops(x, width, height, method), atol=1e-13)
    if method not in (
        "box",
        "nearest",
    ):  # Pillow includes only some samples at the very end of a window
        pillow = np.asarray(Image.fromarray(x).resize((width, height), PILLOW[method]))
        np.testing.assert_allclose(made, pillow, atol=2e-6)


@pytest.mark.parametrize("method", PILLOW)
def test_integer_samples_are_rounded_once(method: str) -> None:
    """Pillow rounds after each axis."""
    for dtype, size in ((np.uint8, (13, 31)), (np.uint16, (50, 9))):
        x = RNG.integers(0, np.iinfo(dtype).max + 1, (23, 19, 3), dtype)
        wanted = np.rint(by_loops(x, *size, method).round(9)).clip(0, np.iinfo(dtype).max)
        np.testing.assert_array_equal(filter_picture(x, resize=size, resampling=method), wanted)
    plain = np.full((9, 7), 77, np.uint8)
    assert (filter_picture(plain, resize=(20, 3), resampling=method) == 77).all()


@pytest.mark.parametrize("method", ["lanczos", "box", "nearest"])
def test_hidden_colours_do_not_bleed_and_alpha_is_resized(method: str) -> None:
    x = RNG.integers(0, 256, (16, 20, 4), np.uint8)
    x[:, 7:, 3] = 0
    hidden = x.copy()
    hidden[:, 7:, :3] = 255
    made, other = (filter_picture(each, resize=(9, 30), resampling=method) for each in (x, hidden))
    seen = made[..., 3] > 0
    np.testing.assert_array_equal(made[..., 3], other[..., 3])
    np.testing.assert_array_equal(made[seen], other[seen])
    alpha = by_loops(x[..., 3] / 255.0, 9, 30, method)
    np.testing.assert_allclose(made[..., 3], np.rint(255 * alpha.clip(0, 1)), atol=1)
    colour = by_loops(x[..., :3] * (x[..., 3:] / 255.0), 9, 30, method)
    with np.errstate(all="ignore"):
        colour = (colour / alpha[..., np.newaxis]).clip(0, 255)
    sure = alpha > 0.01
    np.testing.assert_allclose(made[sure][:, :3], colour[sure], atol=0.51)
    kept = filter_picture(x, resize=(9, 30), resampling=method, alpha="keep")
    np.testing.assert_array_equal(kept[..., 3], by_loops(x[..., 3], 9, 30, "nearest"))


def test_linear_resizes_light() -> None:
    from convcli.backend.colour import from_light, to_light

    x = RNG.integers(0, 256, (12, 12, 3), np.uint8)
    light = by_loops(to_light(x, False), 5, 5, "cubic")
    made = filter_picture(x, resize=(5, 5), resampling="cubic", linear=True)
    assert np.abs(made.astype(int) - from_light(light.clip(0, 1), np.dtype("uint8"), False)[0]).max() == 0


def test_nan_only_affects_its_window() -> None:
    x = RNG.random((40, 44)).astype(np.float32)
    x[9, 30], x[33, 5] = np.nan, np.inf
    made = filter_picture(x, resize=(22, 20), resampling="lanczos", value_range=None)
    down, across = matrix(40, 20, "lanczos"), matrix(44, 22, "lanczos")
    reached = ((down != 0).astype(int) @ ~np.isfinite(x) @ (across.T != 0)) > 0
    np.testing.assert_array_equal(~np.isfinite(made), reached)
    np.testing.assert_allclose(
        made[~reached], by_loops(np.nan_to_num(x, posinf=0), 22, 20, "lanczos")[~reached], atol=2e-6
    )


def test_infinite_samples_of_weight_0_add_nothing() -> None:
    x = RNG.random((5, 7))
    x[2, 3] = np.inf
    for method in ("lanczos", "cubic", "bilinear", "hamming"):  # every third output lies exactly on a pixel
        made = filter_picture(x, resize=(21, 15), resampling=method, value_range=None)
        np.testing.assert_array_equal(made[1::3, 1::3], x)


def test_steps_run_in_order_and_once_around_repeats() -> None:
    x = RNG.random((20, 26))
    options = {"resize": "50%", "resampling": "box", "value_range": None}

    def chained(*steps: dict) -> np.ndarray:
        y = x
        for step in steps:
            y = filter_picture(y, value_range=None, **step)
        return y

    small = {"resize": "50%", "resampling": "box"}
    one, two, pool = {"kernel": "gaussian:1"}, {"kernel": "sobel-x"}, {"pool": "max:2"}
    layer = {"kernel": ["gaussian:1", "sobel-x"], "pool": "max:2"}
    for after, steps in enumerate(
        [(small, one, two, pool), (one, small, two, pool), (one, two, small, pool)]
    ):
        np.testing.assert_allclose(
            filter_picture(x, **layer, **options, resize_after=after), chained(*steps), atol=1e-12
        )
    np.testing.assert_allclose(
        filter_picture(x, **layer, **options, resize_after=3), chained(one, two, pool, small), atol=1e-12
    )
    np.testing.assert_allclose(
        filter_picture(x, "box", repeat=3, **options), chained(small, *[{"kernel": "box"}] * 3), atol=1e-12
    )
    with pytest.raises(
        ArgumentError, match="`resize` within a layer that runs several times would resize each time"
    ):
        filter_picture(x, ["box", "box"], repeat=2, resize_after=1, **options)
    with pytest.raises(ArgumentError, match="`resize` cannot come between kernels that are one step"):
        filter_picture(x, ["box", "emboss"], variant="tiled", resize_after=1, **options)
    with pytest.raises(ArgumentError, match="`resampling` belongs to `resize`; give `resize='50%'` with it"):
        filter_picture(x, "box", resampling="box")


def test_frames_of_a_volume_keep_their_number_and_small_tiles_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = RNG.integers(0, 256, (3, 18, 15, 1), np.uint8)
    made = filter_picture(x, "1 2 1 | 2 4 2 | 1 2 1", normalize=True, dims=3, resize="x9", resampling="cubic")
    assert made.shape == (3, 9, 8, 1)
    monkeypatch.setattr(tile_plan, "SAMPLES", 40)
    monkeypatch.setattr(tile_plan, "WIDE", 9)
    again = filter_picture(
        x, "1 2 1 | 2 4 2 | 1 2 1", normalize=True, dims=3, resize="x9", resampling="cubic"
    )
    np.testing.assert_array_equal(made, again)
