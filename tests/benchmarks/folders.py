"""Folders of pictures: one run of convcli, against a pool of threads with OpenCV and a process of libvips a picture."""

import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from tests.benchmarks.commands import QUALITY, convcli, vips
from tests.benchmarks.filters import GAUSSIAN, SHARPEN, Filter
from tests.benchmarks.peers import ALL_THREADS, Peer, library
from tests.benchmarks.pictures import Size, photograph
from tests.benchmarks.recipes import IMPORTS, OPENCV
from tests.benchmarks.setting import Setting
from tests.benchmarks.tools import run, tool

ICON = (64, 64)
LEVELS = 2.0  # on average, of JPEGs that were encoded again


@dataclass(frozen=True)
class Folder:
    """Pictures that are filtered in one run.

    count, size : how many, and the rows and columns of each; None for those of the run
    opencv, libvips, pillow : the targets, our time divided by theirs; None where nothing is promised
    with_codecs : that of OpenCV where convcli[codecs] is installed
    deep : whether they are grey of 16 bits
    """

    name: str
    filter: Filter
    suffix: str
    count: int
    size: Size | None = None
    opencv: float | None = None
    libvips: float | None = None
    pillow: float | None = None
    with_codecs: float | None = None
    deep: bool = False

    def sources(self, setting: Setting) -> list[Path]:
        """Write the pictures, all equal, unless they exist."""
        folder = setting.folder / f"folder-{self.name.replace(' ', '-')}"
        folder.mkdir(exist_ok=True)
        paths = [folder / f"{number}{self.suffix}" for number in range(self.number(setting))]
        if not paths[-1].exists():
            pixels = photograph(self.size or setting.size)
            if self.deep:
                pixels = pixels[..., 0].astype(np.uint16) * 257
            Image.fromarray(pixels).save(paths[0], quality=int(QUALITY), compress_level=1)
            for path in paths[1:]:
                shutil.copyfile(paths[0], path)
        return paths

    def number(self, setting: Setting) -> int:
        """Return how many pictures there are: no more than ten times those of a batch."""
        return min(self.count, 10 * setting.batch[0])


FOLDERS = (
    Folder("24 photographs", GAUSSIAN, ".jpg", 24, opencv=1.3, libvips=1.0, with_codecs=1.0),
    Folder("24 PNG photographs", SHARPEN, ".png", 24),
    Folder("6 grey TIFFs of 16 bits", GAUSSIAN, ".tif", 6, deep=True),
    Folder("2000 icons", SHARPEN, ".png", 2000, ICON, pillow=1.0),
)


def ours(folder: Folder, setting: Setting) -> Callable[[list[Path]], Path]:
    """Return convcli's run, whose answer is the last file."""
    target = _target(folder, setting, "convcli")

    def run_all(sources: list[Path]) -> Path:
        run(convcli(folder.filter, [sources[0].parent], f"{target}/"), 100 * setting.limit)
        return target / sources[-1].name

    return run_all


def peers(folder: Folder, setting: Setting) -> Iterator[Peer]:
    """Yield the peers that are installed; each answers with its last file."""
    margin = folder.filter.kernel.shape[0] // 2 + 1
    if library("cv2"):
        pool = _opencv_pool(folder, setting)
        limit = folder.with_codecs if find_spec("imagecodecs") else folder.opencv
        yield Peer("opencv pool", pool, limit, LEVELS, margin)
    if folder.pillow is not None:
        yield Peer("pillow loop", _pillow_loop(folder, setting), folder.pillow, LEVELS, margin)
    if tool("libvips"):
        command = partial(_processes, folder, setting)
        yield Peer("libvips, a process each", command, folder.libvips, LEVELS, margin)


def _target(folder: Folder, setting: Setting, name: str) -> Path:
    target = setting.folder / f"folder-{folder.name.replace(' ', '-')}-{name}"
    target.mkdir(exist_ok=True)
    return target


def _opencv_pool(folder: Folder, setting: Setting) -> Callable[[list[Path]], Path]:
    target = _target(folder, setting, "opencv")
    weights = folder.filter.weights.tolist()
    lines = [
        IMPORTS["opencv"],
        "import pathlib, sys",
        "from concurrent.futures import ThreadPoolExecutor",
        "cv2.setNumThreads(1)",
        f"k = np.array({weights})",
        "def work(path):",
        "    x = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)",
        f"    y = {OPENCV[folder.filter.kind]}",
        f"    cv2.imwrite(str(pathlib.Path({str(target)!r}, path.name)), y, [cv2.IMWRITE_JPEG_QUALITY, {QUALITY}])",
        f"with ThreadPoolExecutor({ALL_THREADS}) as pool:",
        "    list(pool.map(work, pathlib.Path(sys.argv[1]).iterdir()))",
    ]

    def run_all(sources: list[Path]) -> Path:
        run([sys.executable, "-c", "\n".join(lines), str(sources[0].parent)], 100 * setting.limit)
        return target / sources[-1].name

    return run_all


def _pillow_loop(folder: Folder, setting: Setting) -> Callable[[list[Path]], Path]:
    target = _target(folder, setting, "pillow")
    lines = [
        IMPORTS["pillow"].partition("; ")[2],
        "import pathlib, sys",
        f"k = ImageFilter.Kernel({folder.filter.kernel.shape}, {folder.filter.weights.ravel().tolist()})",
        "for path in pathlib.Path(sys.argv[1]).iterdir():",
        f"    Image.open(path).filter(k).save(pathlib.Path({str(target)!r}, path.name))",
    ]

    def run_all(sources: list[Path]) -> Path:
        run([sys.executable, "-c", "\n".join(lines), str(sources[0].parent)], 100 * setting.limit)
        return target / sources[-1].name

    return run_all


def _processes(folder: Folder, setting: Setting, sources: list[Path]) -> Path:
    """Run as many processes of libvips at a time as there are cores."""
    target = _target(folder, setting, "libvips")
    with ThreadPoolExecutor(ALL_THREADS) as pool:
        commands = (vips(folder.filter, source, target / source.name) or [] for source in sources)
        list(pool.map(lambda command: run(command, setting.limit), commands))
    return target / sources[-1].name
