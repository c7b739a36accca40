"""One kernel on a picture as an array, whatever its dtype."""

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
    """Run a kernel over every channel of a picture.

    `convcli.filter_picture` does more, and asks for less: kernels by their names, pictures of Pillow, and layers
    of every kind.

    Parameters
    ----------
    pixels : ndarray, (H, W) or (H, W, C)
        Whole numbers or floats; never modified.
    kernel : Kernel
        Correlated with the picture; `flip` turns it by 180 degrees and makes that a true convolution.
    stride, padding, dilation
        As of `layers.Conv`, one number or one for rows and one for columns.
    padding_mode : str
        What extends the picture beyond its border: `layers.padding.MODES`.
    alpha : str, optional
        What happens to the last channel when it is alpha; None when there is none. `filter` treats it as
        any channel. `keep` leaves it, and a transparent neighbour counts as having the pixel's own colour.
        `premultiply` weighs every colour by its alpha, and smooths alpha too. `auto` premultiplies for
        smoothing kernels and keeps otherwise. Transparent colours bleed only under `filter`.
    value_range : str
        How values come back into the dtype: `clip`; `abs`, the absolute value clipped; `offset`, the
        middle of the dtype's range added; `minmax`, the smallest finite value to 0 and the
        largest to the dtype's maximum (1 for floats). All of them round half to even. Floats are never clipped.
        None gives the values themselves, as floats: float32 for 8 bits and float32, else float64.
    method : str
        `direct` (shift and add), `separable` (one pass an axis, for kernels of rank 1), `gemm` (matrix products),
        `fft`, or `auto`, which takes the quickest. Whole sums are exact by each of them. Where NaN, infinity or sums
        beyond the digits of floats would spoil what is around them, sums are plain whatever the method.
    threads : int, optional
        How many threads share the picture; one for each core where it is None. The pixels are the same.
    extent : Extent, optional
        What `minmax` stretches, as for all frames of a picture alike; by default the values of this one.
    zero : sequence of int, optional
        The sample that stands for 0, one a channel, as of CIELAB, whose a* and b* have either sign; 0 by default.
    light : bool
        Filter the light that sRGB samples of 8 or 16 bits stand for, 0 to 1, which is what the padding value, the
        kernel's offset and the extent are told in; the result is sRGB again.
    measure : bool
        Tell what the values of the colours are before they become samples.

    Returns
    -------
    Filtered
        pixels : ndarray, (H', W') or (H', W', C), the dtype of the input; clipped : float, 0 to 1; extent : what
        `minmax` has stretched; measured : the least, the largest, the sum and the count of the values.

    Notes
    -----
    A sample of 8 or 16 bits is the exact sum, rounded once, half to even: of whole weights as they are, of
    others divided by the kernel's divisor and taken to the nearest 2^-40; a padding value is taken to 2^-8. It
    depends neither on the method nor on the processor. Whole numbers of more bits are summed exactly where the sums
    fit int64, else in float64. Samples of float32 are summed in float32, or float64 where
    weights or border are too large for that, and are within 1e-5 of the sum of |weight * sample|. Linear light is
    summed in float64.
    `constant` surrounds a picture that has alpha with an opaque colour, `zeros` with nothing.

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
            f"a picture is (H, W) or (H, W, C), of whole numbers or floats and not empty; "
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
    asked = SingleKernel.of(recipe, pixels.dtype, alpha, value_range, zero, light, threads)
    return asked.filtered(pixels, extent, measure)
