"""The transposed convolution: the gradient of a convolution, as a layer."""

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
    """A transposed convolution: its output shape is the input shape of the convolution that it transposes.

    Padding crops the output. `same` and `same-lower` give n*s outputs (ONNX's auto_pad, Keras's same). output_padding
    adds the elements at the end that the stride of the convolution skipped; it must be less than the stride or less
    than the dilation, as in PyTorch. Alternatively `out_size` gives the output size itself, between the smallest
    possible one and stride - 1 more, as output_size of PyTorch's modules.

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
                f"output_padding {by_axes(self.output_padding)} and out_size {by_axes(self.out_size)} both "
                "determine the output size; give one of them"
            )
        for extra, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if extra >= max(s, d):
                raise ArgumentError(
                    f"output_padding {extra} must be below the stride {s} or below the dilation {d}; "
                    "no input contributes to elements beyond that"
                )

    def extra(self, input_size: SizeOrShape) -> Sizes:
        """Return the elements added at the end of each axis: output_padding, or what reaches `out_size`.

        Sizes from the smallest one to stride - 1 more are possible (PyTorch's _ConvTransposeNd._output_padding).
        """
        if self.out_size is None:
            return self.output_padding
        sizes = self._sizes(input_size)
        more = []
        for axis, wanted in enumerate(self.out_size):
            low = self._whole_size(axis, sizes[axis]) - sum(self.pads(sizes)[axis])
            most = low + (
                0 if isinstance(self.padding, str) else self.stride[axis] - 1
            )  # `same` gives exactly one size
            if not low <= wanted <= most:
                raise ArgumentError(
                    f"the output size {wanted} along the {axis_names(self.dims)[axis]} is not possible; it must be "
                    f"{low}{f' to {most}' if most > low else ''}: change the size, the stride or the padding"
                )
            more.append(wanted - low)
        return tuple(more)

    def _whole_size(self, axis: int, n: int) -> int:
        """Return the output size along one axis before padding is cropped and output_padding is added."""
        return self.stride[axis] * (n - 1) + span(self.kernel_size[axis], self.dilation[axis])

    def pads(self, input_size: SizeOrShape) -> Pads:
        """Return the (before, after) pairs that are cropped from the output.

        `same` crops output_padding + d*(k-1) + 1 - s in total, which leaves n*s; an odd element is cropped at the end,
        with `same-lower` at the start (SAME_UPPER and SAME_LOWER of ONNX's ConvTranspose). A kernel whose span is less
        than the stride gives less than n*s: nothing is cropped and `after` is negative, the number of elements added
        at the end. No input contributes to them, as in Keras.
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
                    f"the output would be empty: along the {axis_names(self.dims)[axis]} the padding crops "
                    f"{before} + {after} = {before + after} of {whole_size} elements; "
                    f"pad by at most {whole_size - 1} in total"
                )
            sizes.append(whole_size - sum(pads[axis]))
        return tuple(sizes)

    def cost(self, input_shape: SizeOrShape) -> Cost:
        """Count the work per input element: each is multiplied by out_channels / groups * prod(k) weights."""
        outputs = prod(self.output_shape(input_shape))
        shape = self._input_shape(input_shape)
        touched = self.out_channels * touched_size(shape[1:], self.kernel_size, self.stride, self.dilation)
        taps = self.out_channels // self.groups * prod(self.kernel_size)
        return scattered_sums(prod(shape), taps, touched, outputs, self.bias)

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the taps, the last one first: tap t of input x contributes to output y = s*x + d*t - before.

        If the kernel is smaller than the stride, some outputs see nothing.
        """
        return tuple(
            Taps(1, s, before - span(k, d) + 1, d, k)
            for k, s, d, (before, _) in zip(
                self.kernel_size, self.stride, self.dilation, self.pads(input_size), strict=True
            )
        )
