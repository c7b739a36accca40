"""The transposed convolution: what a convolution's gradient does, as a layer of its own."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, PerAxis, SizeOrShape, Sizes, axis_names, by_axes, per_axis
from convcli.layers.base import Seen, Taps
from convcli.layers.conv import Convolution
from convcli.layers.counts import Cost, scattered_sums, touched_size
from convcli.layers.padding import AnyPadding, Padding, Pads, halves, span


@dataclass(frozen=True, init=False)
class ConvTranspose(Convolution):
    """A transposed convolution: its output shape is the input shape of the convolution it transposes.

    Padding is cut off the output. `same` and `same-lower` give n*s (ONNX's auto_pad, Keras's same).
    output_padding adds to the end what a stride left over, and is below the stride or below the dilation, as
    in PyTorch. Instead of it `out_size` names the output size itself, from the smallest that there is to
    stride - 1 more: what PyTorch's modules take as output_size.

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
    out_size: Sizes | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        *,
        stride: PerAxis = 1,
        padding: AnyPadding = 0,
        output_padding: PerAxis = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
        bias: bool = True,
        out_size: PerAxis | None = None,
        dims: int | None = None,
    ) -> None:
        self._set_channels(in_channels, out_channels, groups, bias)
        others = (output_padding,) if out_size is None else (output_padding, out_size)
        self._set_window(kernel_size, stride, padding, dilation, dims, *others)
        self._set(
            output_padding=per_axis("output_padding", output_padding, self.dims, minimum=0),
            out_size=None if out_size is None else per_axis("out_size", out_size, self.dims),
        )
        if self.out_size is not None and any(self.output_padding):
            raise ArgumentError(
                f"output_padding {by_axes(self.output_padding)} and the output size {by_axes(self.out_size)} both "
                "say how large the output is; give one of them"
            )
        for extra, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if extra >= max(s, d):
                raise ArgumentError(
                    f"output_padding {extra} must be below the stride {s} or below the dilation {d}; "
                    "more of it would be rows that no input reaches"
                )

    def extra(self, input_size: SizeOrShape) -> Sizes:
        """Return the elements added at the end of each axis: output_padding, or what `out_size` leaves to add.

        PyTorch's _ConvTransposeNd._output_padding: sizes from the smallest one to stride - 1 more.
        """
        if self.out_size is None:
            return self.output_padding
        sizes = self._sizes(input_size)
        more = []
        for axis, wanted in enumerate(self.out_size):
            low = self._whole_size(axis, sizes[axis]) - sum(self.pads(sizes)[axis])
            most = low + (
                0 if isinstance(self.padding, str) else self.stride[axis] - 1
            )  # `same` has one size
            if not low <= wanted <= most:
                raise ArgumentError(
                    f"the output size {wanted} cannot be had along the {axis_names(self.dims)[axis]}, where it is "
                    f"{low}{f' to {most}' if most > low else ''}; change the size, the stride or the padding"
                )
            more.append(wanted - low)
        return tuple(more)

    def _whole_size(self, axis: int, n: int) -> int:
        """Return how far the kernel reaches on one axis, from the first element's first tap to the last one's last."""
        return self.stride[axis] * (n - 1) + span(self.kernel_size[axis], self.dilation[axis])

    def pads(self, input_size: SizeOrShape) -> Pads:
        """Return the (before, after) pairs cut off the output.

        `same` cuts output_padding + d*(k-1) + 1 - s in all, which leaves n*s; the odd element goes to the
        end, with `same-lower` to the start (ONNX, ConvTranspose, SAME_UPPER and SAME_LOWER). A kernel that
        spans less than the stride leaves less than n*s: nothing is cut off, and the number after is negative,
        the elements that are added at the end. No input reaches them, as in Keras.
        """
        self._sizes(input_size)
        if not isinstance(self.padding, str):
            return self.padding
        pads = []
        for k, s, d, extra in zip(
            self.kernel_size, self.stride, self.dilation, self.output_padding, strict=True
        ):
            total = extra + span(k, d) - s
            pads.append(halves(total, self.padding) if total > 0 else (0, total))
        return tuple(pads)

    def output_size(self, input_size: SizeOrShape) -> Sizes:
        """Return s*(n-1) + d*(k-1) + 1 + output_padding - before - after on each axis.

        Dumoulin & Visin, relationships 8 to 14, and PyTorch's ConvTranspose2d.
        """
        input_size = self._sizes(input_size)
        pads, extra = self.pads(input_size), self.extra(input_size)
        sizes = []
        for axis, n in enumerate(input_size):
            whole_size = self._whole_size(axis, n) + extra[axis]
            if whole_size <= sum(pads[axis]):
                before, after = pads[axis]
                raise ArgumentError(
                    f"the output would be empty: along the {axis_names(self.dims)[axis]} the padding cuts "
                    f"{before} + {after} = {before + after} off {whole_size} elements; "
                    f"pad by at most {whole_size - 1} in all"
                )
            sizes.append(whole_size - sum(pads[axis]))
        return tuple(sizes)

    def cost(self, input_shape: SizeOrShape) -> Cost:
        """Count the work from the input: each element meets out_channels / groups * prod(k) weights."""
        outputs = prod(self.output_shape(input_shape))
        shape = self._input_shape(input_shape)
        touched = self.out_channels * touched_size(shape[1:], self.kernel_size, self.stride, self.dilation)
        taps = self.out_channels // self.groups * prod(self.kernel_size)
        return scattered_sums(prod(shape), taps, touched, outputs, self.bias)

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the inputs x that tap t takes to output y = s*x + d*t - before; the last tap comes first.

        Where the kernel is smaller than the stride some outputs see nothing.
        """
        return tuple(
            Taps(1, s, before - span(k, d) + 1, d, k)
            for k, s, d, (before, _) in zip(
                self.kernel_size, self.stride, self.dilation, self.pads(input_size), strict=True
            )
        )
