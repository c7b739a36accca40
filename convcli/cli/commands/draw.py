"""convcli draw: show the arithmetic of a layer step by step."""

from shlex import quote

import click

from convcli.cli.calculators.calculator_help import chain_help
from convcli.cli.command import Command
from convcli.cli.options.draw_options import NumberOptions, drawn, number_options
from convcli.cli.options.drawing_kind_options import KindOptions, kind_options
from convcli.cli.options.drawing_view_options import ViewOptions, view_options
from convcli.cli.options.layer_options import LayerOptions, drawn_options
from convcli.cli.options.network_options import NetworkOptions, network_options
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.positional_words import layer_words
from convcli.cli.user_messages import Messages


@click.command(
    cls=Command,
    short_help="Show the arithmetic of a layer step by step.",
    words=layer_words(
        *("n", "k", "s", "p"),
        picture="draw takes numbers; convcli filter {picture} --kernel {kernel} --explain ROW,COLUMN explains one "
        "output of a picture",
    ),
    examples=(
        "convcli draw --values '0 1 2; 3 4 5; 6 7 8' --kernel '0 1; 2 3'",
        "convcli draw --n 5 --k 3 --s 2 --p 1 -o conv.gif",
    ),
    leading=("values", "kernel", "n", "k", "s", "p", "variant", "chain", "output", "force"),
    topics=("layers", "padding", "variants", "kernels"),
    groups={
        "Numbers": ("values", "kernel", "offsets", "flip", "padding_mode", "padding_value", "seed"),
        "Layer": (
            *("n", "k", "s", "p", "d", "in_channels", "out_channels", "groups", "dims"),
            *("variant", "transposed", "output_padding", "pool", "ceil", "chain"),
        ),
        "Instead of steps": ("matrix", "receptive", "checkerboard", "connections", "at"),
        "Network": ("of_layer", "inputs", "width"),
        "Output": ("output", "force", "step", "delay", "scale", "theme", "show"),
    },
    more=chain_help,
)
@network_options
@drawn_options
@number_options
@kind_options
@view_options
@verbosity_options
@click.pass_obj
def command(
    messages: Messages,
    /,
    network: NetworkOptions,
    layer: LayerOptions,
    given: NumberOptions,
    kind: KindOptions,
    view: ViewOptions,
) -> None:
    """Draw the arithmetic of a layer step by step: the window on the padded input, each product, the sum, the output.

    The layer options are those of convcli shape; missing numbers are small integers. A terminal animates the steps, a
    pipe prints them, and -o draws them. For a NETWORK, --receptive draws the receptive field of one output.
    """
    network.check(click.get_current_context(), LayerOptions._fields)
    view.check(given.reads)
    if network.network is not None:
        graph = network.load()
        if not kind.receptive:
            raise click.UsageError(
                "a network can be drawn with --receptive only; "
                f"convcli cost {quote(network.network)} -o net.png draws the table of its layers"
            )
        if kind.of_layer is not None:
            from convcli.networks.program import tensors_of

            tensors_of(graph, [kind.of_layer], network.network)
        view.give(messages, kind.drawing(graph, (), given.numbers(2)))
        return
    view.give(messages, kind.drawing(*drawn(layer, given)))
