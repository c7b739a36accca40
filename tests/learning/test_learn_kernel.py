"""convcli.learn_kernel: recovers the kernels that were applied; checked by NumPy's lstsq and plain loops."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcli
from convcli import backend, learn_kernel
from convcli.errors import ArgumentError
from convcli.kernels import KERNELS, parse_kernel
from convcli.learning import least_squares, picture_pairs
from convcli.learning.learning_recipe import Recipe
from tests import reference
from tests.examples import examples

RNG = np.random.default_rng(3)
NOISE = RNG.integers(60, 190, (60, 70, 3), dtype=np.uint8)
FLOATS = RNG.standard_normal((24, 29))

TEXTBOOK = np.ones((6, 8))
TEXTBOOK[:, 2:6] = 0
EDGES = TEXTBOOK[:, :-1] - TEXTBOOK[:, 1:]

NAMED = [
    name for name in KERNELS if len(parse_kernel(name).matrices) == 1 and max(parse_kernel(name).shape) <= 9
]


@pytest.mark.parametrize("name", NAMED)
def test_every_named_kernel_comes_back_from_floats(name):
    kernel = parse_kernel(name)
    after = convcli.filter_picture(FLOATS, name, value_range=None)
    weights = np.array(kernel.weights, float) / kernel.divisor
    learned = learn_kernel(FLOATS, after, kernel.shape)
    assert (
        np.abs(learned.weights - weights).max() < 1e-6 * np.abs(weights).max()
    )  # with the float32 values that filter returns
    assert abs(learned.bias) < 1e-6 * np.abs(weights).sum()
    assert learned.rank == learned.unknowns == weights.size + 1
    assert learned.undetermined == ()


@pytest.mark.parametrize("name", [name for name in NAMED if name not in ("bilinear", "nearest")])
@pytest.mark.parametrize("larger", [0, 2])
def test_every_named_kernel_comes_back_from_8_bits(name, larger):
    """Integer weights exactly; others within the error of rounding to integer samples, 1 / sqrt(12)."""
    kernel = parse_kernel(name)
    after = convcli.filter_picture(NOISE, name)
    learned = learn_kernel(NOISE, after, [side + larger for side in kernel.shape])
    weights = np.pad(np.array(kernel.weights, float) / kernel.divisor, larger // 2)
    if kernel.is_whole and kernel.divisor == 1:
        assert np.array_equal(learned.weights, weights)
        assert (learned.bias, learned.residual, learned.explained) == (0, 0, 1)
    else:
        assert np.abs(learned.weights - weights).max() < 5 * learned.error < 0.001
        assert learned.residual == pytest.approx(12**-0.5, rel=0.02)
        assert learned.largest <= 0.6
    assert learned.nearest.distance < 0.02
    named = parse_kernel(learned.nearest.spec, dims=learned.nearest.dims)
    assert np.abs(np.array(named.flat_weights) / named.divisor).max() == pytest.approx(
        np.abs(weights).max(), rel=0.02
    )


@pytest.mark.parametrize(
    "spec",
    [
        *("box:2", "box:9", "gaussian:sigma=0.5", "gaussian:sigma=2,size=9", "binomial:7", "disk:3.5", "motion:9,30"),
        *("sharpen:0.3", "highboost:size=5", "log:sigma=1", "dog:1", "gabor:wavelength=4,angle=30", "sobel-x:size=5"),
    ],
)  # fmt: skip
def test_kernels_of_several_sizes_come_back_from_8_bits(spec):
    """Within five standard errors of rounding to integer samples."""
    picture = np.random.default_rng(3).integers(0, 256, (120, 140), dtype=np.uint8)
    kernel = parse_kernel(spec)
    weights = np.array(kernel.weights, float) / kernel.divisor
    learned = learn_kernel(picture, convcli.filter_picture(picture, spec), kernel.shape)
    assert np.abs(learned.weights - weights).max() <= 5 * learned.error
    assert np.abs(learned.weights - weights).max() <= 0.01 * np.abs(weights).max()
    assert learned.residual < 0.4


def test_the_textbook_picture():
    learned = learn_kernel(TEXTBOOK, EDGES, (1, 2))
    assert learned.weights.tolist() == [[1, -1]]
    assert (learned.bias, learned.padding, learned.samples) == (0, "valid", 42)


def test_descent_takes_the_steps_of_plain_loops():
    learned = learn_kernel(TEXTBOOK, EDGES, (1, 2), bias=False, method="sgd", steps=20, lr=0.01)
    weights, losses = [0.0, 0.0], []
    for _ in range(21):
        loss, gradient = 0.0, [0.0, 0.0]
        for row, column in product(range(6), range(7)):
            seen = TEXTBOOK[row, column : column + 2]
            error = weights[0] * seen[0] + weights[1] * seen[1] - EDGES[row, column]
            loss += error**2
            gradient = [g + 2 * error * s for g, s in zip(gradient, seen, strict=True)]
        losses.append(loss)
        last = weights
        weights = [w - 0.01 * g for w, g in zip(weights, gradient, strict=True)]
    assert learned.losses == pytest.approx(losses)
    assert learned.weights[0] == pytest.approx(last)
    assert learned.losses[::5] == pytest.approx([12, 3.342, 0.931, 0.259, 0.072], abs=1e-3)
    assert len(learned.trace) == 21
    assert not learned.trace[0].any()
    assert np.array_equal(learned.trace[-1], learned.weights)


def test_descent_of_pictures_with_a_bias_by_plain_gradients():
    """Samples of 8 bits are divided by 255: the weights are the same, and the bias is in samples."""
    before, after = NOISE[:9, :8, 0], NOISE[1:8, 1:7, 1]
    learned = learn_kernel(before, after, 3, method="sgd", steps=3, lr=0.001)
    x, y = before / 255, after / 255
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3)).reshape(-1, 9)
    table = np.concatenate([windows, np.ones((len(windows), 1))], axis=1)
    w = np.zeros(10)
    for step in range(4):
        error = table @ w - y.ravel()
        assert learned.losses[step] == pytest.approx((error**2).sum())
        assert learned.trace[step].ravel() == pytest.approx(w[:9])
        last = w
        w = w - 0.001 * 2 * table.T @ error
    assert learned.bias == pytest.approx(255 * last[9])
    assert learned.residual == pytest.approx(255 * np.sqrt((error**2).mean()))
    assert learned.largest == pytest.approx(255 * np.abs(error).max())


@pytest.mark.parametrize("mix", [False, True])
def test_descent_leaves_out_masked_and_clipped_samples(mix):
    """Losses and gradients exclude samples that are masked or may be clipped, in any channel for a mixing kernel."""
    before, after = NOISE[:20, :21], NOISE[20:40, 21:42].copy()
    after[5:9, 3:7, 0], after[12, 11, 1] = 255, 0
    mask = np.ones((20, 21), bool)
    mask[15:, :4] = False
    learned = learn_kernel(before, after, 1, method="sgd", steps=2, lr=0.0003, mask=mask, mix=mix)
    counts = mask[..., None] & (after > 0) & (after < 255)
    if mix:
        counts &= counts.all(axis=2, keepdims=True)
        pairs = [(before[counts[..., 0]], after[counts[..., 0]])]
    else:
        pairs = [(before[counts][:, None], after[counts][:, None])]
    (x, y), w = (each / 255 for each in pairs[0]), np.zeros((pairs[0][0].shape[1] + 1, pairs[0][1].shape[1]))
    table = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    for step in range(3):
        error = table @ w - y
        assert learned.losses[step] == pytest.approx((error**2).sum())
        assert learned.trace[step].ravel() == pytest.approx(w[:-1].T.ravel())
        w = w - 0.0006 * table.T @ error
    assert learned.samples == y.size
    assert learned.left_out == (17 * (3 if mix else 1), 0, 5 * 4 * 3)


def test_descent_converges_to_least_squares():
    after = convcli.filter_picture(FLOATS, "binomial", value_range=None)
    exact = learn_kernel(FLOATS, after, 3)
    steps = learn_kernel(FLOATS, after, 3, method="sgd", steps=300)
    assert np.abs(steps.weights - exact.weights).max() < 1e-6
    assert all(after < before for before, after in zip(steps.losses[:99], steps.losses[1:100], strict=True))


def test_a_seed_sets_the_initial_weights():
    def starts(seed):
        return learn_kernel(TEXTBOOK, EDGES, (1, 2), method="sgd", steps=1, seed=seed).trace[0]

    assert np.array_equal(starts(4), starts(4))
    assert not np.array_equal(starts(4), starts(5))
    assert np.abs(starts(4)).max() <= 2**-0.5
    assert not starts(None).any()


@st.composite
def layers(draw):
    def two(low, high):
        return draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    return {
        "size": two(1, 4),
        "stride": two(1, 3),
        "dilation": two(1, 2),
        "padding": draw(st.sampled_from(["same", "same-lower", "valid", "full", ((1, 0), (0, 2))])),
        "padding_mode": draw(
            st.sampled_from([None, "zeros", "reflect", "symmetric", "replicate", "circular"])
        ),
        "flip": draw(st.booleans()),
        "bias": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


@settings(max_examples=examples(60))
@given(layers())
def test_every_geometry_is_that_of_conv(layer):
    random = np.random.default_rng(layer.pop("seed"))
    size, bias, mode = layer.pop("size"), layer.pop("bias"), layer["padding_mode"]
    x, weights = random.standard_normal((31, 33)), random.standard_normal(size)
    shift = 0.5 if bias else 0.0
    options = {**layer, "padding_mode": mode or "replicate"}
    y = backend.conv(x[None], weights[None, None], [shift], **options)[0]
    learned = learn_kernel(x, y, size, bias=bias, **layer)
    assert learned.rank == learned.unknowns
    assert learned.weights == pytest.approx(weights, abs=1e-9)
    assert learned.bias == pytest.approx(shift, abs=1e-9)
    assert (learned.left_out.border == 0) or mode is None


def test_the_border_is_left_out_exactly():
    """A window that extends beyond the picture has taps without a source."""
    x = FLOATS[:9, :11]
    for stride, dilation, padding in product((1, 2), (1, 2), ("same", "full", ((2, 1), (0, 3)))):
        pads = convcli.Conv(1, 1, 3, stride=stride, dilation=dilation, padding=padding).pads(x.shape)
        y = backend.conv(x[None], np.ones((1, 1, 3, 3)), stride=stride, dilation=dilation, padding=padding)[0]
        whole = 0
        for place in reference.every(*y.shape):
            taps = [
                reference.places(place, stride=(stride,) * 2, pads=pads, dilation=(dilation,) * 2, tap=tap)
                for tap in reference.every(3, 3)
            ]
            whole += all(0 <= row < 9 and 0 <= column < 11 for row, column in taps)
        try:
            learned = learn_kernel(x, y, 3, stride=stride, dilation=dilation, padding=padding)
        except ArgumentError:
            assert whole == 0
        else:
            assert (learned.samples, learned.left_out.border) == (whole, y.size - whole)


def test_the_numbers_of_lstsq():
    """For noise: residuals, rank, standard errors and condition equal those of NumPy's least squares."""
    before, after = FLOATS, np.random.default_rng(1).standard_normal((22, 27))
    learned = learn_kernel(before, after, 3)
    windows = np.lib.stride_tricks.sliding_window_view(before, (3, 3)).reshape(-1, 9)
    table = np.concatenate([windows, np.ones((len(windows), 1))], axis=1)
    w, squares, rank, _ = np.linalg.lstsq(table, after.ravel())
    assert learned.weights.ravel() == pytest.approx(w[:9])
    assert learned.bias == pytest.approx(w[9])
    assert learned.residual == pytest.approx(np.sqrt(squares[0] / after.size))
    assert (learned.rank, learned.unknowns, learned.samples) == (rank, 10, after.size)
    rest = after.ravel() - table @ w
    assert learned.largest == pytest.approx(np.abs(rest).max())
    assert learned.explained == pytest.approx(1 - squares[0] / ((after - after.mean()) ** 2).sum())
    variances = np.diag(np.linalg.inv(table.T @ table))[:9] * squares[0] / (after.size - 10)
    assert learned.error == pytest.approx(np.sqrt(variances.max()))
    singular = np.linalg.svd(windows, compute_uv=False)
    without = learn_kernel(before, after, 3, bias=False)
    assert without.condition == pytest.approx(singular[0] / singular[-1])


def test_tiles_change_nothing(monkeypatch):
    whole = learn_kernel(NOISE, NOISE[..., ::-1], 3)
    monkeypatch.setattr(picture_pairs, "tile_size", lambda taps: 100)
    cut = learn_kernel(NOISE, NOISE[..., ::-1], 3)
    assert np.array_equal(cut.weights, whole.weights)
    assert cut.residual == pytest.approx(whole.residual)


def test_nearly_equal_windows_are_refined():
    """The normal equations square the condition number, so the solution is refined until the residuals stay the same."""
    bell = np.hanning(33)
    noise = np.random.default_rng(3).standard_normal((1, 120, 130))
    smooth = backend.conv(noise, np.outer(bell, bell)[None, None])[0] + 10
    weights = np.arange(9.0).reshape(3, 3) - 4
    learned = learn_kernel(smooth, backend.conv(smooth[None], weights[None, None])[0], 3)
    assert learned.condition > 50_000
    assert learned.weights == pytest.approx(weights, abs=1e-9)


def test_several_pairs_are_solved_together():
    whole = convcli.filter_picture(FLOATS, "emboss", value_range=None)
    halves = [FLOATS[:13], FLOATS[11:]], [whole[1:12, 1:-1], whole[12:-1, 1:-1]]
    together = learn_kernel(*halves, 3, padding="valid")
    assert together.weights == pytest.approx(learn_kernel(FLOATS, whole, 3).weights, abs=1e-6)
    assert together.samples == 22 * 27


def test_a_kernel_for_each_channel():
    specs = ["sharpen", "emboss", "laplacian"]
    after = np.stack(
        [convcli.filter_picture(NOISE[..., n], spec, value_range=None) for n, spec in enumerate(specs)],
        axis=2,
    )
    learned = learn_kernel(NOISE, after + np.array([0, 10, -20]), 3, per_channel=True)
    assert learned.layer_weights.shape == (3, 1, 3, 3)
    for number, spec in enumerate(specs):
        assert learned.weights[number] == pytest.approx(np.array(parse_kernel(spec).weights), abs=1e-4)
    assert learned.bias == pytest.approx([0, 10, -20], abs=1e-2)
    assert learned.nearest is None
    with pytest.raises(
        ArgumentError, match="3 kernels were learned, not one; use them as the `weights` of a layer"
    ):
        _ = learned.kernel


@pytest.mark.parametrize("method", ["exact", "sgd"])
def test_statistics_of_several_channels_include_all(method):
    """Losses and squares are summed; the largest errors and conditions and the lowest rank of all channels are reported."""
    before = NOISE[:30, :30].copy()
    before[..., 1] = before[:1, :, 1]  # equal rows
    after = NOISE[30:, 30:60] // np.array([3, 2, 1], np.uint8) + np.array([9, 0, 0], np.uint8)
    options = {"method": method, **({"steps": 3, "lr": 1e-4} if method == "sgd" else {})}
    several = learn_kernel(before, after, 3, per_channel=True, **options)
    ones = [learn_kernel(before[..., n], after[..., n], 3, **options) for n in range(3)]
    assert several.weights == pytest.approx(np.array([one.weights for one in ones]))
    assert several.bias == pytest.approx([one.bias for one in ones])
    for name in ("largest", "error"):
        assert getattr(several, name) == pytest.approx(max(getattr(one, name) for one in ones))
    assert several.samples == sum(one.samples for one in ones)
    assert several.left_out.clipped == sum(one.left_out.clipped for one in ones)
    squares = sum(one.samples * one.residual**2 for one in ones)
    assert several.residual == pytest.approx((squares / several.samples) ** 0.5)
    assert (several.rank, several.unknowns) == (ones[1].rank, 10) == (4, 10)
    assert several.condition == pytest.approx(ones[1].condition)
    assert several.undetermined == ones[1].undetermined != ()
    assert several.losses == pytest.approx(
        [sum(losses) for losses in zip(*(one.losses for one in ones), strict=True)]
    )


def test_weights_between_channels():
    weights = RNG.standard_normal((2, 3, 3, 3))
    after = backend.conv(np.moveaxis(NOISE, 2, 0), weights, [1, 2])
    learned = learn_kernel(NOISE, np.moveaxis(after, 0, 2), 3, mix=True)
    assert learned.weights == pytest.approx(weights, abs=1e-8)
    assert learned.bias == pytest.approx([1, 2], abs=1e-7)
    steps = learn_kernel(NOISE, np.moveaxis(after, 0, 2), 3, mix=True, method="sgd", steps=2)
    assert steps.trace[0].shape == (2, 3, 3, 3)


def test_clipped_samples_are_left_out_or_used():
    after = convcli.filter_picture(NOISE, "sobel-x")
    clipped = int(((after == 0) | (after == 255)).sum())
    learned = learn_kernel(NOISE, after, 3)
    assert learned.left_out.clipped == clipped > 5000
    assert learned.weights.tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert learned.samples + clipped + learned.left_out.border == after.size
    spoilt = learn_kernel(NOISE, after, 3, keep_clipped=True)
    assert spoilt.left_out.clipped == 0
    assert spoilt.residual > 10


def light_of(pixels):
    """Return the light of sRGB samples, by IEC 61966-2-1."""
    values = pixels / np.iinfo(pixels.dtype).max
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_linear_light_is_what_filter_computes_with(dtype):
    """Equal to NumPy's least squares of both pictures in linear light, without samples that may be clipped."""
    before = np.random.default_rng(5).integers(0, np.iinfo(dtype).max + 1, (50, 60)).astype(dtype)
    after = convcli.filter_picture(before, "sharpen:amount=0.5", linear=True)
    learned = learn_kernel(before, after, 3, linear=True)
    inner = after[1:-1, 1:-1].ravel()
    counts = (inner > 0) & (inner < np.iinfo(dtype).max)
    windows = np.lib.stride_tricks.sliding_window_view(light_of(before), (3, 3)).reshape(-1, 9)[counts]
    table = np.concatenate([windows, np.ones((len(windows), 1))], axis=1)
    w, squares, _, _ = np.linalg.lstsq(table, light_of(inner)[counts])
    assert learned.weights.ravel() == pytest.approx(w[:9], abs=1e-9)
    assert learned.bias == pytest.approx(w[9], abs=1e-9)
    assert learned.residual == pytest.approx(np.sqrt(squares[0] / counts.sum()))
    assert learned.samples == counts.sum() < inner.size
    assert learned.left_out.clipped == np.isin(after, (0, np.iinfo(dtype).max)).sum()
    kernel = parse_kernel("sharpen:amount=0.5")
    assert learned.weights == pytest.approx(np.array(kernel.weights) / kernel.divisor, abs=5e-3)
    assert learned.linear
    again = convcli.filter_picture(before, learned.kernel, linear=True).astype(float)
    assert np.abs(again - after).max() <= np.iinfo(dtype).max / 128
    spoilt = learn_kernel(before, after, 3)
    assert not spoilt.linear
    assert np.abs(spoilt.weights - np.array(kernel.weights) / kernel.divisor).max() > 0.1


def test_descent_in_linear_light_has_the_losses_of_light():
    after = convcli.filter_picture(NOISE[..., 0], "box", linear=True)
    learned = learn_kernel(NOISE[..., 0], after, 3, linear=True, method="sgd", steps=1)
    assert learned.losses[0] == pytest.approx((light_of(after[1:-1, 1:-1]) ** 2).sum())


def test_a_mask_leaves_samples_out():
    after = convcli.filter_picture(FLOATS, "laplacian", value_range=None)
    mask = np.ones(after.shape, bool)
    mask[5:9] = False
    after[5:9] = 1e6
    learned = learn_kernel(FLOATS, after, 3, mask=mask)
    assert learned.weights == pytest.approx(np.array(parse_kernel("laplacian").weights), abs=1e-5)
    assert learned.left_out.masked == 4 * 29


def test_a_learned_kernel_runs():
    after = convcli.filter_picture(NOISE, "unsharp:size=5", shift=4)
    learned = learn_kernel(NOISE, after, 5)
    again = convcli.filter_picture(NOISE, learned.kernel)
    assert convcli.diff(again[2:-2, 2:-2], after[2:-2, 2:-2]).largest <= 1
    assert learned.kernel.offset == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64, bool])
def test_any_kind_of_sample(dtype):
    before = (NOISE[..., 0] > 120) if dtype is bool else NOISE[..., 0].astype(dtype)
    after = backend.conv(before[None].astype(int), np.array([[[[2, -1], [3, 5]]]]))[0]
    learned = learn_kernel(before, after, 2)
    assert learned.weights.tolist() == [[2, -1], [3, 5]]


@pytest.mark.parametrize(
    ("before", "after", "options", "message"),
    [
        (
            FLOATS, FLOATS[:20], {},
            "before is 29 wide and 24 high and after 29 wide and 20 high; a window of 3x3 makes 29 wide and 24 high with padding same, 27 wide and 22 high with "
            "padding valid, 31 wide and 26 high with padding full; crop or resize one of them, or give the right `size` and "
            "`padding`",
        ),
        (
            FLOATS, FLOATS, {"padding": "valid", "stride": 2},
            "before is 29 wide and 24 high and after 29 wide and 24 high; a window of 3x3 and the stride 2x2 makes 14 wide and 11 high with padding "
            "valid; crop or resize one of them, or give the right `size` and `padding`",
        ),
        (
            np.full((9, 9), 7.0), FLOATS[:9, :9], {},
            "the first picture is 7 everywhere, which does not determine a kernel; use a picture with contrast",
        ),
        (
            np.dstack([FLOATS, FLOATS * 0]), np.dstack([FLOATS] * 2), {"per_channel": True},
            "the first picture is 0 everywhere in channel 1, which does not determine a kernel; use a picture with contrast",
        ),
        (
            NOISE[..., 0], NOISE[..., 0] // 128 * 255, {},
            "no sample of the second picture can be used: all are black or white, and may be clipped, or are masked; use a "
            "picture with intermediate tones, or use all samples with `keep_clipped=True`",
        ),
        (
            NOISE, NOISE[..., 0], {},
            "before has 3 channels and after 1 channel; convert both to grey (`gray=True`), or learn weights between all "
            "channels with `mix=True`",
        ),
        (
            np.where(FLOATS > 2, np.nan, FLOATS), FLOATS, {},
            "before holds nan in row 1, column 18; every sample must be finite",
        ),
        (FLOATS[0], FLOATS[0], {}, "before has shape (29,); it must be (H, W) or (H, W, C)"),
        (FLOATS[:0], FLOATS[:0], {}, "before has no pixels: its shape (C, H, W) is (1, 0, 29)"),
        (
            NOISE, FLOATS, {"linear": True, "mix": True},
            "`linear` decodes samples of uint8 or uint16, but after has dtype float64; leave `linear` out",
        ),
        (FLOATS * 1j, FLOATS, {}, "before has dtype complex128; it must hold bool, integers or floats"),
        (
            FLOATS[:2, :2], FLOATS[:2, :2], {"padding": "same"},
            "no window of 3x3 fits into before, which is 2 wide and 2 high; give its padding with `padding_mode`, or use a "
            "smaller `size`",
        ),
        (FLOATS, FLOATS, {"size": 65}, "a kernel of `size=65` is too large to learn; give at most 63"),
        (FLOATS, FLOATS, {"size": 0}, "size must be at least 1, got 0"),
        (FLOATS, FLOATS, {"method": "adam"}, "there is no method 'adam'; use exact, sgd"),
        (FLOATS, FLOATS, {"steps": 5}, "`steps` belongs to gradient descent; give `method='sgd'` with it"),
        (FLOATS, FLOATS, {"method": "sgd", "lr": -1}, "`lr` must be finite and above 0, such as 0.01, got -1"),
        (FLOATS, FLOATS, {"method": "sgd", "steps": 10**6}, "`steps=1000000` is over the limit of 100,000; use fewer"),
        (
            FLOATS, FLOATS, {"padding_mode": "constant"},
            "padding_mode 'constant' is not supported here; use 'zeros'",
        ),
        (
            FLOATS, FLOATS, {"per_channel": True, "mix": True},
            "`per_channel` and `mix` contradict each other; give one of them",
        ),
        ([FLOATS, FLOATS], FLOATS, {}, "`before` has 2 pictures, `after` 1; give the same number of each"),
        ([[1, 2], [3]], FLOATS, {}, "`before`, `after` or `mask` is not an array: setting an array element"),
    ],
)  # fmt: skip
def test_what_is_refused(before, after, options, message):
    with pytest.raises(ArgumentError) as error:
        learn_kernel(before, after, **options)
    assert str(error.value).startswith(message)


def test_the_error_of_a_diverging_learning_rate_names_the_step_and_a_rate_that_converges():
    """Started along the largest eigenvector, each step multiplies the error; the limit is 1 / eigenvalue."""
    windows = np.lib.stride_tricks.sliding_window_view(FLOATS, (3, 3)).reshape(-1, 9)
    limit = 1 / np.linalg.eigvalsh(windows.T @ windows)[-1]
    after = convcli.filter_picture(FLOATS, "sharpen", value_range=None)[1:-1, 1:-1]
    options = {"bias": False, "method": "sgd", "steps": 400, "seed": 1}
    with pytest.raises(ArgumentError) as error:
        learn_kernel(FLOATS, after, 3, lr=limit * 1.05, **options)
    message = str(error.value)
    found = float(message.partition("give at most `lr=")[2].partition("`")[0])
    assert limit * 0.9 <= found <= limit * 1.001
    step = int(message.partition("at step ")[2].partition(";")[0])
    assert step > 1
    ended = learn_kernel(FLOATS, after, 3, **{**options, "steps": step - 1}, lr=limit * 1.05)
    assert f"the loss grew from {ended.losses[-1]:.4g} to " in message
    learned = learn_kernel(FLOATS, after, 3, lr=found, **options)
    assert learned.losses[-1] < learned.losses[0]
    with pytest.raises(
        ArgumentError, match=r"`lr=1e\+200` is too large: the loss grew from .* to infinity at step 1"
    ):
        learn_kernel(FLOATS, after, 3, lr=1e200, **options)


@pytest.mark.parametrize("options", [{}, {"linear": True}, {"linear": True, "method": "sgd", "steps": 1}])
def test_no_more_memory_is_used_than_estimated(options):
    import tracemalloc
    from concurrent.futures import ThreadPoolExecutor

    picture = np.random.default_rng(0).integers(1, 255, (600, 500), dtype=np.uint8)
    recipe = Recipe.of(3, padding_mode="reflect", **options)
    recipe.learn(
        [recipe.pair(picture[:9, :9], picture[:9, :9], None)]
    )  # so that modules and tables are loaded
    tracemalloc.start()
    with ThreadPoolExecutor(
        1
    ) as pool:  # a new thread has no memory kept from earlier calls, which is not counted
        pool.submit(recipe.learn, [recipe.pair(picture, picture, None)]).result()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The estimate has room for the larger window that a poor fit is compared with.
    assert peak <= recipe.bytes(picture, picture) < 1.6 * peak


def test_work_of_hours_is_refused(monkeypatch):
    monkeypatch.setattr(least_squares, "MAX_PRODUCTS", 50_000)
    with pytest.raises(ArgumentError) as error:
        learn_kernel(FLOATS, FLOATS, 3)
    assert str(error.value) == (
        "594 samples with 10 unknowns each take too long; use a smaller `size` than 3x3, or crop the pictures to 500 "
        "samples"
    )
