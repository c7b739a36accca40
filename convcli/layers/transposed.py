"""The transposed convolution: what a convolution's gradient does, as a layer of its own."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import PerAxis, Shape, Sizes, axis_names, per_axis
from convcli.layers.base import Reach
from convcli.layers.conv import Convolution
from convcli.layers.counts import Cost, scattered_sums, touched_size
from convcli.layers.padding import AnyPadding, Padding, Pads, halves, span


@dataclass(frozen=True, init=False)
class ConvTranspose(Convolution):
    """A transposed convolution: its output shape is the input shape of the convolution it transposes.

    Padding is cut off the output. `same` and `same-lower` give n*s (ONNX's auto_pad, Keras's same).
    output_padding adds to the end what a stride left over, and is below the stride or below the dilation, as
    in PyTorch.

    >>> up = ConvTranspose(in_channels=8, out_channels=4, kernel_size=3, stride=2, padding=1)
    >>> up.output_shape((8, 3, 3))
    (4, 5, 5)
    """

    in_channels: int
    out_channels: int
    kernel_size: Sizes
    stride: Sizes
    padding: Padding
    output_padding: Sizes
    dilation: Sizes
    groups: int
    bias: bool

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        stride: PerAxis = 1,
        padding: AnyPadding = 0,
        output_padding: PerAxis = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
        bias: bool = True,
        dims: int | None = None,
    ) -> None:
        self._set_channels(in_channels, out_channels, groups, bias)
        self._set_window(kernel_size, stride, padding, dilation, dims, output_padding)
        self._set(output_padding=per_axis("output_padding", output_padding, self.dims, minimum=0))
        for extra, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if extra >= max(s, d):
                raise ArgumentError(
                    f"output_padding {extra} must be below the stride {s} or below the dilation {d}; "
                    "more of it would be rows that no input reaches"
                )

    def pads(self, input_size: Sizes) -> Pads:
        """Return the (before, after) pairs cut off the output.

        `same` cuts output_padding + d*(k-1) + 1 - s in all, which leaves n*s; the odd element goes to the
        end, with `same-lower` to the start (ONNX, ConvTranspose, SAME_UPPER and SAME_LOWER). A kernel that
        spans less than the stride leaves less than n*s: nothing is cut off, and the number after is negative,
        the elements that are added at the end. No input reaches them, as in Keras.
        """
        if not isinstance(self.padding, str):
            return self.padding
        pads = []
        for k, s, d, extra in zip(
            self.kernel_size, self.stride, self.dilation, self.output_padding, strict=True
        ):
            total = extra + span(k, d) - s
            pads.append(halves(total, self.padding) if total > 0 else (0, total))
        return tuple(pads)

    def output_size(self, input_size: Sizes) -> Sizes:
        """Return s*(n-1) + d*(k-1) + 1 + output_padding - before - after on each axis.

        Dumoulin & Visin, relationships 8 to 14, and PyTorch's ConvTranspose2d.
        """
        input_size = self._sizes(input_size)
        pads = self.pads(input_size)
        sizes = []
        for axis, n in enumerate(input_size):
            k, s, d = self.kernel_size[axis], self.stride[axis], self.dilation[axis]
            whole_size = s * (n - 1) + span(k, d) + self.output_padding[axis]
            if whole_size <= sum(pads[axis]):
                before, after = pads[axis]
                raise ArgumentError(
                    f"the output would be empty: along the {axis_names(self.dims)[axis]} the padding cuts "
                    f"{before} + {after} = {before + after} off {whole_size} elements; "
                    f"pad by at most {whole_size - 1} in all"
                )
            sizes.append(whole_size - sum(pads[axis]))
        return tuple(sizes)

    def cost(self, input_shape: Shape) -> Cost:
        """Count the work from the input: each element meets out_channels / groups * prod(k) weights."""
        outputs = prod(self.output_shape(input_shape))
        size = tuple(input_shape[1:])
        touched = self.out_channels * touched_size(size, self.kernel_size, self.stride, self.dilation)
        taps = self.out_channels // self.groups * prod(self.kernel_size)
        return scattered_sums(prod(input_shape), taps, touched, outputs, self.bias)

    def sees(self, input_size: Sizes) -> tuple[Reach | None, ...]:
        """Return the inputs x whose taps s*x + d*t - before meet output y.

        Without a kernel of at least the stride some outputs see nothing, and with a dilation besides the
        stride they see holes in no fixed order: None.
        """
        return tuple(
            (1, s, before - span(k, d) + s, before) if s == 1 or (d == 1 and k >= s) else None
            for k, s, d, (before, _) in zip(
                self.kernel_size, self.stride, self.dilation, self.pads(input_size), strict=True
            )
        )
