"""The options of what `convcli filter` does to a picture."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from convcli.backend.bands.band_plan import METHODS
from convcli.cli.options.common_options import (
    Decorator,
    Parsed,
    activation_option,
    at_least,
    bundled,
    pool_option,
)
from convcli.filters.read_arguments import (
    MOST_DIMS,
    MOST_REPEATS,
    read_number,
    read_place,
    read_tile,
    read_variant,
)
from convcli.filters.request import ALONG, ALPHAS, FILTERING, RANGES, Request
from convcli.kernels.named import MAX_SIDE
from convcli.layers.padding import mode_of
from convcli.layers.text.notation import parse_padding, parse_size
from convcli.layers.variants import PLAIN, VARIANTS


def _option(*names: str, **settings: Any) -> Decorator:
    return click.option(*names, **settings)


def _parsed(metavar: str, parse: Callable[[str], Any], names: Sequence[str] = ()) -> Any:
    return Parsed(metavar, parse, names)


def _of(argument: str) -> str:
    """Name the variants that take an argument."""
    return ", ".join(name for name in FILTERING if VARIANTS[name].takes(argument))


request_options = bundled(
    "request",
    Request,
    _option(
        "-k",
        "--kernel",
        "kernels",
        multiple=True,
        metavar="SPEC",
        help="sobel, gaussian:sigma=2, '0 -1 0; -1 5 -1; 0 -1 0', or a FILE. Repeat it to chain kernels.",
    ),
    _option("--normalize", is_flag=True, help="Divide by the sum of the weights."),
    _option("--scale", type=_parsed("F", read_number), help="Multiply the weights."),
    _option(
        "--bias", "shift", type=_parsed("V", read_number), help="Add to each answer, in units of the pixels."
    ),
    _option(
        "--anchor",
        type=_parsed("Y,X", read_place),
        help="The tap that lies on the pixel, from 0. [the middle]",
    ),
    _option("--flip", is_flag=True, help="Turn kernels by 180 degrees: true convolution."),
    _option(
        "--max-kernel",
        type=at_least(1),
        default=str(MAX_SIDE),
        envvar="CONVCLI_MAX_KERNEL",
        show_envvar=True,
        help=f"Refuse wider kernels. [{MAX_SIDE}]",
    ),
    _option(
        "--stride", type=_parsed("SIZE", parse_size), help="Pixels from one output to the next: 2 or 2x1. [1]"
    ),
    _option(
        "--padding",
        type=_parsed("SIZE", parse_padding),
        help="same, same-lower, valid, full, 1, 2x1, 1:2. [same]",
    ),
    _option(
        "--padding-mode",
        type=_parsed("MODE", mode_of),
        help="What stands beyond the border, as zeros. [reflect]",
    ),
    _option(
        "--padding-value", type=_parsed("V", read_number), help="What --padding-mode constant pads with. [0]"
    ),
    _option("--dilation", type=_parsed("SIZE", parse_size), help="Pixels between the taps of a kernel. [1]"),
    activation_option,
    pool_option,
    _option("--pool-channels", metavar="KIND", help="max, avg or lp, of all channels or by N: max:2."),
    _option("--repeat", type=at_least(1, MOST_REPEATS), default="1", help="Run the whole layer N times. [1]"),
    _option("--feedback", is_flag=True, help="Each time on the picture beside the last answer."),
    _option(
        "--variant",
        type=_parsed("NAME", read_variant, FILTERING),
        help=f"The kind of convolution, as grouped. [{PLAIN}]",
    ),
    _option("--weights", metavar="FILE.npy", help="(O, C/groups, kh, kw) instead of kernels: O maps."),
    _option("--bias-file", "bias", metavar="FILE.npy", help="(O,): one number to add to each map."),
    _option("--pointwise", metavar="M", help="luma (BT.601), sepia, swap-rb, or a FILE (O, C)."),
    _option("--groups", type=at_least(1), help="Channels mix within N groups only."),
    _option("--rank", type=at_least(1), help=f"{_of('rank')}: the best N terms; says their error."),
    _option("--offsets", metavar="FIELD", help=f"{_of('offsets')}: swirl:strength=3 lens random FILE.npy."),
    _option("--local", metavar="FIELD", help=f"{_of('local')}: tilt-shift:sigma=6 vignette-blur FILE.npy."),
    _option("--tile", type=_parsed("RxC", read_tile), help=f"{_of('tile')}: how the kernels lie. [one row]"),
    _option(
        "--output-padding",
        type=_parsed("SIZE", parse_size),
        help=f"{_of('output_padding')}: rows added at the end. [0]",
    ),
    _option("--dims", type=at_least(1, MOST_DIMS), help="3: over frames too; 1: --along an axis. [2]"),
    _option(
        "--along",
        type=click.Choice(ALONG),
        metavar="AXIS",
        help="--dims 1: kernels lie along rows or columns. [rows]",
    ),
    _option(
        "--range",
        "value_range",
        type=click.Choice(RANGES),
        metavar="HOW",
        help="How values become pixels: clip abs offset minmax. [clip]",
    ),
    _option(
        "--alpha",
        type=click.Choice(ALPHAS),
        metavar="HOW",
        default="auto",
        help="auto (premultiply for means) premultiply keep filter.",
    ),
    _option(
        "--method",
        type=click.Choice(METHODS),
        metavar="NAME",
        default="auto",
        help=f"{' '.join(METHODS)}; -v tells.",
    ),
    _option("--sheet", is_flag=True, help="Draw the maps of any number side by side, in grey."),
)
