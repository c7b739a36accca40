"""A program that uses every public name of convcli, type-checked and run by `make package`.

`python public_api.py FOLDER` writes its pictures there.
"""

import sys
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import convcli
from convcli import (
    VARIANTS,
    ArgumentError,
    Conv,
    ConvcliError,
    Drawing,
    FileError,
    ImageError,
    Kernel,
    Network,
    WriteError,
    backend,
    diff,
    draw,
    filter_file,
    filter_picture,
    kernels,
    layers,
    learn_bank,
    learn_kernel,
    load_network,
    match,
    networks,
    parse_chain,
    parse_kernel,
)


def pictures(folder: Path) -> None:
    """Filter arrays and files, compare and find them, and learn a kernel from two."""
    steps = np.random.default_rng(1).integers(0, 99, (20, 20), np.uint8)
    edges = filter_picture(steps, "sobel", padding_mode="zeros")
    assert_type(edges, npt.NDArray[Any])
    kernel = parse_kernel("gaussian:sigma=2")
    assert_type(kernel, Kernel)
    assert "gaussian" in kernels.KERNELS
    blurred = filter_picture(steps, kernel)
    apart = diff(steps, blurred, tolerance=1)
    assert_type(apart.largest, float)
    assert 0 < apart.beyond <= apart.samples
    places = match(steps, steps[2:5, 3:6], top=1)
    assert (places[0].row, places[0].column) == (2, 3)
    learned = learn_kernel(steps, filter_picture(steps, "identity"), 3)
    assert learned.samples > 9
    assert len(learn_bank(steps, count=2, size=3).weights) == 2
    np.save(folder / "steps.npy", steps)
    written = filter_file(folder / "steps.npy", folder / "edges.png", "sobel")
    assert_type(written.path, Path)
    try:
        filter_file(folder / "steps.npy", written.path, "sobel")
    except WriteError as error:
        assert_type(error.exit_code, int)
    try:
        filter_file(folder / "none.png", kernel="box")
    except ImageError as error:
        print(error)


def numbers(folder: Path) -> None:
    """Compute sizes, parameters and work; run a layer, and draw it."""
    layer = Conv(in_channels=3, out_channels=8, kernel_size=3, padding="same")
    assert_type(layer.output_shape((3, 9, 9)), tuple[int, ...])
    assert isinstance(layer, layers.Layer)
    cost = layer.cost((3, 9, 9))
    assert_type(cost.macs, int)
    (depthwise, pointwise) = VARIANTS["depthwise-separable"](layer)
    assert depthwise.params() + pointwise.params() < layer.params()
    chain = parse_chain("conv k3 o4, relu, maxpool k2 s2", (3, 9, 9))
    x = np.ones((1, 3, 9, 9), np.float32)
    y = backend.conv(x, np.ones((8, 3, 3, 3), np.float32), padding=1)
    assert y.shape[1:] == layer.output_shape((3, 9, 9))
    network = load_network("lenet-5")
    assert_type(network, Network)
    assert isinstance(networks.load("lenet-5"), Network)
    drawing = draw(chain, (3, 9, 9))
    assert_type(drawing, Drawing)
    drawing.save(folder / "chain.html")
    try:
        Conv(in_channels=0, out_channels=8, kernel_size=3)
    except ArgumentError as error:
        assert isinstance(error, ConvcliError)
    try:
        parse_kernel("none.csv")
    except FileError as error:
        print(error)
    print(convcli.__version__, network.name, cost.macs)


if __name__ == "__main__":
    pictures(Path(sys.argv[1]))
    numbers(Path(sys.argv[1]))
