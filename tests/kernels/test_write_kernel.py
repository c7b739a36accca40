"""Written kernels are read back with every digit."""

import json
from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.kernels import Kernel, parse_kernel
from convcli.kernels.write_kernel import WRITERS, encode_kernel

ODD = Kernel("odd", (((1, -2, pi), (0.1, 1e-30, 1e20), (-0.0, 7, 8)),))


@pytest.mark.parametrize("ending", WRITERS)
def test_every_digit_comes_back(ending, tmp_path):
    path = tmp_path / f"kernel{ending}"
    data, lost = encode_kernel(ODD, path)
    path.write_bytes(data)
    assert lost == []
    assert parse_kernel(str(path)).matrices == ODD.matrices


@pytest.mark.parametrize("ending", WRITERS)
def test_divisor_and_offset_are_stored_or_reported(ending, tmp_path):
    kernel = Kernel("mean", (((1, 2, 1),),), divisor=4, offset=-3)
    path = tmp_path / f"kernel{ending}"
    data, lost = encode_kernel(kernel, path)
    path.write_bytes(data)
    again = parse_kernel(str(path))
    assert np.array_equal(np.array(again.weights) / again.divisor, [[0.25, 0.5, 0.25]])
    if ending in (".json", ".mat"):
        assert (again.divisor, again.offset, lost) == (4, -3, [])
    else:
        assert (again.offset, lost) == (0, [f"{path} cannot hold the bias -3; .json and .mat can"])


@given(
    weights=st.lists(st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=3), min_size=1, max_size=3),
    ending=st.sampled_from([".csv", ".txt", ".json", ".npy"]),
)
def test_any_numbers_are_read_back(weights, ending, tmp_path_factory):
    path = tmp_path_factory.mktemp("kernel") / f"k{ending}"
    path.write_bytes(encode_kernel(Kernel("k", (tuple(map(tuple, weights)),)), path)[0])
    assert np.array_equal(np.array(parse_kernel(str(path)).weights, float), np.array(weights))


def test_axes_and_anchors(tmp_path):
    line, deep = Kernel("line", ((1, 2, 3),)), Kernel("deep", ((((1, 2),), ((3, 4),)),))
    for kernel, ending in ((line, ".csv"), (line, ".json"), (deep, ".json"), (deep, ".npy")):
        path = tmp_path / f"{kernel.name}{ending}"
        path.write_bytes(encode_kernel(kernel, path)[0])
        assert parse_kernel(str(path), dims=3).flat_weights == kernel.flat_weights
    anchored = Kernel("even", (((1, 2), (3, 4)),), anchor=(1, 1))
    for ending in (".json", ".mat"):
        path = tmp_path / f"even{ending}"
        path.write_bytes(encode_kernel(anchored, path)[0])
        assert parse_kernel(str(path)).anchor == (1, 1)
    assert json.loads(encode_kernel(anchored, tmp_path / "x.json")[0]) == {
        "weights": [[1, 2], [3, 4]],
        "anchor": [1, 1],
    }


@pytest.mark.parametrize(
    ("kernel", "name", "message"),
    [
        (
            ODD,
            "k.png",
            "k.png has the ending '.png', which is not a format of kernels; use .npy .csv .txt .json .mat",
        ),
        (ODD, "k", "k has no ending, which is not a format of kernels; use .npy .csv .txt .json .mat"),
        (parse_kernel("sobel"), "k.json", "kernel 'sobel' has 2 matrices; k.json can hold only one"),
        (
            Kernel("even", (((1, 2), (3, 4)),)),
            "k.mat",
            "k.mat cannot hold a kernel of 2x2 with this anchor: libvips anchors kernels of even sides at another tap; write .json",
        ),
        (
            Kernel("deep", ((((1, 2),), ((3, 4),)),)),
            "k.csv",
            "k.csv can hold only rows of numbers, but the kernel has 3 axes; write .npy or .json",
        ),
    ],
)
def test_kernels_that_a_file_cannot_store(kernel, name, message):
    from pathlib import Path

    with pytest.raises(ArgumentError) as error:
        encode_kernel(kernel, Path(name))
    assert str(error.value) == message
