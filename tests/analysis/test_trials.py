"""Trials: each row equals a separate run of its variant."""

import numpy as np
import pytest

from convcli.analysis import trials as module
from convcli.analysis.trials import Trials
from convcli.filters.filter_image import filter_image
from convcli.kernels import parse_kernel
from convcli.layers import VARIANTS, Conv
from convcli.layers.text.pool_grammar import parse_pool

X = np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)


def outcomes(kernel, variants, pixels=X, **behind):
    trials = Trials(pixels, parse_kernel(kernel), **behind)
    found = [trials.run(trial) for trial in trials.all(variants)]
    return [outcome for outcome in found if outcome is not None], trials.remarks


@pytest.fixture(autouse=True)
def _one_run(monkeypatch):
    monkeypatch.setattr(module, "ENOUGH", 0)


@pytest.mark.parametrize("kernel", ["gaussian:sigma=1", "sharpen", "sobel", "box:4", "kirsch"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_every_method_gives_the_plain_sums(kernel, dtype):
    white = 1 if dtype == "float32" else np.iinfo(dtype).max
    pixels = (X / 255 * white).astype(dtype)
    found, remarks = outcomes(kernel, ["depthwise", "standard", "depthwise-separable"], pixels)
    assert len(found) >= 9
    size = float(np.abs(parse_kernel(kernel).matrices[0]).sum())
    for outcome in found:
        rounding = 1 if outcome.trial.engine == "filter" else 0
        assert outcome.difference <= rounding * (dtype != "float32") + 2e-5 * white * size
        assert outcome.shift == 0
        assert (outcome.psnr is None) == (outcome.difference == 0)
    assert {outcome.trial.engine for outcome in found} == {"filter", "conv"}
    assert all("needs" in line or "suit" in line for line in remarks)


def test_the_filter_engine_is_filter_image():
    trials = Trials(X, parse_kernel("sobel"))
    outcome = trials.run(next(iter(trials.all(["depthwise"]))))
    assert (outcome.trial.engine, outcome.trial.method) == ("filter", "auto")
    assert (trials.drawn(outcome) == filter_image(X, parse_kernel("sobel")).pixels).all()
    assert outcome.difference == 0


def test_counts_are_those_of_the_layers():
    found, _ = outcomes("sobel", ["depthwise", "separable", "standard", "depthwise-separable"])
    macs = {outcome.trial.variant: outcome.cost.macs for outcome in found}
    options = {"kernel_size": 3, "padding": "same", "bias": False}
    own = Conv(in_channels=3, out_channels=3, groups=3, **options)
    assert macs["depthwise"] == 2 * own.cost((3, 40, 48)).macs
    assert macs["separable"] == 2 * 40 * 48 * 3 * 6
    assert macs["standard"] == 2 * 40 * 48 * 27
    assert macs["depthwise-separable"] == 2 * 40 * 48 * (27 + 3)


def test_ranks_and_their_errors():
    matrix = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    sizes = np.linalg.svd(matrix, compute_uv=False)
    (one, two), _ = outcomes("sharpen", ["separable"])
    assert (one.trial.rank, two.trial.rank) == (1, 2)
    assert one.rank_error == pytest.approx(np.sqrt((sizes[1:] ** 2).sum() / (sizes**2).sum()))
    assert two.rank_error == pytest.approx(0, abs=1e-12)
    assert one.difference > 50
    assert two.difference < 1e-3
    (only,), _ = outcomes("gaussian", ["separable"])
    assert (only.trial.rank, only.rank_error) == (1, 0)
    random = "random:size=9"
    ranks = [outcome.trial.rank for outcome in outcomes(random, ["separable"])[0]]
    assert ranks == [1, 2, 3, 9]


def test_separable_of_a_rank_is_its_own_difference():
    trials = Trials(X, parse_kernel("sharpen"))
    one = trials.run(next(iter(trials.all(["separable"]))))
    left, sizes, right = np.linalg.svd(np.array(parse_kernel("sharpen").matrices[0], float))
    missing = np.array(parse_kernel("sharpen").matrices[0]) - sizes[0] * np.outer(left[:, 0], right[0])
    padded = np.pad(X.astype(float), ((1, 1), (1, 1), (0, 0)), mode="reflect")
    error = sum(missing[i, j] * padded[i : i + 40, j : j + 48] for i in range(3) for j in range(3))
    assert one.difference == pytest.approx(np.abs(error).max(), rel=1e-4)
    assert np.abs(error[one.place]) == pytest.approx(one.difference, rel=1e-4)
    assert one.psnr == pytest.approx(10 * np.log10(255**2 / (error**2).mean()), rel=1e-4)


def test_every_variant_runs_or_has_a_reason():
    pixels = np.random.default_rng(1).integers(0, 256, (70, 80, 3), np.uint8)
    found, remarks = outcomes("gaussian", list(VARIANTS), pixels)
    assert {outcome.trial.variant for outcome in found} == set(VARIANTS) - {"dense"}
    by_name = {outcome.trial.variant: outcome for outcome in found}
    assert by_name["transposed"].output_shape == by_name["resize-conv"].output_shape == (3, 140, 160)
    assert by_name["transposed"].values.mean() == pytest.approx(pixels.mean(), rel=0.02)
    assert by_name["pointwise"].output_shape == (1, 70, 80)
    assert by_name["transposed"].difference is None
    for name in ("tiled", "deformable"):
        assert by_name[name].shift > 1
    assert by_name["dilated"].shift == by_name["grouped"].shift == by_name["transposed"].shift == 0
    assert any(line.startswith("dense is left out: ") for line in remarks)
    _, remarks = outcomes("gaussian", ["grouped"], X[..., :1])
    assert remarks[0].startswith("grouped, conv auto is left out: no number of groups above 1 divides")


def test_trials_that_would_take_too_long_are_left_out(monkeypatch):
    monkeypatch.setattr(module, "MAX_SECONDS", 1e-3)
    found, remarks = outcomes("gaussian:sigma=4", ["depthwise"])
    assert ("conv", "direct") not in {(outcome.trial.engine, outcome.trial.method) for outcome in found}
    assert any("conv direct is left out: it would take about" in line for line in remarks)
    assert (
        "direct summation is left out: it would take too long; differences are from FFT in float64" in remarks
    )
    monkeypatch.setattr(module, "MAX_SECONDS", 99)
    monkeypatch.setattr(module, "MAX_BYTES", 1e4)
    _, remarks = outcomes("gaussian", ["deformable"])
    assert "GB; give a smaller picture or kernel" in remarks[0]


def test_small_pictures_have_no_equivariance():
    (outcome,), _ = outcomes("gaussian", ["standard"], X[:6, :5])
    assert (outcome.shift, outcome.rotation, outcome.scaling) == (None, None, None)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_activation_and_pool_run_after_every_variant(dtype):
    """Against a correlation, an activation and maxima in NumPy; white is 1 for the activation."""
    pixels = X if dtype == "uint8" else X.astype(dtype) / 255
    white = 255 if dtype == "uint8" else 1
    names = ["depthwise", "standard", "separable"]
    found, remarks = outcomes("sobel-x", names, pixels, activation="tanh", pool=parse_pool("max:2"))
    padded = np.pad(pixels.astype(float), ((1, 1), (1, 1), (0, 0)), mode="reflect")
    weights = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    sums = sum(weights[i, j] * padded[i : i + 40, j : j + 48] for i in range(3) for j in range(3))
    for outcome in found:
        own = sums.mean(axis=2, keepdims=True) if outcome.trial.variant == "standard" else sums
        bent = np.tanh(own / white) * white
        expected = bent.reshape(20, 2, 24, 2, -1).max(axis=(1, 3))
        np.testing.assert_allclose(np.moveaxis(outcome.values, 0, 2), expected, atol=1e-4 * white)
        assert outcome.difference <= 1e-4 * white
        assert (outcome.trial.engine, outcome.shift) == ("conv", 0)
        assert [type(layer).__name__ for layer in outcome.layers][-2:] == ["Activation", "MaxPool"]
    assert {outcome.trial.variant for outcome in found} == set(names)
    assert "depthwise, filter is left out: it runs a kernel without activation and pool" in remarks


def test_a_global_pool_does_not_move():
    (outcome,), _ = outcomes("box", ["standard"], pool=parse_pool("global-avg"))
    assert outcome.output_shape == (1, 1, 1)
    assert (outcome.shift, outcome.rotation, outcome.scaling) == (None, None, None)
