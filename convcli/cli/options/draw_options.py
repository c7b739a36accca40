"""The options of draw: the numbers that are drawn, and what becomes of the drawing."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from convcli.cli.calculators.question import parse_chain_option
from convcli.cli.conversation import Conversation
from convcli.cli.options.common_options import Parsed, at_least, bundled, theme_option
from convcli.cli.options.layer_options import LayerOptions
from convcli.errors import ArgumentError
from convcli.jobs.collisions import Reads, check_reads
from convcli.jobs.targets import is_stdout
from convcli.layers.axes import Shape, by_axes
from convcli.layers.base import Layer
from convcli.number_text import read_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcli.drawing.forms import Drawing
    from convcli.drawing.walk_layers import Numbers
    from convcli.kernels.kernel import Number

NO_INPUT = (
    "the input is missing; give its size with --n, as --n 5, or its numbers with --values, as '0 1 2; 3 4 5'"
)
MOST_SEED = 10**9


class NumberOptions(NamedTuple):
    """The numbers as typed."""

    values: str | None
    kernel: tuple[str, ...]
    offsets: str | None
    flip: bool
    seed: int

    @property
    def reads(self) -> "Reads":
        """The files that the numbers are read from."""
        from convcli.kernels.kernel_files import files_in

        typed = [("the kernel", text) for text in self.kernel]
        typed += [(f"the {name}", text) for name in ("values", "offsets") if (text := getattr(self, name))]
        return [(what, path) for what, text in typed for path in files_in(text)]

    def numbers(self, dims: int) -> "Numbers":
        """Read the numbers of a layer of so many axes."""
        from convcli.drawing.example_numbers import read_values, weights_of
        from convcli.drawing.walk_layers import Numbers
        from convcli.kernels import parse_kernel

        offsets = None if self.offsets is None else read_values(self.offsets)
        if offsets is not None and len(offsets) > 1:
            raise ArgumentError("`offsets` are rows of 2 numbers, without |")
        return Numbers(
            values=None if self.values is None else read_values(self.values),
            kernels=tuple(
                weights_of(parse_kernel(text, dims=dims, read_picture=_grey_rows)) for text in self.kernel
            ),
            offsets=None if offsets is None else offsets[0],
            flip=self.flip,
            seed=self.seed,
        )


def _grey_rows(path: Path, limit: int) -> "Sequence[Sequence[Number]]":
    """Read a picture as rows of grey values."""
    from convcli.filters.kernel_pictures import grey_rows

    return grey_rows(path, limit)


number_options = bundled(
    "given",
    NumberOptions,
    click.option(
        "--values",
        metavar="ROWS",
        help="The input's numbers: '0 1 2; 3 4 5; 6 7 8', channels divided by |; or a file of them.",
    ),
    click.option(
        "--kernel",
        metavar="SPEC",
        multiple=True,
        help="The weights, as filter --kernel takes them: '0 1; 2 3', sobel-x. Repeat it for each output channel, or "
        "for each pair of channels.",
    ),
    click.option(
        "--offsets",
        metavar="ROWS",
        help="Of a deformable layer: how far each tap is moved, down and to the right, a row for each tap.",
    ),
    click.option(
        "--flip",
        is_flag=True,
        help="Turn the kernel by 180 degrees first: convolution as mathematicians have it.",
    ),
    click.option(
        "--seed",
        type=at_least(0, MOST_SEED),
        default="0",
        show_default=True,
        help="Other numbers where none are given.",
    ),
)


def drawn(layer: LayerOptions, given: NumberOptions) -> tuple[tuple[Layer, ...], Shape, "Numbers"]:
    """Return the layers that are asked for, the shape of their input, and the numbers.

    Sizes that are not typed are those of the numbers.
    """
    dims = _dims(layer)
    numbers = given.numbers(dims)
    if numbers.kernels and layer.k is None and layer.chain is None:
        kernel = numbers.kernels[0]
        layer = layer._replace(k=((len(kernel), len(kernel[0]))[-dims:],))
    layer = _alone(_sized(layer, numbers, dims), dims)
    questions = layer.questions()
    if len(questions) > 1:
        raise ArgumentError(
            f"one layer is drawn at a time, and {len(questions)} are asked for; give one value each"
        )
    return questions[0].layers(), questions[0].input_shape, numbers


def _dims(layer: LayerOptions) -> int:
    """Return the number of axes that --dims or the sizes say, else 2; whether they agree is told later."""
    typed = (layer.n, layer.k, layer.s, layer.p, layer.d)
    sizes = [value[0] for value in typed if value and isinstance(value[0], tuple) and len(value[0]) > 1]
    dims = layer.dims or (len(sizes[0]) if sizes else 2)
    if dims > 2:
        raise ArgumentError(f"an input of {dims} axes cannot be drawn; take 1 or 2")
    return dims


def _sized(layer: LayerOptions, numbers: "Numbers", dims: int) -> LayerOptions:
    """Return the options with the size and the channels of the numbers, which must be those that are typed."""
    if numbers.values is None:
        if layer.n is None:
            raise ArgumentError(NO_INPUT)
        return layer
    channels, rows, columns = len(numbers.values), len(numbers.values[0]), len(numbers.values[0][0])
    if dims == 1 and rows > 1:
        raise ArgumentError(f"--values are {rows} rows, and --dims 1 has one; leave out the ;, or --dims")
    size = (rows, columns)[-dims:]
    for option, typed, found in (
        ("--n", layer.n, size),
        ("--in", layer.in_channels, channels),
    ):
        for value in typed or ():
            if value != found and (value,) * dims != found:
                raise ArgumentError(
                    f"{option} {value if isinstance(value, int) else by_axes(value)} does not fit the --values, which "
                    f"are {channels} channel{'s' if channels > 1 else ''} of {by_axes(size)}; leave it out"
                )
    return layer._replace(n=(size,), in_channels=(channels,))


def _alone(layer: LayerOptions, dims: int) -> LayerOptions:
    """Return a pool without a layer before it as the chain that it is."""
    if layer.pool is None or layer.k is not None or layer.chain is not None or layer.variant is not None:
        return layer
    from convcli.layers.text.pool_grammar import parse_pool
    from convcli.layers.text.spelling import spell

    return layer._replace(pool=None, chain=parse_chain_option(spell(parse_pool(layer.pool)(dims))))


class KindOptions(NamedTuple):
    """What is drawn of the layers, instead of their steps."""

    matrix: bool
    receptive: bool
    checkerboard: bool
    connections: bool
    at: tuple[int, ...] | None

    def drawing(self, layers: tuple[Layer, ...], input_shape: Shape, numbers: "Numbers") -> "Drawing":
        """Return what is drawn, or raise ArgumentError where options contradict each other."""
        wanted = [
            name for name in ("matrix", "receptive", "checkerboard", "connections") if getattr(self, name)
        ]
        if len(wanted) > 1:
            raise ArgumentError(f"--{wanted[0]} and --{wanted[1]} are two drawings; give one of them")
        if self.at is not None and not self.receptive:
            raise ArgumentError("--at is the output of --receptive; leave it out")
        usable = numbers._replace(values=None) if self.matrix else type(numbers)()
        if wanted and numbers != usable:
            of_input = " of the input" if self.matrix else ""
            raise ArgumentError(f"--{wanted[0]} has no use for numbers{of_input}; give the sizes alone")
        if self.matrix:
            from convcli.drawing.matrix_drawing import matrix_drawing

            if len(layers) > 1:
                raise ArgumentError("--matrix is of one layer; leave the others out")
            return matrix_drawing(layers[0], input_shape, numbers)
        if self.receptive:
            from convcli.drawing.receptive_drawing import receptive_drawing

            return receptive_drawing(layers, input_shape, self.at)
        if self.checkerboard:
            from convcli.drawing.overlap_drawing import overlap_drawing

            return overlap_drawing(layers, input_shape)
        if self.connections:
            from convcli.drawing.connections_drawing import connections_drawing

            return connections_drawing(layers, input_shape)
        from convcli.drawing.layer_drawing import layer_drawing

        return layer_drawing(layers, input_shape, numbers)


def _place(text: str) -> tuple[int, ...]:
    from convcli.layers.text.notation import parse_number

    return tuple(map(parse_number, text.split(",")))


kind_options = bundled(
    "kind",
    KindOptions,
    click.option(
        "--matrix",
        is_flag=True,
        help="The convolution as the sparse matrix that it is, beside its transpose.",
    ),
    click.option("--receptive", is_flag=True, help="What one output sees, through every layer of a chain."),
    click.option(
        "--checkerboard",
        is_flag=True,
        help="How many products meet in each output of a transposed layer, beside those of resize-conv.",
    ),
    click.option(
        "--connections",
        is_flag=True,
        help="Which inputs are connected to which outputs, beside unshared and full connections.",
    ),
    click.option(
        "--at", type=Parsed("ROW,COLUMN", _place), help="The output of --receptive.  [default: the middle]"
    ),
)


class ViewOptions(NamedTuple):
    """What is shown, and where it goes."""

    output: str | None
    force: bool
    step: int | None
    delay: float
    theme: str

    def check(self, reads: Reads) -> None:
        """Raise an error where the output could not be written, or is a file that is read, before anything is drawn."""
        if self.form and self._path is not None:
            from convcli.files import check_target

            check_reads("`output`", [self._path], reads)
            check_target(self._path, overwrite=self.force)

    @property
    def form(self) -> str:
        """The form that the output's name says; text where there is none."""
        from convcli.drawing.forms import FORMS

        if self.output is None or self.output == "-":
            return "txt"
        form = (
            self.output.partition(":")[0]
            if is_stdout(self.output)
            else Path(self.output).suffix.removeprefix(".").lower()
        )
        if form not in FORMS:
            raise ArgumentError(
                f"-o {self.output} does not say a form that can be drawn; "
                + (
                    f"write one of {', '.join(f'{each}:-' for each in FORMS)}"
                    if is_stdout(self.output)
                    else f"end it in {' '.join(f'.{each}' for each in FORMS)}"
                )
            )
        return form

    @property
    def _path(self) -> Path | None:
        """The file to write, None for standard output."""
        return None if self.output is None or is_stdout(self.output) else Path(self.output)

    def show(self, conversation: Conversation, drawing: "Drawing") -> None:
        """Play, print or write what is drawn."""
        from convcli.drawing.forms import Settings, encode

        plays = self.output is None and self.step is None and sys.stdout.isatty()
        if plays and drawing.play is not None and drawing.play(sys.stdout, self.delay):
            return
        data, told = encode(drawing, self.form, Settings(self.step, self.delay, self.theme))
        if told:
            conversation.note(told)
        if self._path is None:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            return
        from convcli.files import write_whole

        write_whole(self._path, data, overwrite=self.force)
        conversation.note(f"wrote {self._path}")


def _seconds(text: str) -> float:
    try:
        value = float(read_finite(text))
    except ArgumentError:
        value = -1
    if not 0.02 <= value <= 60:
        raise ArgumentError(f"{text!r} is not a number of seconds from 0.02 to 60")
    return value


view_options = bundled(
    "view",
    ViewOptions,
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write to this file: .png .gif .apng .svg .html .txt .json; - or png:- is standard output.",
    ),
    click.option("--force", is_flag=True, help="Replace the output file if it exists."),
    click.option("--step", type=at_least(1), help="Only this step."),
    click.option(
        "--delay",
        type=Parsed("SECONDS", _seconds),
        default="0.8",
        show_default=True,
        help="How long each step of what moves is shown.",
    ),
    theme_option("auto"),
)
