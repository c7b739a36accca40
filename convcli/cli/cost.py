"""convcli cost: how much work is it?"""

import click

from convcli.cli.answering import answer_rows, explained, result
from convcli.cli.conversation import Conversation
from convcli.cli.options import AnswerOptions, Command, answer_options, talking
from convcli.cli.question import LayerOptions, Question, chain_help, layer_options
from convcli.layers.explain import flops_lines, macs_lines

COLUMNS = ("name", "layer", "output_shape", "multiplications", "additions", "macs", "flops")


@click.command(
    cls=Command,
    short_help="How much work is it?",
    examples=(
        "convcli cost --n 112 --in 64 --out 128 --k 3 --p 1",
        "convcli cost --n 224 --in 3 --out 64 --k 7 --s 2 --p 3 --format value --field macs",
    ),
    more=chain_help,
)
@layer_options
@answer_options
@talking
@click.pass_obj
def command(conversation: Conversation, /, layer: LayerOptions, answer: AnswerOptions) -> None:
    """Count the work of a layer: multiplications, additions, MACs, FLOPs, and the memory it moves.

    Each is counted exactly and named for what it is. Values divided by commas make a row for each combination.
    """
    answer.give(conversation, answer_rows("cost", layer.questions(), COLUMNS, "macs", _remarks))


def _remarks(question: Question) -> list[str]:
    whole = result(question.rows())
    lines = explained(question, macs_lines, flops_lines)
    if whole["comparisons"] or whole["transcendentals"]:
        lines.append(
            f"besides: {whole['comparisons']:,} comparisons, {whole['transcendentals']:,} transcendentals"
        )
    memory = f"{whole['parameter_bytes']:,} bytes of parameters, {whole['activation_bytes']:,} of activations"
    intensity = whole["arithmetic_intensity"]
    per_byte = f"; {intensity:.4g} FLOPs a byte" if intensity is not None else ""
    return [*lines, f"memory, {question.dtype}: {memory}{per_byte}"]
