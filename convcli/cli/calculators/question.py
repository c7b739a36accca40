"""One question to a calculator: a layer or a chain and its input; and the rows that answer it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from convcli.errors import ArgumentError
from convcli.layers.axes import OpenShape, Shape
from convcli.layers.base import Layer
from convcli.layers.conv import Conv
from convcli.layers.padding import AnyPadding
from convcli.layers.text.format_layer import format_layer
from convcli.layers.text.notation import format_padding_as_typed, format_size
from convcli.layers.variant_spec import VariantSpec
from convcli.layers.variants import ENLARGING_STRIDE, VARIANTS
from convcli.networks.graph import Graph
from convcli.networks.rows import INPUT, Row, chain, parameter_rows, rows

Size = int | tuple[int, ...]

NO_SIZE = "the input size is missing; give --n, such as --n 224 or --n 224x112"

# Fields with a number for each axis; if the size was typed as one number, they are written as one.
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


class Chain(NamedTuple):
    """The layers of a chain as text, each preceded by its place for error messages."""

    items: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The chain as one text."""
        return ", ".join(" ".join(item.split()) for _, item in self.items)


def parse_chain_option(text: str) -> Chain:
    """Return the chain in a text; or in the file whose name follows an @."""
    if text.startswith("@"):
        from convcli.networks.network_text import read_chain_file
        from convcli.remote_files import file_path

        return Chain(tuple(read_chain_file(file_path(text[1:]))))
    if instead := _instead_of_file(text):
        raise ArgumentError(instead)
    from convcli.layers.text.chain_grammar import split_chain

    items = enumerate(split_chain(text), start=1)
    return Chain(tuple((f"layer {number} of the chain", item) for number, item in items))


def _instead_of_file(text: str) -> str:
    """Return what to type instead of the bare name of a file of layers or of a network; empty if it is a chain."""
    from convcli.networks.load_network import READERS

    ending = text.lower().rpartition(".")[2]
    if f".{ending}" in READERS:
        return f"{text!r} is a network file; give it without an option"
    if ending != "txt":
        return ""
    return f"{text!r} is not a layer; to read the layers from a file of that name, write @{text}"


class Question(NamedTuple):
    """One combination of the options; None for those that were not typed."""

    n: Size | None
    k: Size | None
    s: Size | None
    p: AnyPadding | None
    d: Size | None
    in_channels: int | None
    out_channels: int | None
    groups: int | None
    bias: bool | None
    dims: int | None
    batch: int
    dtype: str
    variant: str | None
    output_padding: Size | None
    ceil: bool
    chain: Chain | None
    activation: str | None
    pool: str | None

    @property
    def axes(self) -> int:
        """The number of spatial axes, from --dims or the sizes; raise ArgumentError if they differ."""
        found = {} if self.dims is None else {f"--dims {self.dims}": self.dims}
        typed = {"--n": self.n, "--k": self.k, "--s": self.s, "--p": self.p, "--d": self.d}
        for name, value in {**typed, "--output-padding": self.output_padding}.items():
            if isinstance(value, tuple) and len(value) > 1:
                found[f"{name} with {len(value)} axes"] = len(value)
        if len(set(found.values())) > 1:
            raise ArgumentError(
                f"{' and '.join(found)} contradict each other; give the same number of axes in all of them"
            )
        return next(iter(found.values()), 2)

    @property
    def channels(self) -> int:
        """The channels of the input."""
        return 1 if self.in_channels is None else self.in_channels

    @property
    def input_size(self) -> tuple[int, ...] | None:
        """The spatial size of the input; None if it was not typed."""
        axes = self.axes  # also checks that the options agree
        return (self.n,) * axes if isinstance(self.n, int) else self.n

    @property
    def by_one_number(self) -> bool:
        """Whether the input size was typed as one number."""
        return isinstance(self.n, int)

    @property
    def input_shape(self) -> Shape:
        """The shape (channels, *spatial) of the input; raise ArgumentError if no size was given."""
        size = self.input_size
        if size is None:
            raise ArgumentError(NO_SIZE)
        return (self.channels, *size)

    @property
    def open_shape(self) -> OpenShape:
        """The shape (channels, *spatial) of the input, with None for the sizes if none was given."""
        return (self.channels, *(self.input_size or (None,) * self.axes))

    @property
    def spec(self) -> VariantSpec | None:
        """The variant; None if none was named."""
        return None if self.variant is None else VARIANTS[self.variant]

    @property
    def is_of_sizes(self) -> bool:
        """Whether input and output have one channel each, so that a table shows sizes instead of shapes."""
        return self.chain is None and self.channels == 1 and self.out_channels in (None, 1)

    def conv(self, variant: str | None = None) -> Conv:
        """Return the convolution that the options describe, with the defaults of the variant."""
        spec = VARIANTS.get(variant or "")
        stride = ENLARGING_STRIDE if spec and spec.enlarges else 1
        outputs = self.channels if spec and spec.per_channel else 1
        kernel = spec.own.get("kernel_size") if spec else None
        return Conv(
            in_channels=self.channels,
            out_channels=outputs if self.out_channels is None else self.out_channels,
            kernel_size=self.k if self.k is not None else int(kernel or 1),
            stride=stride if self.s is None else self.s,
            padding=0 if self.p is None else self.p,
            dilation=1 if self.d is None else self.d,
            groups=1 if self.groups is None else self.groups,
            bias=self.bias is not False,
            dims=self.axes,
        )

    def layers(self, variant: str | None = None) -> tuple[Layer, ...]:
        """Return the layers of the question, or those of another variant, with the activation and the pool."""
        return (*self._layers(variant), *self._activation_and_pool())

    def _activation_and_pool(self) -> Iterator[Layer]:
        if self.activation is not None:
            from convcli.layers.activation import Activation

            yield Activation(name=self.activation)
        if self.pool is not None:
            from convcli.layers.text.pool_grammar import parse_pool

            yield parse_pool(self.pool)(self.axes)

    def _layers(self, variant: str | None) -> tuple[Layer, ...]:
        if self.chain is not None:
            from convcli.layers.text.chain_grammar import parse_items

            return parse_items(self.chain.items, self.open_shape)
        variant = variant or self.variant
        conv = self.conv(variant)
        if self.ceil:
            from convcli.layers.pool import MaxPool

            window = {name: getattr(conv, name) for name in ("kernel_size", "stride", "padding", "dilation")}
            return (MaxPool(**window, ceil_mode=True),)
        if variant is None:
            return (conv,)
        shape = None if self.n is None else self.input_shape
        return VARIANTS[variant](conv, shape, output_padding=self.output_padding or 0)

    def rows(self, variant: str | None = None) -> list[Row]:
        """Return one row for each layer; without an input size, only the fields that do not depend on it."""
        name, layers = variant or self.variant, self.layers(variant)
        if self.n is None:
            made = parameter_rows(layers, variant=name, dtype=self.dtype)
            sizes: list[Row] = [{"in_channels": self.channels}] * len(made)
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

    def network(self) -> tuple[Graph, dict[str, Shape]]:
        """Return the layers as a network, and the shape of its input; only the batch if no size was typed."""
        shape = () if self.n is None else self.input_shape
        return chain(self.layers(), shape), {INPUT: (self.batch, *shape)}

    def marked(self, reason: str, fields: Iterable[str]) -> Row:
        """Return a row of the given fields for a question without an answer, with the reason as `error`."""
        size = (self.n,) if isinstance(self.n, int) else self.n
        known = {
            "layer": self._as_text(),
            "variant": self.variant,
            "in_channels": self.channels,
            "input_size": None if size is None else list(size),
            "batch": self.batch,
            "dtype": self.dtype,
        }
        return {name: known.get(name) for name in fields} | {"error": reason}

    def _as_text(self) -> str:
        """Return the layers as a chain; if they are invalid, the options as typed, such as 'conv k0 s2 p1'."""
        if self.chain is not None:
            return self.chain.text
        try:
            return ", ".join(map(format_layer, self.layers()))
        except ArgumentError:
            pass
        typed = {"k": self.k, "s": self.s, "d": self.d, "g": self.groups, "o": self.out_channels}
        sizes = {letter: format_size(value) for letter, value in typed.items() if value is not None}
        if self.p is not None:
            sizes["p"] = format_padding_as_typed(self.p)
        operator = "maxpool" if self.ceil else self.variant or "conv"
        return " ".join([operator, *(letter + sizes[letter] for letter in "kspdgo" if letter in sizes)])


def _size(shape: list[int]) -> list[int]:
    """Return the sizes without the channels; for a vector, the number of features."""
    return shape[1:] or shape
