"""The options of draw for the numbers, and the layers that they describe."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

import click

from convcli.cli.calculators.question import parse_chain_option
from convcli.cli.completed_words import complete_kernels
from convcli.cli.options.bundled import bundled
from convcli.cli.options.layer_options import LayerOptions
from convcli.cli.options.option_types import Parsed, at_least
from convcli.errors import ArgumentError
from convcli.filters.read_arguments import read_number
from convcli.jobs.collisions import Reads
from convcli.layers.axes import Shape, by_axes
from convcli.layers.base import Layer
from convcli.layers.padding import mode_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcli.drawing.walk_layers import Numbers
    from convcli.kernels.kernel import Number

NO_INPUT = (
    "the input is missing; give its size with --n, such as --n 5, or its numbers with --values, such as "
    "'0 1 2; 3 4 5'"
)
MAX_SEED = 10**9


class NumberOptions(NamedTuple):
    """The options for the numbers of a drawing."""

    values: str | None
    kernel: tuple[str, ...]
    offsets: str | None
    flip: bool
    seed: int
    padding_mode: str | None
    padding_value: float | None

    @property
    def reads(self) -> "Reads":
        """The files from which the numbers are read, each with its name in messages."""
        from convcli.kernels.kernel_files import files_in

        typed = [("the kernel", text) for text in self.kernel]
        typed += [(f"the {name}", text) for name in ("values", "offsets") if (text := getattr(self, name))]
        return [(what, path) for what, text in typed for path in files_in(text)]

    def numbers(self, dims: int) -> "Numbers":
        """Return the numbers for a layer with `dims` axes."""
        from convcli.drawing.draw import border_of, one_grid
        from convcli.drawing.example_numbers import is_picture, read_values, weights_of
        from convcli.drawing.walk_layers import Numbers
        from convcli.kernels import parse_kernel

        if self.values is not None and is_picture(self.values):
            file, kernel = quote(self.values), quote(self.kernel[0] if self.kernel else "sobel-x")
            raise ArgumentError(
                f"`values` {self.values!r} is a picture; give numbers such as '0 1 2; 3 4 5', or explain a pixel: "
                f"convcli filter {file} --kernel {kernel} --explain ROW,COLUMN"
            )
        return Numbers(
            values=None if self.values is None else read_values(self.values),
            kernels=tuple(
                weights_of(parse_kernel(text, dims=dims, read_picture=_grey_rows)) for text in self.kernel
            ),
            offsets=None if self.offsets is None else one_grid(read_values(self.offsets, "offsets")),
            flip=self.flip,
            seed=self.seed,
            border=border_of(self.padding_mode or "zeros", self.padding_value),
        )


def _grey_rows(path: Path, limit: int) -> "Sequence[Sequence[Number]]":
    """Return a picture as rows of grey values."""
    from convcli.filters.kernel_pictures import grey_rows

    return grey_rows(path, limit)


number_options = bundled(
    "given",
    NumberOptions,
    click.option(
        "--values",
        metavar="ROWS",
        help="The numbers of the input: '0 1 2; 3 4 5; 6 7 8', channels separated by |; or a file.",
    ),
    click.option(
        "--kernel",
        metavar="SPEC",
        shell_complete=complete_kernels,
        multiple=True,
        help="The weights, as in filter --kernel: '0 1; 2 3', sobel-x. Repeat for each output channel, or for each "
        "pair of channels.",
    ),
    click.option(
        "--offsets",
        metavar="ROWS",
        help="The offsets of a deformable layer: one row per tap, with its displacement down and to the right.",
    ),
    click.option(
        "--flip",
        is_flag=True,
        help="Rotate the kernel by 180 degrees first: true convolution, as in mathematics.",
    ),
    click.option(
        "--seed",
        type=at_least(0, MAX_SEED),
        default="0",
        show_default=True,
        help="Seed of the numbers that are not given.",
    ),
    click.option(
        "--padding-mode",
        type=Parsed("MODE", mode_of),
        help="How the input of a convolution is padded: zeros, constant, reflect, symmetric, replicate, circular.  "
        "[default: zeros]",
    ),
    click.option(
        "--padding-value",
        type=Parsed("V", read_number),
        help="The value for --padding-mode constant.  [default: 0]",
    ),
)


def drawn(layer: LayerOptions, given: NumberOptions) -> tuple[tuple[Layer, ...], Shape, "Numbers"]:
    """Return the layers to draw, the shape of their input, and the numbers.

    Sizes that are not typed are taken from the numbers.
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
            f"only one layer can be drawn, and the options describe {len(questions)}; give one value per option"
        )
    return questions[0].layers(), questions[0].input_shape, numbers


def _dims(layer: LayerOptions) -> int:
    """Return the number of axes from --dims or the sizes, by default 2; `Question.axes` checks that they agree."""
    typed = (layer.n, layer.k, layer.s, layer.p, layer.d)
    sizes = [value[0] for value in typed if value and isinstance(value[0], tuple) and len(value[0]) > 1]
    dims = layer.dims or (len(sizes[0]) if sizes else 2)
    if dims > 2:
        raise ArgumentError(f"an input with {dims} axes cannot be drawn; use 1 or 2")
    return dims


def _sized(layer: LayerOptions, numbers: "Numbers", dims: int) -> LayerOptions:
    """Return the options with the size and the channels of the numbers; raise ArgumentError if others were typed."""
    if numbers.values is None:
        if layer.n is None:
            raise ArgumentError(NO_INPUT)
        return layer
    channels, rows, columns = len(numbers.values), len(numbers.values[0]), len(numbers.values[0][0])
    if dims == 1 and rows > 1:
        raise ArgumentError(f"--values has {rows} rows, and --dims 1 needs one; leave out the ;, or --dims")
    size = (rows, columns)[-dims:]
    for option, typed, found in (
        ("--n", layer.n, size),
        ("--in", layer.in_channels, channels),
    ):
        for value in typed or ():
            if value != found and (value,) * dims != found:
                raise ArgumentError(
                    f"{option} {value if isinstance(value, int) else by_axes(value)} does not fit --values, which has "
                    f"{channels} channel{'s' if channels > 1 else ''} of {by_axes(size)}; leave it out"
                )
    return layer._replace(n=(size,), in_channels=(channels,))


def _alone(layer: LayerOptions, dims: int) -> LayerOptions:
    """Return the options of a pool without a layer before it as a chain that consists of the pool."""
    if layer.pool is None or layer.k is not None or layer.chain is not None or layer.variant is not None:
        return layer
    from convcli.layers.text.format_layer import format_layer
    from convcli.layers.text.pool_grammar import parse_pool

    return layer._replace(pool=None, chain=parse_chain_option(format_layer(parse_pool(layer.pool)(dims))))
