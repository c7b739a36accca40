"""The options of what draw shows instead of the steps of a layer."""

from typing import TYPE_CHECKING, NamedTuple

import click

from convcli.cli.options.bundled import bundled
from convcli.cli.options.option_types import Parsed, output_place
from convcli.errors import ArgumentError
from convcli.layers.axes import Shape
from convcli.layers.base import Layer

if TYPE_CHECKING:
    from convcli.drawing.forms import Drawing
    from convcli.drawing.walk_layers import Numbers


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
        "--at",
        type=Parsed("ROW,COLUMN", output_place),
        help="The output of --receptive.  [default: the middle]",
    ),
)
