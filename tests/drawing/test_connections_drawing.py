"""Connections: sparse or full, shared or unshared weights."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import Conv
from convcli.drawing.connections_drawing import connections_drawing, wirings
from convcli.drawing.scene import Label, Shape
from convcli.errors import ArgumentError
from convcli.layers import DeformConv, LocalConv, MaxPool
from tests.examples import examples


@settings(max_examples=examples(40))
@given(st.integers(3, 9), st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.integers(0, 2))
def test_each_output_sees_its_window(n, k, s, d, p):
    if n + 2 * p < d * (k - 1) + 1:
        return
    own, local, full = wirings(Conv(3, 2, k, stride=s, dilation=d, padding=p, dims=1), (3, n))
    outputs = (n + 2 * p - d * (k - 1) - 1) // s + 1
    windows = [
        [(s * y - p + d * t, t) for t in range(k) if 0 <= s * y - p + d * t < n] for y in range(outputs)
    ]
    assert own.weights == {(y, x): t for y, window in enumerate(windows) for x, t in window}
    for y, window in enumerate(windows):
        assert own.seen(y) == local.seen(y) == [x for x, _ in window]
        assert full.seen(y) == list(range(n))
    for x in range(n):
        assert own.reached(x) == [y for y, window in enumerate(windows) if x in dict(window)]
    assert local.weight_count == len(own.weights) == len(local.weights)
    assert full.weight_count == n * outputs
    assert own.weight_count == len({t for window in windows for _, t in window})


def test_the_books_figures_as_text():
    text = connections_drawing((Conv(1, 1, 3, padding=1, dims=1),), (1, 5)).text(80, None)
    assert text.splitlines() == [
        "conv k3 p1 o1",
        "  input x2 reaches s1 s2 s3",
        "  output s2 sees x1 x2 x3",
        "  the weight from x0 to s0 is used 5 times",
        "  13 connections, 3 weights",
        "",
        "locally connected",
        "  input x2 reaches s1 s2 s3",
        "  output s2 sees x1 x2 x3",
        "  the weight from x0 to s0 is used 1 time",
        "  13 connections, 13 weights",
        "",
        "fully connected",
        "  input x2 reaches s0 s1 s2 s3 s4",
        "  output s2 sees x0 x1 x2 x3 x4",
        "  the weight from x0 to s0 is used 1 time",
        "  25 connections, 25 weights",
    ]


def test_of_a_layer_of_2_axes_the_last_is_shown():
    own, _, full = wirings(Conv(1, 1, (5, 2), stride=(1, 2), padding=((2, 2), (0, 1))), (1, 9, 4))
    assert (own.name, own.inputs, own.outputs) == ("conv k2 s2 p0:1 o1", 4, 2)
    assert len(full.weights) == 8


def test_an_unshared_layer_is_compared_with_a_full_one():
    own, full = wirings(LocalConv(1, 1, 3, input_size=(6,)), (1, 6))
    assert (own.weight_count, full.weight_count) == (12, 24)


def test_as_a_picture():
    drawing = connections_drawing((Conv(1, 1, 3, padding=1, dims=1),), (1, 5))
    (scene,) = drawing.scenes()
    lines = [mark for mark in scene.base if isinstance(mark, Shape) and not mark.closed]
    assert len(lines) == 3 * (13 + 13 + 25)
    bold = [mark for mark in lines if mark.edge == "window-edge"]
    assert len(bold) == (3 + 3 + 5) + (3 + 3 + 1) + (5 + 5 + 1)
    below = [mark.points for mark in bold if mark.points[0][1] == max(mark.points[0][1] for mark in bold)]
    assert len(below) == 5 + 1 + 1
    assert all(source[0] == output[0] for source, output in below), (
        "the same weight, from x0 to s0, of each wiring"
    )
    nodes = [mark.fill for mark in scene.base if isinstance(mark, Shape) and mark.closed]
    reached, seen = 3 + 3 + 5, 3 + 3 + 5
    assert (nodes.count("window"), nodes.count("current")) == (3 + seen, reached + 3)
    assert all(
        0 <= x <= scene.width and 0 <= y <= scene.height
        for mark in scene.base
        for x, y in ([(mark.x, mark.y)] if isinstance(mark, Label) else mark.points)
    )
    record = drawing.record()
    assert [len(each["connections"]) for each in record] == [13, 13, 25]


@pytest.mark.parametrize(
    ("layers", "n", "message"),
    [
        ((MaxPool(2, dims=1),), 5, "`connections=True` draws convolutions, not 'maxpool k2'"),
        ((DeformConv(1, 1, 3),), 5, "`connections=True` draws convolutions"),
        ((Conv(1, 1, 3, dims=1),), 25, "25 inputs are too many to draw; give at most 24"),
        (
            (Conv(1, 1, 3, dims=1), Conv(1, 1, 3, dims=1)),
            9,
            "draws one layer; for a chain use `receptive=True`",
        ),
    ],
)
def test_what_cannot_be_drawn(layers, n, message):
    with pytest.raises(ArgumentError) as error:
        connections_drawing(layers, (1, n))
    assert message in str(error.value)
