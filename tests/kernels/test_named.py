"""The named kernels against their sources, SciPy's filters and the identities that define them."""

import math

import numpy as np
import pytest
from scipy import ndimage

from convcli.errors import ArgumentError
from convcli.kernels import KERNELS, parse_kernel
from convcli.kernels.kernel_grammar import has_form

X, Y = np.meshgrid(np.arange(7), np.arange(7))  # brightness that grows to the right, and downwards


def applied(name: str, picture: np.ndarray) -> float:
    """Return the response of a kernel with one matrix in the middle of a picture."""
    kernel = parse_kernel(name)
    weights = np.array(kernel.matrices[0], dtype=float) / kernel.divisor
    return ndimage.correlate(picture.astype(float), weights)[3, 3]


@pytest.mark.parametrize(("edge", "scale"), [("sobel", 8), ("prewitt", 6), ("scharr", 32)])
def test_derivatives_are_positive_where_brightness_grows(edge: str, scale: int) -> None:
    assert applied(f"{edge}-x", X) == applied(f"{edge}-y", Y) == scale
    assert applied(f"{edge}-x", Y) == applied(f"{edge}-y", X) == 0


@pytest.mark.parametrize(("edge", "axis", "scipy"), [
    ("sobel-x", 1, ndimage.sobel), ("sobel-y", 0, ndimage.sobel),
    ("prewitt-x", 1, ndimage.prewitt), ("prewitt-y", 0, ndimage.prewitt),
])  # fmt: skip
def test_derivatives_are_scipys(edge: str, axis: int, scipy: object) -> None:
    picture = np.random.default_rng(1).normal(size=(7, 7))
    assert applied(edge, picture) == pytest.approx(scipy(picture, axis)[3, 3])


def test_magnitudes_hold_both_directions() -> None:
    for edge in ("sobel", "prewitt", "scharr"):
        kernel = parse_kernel(edge)
        assert kernel.combine == "magnitude"
        assert kernel.matrices == parse_kernel(f"{edge}-x").matrices + parse_kernel(f"{edge}-y").matrices


SUMS = {  # the sum of a kernel's weights, if it is not 0
    **dict.fromkeys(["identity", "box", "gaussian", "binomial", "disk", "motion"], 1),
    **dict.fromkeys(["sharpen", "unsharp", "highboost", "emboss"], 1),
    "bilinear": 4,  # a stride of 2 gives each output a fourth of them
    "nearest": 4,
}


@pytest.mark.parametrize("name", [name for name in KERNELS if name not in ("gabor", "random")])
def test_what_a_constant_picture_becomes(name: str) -> None:
    kernel = parse_kernel(name)
    for matrix in kernel.matrices:
        assert np.sum(matrix) / kernel.divisor == pytest.approx(SUMS.get(name, 0), abs=1e-14)


WHOLE = [
    "identity", "box:5", "binomial:5", "disk:3.5", "motion:9", "motion:8,90", "motion:5,180", "sharpen:0.3",
    "highboost:1.25", "emboss", "laplacian", "sobel:7", "prewitt", "scharr", "roberts", "kirsch", "robinson", "edge:5",
    "outline", "bilinear:3", "bilinear:4", "nearest:3",
]  # fmt: skip


@pytest.mark.parametrize("text", WHOLE)
def test_weights_are_whole_where_they_can_be(text: str) -> None:
    kernel = parse_kernel(text)
    assert kernel.is_whole
    assert isinstance(kernel.divisor, int)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dims", [1, 3])
def test_forms_of_other_axes_hold_the_one_of_two(name: str, dims: int) -> None:
    """A separable kernel's middle line, and its middle slice, equal the lower-dimensional kernel up to a factor."""
    if not has_form(name, dims):
        with pytest.raises(ArgumentError, match=f"kernel {name!r} has no {dims}-D form"):
            parse_kernel(name, dims=dims)
        return
    kernel, plane = parse_kernel(name, dims=dims), parse_kernel(name)
    assert kernel.dims == dims
    assert len(set(kernel.shape)) == 1
    assert kernel.shape[0] == plane.shape[0]
    assert kernel.is_whole == plane.is_whole
    assert kernel.is_smoothing == plane.is_smoothing
    assert len(kernel.matrices) == (dims if plane.combine == "magnitude" else 1)
    for matrix in kernel.matrices:
        if name in SUMS:
            total = np.sum(matrix) / kernel.divisor
            assert total == pytest.approx(SUMS[name] if SUMS[name] == 1 else 2**dims)


def test_identity_sharpen_and_laplacian_add_up_in_any_axes() -> None:
    for dims in (1, 2, 3):
        laplacian = np.array(parse_kernel("laplacian", dims=dims).matrices[0])
        sharpen = np.array(parse_kernel("sharpen:amount=2", dims=dims).matrices[0])
        middle = np.zeros_like(laplacian)
        middle[(1,) * dims] = 1
        assert (sharpen == middle - 2 * laplacian).all()
        assert (laplacian != 0).sum() == 2 * dims + 1


def test_amounts_that_are_decimals_are_exact() -> None:
    kernel = parse_kernel("sharpen:0.3")
    assert kernel.matrices[0] == ((0, -3, 0), (-3, 22, -3), (0, -3, 0))
    assert kernel.divisor == 10


def test_highboost_and_unsharp_add_what_is_blurred_away() -> None:
    identity = np.pad([[1.0]], 1)
    box = np.full((3, 3), 1 / 9)
    kernel = parse_kernel("highboost:amount=1.5")
    assert np.array(kernel.matrices[0]) / kernel.divisor == pytest.approx(identity + 1.5 * (identity - box))
    gaussian = np.array(parse_kernel("gaussian:2,9").matrices[0])
    identity = np.pad([[1.0]], 4)
    sharp = parse_kernel("unsharp:sigma=2,amount=0.5,size=9").matrices[0]
    assert np.array(sharp) == pytest.approx(identity + 0.5 * (identity - gaussian))


def test_binomial_is_a_box_of_two_again_and_again() -> None:
    row = np.array([1])
    for size in range(1, 30):
        kernel = parse_kernel(f"binomial:{size}")
        assert (
            np.array(kernel.matrices[0]) == np.outer(row, row) * (1 if kernel.is_whole else 4.0 ** (1 - size))
        ).all()
        assert kernel.is_whole == (size <= 27)  # 2 * 26 doublings are 52 digits of a float
        row = np.convolve(row, [1, 1])
    assert np.sum(parse_kernel("binomial:255").matrices[0]) == pytest.approx(1)


@pytest.mark.parametrize("angle", range(-200, 400, 25))
def test_motion_lies_along_its_line(angle: int) -> None:
    kernel = parse_kernel(f"motion:length=15,angle={angle}")
    weights = np.array(kernel.matrices[0], dtype=float)
    assert weights[0].any()  # no wider than necessary
    assert weights[:, 0].any()
    assert weights == pytest.approx(weights[::-1, ::-1])
    y, x = np.mgrid[: weights.shape[0], : weights.shape[1]]
    y, x = (weights.shape[0] - 1) / 2 - y, x - (weights.shape[1] - 1) / 2
    # The main axis of the weights' moments is at the angle.
    moments = [(weights * part).sum() for part in (x * x - y * y, 2 * x * y)]
    measured = np.degrees(np.arctan2(moments[1], moments[0])) / 2 - angle
    assert (measured + 90) % 180 - 90 == pytest.approx(0, abs=1.5)
    # Its weight is about that of its pixels in a row.
    assert weights.sum() == pytest.approx(15, abs=2)


def test_motion_at_right_angles_is_a_box() -> None:
    assert parse_kernel("motion:5").matrices == (((1, 1, 1, 1, 1),),)
    assert parse_kernel("motion:length=4,angle=90").matrices == (((1,), (2,), (2,), (2,), (1,)),)
    assert parse_kernel("motion:length=4,angle=90").divisor == 8
    assert parse_kernel("motion:1,33").shape == (1, 1)


def test_disk_holds_what_is_within_its_radius() -> None:
    rows = ["".join(map(str, row)) for row in parse_kernel("disk:2.3").matrices[0]]
    assert rows == ["01110", "11111", "11111", "11111", "01110"]
    assert parse_kernel("disk:2").divisor == 13  # including those at exactly the radius
    assert parse_kernel("disk:2", dims=3).divisor == 33
    assert parse_kernel("disk:2", dims=1).matrices == ((1, 1, 1, 1, 1),)


def test_bilinear_has_the_smallest_whole_weights() -> None:
    assert parse_kernel("bilinear:3", dims=1).matrices == ((1, 2, 3, 2, 1),)
    assert parse_kernel("bilinear:2", dims=1).matrices == ((1, 3, 3, 1),)


def test_compass_masks_turn_by_45_degrees() -> None:
    for name in ("kirsch", "robinson"):
        masks = np.array(parse_kernel(name).matrices)
        assert len({mask.tobytes() for mask in masks}) == 8
        for rotation in range(8):
            assert (np.rot90(masks[rotation]) == masks[(rotation + 2) % 8]).all()
            assert masks[rotation].sum() == 0
    assert parse_kernel("robinson").matrices[6] == parse_kernel("sobel-x").matrices[0]
    assert parse_kernel("robinson").matrices[4] == parse_kernel("sobel-y").matrices[0]
    assert parse_kernel("kirsch").matrices[7] == ((-3, 5, 5), (-3, 0, 5), (-3, -3, -3))


def test_frei_and_chens_masks_are_orthonormal() -> None:
    masks = np.array(parse_kernel("freichen").matrices).reshape(2, 9) / parse_kernel("freichen").divisor
    assert masks @ masks.T == pytest.approx(np.eye(2))


def test_roberts_is_positive_where_brightness_grows() -> None:
    assert applied("roberts-se", X) == applied("roberts-se", Y) == 1
    assert applied("roberts-ne", X) == 1
    assert applied("roberts-ne", Y) == -1


def test_gabor_answers_to_its_own_wave_most() -> None:
    y, x = np.mgrid[-12:13, -12:13]
    answers = {}
    for angle in range(0, 180, 30):
        kernel = np.array(parse_kernel(f"gabor:wavelength=6,angle={angle},size=25").matrices[0])
        across = x * np.cos(np.radians(60)) - y * np.sin(np.radians(60))
        answers[angle] = (kernel * np.cos(2 * np.pi * across / 6)).sum()
    assert max(answers, key=answers.get) == 60
    assert answers[60] == pytest.approx(0.5, abs=0.01)  # half of the response is to the inverted wave


def test_dog_and_log_find_spots() -> None:
    spot = np.zeros((21, 21))
    spot[10, 10] = 1
    assert np.array(parse_kernel("dog").matrices[0])[5, 5] > 0
    assert np.array(parse_kernel("log:2").matrices[0])[8, 8] < 0
    # Where a DoG changes sign, both Gaussians are equal.
    narrow, wide = (np.array(parse_kernel(f"gaussian:{sigma},21").matrices[0]) for sigma in (2, 3.2))
    assert np.array(parse_kernel("dog:2,1.6,21").matrices[0]) == pytest.approx(narrow - wide)


def test_random_is_drawn_within_its_bound_and_the_same_again() -> None:
    kernel = parse_kernel("random:size=16")
    weights = np.array(kernel.matrices[0])
    assert kernel == parse_kernel("random:16,0")
    assert kernel != parse_kernel("random:16,1")
    assert np.abs(weights).max() <= 1 / 16
    assert weights.var() == pytest.approx((2 / 16) ** 2 / 12, rel=0.15)


def test_laplacian_is_scipys_and_positive_in_dark_spots() -> None:
    picture = np.random.default_rng(2).normal(size=(7, 7))
    assert applied("laplacian", picture) == pytest.approx(ndimage.laplace(picture)[3, 3])
    dark = np.ones((7, 7))
    dark[3, 3] = 0
    assert applied("laplacian", dark) > 0 > applied("outline", dark)
    assert applied("sharpen", dark) == applied("identity", dark) - applied("laplacian", dark)


@pytest.mark.parametrize(
    ("sigma", "side"),
    [(0.5, 5), (0.8, 7), (1, 7), (1.1, 9), (1.5, 11), (2, 13), (2.5, 17), (3.1, 21), (3.3, 21)],
)
def test_gaussian_has_opencvs_size_for_8_bits(sigma: float, side: int) -> None:
    assert parse_kernel(f"gaussian:sigma={sigma}").shape == (side, side)


@pytest.mark.parametrize(
    "text", ["gaussian", "gaussian:sigma=2.5", "gaussian:1.5,4", "gaussian:0.05", "gaussian:0.05,4"]
)
def test_gaussian_is_the_normal_density(text: str) -> None:
    (matrix,) = parse_kernel(text).matrices
    weights = np.array(matrix)
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    assert (weights == weights.T).all()
    assert weights == pytest.approx(weights[::-1, ::-1])


def test_gaussian_weights() -> None:
    row = np.array(parse_kernel("gaussian:sigma=2").matrices[0])[6]
    for offset in range(-6, 7):
        assert row[6 + offset] / row[6] == pytest.approx(math.exp(-(offset**2) / 8))


def test_smoothing_kernels_are_those_without_negative_weights() -> None:
    smoothing = [name for name in KERNELS if parse_kernel(name).is_smoothing]
    assert smoothing == [name for name in KERNELS if np.min(parse_kernel(name).matrices) >= 0]
    assert {"box", "gaussian", "nearest"} < set(smoothing)
    assert not parse_kernel("0 0; 0 0").is_smoothing


def test_every_name_has_a_meaning_and_a_source() -> None:
    for name, build in KERNELS.items():
        assert (build.__doc__ or "").splitlines()[0].endswith("."), name
        assert build().source, name
        assert build().name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("disk:-1", "disk: radius must be at least 0 and finite, got -1.0"),
        ("disk:nan", "disk: radius must be at least 0 and finite, got nan"),
        ("disk:1e300", "a kernel of size 2000000001 is over the limit of 255"),
        ("motion:0.5", "motion: length must be at least 1 and finite, got 0.5"),
        ("motion:inf", "motion: length must be at least 1 and finite, got inf"),
        ("motion:angle=nan", "motion: angle must be finite, got nan"),
        ("motion:1e30", "is over the limit of 255; raise it with `max_kernel"),
        ("sharpen:0", "sharpen: amount must be above 0 and below 1e+06, got 0.0"),
        ("unsharp:amount=-1", "unsharp: amount must be above 0 and below 1e+06, got -1.0"),
        ("unsharp:size=4", "unsharp: size must be odd, so that there is a middle tap, got 4; use 5"),
        ("unsharp:sigma=0", "unsharp: sigma must be at least 0.05 and finite, got 0.0"),
        ("highboost:nan", "highboost: amount must be above 0 and below 1e+06, got nan"),
        ("highboost:size=2", "highboost: size must be odd, so that there is a middle tap, got 2; use 3"),
        ("edge:6", "edge: size must be odd, so that there is a middle tap, got 6; use 7"),
        ("log:0", "log: sigma must be at least 0.05 and finite, got 0.0"),
        ("dog:inf", "dog: sigma must be at least 0.05 and finite, got inf"),
        ("dog:ratio=1", "dog: ratio must be above 1 and finite, got 1.0"),
        ("gabor:0", "gabor: wavelength must be above 1e-06 and finite, got 0.0"),
        ("gabor:aspect=-2", "gabor: aspect must be above 1e-06 and finite, got -2.0"),
        ("gabor:angle=inf", "gabor: angle must be finite, got inf"),
        ("gabor:phase=nan", "gabor: phase must be finite, got nan"),
        ("gabor:sigma=0", "gabor: sigma must be at least 0.05 and finite, got 0.0"),
        ("gabor:wavelength=1e9", "a kernel of size 1000000001 is over the limit of 255"),
        ("sobel:4", "sobel: size must be odd, from 3 to 31, got 4; use 3, 5 or 7"),
        ("sobel:33", "sobel: size must be odd, from 3 to 31, got 33; use 3, 5 or 7"),
        ("sobel-x:1", "sobel: size must be odd, from 3 to 31, got 1; use 3, 5 or 7"),
        ("bilinear:0", "bilinear: factor must be at least 1, got 0"),
        ("nearest:-1", "nearest: factor must be at least 1, got -1"),
        ("bilinear:128", "a kernel of size 256 is over the limit of 255"),
        ("binomial:0", "a kernel of size 0 is empty; the size must be at least 1"),
        ("random:256", "a kernel of size 256 is over the limit of 255"),
    ],
)
def test_arguments_are_checked(text: str, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_kernel(text)
    assert message in str(error.value)
