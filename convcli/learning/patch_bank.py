"""Learn a bank of kernels from the patches of pictures: k-means on whitened patches."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.backend.values import full_scale
from convcli.errors import ArgumentError
from convcli.images.size_in_words import size_in_words
from convcli.layers.axes import PerAxis, by_axes, per_axis, whole

Array = NDArray[Any]

COUNT, SIZE = 16, 7
MAX_COUNT = 1024
MAX_INPUTS = 2048  # numbers in a patch; whitening decomposes a square matrix of that size
EACH, MIN_SAMPLES, MAX_SAMPLES = 1000, 10_000, 100_000  # patches per kernel, and limits of the total
MAX_BYTES = 1 << 28  # of all patches
CONTRAST = (
    10 / 255**2
)  # added to the variance of samples up to 1, so that noise is not amplified to full contrast
FLAT = 1 / 255**2  # patches with a smaller variance are ignored
WHITENED = 0.1  # added to the variances of patches of contrast 1, so that whitening does not amplify noise
TRIES = 4  # positions that are drawn per wanted patch
ROUNDS = 30  # iterations of k-means


class Bank(NamedTuple):
    """A bank of kernels, sorted by the number of patches.

    weights : ndarray, (count, C, kh, kw), with a sum of 0 and positive weights that sum to 1; for a layer without bias
    centroids : ndarray, (count, C, kh, kw), the means of whitened patches
    shares : ndarray, (count,), the share of patches that are nearest to each; equal for a random bank
    patches : the number of patches
    explained : the share of the variance of the whitened patches that the centroids explain
    """

    weights: Array
    centroids: Array
    shares: Array
    patches: int
    explained: float | None


def learn_bank(
    pictures: ArrayLike | Sequence[Array], count: int = COUNT, size: PerAxis = SIZE, *, seed: int = 0
) -> Bank:
    """Learn a bank of kernels from the patches of pictures, without labels: k-means on whitened patches.

    Random patches are normalised in brightness and contrast, whitened (ZCA) and clustered (SciPy's kmeans2, initialised
    by k-means++). A kernel combines a centroid with the whitening: its response to a picture is that of the centroid to
    whitened patches.

    Parameters
    ----------
    pictures : array_like, (H, W) or (H, W, C), or a list of arrays
        Integers, or floats where 1 is white.
    count : int
        The number of kernels.
    size : int or (rows, columns)
        The size of the kernels and of the patches.
    seed : int
        Seed of the random patches and initial centroids; the same seed gives the same bank.

    Returns
    -------
    Bank
        With `weights`, (count, C, rows, columns), for `filter_picture`.

    Raises
    ------
    ArgumentError
        If a picture is smaller than a patch, the pictures have no contrast, or there are fewer patches than kernels.

    References
    ----------
    Coates, Lee & Ng, "An analysis of single-layer networks in unsupervised feature learning" (2011), section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> import convcli
    >>> picture = np.random.default_rng(0).integers(0, 256, (80, 80)).astype(np.uint8)
    >>> bank = convcli.learn_bank(picture, count=4, size=5)
    >>> bank.weights.shape, bool(np.abs(bank.weights.sum(axis=(1, 2, 3))).max() < 1e-12)
    ((4, 1, 5, 5), True)

    """
    sampler = PatchSampler.of(count, size, seed)
    if (
        isinstance(pictures, list | tuple)
        and pictures
        and all(isinstance(each, np.ndarray) for each in pictures)
    ):
        several: Sequence[Array] = pictures
    else:
        several = [np.asarray(pictures)]
    area = sum(prod(picture.shape[:2]) for picture in several)
    return sampler.bank(
        [sampler.draw(picture, None, area, f"picture {number}") for number, picture in enumerate(several)]
    )


def random_bank(count: int = COUNT, size: PerAxis = SIZE, channels: int = 1, *, seed: int = 0) -> Bank:
    """Return a bank of random kernels with a sum of 0 and positive weights that sum to 1.

    Rectified and pooled, their feature maps are nearly as useful as learned ones (Jarrett, Kavukcuoglu, Ranzato &
    LeCun, "What is the best multi-stage architecture for object recognition?" (2009), section 3).

    >>> random_bank(8, 5, 3).weights.shape
    (8, 3, 5, 5)
    """
    count, kernel_size = _checked(count, size)
    channels = whole("in_channels", channels, 1)
    _check_inputs(channels, kernel_size)
    drawn = np.random.default_rng(whole("seed", seed, 0)).standard_normal((count, channels, *kernel_size))
    return Bank(_scaled(drawn), drawn, np.full(count, 1 / count), 0, None)


class PatchSampler(NamedTuple):
    """The parsed arguments of `learn_bank`, and the drawing of patches."""

    kernels: int
    size: tuple[int, ...]
    seed: int

    @classmethod
    def of(cls, count: int, size: PerAxis, seed: int) -> PatchSampler:
        """Parse the arguments; raise ArgumentError if one is invalid."""
        count, kernel_size = _checked(count, size)
        if prod(kernel_size) < 2:
            raise ArgumentError("a patch of 1x1 has no contrast; use a larger `size`")
        return cls(count, kernel_size, whole("seed", seed, 0))

    def wanted(self, channels: int) -> int:
        """Return the total number of patches to draw."""
        most = min(MAX_SAMPLES, MAX_BYTES // (8 * channels * prod(self.size)))
        return max(MIN_SAMPLES, min(most, EACH * self.kernels))

    def draw(self, picture: Array, hidden: Array | None, area: int, name: str) -> Array:
        """Return random patches (N, C * kh * kw) of a picture (H, W) or (H, W, C), in proportion to its area.

        hidden : (H, W) of bool, the pixels that no patch may contain
        """
        _check_picture(picture, name, self.size)
        pixels = picture if picture.ndim == 3 else picture[..., np.newaxis]
        _check_inputs(pixels.shape[2], self.size)
        windows = np.lib.stride_tricks.sliding_window_view(pixels, self.size, (0, 1))
        places = windows.shape[:2]
        random = np.random.default_rng([self.seed, *pixels.shape])
        wanted = -(-self.wanted(pixels.shape[2]) * prod(pixels.shape[:2]) // area)
        drawn = random.integers(0, prod(places), TRIES * wanted)
        rows, columns = np.divmod(drawn, places[1])
        if hidden is not None:
            covered = np.lib.stride_tricks.sliding_window_view(hidden, self.size)
            seen = np.concatenate(
                [
                    ~covered[rows[i : i + wanted], columns[i : i + wanted]].any(axis=(1, 2))
                    for i in range(0, len(rows), wanted)
                ]
            )
            rows, columns = rows[seen], columns[seen]
        found: list[Array] = []
        scale = full_scale(pixels.dtype) if pixels.dtype.kind in "iu" else 1.0
        for start in range(0, len(rows), wanted):
            part = windows[rows[start : start + wanted], columns[start : start + wanted]].astype(np.float64)
            flat = part.reshape(len(part), -1) / scale
            found.append(flat[flat.var(axis=1) > FLAT])
            if sum(map(len, found)) >= wanted:
                break
        return np.concatenate(found)[:wanted] if found else np.empty((0, pixels.shape[2] * prod(self.size)))

    def bank(self, drawn: Iterable[Array]) -> Bank:
        """Return the bank learned from patches, (N, C * kh * kw); raise ArgumentError if there are too few."""
        parts = list(drawn)
        if len({part.shape[1] for part in parts}) > 1:
            raise ArgumentError(
                "the pictures have different numbers of channels; convert them with `gray=True`"
            )
        patches = np.concatenate(parts)
        if len(patches) < self.kernels:
            raise ArgumentError(
                f"the pictures have {len(patches):,} patches of {by_axes(self.size)} with any contrast, fewer than "
                f"`count={self.kernels}`; use more or larger pictures"
            )
        normalised = _normalised(patches)
        mean = normalised.mean(axis=0)
        centred = normalised - mean
        whitening = _whitening(centred)
        white = centred @ whitening
        centroids, labels = _clustered(white, self.kernels, self.seed)
        rest = float(np.square(white - centroids[labels]).sum())
        sizes = np.bincount(labels, minlength=self.kernels)
        order = np.argsort(-sizes, kind="stable")
        centroids, sizes = centroids[order], sizes[order]
        shape = (self.kernels, -1, *self.size)
        return Bank(
            weights=_scaled((centroids @ whitening).reshape(shape)),
            centroids=centroids.reshape(shape),
            shares=sizes / len(patches),
            patches=len(patches),
            explained=1 - rest / float(np.square(white).sum()),
        )


def bank_bytes(channels: int, size: Sequence[int], samples: int) -> int:
    """Estimate the bytes that a bank of a number of patches takes besides the pictures."""
    inputs = channels * prod(size)
    return 8 * (8 * samples * inputs + 6 * inputs**2)


def _checked(count: int, size: PerAxis) -> tuple[int, tuple[int, ...]]:
    count = whole("count", count, 1)
    if count > MAX_COUNT:
        raise ArgumentError(f"`count={count}` is over the limit of {MAX_COUNT:,}; use fewer kernels")
    return count, per_axis("size", size, 2)


def _check_inputs(channels: int, size: Sequence[int]) -> None:
    if channels * prod(size) > MAX_INPUTS:
        raise ArgumentError(
            f"a patch of {by_axes(size)} with {channels} channel(s) has {channels * prod(size):,} numbers, more than "
            f"{MAX_INPUTS:,}; use a smaller `size`"
        )


def _check_picture(picture: Array, name: str, size: Sequence[int]) -> None:
    if picture.ndim not in (2, 3) or picture.dtype.kind not in "biuf":
        raise ArgumentError(
            f"{name} has shape {picture.shape} and dtype {picture.dtype}; it must be (H, W) or (H, W, C) of bool, "
            "integers or floats"
        )
    if any(n < k for n, k in zip(picture.shape, size, strict=False)):
        raise ArgumentError(
            f"{name} is {size_in_words(picture.shape)}, smaller than a patch of {by_axes(size)}; use a "
            "larger picture, or a smaller `size`"
        )
    if picture.dtype.kind == "f" and not np.isfinite(picture).all():
        raise ArgumentError(f"{name} has samples that are not finite; replace them first")


def _normalised(patches: Array) -> Array:
    """Return patches with mean 0 and contrast 1, or less if they have hardly any contrast."""
    centred = patches - patches.mean(axis=1, keepdims=True)
    scaled: Array = centred / np.sqrt(centred.var(axis=1, keepdims=True) + CONTRAST)
    return scaled


def _whitening(centred: Array) -> Array:
    """Return the symmetric matrix that makes patches uncorrelated with equal variances (ZCA)."""
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    matrix: Array = (vectors / np.sqrt(np.maximum(values, 0) + WHITENED)) @ vectors.T
    return matrix


def _clustered(white: Array, count: int, seed: int) -> tuple[Array, Array]:
    """Return the centroids, and for each patch the index of the nearest centroid."""
    import warnings

    from scipy.cluster.vq import kmeans2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a cluster without patches, whose centroid is kept
        centroids, labels = kmeans2(white, count, iter=ROUNDS, minit="++", seed=np.random.default_rng(seed))
    return centroids, labels


def _scaled(kernels: Array) -> Array:
    """Return kernels with a sum of 0 and positive weights that sum to 1; a white-black edge gives white."""
    axes = tuple(range(1, kernels.ndim))
    centred = kernels - kernels.mean(axis=axes, keepdims=True)
    positive = np.maximum(centred, 0).sum(axis=axes, keepdims=True)
    scaled: Array = centred / np.where(positive > 0, positive, 1)
    return scaled
