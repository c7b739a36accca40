"""Activations and pools after a convolution, separable approximations, fields, and the notes about them."""

import numpy as np
import pytest

from convcli.backend.algorithms.separable import rank_of
from convcli.backend.values import Measured
from convcli.errors import ArgumentError
from convcli.filters.recipe import Recipe
from convcli.filters.stages.activation_and_pools import Activated, ChannelPooled
from convcli.filters.stages.blend import LOCALS
from convcli.filters.stages.factored import factored
from convcli.filters.stages.mixing import MIXINGS
from convcli.filters.stages.offsets import FIELDS
from convcli.filters.tiles.estimate import estimate
from convcli.filters.tiles.given_picture import Given
from convcli.filters.tiles.tile_loop import TileWork, run
from convcli.filters.tiles.values_to_pixels import Finish
from convcli.kernels import parse_kernel
from convcli.layers import Activation, MaxPool

X = np.random.default_rng(0).integers(0, 256, (4, 6, 5)).astype(np.float64)


def ran(recipe, x):
    for stage in recipe.stages(x.shape):
        x = stage(x)
    return x


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("tanh", np.tanh),
        ("softplus", lambda x: np.log1p(np.exp(x))),
        ("abs", np.abs),
        ("leaky-relu", lambda x: np.where(x > 0, x, 0.01 * x)),
    ],
)
def test_activations_are_scaled_so_that_white_is_one(name, function):
    x = X - 100
    (stage,) = Recipe(activation=name, full_scale=255).stages(x.shape)
    assert np.allclose(stage(x), 255 * function(x / 255))
    assert stage.layers == (Activation(name=name),)


def test_softmax_runs_over_the_channels():
    found = Activated(Activation(name="softmax"), 255)(X)
    assert np.allclose(found.sum(axis=0), 255)


@pytest.mark.parametrize(
    ("kind", "reduce"), [("max", np.max), ("avg", np.mean), ("lp", lambda x, axis: np.sqrt((x**2).sum(axis)))]
)
def test_channels_are_pooled_in_groups_of_neighbours(kind, reduce):
    assert np.allclose(ChannelPooled(kind)(X), reduce(X, axis=0)[np.newaxis])
    pairs = ChannelPooled(kind, 2)
    assert np.allclose(pairs(X), reduce(X.reshape(2, 2, 6, 5), axis=1))
    assert pairs.output_shape(X.shape) == (2, 6, 5)
    cost = pairs.cost(X.shape)
    assert {"max": cost.comparisons, "avg": cost.additions, "lp": cost.transcendentals}[kind] > 0
    with pytest.raises(
        ArgumentError, match="cannot pool 4 channels by 3; take a number that divides 4, or none"
    ):
        ChannelPooled(kind, 3).output_shape(X.shape)


def test_repeat_runs_the_whole_layer_again():
    recipe = Recipe(
        kernels=(parse_kernel("sobel-x"),),
        activation="abs",
        pool=lambda dims: MaxPool(kernel_size=2, dims=dims),
    )
    once = ran(recipe, X)
    twice = ran(recipe, once)
    again = Recipe(**{**vars(recipe), "repeat": 2})
    assert len(again.stages(X.shape)) == 6
    assert np.array_equal(ran(again, X), twice)


# Separable approximations


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_an_approximation_is_optimal_for_its_rank(rank):
    matrix = np.random.default_rng(rank).standard_normal((4, 6))
    found = factored(matrix, rank, "k")
    made = sum(np.outer(down, across) for down, across in found.terms)
    sizes = np.sqrt(np.sort(np.linalg.eigvalsh(matrix @ matrix.T))[::-1].clip(0))
    assert found.rank == rank_of(matrix) == 4
    assert len(found.terms) == rank
    assert np.linalg.norm(matrix - made) / np.linalg.norm(matrix) == pytest.approx(found.relative, abs=1e-9)
    assert found.relative == pytest.approx(np.sqrt((sizes[rank:] ** 2).sum() / (sizes**2).sum()), abs=1e-6)
    error = matrix - made
    assert found.worst == pytest.approx(
        max(error[error > 0].sum(), -error[error < 0].sum()) if rank < 4 else 0, abs=1e-9
    )


def test_integer_kernels_of_rank_one_have_integer_factors():
    found = factored(np.outer([1, 4, 6], [2, 0, -2]), None, "k")
    assert (found.rank, found.relative) == (1, 0)
    ((down, across),) = found.terms
    assert down.dtype.kind == across.dtype.kind == "i"
    assert np.array_equal(np.outer(down, across), np.outer([1, 4, 6], [2, 0, -2]))


def test_an_approximation_notes_its_error():
    kernel = parse_kernel("disk:radius=4")
    (stage,) = Recipe("separable", (kernel,), rank=1, full_scale=255).stages((3, 20, 20))
    (note,) = stage.notes
    matrix = np.array(kernel.matrices[0], float)
    sizes = np.linalg.svd(matrix, compute_uv=False)
    relative = np.sqrt((sizes[1:] ** 2).sum() / (sizes**2).sum())
    assert note.startswith(
        f"rank 1 of {rank_of(matrix)}: a relative error of {relative:.2g} (Frobenius), at most "
    )
    assert not Recipe("separable", (kernel,), rank=rank_of(matrix)).stages((3, 20, 20))[0].notes


# Checkerboards


@pytest.mark.parametrize(
    ("kernel", "stride", "note"),
    [
        ("1 1 1; 1 1 1; 1 1 1", 2, "uniform areas get 1 to 4 of their brightness; take a kernel of 4, a multiple of the stride 2, or resize"),
        ("1 2; 3 4", 2, "uniform areas get 1 to 4 of their brightness; take `kernel='bilinear:factor=2'`, or `variant='resize-conv'`"),
        ("box:2", 2, "uniform areas get 0.25 of their brightness, as each pixel is spread over 2x2; `scale=4` keeps it"),
        ("bilinear", 2, None),
        ("bilinear:factor=3", 3, None),
        ("nearest", 2, None),
    ],
)  # fmt: skip
def test_a_transposed_layer_warns_of_checkerboard_patterns(kernel, stride, note):
    (stage,) = Recipe("transposed", (parse_kernel(kernel),), stride=stride).stages((1, 6, 6))
    plain = stage(np.full((1, 6, 6), 10.0))
    if note is None:
        assert not stage.notes
        assert np.allclose(plain, 10)
    else:
        assert note in stage.notes[0]
        low, high = (note.split()[3], note.split()[5]) if "to" in note.split()[:6] else (note.split()[3],) * 2
        assert (plain.min(), plain.max()) == pytest.approx((10 * float(low), 10 * float(high)))


# Fields


def places(size):
    return np.stack(np.meshgrid(*(np.arange(n, dtype=float) for n in size), indexing="ij"))


def test_swirl_equals_scikit_image():
    """By the formula in skimage.transform.swirl's documentation: theta' = theta + strength * exp(-rho / radius')."""
    size = (9, 12)
    found = places(size) + FIELDS["swirl"](strength=2, radius=5)(size, places(size))
    for y, x in np.ndindex(*size):
        dy, dx = y - 4, x - 5.5
        rho, theta = np.hypot(dx, dy), np.arctan2(dy, dx)
        theta += 2 * np.exp(-rho / (5 / 5 * np.log(2)))
        assert np.allclose(found[:, y, x], (4 + rho * np.sin(theta), 5.5 + rho * np.cos(theta)))


def test_a_lens_moves_the_corners_by_its_strength():
    size = (5, 9)
    moves = FIELDS["lens"](strength=0.5)(size, places(size))
    assert np.allclose(moves[:, 0, 0], (-2 * 0.5, -4 * 0.5))
    assert np.allclose(moves[:, 2, 4], 0)
    assert np.allclose(moves[:, 2, 8], (0, 4 * 0.5 * 16 / 20))


@pytest.mark.parametrize("smooth", [0, 3])
def test_random_offsets_have_the_requested_deviation(smooth):
    field = FIELDS["random"](sigma=2.5, seed=4, smooth=smooth)
    moves = field((40, 50), places((40, 50)))
    assert moves.std() == pytest.approx(2.5, rel=1e-4)
    assert np.allclose(moves.mean(axis=(1, 2)), 0, atol=1e-4)
    assert np.array_equal(moves, field((40, 50), places((40, 50))))
    assert not np.array_equal(
        moves, FIELDS["random"](sigma=2.5, seed=5, smooth=smooth)((40, 50), places((40, 50)))
    )
    steps = np.abs(np.diff(moves, axis=2)).mean()
    assert steps < 1 if smooth else steps > 2


def test_a_field_of_zero_strength_changes_nothing():
    for field in (FIELDS["swirl"](strength=0), FIELDS["lens"](strength=0), FIELDS["random"](sigma=0)):
        (stage,) = Recipe("deformable", (parse_kernel("identity"),), offsets=field).stages(X.shape)
        assert np.allclose(stage(X), X, atol=1e-3)


def test_blur_increases_outside_the_band_and_the_radius():
    sigma, widths = LOCALS["tilt-shift"](sigma=4, centre=0.5, width=0.4, fade=0.3)
    rows = widths((10, 3), places((10, 3)))[:, 0]
    assert sigma == 4
    assert np.allclose(rows, rows[::-1])
    assert np.allclose(rows[3:7], 0)
    assert rows[0] == pytest.approx(4 * (0.25 / 0.3) ** 2 * (3 - 0.5 / 0.3))
    _, widths = LOCALS["vignette-blur"](sigma=4, radius=0.5, fade=0.5)
    found = widths((11, 11), places((11, 11)))
    assert found[5, 5] == 0
    assert np.allclose(found[[0, 0, -1, -1], [0, -1, 0, -1]], 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FIELDS["swirl"](radius=-1), "offsets swirl: radius must be at least 0, got -1"),
        (lambda: FIELDS["random"](sigma=-1), "offsets random: sigma must be at least 0, got -1"),
        (lambda: LOCALS["tilt-shift"](sigma=0.1), "local tilt-shift: sigma must be above 0.4, got 0.1"),
        (lambda: LOCALS["vignette-blur"](fade=-1), "local vignette-blur: fade must be at least 0, got -1"),
    ],
)
def test_arguments_of_fields_are_checked(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


# Results


def test_luma_equals_pillows_and_sepia_equals_css_filters():
    assert np.allclose(np.array(MIXINGS["luma"]) * 65536, [[19595, 38470, 7471]], atol=0.6)  # Pillow's L24
    grey = np.full(3, 100.0)
    assert np.allclose(np.array(MIXINGS["swap-rb"]) @ [1, 2, 3], [3, 2, 1])
    assert np.array_equal(np.argsort(np.array(MIXINGS["sepia"]) @ grey), [2, 1, 0])  # most red, least blue


def test_values_are_converted_to_the_depth():
    pixels = np.array([[[10, 200, 30, 0], [255, 0, 5, 128]]], np.uint8)
    same = run(TileWork(Given(pixels, True), (), Finish(pixels.dtype, pixels.dtype)))
    assert np.array_equal(same.pixels, pixels)
    assert same.clipped == 0
    raw = run(TileWork(Given(pixels, True), (), Finish(pixels.dtype, np.dtype("float32"), None))).pixels
    assert raw.dtype == np.float32
    assert np.array_equal(raw, pixels)
    floats = Given(np.array([[[0.5], [2.0]]], np.float32))
    made = run(TileWork(floats, (), Finish(np.dtype("float32"), np.dtype("uint8"))))
    assert made.pixels.ravel().tolist() == [128, 255]
    assert made.clipped == 0.5
    deep = Given(np.array([[[0], [257], [65535]]], np.uint16))
    made = run(TileWork(deep, (), Finish(np.dtype("uint16"), np.dtype("uint8"))))
    assert made.pixels.ravel().tolist() == [0, 1, 255]


def test_statistics_add_up():
    values = np.array([1.0, 2.0, 6.0])
    whole = Measured.of(values)
    assert whole.record() == {"min": 1, "max": 6, "mean": 3}
    assert Measured.of(values[:1]) + Measured.of(values[1:]) == whole
    missing = Measured.of(np.array([np.nan, 1]))
    for mixed in (missing, missing + whole, whole + missing):
        assert mixed.record() == {"min": None, "max": None, "mean": None}


def test_estimates_increase_with_the_work():
    small, large = (Recipe("standard", (parse_kernel("box:9"),)).stages((3, n, n)) for n in (100, 200))
    first, second = (
        estimate(small, (3, 100, 100), np.dtype("uint8")),
        estimate(large, (3, 200, 200), np.dtype("uint8")),
    )
    assert first.memory <= second.memory  # memory of tiles, which does not depend on the size of the picture
    assert second.seconds > first.seconds > 0
