"""Receptive fields of graphs, compared with sets of inputs computed one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.layers import Conv, Elementwise, Join, MaxPool, Reduce, Reshape, Resize, Slice, Transpose
from convcli.networks.builder import Builder
from convcli.networks.graph import Node
from convcli.networks.network import Network
from tests.examples import examples


def seen(kinds, y):
    """Return what output y of (kernel, stride, padding, dilation) sees in an infinite input."""
    k, s, p, d = kinds
    return {s * y - p + d * t for t in range(k)}


BRANCH = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(1, 3)), max_size=3)
BLOCKS = st.lists(st.tuples(BRANCH, BRANCH, st.integers(1, 2)), min_size=1, max_size=3)


@settings(max_examples=examples(60), deadline=None)
@given(BLOCKS)
def test_branches_are_joined_to_what_any_of_them_sees(blocks):
    """Blocks of two branches with any kernels, padded to the same size, and a stride before the next block."""
    nodes, tensor, size = [], "x", 200
    follow = [lambda y: {y}]

    def conv(name, source, k, s, p, d):
        nodes.append(
            Node(
                name,
                Conv(1, 1, k, stride=s, padding=((p, (k - 1) * d - p),), dilation=d, dims=1),
                (source,),
                (name,),
            )
        )
        return name

    def after(before, k, s, p, d):
        return lambda y: set().union(*(before(z) for z in seen((k, s, p, d), y)))

    before = follow[0]
    for number, (left, right, stride) in enumerate(blocks):
        ends = []
        for side, branch in (("l", left), ("r", right)):
            name, see = tensor, before
            for place, (k, p, d) in enumerate(branch):
                p = min(p, (k - 1) * d)
                name = conv(f"{side}{number}.{place}", name, k, 1, p, d)
                see = after(see, k, 1, p, d)
            ends.append((name, see))
        (one, see_one), (two, see_two) = ends
        nodes.append(Node(f"add{number}", Elementwise("add"), (one, two), (f"add{number}",)))
        both = lambda y, a=see_one, b=see_two: a(y) | b(y)  # noqa: E731
        tensor = conv(f"s{number}", f"add{number}", 1, stride, 0, 1)
        before = after(both, 1, stride, 0, 1)
        size = -(-size // stride)
    row = Network("n", {"x": ("N", 1, 200)}, nodes, (tensor,)).rows()[-1]
    first, second = before(0), before(1)
    assert row["receptive_field"] == [max(first) - min(first) + 1]
    assert row["effective_padding"] == [-min(first)]
    assert row["start"] == [(min(first) + max(first) + 1) / 2]
    assert row["effective_stride"] == [min(second) - min(first)]


def test_the_largest_path_is_reported_if_strides_differ():
    g = Builder("squeeze and excite", (8, 32, 32))
    x = g("conv k3 p1")
    s = g("globalavgpool, conv k1 o2, relu, conv k1 o8, sigmoid", x)
    x = g("mul", x, s)
    rows = {row["name"]: row for row in g.build().rows()}
    assert rows["mul1"]["receptive_field"] == [34, 34]  # the pool sees all positions, each with a border of 1
    assert rows["mul1"]["effective_stride"] == [1, 1]
    assert rows["mul1"]["effective_padding"] == [1, 1]


def test_a_branch_within_the_field_of_another_does_not_count():
    g = Builder("u", (1, 64))
    a = g("conv k3 p1")
    b = g("maxpool k2, conv k3 p1, upsample", a)
    g("concat", a, b)
    g("conv k3 p1 o1")
    row = g.build().rows()[-1]
    deep = Builder("deep", (1, 64))
    deep("conv k3 p1, maxpool k2, conv k3 p1, upsample, conv k3 p1")
    assert row["receptive_field"] == deep.build().rows()[-1]["receptive_field"]


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_u_nets_see_what_their_deepest_path_sees(depth):
    g, skips = Builder("u-net", (1, 256, 256)), []
    for _ in range(depth):
        skips.append(g("conv k3 p1, conv k3 p1"))
        g("maxpool k2")
    x = g("conv k3 p1, conv k3 p1")
    for skip in reversed(skips):
        x = g("convT k2 s2", x)
        g("concat", skip, x)
        x = g("conv k3 p1 o1, conv k3 p1")
    path = ", ".join(
        ["conv k3 p1, conv k3 p1, maxpool k2"] * depth
        + ["conv k3 p1, conv k3 p1"]
        + ["convT k2 s2, conv k3 p1, conv k3 p1"] * depth
    )
    straight = Builder("deepest", (1, 256, 256))
    straight(path)
    row = g.build().rows()[-1]
    assert row["receptive_field"] == straight.build().rows()[-1]["receptive_field"]
    assert row["effective_stride"] == [1, 1]


def test_axes_are_followed_through_transposes_and_slices():
    nodes = [
        Node("conv", Conv(1, 8, (3, 5), padding=(1, 2)), ("x",), ("a",)),
        Node("last", Transpose((0, 2, 3, 1)), ("a",), ("b",)),
        Node("back", Transpose((0, 3, 2, 1)), ("b",), ("c",)),  # height and width are swapped
        Node("odd", Slice((0,), (99,), (2,), (2,)), ("c",), ("d",)),  # every second column of the input
        Node("pool", MaxPool((2, 1)), ("d",), ("e",)),
    ]
    rows = {row["name"]: row for row in Network("n", {"x": ("N", 1, 20, 24)}, nodes, ("e",)).rows()}
    assert rows["back"]["output_shape"] == [8, 24, 20]
    assert rows["back"]["receptive_field"] == [3, 5]
    assert rows["odd"]["effective_stride"] == [1, 2]
    assert (rows["pool"]["receptive_field"], rows["pool"]["effective_stride"]) == ([3, 7], [1, 4])


def test_joined_axes_have_the_field_of_their_source():
    nodes = [
        Node("a", Conv(1, 1, 3, padding=1, dims=1), ("x",), ("a",)),
        Node("b", Join(2), ("x", "a"), ("b",)),
    ]
    row = Network("n", {"x": ("N", 1, 10)}, nodes, ("b",)).rows()[-1]
    assert row["output_shape"] == [1, 20]
    assert row["effective_stride"] == [1]


def test_flattened_axes_have_no_stride_and_divided_ones_no_field():
    nodes = [
        Node("conv", Conv(1, 4, 3, padding=1), ("x",), ("a",)),
        Node("flat", Reshape((0, 0, -1)), ("a",), ("b",)),
        Node("parts", Reshape((0, 0, 2, 3, 6)), ("a",), ("c",)),
    ]
    rows = {row["name"]: row for row in Network("n", {"x": ("N", 1, 6, 6)}, nodes, ("b", "c")).rows()}
    assert (rows["flat"]["receptive_field"], rows["flat"]["effective_stride"]) == ([3, 3], [None, None])
    assert (rows["parts"]["receptive_field"], rows["parts"]["effective_stride"]) == ([None, 3], [None, 1])


def test_branches_of_one_resize_are_one():
    nodes = [
        Node("up", Resize(scale=2, dims=1), ("x",), ("a",)),
        Node("one", Conv(1, 1, 3, padding=1, dims=1), ("a",), ("b",)),
        Node("two", Conv(1, 1, 5, padding=2, dims=1), ("a",), ("c",)),
        Node("add", Elementwise("add"), ("b", "c"), ("d",)),
    ]
    row = Network("n", {"x": ("N", 1, 16)}, nodes, ("d",)).rows()[-1]
    assert row["receptive_field"] == [3]  # 5 neighbours after upsampling by 2 are 3 before it
    assert row["effective_stride"] == [0.5]


def test_channels_may_come_last():
    """A model of TensorFlow: the input is (N, height, width, channels), and is transposed before the first convolution."""
    nodes = [
        Node("scaled", Elementwise("mul", operand=(1,)), ("x",), ("w",)),
        Node("first", Transpose((0, 3, 1, 2)), ("w",), ("a",)),
        Node("conv", Conv(3, 8, (3, 5), stride=(2, 1)), ("a",), ("b",)),
        Node("back", Transpose((0, 2, 3, 1)), ("b",), ("c",)),
        Node("mean", Reduce("mean", (1, 2)), ("c",), ("d",)),
    ]
    network = Network("n", {"x": ("N", 20, 24, 3)}, nodes, ("d",), per_item=False)
    rows = {row["name"]: row for row in network.rows()}
    assert [row["receptive_field"] for row in rows.values()] == [[1, 1], [1, 1], [3, 5], [3, 5], [19, 24]]
    assert rows["back"]["effective_stride"] == [2, 1]
    same = Network(
        "n", {"x": ("N", 3, 20, 24)}, [Node("conv", Conv(3, 8, 3), ("x",), ("b",))], ("b",), per_item=False
    )
    assert same.rows()[0]["receptive_field"] == [3, 3]


def test_many_joins_of_other_strides_stay_defined():
    """Ten levels down and up next to a shortcut: the other branch sees all that the shortcut sees."""
    g = Builder("hourglass", (1, 64))
    x, path = "input", []
    for _ in range(10):
        y = g("maxpool k2, conv k3 p1, upsample", x)
        x = g("add", x, y)
        path.append("maxpool k2, conv k3 p1, upsample")
    straight = Builder("deepest", (1, 64))
    straight(", ".join(path))
    row = g.build().rows()[-1]
    assert row["receptive_field"] == straight.build().rows()[-1]["receptive_field"]
    assert row["effective_stride"] == [1]


def test_a_field_that_depends_on_the_data_is_undefined_after_an_addition():
    g = Builder("n", (8, 16, 16))
    x = g("conv k3 p1")
    y = g("deform k3 p1", x)
    g("add", x, y)
    g("conv k3 p1")
    for row in g.build().rows()[-2:]:
        assert row["receptive_field"] == row["effective_stride"] == row["start"] == [None, None]
