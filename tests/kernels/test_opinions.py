"""The named kernels against SciPy, OpenCV and scikit-image, with the scale factor between the conventions."""

from types import ModuleType

import numpy as np
import pytest
from scipy import ndimage

from convcli.kernels import Kernel, parse_kernel

PICTURE = np.random.default_rng(3).normal(size=(40, 41))
INSIDE = (slice(12, -12), slice(12, -12))  # without the borders, where the libraries differ


@pytest.fixture
def cv2() -> ModuleType:
    return pytest.importorskip("cv2", reason="OpenCV is no dependency")


@pytest.fixture
def filters() -> ModuleType:
    return pytest.importorskip("skimage.filters", reason="scikit-image is no dependency")


def weights(spec: str, dims: int = 2) -> np.ndarray:
    """Return the weights of a kernel with one matrix, divided by its divisor."""
    kernel = parse_kernel(spec, dims=dims)
    (matrix,) = kernel.matrices
    return np.array(matrix, dtype=float) / kernel.divisor


def response(kernel: Kernel, picture: np.ndarray = PICTURE) -> np.ndarray:
    """Return the response of a kernel, computed by SciPy."""
    parts = []
    for matrix in kernel.matrices:
        array = np.array(matrix, dtype=float)
        origin = [side % 2 - 1 for side in array.shape]
        parts.append(ndimage.correlate(picture, array, mode="mirror", origin=origin))
    total = np.sqrt(np.square(parts).sum(axis=0)) if kernel.combine == "magnitude" else np.max(parts, axis=0)
    return total / kernel.divisor + kernel.offset


def assert_equal_inside(spec: str, other: np.ndarray, scale: float = 1.0) -> None:
    """Assert that the response of a kernel is `scale` times another's."""
    assert response(parse_kernel(spec))[INSIDE] == pytest.approx(scale * other[INSIDE], abs=1e-9)


# SciPy


@pytest.mark.parametrize("name", ["sobel", "prewitt"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_gradients_of_any_axes_are_scipys(name: str, dims: int) -> None:
    picture = np.random.default_rng(4).normal(size=(9,) * dims)
    ours = response(parse_kernel(name, dims=dims), picture)
    theirs = ndimage.generic_gradient_magnitude(picture, getattr(ndimage, name), mode="mirror")
    assert ours == pytest.approx(theirs)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_laplacian_and_gaussian_of_any_axes_are_scipys(dims: int) -> None:
    picture = np.random.default_rng(5).normal(size=(9,) * dims)
    laplacian, gaussian = (parse_kernel(name, dims=dims) for name in ("laplacian", "gaussian:1.2,7"))
    assert response(laplacian, picture) == pytest.approx(ndimage.laplace(picture, mode="mirror"))
    theirs = ndimage.gaussian_filter(picture, 1.2, radius=3, mode="mirror")
    assert response(gaussian, picture) == pytest.approx(theirs)


@pytest.mark.parametrize("sigma", [1.4, 2, 3])
@pytest.mark.parametrize("dims", [1, 2])
def test_log_is_scipys_gaussian_laplace_up_to_sampling(sigma: float, dims: int) -> None:
    impulse = np.zeros((81,) * dims)
    impulse[(40,) * dims] = 1
    theirs = ndimage.gaussian_laplace(impulse, sigma)
    ours = ndimage.correlate(impulse, weights(f"log:{sigma}", dims))
    assert np.abs(ours - theirs).max() < 0.005 * np.abs(theirs).max()


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_bilinear_and_nearest_interpolate(factor: int, dims: int) -> None:
    small = np.random.default_rng(6).normal(size=(5,) * dims)
    for name, order in (("bilinear", 1), ("nearest", 0)):
        kernel = weights(f"{name}:{factor}", dims)
        # Output pixels are centred like small cells inside the large input cells; the interior needs no padding.
        before = (kernel.shape[0] - factor) // 2
        places = (np.arange(factor, 3 * factor) + 0.5) / factor - 0.5
        grid = np.meshgrid(*[places] * dims, indexing="ij")
        wanted = ndimage.map_coordinates(small, grid, order=order, mode="nearest")
        full = np.zeros([(side - 1) * factor + kernel.shape[0] for side in small.shape])
        for place in np.ndindex(small.shape):
            full[tuple(slice(p * factor, p * factor + kernel.shape[0]) for p in place)] += (
                small[place] * kernel
            )
        cut = full[(slice(before + factor, before + 3 * factor),) * dims]
        assert cut == pytest.approx(wanted)


# OpenCV: the same numbers, unnormalised


@pytest.mark.parametrize("size", [3, 5, 7, 9, 31])
@pytest.mark.parametrize(("name", "order"), [("sobel-x", (1, 0)), ("sobel-y", (0, 1))])
def test_sobel_is_opencvs(cv2: ModuleType, name: str, order: tuple[int, int], size: int) -> None:
    across, down = cv2.getDerivKernels(*order, size, ktype=cv2.CV_64F)
    assert (weights(f"{name}:{size}") == down @ across.T).all()


def test_scharr_is_opencvs(cv2: ModuleType) -> None:
    assert_equal_inside("scharr-x", cv2.Scharr(PICTURE, cv2.CV_64F, 1, 0))
    assert_equal_inside("scharr-y", cv2.Scharr(PICTURE, cv2.CV_64F, 0, 1))


@pytest.mark.parametrize("sigma", [0.8, 1.0, 2.5])
def test_gaussian_is_opencvs(cv2: ModuleType, sigma: float) -> None:
    ours = weights(f"gaussian:{sigma}")
    column = cv2.getGaussianKernel(len(ours), sigma, cv2.CV_64F)
    assert ours == pytest.approx(column @ column.T, abs=1e-15)


def test_box_laplacian_and_smooth_kernels_are_opencvs(cv2: ModuleType) -> None:
    assert_equal_inside("box:5", cv2.blur(PICTURE, (5, 5)))
    assert_equal_inside("laplacian", cv2.Laplacian(PICTURE, cv2.CV_64F, ksize=1))
    # With a sigma of 0, OpenCV's Gaussians of 3 and 5 taps are rows of Pascal's triangle.
    for size in (3, 5):
        column = cv2.getGaussianKernel(size, 0, cv2.CV_64F)
        assert weights(f"binomial:{size}") == pytest.approx(column @ column.T)


@pytest.mark.parametrize("angle", [0, 30, 90, 120, 200])
@pytest.mark.parametrize("phase", [0, 90, 45])
def test_gabor_is_opencvs_times_the_area_of_the_bell(cv2: ModuleType, angle: float, phase: float) -> None:
    ours = weights(f"gabor:wavelength=7,angle={angle},sigma=3,aspect=0.5,phase={phase},size=21")
    # OpenCV's theta is clockwise, and its kernel is rotated by 180 degrees.
    theirs = cv2.getGaborKernel((21, 21), 3, np.radians(-angle), 7, 0.5, np.radians(phase))
    assert ours == pytest.approx(theirs[::-1, ::-1] * 0.5 / (2 * np.pi * 3**2))


# scikit-image: derivatives are divided by the sum of their smoothing weights, magnitudes also by sqrt(2)


@pytest.mark.parametrize(("name", "scale"), [("sobel", 4), ("prewitt", 3), ("scharr", 16)])
def test_gradients_are_scikit_images(filters: ModuleType, name: str, scale: int) -> None:
    assert_equal_inside(f"{name}-x", getattr(filters, f"{name}_v")(PICTURE), scale)
    assert_equal_inside(f"{name}-y", getattr(filters, f"{name}_h")(PICTURE), scale)
    assert_equal_inside(name, getattr(filters, name)(PICTURE), scale * np.sqrt(2))


def test_roberts_is_scikit_images(filters: ModuleType) -> None:
    assert_equal_inside("roberts", filters.roberts(PICTURE), np.sqrt(2))
    assert_equal_inside("roberts-se", filters.roberts_pos_diag(PICTURE))
    assert_equal_inside("roberts-ne", filters.roberts_neg_diag(PICTURE), -1)


def test_laplacian_and_differences_are_scikit_images(filters: ModuleType) -> None:
    assert_equal_inside("laplacian", filters.laplace(PICTURE), -1)
    theirs = filters.difference_of_gaussians(PICTURE, 1, 1.5, truncate=8)
    assert_equal_inside("dog:sigma=1,ratio=1.5,size=25", theirs)
    theirs = filters.unsharp_mask(PICTURE, radius=1.5, amount=0.7, preserve_range=True)
    assert_equal_inside("unsharp:sigma=1.5,amount=0.7,size=13", theirs)


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 5])
def test_disks_are_scikit_images(filters: ModuleType, radius: int) -> None:
    from skimage import morphology

    for dims, other in ((2, morphology.disk), (3, morphology.ball)):
        shape = other(radius)
        assert weights(f"disk:{radius}", dims) == pytest.approx(shape / shape.sum())


@pytest.mark.parametrize("angle", [0, 30, 90])
def test_gabor_is_scikit_images(filters: ModuleType, angle: float) -> None:
    theirs = filters.gabor_kernel(1 / 5, np.radians(-angle), sigma_x=2.8, sigma_y=2.8).real
    ours = weights(f"gabor:wavelength=5,angle={angle},sigma=2.8,size=19")
    margins = [(19 - side) // 2 for side in theirs.shape]
    cut = ours[margins[0] : 19 - margins[0], margins[1] : 19 - margins[1]]
    assert cut == pytest.approx(theirs)
