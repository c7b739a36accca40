"""The runs whose memory is estimated and measured: kinds of files, and runs of `convcli filter` on them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]

FACTOR = 1.5  # within which an estimate must be of the peak
MIN_RATIO = 0.5  # the lowest ratio of estimate and peak of variants and pipelines
FRAMES = 24  # of animations, which have as many pixels together as a still picture
MIN_SIDE = 48  # of a frame, which the template fits into
MOVED = 5  # pixels from one frame to the next
TEMPLATE = (31, 41)  # rows and columns


@dataclass(frozen=True)
class Work:
    """A run of convcli on a kind of file.

    words  : its options; {template} is a picture that is looked for
    into   : how the output's name ends
    most   : what the ratio of estimate and peak may be; None where only the least is promised
    least  : the same; by default as far below 1 as `most` is above
    small  : the options of the run on next to nothing, where they must differ
    command : the command that runs
    by_rows : whether it has no more memory than it needs by rows
    """

    name: str
    source: str
    words: str
    into: str
    most: float | None = FACTOR
    least: float = 1 / FACTOR
    small: str | None = None
    command: str = "filter"
    by_rows: bool = False


def _variant(name: str, words: str, source: str = "rgb.jpg", into: str = ".jpg") -> Work:
    return Work(name, source, words, into, most=None, least=MIN_RATIO)


SHARPEN, SMOOTH = "-k sharpen", "-k gaussian:sigma=2.5"
WORKS = (
    *(Work(f"a kernel, {form}", f"rgb.{form}", SHARPEN, f".{form}") for form in "png jpg webp tif bmp ppm".split()),
    Work("a kernel, gif", "palette.gif", SHARPEN, ".gif"),
    Work("a kernel, npy", "rgb.npy", SHARPEN, ".npy"),
    Work("a kernel, jpg to npy", "rgb.jpg", SHARPEN, ".npy"),
    Work("a kernel, npy to png", "rgb.npy", SHARPEN, ".png"),
    Work("a kernel, one thread", "rgb.jpg", f"{SHARPEN} --threads 1", ".jpg"),
    Work("a separable kernel", "rgb.jpg", SMOOTH, ".jpg"),
    Work("a magnitude", "rgb.jpg", "-k sobel", ".jpg"),
    Work("a box", "rgb.jpg", "-k box:31", ".jpg"),
    Work("png, its level given", "rgb.png", f"{SHARPEN} --png-level 1", ".png"),
    Work("webp, lossy", "lossy.webp", SHARPEN, ".webp"),
    Work("webp with alpha", "rgba.webp", SHARPEN, ".webp"),
    Work("jpg, progressive", "progressive.jpg", SHARPEN, ".jpg"),
    Work("jpg, turned by EXIF", "turned.jpg", SHARPEN, ".jpg"),
    Work("a palette", "palette.png", SHARPEN, ".png"),
    Work("colours to gif", "rgb.png", SHARPEN, ".gif"),
    Work("--gray", "rgb.jpg", f"{SHARPEN} --gray", ".jpg"),
    *(Work(f"grey, {form}", f"grey.{form}", SHARPEN, f".{form}") for form in "png jpg tif".split()),
    Work("alpha, keep", "rgba.png", f"{SHARPEN} --alpha keep", ".png"),
    Work("alpha, premultiply", "rgba.png", f"{SMOOTH} --alpha premultiply", ".png"),
    Work("alpha, filter", "rgba.png", f"{SHARPEN} --alpha filter", ".png"),
    Work("minmax", "rgb.jpg", "-k sobel --range minmax", ".jpg"),
    Work("minmax, grey", "grey.png", "-k laplacian --range minmax", ".png"),
    Work("--stats", "rgb.jpg", f"{SHARPEN} --stats", ".jpg"),
    Work("--linear", "rgb.jpg", f"{SMOOTH} --linear", ".jpg"),
    Work("--linear, alpha premultiply", "rgba.png", f"{SMOOTH} --linear", ".png"),
    Work("--linear, alpha keep", "rgba.png", f"{SHARPEN} --linear", ".png"),
    Work("--linear, minmax", "rgb.jpg", "-k sobel --linear --range minmax", ".jpg"),
    Work("--method fft", "rgb.jpg", "-k gabor:sigma=5 --method fft", ".jpg"),
    Work("--method fft, alpha", "rgba.png", "-k gabor:sigma=5 --method fft", ".png"),
    Work("--padding 1000", "rgb.jpg", f"{SHARPEN} --padding 1000 --padding-mode constant", ".jpg", small=SHARPEN),
    Work("--stride 4", "rgb.jpg", f"{SHARPEN} --stride 4", ".jpg"),
    *(Work(f"16 bits, grey, {form}", f"grey16.{form}", SMOOTH, f".{form}") for form in ("png", "pgm", "tif")),
    *(Work(f"16 bits, colours, {form}", f"rgb16.{form}", SMOOTH, f".{form}") for form in ("png", "ppm", "tif")),
    Work("16 bits, colours, alpha", "rgba16.png", SMOOTH, ".png"),
    Work("16 bits, --linear", "rgb16.png", f"{SMOOTH} --linear", ".png"),
    Work("floats, tif", "float.tif", SMOOTH, ".tif"),
    Work("floats, npy", "float.npy", SMOOTH, ".npy"),
    Work("floats, tif, minmax", "float.tif", f"{SMOOTH} --range minmax", ".tif"),
    Work("float64, npy", "double.npy", SMOOTH, ".npy"),
    *(Work(f"frames, {form}", f"frames.{form}", SHARPEN, f".{form}") for form in ("png", "gif", "webp")),
    Work("frames, minmax", "frames.png", "-k sobel --range minmax", ".png"),
    Work("frames, gif to webp", "frames.gif", SHARPEN, ".webp"),
    Work("one of the frames", "frames.png", f"{SHARPEN} --frame 7", ".png"),
    Work("pages, tif", "frames.tif", SHARPEN, ".tif"),
    Work("pages, npy", "frames.npy", SHARPEN, ".npy"),
    Work("match", "rgb.jpg", "--template {template}", ".png", command="match"),
    Work("match, one thread", "rgb.jpg", "--template {template} --threads 1", ".png", command="match"),
    Work("match, grey", "grey.png", "--template {template} --gray", ".png", command="match"),
    Work("match, to npy", "rgb.jpg", "--template {template}", ".npy", command="match"),
    Work("match, frames", "frames.png", "--template {template}", ".tif", command="match"),
    Work("by rows, a kernel, tif", "rgb.tif", SMOOTH, ".tif", by_rows=True),
    Work("by rows, a kernel, npy", "rgb.npy", SMOOTH, ".npy", by_rows=True),
    Work("by rows, two kernels, tif", "grey16.tif", f"{SMOOTH} -k sobel", ".tif", by_rows=True),
    Work("by rows, two kernels, npy", "grey.npy", f"{SMOOTH} -k sobel --pool max:2", ".npy", by_rows=True),
    Work("by rows, tif to png", "rgb.tif", f"{SMOOTH} -k sobel", ".png", by_rows=True),
    Work("by rows, png to tif", "grey.png", f"{SMOOTH} -k sobel", ".tif", by_rows=True),
    _variant("two kernels", f"{SMOOTH} -k sobel"),
    _variant("two kernels, alpha premultiply", f"{SMOOTH} -k gaussian", "rgba.png", ".png"),
    _variant("two kernels, alpha keep", f"{SHARPEN} -k sobel", "rgba.png", ".png"),
    _variant("two kernels, --stats", f"{SMOOTH} -k sobel --stats"),
    _variant("two kernels, minmax", f"{SMOOTH} -k sobel --range minmax"),
    _variant("two kernels, floats", f"{SMOOTH} -k sobel", "float.tif", ".tif"),
    _variant("activation", "-k sobel-x --activation relu"),
    _variant("pool", "-k sobel --pool max:2"),
    _variant("sheet", "-k sobel --sheet", into=".png"),
    _variant("standard", "-k sobel --variant standard"),
    _variant("pointwise", "--variant pointwise --pointwise sepia"),
    _variant("separable", f"{SMOOTH} --variant separable"),
    _variant("separable, two terms", "-k disk:radius=4 --variant separable --rank 2"),
    _variant("dilated", f"{SHARPEN} --variant dilated --dilation 2"),
    _variant("transposed", "-k bilinear:factor=2 --variant transposed --stride 2"),
    _variant("resize-conv", f"{SHARPEN} --variant resize-conv"),
    _variant("deformable", "-k gaussian --variant deformable --offsets swirl"),
    _variant("local", "--variant local --local tilt-shift"),
    _variant("tiled", f"{SHARPEN} -k box:3 --variant tiled"),
    _variant("over frames", "-k box:3 --dims 3", "frames.webp", ".webp"),
)  # fmt: skip


def write(path: Path, pixels: Array) -> None:
    """Write a file of the kind of its name, from pixels (H, W, 3) of 8 bits."""
    kind = path.stem.split("-")[0]
    if kind == "frames":
        _write_frames(path, pixels)
        return
    samples = KINDS[kind](pixels)
    if path.suffix == ".npy":
        np.save(path, samples)
    elif kind == "palette":
        Image.fromarray(samples).quantize(64).save(path)
    elif samples.dtype == np.uint16:
        _write_deep(path, samples)
    else:
        exif = Image.Exif()
        if kind == "turned":
            exif[274] = 6
        lossless = path.suffix == ".webp" and kind in ("rgb", "rgba")
        Image.fromarray(samples).save(path, exif=exif, progressive=kind == "progressive", lossless=lossless)


def _with_alpha(pixels: Array) -> Array:
    return np.concatenate([pixels, pixels[..., :1] // 2 + 100], axis=2)


def _same(pixels: Array) -> Array:
    return pixels


KINDS: dict[str, Callable[[Array], Array]] = {
    **dict.fromkeys(("rgb", "lossy", "progressive", "turned", "palette"), _same),
    "rgba": _with_alpha,
    "grey": lambda pixels: np.ascontiguousarray(pixels[..., 1]),
    "grey16": lambda pixels: pixels[..., 1] * np.uint16(257),
    "rgb16": lambda pixels: pixels * np.uint16(257),
    "rgba16": lambda pixels: _with_alpha(pixels) * np.uint16(257),
    "float": lambda pixels: pixels[..., 1] / np.float32(255),
    "double": lambda pixels: pixels / 255,
}


def _write_deep(path: Path, samples: Array) -> None:
    """Write samples of 16 bits, whose colours Pillow does not write."""
    from convcli.images.picture import Frame, Picture
    from convcli.images.write import encode

    mode = "I;16" if samples.ndim == 2 else "RGBA;16"[: samples.shape[2]] + ";16"
    form = {".png": "PNG", ".tif": "TIFF", ".ppm": "PPM", ".pgm": "PGM"}[path.suffix]
    path.write_bytes(encode(Picture((Frame(samples, mode),), form), form, path.name)[0])


def _write_frames(path: Path, pixels: Array) -> None:
    frames = list(_frames(pixels))
    if path.suffix == ".npy":
        np.save(path, np.stack(frames))
        return
    first, *others = map(Image.fromarray, frames)
    settings = {"lossless": True} if path.suffix == ".webp" else {}
    first.save(path, save_all=True, append_images=others, **settings)


def _frames(pixels: Array) -> Iterator[Array]:
    height, width = pixels.shape[:2]
    part = round(FRAMES**0.5)
    rows, columns = max(MIN_SIDE, height // part), max(MIN_SIDE, width // part)
    for number in range(FRAMES):
        yield np.roll(pixels, MOVED * number, axis=1)[:rows, :columns]


def template(pixels: Array) -> Array:
    """Return a part of a picture, to be looked for."""
    return pixels[: TEMPLATE[0], : TEMPLATE[1]]
