"""The options for the activation and the pool after a layer."""

import click

from convcli.cli.completed_words import complete_pools
from convcli.cli.options.option_types import Parsed
from convcli.layers.activation import ACTIVATIONS, SOFTMAX, parse_activation

activation_option = click.option(
    "--activation",
    type=Parsed("NAME", parse_activation, (*ACTIVATIONS, SOFTMAX)),
    help="relu sigmoid tanh abs softplus ...; white is 1.",
)
pool_option = click.option(
    "--pool",
    metavar="KIND",
    shell_complete=complete_pools,
    help="max:2, avg:3,stride=2, lp:2,p=3, global-avg, adaptive-max:7x7.",
)
