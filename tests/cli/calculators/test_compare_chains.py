"""Chains of layers are compared with each other and with networks."""

import json

import pytest

from tests.conftest import Call, one_error


def test_two_chains_side_by_side(call: Call) -> None:
    found = call(
        "compare", "conv k3 o128", "dwconv k3,  conv k1 o128", "--input", "64x56x56", "--format", "json"
    )
    standard, separable = json.loads(found.out)["rows"]
    outputs = 54 * 54
    assert (standard["network"], separable["network"]) == ("conv k3 o128", "dwconv k3, conv k1 o128")
    assert standard["macs"] == outputs * 128 * 64 * 9
    assert separable["macs"] == outputs * (64 * 9 + 64 * 128)
    assert separable["params"] == 64 * 9 + 64 + 64 * 128 + 128
    assert separable["ratio"] == pytest.approx(1 / 128 + 1 / 9)


def test_a_chain_beside_a_network_and_alone(call: Call) -> None:
    assert call("compare", "lenet-5", "conv k5 o6, relu", "--input", "1x32x32").code == 0
    found = call(
        "compare", "conv k3 p1 o8, conv k3 p1 o16", "--input", "3x8x8", "--variants", "depthwise-separable",
        "--format", "json",
    )  # fmt: skip
    (row,) = [row for row in json.loads(found.out)["rows"] if row["variant"] == "depthwise-separable"]
    assert row["replaced"] == 1
    assert row["macs"] == 8 * 8 * (3 * 8 * 9 + 8 * 9 + 8 * 16)


def test_a_size_without_channels_is_noted(call: Call) -> None:
    chains = ("compare", "conv k3 o8", "conv k5 o8", "--input")
    assert call(*chains, "56x48").err == (
        "convcli: --input is channels x sizes, and 56x48 is taken as 56 channels on one axis; for a picture write "
        "--input 3x56x48\n"
    )
    assert call(*chains, "1x16000").err == "" == call(*chains, "3x56x48").err


def test_the_name_of_a_row_is_that_of_the_network(call: Call) -> None:
    out = call("compare", "lenet-5", "conv k5 o6, relu", "--input", "1x32x32", "--field", "name, network").out
    assert out == "lenet-5\tlenet-5\nconv k5 o6, relu\tconv k5 o6, relu\n"


@pytest.mark.parametrize(("words", "message"), [
    (["conv k3 o8", "conv k5 o8"], "the chain 'conv k3 o8' needs the shape of its input; give --input, such as 64x56x56"),
    (["conv k3 o8", "conv k5 o8", "--n", "56", "--in", "64"], "the input of a network is --input 64x56x56"),
    (["conv k3 o8", "--input", "3x8x8", "--width", "0.5"], "a chain of layers has no --width"),
    (["conv k3 q8", "conv k5", "--input", "3x8x8"], "'q8' is not an option of conv"),
    (["conv", "dwconv"], "variants belong to --variants standard,depthwise"),
    (["mobilenet-v1", "--width", "0.25,0.5"], "convcli compare mobilenet-v1:width=0.25 mobilenet-v1:width=0.5"),
    (["mobilenet-v1", "--input", "3x128x128,3x160x160"], "is a list, and a network takes one shape"),
])  # fmt: skip
def test_what_is_refused(call: Call, words: list[str], message: str) -> None:
    found = call("compare", *words)
    assert found.code == 2
    assert message in one_error(found)
