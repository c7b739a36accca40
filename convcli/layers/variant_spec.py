"""The record of a variant: one kind of convolution, and what it takes, needs and makes."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Literal

from convcli.errors import ArgumentError
from convcli.layers.axes import PerAxis, SizeOrShape, as_shape, for_all, is_sequence, needs_size, per_axis
from convcli.layers.base import Layer
from convcli.layers.conv import Conv

# How the arrays of a picture's layer are made:
#   each           every channel is filtered by the kernel: it is the weights of the one layer that has some
#   factors        likewise, but by columns and rows whose products sum to the kernel: one layer an axis
#   sum            all channels are filtered by the kernel and summed
#   groups         likewise, within each group of channels
#   mix            no kernel: a matrix mixes the channels of each pixel
#   each-then-mix  every channel is filtered by the kernel, then a matrix mixes them
#   turns          several kernels take turns from place to place
#   places         no kernel: every place has weights of its own
Weighing = Literal["each", "factors", "sum", "groups", "mix", "each-then-mix", "turns", "places"]

# What each of them takes, of the arguments of a filter.
TAKES: Mapping[Weighing, frozenset[str]] = {
    "each": frozenset({"kernels", "weights"}),
    "factors": frozenset({"kernels", "rank"}),
    "sum": frozenset({"kernels", "weights"}),
    "groups": frozenset({"kernels", "weights"}),
    "mix": frozenset({"pointwise"}),
    "each-then-mix": frozenset({"kernels", "pointwise"}),
    "turns": frozenset({"kernels", "tile"}),
    "places": frozenset({"local"}),
}
SLIDING = frozenset({"flip", "padding", "padding_mode", "padding_value", "dilation"})  # what a window takes
BELONGING = frozenset({"offsets"}).union(*TAKES.values())  # what belongs to some variants alone


@dataclass(frozen=True, eq=False)
class VariantSpec:
    """One kind of convolution: its layers, and the answer to whatever else is asked of it.

    name, help : what it is called, and what it is in one line
    layers : makes them of a convolution; if `needs_size`, of the convolution and the shape of its input
    own : the options of the convolution that make no difference, as the variant has its own: what that is, None where
          it depends on the layer
    replaced : the values in whose place the variant puts its own choice
    sizes : whose arithmetic its output follows, the convolution's or that of its transposed, whose weights are
            (C, O / groups, *k) and which takes an output padding; None where it has its own
    enlarges : the stride is how many times as large the output is, 2 where none is given
    per_channel : every channel is filtered on its own, and where no out_channels are given as many come out
    needs_size : the weights depend on the size of the input
    usual : it is compared where no variants are named

    On pictures:

    weighing : how the arrays of its layers are made; None where it is too much for pictures
    too_much : then why, after its name
    needs : the arguments of a filter that it cannot do without
    implied_by : the one that is enough to choose it
    lone_kernel : the kernel where none is given
    only_2d : it works on rows and columns alone
    methods : its sums can be done by several methods
    """

    name: str
    help: str
    layers: Callable[..., tuple[Layer, ...]]
    _: KW_ONLY
    own: Mapping[str, int | str | None] = field(default_factory=dict)
    replaced: Mapping[str, int] = field(default_factory=dict)
    sizes: Literal["conv", "transposed"] | None = None
    enlarges: bool = False
    per_channel: bool = False
    needs_size: bool = False
    usual: bool = False
    weighing: Weighing | None = "each"
    too_much: str = ""
    needs: tuple[str, ...] = ()
    implied_by: str = ""
    lone_kernel: str = ""
    only_2d: bool = False
    methods: bool = True

    def __call__(
        self, conv: Conv, input_shape: SizeOrShape | None = None, *, output_padding: PerAxis = 0
    ) -> tuple[Layer, ...]:
        """Return the chain that the variant makes of a convolution; `output_padding` is of transposed ones.

        One number for the shape of the input is the size of all axes.
        """
        shape = None if input_shape is None else as_shape(for_all(input_shape, conv.dims, conv.in_channels))
        if not self.needs_size:
            layers = self.layers(conv)
        elif shape is not None:
            layers = self.layers(conv, shape)
        else:
            raise ArgumentError(needs_size(self.name))
        return layers if output_padding == 0 else self._padded(layers, output_padding)

    def _padded(self, layers: tuple[Layer, ...], output_padding: PerAxis) -> tuple[Layer, ...]:
        from convcli.layers.transposed import ConvTranspose

        if self.sizes != "transposed":
            raise ArgumentError(f"output_padding belongs to transposed layers, which {self.name} has none of")
        return tuple(
            replace(layer, output_padding=per_axis("output_padding", output_padding, layer.dims, 0))
            if isinstance(layer, ConvTranspose)
            else layer
            for layer in layers
        )

    def ignores(self, option: str, value: object) -> bool:
        """Tell whether the layers would be others than an option of the convolution says.

        >>> from convcli import VARIANTS
        >>> VARIANTS["pointwise"].ignores("kernel_size", (3, 3)), VARIANTS["pointwise"].ignores("kernel_size", 1)
        (True, False)
        """
        values = _flat(value)
        if option in self.replaced:
            return values == {self.replaced[option]}
        return option in self.own and values != {self.own[option]}

    def changes(self, option: str) -> bool:
        """Tell whether an option of the convolution may have another value in its layers."""
        return option in self.own or option in self.replaced

    def instead_of(self, option: str) -> str:
        """Say what the variant has in the place of an option that it ignores."""
        name = option.replace("_", " ")
        if option in self.replaced:
            return f"which takes another {name} in its place; give a larger one, or leave it out"
        if self.own[option] is None:
            return f"which makes its own {name}; leave it out"
        return f"whose {name} is always {self.own[option]}; leave it out"

    @property
    def filters(self) -> bool:
        """Whether pictures can be filtered by it."""
        return self.weighing is not None

    @property
    def one_stage(self) -> bool:
        """Whether it is one layer however many kernels there are, not one for each of them."""
        return self.weighing in ("mix", "turns", "places")

    @property
    def mixes_channels(self) -> bool:
        """Whether an output of a picture depends on several channels."""
        return self.weighing in ("sum", "groups", "mix", "each-then-mix")

    def takes(self, argument: str) -> bool:
        """Tell whether an argument of a filter has a meaning for the variant.

        >>> from convcli import VARIANTS
        >>> VARIANTS["separable"].takes("rank"), VARIANTS["depthwise"].takes("rank")
        (True, False)
        """
        if self.weighing is None or argument in self.own:
            return False
        if argument in self.needs:
            return True
        if argument in SLIDING:
            return "kernel_size" not in self.own
        if argument == "output_padding":
            return self.sizes == "transposed"
        if argument == "groups":
            return self.takes("weights")
        if argument == "bias":
            return self.takes("weights") or self.takes("pointwise")
        return argument in TAKES[self.weighing] or argument not in BELONGING


def _flat(value: object) -> set[object]:
    """Return the numbers and names that an option is made of; the padding `valid` is 0."""
    if is_sequence(value):
        return set().union(*map(_flat, value))
    return {0 if value == "valid" else value}
