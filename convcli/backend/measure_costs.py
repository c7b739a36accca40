"""Measure the costs of operations on this machine, on arrays like those of plans, in at most 0.3 seconds."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.machine import USUAL, Costs, sensible

Array = NDArray[Any]

SECONDS = 0.28  # in total
SAMPLES = 1 << 14  # size of an array; several of them fit into the cache
OUTPUTS, REACH, COLUMNS = 8, 24, 2048  # sizes of a matrix product, similar to those of bands
LENGTH = 256  # of a transform
FREED = 1 << 21  # elements of an array
PICO = 10**12
# Measured on a machine (an x86-64 server core of 2023) for which the default costs give the right plans. The default
# costs include overhead such as copies, so they are scaled by the ratio of a measurement to this reference.
REFERENCE = Costs(pass16=84, pass32=137, pass64=240, flop32=12, flop64=20, gather=89, transform=5850)


def measure_costs(seconds: float = SECONDS) -> Costs:
    """Return the costs of this machine: the default costs scaled by measurements.

    Set `OPENBLAS_NUM_THREADS=1` before NumPy is loaded, because plans run their products on one core.
    """
    works = _works()
    usual, reference = USUAL._asdict(), REFERENCE._asdict()
    found = {}
    for name, (work, units) in works.items():
        least = _least_seconds(work, seconds / len(works)) / units * PICO
        found[name] = max(1, round(usual[name] * least / reference[name]))
    return sensible(Costs(**found))


def _works() -> dict[str, tuple[Callable[[], object], int]]:
    """Return, for each cost, a function to time and the number of units of work that it does."""
    rng = np.random.default_rng(0)
    np.ones(FREED)  # allocated and freed, so that later calls reuse memory, as in a run
    works: dict[str, tuple[Callable[[], object], int]] = {}
    for name, dtype in (("pass16", np.int16), ("pass32", np.float32), ("pass64", np.float64)):
        x, y, out = rng.integers(0, 99, (3, SAMPLES)).astype(dtype)
        works[name] = partial(np.add, x, y, out=out), SAMPLES
    for name, dtype in (("flop32", np.float32), ("flop64", np.float64)):
        weights, rows = rng.random((OUTPUTS, REACH)).astype(dtype), rng.random((REACH, COLUMNS)).astype(dtype)
        product = partial(np.matmul, weights, rows, out=np.empty((OUTPUTS, COLUMNS), dtype))
        works[name] = product, 2 * OUTPUTS * REACH * COLUMNS
    total, more = np.zeros((2, 8 * SAMPLES), np.float32)
    works["gather"] = partial(np.add, total, more, out=total), total.size
    plane = rng.random((LENGTH, LENGTH)).astype(np.float32)
    spectrum = np.empty((LENGTH, LENGTH // 2 + 1), np.complex64)
    works["transform"] = partial(_there_and_back, plane, spectrum), plane.size
    return works


def _there_and_back(plane: Array, spectrum: Array) -> None:
    np.fft.rfft(plane, out=spectrum)
    np.fft.fft(spectrum, axis=0, out=spectrum)
    np.fft.ifft(spectrum, axis=0, out=spectrum)
    np.fft.irfft(spectrum, LENGTH, out=plane)


def _least_seconds(work: Callable[[], object], seconds: float) -> float:
    """Return the shortest time of a function in seconds; the first call, which warms up, does not count."""
    work()
    end, least = time.perf_counter() + seconds, float("inf")
    while True:
        start = time.perf_counter()
        work()
        now = time.perf_counter()
        least = min(least, now - start)
        if now >= end:
            return least
