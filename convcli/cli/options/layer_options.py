"""The options of the calculators that describe a layer, and the questions that they make."""

from collections.abc import Iterable, Iterator
from itertools import product
from math import prod
from typing import Any, NamedTuple, TypeVar

import click

from convcli.cli.calculators.question import NO_SIZE, Chain, Question, Size, parse_chain_option
from convcli.cli.completed_words import complete_chains
from convcli.cli.options.activation_and_pool_options import activation_option, pool_option
from convcli.cli.options.bundled import Decorator, bundled
from convcli.cli.options.option_types import Parsed, at_least, swept
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.layers.axes import needs_size
from convcli.layers.counts import DTYPE_BYTES
from convcli.layers.padding import MODE_ALIASES, MODES, NAMES, NO_OUTPUT_PADDING, SAME, AnyPadding
from convcli.layers.text.notation import (
    format_padding_as_typed,
    format_size,
    parse_number,
    parse_padding,
    parse_size,
)
from convcli.layers.variants import ENLARGING_STRIDE, TRANSPOSED, VARIANTS

T = TypeVar("T")

MAX_DIMS = 32  # the most axes of an array in older versions of NumPy
MAX_ROWS = 100_000  # the default of --max-rows

NO_KERNEL = "the kernel size is missing; give --k, such as --k 3, or a chain with --layers"

# The options that a variant may ignore, each with the name of the argument of a convolution.
OF_CONV = {"k": "kernel_size", "s": "stride", "p": "padding", "d": "dilation", "groups": "groups"}
FLAGS = {"in_channels": "--in", "out_channels": "--out"}

# The options that cannot be used with --layers, and with --ceil.
REPLACED_BY_CHAIN = (
    "k",
    "s",
    "p",
    "d",
    "out_channels",
    "groups",
    "bias",
    "variant",
    "output_padding",
    "ceil",
)
NOT_WITH_CEIL = ("variant", "out_channels", "groups", "bias", "output_padding")


class LayerOptions(NamedTuple):
    """The layer options, each with all its values; None for those that were not typed."""

    n: tuple[Size, ...] | None
    k: tuple[Size, ...] | None
    s: tuple[Size, ...] | None
    p: tuple[AnyPadding, ...] | None
    d: tuple[Size, ...] | None
    in_channels: tuple[int, ...] | None
    out_channels: tuple[int, ...] | None
    groups: tuple[int, ...] | None
    bias: bool | None = None
    dims: int | None = None
    batch: int = 1
    dtype: str = "float32"
    max_rows: int = MAX_ROWS
    variant: str | None = None
    transposed: bool = False
    output_padding: Size | None = None
    ceil: bool = False
    chain: Chain | None = None
    activation: str | None = None
    pool: str | None = None

    def questions(self, *, sized: bool = True, each: int = 1) -> list[Question]:
        """Return one question for each combination of the values; raise ArgumentError for invalid options.

        sized : whether the questions need an input size
        each : the least number of rows of an answer, for the limit of --max-rows
        """
        options = self._named()
        if sized and options.n is None:
            raise ArgumentError(NO_SIZE)
        options._note_channels()
        options._check()
        return list(options._combinations(each))

    def _note_channels(self) -> None:
        """Print a note about input sizes that seem to have channels."""
        if all(isinstance(size, int) for size in self.n or ()):
            return
        from convcli.cli.calculators.channels_in_size import channels_in_size

        others = [size for sizes in (self.k, self.s, self.p, self.d) for size in sizes or ()]
        messages = click.get_current_context().find_object(Messages)
        for size in self.n or ():
            if (note := channels_in_size(size, others, self.dims)) and messages is not None:
                messages.note(note)

    def given(self, name: str) -> bool:
        """Return whether an option was typed."""
        value = getattr(self, name)
        return value is not None and (value is not False or name == "bias")

    def _flag(self, name: str) -> str:
        """Return the name of an option as it was typed."""
        if name == "bias":
            return "--bias" if self.bias else "--no-bias"
        return "--transposed" if name == "variant" and self.transposed else flag(name)

    def _named(self) -> "LayerOptions":
        """Return the options with the variant that --transposed stands for."""
        if not self.transposed:
            return self
        if self.variant not in (None, TRANSPOSED):
            raise ArgumentError(
                f"--transposed and --variant {self.variant} contradict each other; give one of them"
            )
        return self._replace(variant=TRANSPOSED)

    def _check(self) -> None:
        """Raise ArgumentError for options that cannot be used together, or are missing."""
        if self.pool is not None:
            from convcli.layers.text.pool_grammar import parse_pool

            parse_pool(self.pool)  # reports errors that do not depend on the size
        if self.chain is not None:
            for name in filter(self.given, REPLACED_BY_CHAIN):
                raise ArgumentError(
                    f"{self._flag(name)} cannot be used with --layers, where each layer has its own options"
                    + (", as in --layers 'maxpool k3 s2 ceil'" if name == "ceil" else "; leave it out")
                )
            return
        if self.ceil:
            for name in filter(self.given, NOT_WITH_CEIL):
                raise ArgumentError(
                    f"{self._flag(name)} cannot be used with --ceil: only pools round up, and they have no weights"
                )
        spec = None if self.variant is None else VARIANTS[self.variant]
        if self.output_padding is not None and (spec is None or spec.sizes != "transposed"):
            raise ArgumentError(
                f"--output-padding applies only to --variant {' or '.join(_transposed)}; leave it out"
            )
        if self.output_padding and any(name in (self.p or ()) for name in SAME):
            raise ArgumentError(NO_OUTPUT_PADDING)
        if spec is not None:
            self._check_variants((spec.name,), "--variant")
        if self.k is None and (spec is None or "kernel_size" not in spec.own):
            raise ArgumentError(NO_KERNEL)
        if self.n is None and spec is not None and spec.needs_size:
            raise ArgumentError(needs_size(spec.name))

    def _check_variants(self, variants: Iterable[str], option: str) -> None:
        """Raise ArgumentError for an option that all of the variants ignore."""
        names = tuple(variants)
        for letter, field in OF_CONV.items():
            for value in getattr(self, letter) or ():
                if all(VARIANTS[name].ignores(field, value) for name in names):
                    text = format_padding_as_typed(value) if letter == "p" else format_size(value)
                    raise ArgumentError(
                        f"{flag(letter)} {text} has no use with {option} {','.join(names)}, "
                        + VARIANTS[names[0]].instead_of(field)
                    )

    def check_compared(self, variants: Iterable[str]) -> None:
        """Raise ArgumentError for an option that all of the compared variants ignore."""
        self._check_variants(variants, "--variants")

    def _combinations(self, each: int) -> Iterator[Question]:
        values = (
            self.n or (None,),
            self.k or (None,),
            self.s or (None,),
            self.p or (None,),
            self.d or (None,),
            self.in_channels or (None,),
            self.out_channels or (None,),
            self.groups or (None,),
        )
        count = prod(map(len, values))
        if count * each > self.max_rows:
            rows = "" if each == 1 else f" of {each} rows each"
            raise ArgumentError(
                f"{count:,} combinations of options{rows} are over the limit of {self.max_rows:,}; give fewer values "
                f"at a time, or raise it with --max-rows {count * each}"
            )
        rest = (
            self.bias,
            self.dims,
            self.batch,
            self.dtype,
            self.variant,
            self.output_padding,
            self.ceil,
            self.chain,
        )
        for combination in product(*values):
            yield Question(*combination, *rest, activation=self.activation, pool=self.pool)


def flag(name: str) -> str:
    """Return the name of an option."""
    return FLAGS.get(name, f"--{name.replace('_', '-')}")


def variant_name(text: str) -> str:
    """Return the name of a variant; raise ArgumentError if it is unknown."""
    if text not in VARIANTS:
        from convcli.layers.text.foreign_layers import instead_of_variant

        raise ArgumentError(f"there is no variant {text!r}; {instead_of_variant(text, VARIANTS)}")
    return text


_variant_name = Parsed("NAME", variant_name, tuple(VARIANTS))


def _padding_size(text: str) -> AnyPadding:
    """Parse a padding; the mode of the padding changes no size and no count."""
    if text.lower() in (*MODES, *MODE_ALIASES):
        raise ArgumentError(
            f"{text!r} is a padding mode, which changes no size and no count; filter, learn and draw take it as "
            f"--padding-mode {text}; a padding is a size such as 1, or {', '.join(NAMES)}"
        )
    return parse_padding(text)


_sizes = Parsed("SIZE", swept(parse_size))
_count = Parsed("N", swept(parse_number))
_padding = Parsed("PADDING", swept(_padding_size))
_enlarging = ", ".join(name for name, spec in VARIANTS.items() if spec.enlarges)
_per_channel = ", ".join(name for name, spec in VARIANTS.items() if spec.per_channel)
_transposed = [name for name, spec in VARIANTS.items() if spec.sizes == "transposed"]


def _option(*names: str, **settings: Any) -> Decorator:
    return click.option(*names, **{"show_default": True, **settings})


_GEOMETRY = (
    _option("-n", "--n", "--input-size", "n", type=_sizes, help="Input size: 224, or 224x112 for each axis."),
    _option("-k", "--k", "--kernel-size", "k", type=_sizes, help="Kernel size: 3, or 3x5."),
    _option(
        "-s",
        "--s",
        "--stride",
        "s",
        type=_sizes,
        help=f"Stride.  [default: 1; {_enlarging}: {ENLARGING_STRIDE}]",
    ),
    _option(
        "-p",
        "--p",
        "--padding",
        "p",
        type=_padding,
        help="Padding: 1, 2x1, before:after as 1:2, or valid, same, same-lower, full.  [default: 0]",
    ),
    _option("-d", "--d", "--dilation", "d", type=_sizes, help="Dilation.  [default: 1]"),
    _option("--in", "in_channels", type=_count, help="Input channels.  [default: 1]"),
    _option(
        "--out",
        "out_channels",
        type=_count,
        help=f"Output channels; {_per_channel}: a multiple of --in.  [default: 1; {_per_channel}: --in]",
    ),
    _option("--groups", type=_count, help="Groups of channels.  [default: 1]"),
    _option(
        "--dims",
        type=at_least(1, MAX_DIMS),
        metavar="N",
        help="Number of spatial axes, if the sizes are single numbers.  [default: 2]",
    ),
)
_BIAS = (_option("--bias/--no-bias", default=None, help="Bias for each output channel.  [default: bias]"),)
_KIND = (
    _option("--variant", type=_variant_name, metavar="NAME", help=f"One of {', '.join(VARIANTS)}."),
    _option("--transposed", is_flag=True, show_default=False, help=f"Short for --variant {TRANSPOSED}."),
    _option(
        "--output-padding",
        type=Parsed("SIZE", parse_size),
        help="Rows added at the end of a transposed layer.",
    ),
    _option(
        "--ceil",
        is_flag=True,
        show_default=False,
        help="Round the output size up; the layer is then a max pool.",
    ),
    _option(
        "--layers",
        "chain",
        type=Parsed("CHAIN", parse_chain_option),
        shell_complete=complete_chains,
        help="A chain instead of one layer: 'conv k7 s2 p3 o64, relu, maxpool k3 s2 p1', or @FILE, one layer per line.",
    ),
)
_STORAGE = (
    _option("--batch", type=at_least(1), default="1", help="Number of inputs in a batch."),
    _option(
        "--dtype",
        type=click.Choice(list(DTYPE_BYTES)),
        default="float32",
        help="Type in which numbers are stored.",
    ),
    _option(
        "--max-rows",
        type=at_least(1),
        default=str(MAX_ROWS),
        envvar="CONVCLI_MAX_ROWS",
        show_envvar=True,
        show_default=False,
        help=f"Limit on the number of combinations.  [default: {MAX_ROWS}]",
    ),
)

layer_options = bundled("layer", LayerOptions, *_GEOMETRY, *_BIAS, *_KIND, *_STORAGE)
compared_options = bundled(
    "layer", LayerOptions, *_GEOMETRY, *_BIAS, activation_option, pool_option, *_STORAGE
)
drawn_options = bundled("layer", LayerOptions, *_GEOMETRY, *_KIND, pool_option)
