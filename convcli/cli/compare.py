"""convcli compare: what would another variant cost?"""

from collections.abc import Sequence
from typing import NamedTuple

import click

from convcli import __version__
from convcli.cli.answering import by_one_number, result, swept
from convcli.cli.conversation import Conversation
from convcli.cli.options import AnswerOptions, Command, Parsed, answer_options, bundled, several, talking
from convcli.cli.question import LayerOptions, Question, geometry_options, variant_name
from convcli.errors import ArgumentError
from convcli.layers.chain import Row
from convcli.layers.variants import VARIANTS, meaning
from convcli.render import Answer

BASELINE = "standard"
DEFAULT = ("standard", "separable", "depthwise", "depthwise-separable")
COUNTED = ("params", "weights", "multiplications", "additions", "macs", "flops")  # each with its ratio
SHOWN = ("params", "macs", "flops")  # in a table; -v shows all
MAX_PIXELS = 25_000_000  # of a picture, unless the caller lifts it: results are held as floats


class PictureOptions(NamedTuple):
    """The picture that is compared on, if any, and its kernel."""

    image: str | None
    kernel: str | None
    max_pixels: int

    def check(self, context: click.Context) -> None:
        """Refuse the options of a layer on paper beside a picture, and those of a picture without one."""
        given = {
            parameter.name: next(name for name in parameter.opts if len(name) > 2)
            for parameter in context.command.params
            if context.get_parameter_source(parameter.name or "") == click.core.ParameterSource.COMMANDLINE
        }
        if self.image is None:
            for name in ("kernel", "max_pixels"):
                if name in given:
                    raise ArgumentError(
                        f"{given[name]} belongs to a picture, as in convcli compare photo.png --kernel sobel; for a "
                        "layer on paper give --k"
                    )
            return
        if self.kernel is None:
            raise ArgumentError(
                f"there is no kernel to run on {self.image}; give one, as --kernel gaussian:sigma=2"
            )
        for name in LayerOptions._fields:
            if name in given:
                raise ArgumentError(
                    f"{given[name]} describes a layer on paper and has no use beside a picture, whose layer is the "
                    "kernel on its channels; leave it out"
                )


picture_options = bundled(
    "picture",
    PictureOptions,
    click.argument("image", required=False, type=click.Path(), metavar="[IMAGE]"),
    click.option(
        "--kernel",
        metavar="SPEC",
        help="What to run on IMAGE, as convcli filter has it: gaussian:sigma=2. With -o sheet.png the results are "
        "drawn side by side.",
    ),
    click.option(
        "--max-pixels",
        type=click.IntRange(1),
        default=MAX_PIXELS,
        envvar="CONVCLI_MAX_PIXELS",
        show_default=True,
        show_envvar=True,
        metavar="N",
        help="Refuse a larger IMAGE.",
    ),
)


@click.command(
    cls=Command,
    short_help="What would another variant cost?",
    examples=(
        "convcli compare --n 112 --in 64 --out 128 --k 3 --p 1",
        "convcli compare --n 14 --in 512 --out 512 --k 3 --p 1 --variants depthwise-separable,grouped",
    ),
)
@picture_options
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
    picture: PictureOptions,
    layer: LayerOptions,
    variants: tuple[str, ...] | None,
    every: bool,
    answer: AnswerOptions,
) -> None:
    """Compare what the variants of a layer cost, each as a ratio to the standard convolution.

    Variants of several layers are summed. Values divided by commas make rows for each combination.

    With an IMAGE and a --kernel: run the variants, and every method of depthwise, on that picture. Shows the work,
    the time, the difference to plain sums, the rank, and what moving, turning and doubling the picture changes.
    """
    picture.check(click.get_current_context())
    if every and variants:
        raise ArgumentError("--all and --variants contradict each other; give one of them")
    asked = tuple(VARIANTS) if every else variants or DEFAULT
    if picture.image is not None and picture.kernel is not None:
        _compare_on(picture.image, picture.kernel, picture.max_pixels, asked, conversation, answer)
        return
    questions = layer.questions()
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


def _compare_on(
    image: str,
    kernel: str,
    max_pixels: int,
    variants: Sequence[str],
    conversation: Conversation,
    answer: AnswerOptions,
) -> None:
    import os
    from pathlib import Path

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a method is timed on one core

    from convcli.cli.comparing import compare_on

    compare_on(Path(image), kernel, max_pixels, tuple(dict.fromkeys(variants)), conversation, answer)


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
