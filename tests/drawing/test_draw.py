"""convcli.draw gives the same drawings as the command line."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import convcli
from convcli import Conv, parse_chain
from convcli.drawing.example_numbers import read_values
from convcli.errors import ArgumentError, ConvcliError
from convcli.layers import ConvTranspose, DeformConv, MaxPool
from convcli.networks import load
from tests.conftest import Call

NINE = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
FOUR = [[0, 1], [2, 3]]
SAME = {
    "numbers": (
        ["--values", "0 1 2; 3 4 5; 6 7 8", "--kernel", "0 1; 2 3"],
        ((Conv(1, 1, 2),), {"values": NINE, "kernel": FOUR}),
    ),
    "a size": (["--n", "5", "--k", "3", "--s", "2"], ((Conv(1, 1, 3, stride=2), 5), {})),
    "channels": (["--n", "4", "--in", "2", "--k", "3"], ((Conv(2, 1, 3), 4), {})),
    "a chain": (
        ["--n", "5", "--layers", "conv k3 p1, relu, maxpool k2"],
        (("conv k3 p1, relu, maxpool k2", (1, 5, 5)), {}),
    ),
    "a list of layers": (
        ["--n", "5", "--layers", "conv k3 p1, relu"],
        ((parse_chain("conv k3 p1, relu", (1, 5, 5)), (1, 5, 5)), {}),
    ),
    "another seed, turned": (
        ["--n", "4", "--k", "3", "--seed", "7", "--flip"],
        ((Conv(1, 1, 3), 4), {"seed": 7, "flip": True}),
    ),
    "a border": (
        ["--n", "4", "--k", "3", "--p", "1", "--padding-mode", "edge"],
        ((Conv(1, 1, 3, padding=1), 4), {"padding_mode": "edge"}),
    ),
    "a constant border": (
        ["--n", "4", "--k", "3", "--p", "1", "--padding-mode", "constant", "--padding-value", "9"],
        ((Conv(1, 1, 3, padding=1), 4), {"padding_mode": "constant", "padding_value": 9}),
    ),
    "offsets": (
        ["--n", "4", "--k", "1x2", "--variant", "deformable", "--offsets", "0 1/2; 1 0"],
        ((convcli.VARIANTS["deformable"](Conv(1, 1, (1, 2)), (1, 4, 4)), 4), {"offsets": [[0, 0.5], [1, 0]]}),
    ),
    "one axis": (
        ["--values", "1 2 3 4", "--k", "2", "--dims", "1"],
        ((Conv(1, 1, 2, dims=1),), {"values": np.arange(1, 5)}),
    ),
    "a named kernel": (
        ["--n", "4", "--kernel", "sobel-x"],
        ((Conv(1, 1, 3), 4), {"kernel": "sobel-x"}),
    ),
    "kernels": (
        ["--n", "3", "--out", "2", "--kernel", "0 1; 2 3", "--kernel", "1 1; 1 1"],
        ((Conv(1, 2, 2), 3), {"kernel": [np.array(FOUR), np.ones((2, 2))]}),
    ),
    "a matrix": (["--n", "3", "--kernel", "0 1; 2 3", "--matrix"], ((Conv(1, 1, 2), 3), {"kernel": FOUR, "matrix": True})),
    "a field": (
        ["--n", "9", "--layers", "maxpool k2, conv k3", "--receptive", "--at", "1,0"],
        (("maxpool k2, conv k3", (1, 9, 9)), {"receptive": True, "at": (1, 0)}),
    ),
    "a field in a network": (
        ["squeezenet-1.1", "--receptive", "--at", "1,0", "--layer", "conv1"],
        (("squeezenet-1.1",), {"receptive": True, "at": (1, 0), "layer": "conv1"}),
    ),
    "a field with another input": (
        ["squeezenet-1.1", "--input", "3x64x64", "--receptive"],
        ((load("squeezenet-1.1", (3, 64, 64)),), {"receptive": True}),
    ),
    "an overlap": (
        ["--n", "3", "--k", "3", "--s", "2", "--transposed", "--checkerboard"],
        ((ConvTranspose(1, 1, 3, stride=2), 3), {"checkerboard": True}),
    ),
    "connections": (["--n", "5", "--k", "3", "--connections"], ((Conv(1, 1, 3), 5), {"connections": True})),
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
def test_it_draws_what_the_command_line_draws(call: Call, what: str) -> None:
    words, (given, options) = SAME[what]
    drawing = convcli.draw(*given, **options)
    code, out, err = call("draw", *words, "-o", "json:-")
    assert (code, err) == (0, "")
    assert json.loads(drawing.encode("json")) == json.loads(out)
    assert f"{drawing}\n" == call("draw", *words).out


def test_numbers_are_exact() -> None:
    thirds = convcli.draw(Conv(1, 1, 1), values=[[[Fraction(1, 3)], [0.1]]], kernel=[[1 / 7]]).record()[0]
    assert thirds["inputs"] == [[["1/3"], ["1/10"]]]
    assert thirds["steps"][0]["result"] == "1/21"
    stacked = np.arange(8).reshape(2, 2, 2)
    assert convcli.draw(Conv(2, 1, 1), values=stacked).record()[0]["inputs"] == stacked.tolist()
    text = convcli.draw(Conv(2, 1, 1), values="0 1; 2 3 | 4 5; 6 7")
    assert text.record()[0]["inputs"] == stacked.tolist()


def test_the_extension_chooses_the_format(tmp_path: Path) -> None:
    drawing = convcli.draw(Conv(1, 1, 2), 3)
    path = tmp_path / "x.svg"
    assert drawing.save(path, step=2, theme="dark") == path
    assert path.read_bytes() == drawing.encode("svg", step=2, theme="dark") != drawing.encode("svg")
    with pytest.raises(ConvcliError, match="exists"):
        drawing.save(path)
    drawing.save(str(path), force=True)
    assert path.read_bytes() == drawing.encode("svg")
    with pytest.raises(ArgumentError, match="`form` must be one of txt, png"):
        drawing.save(tmp_path / "x.jpg")
    with pytest.raises(ArgumentError, match="`theme` must be one of auto, light, dark, got 'blue'"):
        drawing.encode("svg", theme="blue")
    assert [each.name for each in tmp_path.iterdir()] == ["x.svg"]


def test_a_notebook_shows_an_image() -> None:
    from base64 import b64decode

    drawing = convcli.draw(Conv(1, 1, 2), 3)
    start, _, rest = drawing._repr_html_().partition("base64,")
    assert start == '<img alt="a drawing by convcli" src="data:image/svg+xml;'
    assert b64decode(rest.partition('"')[0]) == drawing.encode("svg")


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ((Conv(1, 1, 2),), {}, "the input is missing; give `input_shape` or `values`"),
        ((Conv(1, 1, 2), 4), {"values": NINE}, "`input_shape` 1x4x4 does not match the `values`, which are 1x3x3; leave it out"),
        ((Conv(1, 1, 2),), {"values": [[1, 2], [3]]}, "`values` are ragged; give 2 numbers in each row"),
        ((Conv(1, 1, 2),), {"values": [[1, "a"]]}, "`values` must be finite numbers, got 'a'"),
        ((Conv(1, 1, 2),), {"values": [[1, float("nan")]]}, "`values` must be finite numbers, got nan"),
        ((Conv(1, 1, 2),), {"values": 7}, "`values` must have the shape (W,), (H, W) or (C, H, W), not that of a single number"),
        ((Conv(1, 1, 2),), {"values": [[[[1]]]]}, "`values` must have the shape (W,), (H, W) or (C, H, W), not 1x1x1x1"),
        ((3, 4), {}, "`layers` must be a chain such as 'conv k3 p1, relu', layers, or a network, got 3"),
        (([], 4), {}, "`layers` must be a chain such as 'conv k3 p1, relu', layers, or a network, got []"),
        ((Conv(1, 1, 2), 4), {"matrix": True, "receptive": True}, "`matrix=True` and `receptive=True` are different drawings"),
        ((Conv(1, 1, 2), 4), {"at": (0, 0)}, "`at` needs `receptive=True`; add that, or leave `at` out"),
        ((Conv(1, 1, 2), 4), {"layer": "conv1"}, "`layer` needs `receptive=True`; add that, or leave `layer` out"),
        ((Conv(1, 1, 2), 4), {"layer": "conv1", "receptive": True}, "`layer` names a layer of a network; in a chain, leave out the layers after it"),
        ((Conv(1, 1, 2), 4), {"receptive": True, "seed": 1}, "`receptive=True` does not use input values, kernels or offsets; give only sizes"),
        ((Conv(1, 1, 2), 4), {"matrix": True, "values": np.ones((4, 4))}, "`matrix=True` does not use input values; give only sizes"),
        ((Conv(1, 1, 2, padding=1), 4), {"matrix": True, "padding_mode": "reflect"}, "`padding_mode` applies to the drawing of steps, not to `matrix=True`; leave it out"),
        ((Conv(1, 1, 2, padding=1), 4), {"padding_mode": "mirrored"}, "there is no padding mode 'mirrored'; did you mean 'mirror'?"),
        ((Conv(1, 1, 2, padding=1), 4), {"padding_value": 3}, "`padding_value` belongs to `padding_mode='constant'`"),
        ((MaxPool(2, padding=1), 4), {"padding_mode": "reflect"}, "`padding_mode` fills the padding of a convolution, but there is none; give `padding`"),
        ((DeformConv(1, 1, 1), 3), {"offsets": "1 1 | 1 1"}, "`offsets` must be rows of 2 numbers, without |"),
        (("resnet-18",), {}, "a network can be drawn with `receptive=True` only"),
        (("resnet-18", 64), {"receptive": True}, "the input shape of a network must be (channels, *sizes), got `input_shape=64`"),
        ((load("resnet-18"), (3, 64, 64)), {"receptive": True}, "the network already has an input shape"),
        (("resnet-18",), {"receptive": True, "layer": "conv99"}, "the network has no layer 'conv99'; did you mean"),
        (("resnet-18",), {"receptive": True, "kernel": FOUR}, "`receptive=True` does not use input values, kernels or offsets"),
        (("resnet-18",), {"receptive": True, "layer": "dense1"}, "what 'dense1' sees has no window, so it cannot be drawn"),
    ],
)  # fmt: skip
def test_errors_name_the_argument(
    given: tuple[object, ...], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ArgumentError) as error:
        convcli.draw(*given, **options)
    assert message in str(error.value)


def test_values_are_read_as_on_the_command_line() -> None:
    from convcli.drawing.draw import values_of

    assert values_of(NINE) == read_values("0 1 2; 3 4 5; 6 7 8")
    assert values_of(np.array([1, 2], np.uint8)) == read_values("1 2")
