"""Layers of whole tensors: their shapes and what they see are those of NumPy's functions."""

from math import exp, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.layers import (
    Constant,
    Elementwise,
    Expand,
    FlattenFrom,
    Gather,
    Gemm,
    Join,
    Linear,
    MatMul,
    Reduce,
    Reshape,
    Slice,
    Softmax,
    Split,
    Squeeze,
    Tile,
    Transpose,
    Unknown,
    Unsqueeze,
)
from convcli.layers.base import Reach
from convcli.layers.counts import Cost
from convcli.layers.elementwise import BINARY, UNARY
from convcli.layers.reductions import KINDS
from tests.layers import reference

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=5).map(tuple)


def numbered(shape):
    """Return a tensor whose elements are their flat indices."""
    return np.arange(prod(shape)).reshape(shape)


def divided(data, number):
    """Draw factors of a number."""
    factors = []
    while number > 1 and len(factors) < 4:
        factor = data.draw(st.sampled_from([n for n in range(1, number + 1) if number % n == 0]))
        factors.append(factor)
        number //= factor
    return (*factors, number)


@st.composite
def movers(draw):
    """Draw a layer that moves elements, its input shape, and what NumPy's function makes of numbered elements."""
    shape = draw(SHAPES)
    x, dims = numbered(shape), len(shape)
    kind = draw(
        st.sampled_from(["transpose", "slice", "squeeze", "unsqueeze", "split", "tile", "expand", "flatten"])
    )
    if kind == "transpose":
        axes = tuple(draw(st.permutations(range(dims))))
        return Transpose(axes), shape, [x.transpose(axes)]
    if kind == "slice":
        axes = draw(st.lists(st.integers(-dims, dims - 1), unique_by=lambda axis: axis % dims))
        bounds = [
            (draw(st.integers(-7, 7)), draw(st.integers(-7, 7)), draw(st.sampled_from([-2, -1, 1, 2])))
            for _ in axes
        ]
        index = [slice(None)] * dims
        for axis, (start, end, step) in zip(axes, bounds, strict=True):
            index[axis] = slice(start, end, step)
        starts, ends, steps = ([each[part] for each in bounds] for part in range(3))
        return Slice(starts, ends, axes, steps), shape, [x[tuple(index)]]
    if kind == "squeeze":
        ones = [axis for axis, n in enumerate(shape) if n == 1]
        gone = draw(st.lists(st.sampled_from(ones), unique=True)) if ones else []
        return Squeeze(gone), shape, [np.squeeze(x, tuple(gone)) if gone else x]
    if kind == "unsqueeze":
        new = draw(st.lists(st.integers(0, dims), unique=True, min_size=1, max_size=2))
        return Unsqueeze(new), shape, [np.expand_dims(x, tuple(new))]
    if kind == "split":
        axis = draw(st.integers(0, dims - 1))
        cuts = sorted(draw(st.lists(st.integers(1, shape[axis] - 1), unique=True))) if shape[axis] > 1 else []
        parts = np.split(x, cuts, axis)
        return Split(sizes=[part.shape[axis] for part in parts], axis=axis), shape, parts
    if kind == "tile":
        repeats = tuple(draw(st.integers(1, 3)) for _ in shape)
        return Tile(repeats), shape, [np.tile(x, repeats)]
    if kind == "expand":
        wide = (
            *draw(st.lists(st.integers(1, 3), max_size=2)),
            *(draw(st.integers(1, 3)) if n == 1 else n for n in shape),
        )
        return Expand(wide), shape, [np.broadcast_to(x, wide)]
    axis = draw(st.integers(0, dims))
    return FlattenFrom(axis), shape, [x.reshape(prod(shape[:axis]), -1)]


@given(movers())
def test_moved_elements_are_where_numpy_puts_them(case):
    layer, shape, made = case
    if any(part.size == 0 for part in made):
        with pytest.raises(ArgumentError, match="the output would be empty"):
            layer.output_shapes(shape)
        return
    assert layer.output_shapes(shape) == tuple(part.shape for part in made)
    assert layer.work(shape) == Cost()
    for number, part in enumerate(made):
        (traces,) = layer.traces(number, shape)
        assert len(traces) == len(shape)
        check_traces(traces, shape, part)


def check_traces(traces, shape, part):
    """Compare what each axis sees according to the layer with the origin of the elements."""
    for axis, trace in enumerate(traces):
        if trace.axis is None or trace.flat or trace.seen is None:
            continue
        assert isinstance(trace.seen, Reach)
        step, scale, low, high = trace.seen
        came_from = np.unravel_index(part, shape)[axis]
        for y in range(part.shape[trace.axis]):
            found = set(came_from.take(y, trace.axis).ravel().tolist())
            assert found == set(range((step * y + low) // scale, (step * y + high) // scale + 1))


@given(SHAPES, st.data())
def test_reshaped_elements_stay_in_order(shape, data):
    wanted = divided(data, prod(shape))
    made = numbered(shape).reshape(wanted)
    layer = Reshape([-1 if place == 0 else n for place, n in enumerate(wanted)])
    assert layer.output_shapes(shape) == (wanted,)
    (traces,) = layer.traces(0, shape)
    check_traces(traces, shape, made)
    for axis, trace in enumerate(traces):  # a flattened axis has every position of the axes joined into it
        if trace.flat:
            came_from = np.unravel_index(made, shape)[axis]
            others = tuple(other for other in range(made.ndim) if other != trace.axis)
            assert (came_from == came_from.max(axis=others, keepdims=True)).all()


def test_a_reshape_keeps_the_axes_that_stay():
    (traces,) = Reshape((0, 2, 4, 6, 5)).traces(
        0, (3, 8, 6, 5)
    )  # the channel shuffle of an exported ShuffleNet
    assert [trace.axis for trace in traces] == [0, None, 3, 4]
    assert traces[1].seen is None
    (traces,) = Reshape((0, -1)).traces(0, (3, 8, 6, 5))
    assert [(trace.axis, trace.flat) for trace in traces] == [(0, False), (1, True), (1, True), (1, True)]


@given(SHAPES, st.data())
def test_joined_tensors_lie_side_by_side(shape, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    given = [(*shape[:axis], n, *shape[axis + 1 :]) for n in sizes]
    made = np.concatenate([numbered(each) for each in given], axis)
    layer = Join(axis - len(shape))
    assert layer.output_shapes(*given) == (made.shape,)
    first = 0
    for each, traces in zip(given, layer.traces(0, *given), strict=True):
        place = traces[axis].seen
        assert [place.low + y for y in range(first, first + each[axis])] == list(range(each[axis]))
        first += each[axis]
    assert layer.elements(*given) == 2 * made.size


@given(SHAPES, st.data())
def test_elements_broadcast_as_in_numpy(shape, data):
    def thinned():
        kept = shape[data.draw(st.integers(0, len(shape) - 1)) :]
        return tuple(n if data.draw(st.booleans()) else 1 for n in kept)

    shapes = [thinned(), thinned(), thinned()]
    made = np.broadcast_shapes(*shapes)
    layer = Elementwise("add")
    assert layer.output_shapes(*shapes) == (made,)
    assert layer.work(*shapes).additions == 2 * prod(made)
    for each, traces in zip(shapes, layer.traces(0, *shapes), strict=True):
        check_traces(traces, each, np.broadcast_to(numbered(each), made))


@pytest.mark.parametrize("operator", BINARY)
def test_binary_operators_count_once_for_each_output(operator):
    layer = Elementwise(operator, operand=(4, 1, 1), learned=True)
    assert layer.output_shapes((2, 4, 3, 3)) == ((2, 4, 3, 3),)
    extra = BINARY["mul"] if operator == "mean" else Cost()
    assert layer.work((2, 4, 3, 3)) == (BINARY[operator] + extra) * 72
    assert (layer.weights(), layer.buffers()) == (4, 0)
    stored = Elementwise(operator, operand=(4, 1, 1))
    assert (stored.weights(), stored.buffers()) == (0, 4)
    assert Elementwise(operator, operand=(1,)).buffers() == 0


@pytest.mark.parametrize("operator", UNARY)
def test_unary_operators_count_once_for_each_element(operator):
    assert Elementwise(operator).work((2, 3, 4)) == UNARY[operator] * 24


NUMPY = {
    "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod,
    "l1": lambda x, **how: np.sum(abs(x), **how),
}  # fmt: skip


@given(SHAPES, st.booleans(), st.sampled_from(list(NUMPY)), st.data())
def test_reduced_axes_are_numpys(shape, keep, kind, data):
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True, min_size=1))
    layer = Reduce(kind, axes, keep=keep)
    made = NUMPY[kind](numbered(shape), axis=tuple(axes), keepdims=keep)
    assert layer.output_shapes(shape) == (made.shape,)
    (traces,) = layer.traces(0, shape)
    assert [trace.seen == "whole" for trace in traces] == [axis in axes for axis in range(len(shape))]
    for axis, trace in enumerate(traces):
        if axis not in axes:
            assert made.shape[trace.axis] == shape[axis]


@pytest.mark.parametrize("kind", KINDS)
def test_reductions_count_the_loop(kind):
    tally = reference.Tally()
    for _ in range(3):
        numbers = [tally.number() for _ in range(5)]
        if kind in ("l2", "sum-square"):
            numbers = [number * number for number in numbers]
        if kind == "log-sum-exp":
            numbers = [number.apply(float) for number in numbers]
        if kind in ("max", "min", "argmax", "argmin"):
            total = reference.largest(numbers)
        elif kind == "prod":
            total = numbers[0]
            for number in numbers[1:]:
                total = total * number
        else:
            total = reference.added(numbers)
        if kind == "mean":
            total = total / tally.number()
        if kind in ("l2", "log-sum", "log-sum-exp"):
            total.apply(float)
    assert tally.counts().items() <= vars(Reduce(kind, 2).work((1, 3, 5))).items()


@given(st.lists(st.integers(1, 3), max_size=2), *[st.integers(1, 4)] * 3, st.data())
def test_products_are_numpys(outer, rows, terms, columns, data):
    thin = tuple(n if data.draw(st.booleans()) else 1 for n in outer)
    left, right = (*outer, rows, terms), (*thin, terms, columns)
    made = np.matmul(np.ones(left), np.ones(right))
    assert MatMul().output_shapes(left, right) == (made.shape,)
    cost = MatMul().work(left, right)
    assert (cost.macs, cost.additions) == (made.size * terms, made.size * (terms - 1))
    assert MatMul(right).output_shapes(left) == (made.shape,)
    assert MatMul(right).weights() == prod(right) == MatMul(right, learned=False).buffers()
    of_left, of_right = MatMul().traces(0, left, right)
    assert of_left[-1].seen == of_right[-2].seen == "whole"
    assert (of_left[-2].axis, of_right[-1].axis) == (made.ndim - 2, made.ndim - 1)


@pytest.mark.parametrize(
    ("left", "right", "axes"),
    [
        ((5,), (5, 3), ([None], [None, 0])),
        ((2, 4, 5), (5,), ([0, 1, None], [None])),
        ((5,), (5,), ([None], [None])),
        ((5,), (2, 5, 3), ([None], [0, None, 1])),
    ],
)
def test_vectors_have_no_rows_or_no_columns(left, right, axes):
    made = np.matmul(np.ones(left), np.ones(right))
    assert MatMul().output_shapes(left, right) == (made.shape,)
    assert tuple([trace.axis for trace in each] for each in MatMul().traces(0, left, right)) == axes


@pytest.mark.parametrize("transposed", [(False, False), (True, False), (False, True), (True, True)])
def test_gemm_transposes_its_matrices(transposed):
    left, right = (7, 3)[:: -1 if transposed[0] else 1], (3, 5)[:: -1 if transposed[1] else 1]
    layer = Gemm(transposed=transposed, scaled=True)
    assert layer.output_shapes(left, right, (5,)) == ((7, 5),)
    cost = layer.work(left, right, (5,))
    assert (cost.macs, cost.flops) == (7 * 5 * 3, 2 * 7 * 5 * 3 + 35 + 35)
    with pytest.raises(ArgumentError, match="the shapes 7x5 and 4 do not broadcast"):
        layer.output_shapes(left, right, (4,))
    with pytest.raises(ArgumentError, match="the addend 2x7x5 does not broadcast to the product 7x5"):
        layer.output_shapes(left, right, (2, 7, 5))
    with pytest.raises(ArgumentError, match="cannot be multiplied"):
        layer.output_shapes((2, 2), (3, 3))


def test_linear_is_dense_for_every_row():
    layer = Linear(64, 10)
    assert layer.output_shapes((2, 50, 64)) == ((2, 50, 10),)
    assert layer.params() == 650
    assert layer.work((2, 50, 64)).macs == 2 * 50 * 640
    with pytest.raises(
        ArgumentError, match="the last axis of the input 2x64x5 must be the layer's 64 features"
    ):
        layer.output_shapes((2, 64, 5))


@pytest.mark.parametrize("log", [False, True])
def test_softmax_counts_its_formula(log):
    tally = reference.Tally()
    for _ in range(6):
        numbers = [tally.number() for _ in range(4)]
        largest = reference.largest(numbers)
        numbers = [number - largest for number in numbers]
        powers = [number.apply(exp) for number in numbers]
        total = reference.added(powers)
        if log:
            total = total.apply(float)
        for number, power in zip(numbers, powers, strict=True):
            number - total if log else power / total
    assert tally.counts().items() <= vars(Softmax(1, log=log).work((2, 4, 3))).items()


def test_gathered_and_stored_tensors():
    assert Gather(1).output_shapes((2, 9, 4), (3, 5)) == (
        np.take(np.ones((2, 9, 4)), np.zeros((3, 5), int), 1).shape,
    )
    assert Gather(1, indices=(3, 5)).output_shapes((2, 9, 4)) == ((2, 3, 5, 4),)
    words = Gather(0, table=(1000, 16))
    assert words.output_shapes((2, 7)) == ((2, 7, 16),)
    assert words.weights() == 16000
    assert words.elements((2, 7)) == 2 * 2 * 7 * 16 + 2 * 7
    stored = Constant((1, 197, 768), learned=True)
    assert (stored.output_shapes(), stored.params(), stored.elements()) == (((1, 197, 768),), 197 * 768, 0)


@pytest.mark.parametrize(
    ("layer", "shapes", "text"),
    [
        (Reshape((0, -1, 7)), [(2, 6)], "the 12 elements of 2x6 cannot be reshaped to 0x-1x7"),
        (Reshape((0, 0, 0)), [(2, 6)], "keeps an axis that the input 2x6 does not have"),
        (Elementwise("mul"), [(2, 3), (4,)], "the shapes 2x3 and 4 do not broadcast: axis -1 is 3 and 4"),
        (Split(sizes=(3, 4)), [(1, 8)], r"the sizes 3 \+ 4 sum to 7, but axis 1 of 1x8 has size 8"),
        (Split(5), [(1, 8)], "axis 1 of 1x8, of size 8, cannot be split into 5 parts"),
        (Join(2), [(1, 2, 3), (1, 3, 3)], "the inputs 1x2x3 and 1x3x3 cannot be joined along axis 2"),
        (
            MatMul(),
            [(2, 3), (4, 5)],
            "the matrices 2x3 and 4x5 cannot be multiplied: the first has 3 columns, the second 4 rows",
        ),
        (MatMul(), [(), (4, 5)], "matmul takes vectors or matrices, one input is a single number; use mul"),
        (Transpose((1, 0)), [(2, 3, 4)], "a permutation of 2 axes does not fit the input 2x3x4"),
        (Unsqueeze((1, 1)), [(2,)], "an axis is given twice in 1, 1"),
        (Tile((2,)), [(2, 3)], "1 repeats do not fit the 2 axes of 2x3"),
        (Unknown("NonZero"), [(2, 3)], "NonZero cannot be counted: there is no formula for it"),
    ],
)
def test_errors_of_inputs_that_do_not_fit(layer, shapes, text):
    with pytest.raises(ArgumentError, match=text):
        layer.output_shapes(*shapes)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Reshape((-1, -1)), "only one axis of the shape -1x-1 can be -1"),
        (lambda: Slice(0, 1, 0, 0), "the step of a slice cannot be 0"),
        (
            lambda: Slice((0, 1), 1, 0),
            "`starts`, `ends` and `steps` of a slice must have one number for each of `axes`",
        ),
        (lambda: Split(), "split takes either `parts` or `sizes`; give exactly one of them"),
        (lambda: Elementwise("mull"), "there is no operator 'mull'; did you mean 'mul'"),
        (
            lambda: Elementwise("sqrt", operand=(1,)),
            "sqrt takes one input and no operand; leave `operand` out",
        ),
        (lambda: Reduce("avg"), "there is no reduction 'avg'"),
        (lambda: Gather(indices=(1,), table=(2, 3)), "cannot both be stored"),
    ],
)
def test_errors_of_bad_options(make, text):
    with pytest.raises(ArgumentError, match=text):
        make()
