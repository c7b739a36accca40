"""The layer that a calculator is asked about: its options, and the questions that they spell."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple, TypeVar

import click

from convcli.cli.options import Decorator, Parsed, bundled, several
from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.chain import Row, parameter_rows, rows
from convcli.layers.conv import Conv
from convcli.layers.counts import DTYPE_BYTES
from convcli.layers.notation import parse_number, parse_padding, parse_size
from convcli.layers.padding import AnyPadding
from convcli.layers.variants import UNGROUPED, VARIANTS

T = TypeVar("T")
Size = int | tuple[int, ...]

NO_SIZE = "the input size is missing; give --n, as in --n 224 or --n 224x112"

MOST_DIMS = 32  # as many as an array has in older NumPy; beyond, an answer could not be read

# Fields with a number for each axis; a question typed with one number is answered with one.
PER_AXIS = (
    "input_size",
    "output_size",
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
    ceil: bool
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
        if self.ceil:
            from convcli.layers.pool import MaxPool

            window = {
                name: getattr(self.conv, name) for name in ("kernel_size", "stride", "padding", "dilation")
            }
            return (MaxPool(**window, ceil_mode=True),)
        variant = variant or self.variant
        if variant is None:
            return (self.conv,)
        if variant == "transposed" and self.output_padding:
            from convcli.layers.transposed import ConvTranspose

            return (ConvTranspose(**vars(self.conv), output_padding=self.output_padding),)
        return VARIANTS[variant](self.conv, self.input_shape if self.input_size else None)

    def rows(self, variant: str | None = None) -> list[Row]:
        """Return one row for each layer; without an input size only what does not depend on it."""
        name, layers = variant or self.variant, self.layers(variant)
        if self.input_size is None:
            made = parameter_rows(layers, variant=name, dtype=self.dtype)
            sizes: list[Row] = [{"in_channels": self.in_channels}] * len(made)
        else:
            made = rows(layers, self.input_shape, variant=name, batch=self.batch, dtype=self.dtype)
            sizes = [
                {
                    "in_channels": row["input_shape"][0],
                    "input_size": _size(row["input_shape"]),
                    "output_size": _size(row["output_shape"]),
                }
                for row in made
            ]
        storage = {"batch": self.batch, "dtype": self.dtype}
        return [row | size | storage for row, size in zip(made, sizes, strict=True)]


def _size(shape: list[int]) -> list[int]:
    """Return the sizes without the channels; a vector has features alone."""
    return shape[1:] or shape


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
    batch: int
    dtype: str
    variant: str | None = None
    transposed: bool = False
    output_padding: Size | None = None
    ceil: bool = False
    chain: str | None = None

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
            dims = self._dims({"--n": n})
            yield self._question(
                None, in_channels, (n,) * dims if isinstance(n, int) else n, isinstance(n, int)
            )

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
        if variant in UNGROUPED and conv is not None and conv.groups > 1:
            raise ArgumentError(
                f"--groups {conv.groups} has no use for --variant {variant}, which makes its own"
            )
        pooled = {
            "--variant": variant,
            "--out": self.out_channels,
            "--groups": self.groups,
            "--bias": self.bias,
        }
        for name, value in pooled.items():
            if self.ceil and value is not None:
                raise ArgumentError(
                    f"{name} has no use beside --ceil: only pools round up, and they have no weights"
                )
        return Question(
            conv=conv,
            spelled=self.chain,
            variant=variant,
            output_padding=self.output_padding or 0,
            in_channels=in_channels,
            input_size=size,
            by_one_number=by_one_number,
            ceil=self.ceil,
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


def variant_name(text: str) -> str:
    """Read the name of a variant."""
    if text not in VARIANTS:
        raise ArgumentError(f"there is no variant {text!r}; {instead_of(text, VARIANTS)}")
    return text


_variant_name = Parsed("NAME", variant_name)
_sizes = Parsed("SIZE", several(parse_size))
_count = Parsed("N", several(parse_number))
_padding = Parsed("PADDING", several(parse_padding))


def _option(*names: str, **settings: Any) -> Decorator:
    return click.option(*names, **{"show_default": True, **settings})


_GEOMETRY = (
    _option("-n", "--n", "--input-size", "n", type=_sizes, help="Input size: 224, or 224x112 for each axis."),
    _option("-k", "--k", "--kernel-size", "k", type=_sizes, help="Kernel size: 3, or 3x5."),
    _option("-s", "--s", "--stride", "s", type=_sizes, help="Stride.  [default: 1]"),
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
    _option("--out", "out_channels", type=_count, help="Output channels.  [default: 1]"),
    _option("--groups", type=_count, help="Groups of channels.  [default: 1]"),
    _option("--bias/--no-bias", default=None, help="One bias for each output channel.  [default: bias]"),
    _option(
        "--dims",
        type=click.IntRange(1, MOST_DIMS),
        metavar="N",
        help="Spatial axes of a bare number.  [default: 2]",
    ),
)
_KIND = (
    _option("--variant", type=_variant_name, metavar="NAME", help=f"One of {', '.join(VARIANTS)}."),
    _option("--transposed", is_flag=True, show_default=False, help="Short for --variant transposed."),
    _option(
        "--output-padding", type=Parsed("SIZE", parse_size), help="Rows added at the end, if transposed."
    ),
    _option(
        "--ceil",
        is_flag=True,
        show_default=False,
        help="Round sizes up, as pools may: the layer is a max pool.",
    ),
    _option(
        "--layers",
        "chain",
        metavar="CHAIN",
        help="A chain instead of one layer: 'conv k7 s2 p3 o64, relu, maxpool k3 s2 p1'.",
    ),
)
_STORAGE = (
    _option("--batch", type=click.IntRange(1), default=1, metavar="N", help="Inputs at a time."),
    _option(
        "--dtype", type=click.Choice(list(DTYPE_BYTES)), default="float32", help="What a number is stored as."
    ),
)

layer_options = bundled("layer", LayerOptions, *_GEOMETRY, *_KIND, *_STORAGE)
geometry_options = bundled("layer", LayerOptions, *_GEOMETRY, *_STORAGE)


def chain_help() -> str:
    """Say what --layers reads."""
    from convcli.layers.activation import ACTIVATIONS, SOFTMAX
    from convcli.layers.grammar import OPERATORS

    spelled = [f"{name} {operator.options}".replace("!", "").strip() for name, operator in OPERATORS.items()]
    letters = (
        "k kernel, s stride, p padding, d dilation, g groups, o output channels or size, op output padding"
    )
    return (
        f"A chain divides its layers by commas: {'; '.join(spelled)}; {', '.join([*ACTIVATIONS, SOFTMAX])}. "
        f"An option is a letter and a value: {letters}."
    )
