"""The options for arrays: numbers that are typed in place of a picture, and the axes of arrays in files."""

from collections.abc import Sequence

import click

from convcli.cli.options.bundled import Decorator

ARRAYS = ("hwc", "chw", "dhw")  # channels last, channels first, or slices of a volume

values_option = click.option("--values", metavar="ROWS", help="Numbers instead of a picture: '0 1 2; 3 4 5'.")
several_values_option = click.option(
    "--values",
    multiple=True,
    metavar="ROWS",
    help="Numbers instead of a picture: '0 1 2; 3 4 5'. Repeat for each picture.",
)


def value_names(count: int) -> tuple[str, ...]:
    """Return the names in messages of `count` matrices that were typed."""
    return ("the values",) if count == 1 else tuple(f"values {number}" for number in range(1, count + 1))


def layout_option(networks: Sequence[str] = ()) -> Decorator:
    """Return the option --layout; `networks` are additional layouts, for the input of a network."""
    of_network = f"; networks: {' '.join(networks)}" if networks else ""
    return click.option(
        "--layout",
        type=click.Choice([*ARRAYS, *networks]),
        metavar="AXES",
        default="hwc",
        help=f"Axes of arrays: {' '.join(ARRAYS)}{of_network}. [hwc]",
    )
