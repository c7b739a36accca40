"""The options of `convcli filter` for the kernel, the layer and the result."""

from collections.abc import Sequence

import click

from convcli.backend.bands.band_plan import METHODS
from convcli.cli.advised_values import WORDS
from convcli.cli.completed_words import (
    complete_blurs,
    complete_files,
    complete_kernels,
    complete_mixings,
    complete_offset_fields,
)
from convcli.cli.options.activation_and_pool_options import activation_option, pool_option
from convcli.cli.options.bundled import bundled
from convcli.cli.options.kernel_limit import max_kernel_option
from convcli.cli.options.option_types import Parsed, at_least
from convcli.errors import ArgumentError
from convcli.filters.network_input import pixels_of
from convcli.filters.new_size import NewSize, read_new_size
from convcli.filters.read_arguments import (
    MAX_DIMS,
    MAX_REPEATS,
    read_number,
    read_place,
    read_rectangle,
    read_tile,
    read_variant,
)
from convcli.filters.request import ALONG, ALPHAS, FILTERING, NANS, RANGES, Request
from convcli.layers.padding import MODES, NAMES, mode_of
from convcli.layers.resample import USUAL, WIDTHS
from convcli.layers.text.notation import parse_padding, parse_size
from convcli.layers.variants import PLAIN, VARIANTS

# The options for the steps of a layer, in the order in which they run; without kernels, the first ones are one step.
_FIRST = ("weights", "pointwise", "offsets", "local")
_LATER = ("activation", "pool", "pool_channels")


def resized_in_order(request: Request, typed: Sequence[str]) -> Request:
    """Return a request that resizes the picture after the steps that were typed before --resize.

    typed : the names of the options in the order in which they were typed, with repetitions
    """
    if request.resize is None or "resize" not in typed:
        return request
    before = list(typed[: len(typed) - 1 - list(reversed(typed)).index("resize")])
    kernels = len(request.kernels)
    steps = [*(["kernels"] * kernels if kernels else ["layer"] * request.any_given(*_FIRST))]
    after = before.count("kernels") or (0 if kernels else int(any(name in before for name in _FIRST)))
    for name in filter(request.given, _LATER):
        steps.append(name)
        if name in before:
            after = len(steps)
    return request._replace(resize_after=after)


class _SizeType(Parsed[NewSize]):
    """The type of --resize: a size or a factor, but only a size for the input of a network."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> NewSize:
        """Parse a size; with --network, no message offers a factor."""
        words = () if ctx is None else ctx.meta.get(WORDS, ())
        if not any(word.partition("=")[0] == "--network" for word in words):
            return super().convert(value, param, ctx)
        try:
            pixels_of(size := read_new_size(value))
        except ArgumentError:
            self.fail(
                f"{value!r} is not the size of a network's input; write WIDTHxHEIGHT in pixels, such as 224x224",
                param,
                ctx,
            )
        return size


def _of(argument: str) -> str:
    """Return the names of the variants that take an argument."""
    return ", ".join(name for name in FILTERING if VARIANTS[name].takes(argument))


request_options = bundled(
    "request",
    Request,
    click.option(
        "-k",
        "--kernel",
        "kernels",
        multiple=True,
        metavar="SPEC",
        shell_complete=complete_kernels,
        help="sobel, gaussian:sigma=2, '0 -1 0; -1 5 -1; 0 -1 0', or a FILE. Repeat to chain kernels.",
    ),
    click.option("--normalize", is_flag=True, help="Divide by the sum of weights; if 0, of positive ones."),
    click.option("--scale", type=Parsed("F", read_number), help="Multiply the weights."),
    click.option(
        "--bias", "shift", type=Parsed("V", read_number), help="Add to each result, in units of the pixels."
    ),
    click.option(
        "--anchor",
        type=Parsed("Y,X", read_place),
        help="The tap placed on the pixel, from 0,0. [the middle]",
    ),
    click.option("--flip", is_flag=True, help="Rotate kernels by 180 degrees: true convolution."),
    max_kernel_option,
    click.option(
        "-s",
        "--s",
        "--stride",
        "stride",
        type=Parsed("SIZE", parse_size),
        help="Pixels between two outputs: 2 or 2x1. [1]",
    ),
    click.option(
        "-p",
        "--p",
        "--padding",
        "padding",
        type=Parsed("SIZE", parse_padding, NAMES),
        help="same, same-lower, valid, full, 1, 2x1, 1:2. [same]",
    ),
    click.option(
        "--padding-mode",
        type=Parsed("MODE", mode_of, tuple(MODES)),
        help="How the picture is padded, e.g. zeros. [reflect]",
    ),
    click.option(
        "--padding-value", type=Parsed("V", read_number), help="The value for --padding-mode constant. [0]"
    ),
    click.option(
        "-d",
        "--d",
        "--dilation",
        "dilation",
        type=Parsed("SIZE", parse_size),
        help="Pixels between two taps of a kernel. [1]",
    ),
    activation_option,
    pool_option,
    click.option("--pool-channels", metavar="KIND", help="Pool across channels: max avg lp; max:2 in pairs."),
    click.option(
        "--repeat", type=at_least(1, MAX_REPEATS), default="1", help="Run the whole layer N times. [1]"
    ),
    click.option("--feedback", is_flag=True, help="Each repeat gets the picture and the last result."),
    click.option(
        "--resize",
        type=_SizeType("SIZE", read_new_size),
        help="800x600 stretches; 800x, x600, 50% and 0.5 keep the shape. In typed order.",
    ),
    click.option(
        "--resampling",
        type=click.Choice(list(WIDTHS)),
        metavar="NAME",
        help=f"{' '.join(name for name in WIDTHS if name != USUAL)}. [{USUAL}]",
    ),
    click.option(
        "--variant",
        type=Parsed("NAME", read_variant, FILTERING),
        help=f"The kind of convolution. [{PLAIN}; with --weights, by their shape]",
    ),
    click.option(
        "--weights",
        metavar="FILE.npy",
        shell_complete=complete_files,
        help="(O, C/groups, kh, kw) instead of kernels: O maps.",
    ),
    click.option(
        "--bias-file",
        "bias",
        metavar="FILE.npy",
        shell_complete=complete_files,
        help="(O,): a number to add to each map.",
    ),
    click.option(
        "--pointwise",
        metavar="M",
        shell_complete=complete_mixings,
        help="luma (BT.601), sepia, swap-rb, or a FILE (O, C).",
    ),
    click.option("--groups", type=at_least(1), help="Mix channels only within N groups."),
    click.option("--rank", type=at_least(1), help=f"{_of('rank')}: the best N terms; reports the error."),
    click.option(
        "--offsets",
        metavar="FIELD",
        shell_complete=complete_offset_fields,
        help=f"{_of('offsets')}: swirl:strength=3 lens random FILE.npy.",
    ),
    click.option(
        "--local",
        metavar="FIELD",
        shell_complete=complete_blurs,
        help=f"{_of('local')}: tilt-shift:sigma=6 vignette-blur FILE.npy.",
    ),
    click.option(
        "--only",
        multiple=True,
        type=Parsed("X,Y,W,H", read_rectangle),
        help="Filter only this rectangle, in pixels from the top left of the upright picture; repeat it to add more. "
        "-o x.png keeps the other pixels; a .jpg is encoded again.",
    ),
    click.option(
        "--mask",
        metavar="PICTURE",
        shell_complete=complete_files,
        help="Filter only where this is white, and in --only if given; grey blends. 'masks/{stem}.png': one for each.",
    ),
    click.option(
        "--tile", type=Parsed("RxC", read_tile), help=f"{_of('tile')}: the grid of kernels. [one row]"
    ),
    click.option(
        "--output-padding",
        type=Parsed("SIZE", parse_size),
        help=f"{_of('output_padding')}: rows added at the end. [0]",
    ),
    click.option("--dims", type=at_least(1, MAX_DIMS), help="3: across frames; 1: --along one axis. [2]"),
    click.option(
        "--along",
        type=click.Choice(ALONG),
        metavar="AXIS",
        help="--dims 1: filter along rows or columns. [rows]",
    ),
    click.option(
        "--range",
        "value_range",
        type=click.Choice(RANGES),
        metavar="HOW",
        help="How values become pixels: clip abs offset minmax. [clip]",
    ),
    click.option(
        "--alpha",
        type=click.Choice(ALPHAS),
        metavar="HOW",
        default="auto",
        help="auto (premultiply for means) premultiply keep filter.",
    ),
    click.option(
        "--nan",
        type=click.Choice(NANS),
        metavar="HOW",
        help="In floats: propagate; skip, as missing data. [propagate]",
    ),
    click.option(
        "--method",
        type=click.Choice(METHODS),
        metavar="NAME",
        default="auto",
        help=f"{' '.join(METHODS)}; -v shows the choice.",
    ),
    click.option("--sheet", is_flag=True, help="Draw all maps side by side, with names and scales."),
)
