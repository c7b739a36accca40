"""The additional options of cost: the roofline of a machine, and a training step."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import click

from convcli.cli.options.bundled import bundled
from convcli.cli.options.option_types import Parsed
from convcli.errors import ArgumentError
from convcli.layers.axes import Shape
from convcli.networks.graph import Graph
from convcli.networks.roofline import Machine, add_roofline, parse_machine, roofline_lines
from convcli.networks.rows import Row
from convcli.networks.training import OPTIMIZERS, add_training, training_lines

OF_ROOFLINE = ("arithmetic_intensity", "bound", "least_seconds")
OF_TRAINING = ("training_flops", "gradient_bytes", "optimizer_bytes", "stored_activation_bytes")
USUAL = "sgd"


class CostOptions(NamedTuple):
    """The options for additional fields of the cost."""

    roofline: Machine | None
    training: bool
    optimizer: str | None

    def check(self) -> None:
        """Raise ArgumentError for an optimizer without training."""
        if self.optimizer is not None and not self.training:
            raise ArgumentError("--optimizer applies only to --training; give both")

    def columns(self, usual: Sequence[str]) -> tuple[str, ...]:
        """Return the columns of a table, with the additional fields in place of the last usual ones."""
        optional = (*(OF_ROOFLINE if self.roofline else ()), *(OF_TRAINING if self.training else ()))
        names = [name for name in usual if not optional or name in ("name", "layer", "output_shape", "flops")]
        return (*names, *optional)

    def extended(
        self, rows: Sequence[Row], network: Graph, shapes: Mapping[str, Shape], dtype: str
    ) -> list[Row]:
        """Return the rows of a network with the additional fields."""
        made = list(rows) if self.roofline is None else add_roofline(rows, self.roofline)
        if self.training:
            made = add_training(network, shapes, made, dtype=dtype, optimizer=self.optimizer or USUAL)
        return made

    def lines(self, rows: Sequence[Row]) -> list[str]:
        """Return lines that explain the additional fields, with their totals."""
        lines = [] if self.roofline is None else roofline_lines(rows, self.roofline)
        return lines + training_lines(rows, self.optimizer or USUAL) if self.training else lines


cost_options = bundled(
    "more",
    CostOptions,
    click.option(
        "--roofline",
        type=Parsed("MACHINE", parse_machine),
        help="Show whether arithmetic or memory limits each layer on a machine, and the least time: "
        "peak=100GFLOP/s,bandwidth=20GB/s. The arithmetic intensity is the FLOPs per byte moved.",
    ),
    click.option(
        "--training",
        is_flag=True,
        help="Add the cost of a training step: both passes, gradients, optimizer state, and stored activations.",
    ),
    click.option(
        "--optimizer",
        type=click.Choice(list(OPTIMIZERS)),
        help=f"The optimizer for --training.  [default: {USUAL}]",
    ),
)
