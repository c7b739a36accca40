"""NaN as missing data: normalised convolution compared with plain loops, and outputs without any values."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.filters.filter_picture import filter_picture
from convcli.images.read import read_picture
from convcli.layers.padding import MODES
from tests.conftest import Call
from tests.examples import examples

RNG = np.random.default_rng(29)
PADS: dict[str, dict] = {
    "zeros": {"mode": "constant"},
    "constant": {"mode": "constant"},
    "reflect": {"mode": "reflect"},
    "symmetric": {"mode": "symmetric"},
    "replicate": {"mode": "edge"},
    "circular": {"mode": "wrap"},
}
SKIP = {"nan": "skip", "value_range": None}


def holed(*shape: int, share: float = 0.3) -> np.ndarray:
    x = RNG.normal(10, 3, shape)
    x[RNG.random(shape) < share] = np.nan
    return x


def windows(x: np.ndarray, kernel: np.ndarray, mode: str, stride: int, value: float) -> list:
    """Return the window and the centre value at each position, with padding `same`."""
    reach = [side // 2 for side in kernel.shape]
    options = {"constant_values": value} if mode == "constant" else {}
    padded = np.pad(x, [(r, r) for r in reach], **{**PADS[mode], **options})
    rows, columns = x.shape
    return [
        [
            (padded[y : y + kernel.shape[0], c : c + kernel.shape[1]], x[y, c])
            for c in range(0, columns, stride)
        ]
        for y in range(0, rows, stride)
    ]


def mean_of_known(seen: np.ndarray, kernel: np.ndarray) -> float:
    """sum(w * v * x) / sum(w * v) * sum(w)"""
    over = under = 0.0
    for weight, value in zip(kernel.flat, seen.flat, strict=True):
        if not np.isnan(value):
            over += weight * value
            under += weight
    return over / under * kernel.sum() if under else np.nan


@settings(max_examples=examples(30))
@given(
    st.sampled_from(list(MODES)), st.sampled_from([1, 3, 5]), st.sampled_from([1, 3]), st.integers(1, 3),
    st.sampled_from([np.float32, np.float64]), st.integers(6, 12), st.integers(6, 12),
)  # fmt: skip
def test_a_mean_is_that_of_the_present_values(mode, height, width, stride, dtype, rows, columns):
    x = holed(rows, columns).astype(dtype)
    kernel = RNG.integers(0, 4, (height, width)).astype(float)
    kernel[height // 2, 0] = 1
    value = 4.0 if mode == "constant" else None
    padding = 0.0 if mode == "zeros" else 4.0
    pads = (height // 2, width // 2)
    made = filter_picture(
        x, kernel, padding=pads, padding_mode=mode, padding_value=value, stride=stride, **SKIP
    )
    wanted = [
        [mean_of_known(seen, kernel) for seen, _ in row] for row in windows(x, kernel, mode, stride, padding)
    ]
    assert made.dtype == dtype
    np.testing.assert_allclose(made, wanted, rtol=1e-5 if dtype == np.float32 else 1e-11)


@settings(max_examples=examples(20))
@given(
    st.sampled_from(list(MODES)),
    st.sampled_from(["0 1 0; 1 -4 1; 0 1 0", "sharpen", "sobel"]),
    st.integers(1, 2),
)
def test_missing_neighbours_have_the_value_of_the_pixel_for_signed_weights(mode, kernel, stride):
    x = holed(9, 8)
    cross = {"sharpen": "0 -1 0; -1 5 -1; 0 -1 0"}.get(kernel, kernel)
    texts = ["1 0 -1; 2 0 -2; 1 0 -1", "1 2 1; 0 0 0; -1 -2 -1"] if kernel == "sobel" else [cross]
    made = filter_picture(x, kernel, padding=1, padding_mode=mode, stride=stride, **SKIP)
    matrices = [np.array([[float(w) for w in row.split()] for row in text.split(";")]) for text in texts]
    sums = [
        [
            [
                np.nansum(matrix * np.where(np.isnan(seen), own, seen)) if not np.isnan(own) else np.nan
                for seen, own in row
            ]
            for row in windows(x, matrix, mode, stride, 0.0)
        ]
        for matrix in matrices
    ]
    wanted = np.hypot(*sums) if kernel == "sobel" else sums[0]
    np.testing.assert_allclose(made, wanted, atol=1e-10)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel": "gaussian:sigma=2", "padding_mode": "zeros"},
        {"kernel": "disk:7", "method": "fft"},
        {"kernel": ["box", "emboss"], "stride": 2},
        {"kernel": "sobel", "activation": "relu", "pool": "avg:3,stride=2,padding=1"},
        {"kernel": "box", "variant": "standard"},
        {"kernel": "gaussian:1", "variant": "separable"},
        {"pool": "max:2", "pool_channels": "avg", "resize": "70%"},
        {"local": "tilt-shift"},
        {"kernel": "bilinear:2", "variant": "transposed"},
    ],
)
def test_without_missing_values_the_result_is_the_same(options):
    x = RNG.normal(10, 3, (24, 30, 3))
    wanted = filter_picture(x, value_range=None, **options)
    np.testing.assert_allclose(filter_picture(x, **options, **SKIP), wanted, rtol=1e-12, atol=1e-12)
    x[5, 7] = np.nan
    made = filter_picture(x, **options, **SKIP)
    assert np.isnan(made).sum() < np.isnan(filter_picture(x, value_range=None, **options)).sum()


def test_each_channel_has_its_own_missing_values_unless_they_are_mixed():
    x = RNG.normal(10, 3, (9, 11, 3))
    x[4, 5, 1] = np.nan
    made = filter_picture(x, "box", **SKIP)
    for channel in range(3):
        np.testing.assert_allclose(made[..., channel], filter_picture(x[..., channel], "box", **SKIP))
    mixed = filter_picture(x, "box", variant="standard", padding_mode="replicate", **SKIP)
    assert np.isnan(mixed).sum() == 1 and np.isnan(mixed[4, 5])
    near = x[3:6, 4:7].copy()
    near[1, 1] = x[4, 4]  # the value that the output to its left uses instead
    seen = x[3:6, 3:6].copy()
    seen[1, 2] = x[4, 4]
    assert mixed[4, 4] == pytest.approx(seen.sum() / 9)


def test_pools_of_the_present_values():
    x = holed(8, 10, share=0.6)
    blocks = x.reshape(4, 2, 5, 2).swapaxes(1, 2).reshape(4, 5, 4)
    empty = np.isnan(blocks).all(axis=-1)
    filled = np.where(empty[..., np.newaxis], 0, blocks)
    for pool, function in (
        ("max:2", np.nanmax),
        ("avg:2", np.nanmean),
        ("lp:2,stride=2", lambda b, axis: np.sqrt(np.nansum(b**2, axis))),
    ):
        wanted = np.where(empty, np.nan, function(filled, axis=-1))
        np.testing.assert_allclose(filter_picture(x, pool=pool, **SKIP), wanted)
    colours = holed(6, 7, 3, share=0.5)
    empty = np.isnan(colours).all(axis=-1)
    filled = np.where(empty[..., np.newaxis], 0, colours)
    for kind, function in (("max", np.nanmax), ("avg", np.nanmean)):
        made = filter_picture(colours, pool_channels=kind, **SKIP)
        np.testing.assert_allclose(made, np.where(empty, np.nan, function(filled, axis=-1)))


def test_resizing_of_the_present_values():
    x = holed(12, 12, share=0.4)
    known = ~np.isnan(x)
    for method, least in (("box", 0.0), ("bilinear", 0.0), ("lanczos", 0.5), ("cubic", 0.5)):
        options = {"resize": (5, 7), "resampling": method, "value_range": None}
        weight = filter_picture(known.astype(float), **options)
        sums = filter_picture(np.where(known, x, 0), **options)
        wanted = np.where(weight > least + 1e-12, sums / np.where(weight > least, weight, 1), np.nan)
        np.testing.assert_allclose(filter_picture(x, nan="skip", **options), wanted, rtol=1e-9)


def test_missing_pixels_are_transparent_with_alpha_and_integers_are_never_missing():
    x = RNG.random((7, 8, 4))
    x[..., 3] = 1
    x[3, 4, 0] = np.nan
    made = filter_picture(x, "box", padding_mode="replicate", **SKIP)
    assert np.isfinite(made).all()
    assert made[3, 4, 3] == pytest.approx(8 / 9) and made[3, 7, 3] == 1
    seen = np.delete(x[2:5, 3:6].reshape(9, 4), 4, axis=0)
    np.testing.assert_allclose(made[3, 4, :3], seen[:, :3].mean(axis=0))
    whole = RNG.integers(0, 256, (9, 9), np.uint8)
    np.testing.assert_array_equal(filter_picture(whole, "box", nan="skip"), filter_picture(whole, "box"))
    with pytest.raises(ArgumentError, match="`nan='skip'` has no use with `feedback`"):
        filter_picture(x, "box", variant="standard", feedback=True, repeat=2, nan="skip")
    with pytest.raises(ArgumentError, match="`nan`: there is no nan 'ignore'; use propagate, skip"):
        filter_picture(x, "box", nan="ignore")


def test_files_of_floats_on_the_command_line(call: Call, tmp_path: Path):
    x = holed(10, 12).astype(np.float32)
    wanted = filter_picture(x, ["gaussian:1", "sobel-x"], nan="skip")
    np.save(tmp_path / "a.npy", x)
    for name in ("a.pfm", "a.tiff", "out.npy"):
        source = tmp_path / ("a.npy" if name == "a.pfm" else "a.pfm")
        words = (
            ["--resize", "100%"]
            if name == "a.pfm"
            else ["-k", "gaussian:1", "-k", "sobel-x", "--nan", "skip"]
        )
        result = call("filter", source, *words, "-o", tmp_path / name, "-v")
        assert result.code == 0, result.err
        if name != "a.pfm":
            assert "stages in float64, NaN skipped" in result.err
            np.testing.assert_allclose(read_picture(tmp_path / name).frames[0].pixels, wanted, rtol=1e-6)
