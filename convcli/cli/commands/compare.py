"""convcli compare: compare the variants of a layer, on paper, on a picture or in a network."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from convcli import __version__
from convcli.cli.calculators.answer_rows import answered, by_one_number, give, ratio, result, swept
from convcli.cli.calculators.calculator_help import LAYER_GROUPS
from convcli.cli.calculators.question import Question
from convcli.cli.command import Command
from convcli.cli.completed_words import complete_kernels
from convcli.cli.option_names import typed_options
from convcli.cli.options.answer_options import AnswerOptions, drawn_answer_options
from convcli.cli.options.array_options import layout_option, values_option
from convcli.cli.options.bundled import bundled
from convcli.cli.options.layer_options import LayerOptions, compared_options, variant_name
from convcli.cli.options.limit_options import max_pixels_option
from convcli.cli.options.network_options import NETWORK, Given, NetworkOptions, input_option, width_option
from convcli.cli.options.option_types import Parsed, several
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.positional_words import CHAINS, layer_words
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.layers.axes import by_axes
from convcli.layers.variants import BASELINE, VARIANTS
from convcli.networks.rows import Row
from convcli.remote_files import file_path
from convcli.render import Answer

if TYPE_CHECKING:
    from convcli.jobs.read_source import Reading

DEFAULT = tuple(name for name, spec in VARIANTS.items() if spec.usual)
COUNTED = ("params", "weights", "multiplications", "additions", "macs", "flops")  # each with its ratio
SHOWN = ("params", "macs", "flops")  # in a table; -v shows all
ON_PAPER = set(LayerOptions._fields) - {"activation", "pool"}  # options that do not apply to a picture
MAX_PIXELS = 25_000_000  # lower than the limit of filter, because the results are kept as floats


class PictureOptions(NamedTuple):
    """The picture and the kernel to compare variants on, or the networks to compare; neither for a layer on paper."""

    subjects: tuple[str, ...]
    kernel: str | None
    max_pixels: int
    layout: str
    values: str | None = None

    @property
    def image(self) -> str | None:
        """The picture; None if a layer or networks are compared."""
        if self.values is not None:
            from convcli.images.codecs.text_files import TYPED

            return TYPED
        return None if self.networks or not self.subjects else self.subjects[0]

    @property
    def reading(self) -> "Reading":
        """The options for reading the picture."""
        from convcli.jobs.read_source import Reading

        return Reading(max_pixels=self.max_pixels, layout=self.layout)

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks; none if a layer or a picture is given."""
        if not self.subjects:
            return ()
        from convcli.networks.load_network import is_network

        if (
            self.values is not None
            or any(map(_is_picture, self.subjects))
            or (self.kernel is not None and not all(map(is_network, self.subjects)))
        ):
            return ()
        return self.subjects

    @property
    def files(self) -> list[tuple[str, Path]]:
        """The files that are read, each with its name in messages."""
        kernels = []
        if self.kernel is not None:
            from convcli.kernels.kernel_files import files_in

            kernels = files_in(self.kernel)
        pictures = [] if self.image is None or self.values is not None else [file_path(self.image)]
        return [*(("compared", path) for path in pictures), *(("the kernel", path) for path in kernels)]

    def check(self, context: click.Context) -> None:
        """Raise ArgumentError for options of a layer on paper with a picture, and for options of a picture without."""
        if self.values is not None and self.subjects:
            raise ArgumentError(
                f"--values is the picture, but {self.subjects[0]} is given too; leave one of them out"
            )
        if self.image is not None and len(self.subjects) > 1:
            raise ArgumentError(
                f"variants are compared on one picture, got {', '.join(self.subjects)}; use convcli diff to compare "
                "two pictures"
            )
        if self.image is not None and self.kernel is None:
            raise ArgumentError(
                f"no kernel is given to run on {self.image}; give one, such as --kernel gaussian:sigma=2, or use "
                "convcli diff to compare two pictures"
            )
        for name, option in typed_options(context).items():
            if self.image is not None and name in ON_PAPER:
                raise ArgumentError(
                    f"{option} describes a layer on paper and cannot be used with a picture, where the layer is given "
                    "by --kernel and the channels; leave it out"
                )
            if self.image is None and name in ("kernel", "max_pixels", "layout"):
                raise ArgumentError(
                    f"{option} needs a picture, as in convcli compare photo.png --kernel sobel; for a layer on paper "
                    "give --k"
                )


def _is_picture(text: str) -> bool:
    """Return whether a word is the name of a picture and not of a network."""
    from convcli.kernels.kernel_files import PICTURES, is_file
    from convcli.networks.load_network import is_network

    return file_path(text).suffix.lower() in PICTURES or (not is_network(text) and is_file(text))


picture_options = bundled(
    "picture",
    PictureOptions,
    click.argument("subjects", nargs=-1, metavar="[IMAGE | NETWORK... | LAYERS...]", type=NETWORK),
    click.option(
        "--kernel",
        metavar="SPEC",
        shell_complete=complete_kernels,
        help="The kernel to run on IMAGE, as in convcli filter: gaussian:sigma=2. With -o sheet.png the results are "
        "drawn side by side.",
    ),
    values_option,
    layout_option(),
    max_pixels_option(MAX_PIXELS, f"Refuse a larger IMAGE.  [default: {MAX_PIXELS}]"),
)


@click.command(
    cls=Command,
    short_help="What would another variant cost?",
    words=layer_words("n", "in_channels", "out_channels", "k", several=True),
    moved={"--layers": CHAINS},
    examples=(
        "convcli compare --n 112 --in 64 --out 128 --k 3 --p 1",
        "convcli compare mobilenet-v1 --variants standard,depthwise-separable",
    ),
    groups={
        "Picture": ("kernel", "values", "layout", "max_pixels"),
        "Compared": ("variants", "every"),
        **LAYER_GROUPS,
    },
    leading=("n", "k", "s", "p", "in_channels", "out_channels", "kernel", "every", "form", "fields"),
    topics=("layers", "padding", "variants", "networks", "kernels"),
)
@picture_options
@input_option
@width_option
@compared_options
@click.option(
    "--variants",
    "--variant",
    type=Parsed("A,B,C", several(variant_name), tuple(VARIANTS)),
    help=f"The variants to compare: {', '.join(VARIANTS)}.  [default: {','.join(DEFAULT)}]",
)
@click.option("--all", "every", is_flag=True, help="Compare all variants.")
@drawn_answer_options
@verbosity_options
@click.pass_obj
def command(
    messages: Messages,
    /,
    picture: PictureOptions,
    inputs: tuple[Given, ...],
    width: float | None,
    layer: LayerOptions,
    variants: tuple[str, ...] | None,
    every: bool,
    answer: AnswerOptions,
) -> int:
    """Compare the cost of the variants of a layer, also as a ratio to the standard convolution.

    With an IMAGE and a --kernel, the variants are run on the picture and timed. With a NETWORK, each variant replaces
    its k x k convolutions; with several networks, each is compared with the first. LAYERS, such as
    'conv k3 p1 o64, relu', are a network too, whose input is --input 64x56x56.

    \f

    A variant that consists of several layers is summed. Several values of an option, separated by commas, make rows for
    each combination. One without an answer has the reason in its row, and the exit code is then 1.

    With an IMAGE, depthwise is also run by every method. The table shows the MACs, the time, the difference from direct
    summation, the rank, and the equivariance to shifting, rotating and doubling the picture.

    --activation and --pool follow the layer of every variant, on paper and on a picture.
    """  # noqa: D301  # --help-all shows what follows \f
    if every and variants:
        raise ArgumentError("--all and --variants contradict each other; give one of them")
    requested = tuple(VARIANTS) if every else variants or DEFAULT
    network = NetworkOptions(next(iter(picture.networks), None), inputs, width)
    network.check(click.get_current_context(), LayerOptions._fields)
    picture.check(click.get_current_context())
    answer.check(picture.files)
    if picture.networks:
        if len(picture.networks) > 1 and (every or variants):
            raise ArgumentError(
                "--variants replaces the convolutions of one network; name only one network, or leave it out"
            )
        found = _of_networks(picture.networks, network, requested, layer)
        from convcli.cli.calculators.channels_in_size import size_as_channels
        from convcli.layers.text.chain_grammar import is_chain

        if any(map(is_chain, picture.networks)) and (note := size_as_channels(network.shapes())):
            messages.note(note)
        answer.give(messages, found)
        return 0
    if picture.image is not None and picture.kernel is not None:
        import os

        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a method is timed on one core

        from convcli.cli.calculators.compare_picture import compare_on
        from convcli.images.codecs.text_files import TypedMatrix

        if answer.theme is not None:
            raise ArgumentError("--theme applies to drawings, not to a sheet of pictures; leave it out")
        following = {"activation": layer.activation, "pool": layer.pool}
        typed = None if picture.values is None else TypedMatrix.of(picture.values)
        source, names = typed or file_path(picture.image), tuple(dict.fromkeys(requested))
        compare_on(
            source, picture.image, picture.kernel, picture.reading, names, messages, answer, **following
        )
        return 0
    names = tuple(dict.fromkeys((BASELINE, *requested)))
    questions = layer.questions(each=len(names))
    layer.check_compared(names)
    made = _on_paper(questions, names, requested)
    return give(messages, answer, made, len(questions))


def _of_networks(
    names: Sequence[str], options: NetworkOptions, variants: Sequence[str], layer: LayerOptions
) -> Answer:
    """Return the cost of a network with its convolutions replaced, or the cost of several networks."""
    from convcli.cli.calculators.compare_networks import compare_side_by_side, compare_variants

    own: dict[str, float] = {} if options.width is None else {"width": options.width}
    if len(names) > 1:
        return compare_side_by_side(names, options.shapes(), own, batch=layer.batch, dtype=layer.dtype)
    return compare_variants(names[0], options.shapes(), variants, own, batch=layer.batch, dtype=layer.dtype)


def _on_paper(questions: Sequence[Question], names: Sequence[str], requested: Sequence[str]) -> Answer:
    """Return the cost of variants for each combination of the options.

    requested : the requested variants; `names` includes the standard one as well
    """
    unfit: dict[str, None] = {}  # remarks about variants that are left out, in order and without repetitions
    several_layers = ("layer",) if len(questions) > 1 else ()
    shown = [column for name in SHOWN for column in (name, f"{name}_ratio")]
    columns = swept(questions, ("variant", *several_layers, "output_shape", *shown))
    made = answered(questions, lambda question: _compared(question, names, unfit), columns)
    rows = [row for rows in made for row in rows]
    return Answer(
        command="compare",
        version=__version__,
        rows=rows,
        results=[row for row in rows if row["variant"] in requested or row.get("error") is not None],
        totals={},
        columns=columns,
        value=("macs_ratio",),
        by_one_number=by_one_number(questions),
        remarks=[*(f"{name}: {VARIANTS[name].help}" for name in names), *unfit],
        draw=None if len(questions) > 1 else lambda: _drawn(rows),
        undrawn="only one layer is drawn, and the options describe several",
    )


def _drawn(rows: Sequence[Row]) -> Any:
    """Return the drawing of a layer's variants."""
    from convcli.drawing.compare_drawing import compare_scene

    known = [row for row in rows if row.get("error") is None]
    first = known[0]
    shapes = " to ".join(by_axes(first[name]) for name in ("input_shape", "output_shape"))
    return compare_scene(known, "variant", ("params", "macs", "activation_bytes"), first["layer"], shapes)


def _compared(question: Question, names: Sequence[str], unfit: dict[str, None]) -> list[Row]:
    """Return a row for each variant; add a remark to `unfit` for each that does not suit the layer."""
    baseline = result(question.rows(BASELINE))
    rows = []
    for name in names:
        try:
            whole = result(question.rows(name))
        except ArgumentError as error:
            unfit[f"{name} is left out: {error}"] = None
            continue
        ratios = {f"{count}_ratio": ratio(whole[count], baseline[count]) for count in COUNTED}
        rows.append({**whole, **ratios, "ratio": ratios["macs_ratio"]})
    return rows
