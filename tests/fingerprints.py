"""SHA-256 of every sample picture under every kernel: the same on every processor.

`python -m tests.fingerprints` prints the table, `python -m tests.fingerprints 1 3` every third line from the second on, and `python -m tests.fingerprints write` writes the table to its file.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from convcli.filters.filter_image import filter_image
from convcli.filters.recipe import Recipe
from convcli.filters.stages.blend import tilt_shift
from convcli.filters.stages.offsets import swirl
from convcli.filters.tiles.given_picture import Given
from convcli.filters.tiles.tile_loop import TileWork, run
from convcli.filters.tiles.values_to_pixels import Finish
from convcli.images.read import read_picture
from convcli.kernels import KERNELS, parse_kernel
from convcli.layers import AvgPool, MaxPool
from tests.conftest import SAMPLES

TABLE = Path(__file__).with_name("fingerprints.txt")
PICTURES = ("house.png", "landscape.png", "logo.png", "ramp16.png")  # grey, RGB, RGBA, and 16 bits
# Named kernels with default arguments, those with fractional sums in other sizes, and a half, which causes ties.
SPECS = [
    *KERNELS,
    "gaussian:sigma=2.5",
    "gaussian:sigma=9",
    "motion:length=15,angle=30",
    "disk:12",
    "log:sigma=2",
    "unsharp:sigma=3",
    "0.5 0.5",
    "0.25 -1.3; 0.7 1.1",
    "0.1 0.2 0.4 0.2 0.1",
]
# Options of a single kernel, with a few kernels.
OPTIONS: dict[str, dict[str, Any]] = {
    "abs": {"value_range": "abs"},
    "offset": {"value_range": "offset"},
    "minmax": {"value_range": "minmax"},
    "stride": {"stride": (2, 3), "padding": "valid"},
    "dilation": {"dilation": 3, "padding_mode": "constant", "padding_value": 77.3},
    "linear": {"light": True, "padding_mode": "symmetric"},
    "keep": {"alpha": "keep"},
    "linear, keep": {"alpha": "keep", "light": True},
}
STAGED = ("logo.png", "ramp16.png")
SMOOTH = parse_kernel("gaussian:sigma=2.5")
# Stages, by the number of channels of the picture without alpha.
STAGES: dict[str, Callable[[int], Recipe]] = {
    "two kernels": lambda _: Recipe(kernels=(SMOOTH, parse_kernel("sobel"))),
    "five kernels": lambda _: Recipe(kernels=(SMOOTH,) * 5),
    "activation and pool": lambda _: Recipe(
        kernels=(parse_kernel("sobel-x"),),
        activation="sigmoid",
        pool=lambda dims: MaxPool(kernel_size=2),
        full_scale=255,
    ),
    "average pool": lambda _: Recipe(kernels=(SMOOTH,), pool=lambda dims: AvgPool(kernel_size=3, padding=1)),
    "standard": lambda channels: Recipe("standard", (replace(SMOOTH, divisor=channels),)),
    "pointwise": lambda channels: Recipe("pointwise", mixing=np.eye(channels)[::-1] * 0.7 + 0.1),
    "separable, rank 2": lambda _: Recipe("separable", (parse_kernel("disk:5"),), rank=2),
    "dilated": lambda _: Recipe("dilated", (parse_kernel("emboss"),), dilation=3),
    "transposed": lambda _: Recipe("transposed", (parse_kernel("bilinear:factor=2"),), stride=2),
    "resize-conv": lambda _: Recipe("resize-conv", (parse_kernel("box:2"),), stride=2),
    "deformable": lambda _: Recipe("deformable", (parse_kernel("gaussian:sigma=0.8"),), offsets=swirl()),
    "local": lambda _: Recipe("local", widths=tilt_shift()),
    "tiled": lambda _: Recipe("tiled", (SMOOTH, parse_kernel("emboss")), tile=(1, 2)),
}
FEW = ("gaussian:sigma=2.5", "log:sigma=2", "gabor", "0.5 0.5", "freichen")


def cases() -> Iterator[tuple[str, str, str]]:
    """Return the name of each picture, the kernel, and the other options."""
    for name in PICTURES:
        for spec in SPECS:
            yield name, spec, ""
        for spec in FEW:
            for option in OPTIONS:
                if "keep" not in option or name == "logo.png":
                    yield name, spec, option


def fingerprint(name: str, spec: str, option: str, **more: Any) -> str:
    """Return the hash of the samples, in little-endian order."""
    frame = read_picture(SAMPLES / name).frames[0]
    alpha = "auto" if frame.has_alpha else None
    options = {"alpha": alpha, **OPTIONS.get(option, {}), **more}
    pixels = filter_image(frame.pixels, parse_kernel(spec), **options).pixels
    return _hash(pixels)


def stage_fingerprint(name: str, stages: str, threads: int | None = None) -> str:
    """Return the hash of the samples that stages compute."""
    frame = read_picture(SAMPLES / name).frames[0]
    pixels = frame.pixels.reshape(*frame.pixels.shape[:2], -1)
    channels = pixels.shape[2] - frame.has_alpha
    made = STAGES[stages](channels).stages((channels, *pixels.shape[:2]))
    given, finish = Given(pixels, frame.has_alpha), Finish(pixels.dtype, pixels.dtype)
    return _hash(run(TileWork(given, made, finish, threads=threads)).pixels)


def _hash(pixels: Any) -> str:
    return sha256(np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))).hexdigest()


def table(first: int = 0, step: int = 1) -> str:
    """Return a line for each `step`-th case from `first` on: the hash, and the picture with its kernel and options."""
    kernels = [(fingerprint, case) for case in cases()]
    stages = [(stage_fingerprint, case) for case in product(STAGED, STAGES)]
    chosen = [*kernels, *stages][first::step]
    return "".join(
        f"{hashed(*case)}  {', '.join(part for part in case if part)}\n" for hashed, case in chosen
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        TABLE.write_text(table())
    else:
        sys.stdout.write(table(*map(int, sys.argv[1:])))
