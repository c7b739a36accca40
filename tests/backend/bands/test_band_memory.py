"""The estimated memory of filters in bands, compared between settings."""

import numpy as np
import pytest

from convcli.backend.bands.band_memory import band_bytes
from convcli.backend.bands.picture_in_bands import KernelOnPicture, Samples, in_bands
from convcli.kernels import parse_kernel
from convcli.layers import Conv

EIGHT_BITS = np.dtype("uint8")


@pytest.mark.parametrize("name", ["sharpen", "gaussian:sigma=2.5", "sobel"])
def test_a_thread_with_little_work_needs_little_memory(name: str) -> None:
    """For a picture of one and a quarter tiles, the second thread computes only the quarter."""
    kernel, shape = parse_kernel(name), (3000, 4000, 3)
    layer = Conv(in_channels=1, out_channels=1, kernel_size=kernel.shape, padding="same", bias=False)
    matrices = [np.array(matrix) for matrix in kernel.matrices]
    on_picture = KernelOnPicture.of(kernel, matrices, layer, shape[:2], "reflect", 0.0, "auto", 2)
    found = in_bands(on_picture, Samples.alike(EIGHT_BITS, 3), "clip")
    assert found is not None
    height, width = on_picture.slide.output_size

    def taken(threads: int, rows: int) -> int:
        band_plan = found.band_plan._replace(rows=rows, columns=width, threads=threads)
        return band_bytes(band_plan, on_picture.slide, 3, len(found.weights), found.finish)

    assert taken(2, 4 * height // 5) == pytest.approx(1.25 * taken(1, 4 * height // 5), rel=1e-3)
    assert taken(2, height // 8) == 2 * taken(1, height // 8)
