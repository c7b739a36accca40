"""The layer that a calculator is asked about: its options, and the questions that they spell."""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple, TypeVar

import click

from convcli.cli.options import Decorator, Parsed, bundled
from convcli.errors import ArgumentError
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.chain import Row, parameter_rows, rows
from convcli.layers.conv import Conv
from convcli.layers.counts import DTYPE_BYTES
from convcli.layers.notation import parse_number, parse_padding, parse_size
from convcli.layers.padding import AnyPadding
from convcli.layers.variants import VARIANTS

T = TypeVar("T")
Size = int | tuple[int, ...]

NO_SIZE = "the input size is missing; give --n, as in --n 224 or --n 224x112"

# Fields with a number for each axis; a question typed with one number is answered with one.
PER_AXIS = (
    "kernel_size",
    "stride",
    "dilation",
    "receptive_field",
    "effective_stride",
    "effective_padding",
    "start",
)


class Question(NamedTuple):
    """One combination of the options: the layer or chain, and the input that it is asked about."""

    conv: Conv | None  # None where the chain is spelled
    spelled: str | None
    variant: str | None
    output_padding: Size
    in_channels: int
    input_size: tuple[int, ...] | None
    by_one_number: bool  # the input size was typed as one number
    batch: int
    dtype: str

    @property
    def input_shape(self) -> Shape:
        """(channels, *spatial), or ArgumentError where no size was given."""
        if self.input_size is None:
            raise ArgumentError(NO_SIZE)
        return (self.in_channels, *self.input_size)

    def layers(self, variant: str | None = None) -> tuple[Layer, ...]:
        """Return the layers that are asked about, or those of another variant."""
        if self.conv is None:
            from convcli.layers.grammar import parse_chain

            return parse_chain(self.spelled or "", self.input_shape)
        variant = variant or self.variant
        if variant is None:
            return (self.conv,)
        chain = VARIANTS[variant](self.conv, self.input_shape if self.input_size else None)
        if variant == "transposed" and self.output_padding:
            from convcli.layers.transposed import ConvTranspose

            return (ConvTranspose(**vars(self.conv), output_padding=self.output_padding),)
        return chain

    def rows(self, variant: str | None = None) -> list[Row]:
        """Return one row for each layer; without an input size only what does not depend on it."""
        name, layers = variant or self.variant, self.layers(variant)
        if self.input_size is None:
            return parameter_rows(layers, variant=name, dtype=self.dtype)
        made = rows(layers, self.input_shape, variant=name, batch=self.batch, dtype=self.dtype)
        return [self._in_kind(row) for row in made]

    def _in_kind(self, row: Row) -> Row:
        """Add the sizes without the channels, and answer in the notation of the question."""
        sized = {
            "input_size": row["input_shape"][1:],
            "output_size": row["output_shape"][1:],
        }
        row = {**row, **sized}
        if self.by_one_number:
            row.update({key: _one_number(row[key]) for key in (*sized, *PER_AXIS)})
        return row


def _one_number(value: Any) -> Any:
    """Return the number that all axes share, if they do."""
    return value[0] if value and all(item == value[0] for item in value) else value


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Read a sweep: values divided by commas, each a row of the answer."""
    return lambda text: tuple(parse(item) for item in text.split(","))


class LayerOptions(NamedTuple):
    """The layer options as typed, None where they were not; each holds all values of a sweep."""

    n: tuple[Size, ...] | None
    k: tuple[Size, ...] | None
    s: tuple[Size, ...] | None
    p: tuple[AnyPadding, ...] | None
    d: tuple[Size, ...] | None
    in_channels: tuple[int, ...] | None
    out_channels: tuple[int, ...] | None
    groups: tuple[int, ...] | None
    bias: bool | None
    dims: int | None
    variant: str | None
    transposed: bool
    output_padding: Size | None
    chain: str | None
    batch: int
    dtype: str

    def questions(self, *, sized: bool = True) -> list[Question]:
        """Return one question for each combination of the values; `sized` ones need an input size."""
        if sized and self.n is None:
            raise ArgumentError(NO_SIZE)
        if self.chain is not None:
            return list(self._chains())
        if self.k is None:
            raise ArgumentError("the kernel size is missing; give --k, as in --k 3, or a chain with --layers")
        return list(self._layers(self.k))

    def _chains(self) -> Iterator[Question]:
        """Return a question about the spelled chain for each input."""
        own: dict[str, object] = {
            "--k": self.k,
            "--s": self.s,
            "--p": self.p,
            "--d": self.d,
            "--out": self.out_channels,
        }
        own |= {"--groups": self.groups, "--bias": self.bias, "--variant": self._variant()}
        for name, value in own.items():
            if value is not None:
                raise ArgumentError(f"{name} has no use beside --layers, whose items hold their own options")
        for n, in_channels in product(self.n or (None,), self.in_channels or (1,)):
            size = (n,) * self._dims({"--n": n}) if isinstance(n, int) else n
            yield self._question(None, in_channels, size, isinstance(n, int))

    def _layers(self, kernels: Iterable[Size]) -> Iterator[Question]:
        for n, k, s, p, d, in_channels, out_channels, groups in product(
            self.n or (None,),
            kernels,
            self.s or (1,),
            self.p or (0,),
            self.d or (1,),
            self.in_channels or (1,),
            self.out_channels or (1,),
            self.groups or (1,),
        ):
            dims = self._dims({"--n": n, "--k": k, "--s": s, "--p": p, "--d": d})
            conv = Conv(
                in_channels=in_channels,
                out_channels=out_channels,
                kernel_size=k,
                stride=s,
                padding=p,
                dilation=d,
                groups=groups,
                bias=self.bias is not False,
                dims=dims,
            )
            size = (n,) * dims if isinstance(n, int) else n
            yield self._question(conv, in_channels, size, isinstance(n, int))

    def _question(
        self, conv: Conv | None, in_channels: int, size: tuple[int, ...] | None, by_one_number: bool
    ) -> Question:
        variant = self._variant()
        if self.output_padding is not None and variant != "transposed":
            raise ArgumentError("--output-padding belongs to --variant transposed")
        return Question(
            conv=conv,
            spelled=self.chain,
            variant=variant,
            output_padding=self.output_padding or 0,
            in_channels=in_channels,
            input_size=size,
            by_one_number=by_one_number,
            batch=self.batch,
            dtype=self.dtype,
        )

    def _variant(self) -> str | None:
        if self.transposed and self.variant not in (None, "transposed"):
            raise ArgumentError(f"--transposed and --variant {self.variant} contradict each other")
        return "transposed" if self.transposed else self.variant

    def _dims(self, options: dict[str, object]) -> int:
        """Return the number of spatial axes that --dims or the sizes agree on."""
        said = {} if self.dims is None else {f"--dims {self.dims}": self.dims}
        for name, value in options.items():
            if isinstance(value, tuple) and len(value) > 1:
                said[f"{name} with {len(value)} axes"] = len(value)
        if len(set(said.values())) > 1:
            raise ArgumentError(
                f"{' and '.join(said)} do not fit together; give each the same number of axes"
            )
        return next(iter(said.values()), 2)


_size = Parsed("SIZE", several(parse_size))
_count = Parsed("N", several(parse_number))
_padding = Parsed("PADDING", several(parse_padding))


def _option(*names: str, **settings: Any) -> Decorator:
    return click.option(*names, **{"show_default": True, **settings})


_OPTIONS = (
    _option("--n", "--input-size", "n", type=_size, help="Input size: 224, or 224x112 for each axis."),
    _option("--k", "--kernel-size", "k", type=_size, help="Kernel size: 3, or 3x5."),
    _option("--s", "--stride", "s", type=_size, help="Stride.  [default: 1]"),
    _option(
        "--p",
        "--padding",
        "p",
        type=_padding,
        help="Padding: 1, 2x1, before:after as 1:2, or valid, same, same-lower, full.  [default: 0]",
    ),
    _option("--d", "--dilation", "d", type=_size, help="Dilation.  [default: 1]"),
    _option("--in", "in_channels", type=_count, help="Input channels.  [default: 1]"),
    _option("--out", "out_channels", type=_count, help="Output channels.  [default: 1]"),
    _option("--groups", type=_count, help="Groups of channels.  [default: 1]"),
    _option("--bias/--no-bias", default=None, help="One bias for each output channel.  [default: bias]"),
    _option("--dims", type=click.IntRange(1), help="Spatial axes of a bare number.  [default: 2]"),
    _option("--transposed", is_flag=True, show_default=False, help="Short for --variant transposed."),
    _option(
        "--output-padding", type=Parsed("SIZE", parse_size), help="Rows added at the end, if transposed."
    ),
    _option(
        "--layers",
        "chain",
        metavar="CHAIN",
        help="A chain instead of one layer: 'conv k7 s2 p3 o64, relu, maxpool k3 s2 p1'.",
    ),
    _option("--batch", type=click.IntRange(1), default=1, help="Inputs at a time."),
    _option(
        "--dtype", type=click.Choice(list(DTYPE_BYTES)), default="float32", help="What a number is stored as."
    ),
)
_VARIANT = _option(
    "--variant", type=click.Choice(list(VARIANTS)), metavar="NAME", help=f"One of {', '.join(VARIANTS)}."
)

layer_options = bundled("layer", LayerOptions, *_OPTIONS[:9], _VARIANT, *_OPTIONS[9:])
