"""A larger window is advised where it explains more, and only there; a median is named."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import convcli
from convcli.kernels import parse_kernel
from convcli.learning import poor_fit
from tests.conftest import SAMPLES

LAKE = np.asarray(Image.open(SAMPLES / "landscape.png"))[100:200, 100:240]
GREY = LAKE[..., 1]


def filtered(kernel, pixels=GREY, **options):
    return convcli.filter_picture(pixels, kernel, **options)


def as_jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(
    ("after", "size", "larger", "advised"),
    [
        (filtered("gaussian:4"), 5, "7x7", "11x11"),
        (filtered("gaussian:0.7"), 3, "5x5", "7x7"),  # the residual is 1.3 times that of rounding
        (filtered("box:5"), 3, "5x5", "7x7"),
        (filtered("motion:9"), (1, 2), "3x4", "3x4"),
        (filtered("box:5").astype(np.float32) / 255, 3, "5x5", "7x7"),
        (filtered("gaussian:2", GREY.astype(np.float32)), 5, "7x7", "11x11"),
        (filtered("box", dilation=3), 3, None, None),  # without the dilation
    ],
    ids=["gaussian", "narrow gaussian", "box", "motion", "floats of integers", "floats", "dilation"],
)
def test_a_larger_size_is_advised_and_fits_better(after, size, larger, advised):
    before = GREY if after.dtype == np.uint8 else GREY.astype(np.float32)
    learned = convcli.learn_kernel(before, after, size)
    (line,) = learned.advice
    if larger is None:
        assert "the kernel is too small" in line
        assert convcli.learn_kernel(before, after, size, dilation=3).advice == ()
        return
    assert line.startswith(f"the kernel is too small: with {larger} the residual is ")
    assert line.endswith(f" smaller; try a larger `size`, such as {advised}")
    sides = tuple(map(int, larger.split("x")))
    better = convcli.learn_kernel(before, after, sides).residual / learned.residual
    said = int(line.partition("residual is ")[2].partition(" %")[0])
    assert said == pytest.approx(100 * (1 - better), abs=5)  # which has another border


def test_few_large_errors_in_a_flat_picture_are_enough():
    """The residual of the whole picture is below that of rounding, as most samples are the same."""
    before = np.full((240, 320), 200, np.uint8)
    before[60:120, 80:200], before[150:153], before[:, 250:252] = 40, 90, 10
    after = filtered("gaussian:1.5", before)
    learned = convcli.learn_kernel(before, after, 7)
    assert learned.residual < poor_fit.ROUNDING < 2 < learned.largest
    assert "the kernel is too small: with 9x9" in learned.advice[0]
    assert convcli.learn_kernel(before, after, 9).advice == ()


NONE = {
    "box": (filtered("box"), 3),
    "a larger window than needed": (filtered("box"), 7),
    "sobel": (filtered("sobel-x", scale=0.25), 3),
    "the right size": (filtered("gaussian:1.4"), 9),
    "JPEG": (as_jpeg(filtered("box"), 90), 3),
    "JPEG of low quality": (as_jpeg(filtered("gaussian:1.4,size=5"), 40), 5),
    "JPEG alone": (as_jpeg(GREY, 75), 3),
    "not a convolution": (filtered("sobel"), 3),
    "gamma": ((255 * (GREY / 255) ** 0.5).astype(np.uint8), 3),
    "other noise": (np.random.default_rng(0).integers(1, 255, GREY.shape, np.uint8), 3),
}


@pytest.mark.parametrize(("after", "size"), NONE.values(), ids=NONE)
def test_nothing_is_advised_where_a_larger_size_gains_nothing(after, size):
    assert [line for line in convcli.learn_kernel(GREY, after, size).advice if "too small" in line] == []


def test_a_picture_that_does_not_follow_from_the_first():
    """A shifted picture follows from the first by a kernel that reaches far enough."""
    other, shifted = NONE["other noise"][0], np.roll(NOISE, 3, axis=1)
    for after, stride in ((other, 1), (other[::2, ::2], 2)):
        assert convcli.learn_kernel(GREY, after, 3, stride=stride).advice == (
            "the second picture does not follow from the first by this kernel, which explains 0 % of its variance",
        )
    learned = convcli.learn_kernel(NOISE, shifted, 3)
    assert learned.explained < 0.01
    assert learned.advice[0].startswith("the second picture does not follow from the first by this kernel")
    assert convcli.learn_kernel(NOISE, shifted, 7).advice == ()
    faint = filtered("laplacian", GREY.astype(float) / 1000).round() + 7  # of which rounding is a large part
    assert convcli.learn_kernel(GREY, faint.astype(np.int16), 3).advice == ()


NOISE = np.random.default_rng(1).integers(0, 256, GREY.shape, np.uint8)


@pytest.mark.parametrize("pixels", [GREY, NOISE], ids=["photograph", "noise"])
def test_nothing_is_advised_for_named_kernels_at_their_size(pixels):
    for spec in ("box", "gaussian:0.7", "gaussian:1.5", "disk", "motion:5", "sharpen", "unsharp:1", "log:1"):
        shape = parse_kernel(spec).shape
        assert convcli.learn_kernel(pixels, filtered(spec, pixels), shape).advice == (), spec


@pytest.mark.parametrize(("name", "size"), [("median", 3), ("minimum", 5), ("maximum", 3)])
def test_a_rank_filter_is_named(name, size):
    after = getattr(ndimage, f"{name}_filter")(GREY, size)
    for learned in (size, 5):
        assert convcli.learn_kernel(GREY, after, learned).advice == (
            f"100 % of the samples are the {name} of their {size}x{size} windows, which is not a convolution: no kernel "
            "makes them",
        )


def test_the_worst_channel_is_looked_into():
    after = np.dstack(
        [filtered("box", LAKE[..., 0]), filtered("box:5", LAKE[..., 1]), filtered("box", LAKE[..., 2])]
    )
    (line,) = convcli.learn_kernel(LAKE, after, 3, per_channel=True).advice
    assert "the kernel is too small: with 5x5" in line
    assert convcli.learn_kernel(LAKE, after, 5, per_channel=True).advice == ()
    assert convcli.learn_kernel(LAKE, filtered("box", LAKE), 3, mix=True).advice == ()


def test_few_samples_other_sizes_and_strides_get_no_advice(monkeypatch):
    box = filtered("box:5")
    assert convcli.learn_kernel(GREY[:16, :16], box[:16, :16], 3).advice == ()
    assert convcli.learn_kernel(GREY, box[1:-1, 1:-1], 3).advice == ()
    assert convcli.learn_kernel(GREY, box[::2, ::2], 3, stride=2).advice == ()
    assert convcli.learn_kernel(GREY, box, 3, method="sgd", steps=1).advice == ()
    monkeypatch.setattr(poor_fit, "LEAST", 60 * 26**3)  # enough samples for bands of some rows
    assert len(convcli.learn_kernel(GREY, box, 3).advice) == 1
