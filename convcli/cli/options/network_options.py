"""The options of the calculators for a network: its name, the shapes of its inputs, and its width."""

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

ALSO_FOR_NETWORKS = ("batch", "dtype")  # the layer options that also apply to a network
OF_ONE_LAYER = "describes a layer and cannot be used with a network"

Shape = tuple[int, ...]
Given = tuple[str, Shape]  # an input's name, "" for the only one, and its shape


def _has_scale(context: click.Context, name: str) -> bool:
    """Return whether --width may be meant for the size of a drawing, which --scale sets."""
    return name == "width" and any("--scale" in each.opts for each in context.command.params)


class NetworkOptions(NamedTuple):
    """The options for a network; `network` is None if the question is about a layer."""

    network: str | None
    inputs: tuple[Given, ...]
    width: float | None

    def check(self, context: click.Context, layer_options: Sequence[str]) -> None:
        """Raise ArgumentError for options of a layer with a network, and for options of a network without one."""
        for name, option in typed_options(context).items():
            if self.network is None and name in ("inputs", "width"):
                raise ArgumentError(
                    f"{option} needs a network, as in convcli {context.info_name} resnet-50 --input 3x320x320; for a "
                    "layer, give the input size with --n and the channels with --in"
                    + ("; --scale 2 doubles the size of a drawing" if _has_scale(context, name) else "")
                )
            if self.network is not None and name in layer_options and name not in ALSO_FOR_NETWORKS:
                hint = "leave it out"
                if name in ("n", "in_channels"):
                    hint = f"the input of a network is --input {_as_input(context)}"
                raise ArgumentError(f"{option} {OF_ONE_LAYER}; {hint}")

    def shapes(self) -> Any:
        """Return the shapes for `load_network`."""
        unnamed = [shape for name, shape in self.inputs if not name]
        if not unnamed:
            return self._named() or None
        if len(self.inputs) > 1:
            raise ArgumentError(
                "several shapes need the names of their inputs; write each as --input NAME=3x224x224"
            )
        return unnamed[0]

    def _named(self) -> dict[str, Shape]:
        """Return the shapes by the names of their inputs; raise ArgumentError if an input has two."""
        found: dict[str, Shape] = {}
        for name, shape in self.inputs:
            if name in found:
                one, other = (f"{name}={format_size(each)}" for each in (found[name], shape))
                raise ArgumentError(f"--input {one} and {other} are for the same input; give one of them")
            found[name] = shape
        return found

    def load(self) -> "Network":
        """Return the network, or raise an error if it cannot be loaded."""
        from convcli.networks.load_network import load_network

        options = {} if self.width is None else {"width": self.width}
        return load_network(self.network or "", self.shapes(), **options)


def _as_input(context: click.Context) -> str:
    """Return the shape of the input of a network that the typed options --in and --n describe."""
    channels, sizes = (context.params.get(name) for name in ("in_channels", "n"))
    size = next(iter(sizes or ()), 224)
    square = size if is_sequence(size) else (size, size)
    return format_size((next(iter(channels or ()), 3), *square))


def _input(text: str) -> Given:
    name, sign, size = text.rpartition("=")
    if sign and not name:
        raise ArgumentError(f"{text!r} has no name before the =; write NAME=3x224x224")
    if "," in size:
        raise ArgumentError(
            f"{text!r} is a list, and a network takes one shape; run the command for each of them"
        )
    sizes = parse_size(size)
    return name, tuple(sizes) if is_sequence(sizes) else (int(size),)


def _width(text: str) -> float:
    if "," in text:
        one, other = [*text.split(","), ""][:2]
        raise ArgumentError(
            f"{text!r} is a list, and --width is one number; several are compared as in convcli compare "
            f"mobilenet-v1:width={one.strip()} mobilenet-v1:width={other.strip()}"
        )
    return read_finite(text)


class _Networks(Parsed[str]):
    """The name or file of a network; the names for shell completion are loaded on use."""

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
    help="Input shape of a network: 3x320x320; if it has several inputs, NAME=3x320x320.",
)
width_option: Decorator = click.option(
    "--width",
    type=Parsed("F", _width),
    help="Width multiplier of a network that has one, such as mobilenet-v1: 0.5 halves the channels. Other "
    "options follow its name, as in resnet-50:classes=10.",
)

network_options = bundled(
    "network",
    NetworkOptions,
    click.argument("network", required=False, metavar="[NETWORK]", type=NETWORK),
    input_option,
    width_option,
)
