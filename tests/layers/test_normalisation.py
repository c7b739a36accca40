import pytest

from convcli.errors import ArgumentError
from convcli.layers import LRN, GroupNorm, InstanceNorm, LayerNorm
from tests.layers import reference


def normalised(tally, elements, groups, scaled, shifted):
    """Compute the formula: (x - mean) / sqrt(variance + eps) * gamma + beta."""
    for _ in range(groups):
        numbers = [tally.number() for _ in range(elements // groups)]
        mean = reference.added(numbers) / tally.number()
        centred = [number - mean for number in numbers]
        variance = reference.added([number * number for number in centred]) / tally.number()
        scale = tally.number() / (variance + tally.number()).apply(float)
        for number in centred:
            number = number * scale
            if scaled:
                number = number * tally.number()
            if shifted:
                number = number + tally.number()


@pytest.mark.parametrize(
    ("layer", "shape", "groups", "params"),
    [
        (GroupNorm(2, 4), (4, 3, 3), 2, 8),
        (GroupNorm(2, 4, affine=False), (4, 3, 3), 2, 0),
        (InstanceNorm(4), (4, 3, 3), 4, 0),
        (InstanceNorm(4, affine=True), (4, 3, 3), 4, 8),
        (LayerNorm((4, 3, 3)), (4, 3, 3), 1, 72),
        (LayerNorm(6), (5, 6), 5, 12),
        (LayerNorm(6, bias=False), (5, 6), 5, 6),
        (LayerNorm(6, affine=False), (5, 6), 5, 0),
        (LayerNorm(4, channels=True), (4, 3, 3), 9, 8),
    ],
)
def test_normalisations_count_their_formula(layer, shape, groups, params):
    tally = reference.Tally()
    elements = 1
    for n in shape:
        elements *= n
    normalised(tally, elements, groups, layer.weights() > 0, layer.biases() > 0)
    assert tally.counts().items() <= vars(layer.cost(shape)).items()
    assert layer.params() == params
    assert layer.output_shape(shape) == shape


def test_local_response_normalisation_counts_its_formula():
    tally = reference.Tally()
    for _ in range(4 * 9):
        around = reference.added([tally.number() for _ in range(5)])  # squares are computed once per element
        tally.number() * tally.number()
        below = (around * tally.number() + tally.number()).apply(float)
        tally.number() / below
    assert tally.counts().items() <= vars(LRN(5).cost((4, 3, 3))).items()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: GroupNorm(3, 4), "4 channels cannot be divided into 3 equal groups"),
        (lambda: GroupNorm(2, 4).output_shape((5, 2, 2)), "the input has 5 channels, the layer takes 4"),
        (
            lambda: LayerNorm(7).output_shape((5, 6)),
            "the last axes of the input 5x6 must be 7, the normalised shape",
        ),
        (
            lambda: LayerNorm(5, channels=True).output_shape((4, 6, 6)),
            "must be 5, the normalised shape",
        ),
        (
            lambda: LayerNorm((2, 3), channels=True),
            "with `channels` the shape must be one number, the channels; 2x3 has 2",
        ),
    ],
)
def test_errors_of_inputs_that_do_not_fit(call, text):
    with pytest.raises(ArgumentError, match=text):
        call()
