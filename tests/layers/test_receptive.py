from fractions import Fraction
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.layers import (
    Activation,
    AdaptivePool,
    BatchNorm,
    Conv,
    ConvTranspose,
    DeformConv,
    Dense,
    Flatten,
    GlobalPool,
    MaxPool,
    Resize,
)
from convcli.layers.receptive import Axis, ReceptiveField
from convcli.layers.text.chain_grammar import parse_chain
from tests.examples import examples
from tests.layers import reference


def fields(layers, shape):
    """Return one tuple of axes after each layer of a chain."""
    field = ReceptiveField.of_input(shape)
    found = []
    for layer in layers:
        output = layer.output_shape(shape)
        field = field.through(layer, shape, output)
        found.append(field.axes())
        shape = output
    return found


def sizes(text, shape=(3, 224, 224)):
    found = fields(parse_chain(text, shape), shape)
    assert all(len(set(axes)) == 1 for axes in found)  # square networks
    return [axes[0].size for axes in found], found[-1][0]


def line(**options):
    return {"in_channels": 1, "out_channels": 1, "dims": 1} | options


def test_the_input_sees_itself():
    assert ReceptiveField.of_input((3, 8, 8)).axes() == (Axis(1, 1, 0, 0.5),) * 2


def test_dilations_1_2_4_see_3_7_15():
    found, _ = sizes("conv k3 d1, conv k3 d2, conv k3 d4")
    assert found == [3, 7, 15]


def test_each_axis_has_its_own_field():
    (axes,) = fields([Conv(in_channels=1, out_channels=1, kernel_size=(3, 5), stride=(1, 2))], (1, 9, 9))
    assert axes == (Axis(3, 1, 0, 1.5), Axis(5, 2, 0, 2.5))


def test_padding_before_counts_not_behind():
    (axes,) = fields([Conv(**line(kernel_size=3, padding=((2, 0),)))], (1, 9))
    assert axes == (Axis(3, 1, 2, -0.5),)


# Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill 2019): size,
# stride and padding of each network's last convolution or pool.
def test_alexnet_v2():
    found, last = sizes(
        "conv k11 s4 o64, maxpool k3 s2, conv k5 same, maxpool k3 s2, conv k3 same, conv k3 same, "
        "conv k3 same, maxpool k3 s2"
    )
    assert last[:3] == (195, 32, 64)
    assert found == [11, 19, 51, 67, 99, 131, 163, 195]


def test_vgg_16():
    blocks = (["conv k3 p1"] * convs + ["maxpool k2"] for convs in (2, 2, 3, 3, 3))
    found, last = sizes(", ".join(item for block in blocks for item in block))
    assert found == [3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212]
    assert last[:3] == (212, 32, 90)


def test_mobilenet_v1():
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
    blocks = (f"dwconv k3 s{s} same, conv k1" for s in strides)
    found, last = sizes("conv k3 s2 same o32, " + ", ".join(blocks))
    assert found[:1] + found[1::2] == [3, 7, 11, 19, 27, 43, 59, 91, 123, 155, 187, 219, 251, 315]
    assert last[:3] == (315, 32, 126)


@pytest.mark.parametrize(("last_unit", "size"), [(True, 483), (False, 427)])
def test_resnet_50(last_unit, size):
    """TF-slim puts the stride into a block's last unit, torchvision into the first."""
    items = ["conv k7 s2 p3 o64", "maxpool k3 s2 p1"]
    for block, units in enumerate((3, 4, 6, 3)):
        for unit in range(units):
            strided = (unit == units - 1 and block < 3) if last_unit else (unit == 0 and block > 0)
            items.append(f"conv k1, conv k3 s{2 if strided else 1} p1, conv k1")
    _, last = sizes(", ".join(items))
    assert (last.size, last.stride) == (size, 32)


def test_layers_without_a_window_see_their_own_place():
    layers = [Conv(**line(kernel_size=3)), BatchNorm(channels=1), Activation(name="relu")]
    first, *others = fields(layers, (1, 9))
    assert others == [first] * 2


def test_global_and_dense_layers_see_everything():
    conv = Conv(in_channels=1, out_channels=2, kernel_size=3, stride=2, padding=1)
    whole = Axis(9, None, 1, 3.5)  # outputs 0 to 3 see -1 to 7: 9 elements, centred at 3.5
    after = fields([conv, GlobalPool(), Conv(in_channels=2, out_channels=2, kernel_size=1)], (1, 8, 8))
    assert after[1:] == [(whole,) * 2] * 2
    after = fields(
        [conv, Flatten(), Activation(name="relu"), Dense(in_features=32, out_features=3),
         Dense(in_features=3, out_features=2)],
        (1, 8, 8),
    )  # fmt: skip
    assert after[1] == after[2] == (Axis(3, None, 1, 0.5),) * 2  # a vector has no step
    assert after[3] == after[4] == (whole,) * 2


def test_adaptive_pools_step_by_a_fraction():
    (axes,) = fields([AdaptivePool(output_size=(3,))], (1, 7))
    assert axes == (Axis(3, Fraction(7, 3), 0, 1.5),)
    (axes,) = fields([AdaptivePool(output_size=(7,))], (1, 7))
    assert axes == (Axis(1, 1, 0, 0.5),)


def test_a_deformable_layer_has_no_fixed_field():
    deform = DeformConv(in_channels=1, out_channels=1, kernel_size=3, padding=1)
    conv = Conv(in_channels=1, out_channels=1, kernel_size=3)
    assert fields([deform, conv], (1, 8, 8)) == [(Axis(),) * 2] * 2


def test_some_outputs_of_a_transposed_layer_with_gaps_see_less():
    (axes,) = fields([ConvTranspose(**line(kernel_size=2, stride=3))], (1, 8))
    assert axes == (Axis(1, Fraction(1, 3), 0, 0.5),)  # outputs 0 and 1 see input 0, output 2 sees none
    (axes,) = fields([ConvTranspose(**line(kernel_size=3, stride=2, dilation=2))], (1, 8))
    assert axes == (Axis(3, Fraction(1, 2), 2, -0.5),)  # output 4 sees inputs 0, 1 and 2, output 5 none


def test_the_first_output_may_see_nothing():
    (axes,) = fields([ConvTranspose(**line(kernel_size=2, stride=5, padding=((3, 0),)))], (1, 8))
    assert axes == (Axis(1, Fraction(1, 5), None, None),)


def test_a_resize_behind_gaps_has_a_short_period():
    """Sizes may be large while their period is small: here 15 outputs."""
    layers = [
        ConvTranspose(**line(kernel_size=2, stride=5)),
        Resize(scale=(3,)),
        Conv(**line(kernel_size=7, dilation=2)),
    ]
    (axis,) = fields(layers, (1, 1000))[-1]
    steps = [("transposed", 2, 5, 0, 1), ("nearest", 4997, 14991), ("conv", 7, 1, 0, 2)]
    seen = [reference.field(steps, y) for y in range(15)]
    assert axis.size == max(max(inputs) - min(inputs) + 1 for inputs in seen if inputs)
    assert axis.stride == Fraction(1, 15)


def test_gaps_of_any_size_are_measured():
    huge = 10**30
    (axes,) = fields([ConvTranspose(**line(kernel_size=3, stride=huge))], (1, 8))
    assert axes == (Axis(1, Fraction(1, huge), 0, 0.5),)
    conv = Conv(**line(kernel_size=3))
    found = fields([conv, ConvTranspose(**line(kernel_size=huge + 1, stride=2, dilation=4))], (1, 8))
    assert found[1] == (Axis(2 * huge + 3, Fraction(1, 2), 2 * huge, 1.5 - huge),)
    spread = [ConvTranspose(**line(kernel_size=2, stride=3)), Conv(**line(kernel_size=huge))]
    (axis,) = fields(spread, (1, huge))[-1]
    assert axis == Axis(None, Fraction(1, 3), None, None)  # too many inputs to list


def test_a_period_too_long_is_not_counted():
    wide = [MaxPool(kernel_size=3, dims=1), Resize(scale=5000, dims=1), Conv(**line(kernel_size=3, stride=1))]
    (axis,) = fields(wide, (1, 9))[-1]
    assert axis == Axis(None, Fraction(3, 5000), 0, 1.5)


CONVS = st.tuples(st.just("conv"), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3))
ENLARGING = st.one_of(
    st.tuples(
        st.just("transposed"),
        st.integers(1, 4),
        st.integers(1, 5),
        st.integers(0, 2),
        st.integers(1, 4),
    ),
    st.tuples(st.just("nearest"), st.integers(1, 4), st.integers(1, 6)),
    st.tuples(st.just("bilinear"), st.integers(1, 4), st.integers(1, 6)),
)


class Step(Activation):
    """A layer defined only by what it sees."""

    def __init__(self, step):
        super().__init__(name="identity")
        self._set(step=step)

    def sees(self, input_size):
        kind, *numbers = self.step
        if kind == "conv":
            k, s, p, d = numbers
            return Conv(**line(kernel_size=k, stride=s, padding=p, dilation=d)).sees((10**6,))
        if kind == "transposed":
            k, s, p, d = numbers
            return ConvTranspose(**line(kernel_size=k, stride=s, padding=p, dilation=d)).sees((10**6,))
        n, o = numbers
        return Resize(size=(o,), mode=kind).sees((n,))


def measured(steps):
    ((axis,), *_) = fields([Step(step) for step in steps], (1, 50))[::-1]
    return axis


@given(st.lists(CONVS, min_size=1, max_size=4))
def test_chain_of_windows_sees_what_brute_force_finds(steps):
    axis = measured(steps)
    first, second = reference.field(steps, 0), reference.field(steps, 1)
    assert axis.size == max(first) - min(first) + 1
    assert axis.padding == -min(first)
    assert axis.stride == min(second) - min(first) == prod(step[2] for step in steps)
    assert axis.start == (min(first) + max(first) + 1) / 2


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(st.one_of(CONVS, ENLARGING), min_size=1, max_size=4))
def test_chain_that_enlarges_sees_what_brute_force_finds(steps):
    axis = measured(steps)
    period = prod(step[2] for step in steps if step[0] != "conv")
    found = [reference.field(steps, y) for y in range(period)]
    sizes = [max(seen) - min(seen) + 1 for seen in found if seen]
    assert axis.size == max(sizes, default=None)
    step = prod(step[2] if step[0] == "conv" else 1 if step[0] == "transposed" else step[1] for step in steps)
    assert axis.stride == Fraction(step, period)
    if not found[0]:
        assert axis.padding is axis.start is None
        return
    assert axis.padding == -min(found[0])
    assert axis.start == (min(found[0]) + max(found[0]) + 1) / 2
    beyond = reference.field(steps, period)
    assert axis.stride == Fraction(min(beyond) - min(found[0]), period)
