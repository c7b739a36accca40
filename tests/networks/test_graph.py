"""The checks of a graph when it is made."""

import pytest

from convcli.errors import ArgumentError
from convcli.layers import Activation, Add, Conv, MaxPool
from convcli.networks.graph import Graph, Node

RELU = Activation("relu")
X = {"x": ("N", 4, 8, 8)}


def relu(name, source):
    return Node(name, RELU, (source,), (name,))


def test_nodes_are_put_in_order():
    nodes = [relu("c", "b"), Node("d", Add(), ("c", "a"), ("d",)), relu("a", "x"), relu("b", "a")]
    graph = Graph("g", X, nodes, ("d",))
    assert [node.name for node in graph.nodes] == ["a", "b", "c", "d"]
    again = Graph("g", X, graph.nodes, ("d",))
    assert again.nodes == graph.nodes


def test_a_valid_order_is_kept():
    nodes = (relu("b", "x"), relu("a", "x"), Node("c", Add(), ("a", "b"), ("c",)))
    assert Graph("g", X, nodes, ("c",)).nodes == nodes


@pytest.mark.parametrize(
    ("nodes", "outputs", "text"),
    [
        (
            [relu("a", "c"), relu("b", "a"), relu("c", "b"), relu("d", "c")],
            ("d",),
            "the nodes 'a', 'b', 'c' form a cycle; change the input of one of them",
        ),
        ([relu("a", "a")], ("a",), "the nodes 'a' form a cycle; change the input of one of them"),
        ([relu("a", "y")], ("a",), r"node 'a' \(relu\) takes 'y', which no node makes; use x, a"),
        ([relu("a", "x"), relu("a", "x")], ("a",), "two nodes are called 'a'; give each a unique name"),
        (
            [relu("a", "x"), Node("b", RELU, ("x",), ("a",))],
            ("a",),
            r"node 'a' and node 'b' \(relu\) both make the tensor 'a'; rename one of the outputs",
        ),
        ([relu("x", "x")], ("x",), r"the network's input and node 'x' \(relu\) both make the tensor 'x'"),
        (
            [Node("a", Add(), ("x",), ("a",))],
            ("a",),
            r"node 'a' \(add\) has 1 inputs, but it takes 2 or more",
        ),
        (
            [Node("a", MaxPool(2), ("x", "x"), ("a",))],
            ("a",),
            r"node 'a' \(maxpool k2x2\) has 2 inputs, but it takes 1$",
        ),
        ([relu("a", "x")], ("b",), "no node makes the output 'b'; use x, a"),
        ([relu("a\x1b[2J", "x")], ("x",), r"the name 'a\\x1b\[2J' contains control characters"),
    ],
)
def test_what_is_wrong_is_told(nodes, outputs, text):
    with pytest.raises(ArgumentError, match=text):
        Graph("g", X, nodes, outputs)


def test_long_cycles_are_shortened():
    nodes = [relu(f"n{number}", f"n{(number + 1) % 50000}") for number in range(50000)]
    with pytest.raises(ArgumentError, match=r"'n7'|43 more|49993 more") as caught:
        Graph("g", X, nodes, ("n0",))
    assert len(str(caught.value)) < 200


def test_a_long_chain_backwards_is_put_in_order():
    nodes = [relu(f"n{number}", f"n{number - 1}" if number else "x") for number in range(20000)]
    graph = Graph("g", X, nodes[::-1], ("n19999",))
    assert graph.nodes == tuple(nodes)


def test_the_maker_of_a_tensor_is_reported():
    graph = Graph("g", X, [Node("stem", Conv(4, 8, 3), ("x",), ("a",))], ("a",))
    assert graph.maker("a") == "node 'stem' (conv k3x3 o8)"
    assert graph.maker("x") == "the input 'x' of the network"
