"""The memory of filtering in bands: bytes, estimated from the plan, besides the picture and the result."""

from math import prod

import numpy as np

from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.band_plan import RUNNING, BandPlan
from convcli.backend.bands.encoding import Encoding
from convcli.backend.bands.rounding import Rounding
from convcli.backend.bands.running import KEPT, STEP
from convcli.backend.bands.sums_to_pixels import Finish

ROUND, ENCODE = (
    6,
    24,
)  # bytes per sample for the conversion to pixels: two short integers, or floats, positions and a mask
COPIES = 2  # copies of its plane that a transform makes


def band_bytes(
    band_plan: BandPlan, slide: Slide, channels: int, matrices: int, finish: Finish | Rounding | Encoding
) -> int:
    """Return the bytes of the buffers of all threads that run a plan."""
    # The threads that take the last tiles have less to do.
    threads = min(band_plan.threads, prod(slide.output_size) / (band_plan.rows * band_plan.columns))
    vertical, horizontal = slide.reach((slice(0, band_plan.rows), slice(0, band_plan.columns)))
    width, tile = int(horizontal.stop - horizontal.start) * channels, band_plan.columns * channels
    first, size = int(np.dtype(band_plan.first).itemsize), int(np.dtype(band_plan.dtype).itemsize)
    rows = int(vertical.stop - vertical.start)
    loaded = first + (8 if isinstance(finish, Encoding) else 1)
    back = _back(finish, matrices)
    if band_plan.method == RUNNING:
        taps = slide.kernel_size[0]
        step = min(rows, max(1, STEP // width))
        kept = taps + min(rows, max(KEPT // width, step, taps))
        # The line, its two sums by doubling, and for the output the changes and the sums.
        held = kept * width * first + step * width * (loaded + 2 * first)
        return int(threads * (held + step * tile * (first + size + back)))
    samples, outputs = rows * width, band_plan.rows * tile
    held = samples * loaded + outputs * (matrices * size + back)
    if band_plan.method == "fft":
        spectra = matrices * max(1, band_plan.transforms)
        plane = band_plan.length**2 * size
        held += plane * spectra * (2 + COPIES) + (band_plan.transforms > 1) * (samples + outputs) * size
    elif band_plan.method == "separable":  # the vertical sums, as wide as the input
        held += band_plan.rows * width * (size + first)
    else:
        held += outputs * size
    return int(threads * held)


def _back(finish: Finish | Rounding | Encoding, matrices: int) -> int:
    """Return the bytes per sample that the conversion from sums to pixels needs."""
    if isinstance(finish, Rounding):
        return ROUND
    if isinstance(finish, Encoding):
        return ENCODE
    floats = matrices if finish.combine == "magnitude" else int(finish.divisor != 1 or finish.offset != 0)
    width = 4 if finish.dtype.itemsize == 1 else 8
    return 1 + floats * width + (2 * finish.dtype.itemsize if floats else 0)
