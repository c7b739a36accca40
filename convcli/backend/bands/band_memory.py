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
    way: BandPlan, slide: Slide, channels: int, matrices: int, finish: Finish | Rounding | Encoding
) -> int:
    """Return the bytes of the buffers of all threads that run a plan."""
    # The threads that take the last tiles have less to do.
    threads = min(way.threads, prod(slide.output_size) / (way.rows * way.columns))
    below, beside = slide.reach((slice(0, way.rows), slice(0, way.columns)))
    width, tile = int(beside.stop - beside.start) * channels, way.columns * channels
    first, size = int(np.dtype(way.first).itemsize), int(np.dtype(way.dtype).itemsize)
    rows = int(below.stop - below.start)
    loaded = first + (8 if isinstance(finish, Encoding) else 1)
    back = _back(finish, matrices)
    if way.method == RUNNING:
        taps = slide.kernel_size[0]
        step = min(rows, max(1, STEP // width))
        kept = taps + min(rows, max(KEPT // width, step, taps))
        # The line, its two sums by doubling, and for the output the changes and the sums.
        held = kept * width * first + step * width * (loaded + 2 * first)
        return int(threads * (held + step * tile * (first + size + back)))
    samples, outputs = rows * width, way.rows * tile
    held = samples * loaded + outputs * (matrices * size + back)
    if way.method == "fft":
        spectra = matrices * max(1, way.transforms)
        plane = way.length**2 * size
        held += plane * spectra * (2 + COPIES) + (way.transforms > 1) * (samples + outputs) * size
    elif way.method == "separable":  # the vertical sums, as wide as the input
        held += way.rows * width * (size + first)
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
