"""convcli params: count the parameters of a layer or a network."""

import click

from convcli.cli.calculators.answer_rows import answer_rows, give
from convcli.cli.calculators.calculator_help import LAYER_GROUPS, chain_help
from convcli.cli.calculators.question import Question
from convcli.cli.command import Command
from convcli.cli.options.answer_options import AnswerOptions, drawn_answer_options
from convcli.cli.options.layer_options import LayerOptions, layer_options
from convcli.cli.options.network_options import NetworkOptions, network_options
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.positional_words import layer_words
from convcli.cli.user_messages import Messages
from convcli.layers.text.explain import params_lines

COLUMNS = ("name", "layer", "weights", "biases", "params", "buffers", "parameter_bytes")


@click.command(
    cls=Command,
    short_help="How many parameters does a layer have?",
    words=layer_words(
        *("in_channels", "out_channels", "k"),
        picture="params takes a network, or a layer, such as --in {channels} --out 64 --k 3; the size of a picture "
        "does not change the number of weights",
    ),
    examples=(
        "convcli params --in 64 --out 128 --k 3",
        "convcli params mobilenet-v1 --width 0.5 --format value",
    ),
    groups=LAYER_GROUPS,
    leading=(
        "k",
        "in_channels",
        "out_channels",
        "groups",
        "bias",
        "variant",
        "chain",
        "form",
        "fields",
        "output",
    ),
    topics=("layers", "variants", "networks"),
    more=chain_help,
)
@network_options
@layer_options
@drawn_answer_options
@verbosity_options
@click.pass_obj
def command(
    messages: Messages, /, network: NetworkOptions, layer: LayerOptions, answer: AnswerOptions
) -> int:
    """Count the learned parameters of a layer, or of a whole NETWORK: weights, biases and their sum.

    The input size is only needed for the variants local and dense, and for dense layers of a chain. Buffers, such as
    the statistics of batch normalisation, are stored but not learned. Several values of an option of a layer, separated
    by commas, make a row for each combination: --out 64,128. A combination without an answer has the reason in its row,
    and the exit code is then 1.
    """
    network.check(click.get_current_context(), LayerOptions._fields)
    if network.network is not None:
        from convcli.cli.calculators.network_answer import network_answer

        found = network_answer("params", network, layer, COLUMNS, "params", shapeless=True)
        answer.give(messages, found)
        return 0
    questions = layer.questions(sized=False)
    made = answer_rows("params", questions, COLUMNS, "params", _remarks)
    return give(messages, answer, made, len(questions))


def _remarks(question: Question) -> list[str]:
    lines = [f"{question.spec.name}: {question.spec.help}"] if question.spec else []
    counted = [
        (part.inner, row["name"]) for part, row in zip(question.layers(), question.rows(), strict=True)
    ]
    if len(counted) == 1:
        return lines + params_lines(counted[0][0])
    return lines + [
        f"{name}, {line}" for layer, name in counted if layer.params() for line in params_lines(layer)
    ]
