"""The option for a limit on the size of kernels."""

import click

from convcli.cli.options.option_types import at_least
from convcli.kernels.named import MAX_SIDE

max_kernel_option = click.option(
    "--max-kernel",
    type=at_least(1),
    default=str(MAX_SIDE),
    envvar="CONVCLI_MAX_KERNEL",
    show_envvar=True,
    help=f"Refuse wider kernels. [{MAX_SIDE}]",
)
