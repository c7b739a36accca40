"""convcli compare: what would another variant cost?"""

from collections.abc import Sequence

import click

from convcli import __version__
from convcli.cli.answering import by_one_number, result, swept
from convcli.cli.conversation import Conversation
from convcli.cli.options import AnswerOptions, Command, Parsed, answer_options, several, talking
from convcli.cli.question import LayerOptions, Question, geometry_options, variant_name
from convcli.errors import ArgumentError
from convcli.layers.chain import Row
from convcli.layers.variants import VARIANTS, meaning
from convcli.render import Answer

BASELINE = "standard"
DEFAULT = ("standard", "separable", "depthwise", "depthwise-separable")
COUNTED = ("params", "weights", "multiplications", "additions", "macs", "flops")  # each with its ratio
SHOWN = ("params", "macs", "flops")  # in a table; -v shows all


@click.command(
    cls=Command,
    short_help="What would another variant cost?",
    examples=(
        "convcli compare --n 112 --in 64 --out 128 --k 3 --p 1",
        "convcli compare --n 14 --in 512 --out 512 --k 3 --p 1 --variants depthwise-separable,grouped",
    ),
)
@geometry_options
@click.option(
    "--variants",
    "--variant",
    type=Parsed("A,B,C", several(variant_name)),
    help=f"Which to compare.  [default: {','.join(DEFAULT)}]",
)
@click.option("--all", "every", is_flag=True, help="Compare all variants.")
@answer_options
@talking
@click.pass_obj
def command(
    conversation: Conversation,
    /,
    layer: LayerOptions,
    variants: tuple[str, ...] | None,
    every: bool,
    answer: AnswerOptions,
) -> None:
    """Compare what the variants of a layer cost, each as a ratio to the standard convolution.

    Variants of several layers are summed. Values divided by commas make rows for each combination.
    """
    questions = layer.questions()
    if every and variants:
        raise ArgumentError("--all and --variants contradict each other; give one of them")
    asked = tuple(VARIANTS) if every else variants or DEFAULT
    names = tuple(dict.fromkeys((BASELINE, *asked)))
    rows, remarks = [], []
    for question in questions:
        found, unfit = _compared(question, names)
        rows += found
        remarks += unfit
    several_layers = ("layer",) if len(questions) > 1 else ()
    shown = [column for name in SHOWN for column in (name, f"{name}_ratio")]
    answer.give(
        conversation,
        Answer(
            command="compare",
            version=__version__,
            rows=rows,
            results=[row for row in rows if row["variant"] in asked],
            totals={},
            columns=swept(questions, ("variant", *several_layers, "output_shape", *shown)),
            value=("macs_ratio",),
            by_one_number=by_one_number(questions),
            remarks=[*(f"{name}: {meaning(name)}" for name in names), *remarks],
        ),
    )


def _compared(question: Question, names: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Return a row for each variant, and a remark on each that this layer cannot have."""
    baseline = result(question.rows(BASELINE))
    rows, remarks = [], []
    for name in names:
        try:
            whole = result(question.rows(name))
        except ArgumentError as error:
            remarks.append(f"{name} is left out: {error}")
            continue
        ratios = {f"{count}_ratio": _ratio(whole[count], baseline[count]) for count in COUNTED}
        rows.append({**whole, **ratios, "ratio": ratios["macs_ratio"]})
    return rows, remarks


def _ratio(count: int, standard: int) -> float | None:
    """Return count / standard; as a whole number where no float is as large."""
    try:
        return count / standard if standard else None
    except OverflowError:
        return count // standard
