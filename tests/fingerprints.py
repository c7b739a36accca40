"""SHA-256 of every sample picture under every kernel: the same on every processor.

`python -m tests.fingerprints` prints the table; `python -m tests.fingerprints write` writes it anew.
"""

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from convcli.backend.image import filter_image
from convcli.images.read import read_picture
from convcli.kernels import KERNELS, parse_kernel
from tests.conftest import SAMPLES

TABLE = Path(__file__).with_name("fingerprints.txt")
PICTURES = ("house.png", "landscape.png", "logo.png", "ramp16.png")  # grey, RGB, RGBA, and 16 bits
# Named kernels as they are, and those whose sums are not whole in other sizes; a half of what halves make a tie.
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
# Options beside a kernel alone, tried with a few kernels.
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
FEW = ("gaussian:sigma=2.5", "log:sigma=2", "gabor", "0.5 0.5", "freichen")


def cases() -> Iterator[tuple[str, str, str]]:
    """Return the name of each picture, the kernel, and what else is asked for."""
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
    return sha256(np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))).hexdigest()


def table() -> str:
    """Return a line for each case: its hash and what it is of."""
    return "".join(f"{fingerprint(*case)}  {', '.join(part for part in case if part)}\n" for case in cases())


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        TABLE.write_text(table())
    else:
        sys.stdout.write(table())
