"""The option --show, which draws a picture in the terminal."""

import click

from convcli.cli.options.bundled import Decorator


def show_option(text: str) -> Decorator:
    """Return the option --show with its help."""
    return click.option("--show", is_flag=True, help=text)
