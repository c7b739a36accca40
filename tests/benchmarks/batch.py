"""Many pictures at once: a process for each, as many in parallel as there are cores; and a loop in one process."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from tests.benchmarks.commands import COMMAND_MAKERS, QUALITY, MakeCommand
from tests.benchmarks.filters import Filter
from tests.benchmarks.peers import ALL_THREADS, Peer
from tests.benchmarks.pictures import Array
from tests.benchmarks.recipes import IMPORTS, PILLOW
from tests.benchmarks.setting import Setting
from tests.benchmarks.tools import run

LIMIT = 0.5
JPEG_LEVELS = 2.0  # on average: a sharpened difference of two decoders, encoded again
ONE_PROCESS_EACH = ("libvips", "imagemagick")


def read(path: Path) -> Array:
    """Return a file's pixels."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def peers(filter: Filter, setting: Setting) -> Iterator[Peer]:
    """Yield the tools that are installed, and a loop over Pillow; each answers with its last file."""
    for other in COMMAND_MAKERS:
        if other.name in ONE_PROCESS_EACH and other.installed:
            target = _folder(setting, other.name)
            run_all = _processes(filter, other.make_command, target, setting.limit)
            yield Peer(f"{other.name}, a process each", run_all, LIMIT, JPEG_LEVELS, margin=2)
    target = _folder(setting, "pillow")
    yield Peer("pillow loop", _loop(filter, target, 100 * setting.limit), LIMIT, JPEG_LEVELS, margin=2)


def _folder(setting: Setting, name: str) -> Path:
    folder = setting.folder / f"batch-{name}"
    folder.mkdir(exist_ok=True)
    return folder


def _processes(
    filter: Filter, make_command: MakeCommand, target: Path, seconds: float
) -> Callable[[list[Path]], Path]:
    def run_all(sources: list[Path]) -> Path:
        with ThreadPoolExecutor(ALL_THREADS) as pool:
            commands = (make_command(filter, source, target / source.name) or [] for source in sources)
            list(pool.map(lambda command: run(command, seconds), commands))
        return target / sources[-1].name

    return run_all


def _loop(filter: Filter, target: Path, seconds: float) -> Callable[[list[Path]], Path]:
    weights = filter.weights.tolist()
    lines = [
        IMPORTS["pillow"],
        "import pathlib, sys",
        f"k = np.array({weights})",
        "for name in sys.argv[1:]:",
        "    x = Image.open(name)",
        f"    y = {PILLOW[filter.kind]}",
        f"    y.save(pathlib.Path({str(target)!r}, pathlib.Path(name).name), quality={QUALITY})",
    ]

    def run_all(sources: list[Path]) -> Path:
        run([sys.executable, "-c", "\n".join(lines), *map(str, sources)], seconds)
        return target / sources[-1].name

    return run_all
