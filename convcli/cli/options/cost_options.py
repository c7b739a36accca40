"""The options of cost beside the cost itself: the roofline of a machine, and a training step."""

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
    """What is asked for beside the cost itself."""

    roofline: Machine | None
    training: bool
    optimizer: str | None

    def check(self) -> None:
        """Refuse an optimizer without training."""
        if self.optimizer is not None and not self.training:
            raise ArgumentError("--optimizer belongs to --training; give both")

    def columns(self, usual: Sequence[str]) -> tuple[str, ...]:
        """Return the columns of a table, in which what is asked for takes the place of the last ones."""
        asked = (*(OF_ROOFLINE if self.roofline else ()), *(OF_TRAINING if self.training else ()))
        names = [name for name in usual if not asked or name in ("name", "layer", "output_shape", "flops")]
        return (*names, *asked)

    def extended(
        self, rows: Sequence[Row], network: Graph, shapes: Mapping[str, Shape], dtype: str
    ) -> list[Row]:
        """Return the rows of a network with what is asked for."""
        made = list(rows) if self.roofline is None else add_roofline(rows, self.roofline)
        if self.training:
            made = add_training(network, shapes, made, dtype=dtype, optimizer=self.optimizer or USUAL)
        return made

    def lines(self, rows: Sequence[Row]) -> list[str]:
        """Say what the fields of these rows are, and their sums."""
        lines = [] if self.roofline is None else roofline_lines(rows, self.roofline)
        return lines + training_lines(rows, self.optimizer or USUAL) if self.training else lines


cost_options = bundled(
    "more",
    CostOptions,
    click.option(
        "--roofline",
        type=Parsed("MACHINE", parse_machine),
        help="What bounds each layer on a machine, and the least time: peak=100GFLOP/s,bandwidth=20GB/s.",
    ),
    click.option(
        "--training",
        is_flag=True,
        help="Add a step of training: both passes, gradients, optimizer state, and what is kept between them.",
    ),
    click.option(
        "--optimizer", type=click.Choice(list(OPTIMIZERS)), help=f"Of --training.  [default: {USUAL}]"
    ),
)
