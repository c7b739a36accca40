"""Filter a picture, given as an array of any dtype, by one kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError
from convcli.filters.recipe import Recipe
from convcli.filters.single_kernel import SingleKernel
from convcli.layers.padding import mode_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.backend.values import Alpha, Extent, Filtered, Range, Zero
    from convcli.kernels import Kernel
    from convcli.layers.axes import PerAxis
    from convcli.layers.padding import AnyPadding

    Array = NDArray[Any]


def filter_image(
    pixels: Array,
    kernel: Kernel,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding = "same",
    dilation: PerAxis = 1,
    padding_mode: str = "reflect",
    padding_value: float = 0.0,
    flip: bool = False,
    alpha: Alpha | None = None,
    value_range: Range | None = "clip",
    method: str = "auto",
    threads: int | None = None,
    extent: Extent | None = None,
    zero: Zero | None = None,
    light: bool = False,
    measure: bool = False,
) -> Filtered:
    """Filter every channel of a picture by a kernel.

    `convcli.filter_picture` is the more general function: it takes kernels by name, Pillow images, and layers of every
    kind.

    Parameters
    ----------
    pixels : ndarray, (H, W) or (H, W, C)
        Integers or floats; never modified.
    kernel : Kernel
        Correlated with the picture; `flip` rotates it by 180 degrees, which makes it a true convolution.
    stride, padding, dilation
        As in `layers.Conv`: one number, or one for rows and one for columns.
    padding_mode : str
        What extends the picture beyond its border: `layers.padding.MODES`.
    alpha : str, optional
        How to treat the last channel if it is alpha; None if there is no alpha. `filter` treats it like any other
        channel. `keep` leaves it unchanged, and transparent neighbours count as having the pixel's own colour.
        `premultiply` weights every colour by its alpha, and filters alpha too. `auto` premultiplies for smoothing
        kernels and keeps otherwise. Transparent colours bleed only with `filter`.
    value_range : str
        How to convert values back to the dtype: `clip`; `abs`, the clipped absolute value; `offset`, which adds the
        middle of the dtype's range; `minmax`, which maps the smallest finite value to 0 and the largest to the
        dtype's maximum (1 for floats). All of them round half to even. Floats are never clipped. None returns the
        values as floats: float32 for 8 bits and float32, otherwise float64.
    method : str
        `direct` (shift and add), `separable` (one pass per axis, for kernels of rank 1), `gemm` (matrix products),
        `fft`, or `auto`, the fastest. Integer sums are exact with each of them. If NaN, infinity or sums beyond the
        precision of floats would affect their surroundings, `direct` is used instead.
    threads : int, optional
        Number of threads, by default one per core. The pixels do not depend on it.
    extent : Extent, optional
        The range that `minmax` stretches, for example that of all frames; by default that of this picture.
    zero : sequence of int, optional
        The sample that represents 0 in each channel, as in CIELAB, whose a* and b* are signed; by default 0.
    light : bool
        Filter sRGB samples of 8 or 16 bits in linear light, 0 to 1, which is also the unit of the padding value, the
        kernel's offset and the extent; the result is sRGB again.
    measure : bool
        Return statistics of the colours' values before they are converted to samples.

    Returns
    -------
    Filtered
        pixels : ndarray, (H', W') or (H', W', C), the dtype of the input; clipped : fraction of clipped samples;
        extent : the range that `minmax` has stretched; measured : minimum, maximum, sum and count of the values.

    Notes
    -----
    A sample of 8 or 16 bits is the exact sum, rounded once, half to even. Integer weights are used as they are; others
    are divided by the kernel's divisor and rounded to multiples of 2^-40, padding values to multiples of 2^-8. The
    result depends neither on the method nor on the processor. Integers of more bits are summed exactly if the sums fit
    int64, otherwise in float64. Samples of float32 are summed in float32, or in float64 if weights or padding are too
    large for that, and are within 1e-5 of the sum of |weight * sample|. Linear light is summed in float64. For pictures
    with alpha, the padding of `constant` is opaque and that of `zeros` is transparent.

    Examples
    --------
    >>> import numpy as np
    >>> from convcli import backend
    >>> from convcli.kernels import parse_kernel
    >>> backend.filter_image(np.eye(3, dtype=np.uint8) * 9, parse_kernel("box")).pixels
    array([[5, 3, 4],
           [3, 3, 3],
           [4, 3, 5]], dtype=uint8)
    """
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "uif" or not pixels.size:
        raise ArgumentError(
            f"a picture is a non-empty array (H, W) or (H, W, C) of integers or floats; "
            f"got {pixels.dtype} of shape {pixels.shape}"
        )
    kernel.check_linear("filter_image")
    recipe = Recipe(
        kernels=(kernel,),
        stride=stride,
        padding=padding,
        dilation=dilation,
        padding_mode=mode_of(padding_mode),
        padding_value=padding_value,
        flip=flip,
        method=method,
    )
    kernel_filter = SingleKernel.of(recipe, pixels.dtype, alpha, value_range, zero, light, threads)
    return kernel_filter.filtered(pixels, extent, measure)
