"""The works: every row of the targets, and the sweeps, as records of what to run and against whom."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convcli.filters.filter_image import filter_image
from tests.benchmarks import batch, calculators, folders, own_methods
from tests.benchmarks.calculators import CALCULATORS
from tests.benchmarks.commands import command_peers, convcli
from tests.benchmarks.filters import FILTERS, Filter, dense
from tests.benchmarks.folders import FOLDERS, Folder
from tests.benchmarks.layers import LAYERS, LayerWork
from tests.benchmarks.networks import MODELS, Model
from tests.benchmarks.peers import ALL_THREADS, Peer, filter_peers, library, opencv_filter
from tests.benchmarks.pictures import Array, Size, photograph, size_of
from tests.benchmarks.pipelines import PIPELINES, Pipeline, convcli_command, scripted
from tests.benchmarks.setting import Setting
from tests.benchmarks.tools import run

KERNEL_SWEEP = (3, 5, 7, 9, 11, 15, 21, 31, 47, 63)


def largest(a: Array, b: Array) -> float:
    """Return the largest difference in levels."""
    return float(np.abs(np.subtract(a, b, dtype=np.int32)).max())


def mean(a: Array, b: Array) -> float:
    """Return the mean difference in levels."""
    return float(np.abs(np.subtract(a, b, dtype=np.int16)).mean())


def mean_of_deep(a: Array, b: Array) -> float:
    """Return the mean difference of samples of 16 bits, in levels of 8."""
    return float(np.abs(np.subtract(a, b, dtype=np.int32)).mean()) / 257


def relative(a: Array, b: Array) -> float:
    """Return the largest difference, as a share of the largest value."""
    return float(np.abs(a - b).max() / np.abs(b).max())


@dataclass(frozen=True)
class Work:
    """A task, convcli's implementation, and those of the peers.

    material : what is worked on, made before any timing
    ours     : from the material to an answer
    read     : from an answer to an array
    distance : how far two such arrays are apart, in the unit of the peers' tolerances
    point    : where it stands in a sweep: the kernel's side, or megapixels
    """

    name: str
    material: Callable[[], Any]
    ours: Callable[[Any], Any]
    peers: tuple[Peer, ...]
    read: Callable[[Any], Array] = np.asarray
    distance: Callable[[Array, Array], float] = largest
    point: float | None = None


def works(setting: Setting) -> Iterator[Work]:
    """Yield every work in the order of the table."""
    for threads in sorted({1, ALL_THREADS}):
        for filter in FILTERS:
            yield _filtering(filter, setting.size, threads)
    for kind in own_methods.KINDS:
        for filter in FILTERS:
            yield _choice(filter, kind, setting)
    yield from map(_layer, LAYERS)
    yield from (_network(model, path) for model in MODELS if (path := model.path()) is not None)
    for suffix in (".jpg", ".png"):
        for filter in FILTERS:
            yield _command(filter, suffix, setting)
    for pipeline in PIPELINES:
        yield _pipeline(pipeline, setting)
    yield _batch(setting)
    for folder in FOLDERS:
        yield _folder(folder, setting)
    for name, arguments in CALCULATORS.items():
        peer = calculators.peer(setting.limit)
        yield Work(f"calculator {name}", lambda: None, calculators.ours(arguments, setting.limit), (peer,))
    for side in KERNEL_SWEEP:
        yield _swept(f"sweep kernel {side}", dense(side), setting.size, side)
    for filter in (FILTERS[0], dense(15)):
        for megapixels in setting.sweep:
            name = f"sweep picture {filter.name} {megapixels:g} MP"
            yield _swept(name, filter, size_of(megapixels), megapixels)


def answer(filter: Filter, threads: int) -> Callable[[Array], Array]:
    """Return convcli's filter of a picture."""
    function = _threaded(filter_image, threads)
    return lambda x: function(x, filter.kernel).pixels


def _threaded(function: Callable[..., Any], threads: int) -> Callable[..., Any]:
    """Set the number of threads of a function, if it takes one."""
    return partial(function, threads=threads) if "threads" in signature(function).parameters else function


def _filtering(filter: Filter, size: Size, threads: int) -> Work:
    name = f"{filter.name}, {'one thread' if threads == 1 else 'all threads'}"
    peers = tuple(filter_peers(filter, threads))
    if threads > 1:
        peers = (*peers, own_methods.one_thread(filter))
    return Work(name, partial(photograph, size), answer(filter, threads), peers)


def _choice(filter: Filter, kind: str, setting: Setting) -> Work:
    """Compare the method of the plan with all others, on a picture of a quarter of the size."""
    height, width = setting.size

    def material() -> Array:
        return own_methods.KINDS[kind](photograph((height // 2, width // 2)))

    ours = partial(own_methods.filtered, filter=filter, threads=1)
    return Work(f"choice {filter.name}, {kind}", material, ours, tuple(own_methods.methods(filter, kind)))


def _swept(name: str, filter: Filter, size: Size, point: float) -> Work:
    peers = (Peer("opencv", opencv_filter(filter, 1), None, filter.distance),) if library("cv2") else ()
    return Work(name, partial(photograph, size), answer(filter, 1), peers, point=point)


def _layer(layer: LayerWork) -> Work:
    return Work(
        f"layer {layer.name}, one thread",
        layer.material,
        layer.run,
        tuple(layer.peers()),
        distance=relative,
    )


def _network(model: Model, path: Path) -> Work:
    return Work(
        f"network {model.name}, one thread",
        model.input,
        model.ours(path),
        (Peer("onnxruntime", model.theirs(path), model.limit, tolerance=1e-4),),
        distance=relative,
    )


def _command(filter: Filter, suffix: str, setting: Setting) -> Work:
    target = setting.folder / f"out{suffix}"
    peers = tuple(command_peers(filter, target, setting.limit))
    if suffix == ".jpg":
        peers = tuple(replace(peer, tolerance=batch.JPEG_LEVELS) for peer in peers)

    def ours(source: Path) -> Path:
        run(convcli(filter, [source], target), setting.limit)
        return target

    return Work(
        f"command {suffix[1:]} {filter.name}",
        partial(_picture_file, setting.folder / f"in{suffix}", setting.size),
        ours,
        peers,
        read=batch.read,
        distance=mean if suffix == ".jpg" else largest,
    )


def _pipeline(pipeline: Pipeline, setting: Setting) -> Work:
    target = setting.folder / f"out-pipeline{pipeline.suffix}"
    own = target.with_stem(f"{target.stem}-opencv")

    def ours(source: Path) -> Path:
        run(convcli_command(pipeline, source, target), setting.limit)
        return target

    def theirs(source: Path) -> Path:
        run(scripted(pipeline, source, own), setting.limit)
        return own

    peers: tuple[Peer, ...] = ()
    if pipeline.script and library("cv2"):
        peers = (Peer("opencv script", theirs, pipeline.limit, pipeline.tolerance),)
    has_alpha = pipeline.suffix == ".png"
    name = f"in-alpha{pipeline.suffix}" if has_alpha else f"in{pipeline.suffix}"
    material = partial(_picture_file, setting.folder / name, setting.size, has_alpha=has_alpha)
    return Work(f"pipeline {pipeline.name}", material, ours, peers, read=batch.read, distance=mean)


def _folder(folder: Folder, setting: Setting) -> Work:
    return Work(
        f"folder of {folder.number(setting)} {folder.name.partition(' ')[2]}, {folder.filter.name}",
        partial(folder.sources, setting),
        folders.ours(folder, setting),
        tuple(folders.peers(folder, setting)),
        read=_deep if folder.deep else batch.read,
        distance=mean_of_deep if folder.deep else mean,
    )


def _deep(path: Path) -> Array:
    """Return the samples of a file of 16 bits; libvips writes floats of them."""
    with Image.open(path) as image:
        return np.rint(np.asarray(image, np.float64)).clip(0, 65535).astype(np.uint16)


def _picture_file(path: Path, size: Size, has_alpha: bool = False) -> Path:
    """Write the photograph, unless it exists; its alpha is a horizontal gradient."""
    if not path.exists():
        pixels = photograph(size)
        if has_alpha:
            ramp = np.broadcast_to(np.linspace(0, 255, size[1]).astype(np.uint8), size)
            pixels = np.dstack([pixels, ramp])
        Image.fromarray(pixels).save(path, quality=95, compress_level=1)
    return path


def _batch(setting: Setting) -> Work:
    count, size = setting.batch
    filter = FILTERS[0]
    first, target = setting.folder / "batch-in" / "0.jpg", setting.folder / "batch-out"

    def material() -> list[Path]:
        first.parent.mkdir(exist_ok=True)
        _picture_file(first, size)
        paths = [first.with_stem(str(number)) for number in range(count)]
        for path in paths[1:]:
            shutil.copyfile(first, path)
        return paths

    def ours(sources: list[Path]) -> Path:
        run(convcli(filter, sources, f"{target}/"), 100 * setting.limit)
        return target / sources[-1].name

    target.mkdir(exist_ok=True)
    return Work(f"batch of {count}", material, ours, tuple(batch.peers(filter, setting)), batch.read, mean)
