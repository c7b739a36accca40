"""convcli shape: calculate the output size and the receptive field of a layer or a network."""

import click

from convcli.cli.calculators.answer_rows import answer_rows, explained, give, merged
from convcli.cli.calculators.calculator_help import LAYER_GROUPS, chain_help
from convcli.cli.calculators.question import Question, Size
from convcli.cli.command import Command
from convcli.cli.options.answer_options import AnswerOptions, drawn_answer_options
from convcli.cli.options.layer_options import LayerOptions, layer_options
from convcli.cli.options.network_options import OF_ONE_LAYER, NetworkOptions, network_options
from convcli.cli.options.option_types import Parsed
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.positional_words import layer_words
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.layers.base import Window
from convcli.layers.text.explain import size_lines, unused_lines
from convcli.layers.text.notation import parse_size

OF_SIZES = ("layer", "input_size", "padding", "output_size", "receptive_field", "effective_stride")
OF_SHAPES = ("name", "layer", "padding", "output_shape", "receptive_field", "effective_stride", "start")

MAX_PERIOD = 16  # the longest period of a checkerboard pattern that is printed, in outputs

OF_NETWORKS = ("name", "layer", "inputs", "output_shape", "receptive_field", "effective_stride")


@click.command(
    cls=Command,
    short_help="How large are the output and its receptive field?",
    words=layer_words(
        *("n", "k", "s", "p"),
        picture="shape takes a network or a layer; for a picture of this size give --input {channels}x{size} with a "
        "network, or --n {size} with a layer, such as --k 3",
    ),
    examples=(
        "convcli shape --n 7 --k 3 --s 2 --p 1",
        "convcli shape --n 224 --in 3 --layers 'conv k7 s2 p3 o64, maxpool k3 s2 p1'",
    ),
    groups=LAYER_GROUPS,
    leading=(
        "n",
        "k",
        "s",
        "p",
        "in_channels",
        "out_channels",
        "variant",
        "chain",
        "target",
        "fields",
    ),
    topics=("layers", "padding", "variants", "networks"),
    more=chain_help,
)
@network_options
@layer_options
@click.option(
    "--target",
    type=Parsed("M", parse_size),
    help="List padding, stride and dilation that turn --n into the output size M.",
)
@drawn_answer_options
@verbosity_options
@click.pass_obj
def command(
    messages: Messages,
    /,
    network: NetworkOptions,
    layer: LayerOptions,
    target: Size | None,
    answer: AnswerOptions,
) -> int:
    """Calculate the output size of a layer, and the receptive field: the part of the input that one output depends on.

    With a NETWORK, a name from convcli networks, a TOML or an ONNX file, it does so for every layer. Several values of
    an option of a layer, separated by commas, make a row for each combination: --k 3,5,7 --s 1,2. A combination without
    an answer has the reason in its row. Then, or if --target has no solution, the exit code is 1.

    \f

    --target M --format value prints the simplest solution of each axis: its padding, stride and dilation, and for a
    transposed layer its output padding.

    The effective stride is the distance in input pixels between two neighbouring outputs. start is the centre of the
    receptive field of the first output, where 0.5 is the centre of the first pixel.
    """  # noqa: D301  # --help-all shows what follows \f
    network.check(click.get_current_context(), LayerOptions._fields)
    if network.network is not None:
        if target is not None:
            raise ArgumentError(f"--target {OF_ONE_LAYER}; leave it out")
        from convcli.cli.calculators.network_answer import network_answer

        found = network_answer("shape", network, layer, OF_NETWORKS, "output_shape")
        answer.give(messages, found)
        return 0
    if target is not None:
        from convcli.cli.calculators.solve_backwards import solve_backwards

        solved, unsolved = solve_backwards(layer, target)
        if answer.shows("error"):
            rows = [*solved.rows, *unsolved]
            solved = solved._replace(rows=rows, results=[*solved.results, *unsolved])
        if solved.results:
            answer.give(messages, solved)
        for row in unsolved:
            messages.error(str(row["error"]))
        return 1 if unsolved else 0
    questions = layer.questions()
    columns = OF_SIZES if all(question.is_of_sizes for question in questions) else OF_SHAPES
    made = answer_rows("shape", questions, columns, "output_size", _remarks)
    return give(messages, answer, made, len(questions))


def _remarks(question: Question) -> list[str]:
    lines = explained(question, size_lines, unused_lines)
    transposed = question.spec is not None and question.spec.sizes == "transposed"
    return lines + _checkerboard(question) if transposed else lines


def _checkerboard(question: Question) -> list[str]:
    """Return a line for each axis about how evenly the windows of a transposed convolution overlap."""
    from convcli.layers.axes import axis_names
    from convcli.layers.checkerboard import is_uneven, overlap, remedy

    lines = []
    for layer in question.layers():
        if not isinstance(layer, Window):
            continue
        pads = layer.pads(question.input_shape[1:])
        axes = zip(axis_names(layer.dims), layer.kernel_size, layer.stride, layer.dilation, pads, strict=True)
        for name, k, s, d, (before, _) in axes:
            evenness = "unevenly (checkerboard)" if is_uneven(k, s, d) else "evenly (no checkerboard)"
            counts = overlap(k, s, d, before) if s <= MAX_PERIOD else ()
            shown = (
                f"; number of taps per output, periodically: {' '.join(map(str, counts))}" if counts else ""
            )
            lines.append(f"{name}: the kernel overlaps {evenness}{shown}; {remedy(k, s, d)}")
    return merged(lines)
