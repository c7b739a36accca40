"""What filters are said to take, by what else would take more or as much."""

from dataclasses import replace

import numpy as np
import pytest

from convcli.backend.bands.band_memory import band_bytes
from convcli.backend.bands.picture_in_bands import Samples
from convcli.backend.image import _Asked, image_layer, working_bytes
from convcli.kernels import parse_kernel

EIGHT_BITS = np.dtype("uint8")


def test_light_beside_alpha_is_not_summed_exactly_again() -> None:
    shape, kernel = (3000, 4000, 4), parse_kernel("gaussian:sigma=2.5")
    words = {"alpha": "premultiply", "threads": 2}
    exact, light = (working_bytes(shape, EIGHT_BITS, kernel, light=light, **words) for light in (False, True))
    assert light < 0.6 * exact


@pytest.mark.parametrize("name", ["sharpen", "gaussian:sigma=2.5", "sobel"])
def test_a_thread_with_little_to_do_takes_little(name: str) -> None:
    """Of a picture of one tile and a quarter, the second thread has the quarter."""
    kernel, shape = parse_kernel(name), (3000, 4000, 3)
    asked = _Asked.of(kernel, None, "clip", None, False)
    sliding = asked.sliding(image_layer(kernel), shape[:2], ("reflect", 0.0), False, "auto", 2, EIGHT_BITS)
    found = asked.in_bands(sliding, Samples.alike(EIGHT_BITS, 3))
    assert found is not None
    height, width = sliding.slide.output_size

    def taken(threads: int, rows: int) -> int:
        way = replace(found.way, rows=rows, columns=width, threads=threads)
        return band_bytes(way, sliding.slide, 3, len(found.weights), found.finish)

    assert taken(2, 4 * height // 5) == pytest.approx(1.25 * taken(1, 4 * height // 5), rel=1e-3)
    assert taken(2, height // 8) == 2 * taken(1, height // 8)
