"""The libraries that convcli is measured against, each where it is installed."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from PIL import Image

from tests.benchmarks.filters import Filter
from tests.benchmarks.recipes import IMPORTS, OPENCV, PILLOW, SCIPY, SKIMAGE

MODULES = {  # what is imported, and what the package index knows it as
    "cv2": "opencv-python-headless",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "PIL": "pillow",
    "torch": "torch",
    "torchvision": "torchvision",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime",
}
ALL_THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def same(x: Any) -> Any:
    """Return the material unchanged."""
    return x


@dataclass(frozen=True)
class Peer:
    """Another library's implementation of a work.

    run          : from the work's material to an answer; this is timed
    limit        : the target, our time divided by theirs; None where nothing is promised
    tolerance    : how far its answer may be from ours, by the work's measure
    margin       : pixels along the border that are not compared, as it sees another world beyond it
    prepare      : brings the material into its own form, before any timing
    approximates : it approximates, and its answer need not be equal
    """

    name: str
    run: Callable[[Any], Any]
    limit: float | None = None
    tolerance: float = 0.0
    margin: int = 0
    prepare: Callable[[Any], Any] = same
    approximates: bool = False


@cache
def library(name: str) -> ModuleType | None:
    """Import a library, or return None if it is not installed."""
    return import_module(name) if name in MODULES and find_spec(name) else None


def versions() -> dict[str, str | None]:
    """Return the version of each library, None where it is absent."""
    return {name: version(package) if find_spec(name) else None for name, package in MODULES.items()}


def opencv_filter(filter: Filter, threads: int) -> Callable[[Any], Any]:
    """Return OpenCV's answer with the given number of threads."""
    cv2, answer = library("cv2"), _function("opencv", OPENCV[filter.kind], filter)

    def run(x: Any) -> Any:
        if cv2.getNumThreads() != threads:
            cv2.setNumThreads(threads)
        return answer(x)

    return run


def filter_peers(filter: Filter, threads: int) -> Iterator[Peer]:
    """Yield every installed library that has the filter; those that know no threads, for one thread only."""
    if library("cv2"):
        limit = filter.opencv if threads == 1 else None
        yield Peer("opencv", opencv_filter(filter, threads), limit, filter.distance)
    if threads > 1:
        return
    yield Peer("scipy", _function("scipy", SCIPY[filter.kind], filter), filter.others, filter.distance)
    side = filter.kernel.shape[0] // 2
    if library("skimage") and filter.kind in SKIMAGE:
        run = _function("scikit-image", SKIMAGE[filter.kind], filter)
        yield Peer("scikit-image", run, filter.others, 1, side)
    if filter.kind in PILLOW:
        run = _function("pillow", PILLOW[filter.kind], filter)
        yield Peer("pillow", run, filter.others, filter.distance, side, Image.fromarray)


def _function(imports: str, expression: str, filter: Filter) -> Callable[[Any], Any]:
    """Return the recipe as a function of the picture."""
    names: dict[str, Any] = {"k": filter.weights}
    exec(IMPORTS[imports], names)
    return eval(f"lambda x: {expression}", names)
