"""convcli compared with itself: all threads with one, and the method of the plan with each other `method`."""

from collections.abc import Iterator
from functools import partial

from convcli.errors import ArgumentError
from convcli.filters.filter_image import filter_image
from tests.benchmarks.filters import Filter
from tests.benchmarks.peers import Peer, same
from tests.benchmarks.pictures import Array, photograph

THREADS = 0.7  # of the time on one thread that two may take; more threads no more than two
CHOICE = 1.1  # of the time of the quickest `method` that the choice may take
METHODS = ("direct", "separable", "gemm", "fft")
ONCE = 40  # on each side: `direct` is not measured for larger kernels, which take seconds
KINDS = {
    "RGB": same,
    "grey": lambda x: x[..., 1].copy(),
    "16-bit grey": lambda x: x[..., 1].astype("uint16") * 257,
}


def filtered(x: Array, filter: Filter, threads: int, method: str = "auto") -> Array:
    """Return the filtered picture."""
    return filter_image(x, filter.kernel, threads=threads, method=method).pixels


def one_thread(filter: Filter) -> Peer:
    """Return convcli limited to one thread, whose samples are the same."""
    return Peer("one thread", partial(filtered, filter=filter, threads=1), THREADS)


def methods(filter: Filter, kind: str) -> Iterator[Peer]:
    """Yield every `method` that the kernel can be summed by, on one thread."""
    tiny = KINDS[kind](photograph((80, 90)))
    for method in METHODS:
        if method == "direct" and filter.kernel.shape[0] > ONCE:
            continue
        try:
            filtered(tiny, filter, 1, method)
        except ArgumentError:  # such as `separable`, of a kernel of full rank
            continue
        yield Peer(method, partial(filtered, filter=filter, threads=1, method=method), CHOICE)
