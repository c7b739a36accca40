from itertools import product
from math import inf

import pytest

from convcli.errors import ArgumentError
from convcli.layers import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool
from tests.layers import reference

SHAPE = (2, 6, 5)


def test_windows_are_adjacent_unless_a_stride_is_given():
    assert MaxPool(kernel_size=(3, 2)).stride == (3, 2)
    assert AvgPool(kernel_size=3, stride=1).stride == (1, 1)
    assert MaxPool(kernel_size=3, stride=1).output_shape((1, 5, 5)) == (1, 3, 3)  # Dumoulin & Visin, 7


def test_output_size_counts_the_windows_that_fit():
    tried = 0
    for n, k, s, d, before, after in product(
        range(1, 9), range(1, 5), range(1, 6), range(1, 4), range(3), range(3)
    ):
        if max(before, after) > d * (k - 1):
            continue
        for ceil_mode in (False, True):
            layer = MaxPool(
                kernel_size=(k,), stride=s, dilation=d, padding=((before, after),), ceil_mode=ceil_mode
            )
            count = pytorch_count(n, before, after, k, s, d) if ceil_mode else reference.windows(
                n, before, after, k, s, d
            )  # fmt: skip
            if count:
                assert layer.output_shape((1, n)) == (1, count), (n, layer)
            else:
                with pytest.raises(ArgumentError, match="the output would be empty"):
                    layer.output_shape((1, n))
            tried += 1
    assert tried > 3000


def pytorch_count(n, before, after, k, s, d):
    """Count the windows that start inside the input or its leading padding, until one reaches the end."""
    count = 0
    end = n + before + after
    while count * s < n + before:
        start = count * s
        if count and start - s + d * (k - 1) + 1 >= end:
            break  # the window before this one reached the end
        if not count and start + d * (k - 1) + 1 - end >= s:
            break  # not even a part of a stride is missing: PyTorch calls this empty
        count += 1
    return count


@pytest.mark.parametrize(
    ("n", "options", "o"),
    [
        (112, {"kernel_size": 3, "stride": 2, "padding": 1}, 56),  # ResNet
        (112, {"kernel_size": 3, "stride": 2, "ceil_mode": True}, 56),  # GoogLeNet, torchvision
        (54, {"kernel_size": 3, "stride": 2, "ceil_mode": True}, 27),  # SqueezeNet, torchvision
        (109, {"kernel_size": 3, "stride": 2, "ceil_mode": True}, 54),
        (5, {"kernel_size": 1, "stride": 3, "ceil_mode": True}, 2),  # a third window would start at 6
        (
            4,
            {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
            2,
        ),  # not a third, in the padding
        (2, {"kernel_size": 3, "stride": 2, "ceil_mode": True}, 1),  # extends beyond the input, as in PyTorch
    ],
)
def test_ceil_mode(n, options, o):
    assert AvgPool(**options).output_shape((1, n, n)) == (1, o, o)


@pytest.mark.parametrize("pool", [MaxPool, AvgPool])
def test_padding_is_below_what_the_kernel_spans(pool):
    assert pool(kernel_size=3, stride=1, padding=2, dims=1).output_shape((1, 5)) == (1, 7)
    assert pool(kernel_size=3, padding="full") == pool(kernel_size=3, padding=2)
    pool(kernel_size=2, dilation=3, padding=3)
    pool(kernel_size=4, padding="same")
    text = (
        "padding 3 along the width would put whole windows into the padding: the kernel spans 3; "
        "pad by at most 2, or take a larger kernel"
    )
    with pytest.raises(ArgumentError, match=text):
        pool(kernel_size=3, padding=(1, 3))


def test_every_window_of_same_touches_the_input():
    for n, k, s, d, name in product(
        range(1, 9), range(1, 5), range(1, 6), range(1, 4), ("same", "same-lower")
    ):
        layer = MaxPool(kernel_size=(k,), stride=s, dilation=d, padding=name)
        assert max(layer.pads((n,))[0]) < d * (k - 1) + 1
        assert layer.output_shape((1, n)) == (1, -(-n // s))


@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (3, 2)])
def test_cost_of_max_is_that_of_the_loops(kernel):
    layer = MaxPool(kernel_size=kernel, stride=1)
    tally = reference.Tally()
    for _ in reference.places(layer.output_shape(SHAPE)):
        reference.largest([tally.number() for _ in reference.places(kernel)])
    assert vars(layer.cost(SHAPE)) == tally.counts() | {"macs": 0, "flops": 0}


@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (3, 2)])
def test_cost_of_avg_is_that_of_the_loops(kernel):
    layer = AvgPool(kernel_size=kernel, stride=1)
    tally = reference.Tally()
    for _ in reference.places(layer.output_shape(SHAPE)):
        reference.added([tally.number() for _ in reference.places(kernel)]) / tally.number()
    flops = tally.multiplications + tally.additions
    assert vars(layer.cost(SHAPE)) == tally.counts() | {"macs": 0, "flops": flops}


@pytest.mark.parametrize("power", [1, 2, 3, 2.5, 0.5])
def test_cost_of_the_norm_is_that_of_the_loops(power):
    layer = LpPool(kernel_size=2, norm_type=power)
    tally = reference.Tally()
    for _ in reference.places(layer.output_shape(SHAPE)):
        powers = []
        for _ in range(4):
            number = tally.number()
            if power == int(power):
                raised = number
                for _ in range(power - 1):
                    raised = raised * number
            else:
                raised = number.apply(lambda x: x**power)
            powers.append(raised)
        total = reference.added(powers)
        if power != 1:
            total.apply(lambda x: x ** (1 / power))
    assert tally.counts().items() <= vars(layer.cost(SHAPE)).items()


def test_the_infinite_norm_costs_what_the_maximum_does():
    layer = LpPool(kernel_size=(2, 3), norm_type=inf)
    assert layer.cost(SHAPE) == MaxPool(kernel_size=(2, 3)).cost(SHAPE)


@pytest.mark.parametrize("power", [0, -1, float("nan")])
def test_the_power_of_a_norm_is_above_0(power):
    with pytest.raises(ArgumentError, match=f"the p of a p-norm must be above 0, got {power}"):
        LpPool(kernel_size=2, norm_type=power)


def test_a_too_large_power_is_rejected():
    with pytest.raises(
        ArgumentError, match=r"p-norm must be at most 1e\+06, or inf for the maximum, got 1e\+308"
    ):
        LpPool(kernel_size=2, norm_type=1e308)


@pytest.mark.parametrize(("n", "o"), list(product(range(1, 13), range(1, 13))))
def test_cost_of_adaptive_is_that_of_the_loops(n, o):
    average, maximum = reference.Tally(), reference.Tally()
    for i in range(o):
        window = reference.adaptive_window(n, o, i)
        reference.added([average.number() for _ in window]) / average.number()
        reference.largest([maximum.number() for _ in window])
    cost = AdaptivePool(output_size=(o,)).cost((1, n))
    assert average.counts().items() <= vars(cost).items()
    cost = AdaptivePool(output_size=(o,), kind="max").cost((1, n))
    assert maximum.counts().items() <= vars(cost).items()


def test_adaptive_windows_are_seen():
    for n, o in product(range(1, 13), range(1, 13)):
        ((step, scale, low, high),) = AdaptivePool(output_size=(o,)).sees((n,))
        for i in range(o):
            window = reference.adaptive_window(n, o, i)
            assert ((step * i + low) // scale, (step * i + high) // scale) == (window[0], window[-1])


@pytest.mark.parametrize("kind", ["avg", "max"])
def test_global_is_adaptive_to_1(kind):
    everything, adaptive = GlobalPool(kind=kind), AdaptivePool(output_size=1, kind=kind)
    assert everything.output_shape(SHAPE) == adaptive.output_shape(SHAPE) == (2, 1, 1)
    assert everything.cost(SHAPE) == adaptive.cost(SHAPE)
    assert everything.sees(SHAPE[1:]) == adaptive.sees(SHAPE[1:])
    assert everything.output_shape((2, 4, 4, 4)) == (2, 1, 1, 1)


def test_bad_adaptive_and_global_pools_are_named():
    with pytest.raises(ArgumentError, match="there is no kind 'mean' of pooling; choose one of avg, max"):
        GlobalPool(kind="mean")
    with pytest.raises(ArgumentError, match="output_size must be at least 1, got 0"):
        AdaptivePool(output_size=0)
    with pytest.raises(ArgumentError, match="the input size 6x5 has 2 axes but the output size 2x2x2 has 3"):
        AdaptivePool(output_size=(2, 2, 2)).output_shape(SHAPE)
    with pytest.raises(ArgumentError, match="the input's height must be at least 1, got 0"):
        AdaptivePool(output_size=1).output_shape((1, 0, 1))


def test_pools_have_no_parameters():
    for layer in (MaxPool(kernel_size=2), AdaptivePool(output_size=1), GlobalPool()):
        assert (layer.weights(), layer.biases(), layer.params(), layer.buffers()) == (0, 0, 0, 0)
