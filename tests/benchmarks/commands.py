"""Whole commands, from file to file: each tool's own, and scripts that use a library."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.filters import DIGITS, FIXED_POINT, Filter
from tests.benchmarks.peers import Peer, library
from tests.benchmarks.recipes import IMPORTS, OPENCV, SCIPY, SKIMAGE
from tests.benchmarks.tools import Command, run, tool

MakeCommand = Callable[[Filter, Path, Path], Command | None]  # None: the tool has no such filter

QUALITY = "95"  # of every JPEG, which is what convcli writes; PNG is as each tool has it
LONGEST = 1024  # characters of an option of GraphicsMagick


@dataclass(frozen=True)
class CommandMaker:
    """Another tool's command line; `needs` is a tool or a library.

    limit, fixed_point : the target, our time divided by theirs; and that of filters which they sum in integers
    """

    name: str
    needs: str
    make_command: MakeCommand
    limit: float = 1.0
    fixed_point: float | None = None
    tolerance: int = 1  # levels, where the kernel is not of whole numbers
    approximates: bool = False

    @property
    def installed(self) -> bool:
        return bool(tool(self.needs) or library(self.needs))


def convcli(filter: Filter, sources: Sequence[Path], target: Path | str) -> Command:
    """Spell convcli's command: the console script next to this Python, or the module."""
    script = Path(sys.executable).with_name("convcli")
    program = [str(script)] if script.exists() else [sys.executable, "-m", "convcli"]
    return [
        *program,
        "filter",
        *map(str, sources),
        f"--kernel={filter.spec}",
        "--force",
        "-q",
        "-o",
        str(target),
    ]


def command_peers(filter: Filter, target: Path, seconds: float) -> Iterator[Peer]:
    """Yield every installed tool and script that has the filter; each goes from a file to its own target."""
    for other in COMMAND_MAKERS:
        if not other.installed or other.make_command(filter, Path("in.png"), target) is None:
            continue
        own = target.with_stem(f"{target.stem}-{other.name.replace(' ', '-')}")

        def to_file(source: Path, make_command: MakeCommand = other.make_command, own: Path = own) -> Path:
            run(make_command(filter, source, own) or [], seconds)
            return own

        tolerance = 0 if filter.kind == "integer" else max(other.tolerance, filter.distance)
        margin = filter.kernel.shape[0] // 2 + 1
        limit = other.fixed_point if filter in FIXED_POINT else other.limit
        yield Peer(
            other.name, to_file, limit or other.limit, tolerance, margin, approximates=other.approximates
        )


def _opencv(filter: Filter, source: Path, target: Path) -> Command:
    weights = _weights_file(filter, target)
    return _script(
        IMPORTS["opencv"],
        f"x = cv2.imread({str(source)!r})",
        f"k = np.load({weights!r})" if weights else "",
        f"y = {OPENCV[filter.kind]}",
        f"cv2.imwrite({str(target)!r}, y, [cv2.IMWRITE_JPEG_QUALITY, {QUALITY}])",
    )


def _skimage(filter: Filter, source: Path, target: Path) -> Command:
    weights = _weights_file(filter, target)
    recipes = SCIPY if filter.kind == "box" else SCIPY | SKIMAGE  # a running sum, not a histogram
    quality = f", quality={QUALITY}" if target.suffix == ".jpg" else ""
    return _script(
        IMPORTS["scikit-image"],
        f"x = io.imread({str(source)!r})",
        f"k = np.load({weights!r})" if weights else "",
        f"y = {recipes[filter.kind]}",
        f"io.imsave({str(target)!r}, y, check_contrast=False{quality})",
    )


def _script(*lines: str) -> Command:
    return [sys.executable, "-c", "\n".join(lines)]


def _weights_file(filter: Filter, target: Path) -> str:
    """Write the weights next to the target, once; return the path, or nothing if the filter has a name."""
    if filter.kind not in ("integer", "dense"):
        return ""
    path = target.parent / f"{filter.name}.npy"
    if not path.exists():
        np.save(path, filter.weights)
    return str(path)


def vips(filter: Filter, source: Path, target: Path) -> Command | None:
    """Spell libvips' way to the exact answer, where one command has it."""
    rows, precision, operation = filter.weights, "float", "conv"
    scale = 1
    if filter.kind == "magnitude":
        return None
    if filter.kind == "gaussian":
        return _vips_command("gaussblur", source, target, "2.5", "--min-ampl=0.006", "--precision=float")
    if filter.kind == "box":
        rows, scale, precision, operation = filter.weights[:1], filter.weights.shape[1], "integer", "convsep"
    if filter.kind == "integer":
        precision = "integer"
    matrix = target.parent / f"{filter.name}.mat"
    if not matrix.exists():
        lines = [
            f"{rows.shape[1]} {rows.shape[0]} {scale} 0",
            *(" ".join(map(str, row)) for row in rows.tolist()),
        ]
        matrix.write_text("\n".join(lines) + "\n")
    return _vips_command(operation, source, target, str(matrix), f"--precision={precision}")


def _vips_short(filter: Filter, source: Path, target: Path) -> Command | None:
    """Spell libvips' named operation as it comes: coarser weights, or |x| + |y| for a magnitude."""
    if filter.kind == "magnitude":
        return _vips_command("sobel", source, target)
    if filter.kind == "gaussian":
        return _vips_command("gaussblur", source, target, "2.5")
    return None


def _vips_command(operation: str, source: Path, target: Path, *options: str) -> Command:
    path, _ = tool("libvips") or ("vips", "")
    saved = f"{target}[Q={QUALITY},subsample_mode=on]" if target.suffix == ".jpg" else str(target)
    return [path, operation, str(source), saved, *options]


def _imagemagick(filter: Filter, source: Path, target: Path) -> Command:
    path, _ = tool("imagemagick") or ("convert", "")
    height, width = filter.kernel.shape
    if filter.kind == "magnitude":
        steps = _imagemagick_magnitude()
    elif filter.kind == "gaussian":
        steps = ["-blur", f"{width // 2}x2.5"]
    elif filter.kind == "box":
        ones = ",".join(["1"] * width)
        steps = ["-define", "convolve:scale=!"]
        steps += [
            "-morphology",
            "Convolve",
            f"{width}x1:{ones}",
            "-morphology",
            "Convolve",
            f"1x{height}:{ones}",
        ]
    else:
        rows = " ".join(",".join(map(_short, row)) for row in filter.weights.tolist())
        steps = ["-morphology", "Correlate", f"{width}x{height}:{rows}"]
    return [path, str(source), *steps, *_jpeg(target), str(target)]


def _imagemagick_magnitude() -> Command:
    """Both signs of a derivative, as negative sums are clipped; squared, added, and the square root of the sum."""
    both: Command = []
    for angle in (0, 90):
        both += ["(", "-clone", "0", "-define", "morphology:compose=Lighten"]
        both += [
            "-morphology",
            "Convolve",
            f"Sobel:{angle};Sobel:{angle + 180}",
            "-evaluate",
            "Pow",
            "2",
            ")",
        ]
    return [*both, "-delete", "0", "-evaluate-sequence", "Add", "-evaluate", "Pow", "0.5"]


def _graphicsmagick(filter: Filter, source: Path, target: Path) -> Command | None:
    path, _ = tool("graphicsmagick") or ("gm", "")
    if filter.kind == "magnitude":
        return None
    if filter.kind == "gaussian":
        steps = ["-blur", f"{filter.kernel.shape[1] // 2}x2.5"]
    else:
        # It divides by their sum, so that integers suffice: they are shorter.
        scale = 10**DIGITS if filter.kind == "dense" else 1
        weights = ",".join(map(_short, np.rint(filter.weights * scale).flat))
        if len(weights) >= LONGEST:
            return None
        steps = ["-convolve", weights]
    return [path, "convert", str(source), *steps, *_jpeg(target), str(target)]


def _jpeg(target: Path) -> Command:
    """For a PNG these would mean something else."""
    return ["-quality", QUALITY, "-sampling-factor", "2x2"] if target.suffix == ".jpg" else []


def _short(weight: float) -> str:
    """Write a weight without redundant zeros.

    >>> _short(0.00210), _short(5.0), _short(-1.0)
    ('.0021', '5', '-1')
    """
    return f"{weight:.6f}".rstrip("0").rstrip(".").replace("0.", ".", 1) or "0"


COMMAND_MAKERS = (
    CommandMaker("opencv script", "cv2", _opencv, fixed_point=1.2, tolerance=0),
    CommandMaker(
        "libvips", "libvips", vips, 1.2, fixed_point=1.5, tolerance=2
    ),  # a box of whole numbers is rounded twice
    CommandMaker("libvips short", "libvips", _vips_short, 1.2, fixed_point=1.5, approximates=True),
    CommandMaker("imagemagick", "imagemagick", _imagemagick),
    CommandMaker("graphicsmagick", "graphicsmagick", _graphicsmagick),
    CommandMaker("scikit-image script", "skimage", _skimage),
)
