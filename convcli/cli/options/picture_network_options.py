"""The options of `convcli filter` for a network: its name, its input, and the output that is wanted."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from convcli.cli.completed_words import complete_layers, complete_networks
from convcli.cli.option_names import typed_options
from convcli.cli.options.bundled import bundled
from convcli.cli.options.option_types import Parsed, at_least
from convcli.cli.options.path_types import READ
from convcli.errors import ArgumentError, FileError
from convcli.filters.network_input import OF_BOTH, NetworkInput, output_name, pixels_of
from convcli.filters.read_arguments import read_deviations, read_numbers

if TYPE_CHECKING:
    from convcli.filters.network_run import NetworkRun
    from convcli.filters.request import Request

ORDERS: dict[tuple[str, ...], bool] = {("rgb",): False, ("bgr",): True}  # values of --channels with a network
MAX_BYTES = 64 << 20  # the largest size of a file of labels


class PictureNetworkOptions(NamedTuple):
    """The options for a network; `network` is None if a layer is run."""

    network: str | None
    layer: str | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    seed: int | None
    top: int | None
    labels: Path | None

    def check(self, context: click.Context, request: "type[Request]") -> None:
        """Raise ArgumentError for options of a layer with a network, and for options of a network without one."""
        of_layers = {"stats", "linear", "depth", "explain", *request._fields} - set(OF_BOTH)
        for name, typed in typed_options(context).items():
            if self.network is None and name in self._fields:
                raise ArgumentError(f"{typed} belongs to a network; name one with --network")
            if self.network is not None and name in of_layers:
                raise ArgumentError(
                    f"{typed} belongs to a layer, and has no use with --network; leave it out"
                )
        if self.labels is not None and self.layer is not None:
            raise ArgumentError("--labels applies to classes, and --layer to maps; give one of them")
        if self.top is not None and self.layer is not None:
            raise ArgumentError("--top applies to classes, and --layer to maps; give one of them")

    def network_run(self, request: "Request", layout: str | None, bgr: bool) -> "NetworkRun":
        """Return the run of the network, for a layout and an order of colours of its input."""
        from convcli.filters.network_run import NetworkRun

        how = NetworkInput(
            None if request.scale is None else float(request.scale),
            self.mean or (0.0,),
            self.std or (1.0,),
            pixels_of(request.resize),
            layout,
            bgr,
        )
        weights = request.weights
        return NetworkRun(
            self.network or "", how, self.layer, None if weights is None else str(weights), self.seed
        )

    @property
    def name(self) -> str:
        """The name of the network in the names of outputs, in place of a kernel's name."""
        return output_name(self.network or "", self.layer)

    def names(self) -> tuple[str, ...]:
        """Return the names of the classes, one per line."""
        if self.labels is None:
            return ()
        try:
            with self.labels.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise FileError(f"cannot read the labels {str(self.labels)!r}: {error.strerror}") from None
        if len(data) > MAX_BYTES:
            raise FileError(
                f"the labels {str(self.labels)!r} have more than {MAX_BYTES:,} bytes; write one name per line"
            )
        try:
            lines = data.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise FileError(f"the labels {str(self.labels)!r} are not UTF-8 text; convert them") from None
        while lines and not lines[-1].strip():
            lines.pop()
        return tuple(line.strip() for line in lines)


picture_network_options = bundled(
    "network",
    PictureNetworkOptions,
    click.option(
        "--network",
        metavar="NETWORK",
        shell_complete=complete_networks,
        help="Run model.onnx, net.toml or a name from convcli networks.",
    ),
    click.option(
        "--layer",
        metavar="NAME",
        shell_complete=complete_layers,
        help="Draw the maps of this layer; -o x.npy writes numbers.",
    ),
    click.option("--mean", type=Parsed("F,F,F", read_numbers), help="Subtract, after --scale. [0]"),
    click.option("--std", type=Parsed("F,F,F", read_deviations), help="Divide by, after --mean. [1]"),
    click.option("--seed", type=at_least(0), help="Draw missing weights at random."),
    click.option("--top", type=at_least(1), help="Number of classes to print. [5]"),
    click.option(
        "--labels",
        type=READ,
        metavar="FILE",
        help="The names of the classes, one per line.",
    ),
)
