"""The options of what draw shows instead of the steps of a layer."""

from typing import TYPE_CHECKING, NamedTuple

import click

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
    """What is drawn of the layers, instead of their steps, as typed."""

    matrix: bool
    receptive: bool
    checkerboard: bool
    connections: bool
    at: tuple[int, ...] | None
    of_layer: str | None

    def drawing(self, layers: "Sequence[Layer] | Graph", input_shape: Shape, numbers: "Numbers") -> "Drawing":
        """Return what is drawn, or raise ArgumentError where options contradict each other."""
        from convcli.drawing.draw import Kind, drawing_of

        return drawing_of(layers, input_shape, numbers, Kind(*self))


kind_options = bundled(
    "kind",
    KindOptions,
    click.option(
        "--matrix",
        is_flag=True,
        help="The convolution as the sparse matrix that it is, beside its transpose.",
    ),
    click.option(
        "--receptive",
        is_flag=True,
        help="What one output sees, through the layers of a chain or of a NETWORK.",
    ),
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
        "--at",
        type=Parsed("ROW,COLUMN", output_place),
        help="The output of --receptive.  [default: the middle]",
    ),
    click.option(
        "--layer",
        "of_layer",
        metavar="NAME",
        help="The layer of a NETWORK whose output it is.  [default: the last with rows and columns]",
    ),
)
