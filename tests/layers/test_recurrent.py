import pytest

from convcli.errors import ArgumentError
from convcli.layers import Recurrent
from tests.layers import reference

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def sigmoid(number, tally):
    return tally.number() / (tally.number() + number.apply(float))


def step(kind, tally, inputs, hidden, bias):
    """Run one step of the formulas of PyTorch's documentation for each unit."""

    def weighted(count):
        total = reference.added([tally.number() * tally.number() for _ in range(count)])
        return total + tally.number() if bias else total

    for _ in range(hidden):
        state, cell = tally.number(), tally.number()
        of_input = [weighted(inputs) for _ in range(GATES[kind])]
        of_state = [weighted(hidden) for _ in range(GATES[kind])]
        if kind == "gru":
            reset, update = (sigmoid(a + b, tally) for a, b in zip(of_input[:2], of_state[:2], strict=True))
            new = (of_input[2] + reset * of_state[2]).apply(float)
            state = (tally.number() - update) * new + update * state
            continue
        sums = [a + b for a, b in zip(of_input, of_state, strict=True)]
        if kind == "rnn":
            sums[0].apply(float)
            continue
        taken, forgotten, shown = (sigmoid(each, tally) for each in sums[:3])
        cell = forgotten * cell + taken * sums[3].apply(float)
        state = shown * cell.apply(float)


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("count", "both"), [(1, False), (2, False), (2, True)])
def test_every_step_is_counted(kind, bias, count, both):
    layer = Recurrent(kind, 3, 2, layers=count, bidirectional=both, bias=bias)
    tally = reference.Tally()
    directions = 2 if both else 1
    for number in range(count):
        for _ in range(5 * 4 * directions):
            step(kind, tally, 3 if number == 0 else 2 * directions, 2, bias)
    assert tally.counts().items() <= vars(layer.work((4, 5, 3))).items()
    assert layer.output_shapes((4, 5, 3)) == ((4, 5, 2 * directions),)


def test_parameters_are_pytorchs():
    # torch.nn.LSTM(28, 128, 2): 4 * 128 * (28 + 128 + 2) + 4 * 128 * (128 + 128 + 2)
    assert Recurrent("lstm", 28, 128, layers=2).params() == 212_992
    # torch.nn.GRU(10, 20, bidirectional=True): 2 * 3 * 20 * (10 + 20 + 2)
    assert Recurrent("gru", 10, 20, bidirectional=True).params() == 3_840


def test_layouts():
    assert Recurrent("lstm", 3, 2, layout="time").output_shapes((5, 4, 3)) == ((5, 4, 2),)
    of_onnx = Recurrent("lstm", 3, 2, layout="onnx", bidirectional=True)
    assert of_onnx.output_shapes((5, 4, 3)) == ((5, 2, 4, 2), (2, 4, 2), (2, 4, 2))
    assert len(Recurrent("gru", 3, 2, layout="onnx").output_shapes((5, 4, 3))) == 2


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Recurrent("ltsm", 3, 2), "there is no recurrent layer 'ltsm'; did you mean 'lstm'"),
        (
            lambda: Recurrent("lstm", 3, 2, layout="x"),
            "there is no layout 'x'; choose one of batch, time, onnx",
        ),
        (
            lambda: Recurrent("lstm", 3, 2).output_shapes((4, 5, 6)),
            "the input 4x5x6 must be a sequence of 3 features",
        ),
    ],
)
def test_errors_of_inputs_that_do_not_fit(call, text):
    with pytest.raises(ArgumentError, match=text):
        call()
