"""convcli networks, and NETWORK as the argument of shape, params, cost and compare."""

import csv
import io
import json
from pathlib import Path

import pytest

from convcli.networks.zoo.index import ZOO
from tests.conftest import Call, one_error

NET = """
input = "3x16x16"
layers = ["conv k3 p1 o8", "relu", { layer = "conv k3 p1", name = "side" }, { layer = "add", from = ["side", "relu1"] },
  "globalavgpool, flatten, dense o10"]
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "my net.toml"
    path.write_text(NET)
    return path


def answer(call: Call, *words: object) -> dict:
    code, out, err = call(*words, "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_the_list_has_every_network_with_its_source(call: Call) -> None:
    rows = answer(call, "networks")["rows"]
    assert [row["name"] for row in rows] == list(ZOO)
    assert [row["source"] for row in rows] == [entry.source for entry in ZOO.values()]
    assert "width=1" in next(row for row in rows if row["name"] == "mobilenet-v1")["options"]


def test_a_word_selects(call: Call) -> None:
    found = [row["name"] for row in answer(call, "networks", "RESNET")["rows"]]
    assert found and all("resnet" in name for name in found if not name.startswith("resnext"))
    assert call("networks", "1704.04861", "--format", "value").out == "mobilenet-v1\n"
    message = one_error(call("networks", "resnat-50"))
    assert message == "no network has 'resnat-50' in its name or source; did you mean 'resnet-50'?"
    message = one_error(call("networks", "transformer"))
    assert message == "no network has 'transformer' in its name or source; leave it out to list all networks"


def test_cost_of_a_network(call: Call) -> None:
    found = answer(call, "cost", "resnet-50")
    assert found["totals"]["params"] == 25_557_032
    assert round(found["totals"]["macs"] / 1e9, 3) == 4.089
    assert found["totals"]["macs"] == sum(row["macs"] for row in found["rows"])
    assert call("cost", "resnet-50", "--format", "value").out == f"{found['totals']['macs']}\n"
    assert call("params", "resnet-50", "--format", "value").out == "25557032\n"
    out = call("cost", "resnet-50").out
    assert "resnet-50: He et al. (2015)" in out
    assert "input 1x3x224x224: 4.089 GMACs" in out


def test_a_file_is_a_network(call: Call, net: Path) -> None:
    rows = answer(call, "shape", net, "--input", "3x32x32", "--batch", 2)["rows"]
    assert [row["output_shape"] for row in rows][:4] == [[8, 32, 32]] * 4
    assert rows[3]["inputs"] == ["side", "relu1"]
    assert rows[3]["receptive_field"] == [5, 5]
    assert {row["batch"] for row in rows} == {2}
    assert answer(call, "shape", net, "--input", "input=3x32x32", "--batch", 2)["rows"] == rows
    assert call("shape", net, "--format", "value").out == "10\n"
    half = answer(call, "cost", net, "--dtype", "float16")["totals"]
    assert answer(call, "cost", net)["totals"]["parameter_bytes"] == 2 * half["parameter_bytes"]


def test_every_format_has_a_network(call: Call, net: Path) -> None:
    table = call("cost", net).out.splitlines()
    assert table[0].split() == ["name", "layer", "output", "shape", "params", "MACs", "FLOPs"]
    (header, *lines) = csv.reader(io.StringIO(call("cost", net, "--format", "csv").out))
    assert len(lines) == 7
    assert lines[3][header.index("inputs")] == "side, relu1"
    markdown = call("shape", net, "--format", "markdown").out
    assert "| add1 | add | side, relu1 | 8x16x16 | 5x5 | 1x1 |" in markdown


def test_layers_of_a_file(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a chain.txt"
    path.write_text("# a stem\nconv k3 p1 o8, relu\nmaxpool k2\n")
    typed = answer(call, "cost", "--n", 8, "--layers", "conv k3 p1 o8, relu, maxpool k2")
    assert answer(call, "cost", "--n", 8, "--layers", f"@{path}")["rows"] == typed["rows"]
    path.write_text("conv k3\n\nconv k9\n")
    message = one_error(call("shape", "--n", 8, "--layers", f"@{path}"))
    assert message.startswith(f"{path}, line 3, 'conv k9': the output would be empty")


def test_the_name_of_a_file_without_an_at_sign_is_answered_with_what_reads_it(
    call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "layers.txt"
    path.write_text("conv k3, relu\n")
    message = one_error(call("shape", "--n", 8, "--layers", path))
    assert (
        f"{str(path)!r} is not a layer; to read the layers from a file of that name, write @{path} (see"
        in message
    )
    assert call("shape", "--n", 8, "--layers", f"@{path}").code == 0
    assert f"layers in a file belong to --layers @{path} (see" in one_error(call("shape", path))
    network = one_error(call("shape", "--n", 8, "--layers", "net.toml"))
    assert "'net.toml' is a network file; give it without an option (see" in network
    assert "'nn.Foo' is not an operator; use conv" in one_error(call("shape", "--n", 8, "--layers", "nn.Foo"))


def test_mobilenets_table_4(call: Call) -> None:
    """MobileNets (arXiv 1704.04861), table 4: 4866 M and 29.3 M of full convolutions, 569 M and 4.2 M of separable ones.

    The first excludes the classifier, the second includes it.
    """
    found = answer(call, "compare", "mobilenet-v1", "--variants", "standard,depthwise-separable")["rows"]
    standard, separable = found
    assert [row["variant"] for row in found] == ["standard", "depthwise-separable"]
    assert round((standard["macs"] - standard["dense_macs"]) / 1e6) == 4866
    assert standard["dense_macs"] == 1_024_000
    assert round(standard["params"] / 1e6, 1) == 29.3
    assert round(separable["macs"] / 1e6) == 569
    assert round(separable["params"] / 1e6, 1) == 4.2
    assert (standard["replaced"], separable["replaced"]) == (13, 0)
    assert separable["ratio"] == separable["macs"] / standard["macs"]
    out = call("compare", "mobilenet-v1", "--variants", "standard,depthwise-separable").out
    assert "without them standard 4,866 M, depthwise-separable 568 M" in out
    assert "its dense layers are not replaced: 1.024 M of the MACs of every row" in out
    assert "never replaced: conv1: takes the network's input" in out


def test_networks_side_by_side(call: Call, net: Path) -> None:
    first, second, third = answer(call, "compare", "resnet-18", "resnet-50", net)["rows"]
    assert (first["network"], second["network"], third["network"]) == ("resnet-18", "resnet-50", "my net")
    assert second["params_ratio"] == 25_557_032 / 11_689_512
    assert first["ratio"] == 1


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["cost", "resnetto-50"], "there is no network 'resnetto-50'; did you mean 'resnet-50'?", 2),
        (["shape", "224"], "Unexpected words '224': numbers belong to options; did you mean --n 224?", 2),
        (["cost", "resnet-18", "--k", "3"], "--k describes a layer and cannot be used with a network; leave it out", 2),
        (["cost", "resnet-18", "--layers", "relu"], "--layers describes a layer and cannot be used with a network; leave it out", 2),
        (["cost", "resnet-18", "--out", "3"], "--out describes a layer and cannot be used with a network; leave it out", 2),
        (["cost", "resnet-18", "--input", "x=3x64x64", "--input", "x=3x32x32"], "--input x=3x64x64 and x=3x32x32 are for the same input; give one of them", 2),
        (["cost", "resnet-18", "--no-bias"], "--bias describes a layer and cannot be used with a network", 2),
        (["shape", "resnet-18", "--target", "7"], "--target describes a layer and cannot be used with a network", 2),
        (["cost", "mobilenetv3"], "there is no network 'mobilenetv3'; did you mean 'mobilenet-v3-large' or 'mobilenet-v3-small'?", 2),
        (["cost", "resnet-18", "--n", "192"], "--n describes a layer and cannot be used with a network; the input of a network is --input 3x192x192", 2),
        (["cost", "resnet-18", "--input", "192"], "but 192 has 1 axis instead of 3", 2),
        (["cost", "--n", "8", "--k", "3", "--input", "3x8x8"],
         "--input needs a network, as in convcli cost resnet-50 --input 3x320x320", 2),
        (["params", "resnet-18", "--width", "2"], "resnet-18 has no option 'width'; it takes classes", 2),
        (["cost", "resnet-18", "--input", "x=3x8x8"], "resnet-18 has no input 'x'; use input", 2),
        (["cost", "resnet-18", "--input", "3x8x8", "--input", "3x9x9"], "several shapes need the names of their inputs", 2),
        (["cost", "resnet-18", "--input", "=3x8"], "'=3x8' has no name before the =; write NAME=3x224x224", 2),
        (["cost", "resnet-18", "--input", "3x0x8"], "the input's height must be at least 1, got 0", 2),
        (["cost", "model.pt"], "model.pt: .pt models cannot be read; convert it to ONNX first", 2),
        (["cost", "none.toml"], "cannot read the network 'none.toml': there is no such file", 2),
        (["compare", "resnet-18", "resnet-34", "--all"], "--variants replaces the convolutions of one network", 2),
        (["compare", "resnet-18", "--k", "3"], "--k describes a layer and cannot be used with a network", 2),
        (["compare", "resnet-18", "--kernel", "sobel"], "--kernel needs a picture", 2),
    ],
)  # fmt: skip
def test_what_is_refused(call: Call, words: list[str], message: str, code: int) -> None:
    result = call(*words)
    assert message in one_error(result)
    assert result.code == code


def test_a_shell_completes_the_names(program) -> None:  # type: ignore[no-untyped-def]
    words = {"_CONVCLI_COMPLETE": "bash_complete", "COMP_LINE": "convcli cost resnet-1"}
    out = program(env=words).stdout.decode().split()
    assert out == ["plain,resnet-18", "plain,resnet-101", "plain,resnet-152"]


def test_a_model_is_compared_and_trained_like_any_other(call: Call, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed, which makes the model of this test")
    import numpy as np

    from tests.networks.onnx.models import helper, made, saved

    constants = {"w1": np.zeros((8, 3, 3, 3), np.float32), "w2": np.zeros((16, 8, 3, 3), np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w2"], ["c"], pads=[1, 1, 1, 1]),
    ]
    path = saved(tmp_path, made(nodes, {"x": ("N", 3, "H", "W")}, ["c"], constants))
    words = ("--input", "1x3x16x16")
    assert call("params", path, "--format", "value").out == f"{8 * 27 + 16 * 72}\n"
    message = one_error(call("cost", path))
    assert "H and W are unknown" in message
    standard, separable = answer(call, "compare", path, *words, "--variants", "depthwise-separable")["rows"]
    assert standard["macs"] == 256 * (8 * 27 + 16 * 72)
    assert separable["macs"] == 256 * (8 * 27 + 8 * 9 + 8 * 16)
    one, four = (
        answer(call, "cost", path, *words, "--training", "--batch", batch)["totals"] for batch in (1, 4)
    )
    assert one["stored_activation_bytes"] == 4 * 256 * (3 + 8)
    assert four["stored_activation_bytes"] == 4 * one["stored_activation_bytes"]


def test_a_search_for_networks_accepts_any_spelling(call: Call) -> None:
    found = call("networks", "MobileNetV3", "--field", "name")
    assert (found.code, found.out) == (0, "mobilenet-v3-large\nmobilenet-v3-small\n")
