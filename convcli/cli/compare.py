"""convcli compare: what would another variant cost? And how far are two pictures apart?"""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import NamedTuple

import click

from convcli import __version__
from convcli.cli.answering import answered, by_one_number, give, result, swept
from convcli.cli.conversation import Conversation
from convcli.cli.layer_options import LayerOptions, geometry_options, variant_name
from convcli.cli.options import (
    AnswerOptions,
    Command,
    Parsed,
    answer_options,
    at_least,
    bundled,
    several,
    talking,
)
from convcli.cli.question import Question
from convcli.errors import ArgumentError
from convcli.images.formats import MAX_FRAMES, MOST_PIXELS
from convcli.images.formats import MAX_PIXELS as MAX_PIXELS_OF_TWO
from convcli.kernels.files import files_in
from convcli.layers.chain import Row
from convcli.layers.variants import BASELINE, VARIANTS
from convcli.memory import memory_size
from convcli.render import Answer

DEFAULT = tuple(name for name, spec in VARIANTS.items() if spec.usual)
COUNTED = ("params", "weights", "multiplications", "additions", "macs", "flops")  # each with its ratio
SHOWN = ("params", "macs", "flops")  # in a table; -v shows all
MAX_PIXELS = 25_000_000  # of a picture, unless the caller lifts it: results are held as floats

# Options by the numbers of pictures that they have a meaning beside; those of a layer have one beside none.
USED_BESIDE = {
    "kernel": (1,),
    "variants": (0, 1),
    "every": (0, 1),
    "tolerance": (2,),
    "max_pixels": (1, 2),
    "max_frames": (2,),
    "max_memory": (2,),
    **dict.fromkeys(LayerOptions._fields, (0,)),
}


class PictureOptions(NamedTuple):
    """The picture that is compared on and its kernel, or the two that are compared; none for a layer on paper."""

    images: tuple[str, ...]
    kernel: str | None
    tolerance: float
    max_pixels: int | None
    max_frames: int
    max_memory: int

    @property
    def files(self) -> list[tuple[str, Path]]:
        """The files that are read, after what messages call them."""
        kernels = [] if self.kernel is None else files_in(self.kernel)
        pictures = [Path(name) for name in self.images if name != "-"]
        return [*(("compared", path) for path in pictures), *(("the kernel", path) for path in kernels)]

    def check(self, context: click.Context) -> None:
        """Refuse the options of a layer on paper beside a picture, and those of a picture without one."""
        given = {
            parameter.name: next(name for name in parameter.opts if len(name) > 2)
            for parameter in context.command.params
            if context.get_parameter_source(parameter.name or "") == click.core.ParameterSource.COMMANDLINE
        }
        count = len(self.images)
        if count > 2:
            raise ArgumentError(
                f"{count} pictures are given; name two to compare them, or one with --kernel: {' '.join(self.images)}"
            )
        if count == 1 and self.kernel is None:
            raise ArgumentError(
                f"there is no kernel to run on {self.images[0]}; give one, as --kernel gaussian:sigma=2, or a second "
                "picture to compare it with"
            )
        for name, option in given.items():
            if name in USED_BESIDE and count not in USED_BESIDE[name]:
                raise ArgumentError(f"{option} {_misplaced(name, count)}")


def _misplaced(name: str, count: int) -> str:
    """Say where an option belongs that has no use beside so many pictures."""
    if name in LayerOptions._fields:
        layer = ", whose layer is the kernel on its channels" if count == 1 else ""
        return f"describes a layer on paper and has no use beside a picture{layer}; leave it out"
    if count == 2:
        return "runs on one picture, and two are compared as they are; leave it out, or one of them"
    if 1 in USED_BESIDE[name]:
        return "belongs to a picture, as in convcli compare photo.png --kernel sobel; for a layer on paper give --k"
    return "belongs to two pictures, as in convcli compare before.png after.png; name them"


def _tolerance(text: str) -> float:
    """Read how far samples may be apart."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < inf:
        raise ArgumentError(f"{text!r} is no distance of samples; give a number of at least 0, such as 1")
    return number


picture_options = bundled(
    "picture",
    PictureOptions,
    click.argument("images", nargs=-1, type=click.Path(), metavar="[IMAGE [IMAGE]]"),
    click.option(
        "--kernel",
        metavar="SPEC",
        help="What to run on IMAGE, as convcli filter has it: gaussian:sigma=2. With -o sheet.png the results are "
        "drawn side by side.",
    ),
    click.option(
        "--tolerance",
        type=Parsed("T", _tolerance),
        default="0",
        help="Of two pictures: exit with 1 where samples differ by more than T, in their own units.  [default: 0]",
    ),
    click.option(
        "--max-pixels",
        type=at_least(1, MOST_PIXELS),
        envvar="CONVCLI_MAX_PIXELS",
        show_envvar=True,
        help=f"Refuse a larger IMAGE.  [default: {MAX_PIXELS}, of two {MAX_PIXELS_OF_TWO}]",
    ),
    click.option(
        "--max-frames",
        type=at_least(1),
        default=str(MAX_FRAMES),
        envvar="CONVCLI_MAX_FRAMES",
        show_envvar=True,
        help=f"Of two pictures: refuse more frames or pages.  [default: {MAX_FRAMES}]",
    ),
    click.option(
        "--max-memory",
        type=Parsed("SIZE", memory_size),
        default="4G",
        envvar="CONVCLI_MAX_MEMORY",
        show_envvar=True,
        help="Of two pictures: refuse what would take more memory.  [default: 4G]",
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
    type=Parsed("A,B,C", several(variant_name), tuple(VARIANTS)),
    help=f"Which of {', '.join(VARIANTS)} to compare.  [default: {','.join(DEFAULT)}]",
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
) -> int:
    """Compare what the variants of a layer cost, each as a ratio to the standard convolution.

    Variants of several layers are summed. Values divided by commas make rows for each combination; where one has no
    answer its row says so, and the exit code is 1.

    With an IMAGE and a --kernel: run the variants, and every method of depthwise, on that picture. Shows the work,
    the time, the difference to plain sums, the rank, and what moving, turning and doubling the picture changes.

    With two IMAGEs: measure how far apart their samples are, frame by frame, and exit with 1 where that is beyond the
    --tolerance, or where they differ in size, pixel mode or frames. With -o diff.png the differences are drawn.
    """
    picture.check(click.get_current_context())
    if every and variants:
        raise ArgumentError("--all and --variants contradict each other; give one of them")
    answer.check(picture.files)
    asked = tuple(VARIANTS) if every else variants or DEFAULT
    if picture.images and picture.kernel is not None:
        (image,) = picture.images
        limit = picture.max_pixels or MAX_PIXELS
        _compare_on(image, picture.kernel, limit, asked, conversation, answer)
        return 0
    if picture.images:
        return _differ(picture, conversation, answer)
    names = tuple(dict.fromkeys((BASELINE, *asked)))
    questions = layer.questions(each=len(names))
    layer.check_compared(names)
    made = _on_paper(questions, names, asked)
    return give(conversation, answer, made, len(questions))


def _on_paper(questions: Sequence[Question], names: Sequence[str], asked: Sequence[str]) -> Answer:
    """Return what the variants of these names cost, for each combination of the options; `asked` lacks the baseline."""
    unfit: dict[str, None] = {}  # in the order in which they come
    several_layers = ("layer",) if len(questions) > 1 else ()
    shown = [column for name in SHOWN for column in (name, f"{name}_ratio")]
    columns = swept(questions, ("variant", *several_layers, "output_shape", *shown))
    made = answered(questions, lambda question: _compared(question, names, unfit), columns)
    rows = [row for rows in made for row in rows]
    return Answer(
        command="compare",
        version=__version__,
        rows=rows,
        results=[row for row in rows if row["variant"] in asked or row.get("error") is not None],
        totals={},
        columns=columns,
        value=("macs_ratio",),
        by_one_number=by_one_number(questions),
        remarks=[*(f"{name}: {VARIANTS[name].help}" for name in names), *unfit],
    )


def _differ(picture: PictureOptions, conversation: Conversation, answer: AnswerOptions) -> int:
    from convcli.cli.differing import Limits, differ

    a, b = picture.images
    limits = Limits(picture.max_pixels or MAX_PIXELS_OF_TWO, picture.max_frames, picture.max_memory)
    return differ((a, b), picture.tolerance, limits, conversation, answer)


def _compare_on(
    image: str,
    kernel: str,
    max_pixels: int,
    variants: Sequence[str],
    conversation: Conversation,
    answer: AnswerOptions,
) -> None:
    import os

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a method is timed on one core

    from convcli.cli.comparing import compare_on

    compare_on(Path(image), kernel, max_pixels, tuple(dict.fromkeys(variants)), conversation, answer)


def _compared(question: Question, names: Sequence[str], unfit: dict[str, None]) -> list[Row]:
    """Return a row for each variant; add a remark to `unfit` on each that this layer cannot have."""
    baseline = result(question.rows(BASELINE))
    rows = []
    for name in names:
        try:
            whole = result(question.rows(name))
        except ArgumentError as error:
            unfit[f"{name} is left out: {error}"] = None
            continue
        ratios = {f"{count}_ratio": _ratio(whole[count], baseline[count]) for count in COUNTED}
        rows.append({**whole, **ratios, "ratio": ratios["macs_ratio"]})
    return rows


def _ratio(count: int, standard: int) -> float | None:
    """Return count / standard; as a whole number where no float is as large."""
    try:
        return count / standard if standard else None
    except OverflowError:
        return count // standard
