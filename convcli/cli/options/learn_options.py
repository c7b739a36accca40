"""The options of `convcli learn`: what is learned, and how."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from convcli.cli.options.bundled import bundled
from convcli.cli.options.option_types import Parsed, at_least
from convcli.errors import ArgumentError
from convcli.filters.read_arguments import read_number
from convcli.jobs.read_source import Reading
from convcli.layers.padding import MODES, NAMES, AnyPadding, mode_of
from convcli.layers.text.notation import parse_padding, parse_size

if TYPE_CHECKING:
    from convcli.learning.learning_recipe import Recipe


PAIR_SIZE, BANK_SIZE = 3, 7  # of kernels, where none is given


class LearnOptions(NamedTuple):
    """The arguments of `convcli.learn_kernel`; None where they are not given."""

    size: Any
    stride: Any
    dilation: Any
    padding: AnyPadding | None
    padding_mode: str | None
    flip: bool
    bias: bool
    per_channel: bool
    mix: bool
    keep_clipped: bool
    method: str
    steps: int | None
    lr: float | None
    seed: int | None

    def recipe(self, *, linear: bool) -> "Recipe":
        """Return how a kernel is to be learned; or raise ArgumentError."""
        from convcli.learning.learning_recipe import Recipe

        size = PAIR_SIZE if self.size is None else self.size
        return Recipe.of(**{**self._asdict(), "size": size}, linear=linear)


class BankOptions(NamedTuple):
    """The options of a bank of kernels."""

    patches: bool
    random: bool
    kernel_count: int | None
    in_channels: int | None

    def check(self, typed: Mapping[str, str], names: Sequence[str]) -> None:
        """Refuse options that have no use for a bank; `typed` are those that were typed, by their values' names."""
        if self.patches and self.random:
            raise ArgumentError("--patches learns a bank and --random draws one; give one of them")
        flag = "--patches" if self.patches else "--random"
        for name in filter(typed.__contains__, OF_PAIRS):
            raise ArgumentError(f"{typed[name]} belongs to pairs of pictures, and has no use with {flag}")
        if self.patches and self.in_channels is not None:
            raise ArgumentError("--in belongs to --random; the pictures of --patches tell their channels")
        if self.random and names:
            raise ArgumentError(f"--random looks at no picture, and {names[0]!r} is given; leave it out")
        for name in filter(typed.__contains__, OF_PICTURES if self.random else ()):
            raise ArgumentError(f"--random looks at no picture, and {typed[name]} is given; leave it out")
        if self.patches and not names:
            raise ArgumentError("--patches has no pictures to learn from; name some")

    def refuse(self, typed: Mapping[str, str], names: Sequence[str]) -> None:
        """Refuse options that are of a bank alone, where there is none."""
        for name in filter(typed.__contains__, OF_BANKS):
            raise ArgumentError(f"{typed[name]} belongs to a bank; give --patches or --random with it")
        if not names:
            raise ArgumentError(
                "there is nothing to learn from; name BEFORE and AFTER, or pictures with --patches"
            )


_SIZE: Any = Parsed("SIZE", parse_size)

OF_PAIRS = (
    *(
        "stride",
        "dilation",
        "padding",
        "padding_mode",
        "flip",
        "bias",
        "per_channel",
        "mix",
        "keep_clipped",
        "method",
    ),
    *("steps", "lr", "bias_file", "trace", "values"),
)
OF_PICTURES = Reading._fields
OF_BANKS = ("kernel_count", "in_channels", "bank_sheet")


learn_options = bundled(
    "options",
    LearnOptions,
    click.option("--size", type=_SIZE, help="Of the kernel: 5, or 1x2 (rows x columns). [3, of a bank 7]"),
    click.option("--stride", type=_SIZE, default="1", help="Pixels from one output to the next. [1]"),
    click.option("--dilation", type=_SIZE, default="1", help="Pixels between the taps of the kernel. [1]"),
    click.option(
        "--padding",
        type=Parsed("SIZE", parse_padding, NAMES),
        help="same, same-lower, valid, full, 1, 1:2. [what the sizes tell]",
    ),
    click.option(
        "--padding-mode",
        type=Parsed("MODE", mode_of, tuple(MODES)),
        help="What lies beyond BEFORE, as in convcli filter. [borders are left out]",
    ),
    click.option("--flip", is_flag=True, help="The kernel of a true convolution, turned by 180 degrees."),
    click.option("--bias/--no-bias", default=True, help="Whether a number is added to each result. [yes]"),
    click.option("--per-channel", is_flag=True, help="One kernel per channel, instead of one for all."),
    click.option("--mix", is_flag=True, help="Weights from every channel to every channel: a layer."),
    click.option("--keep-clipped", is_flag=True, help="Use samples of AFTER that may be clipped, too."),
    click.option(
        "--method",
        type=click.Choice(["exact", "sgd"]),
        default="exact",
        help="Least squares, or steps. [exact]",
    ),
    click.option("--steps", type=at_least(1), help="sgd: number of steps. [100]"),
    click.option("--lr", type=Parsed("F", read_number), help="sgd: the learning rate. [90 % of the largest]"),
    click.option("--seed", type=at_least(0), help="Of the first weights of sgd [zeros], or of a bank."),
)

bank_options = bundled(
    "bank",
    BankOptions,
    click.option("--patches", is_flag=True, help="Learn a bank from the patches of pictures, by k-means."),
    click.option("--random", is_flag=True, help="Draw a bank at random."),
    click.option("--count", "kernel_count", type=at_least(1), help="How many kernels the bank has. [16]"),
    click.option("--in", "in_channels", type=at_least(1), help="random: input channels. [1]"),
)
