import math

import pytest

from convcli.errors import ArgumentError
from convcli.layers import ACTIVATIONS, Activation
from tests.layers import reference


def limited(x, low, high):
    x = low if low > x else x
    return high if x > high else x


def sigmoid(x, one):
    return one / (one + x.apply(lambda value: math.exp(-value)))


def softplus(x, one):
    return (one + x.apply(math.exp)).apply(math.log)


FORMULAS = {
    "relu": lambda x, c: x if x > c else c,
    "relu6": lambda x, c: limited(x, c, c),
    "leaky-relu": lambda x, c: (x > c, c * x),
    "elu": lambda x, c: (x > c, c * (x.apply(math.exp) - c)),
    "sigmoid": sigmoid,
    "tanh": lambda x, c: x.apply(math.tanh),
    "silu": lambda x, c: x / (c + x.apply(lambda value: math.exp(-value))),
    "gelu": lambda x, c: c * x * (c + (x * c).apply(math.erf)),
    "softplus": softplus,
    "mish": lambda x, c: x * softplus(x, c).apply(math.tanh),
    "hard-sigmoid": lambda x, c: limited(x + c, c, c) * c,
    "hard-swish": lambda x, c: x * limited(x + c, c, c) * c,
    "abs": lambda x, c: None,
    "identity": lambda x, c: x,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_cost_is_that_of_the_formula(name):
    layer = Activation(name=name)
    shape = (2, 3, 1)
    tally = reference.Tally()
    for _ in reference.places(shape):
        FORMULAS[name](tally.number(), tally.number())
    flops = tally.multiplications + tally.additions
    assert vars(layer.cost(shape)) == tally.counts() | {"macs": 0, "flops": flops}
    assert layer.output_shape(shape) == shape


def test_cost_of_softmax_is_that_of_the_loops():
    shape = (5, 2, 3)
    tally = reference.Tally()
    for _ in reference.places(shape[1:]):
        numbers = [tally.number() for _ in range(5)]
        top = reference.largest(numbers)
        powers = [(number - top).apply(math.exp) for number in numbers]
        total = reference.added(powers)
        [power / total for power in powers]
    assert tally.counts().items() <= vars(Activation(name="softmax").cost(shape)).items()


def test_an_unknown_function_cannot_be_counted():
    text = "there is no activation 'swoosh'; choose one of relu, relu6, leaky-relu"
    with pytest.raises(ArgumentError, match=text):
        Activation(name="swoosh")


def test_every_activation_has_a_cost():
    """Every activation has a cost in some column, except these two, which only use sign bits."""
    free = [name for name in ACTIVATIONS if not any(vars(ACTIVATIONS[name]).values())]
    assert free == ["abs", "identity"]
