"""Time several implementations in turn: A B C, A B C, so that a slow minute affects all of them."""

import gc
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from time import perf_counter, sleep
from typing import Any

SHORT = 0.02  # seconds; what is quicker is run several times in a row
REST = 0.01  # seconds before each run, in which the threads of the last one go to sleep


@dataclass
class Timing:
    """What one of them took.

    samples : seconds of each run
    cut     : it was stopped, and would have taken longer
    error   : why it gave no answer
    """

    samples: list[float] = field(default_factory=list)
    answer: Any = None
    cut: bool = False
    error: str = ""

    @property
    def seconds(self) -> float:
        return median(self.samples)


def alternate(calls: Sequence[Callable[[], Any]], repeats: int, patience: float) -> list[Timing]:
    """Run all calls in turn, `repeats` times after a round that warms up and gives the answers.

    One that takes longer than `patience` seconds in the first round is not run again: that is its time.
    """
    with _no_garbage_collection():
        first = [_attempt(call) for call in calls]
        again = []
        for call, timing in zip(calls, first, strict=True):
            if timing.error or timing.cut or timing.seconds > patience:
                continue
            loops = max(1, ceil(SHORT / max(timing.seconds, 1e-9)))
            again.append((call, timing, loops))
            timing.samples.clear()
        for _ in range(repeats):
            for call, timing, loops in again:
                sleep(REST)
                start = perf_counter()
                for _ in range(loops):
                    call()
                timing.samples.append((perf_counter() - start) / loops)
    return first


def _attempt(call: Callable[[], Any]) -> Timing:
    start = perf_counter()
    try:
        answer = call()
    except subprocess.TimeoutExpired as error:
        return Timing([error.timeout], cut=True)
    except Exception as error:  # of any library: the row has the error, and the others continue
        return Timing(error=f"{type(error).__name__}: {error}".splitlines()[0][:100])
    return Timing([perf_counter() - start], answer)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
