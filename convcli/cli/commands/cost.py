"""convcli cost: count the operations and the memory of a layer or a network."""

from functools import partial

import click

from convcli.cli.calculators.answer_rows import answer_rows, explained, give, result
from convcli.cli.calculators.calculator_help import LAYER_GROUPS, chain_help
from convcli.cli.calculators.question import Question
from convcli.cli.command import Command
from convcli.cli.options.answer_options import AnswerOptions, drawn_answer_options
from convcli.cli.options.cost_options import CostOptions, cost_options
from convcli.cli.options.layer_options import LayerOptions, layer_options
from convcli.cli.options.network_options import NetworkOptions, network_options
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.positional_words import layer_words
from convcli.cli.user_messages import Messages
from convcli.layers.text.explain import flops_lines, macs_lines
from convcli.networks.rows import Row

COLUMNS = ("name", "layer", "output_shape", "multiplications", "additions", "macs", "flops")

OF_NETWORKS = ("name", "layer", "output_shape", "params", "macs", "flops")


@click.command(
    cls=Command,
    short_help="How much work is it?",
    words=layer_words(
        *("n", "in_channels", "out_channels", "k"),
        picture="cost takes a network or a layer; for a picture of this size give --input {channels}x{size} with a "
        "network, or --n {size} --in {channels} with a layer, such as --out 64 --k 3",
    ),
    examples=(
        "convcli cost --n 112 --in 64 --out 128 --k 3 --p 1",
        "convcli cost resnet-50 --input 3x320x320 --format value --field params,macs",
    ),
    groups=LAYER_GROUPS,
    leading=("n", "k", "s", "p", "in_channels", "out_channels", "variant", "chain", "form", "fields"),
    topics=("layers", "padding", "variants", "networks"),
    more=chain_help,
)
@network_options
@layer_options
@cost_options
@drawn_answer_options
@verbosity_options
@click.pass_obj
def command(
    messages: Messages,
    /,
    network: NetworkOptions,
    layer: LayerOptions,
    more: CostOptions,
    answer: AnswerOptions,
) -> int:
    """Count the work of a layer or a NETWORK: multiplications, additions, MACs, FLOPs, and memory traffic.

    A MAC is a multiplication by a weight and an addition, and counts as two FLOPs; other multiplications and additions,
    such as those of a bias, count as one. Several values of an option of a layer, separated by commas, make a row
    for each combination. One without an answer has the reason in its row, and the exit code is then 1.

    \f

    Memory traffic is the bytes of the parameters, and of the activations: the inputs that every layer reads and the
    outputs that it writes, each counted once per layer. It is not the memory that a run needs at a time.
    """  # noqa: D301  # --help-all shows what follows \f
    more.check()
    network.check(click.get_current_context(), LayerOptions._fields)
    if network.network is not None:
        from convcli.cli.calculators.network_answer import network_answer

        found = network_answer("cost", network, layer, more.columns(OF_NETWORKS), "macs", more=more)
        answer.give(messages, found)
        return 0
    questions = layer.questions()

    def rows(question: Question) -> list[Row]:
        return more.extended(question.rows(), *question.network(), question.dtype)

    made = answer_rows(
        "cost",
        questions,
        more.columns(COLUMNS),
        "macs",
        lambda question: [*_remarks(question), *more.lines(rows(question))],
        rows,
    )
    return give(messages, answer, made, len(questions))


def _remarks(question: Question) -> list[str]:
    whole = result(question.rows())
    batch = question.batch
    lines = explained(question, partial(macs_lines, batch=batch), partial(flops_lines, batch=batch))
    if whole["comparisons"] or whole["transcendentals"]:
        lines.append(
            f"also: {whole['comparisons']:,} comparisons, {whole['transcendentals']:,} transcendental functions"
        )
    stored = "parameters and buffers" if whole["buffers"] else "parameters"
    memory = f"{whole['parameter_bytes']:,} bytes of {stored}, {whole['activation_bytes']:,} of activations"
    intensity = whole["arithmetic_intensity"]
    per_byte = f"; arithmetic intensity: {intensity:.4g} FLOPs per byte" if intensity is not None else ""
    return [*lines, f"memory, {question.dtype}: {memory}{per_byte}"]
