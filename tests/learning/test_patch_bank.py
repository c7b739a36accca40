"""Banks of kernels: properties of whitening and clusters, pictures with known patches, seeds, and errors."""

import numpy as np
import pytest

import convcli
from convcli import backend, learn_bank
from convcli.errors import ArgumentError
from convcli.learning import patch_bank
from convcli.learning.patch_bank import PatchSampler, random_bank

RNG = np.random.default_rng(7)
NOISE = RNG.integers(0, 256, (90, 100, 3), dtype=np.uint8)


def stripes(angle: float, size: int = 96) -> np.ndarray:
    """Return a sine wave across an angle in degrees."""
    y, x = np.indices((size, size))
    rotated = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    return 0.5 + 0.5 * np.sin(2 * np.pi * rotated / 6)


def test_the_kernels_of_stripes_are_stripes():
    """For pictures of three waves, every kernel responds to one of them only, and each wave has kernels."""
    waves = [stripes(angle) for angle in (0, 60, 120)]
    bank = learn_bank(waves, count=12, size=7)
    answers = np.array(
        [[np.abs(backend.conv(wave[None], kernel[None])).max() for wave in waves] for kernel in bank.weights]
    )
    assert (np.sort(answers, axis=1)[:, 1] < 0.35 * answers.max(axis=1)).all()
    assert set(answers.argmax(axis=1)) == {0, 1, 2}
    assert bank.explained > 0.8


def test_kernels_and_their_sums():
    bank = learn_bank(NOISE, count=10, size=(3, 5))
    assert bank.weights.shape == bank.centroids.shape == (10, 3, 3, 5)
    assert np.abs(bank.weights.sum(axis=(1, 2, 3))).max() < 1e-12
    assert np.maximum(bank.weights, 0).sum(axis=(1, 2, 3)) == pytest.approx(np.ones(10))
    assert list(bank.shares) == sorted(bank.shares, reverse=True)
    assert bank.shares.sum() == pytest.approx(1)
    assert 0 < bank.explained < 1
    assert bank.patches == 10_000


def test_whitened_patches_are_uncorrelated():
    """Without the regularising constant the covariance is the identity, except along the mean, which is 0."""
    base = RNG.standard_normal((4000, 9)) @ RNG.standard_normal((9, 9))
    patches = base - base.mean(axis=1, keepdims=True)
    values, _ = np.linalg.eigh(np.cov(patches.T))
    whitening = patch_bank._whitening(patches)
    white = np.linalg.eigvalsh(np.cov((patches @ whitening).T))
    assert white == pytest.approx(values / (values + 0.1), rel=1e-2, abs=1e-3)
    assert np.abs(whitening - whitening.T).max() < 1e-12


def test_a_patch_is_normalised():
    """Coates, Lee & Ng: the mean is subtracted, and divided by sqrt(variance + 10) of samples up to 255."""
    patches = RNG.random((20, 12))
    expected = []
    for patch in patches * 255:
        mean = sum(patch) / 12
        variance = sum((value - mean) ** 2 for value in patch) / 12
        expected.append([(value - mean) / (variance + 10) ** 0.5 for value in patch])
    assert patch_bank._normalised(patches) == pytest.approx(np.array(expected))


def test_centroids_are_the_means_of_their_patches():
    sampler = PatchSampler.of(6, 3, 0)
    patches = sampler.draw(NOISE[..., 0], None, NOISE[..., 0].size, "noise")
    bank = sampler.bank([patches])
    normalised = patch_bank._normalised(patches)
    white = normalised - normalised.mean(axis=0)
    white = white @ patch_bank._whitening(white)
    centroids = bank.centroids.reshape(6, 9)
    nearest = ((white[:, None] - centroids) ** 2).sum(axis=2).argmin(axis=1)
    assert np.bincount(nearest, minlength=6) / len(patches) == pytest.approx(bank.shares, abs=0.02)
    for number, centroid in enumerate(centroids):
        assert white[nearest == number].mean(axis=0) == pytest.approx(centroid, abs=0.1)


def test_a_kernel_responds_as_its_centroid_does_to_whitened_patches():
    sampler = PatchSampler.of(6, 3, 0)
    smooth = np.cumsum(np.cumsum(RNG.standard_normal((80, 90)), axis=0), axis=1)
    patches = sampler.draw(smooth, None, smooth.size, "smooth")
    bank = sampler.bank([patches])
    normalised = patch_bank._normalised(patches)
    white = normalised - normalised.mean(axis=0)
    white = white @ patch_bank._whitening(white)
    for kernel, centroid in zip(bank.weights.reshape(6, 9), bank.centroids.reshape(6, 9), strict=True):
        assert np.corrcoef(normalised @ kernel, white @ centroid)[0, 1] > 1 - 1e-9


def test_patches_are_parts_of_the_picture():
    picture = np.arange(600.0).reshape(20, 30) / 600
    patches = PatchSampler.of(4, (2, 3), 1).draw(picture, None, picture.size, "ramp")
    assert len(patches) == 10_000
    starts = np.rint(patches[:, 0] * 600).astype(int)
    assert (patches * 600 - starts[:, None]) == pytest.approx(
        np.array([0, 1, 2, 30, 31, 32]) + np.zeros((10_000, 1))
    )
    assert set(starts) == {row * 30 + column for row in range(19) for column in range(28)}


def test_no_patch_has_a_hidden_pixel():
    picture = RNG.random((30, 30))
    hidden = np.zeros(picture.shape, bool)
    hidden[10:, 5:] = True
    picture[hidden] = 100
    patches = PatchSampler.of(4, 3, 1).draw(picture, hidden, picture.size, "part")
    assert len(patches) > 1000
    assert patches.max() < 1


def test_flat_patches_are_left_out():
    picture = np.zeros((60, 60))
    picture[:20] = RNG.random((20, 60))
    patches = PatchSampler.of(4, 3, 1).draw(picture, None, picture.size, "part")
    assert (patches.var(axis=1) > 1e-5).all()
    assert len(patches) == 10_000  # others are drawn instead


def test_seeds_reproduce():
    first, again, other = (learn_bank(NOISE, 5, 4, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, other.weights)
    one, two = (PatchSampler.of(5, 4, seed).draw(NOISE, None, NOISE.size, "noise") for seed in (1, 2))
    assert not np.array_equal(one, two)
    assert np.array_equal(random_bank(4, 3, 2, seed=5).weights, random_bank(4, 3, 2, seed=5).weights)
    assert not np.array_equal(random_bank(4, 3, 2, seed=5).weights, random_bank(4, 3, 2, seed=6).weights)


def test_a_bank_runs():
    bank = learn_bank(NOISE, 5, 4)
    maps = convcli.filter_picture(NOISE, weights=bank.weights, value_range=None)
    assert maps.shape == (90, 100, 5)
    assert np.abs(maps).max() <= 255


def test_brightness_and_depth_change_nothing():
    bank = learn_bank(NOISE[..., 0], 5, 4)
    assert learn_bank(NOISE[..., 0].astype(np.uint16) * 257, 5, 4).weights == pytest.approx(
        bank.weights, abs=1e-9
    )
    assert learn_bank(NOISE[..., 0] / 255, 5, 4).weights == pytest.approx(bank.weights, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: learn_bank(NOISE[:6]),
            "picture 0 is 100 wide and 6 high, smaller than a patch of 7x7; use a larger picture, or a smaller `size`",
        ),
        (
            lambda: learn_bank(np.full((50, 50), 9)),
            "the pictures have 0 patches of 7x7 with any contrast, fewer than `count=16`; use more or larger pictures",
        ),
        (
            lambda: learn_bank([NOISE, NOISE[..., 0]]),
            "the pictures have different numbers of channels; convert them with `gray=True`",
        ),
        (
            lambda: learn_bank(NOISE, size=30),
            "a patch of 30x30 with 3 channel(s) has 2,700 numbers, more than 2,048; use a smaller `size`",
        ),
        (lambda: learn_bank(NOISE, size=1), "a patch of 1x1 has no contrast; use a larger `size`"),
        (lambda: learn_bank(NOISE, 2000), "`count=2000` is over the limit of 1,024; use fewer kernels"),
        (lambda: learn_bank(NOISE, 0), "count must be at least 1, got 0"),
        (
            lambda: learn_bank(NOISE[0, 0]),
            "picture 0 has shape (3,) and dtype uint8; it must be (H, W) or (H, W, C) of bool, integers or floats",
        ),
        (
            lambda: learn_bank(np.full((50, 50), np.nan)),
            "picture 0 has samples that are not finite; replace them first",
        ),
        (lambda: random_bank(3, 3, 0), "in_channels must be at least 1, got 0"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert str(error.value) == message
