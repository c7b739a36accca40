from itertools import product

import pytest

from convcli.errors import ArgumentError
from convcli.layers import BatchNorm, Branch, Conv, DeformConv
from tests.layers import reference

OPTIONS = {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "padding": 1, "stride": 2, "dilation": 1}


@pytest.mark.parametrize(
    ("mask", "offset_groups", "channels"), [(False, 1, 18), (True, 1, 27), (False, 2, 36), (True, 4, 108)]
)
def test_the_predictor_gives_an_offset_for_each_axis_of_each_tap(mask, offset_groups, channels):
    """18 for a 3x3 kernel, 27 with the mask: torchvision's deform_conv2d takes the same shapes."""
    layer = DeformConv(**OPTIONS, mask=mask, offset_groups=offset_groups)
    predictor = layer.predictor()
    assert predictor == Conv(**OPTIONS | {"out_channels": channels})
    assert predictor.output_shape((4, 9, 8))[1:] == layer.output_shape((4, 9, 8))[1:] == (5, 4)


@pytest.mark.parametrize(("mask", "dims", "groups"), list(product([False, True], [1, 2, 3], [1, 2])))
def test_cost_is_that_of_the_loops(mask, dims, groups):
    """Each tap of each input channel is sampled once per position, then multiplied by its weight."""
    layer = DeformConv(
        in_channels=2, out_channels=4, kernel_size=2, stride=2, mask=mask, groups=groups, dims=dims
    )
    shape = (2, *(5, 4, 4)[:dims])
    size = layer.output_shape(shape)[1:]
    tally = reference.Tally()
    reference.convolve(
        tally, output_size=size, kernel_size=layer.kernel_size, in_channels=2, out_channels=4, groups=groups,
        bias=True,
    )  # fmt: skip
    for _ in product(range(2), reference.places(size), reference.places(layer.kernel_size)):
        corners = []
        for _ in product([0, 1], repeat=dims):
            weight = tally.number()
            for _ in range(dims - 1):
                weight = weight * tally.number()
            corners.append(weight * tally.number())
        sample = reference.added(corners)
        if mask:
            sample * tally.number()  # counts one product
    cost = layer.cost(shape)
    assert tally.counts().items() <= vars(cost).items()
    assert cost.macs == layer.weights() * (cost.macs // layer.weights())
    sampled = 2 * 2**dims * len(list(reference.places(size)))
    corners = 2**dims
    assert cost.flops == 2 * cost.macs + 4 * len(list(reference.places(size))) + sampled * (
        corners * dims + corners - 1 + mask
    )


def test_activations_include_the_offsets_and_the_mask():
    shape = (4, 8, 8)
    plain = DeformConv(**OPTIONS)
    assert plain.activations(shape) == 4 * 64 + 6 * 16 + 18 * 16
    assert DeformConv(**OPTIONS, mask=True).activations(shape) == 4 * 64 + 6 * 16 + 27 * 16


def test_offset_groups_divide_the_input_channels():
    with pytest.raises(ArgumentError, match="offset_groups 3 must divide in_channels 4"):
        DeformConv(**OPTIONS, offset_groups=3)


def test_a_branch_is_counted_and_passes_its_input_on():
    conv = Conv(**OPTIONS)
    branch = Branch(layer=conv)
    shape = (4, 9, 9)
    assert branch.output_shape(shape) == shape
    assert (branch.weights(), branch.biases()) == (conv.weights(), conv.biases())
    assert branch.cost(shape) == conv.cost(shape)
    assert branch.activations(shape) == conv.activations(shape)
    assert branch.sees((9, 9)) == ((1, 1, 0, 0),) * 2
    with pytest.raises(ArgumentError, match="the input has 3 channels"):
        branch.output_shape((3, 9, 9))


def test_a_branch_stores_what_its_layer_stores():
    branch = Branch(layer=BatchNorm(channels=4))
    assert (branch.params(), branch.buffers()) == (8, 8)
