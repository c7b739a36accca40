"""Building networks in Python, and published counts of such networks."""

import pytest

from convcli.errors import ArgumentError
from convcli.layers import Conv
from convcli.layers.text.chain_grammar import parse_chain
from convcli.networks.builder import Builder
from convcli.networks.rows import rows


def resnet(sizes, bottleneck):
    """Build a ResNet as in torchvision, with the stride of a bottleneck in its 3x3 convolution."""
    g = Builder("resnet", (3, 224, 224))
    x = g("conv k7 s2 p3 o64 nobias, bn, relu, maxpool k3 s2 p1")
    for stage, count in enumerate(sizes):
        o = 64 * 2**stage
        for block in range(count):
            s = 2 if stage and not block else 1
            with g.scope(f"stage{stage + 1}.{block + 1}"):
                if bottleneck:
                    y = g(
                        f"conv k1 o{o} nobias, bn, relu, conv k3 s{s} p1 nobias, bn, relu, conv k1 o{4 * o} nobias, bn",
                        x,
                    )
                else:
                    y = g(f"conv k3 s{s} p1 o{o} nobias, bn, relu, conv k3 p1 nobias, bn", x)
                if g.channels(x) != g.channels(y) or s > 1:
                    x = g(f"conv k1 s{s} o{g.channels(y)} nobias, bn", x)
                g("add", y, x)
                x = g("relu")
    g("globalavgpool, flatten, dense o1000")
    return g.build()


@pytest.mark.parametrize(
    ("sizes", "bottleneck", "params", "gmacs", "field"),
    [
        ((2, 2, 2, 2), False, 11_689_512, 1.814, 435),
        ((3, 4, 6, 3), True, 25_557_032, 4.089, 427),
    ],
)
def test_resnets_have_the_published_figures(sizes, bottleneck, params, gmacs, field):
    network = resnet(sizes, bottleneck)
    sums = network.totals()
    assert sums["params"] == params
    assert round(sums["macs"] / 1e9, 3) == gmacs
    assert network.rows()[-4]["receptive_field"] == [field, field]


def test_names_are_numbered_within_their_scope():
    g = Builder("n", (3, 8, 8))
    g("conv k1, relu")
    with g.scope("a"):
        g("conv k1")
        with g.scope("b"):
            g("conv k1, conv k1", name="last")
        g("conv k1")
    g("conv k1")
    assert [node.name for node in g.build().nodes] == [
        "conv1", "relu1", "a.conv1", "a.b.conv1", "a.b.last", "a.conv2", "conv2"
    ]  # fmt: skip


def test_a_number_after_an_operator_that_ends_in_a_digit_is_separated():
    g = Builder("n", (3, 8, 8))
    g(", ".join(["relu6"] * 2 + ["relu"] * 62))
    names = [node.name for node in g.build().nodes]
    assert names == ["relu6_1", "relu6_2", *(f"relu{number}" for number in range(1, 63))]
    layers = parse_chain(", ".join(["relu6"] * 2 + ["relu"] * 62), (3, 8, 8))
    assert [row["name"] for row in rows(layers, (3, 8, 8))] == names


def test_text_and_records_are_the_same():
    text, record = Builder("n", (3, 8, 8)), Builder("n", (3, 8, 8))
    text("conv k3 p1 o4")
    record(Conv(3, 4, 3, padding=1))
    assert text.build() == record.build()


def test_several_outputs_and_inputs():
    g = Builder("n", (8, 4, 4))
    left, right = g.outputs("split o3x5")
    assert (g.shape(left), g.shape(right)) == ((3, 4, 4), (5, 4, 4))
    g("concat", right, left)
    assert g.shape() == (8, 4, 4)
    second = g.add_input("mask", (1, 4, 4))
    g("mul", "concat1", second)
    assert g.build().inputs == {"input": ("N", 8, 4, 4), "mask": ("N", 1, 4, 4)}
    with pytest.raises(ArgumentError, match="'split n2' has 2 outputs; call `outputs` instead"):
        g("split n2")


def test_a_deformable_convolution_brings_its_branch():
    g = Builder("n", (8, 16, 16))
    g("deform k3 p1 o4")
    branch, deform = g.build().nodes
    assert branch.layer.inner.out_channels == 18
    assert deform.inputs == ("input", "branch1")
    assert [row["receptive_field"] for row in g.build().rows()] == [[3, 3], [None, None]]


def test_a_layer_without_inputs():
    g = Builder("vit", (197, 768))
    position = g("constant o197x768 learned")
    g("add", "input", position)
    assert g.build().params() == 197 * 768


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda g: g("conv k9"), r"'conv k9': .*|conv1 \(conv k9x9 o3\): the output would be empty"),
        (
            lambda g: g("add", "input", g("conv k3 o4", name="stem")),
            r"add1 \(add\): add takes inputs of the same shape, got 3x8x8 and 4x6x6; its input is 3x8x8 from the input 'input' and "
            r"4x6x6 from stem \(conv k3x3 o4\)",
        ),
        (lambda g: g("relu", "inptu"), "there is no tensor 'inptu'; did you mean 'input'"),
        (
            lambda g: g("mul"),
            "'mul' takes 2 or more inputs, but has 1; its input is 3x8x8 from the input 'input'",
        ),
        (lambda g: g("cnv k3"), "'cnv k3': 'cnv' is not an operator; did you mean 'conv'"),
        (
            lambda g: (g("relu", name="a"), g("relu", name="a")),
            "two nodes are called 'a'; give each a unique name",
        ),
    ],
)
def test_errors_of_inputs_that_do_not_fit(build, text):
    with pytest.raises(ArgumentError, match=text):
        build(Builder("n", (3, 8, 8)))
