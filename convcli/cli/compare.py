"""convcli compare: what would another variant cost?"""

from collections.abc import Sequence

import click

from convcli import __version__
from convcli.cli.answering import result
from convcli.cli.conversation import Conversation
from convcli.cli.options import AnswerOptions, Command, Parsed, answer_options, talking
from convcli.cli.question import LayerOptions, Question, layer_options, several
from convcli.errors import ArgumentError
from convcli.layers.chain import Row
from convcli.layers.variants import VARIANTS, meaning
from convcli.render import Answer

BASELINE = "standard"
DEFAULT = ("standard", "separable", "depthwise", "depthwise-separable")
COUNTED = ("params", "multiplications", "additions", "macs", "flops")


def _variant(name: str) -> str:
    if name in VARIANTS:
        return name
    from difflib import get_close_matches

    close = get_close_matches(name, VARIANTS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"they are {', '.join(VARIANTS)}"
    raise ArgumentError(f"there is no variant {name!r}; {hint}")


@click.command(
    cls=Command,
    examples=(
        "convcli compare --n 112 --in 64 --out 128 --k 3 --p 1",
        "convcli compare --n 14 --in 512 --out 512 --k 3 --p 1 --variants depthwise-separable,grouped",
    ),
)
@layer_options
@click.option(
    "--variants",
    type=Parsed("A,B,C", several(_variant)),
    default=",".join(DEFAULT),
    show_default=True,
    help="Which to compare.",
)
@click.option("--all", "every", is_flag=True, help="Compare all variants.")
@answer_options
@talking
@click.pass_obj
def command(
    conversation: Conversation,
    /,
    layer: LayerOptions,
    variants: tuple[str, ...],
    every: bool,
    answer: AnswerOptions,
) -> None:
    """Compare what the variants of a layer cost, each as a ratio to the standard convolution.

    Variants of several layers are summed. Values divided by commas make rows for each combination.
    """
    questions = layer.questions()
    if layer.chain is not None:
        raise ArgumentError("compare takes one layer; leave out --layers")
    if layer.variant is not None:
        variants = (layer.variant,)
    names = tuple(VARIANTS) if every else tuple(dict.fromkeys((BASELINE, *variants)))
    rows, remarks = [], []
    for question in questions:
        found, unfit = _compared(question, names)
        rows += found
        remarks += unfit
    counted = [column for name in COUNTED for column in (name, f"{name}_ratio")]
    swept = ("layer",) if len(questions) > 1 else ()
    answer.give(
        conversation,
        Answer(
            command="compare",
            version=__version__,
            rows=rows,
            results=rows,
            totals={},
            columns=("variant", *swept, "output_shape", *counted),
            value=("macs_ratio",),
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
        rows.append({**whole, "layer": baseline["layer"], **ratios, "ratio": ratios["macs_ratio"]})
    return rows, remarks


def _ratio(count: int, standard: int) -> float | None:
    return count / standard if standard else None
