"""Commands of more than one plain kernel, each against a short OpenCV script that does the same."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.commands import QUALITY
from tests.benchmarks.recipes import IMPORTS
from tests.benchmarks.tools import Command

_SOBEL = "cv2.magnitude(cv2.Sobel({0}, cv2.CV_32F, 1, 0), cv2.Sobel({0}, cv2.CV_32F, 0, 1))"
_BLUR = "cv2.GaussianBlur({0}, (17, 17), 2.5)"


@dataclass(frozen=True)
class Pipeline:
    """The options of convcli, and a script from the picture `x` to the picture `y`.

    limit : the target, our time divided by the script's; None where seconds are measured alone
    tolerance : mean levels that they may be apart
    """

    name: str
    options: str
    script: tuple[str, ...] = ()
    limit: float | None = None
    suffix: str = ".jpg"
    tolerance: float = 1.0
    approximates: bool = False


PIPELINES = (
    Pipeline(
        "gaussian, sobel",
        "-k gaussian:sigma=2.5 -k sobel",
        (f"g = {_BLUR.format('x')}", f"y = cv2.convertScaleAbs({_SOBEL.format('g')})"),
        1.0,
    ),
    Pipeline(
        "sobel, max pool 2",
        "-k sobel --pool max:2",
        (
            f"y = cv2.convertScaleAbs({_SOBEL.format('x')})",
            "h, w = (n // 2 for n in y.shape[:2])",
            "y = y[: 2 * h, : 2 * w].reshape(h, 2, w, 2, 3).max(axis=(1, 3))",
        ),
        0.8,
    ),
    Pipeline(
        "sepia",
        "--variant pointwise --pointwise sepia",
        (
            "m = np.array([[0.131, 0.534, 0.272], [0.168, 0.686, 0.349], [0.189, 0.769, 0.393]])",
            "y = cv2.transform(x, m)",
        ),
        1.2,
    ),
    Pipeline(
        "gaussian beside alpha",
        "-k gaussian:sigma=2.5",
        (
            "a = x[..., 3:].astype(np.float32) / 255",
            f"w = {_BLUR.format('a')}",
            f"c = {_BLUR.format('x[..., :3] * a')} / np.maximum(w, 1e-6)[..., None]",
            "y = np.dstack([np.rint(c), np.rint(w * 255)]).clip(0, 255).astype(np.uint8)",
        ),
        1.0,
        ".png",
    ),
    Pipeline(
        "gaussian in linear light",
        "-k gaussian:sigma=2.5 --linear",
        (
            "v = np.arange(256) / 255",
            "t = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4).astype(np.float32)",
            f"l = {_BLUR.format('cv2.LUT(x, t)')}",
            "s = np.where(l <= 0.0031308, 12.92 * l, 1.055 * cv2.pow(l, 1 / 2.4) - 0.055)",
            "y = np.rint(s * 255).clip(0, 255).astype(np.uint8)",
        ),
        0.8,
    ),
    Pipeline(
        "transposed, twice the size",
        "--variant transposed -k bilinear:factor=2",
        ("y = cv2.resize(x, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)",),
        1.5,
    ),
    Pipeline(
        "swirl",
        "--offsets swirl",
        (
            "h, w = x.shape[:2]",
            "dy, dx = np.mgrid[:h, :w].astype(np.float32)",
            "dy -= (h - 1) / 2",
            "dx -= (w - 1) / 2",
            "t = 3 * np.exp(-np.hypot(dy, dx) / np.float32(max(h, w) * np.log(2) / 5))",
            "a, d = np.arctan2(dy, dx) + t, np.hypot(dy, dx)",
            "mx, my = d * np.cos(a) + (w - 1) / 2, d * np.sin(a) + (h - 1) / 2",
            "y = cv2.remap(x, mx.astype(np.float32), my.astype(np.float32), cv2.INTER_LINEAR, "
            "borderMode=cv2.BORDER_REFLECT_101)",
        ),
        2.5,
        tolerance=2.0,
    ),
    Pipeline(
        "sobel, minmax",
        "-k sobel --range minmax",
        (
            f"y = {_SOBEL.format('x')}",
            "y = cv2.normalize(y, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)",
        ),
        0.8,
    ),
    Pipeline(
        "dilated emboss",
        "--variant dilated --dilation 2 -k '-2 -1 0; -1 1 1; 0 1 2'",
        (
            "k = np.zeros((5, 5), np.float32)",
            "k[::2, ::2] = [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]",
            "y = cv2.filter2D(x, -1, k)",
        ),
        1.2,
    ),
    Pipeline("tilt-shift", "--local tilt-shift"),
    Pipeline("tiled 2x2", "--variant tiled --tile 2x2 -k box -k sharpen -k emboss -k gaussian"),
    Pipeline("separable, rank 2", "--variant separable -k disk:5 --rank 2"),
    *(Pipeline(f"{count} gaussians", " ".join(["-k gaussian:sigma=2.5"] * count)) for count in (2, 5, 10)),
)


def convcli_command(pipeline: Pipeline, source: Path, target: Path) -> Command:
    """Spell convcli's command."""
    import shlex

    script = Path(sys.executable).with_name("convcli")
    program = [str(script)] if script.exists() else [sys.executable, "-m", "convcli"]
    options = shlex.split(pipeline.options)
    return [*program, "filter", str(source), *options, "--force", "-q", "-o", str(target)]


def scripted(pipeline: Pipeline, source: Path, target: Path) -> Command:
    """Write the script."""
    lines: Iterator[str] = iter(
        (
            IMPORTS["opencv"],
            f"x = cv2.imread({str(source)!r}, cv2.IMREAD_UNCHANGED)",
            *pipeline.script,
            f"cv2.imwrite({str(target)!r}, y, [cv2.IMWRITE_JPEG_QUALITY, {QUALITY}])",
        )
    )
    return [sys.executable, "-c", "\n".join(lines)]
