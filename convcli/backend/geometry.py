"""Where the windows of pools and transposed convolutions stand: integers alone."""

from dataclasses import dataclass

from convcli.errors import ArgumentError
from convcli.layers.axes import PerAxis, Sizes, axis_names, by_axes, per_axis
from convcli.layers.padding import AnyPadding, Padding, Pads, normalise_padding, resolve_padding, span


@dataclass(frozen=True)
class Pool:
    """A pooling window, with one number for each spatial axis."""

    kernel_size: Sizes
    stride: Sizes
    padding: Padding
    dilation: Sizes
    ceil_mode: bool

    @classmethod
    def of(
        cls,
        kernel_size: PerAxis,
        stride: PerAxis | None,
        padding: AnyPadding,
        dilation: PerAxis,
        ceil_mode: bool,
        dims: int,
    ) -> "Pool":
        """Make one of what a caller may write; the stride is the kernel size where it is not given."""
        kernel = per_axis("kernel_size", kernel_size, dims)
        dilations = per_axis("dilation", dilation, dims)
        strides = kernel if stride is None else per_axis("stride", stride, dims)
        return cls(kernel, strides, normalise_padding(padding, kernel, dilations), dilations, bool(ceil_mode))

    def pads(self, input_size: Sizes) -> Pads:
        """Return the (before, after) pairs used on an input of `input_size`."""
        pads = resolve_padding(self.padding, input_size, self.kernel_size, self.stride, self.dilation)
        for axis, (pair, k, d) in enumerate(zip(pads, self.kernel_size, self.dilation, strict=True)):
            if max(pair) >= span(k, d):
                raise ArgumentError(
                    f"padding {max(pair)} along the {axis_names(len(pads))[axis]} puts whole windows into "
                    f"the padding: the kernel spans {span(k, d)}, so it must be below that"
                )
        return pads

    def output_size(self, input_size: Sizes) -> Sizes:
        """Count the window's positions on each axis.

        With ceil_mode the division is rounded up, and the last window must start inside the input or the
        padding before it (PyTorch, `pooling_output_shape`).
        """
        sizes = []
        pads = self.pads(input_size)
        for axis, (n, k, s, d) in enumerate(
            zip(input_size, self.kernel_size, self.stride, self.dilation, strict=True)
        ):
            before, after = pads[axis]
            room = n + before + after - span(k, d)
            size = (room + (s - 1 if self.ceil_mode else 0)) // s + 1
            if self.ceil_mode and (size - 1) * s >= n + before:
                size -= 1
            if size < 1:
                raise ArgumentError(
                    f"the output would be empty: along the {axis_names(len(pads))[axis]} the kernel spans "
                    f"{span(k, d)}, the input with its padding only "
                    f"{n} + {before} + {after} = {n + before + after}; pad more, or take a smaller kernel"
                )
            sizes.append(size)
        return tuple(sizes)


@dataclass(frozen=True)
class Transposed:
    """The kernel of a transposed convolution, with one number for each spatial axis."""

    kernel_size: Sizes
    stride: Sizes
    padding: Padding
    output_padding: Sizes
    dilation: Sizes

    @classmethod
    def of(
        cls,
        kernel_size: Sizes,
        stride: PerAxis,
        padding: AnyPadding,
        output_padding: PerAxis,
        dilation: PerAxis,
    ) -> "Transposed":
        """Make one of what a caller may write."""
        dims = len(kernel_size)
        strides, dilations = per_axis("stride", stride, dims), per_axis("dilation", dilation, dims)
        extra = per_axis("output_padding", output_padding, dims, minimum=0)
        for more, s, d in zip(extra, strides, dilations, strict=True):
            if more >= max(s, d):
                raise ArgumentError(
                    f"output_padding {more} must be below the stride {s} or below the dilation {d}"
                )
        return cls(kernel_size, strides, normalise_padding(padding, kernel_size, dilations), extra, dilations)

    def pads(self, input_size: Sizes) -> Pads:
        """Return the pairs that are cut off; `same` leaves n * stride elements, as ONNX and Keras have it.

        Where the kernel is shorter than the stride, `same` needs more elements than there are: the number
        after is then negative, and zeros are added.
        """
        if not isinstance(self.padding, str):
            return self.padding
        pads = []
        for k, s, d, extra in zip(
            self.kernel_size, self.stride, self.dilation, self.output_padding, strict=True
        ):
            total = span(k, d) + extra - s
            less, more = max(0, total) // 2, total - max(0, total) // 2
            pads.append((less, more) if self.padding == "same" or total < 0 else (more, less))
        return tuple(pads)

    def output_size(self, input_size: Sizes) -> Sizes:
        """Count the outputs on each axis: s*(n-1) + d*(k-1) + 1 + output_padding - before - after."""
        pads = self.pads(input_size)
        sizes = tuple(
            s * (n - 1) + span(k, d) + extra - sum(pair)
            for n, k, s, d, extra, pair in zip(
                input_size,
                self.kernel_size,
                self.stride,
                self.dilation,
                self.output_padding,
                pads,
                strict=True,
            )
        )
        if min(sizes) < 1:
            grown = by_axes([size + sum(pair) for size, pair in zip(sizes, pads, strict=True)])
            raise ArgumentError(
                f"the output would be empty: {by_axes(input_size)} grows to {grown}, and the padding "
                f"{'x'.join(f'{before}:{after}' for before, after in pads)} cuts off all of it; pad less"
            )
        return sizes
