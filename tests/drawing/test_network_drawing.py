"""Drawings of networks: one line per node, bars proportional to the numbers, branches next to the trunk."""

import io
import re
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convcli import networks
from convcli.drawing.forms import encode_still
from convcli.drawing.graph_lanes import lanes
from convcli.drawing.nested_fields import nested_fields
from convcli.drawing.network_columns import Column, columns
from convcli.drawing.network_drawing import network_scene
from convcli.drawing.network_lines import MAX_LINES, MAX_NARROW, network_lines
from convcli.drawing.scene import LIGHT, Label, Shape
from convcli.drawing.short_numbers import short
from convcli.layers import Activation, Add, Conv, Unknown
from convcli.networks.graph import Graph, Node
from convcli.networks.network import Network
from convcli.networks.rows import chain, network_rows, totals
from tests.examples import examples

SVG = "{http://www.w3.org/2000/svg}"
NAMES = [
    "lenet-5",
    "resnet-18",
    "resnet-50",
    "mobilenet-v2",
    "densenet-121",
    "unet",
    "wavenet",
    "inception-v3",
]


def scene_of(network, command="cost"):
    rows = network_rows(network)
    return network_scene(command, network, rows, totals(rows), network.name), rows


def flat(count, scope=""):
    """Return a network of convolutions, with an addition that skips four nodes as every fifth node."""
    nodes, tensor, before = [], "x", "x"
    for number in range(count):
        name = f"{scope.format(number // 5)}n{number}"
        if number % 5 == 4:
            nodes.append(Node(name, Add(), (tensor, before), (name,)))
            before = name
        else:
            nodes.append(Node(name, Conv(4, 4, 3, padding=1), (tensor,), (name,)))
        tensor = name
    return Network("flat", {"x": ("N", 4, 16, 16)}, nodes, (tensor,))


@pytest.mark.parametrize("name", NAMES)
def test_every_node_is_in_one_line_after_its_inputs(name):
    network = networks.load(name)
    lines, narrow = network_lines(network)
    members = [number for line in lines for number in line.members]
    assert sorted(members) == list(range(len(network.nodes)))
    assert len(lines) <= MAX_LINES + len(network.inputs)
    assert not narrow
    assert all(source < number for number, line in enumerate(lines) for source in line.inputs)
    home = {number: place for place, line in enumerate(lines) for number in line.members}
    makers = {node.outputs[0]: home[number] for number, node in enumerate(network.nodes)}
    makers.update({tensor: place for place, tensor in enumerate(network.inputs)})
    edges = {(makers[tensor], home[n]) for n, node in enumerate(network.nodes) for tensor in node.inputs}
    drawn = {(source, number) for number, line in enumerate(lines) for source in line.inputs}
    assert drawn == {(start, end) for start, end in edges if start != end}


def test_a_small_network_has_a_line_for_each_node():
    lines, _ = network_lines(networks.load("lenet-5"))
    assert [line.name for line in lines] == [
        *("input", "c1", "tanh1", "s2", "c3", "tanh2", "s4", "c5", "tanh3", "flatten1", "f6", "tanh4"),
        "output",
    ]


def test_activations_and_norms_are_in_the_line_of_the_layer_before_them():
    lines, _ = network_lines(networks.load("resnet-18"))
    label = {line.name: line.summary for line in lines}
    assert label["conv1"] == "conv k7x7 s2 p3 o64 nobias, bn, relu"
    assert label["stage1.1.conv2"] == "conv k3x3 p1 o64 nobias, bn"
    assert label["stage1.1.add1"] == "add, relu"
    assert [line.kind for line in lines[:3]] == ["input", "convolution", "pool"]


def test_an_activation_whose_input_has_other_users_has_its_own_line():
    nodes = [Node(f"c{n}", Conv(2, 2, 1), ("x" if not n else f"c{n - 1}",), (f"c{n}",)) for n in range(45)]
    nodes += [Node("r", Activation("relu"), ("c44",), ("r",)), Node("a", Add(), ("c44", "r"), ("a",))]
    lines, _ = network_lines(Graph("", {"x": ("N", 2, 4, 4)}, nodes, ("a",)))
    assert [line.name for line in lines[-3:]] == ["c44", "r", "a"]


def test_a_deep_network_is_grouped_by_scope():
    lines, _ = network_lines(networks.load("densenet-121"))
    groups = {line.name: line for line in lines if line.kind == "group"}
    assert {f"block1.{n}" for n in range(1, 7)} < set(groups)
    assert groups["transition1"].summary == "1 conv, 1 avgpool, 1 bn, 1 more"
    slashed = flat(300, "/stage/block{}/")
    assert [line.name for line in network_lines(slashed)[0][1:4]] == [
        *("stage/block0", "stage/block1", "stage/block2"),
    ]


def test_a_network_without_scopes_has_lines_without_names():
    lines, narrow = network_lines(flat(250))
    assert narrow and len(lines) == 251
    many, narrow = network_lines(flat(3001))
    assert narrow and len(many) <= MAX_NARROW + 1
    assert sum(len(line.members) for line in many) == 3001
    assert many[1].name == "n0 to n7"
    scene, _ = scene_of(flat(250))
    texts = [mark.text for mark in scene.base if isinstance(mark, Label)]
    assert sum(text.startswith("n") for text in texts) < 20
    assert all(texts.count(name) >= 2 for name in ("n0", "n1", "n2"))  # the largest, next to their bars


def polygons(svg, colours):
    """Return the left end, the middle and the length of the boxes of these colours."""
    found = []
    for shape in ElementTree.fromstring(svg).iter(f"{SVG}polygon"):
        points = [tuple(map(float, point.split(","))) for point in shape.get("points").split()]
        if shape.get("class") in colours and len(points) == 4:
            xs, ys = zip(*points)
            found.append((min(xs), (min(ys) + max(ys)) / 2, max(xs) - min(xs)))
    return found


@pytest.mark.parametrize("name", ["lenet-5", "resnet-18", "densenet-121"])
def test_bars_are_as_long_as_the_numbers(name):
    network = networks.load(name)
    scene, rows = scene_of(network)
    lines, _ = network_lines(network)
    svg = encode_still(scene, "svg", "auto").decode()
    texts = ElementTree.fromstring(svg).iter(f"{SVG}text")
    heads = {text.text: float(text.get("x")) for text in texts}
    for title, field, colours in (
        ("MACs", "macs", ("f-window", "f-input")),
        ("parameters", "params", ("f-current", "f-output")),
    ):
        expected = [sum(rows[number][field] for number in line.members) for line in lines]
        drawn = sorted((y, length) for x, y, length in polygons(svg, colours) if abs(x - heads[title]) < 0.1)
        known = [value for value in expected if value]
        assert len(drawn) == len(known)
        longest = max(length for _, length in drawn)
        for (_, length), value in zip(drawn, known, strict=True):
            assert length == pytest.approx(longest * value / max(known), abs=0.11)
    fields = [line.last(rows, "receptive_field") for line in lines if line.members]
    drawn = sorted((y, length) for x, y, length in polygons(svg, ("f-tap-1",)))
    longest = max(length for _, length in drawn)
    assert len(drawn) == len(fields)
    for (_, length), field in zip(drawn, fields, strict=True):
        assert length == pytest.approx(longest * max(field) / max(map(max, fields)), abs=0.11)


@pytest.mark.parametrize("command", ["cost", "params", "shape"])
@pytest.mark.parametrize("name", ["unet", "inception-v3", "wavenet"])
def test_all_lines_are_inside_the_picture_and_reproducible(name, command):
    network = networks.load(name)
    scene, rows = scene_of(network, command)
    lines, _ = network_lines(network)
    texts = [mark.text for mark in scene.base if isinstance(mark, Label)]
    assert all(line.name in texts for line in lines)
    for mark in scene.base:
        points = mark.points if isinstance(mark, Shape) else [(mark.x, mark.y)]
        assert all(0 <= x <= scene.width and 0 <= y <= scene.height for x, y in points)
    nodes = [mark for mark in scene.base if isinstance(mark, Shape) and len(mark.points) == 24]
    assert len(nodes) == len(lines) + len({line.kind for line in lines})  # and the legend
    edges = sum(len(line.inputs) for line in lines)
    assert len([mark for mark in scene.base if isinstance(mark, Shape) and mark.width == 1.5]) == edges
    again = network_scene(command, network, rows, totals(rows), network.name)
    for form in ("svg", "png"):
        assert encode_still(scene, form, "dark") == encode_still(again, form, "dark")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_png_opens_in_the_colours_of_its_theme(theme):
    scene, _ = scene_of(networks.load("lenet-5"))
    with Image.open(io.BytesIO(encode_still(scene, "png", theme))) as image:
        assert image.format == "PNG"
        assert image.width == 1600
        corner = image.getpixel((0, 0))
    assert ("#{:02x}{:02x}{:02x}".format(*corner) == LIGHT["paper"]) is (theme == "light")


def test_the_sums_are_written_large_and_the_largest_layers_named():
    scene, _ = scene_of(networks.load("resnet-18"))
    texts = [mark.text for mark in scene.base if isinstance(mark, Label)]
    assert {"1.81 G", "3.63 G", "11.7 M", "46.8 MB", "69"} < set(texts)
    message = next(text for text in texts if "of the parameters" in text)
    assert message.startswith("the 3 largest make 61% of the parameters: stage4.1.conv2 20.2%")
    assert "sees the whole input from stage4.1.conv1 on" in texts
    scene, _ = scene_of(networks.load("lenet-5"))
    texts = [mark.text for mark in scene.base if isinstance(mark, Label)]
    assert {"c3 makes 58% of the MACs", "c5 makes 78% of the parameters"} < set(texts)


def test_layers_that_are_not_counted_are_reported():
    nodes = [
        Node("c", Conv(2, 2, 3), ("x",), ("c",)),
        Node("strange", Unknown("Strange"), ("c",), ("s",)),
        Node("after", Activation("relu"), ("s",), ("a",)),
    ]
    network = Network("odd", {"x": ("N", 2, 9, 9)}, nodes, ("a",))
    for command in ("cost", "shape"):
        scene, _ = scene_of(network, command)
        texts = [mark.text for mark in scene.base if isinstance(mark, Label)]
        assert texts.count("not counted") == (2 if command == "cost" else 0)


def test_sizes_that_no_float_holds_are_drawn():
    network = chain([Conv(1, 2, 3), Activation("relu")], (1, 10**290, 7))
    rows = [row | {"least_seconds": inf} for row in network_rows(network)]
    assert rows[0]["macs"] == 2 * 9 * 5 * (10**290 - 2)
    for command in ("cost", "shape"):
        scene = network_scene(command, network, rows, totals(rows), "large")
        assert encode_still(scene, "png", "light").startswith(b"\x89PNG")
        assert max(len(mark.text) for mark in scene.base if isinstance(mark, Label)) < 80


def test_names_that_would_break_a_file_are_escaped():
    network = chain([Conv(1, 1, 3)], (1, 5, 5))
    rows = network_rows(network)
    scene = network_scene("cost", network, rows, totals(rows), "a\x1b[31m <b> & \x00")
    svg = encode_still(scene, "svg", "light").decode()
    ElementTree.fromstring(svg)
    assert "a\\x1b[31m &lt;b&gt; &amp; \\x00" in svg


@pytest.mark.parametrize(
    ("values", "largest"),
    [
        ((5, 1, 1, 1), [0]),
        ((1, 4, 4, 2, 2), [1, 2]),
        ((3, 3, 3, None, 0, 1), [0, 1, 2]),
        ((9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), [0]),  # ten equal rows have no label
        ((2, 2, 2), [0, 1, 2]),
        ((0, None), []),
    ],
)
def test_the_largest_make_half_of_the_sum(values, largest):
    whole = sum(filter(None, values))
    column = Column("", values, ("",) * len(values), "", "", "", whole=whole)
    assert column.largest() == largest


@given(st.integers(0, 10**25))
def test_a_short_number_is_within_half_of_its_last_digit(count):
    text = short(count)
    if count < 1000:
        assert text == str(count)
        return
    match = re.fullmatch(r"([\d,.]+)(?: (\w)|e(\d+))", text)
    digits = match[1].replace(",", "")
    factor = 10 ** int(match[3]) if match[3] else 1000 ** " kMGTPE".index(match[2])
    last = Fraction(1, 10 ** len(digits.partition(".")[2]))
    most = 1 if match[3] else Fraction(51, 100)
    assert abs(Fraction(digits) - Fraction(count, factor)) <= most * last


def test_short_numbers_at_their_edges():
    assert [short(n) for n in (0, 999, 1000, 999_499, 999_500, 10**6)] == [
        *("0", "999", "1.00 k", "999 k", "1.00 M", "1.00 M"),
    ]
    assert short(10**400) == "1.00e400"
    assert [short(t, "s") for t in (2.5, 0.0125, 3e-5, 4e-8)] == ["2.50 s", "12.5 ms", "30.0 us", "40.0 ns"]
    assert short(None) == "unknown"


@st.composite
def graphs(draw):
    """Draw for each node the earlier nodes that are its inputs."""
    count = draw(st.integers(1, 14))
    return [
        tuple(sorted(draw(st.sets(st.integers(0, number - 1), max_size=3)))) if number else ()
        for number in range(count)
    ]


@settings(max_examples=examples(200))
@given(graphs())
def test_no_edge_goes_through_another_node_or_along_another_edge(inputs):
    laid = lanes(inputs)
    assert [(edge.start, edge.end) for edge in laid.edges] == [
        (source, number) for number, sources in enumerate(inputs) for source in sources
    ]
    taken = dict.fromkeys(enumerate(laid.nodes), "node")
    for edge in laid.edges:
        for line in range(edge.start + 1, edge.end):  # it is in its lane between its ends
            assert (line, edge.lane) not in taken
            taken[line, edge.lane] = edge
    assert all(0 <= lane < laid.width for _, lane in taken)


def test_the_lanes_of_branches():
    # A trunk of 0, 1, 2, 5; a branch 3, 4 from 0; and an edge from 0 that skips both.
    assert lanes([(), (0,), (1,), (0,), (3,), (0, 2, 4)]).nodes == (0, 0, 0, 1, 1, 0)
    unet = networks.load("unet")
    lines, _ = network_lines(unet)
    assert lanes([line.inputs for line in lines]).width == 5  # four levels, each around the levels below


def test_the_columns_of_each_command():
    network = networks.load("lenet-5")
    lines, _ = network_lines(network)
    rows = network.rows()
    titles = {
        command: [c.title for c in columns(command, network, lines, rows)] for command in ("cost", "shape")
    }
    assert titles == {
        "cost": ["MACs", "parameters", "receptive field"],
        "shape": ["size", "channels", "receptive field"],
    }
    size, channels, field = columns("shape", network, lines, rows)
    assert (size.values[:3], channels.values[:3], field.values[:3]) == ((32, 28, 28), (1, 6, 6), (None, 5, 5))
    (params,) = columns("params", network, lines, network.parameter_rows())
    assert params.whole == 61706


def test_a_field_as_large_as_the_input_covers_it():
    def label(largest):
        marks, _ = nested_fields([("a", (3, 3)), ("b", largest)], (5, 7), 400, 0)
        return [mark.text for mark in marks if isinstance(mark, Label)][-1]

    assert label((5, 7)) == "sees the whole input from b on"
    assert label((9, 6)) == "receptive field; dashed: the input, 5x7"
