"""convcli shape: how large is the output, and what does it see?"""

import click

from convcli.cli.answering import answer_rows, explained, merged
from convcli.cli.conversation import Conversation
from convcli.cli.options import AnswerOptions, Command, Parsed, answer_options, talking
from convcli.cli.question import LayerOptions, Question, Size, layer_options
from convcli.layers.explain import size_lines, unused_lines
from convcli.layers.notation import parse_size

OF_SIZES = ("layer", "input_size", "padding", "output_size", "receptive_field", "effective_stride")
OF_SHAPES = ("name", "layer", "padding", "output_shape", "receptive_field", "effective_stride", "start")


@click.command(
    cls=Command,
    examples=(
        "convcli shape --n 7 --k 3 --s 2 --p 1",
        "convcli shape --n 224 --in 3 --layers 'conv k7 s2 p3 o64, maxpool k3 s2 p1, conv k3 p1 d2'",
    ),
)
@layer_options
@click.option(
    "--target",
    type=Parsed("M", parse_size),
    help="Solve backwards: list the paddings, strides and dilations that turn --n into M.",
)
@answer_options
@talking
@click.pass_obj
def command(
    conversation: Conversation, /, layer: LayerOptions, target: Size | None, answer: AnswerOptions
) -> None:
    """Answer how large the output of a layer is, and which part of the input one output sees.

    Values divided by commas make a row for each combination: --k 3,5,7 --s 1,2.
    """
    if target is not None:
        from convcli.cli.backwards import solve_backwards

        answer.give(conversation, solve_backwards(layer, target))
        return
    questions = layer.questions()
    alone = all(
        question.conv and question.input_shape[0] == question.conv.out_channels == 1 for question in questions
    )
    answer.give(
        conversation,
        answer_rows("shape", questions, OF_SIZES if alone else OF_SHAPES, "output_size", _remarks),
    )


def _remarks(question: Question) -> list[str]:
    lines = explained(question, size_lines, unused_lines)
    return lines + _checkerboard(question) if question.variant == "transposed" else lines


def _checkerboard(question: Question) -> list[str]:
    """Say how evenly a transposed kernel overlaps itself on each axis."""
    from convcli.layers.axes import axis_names
    from convcli.layers.checkerboard import is_uneven, overlap, remedy

    conv = question.conv
    if conv is None:
        return []
    lines = []
    for name, k, s, d in zip(
        axis_names(conv.dims), conv.kernel_size, conv.stride, conv.dilation, strict=True
    ):
        evenness = "unevenly, a checkerboard" if is_uneven(k, s, d) else "evenly, no checkerboard"
        pattern = " ".join(map(str, overlap(k, s, d)))
        lines.append(
            f"{name}: the kernel overlaps {evenness}; taps on each output in turn: {pattern}; {remedy(k, s, d)}"
        )
    return merged(lines)
