"""The options for the kinds of drawings that draw makes instead of the steps of a layer."""

from typing import TYPE_CHECKING, NamedTuple

import click

from convcli.cli.completed_words import complete_layers
from convcli.cli.options.bundled import bundled
from convcli.cli.options.option_types import Parsed, output_place
from convcli.layers.axes import Shape
from convcli.layers.base import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcli.drawing.forms import Drawing
    from convcli.drawing.walk_layers import Numbers
    from convcli.networks.graph import Graph


class KindOptions(NamedTuple):
    """The options for the kind of drawing."""

    matrix: bool
    receptive: bool
    checkerboard: bool
    connections: bool
    at: tuple[int, ...] | None
    of_layer: str | None

    def drawing(self, layers: "Sequence[Layer] | Graph", input_shape: Shape, numbers: "Numbers") -> "Drawing":
        """Return the drawing, or raise ArgumentError if options contradict each other."""
        from convcli.drawing.draw import Kind, drawing_of

        return drawing_of(layers, input_shape, numbers, Kind(*self))


kind_options = bundled(
    "kind",
    KindOptions,
    click.option(
        "--matrix",
        is_flag=True,
        help="Draw the sparse matrix of the convolution, and its transpose.",
    ),
    click.option(
        "--receptive",
        is_flag=True,
        help="Draw the receptive field of one output through the layers of a chain or a NETWORK.",
    ),
    click.option(
        "--checkerboard",
        is_flag=True,
        help="Draw the number of products in each output of a transposed layer, compared with resize-conv.",
    ),
    click.option(
        "--connections",
        is_flag=True,
        help="Draw the connections between inputs and outputs, compared with unshared and full connections.",
    ),
    click.option(
        "--at",
        type=Parsed("ROW,COLUMN", output_place),
        help="The output for --receptive.  [default: the middle]",
    ),
    click.option(
        "--layer",
        "of_layer",
        metavar="NAME",
        shell_complete=complete_layers,
        help="The layer of a NETWORK for --receptive.  [default: the last with rows and columns]",
    ),
)
