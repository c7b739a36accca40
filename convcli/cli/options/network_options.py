"""The options of a whole network: which it is, and the shapes of its inputs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from convcli.cli.completed_words import complete_networks
from convcli.cli.option_names import typed_options
from convcli.cli.options.bundled import Decorator, bundled
from convcli.cli.options.option_types import Parsed
from convcli.errors import ArgumentError
from convcli.layers.axes import is_sequence
from convcli.layers.text.notation import format_size, parse_size
from convcli.number_text import read_finite

if TYPE_CHECKING:
    from convcli.networks.network import Network

BESIDE = ("batch", "dtype")  # the options of a layer that have a meaning beside a network
OF_ONE_LAYER = "describes a layer and has no use beside a network"

Shape = tuple[int, ...]
Given = tuple[str, Shape]  # an input's name, "" for the only one, and its shape


class NetworkOptions(NamedTuple):
    """A network as typed, and the shapes of its inputs; no network where a layer is asked about."""

    network: str | None
    inputs: tuple[Given, ...]
    width: float | None

    def check(self, context: click.Context, layer_options: Sequence[str]) -> None:
        """Refuse the options of a layer beside a network, and those of a network without one."""
        for name, option in typed_options(context).items():
            if self.network is None and name in ("inputs", "width"):
                raise ArgumentError(
                    f"{option} belongs to a network, as in convcli {context.info_name} resnet-50 --input 3x320x320; "
                    "the input of a layer has the size --n and --in channels"
                )
            if self.network is not None and name in layer_options and name not in BESIDE:
                raise ArgumentError(f"{option} {OF_ONE_LAYER}; leave it out")

    def shapes(self) -> Any:
        """Return the shapes as `load_network` takes them."""
        unnamed = [shape for name, shape in self.inputs if not name]
        if not unnamed:
            return self._named() or None
        if len(self.inputs) > 1:
            raise ArgumentError("several shapes need the names of their inputs, as --input NAME=3x224x224")
        return unnamed[0]

    def _named(self) -> dict[str, Shape]:
        """Return the shapes by the names of their inputs, of which each may have one."""
        found: dict[str, Shape] = {}
        for name, shape in self.inputs:
            if name in found:
                one, other = (f"{name}={format_size(each)}" for each in (found[name], shape))
                raise ArgumentError(f"--input {one} and {other} are shapes of one input; give one of them")
            found[name] = shape
        return found

    def load(self) -> "Network":
        """Return the network, or raise an error that says why there is none."""
        from convcli.networks.load_network import load_network

        options = {} if self.width is None else {"width": self.width}
        return load_network(self.network or "", self.shapes(), **options)


def _input(text: str) -> Given:
    name, sign, size = text.rpartition("=")
    sizes = parse_size(size)
    if sign and not name:
        raise ArgumentError(f"{text!r} has no name before the =; write NAME=3x224x224")
    return name, tuple(sizes) if is_sequence(sizes) else (int(size),)


class _Networks(Parsed[str]):
    """A network, whose names a shell completes; they are listed when they are asked for."""

    def __init__(self) -> None:
        super().__init__("NETWORK", str)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        return complete_networks(ctx, param, incomplete)


NETWORK = _Networks()

input_option: Decorator = click.option(
    "--input",
    "inputs",
    type=Parsed("SHAPE", _input),
    multiple=True,
    help="Input of a network: 3x320x320, or NAME=3x320x320 of one of several.",
)
width_option: Decorator = click.option(
    "--width",
    type=Parsed("F", read_finite),
    help="Channels of a network that has widths, such as mobilenet-v1: 0.5 of its usual ones.",
)

network_options = bundled(
    "network",
    NetworkOptions,
    click.argument("network", required=False, metavar="[NETWORK]", type=NETWORK),
    input_option,
    width_option,
)
