"""The record of a variant of convolution: its layers, and the options that it takes, needs and ignores."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Literal

from convcli.errors import ArgumentError
from convcli.layers.axes import PerAxis, SizeOrShape, as_shape, for_all, is_sequence, needs_size, per_axis
from convcli.layers.base import Layer
from convcli.layers.conv import Conv

# How the arrays of a picture's layer are made:
#   each           each channel is filtered by the kernel, which is the weights of the one layer with weights
#   factors        the same, but with columns and rows whose products sum to the kernel: one layer per axis
#   sum            all channels are filtered by the kernel and summed
#   groups         the same within each group of channels
#   mix            no kernel: a matrix mixes the channels of each pixel
#   each-then-mix  each channel is filtered by the kernel, then a matrix mixes the channels
#   turns          several kernels alternate from position to position
#   places         no kernel: every position has its own weights
Weighing = Literal["each", "factors", "sum", "groups", "mix", "each-then-mix", "turns", "places"]

# The arguments of a filter that each of them takes.
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
SLIDING = frozenset(
    {"flip", "padding", "padding_mode", "padding_value", "dilation"}
)  # arguments of any sliding window
BELONGING = frozenset({"offsets"}).union(*TAKES.values())  # arguments of some variants only


@dataclass(frozen=True, eq=False)
class VariantSpec:
    """A variant of convolution: the layers that it makes of a convolution, and how it uses the options.

    name, help : its name, and a one-line description
    layers : make the layers from a convolution and, if `needs_size`, the shape of its input
    own : the options of the convolution that are ignored, with the variant's own value; None if the value depends on
          the layer
    replaced : option values in whose place the variant chooses its own
    sizes : which formula the output size follows: `conv`, or `transposed`, whose weights are (C, O / groups, *k) and
            which takes output_padding; None if it follows neither
    enlarges : the output is larger by the stride, 2 by default
    per_channel : each channel is filtered separately, and out_channels defaults to in_channels
    needs_size : the number of weights depends on the size of the input
    usual : it is compared by default

    For pictures:

    weighing : how the arrays of its layers are made; None if pictures cannot be filtered by it
    too_much : the reason in that case, which follows its name in the error
    needs : the arguments of a filter that it requires
    implied_by : the argument that selects it if no variant is given
    lone_kernel : the default kernel
    only_2d : it takes 2-D kernels only
    methods : its sums can be computed by several methods
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
        """Return the chain of layers that the variant makes of a convolution.

        `output_padding` is for transposed layers. One number for `input_shape` is the size of all axes.
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
            raise ArgumentError(
                f"output_padding belongs to transposed layers, and {self.name} has none; leave it out"
            )
        return tuple(
            replace(layer, output_padding=per_axis("output_padding", output_padding, layer.dims, 0))
            if isinstance(layer, ConvTranspose)
            else layer
            for layer in layers
        )

    def ignores(self, option: str, value: object) -> bool:
        """Return whether the layers ignore the value of an option of the convolution.

        >>> from convcli import VARIANTS
        >>> VARIANTS["pointwise"].ignores("kernel_size", (3, 3)), VARIANTS["pointwise"].ignores("kernel_size", 1)
        (True, False)
        """
        values = _flat(value)
        if option in self.replaced:
            return values == {self.replaced[option]}
        return option in self.own and values != {self.own[option]}

    def changes(self, option: str) -> bool:
        """Return whether the layers may have another value of an option than the convolution."""
        return option in self.own or option in self.replaced

    def instead_of(self, option: str) -> str:
        """Return the end of an error: what the variant uses in place of an option that it ignores."""
        name = option.replace("_", " ")
        if option in self.replaced:
            return f"which chooses its own {name}; give a larger one, or leave it out"
        if self.own[option] is None:
            return f"which sets its own {name}; leave it out"
        return f"whose {name} is always {self.own[option]}; leave it out"

    @property
    def filters(self) -> bool:
        """Whether pictures can be filtered by it."""
        return self.weighing is not None

    @property
    def one_stage(self) -> bool:
        """Whether it is one layer for any number of kernels, rather than one layer per kernel."""
        return self.weighing in ("mix", "turns", "places")

    @property
    def mixes_channels(self) -> bool:
        """Whether an output channel of a picture depends on several input channels."""
        return self.weighing in ("sum", "groups", "mix", "each-then-mix")

    def takes(self, argument: str) -> bool:
        """Return whether the variant uses an argument of a filter.

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
    """Return the set of numbers and names in an option; the padding `valid` counts as 0."""
    if is_sequence(value):
        return set().union(*map(_flat, value))
    return {0 if value == "valid" else value}
