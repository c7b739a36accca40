"""One picture through one kernel: exact sums, alpha, and the way back into the picture's own dtype."""

from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from convcli.backend.bands.finish import Finish
from convcli.backend.bands.plan import METHODS
from convcli.backend.bands.run import Weights, plan_all, run
from convcli.backend.borders import pad
from convcli.backend.checks import one_of
from convcli.backend.convolution import conv
from convcli.backend.plan import Slide
from convcli.backend.separable import factors
from convcli.backend.values import EXACT, Filtered, Range, into_dtype
from convcli.errors import ArgumentError
from convcli.kernels import Kernel
from convcli.kernels.kernel import Matrix, by_axes, flat
from convcli.layers import Conv
from convcli.layers.axes import PerAxis
from convcli.layers.padding import AnyPadding, Pads, mode_of

Array = NDArray[Any]
Alpha = Literal["auto", "premultiply", "keep", "filter"]

MOST_WHOLE = 2.0**31  # of a weight that bands take
SMALLEST, LARGEST = 2.0**-100, 2.0**100  # of a sum that float32 holds, with all that leads to it
FAR = 256  # a border so many times the largest sample would take the digits of float32 from all around it
LEVELS32, LEVELS64 = 1 << 16, 1 << 45  # up to so many levels a sum in these floats is sure of each
EXACT_BY_FLOATS = 2.0**40  # whole sums up to here come out of a transform in float64 less than half a one off
MOST = 2.0**500  # of a sum, so that its square, for a magnitude, is a float still
BANDED = ("uint8", "uint16", "float32")  # the dtypes of pictures that bands are made for
PLAIN = ("auto", "direct")  # the methods that are plain sums where no bands are
SPATIAL = (0, 1)  # the axes of a picture that are not its channels: rows and columns


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
    value_range: Range = "clip",
    method: str = "auto",
    threads: int | None = None,
) -> Filtered:
    """Run a kernel over every channel of a picture.

    Parameters
    ----------
    pixels : ndarray, (H, W) or (H, W, C)
        Whole numbers or floats; never modified.
    kernel : Kernel
        Correlated with the picture; `flip` turns it by 180 degrees and makes that a true convolution.
    stride, padding, dilation
        As of `layers.Conv`, one number or one for rows and one for columns.
    padding_mode : str
        How the picture goes on beyond its border: `layers.padding.MODES`.
    alpha : str, optional
        What happens to the last channel when it is alpha; None when there is none. `filter` treats it as
        any channel. `keep` leaves it, and a transparent neighbour counts as having the pixel's own colour.
        `premultiply` weighs every colour by its alpha, and smooths alpha too. `auto` premultiplies for
        smoothing kernels and keeps otherwise. Transparent colours bleed only under `filter`.
    value_range : str
        How values come back into the dtype: `clip`; `abs`, the absolute value clipped; `offset`, the
        middle of the dtype's range added; `minmax`, the smallest value to 0 and the
        largest to the dtype's maximum (1 for floats). All of them round half to even. Floats are never clipped.
    method : str
        `direct` (shift and add), `separable` (one pass an axis, for kernels of rank 1), `gemm` (matrix products),
        `fft`, or `auto`, which takes the quickest. Whole sums are exact by each of them. Where NaN, infinity or sums
        beyond the digits of floats would spoil what is around them, sums are plain whatever the method.
    threads : int, optional
        How many threads share the picture; one for each core where it is None. The pixels are the same.

    Returns
    -------
    Filtered
        pixels : ndarray, (H', W') or (H', W', C), the dtype of the input; clipped : float, 0 to 1.

    Notes
    -----
    Sums of whole pixels and whole weights are exact. Otherwise pictures of 8 bits, and of float32, are
    summed in float32, all others in float64, and so are those whose weights or border are too large for
    float32. Where a float32 picture goes through a transform, the error is relative to its largest sample.
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
    layer = image_layer(kernel, stride, padding, dilation)
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "uif" or not pixels.size:
        raise ArgumentError(
            f"a picture is (H, W) or (H, W, C), of whole numbers or floats and not empty; "
            f"got {pixels.dtype} of shape {pixels.shape}"
        )
    one_of("value_range", value_range, get_args(Range))
    if alpha is not None:
        one_of("alpha", alpha, get_args(Alpha))
    if not np.isfinite(padding_value):
        raise ArgumentError(f"padding_value must be finite, got {padding_value}")
    anchor = _turned(kernel.anchor, kernel.shape) if flip else kernel.anchor
    sliding = _Sliding(
        layer, pixels.shape[:2], mode_of(padding_mode), padding_value, flip, anchor, method, threads
    )
    one_of("method", method, METHODS)
    if method == "separable" and any(factors(np.array(matrix), 2) is None for matrix in kernel.matrices):
        raise ArgumentError(
            f"method 'separable' does not suit the kernel {kernel.name!r}, whose rank is above 1; take 'auto', or "
            "another method"
        )
    if alpha is None or alpha == "filter":
        if pixels.dtype.name in BANDED and value_range != "minmax":
            banded = _banded(sliding, pixels, kernel, value_range, method, threads)
            if banded is not None:
                return banded
        result = into_dtype(_response(sliding, pixels, kernel), pixels.dtype, value_range)
        return replace(result, plan=sliding.plan)
    colour, opacity = pixels[..., :-1], pixels[..., -1:]
    if alpha == "auto":
        alpha = "premultiply" if kernel.is_smoothing else "keep"
    through = _premultiplied if alpha == "premultiply" else _kept
    colour, opacity = through(sliding, colour, opacity, kernel)
    result = into_dtype(colour, pixels.dtype, value_range)
    restored = into_dtype(opacity, pixels.dtype, "clip").pixels
    return Filtered(np.concatenate([result.pixels, restored], axis=-1), result.clipped, sliding.plan)


def _banded(
    sliding: "_Sliding", pixels: Array, kernel: Kernel, value_range: Range, method: str, threads: int | None
) -> Filtered | None:
    """Filter in bands, or return None where no plan has sums that are exact enough."""
    integers = pixels.dtype.kind == "u"
    # NaN and infinity make the largest sample one, which fails the comparisons below.
    largest = float(np.iinfo(pixels.dtype).max if integers else max(pixels.max(), -pixels.min()))
    value = sliding.padding_value if sliding.padding_mode == "constant" else 0.0
    whole = integers and float(value).is_integer() and kernel.is_whole
    if not all(-MOST_WHOLE < weight < MOST_WHOLE for weight in kernel.weights):
        return None
    arrays = [np.array(matrix, np.int64 if whole else np.float64) for matrix in kernel.matrices]
    weights = [Weights.of(array[::-1, ::-1] if sliding.flip else array) for array in arrays]
    reach = max(largest, abs(value))
    most = max(np.abs(array.astype(float)).sum() for array in arrays) * reach
    if not SMALLEST < most < LARGEST or not reach < LARGEST or (reach > FAR * largest and not whole):
        return None
    level = abs(kernel.divisor) if integers and not whole else most
    if most > LEVELS64 * level:
        return None
    picture = pixels.reshape(*pixels.shape[:2], -1)
    wide = pixels.dtype.itemsize == 2 or most > LEVELS32 * level
    way = plan_all(weights, reach, sliding.slide, picture.shape[2], wide, method, threads)
    if way is None:
        return None
    within = all(array.min() >= 0 and array.sum() <= kernel.divisor * (1 + 1e-6) for array in arrays)
    within = within and kernel.is_smoothing and not kernel.offset
    fits = within and value_range != "offset" and 0 <= value <= largest
    finish = Finish(kernel.combine, kernel.divisor, kernel.offset, value_range, pixels.dtype, most, not fits)
    mode = sliding.padding_mode
    made, clipped = run(picture, weights, sliding.slide, sliding.pads, mode, value, way, finish)
    return Filtered(made.reshape(*made.shape[:2], *pixels.shape[2:]), clipped / made.size, str(way))


def image_layer(
    kernel: Kernel, stride: PerAxis = 1, padding: AnyPadding = "same", dilation: PerAxis = 1
) -> Conv:
    """Return the layer that an image kernel is to each channel, or raise ArgumentError."""
    if kernel.dims != len(SPATIAL):
        raise ArgumentError(
            f"kernel {kernel.name!r} has {kernel.dims} axes, {by_axes(kernel.shape)}; a picture takes one of "
            "rows and columns"
        )
    return Conv(
        in_channels=1,
        out_channels=1,
        kernel_size=kernel.shape,
        stride=stride,
        padding=padding,
        dilation=dilation,
        bias=False,
    )


def _turned(anchor: tuple[int, ...] | None, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return where the anchor of a kernel lies once the kernel is turned by 180 degrees."""
    return anchor and tuple(side - 1 - place for side, place in zip(shape, anchor, strict=True))


@dataclass(frozen=True)
class _Sliding:
    """A window sliding over a picture of `size`: its geometry and borders, and the sums that it takes.

    anchor : the tap that lies on the pixel, where it is not the middle one
    """

    layer: Conv
    size: tuple[int, ...]
    padding_mode: str
    padding_value: float
    flip: bool
    anchor: tuple[int, ...] | None = None
    method: str = "auto"
    threads: int | None = None

    @property
    def pads(self) -> Pads:
        """The pixels before and after each axis; fewer than none are cut off.

        The padding `same` follows an anchor, so that each output stays where it is and the window moves;
        any other is as it was asked for.
        """
        pads = self.layer.pads(self.size)
        if self.anchor is None or not isinstance(self.layer.padding, str):
            return pads
        moves = [new - old for new, old in zip(self._places, self._middles, strict=True)]
        return tuple((before + move, after - move) for (before, after), move in zip(pads, moves, strict=True))

    @property
    def _middles(self) -> list[int]:
        """Where in the window its middle lies; of an even one before it, or behind it as `same-lower` leans."""
        behind = self.layer.padding == "same-lower"
        return [reach // 2 if behind else (reach - 1) // 2 for reach in self.slide.spans]

    @property
    def _places(self) -> list[int]:
        """Where in the window its own pixel lies."""
        if self.anchor is None:
            return self._middles
        return [place * d for place, d in zip(self.anchor, self.slide.dilation, strict=True)]

    @property
    def slide(self) -> Slide:
        """The walk of the window over the padded picture."""
        return Slide.of(self.layer, self.size)

    def sums(self, x: Array, matrix: Matrix, outside: float | None = None) -> Array:
        """Return the sum of weight * pixel at every place of the window: (H', W', C), int64 or float64.

        `outside` is what `constant` pads this array with, where that is not the padding value itself.
        """
        weights = np.array(matrix, dtype=object)
        if self.flip:
            weights = weights[::-1, ::-1]
        outside = self.padding_value if outside is None else outside
        if self.method == "auto" and (found := self._in_bands(x, weights, outside)) is not None:
            return found
        x = self._padded(_exact(x, weights, outside), outside)
        if self.method not in PLAIN:
            found = self._by_method(x, weights)
            if found is not None:
                return found
        slide = self.slide
        total = np.zeros((*slide.output_size, *x.shape[2:]), dtype=x.dtype)
        for tap in zip(*weights.nonzero(), strict=True):
            with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinity pass, as IEEE 754 has it
                total += x[slide.meets(tap)] * x.dtype.type(weights[tap])
        return total

    @property
    def plan(self) -> str:
        """How sums are taken, in words for -v."""
        return EXACT if self.method in PLAIN else f"{self.method} in float64, of whole pictures"

    def _in_bands(self, x: Array, weights: Array, outside: float) -> Array | None:
        """Return the sums of bands as float64, whole ones exact; None where floats are not sure of them."""
        value = outside if self.padding_mode == "constant" else 0.0
        # NaN and infinity make the largest sample one, which fails the comparison below.
        reach = max(float(x.max()), -float(x.min()), abs(value), 1.0)
        whole = x.dtype.kind in "biu" and all(isinstance(weight, int) for weight in weights.flat)
        whole = whole and float(value).is_integer()
        most = float(np.abs(weights.astype(float)).sum()) * reach
        if not SMALLEST < most < (EXACT_BY_FLOATS if whole else MOST_WHOLE) or reach > MOST_WHOLE:
            return None
        picture = x.reshape(*x.shape[:2], -1)
        turned = [Weights.of(weights.astype(np.int64 if whole else np.float64))]
        facts = turned, reach, self.slide, picture.shape[2], True
        way = plan_all(*facts, "auto", self.threads)
        if (
            way is not None and way.method == "fft"
        ):  # its errors spread, and what divides them is not known here
            way = plan_all(*facts, "gemm", self.threads)
        if way is None:
            return None
        finish = Finish("none", 1, 0, "clip", np.dtype(np.float64), most, False)
        made, _ = run(picture, turned, self.slide, self.pads, self.padding_mode, value, way, finish)
        return made.reshape(*made.shape[:2], *x.shape[2:])

    def _by_method(self, x: Array, weights: Array) -> Array | None:
        """Return the sums of the method that is asked for, whole ones exact; None where floats are not sure of them."""
        whole = x.dtype.kind == "i"
        floats = x.astype(np.float64)
        most = float(np.abs(floats).max()) * float(np.abs(weights.astype(float)).sum())
        if not most < (EXACT_BY_FLOATS if whole else MOST):
            return None
        weight = weights.astype(np.float64)[np.newaxis, np.newaxis]
        flat = np.moveaxis(floats.reshape(*x.shape[:2], -1), -1, 0)[:, np.newaxis]
        layer = self.layer
        sums = conv(flat, weight, stride=layer.stride, dilation=layer.dilation, method=self.method)
        sums = np.moveaxis(sums[:, 0], 0, -1)
        made = sums.reshape(*sums.shape[:2], *x.shape[2:])
        return np.rint(made).astype(np.int64) if whole else made

    def centres(self, x: Array, outside: float) -> Array:
        """Return the pixel under the anchor at every place of the window: under `same`, the pixel itself."""
        axes = zip(self._places, self.slide.stride, self.slide.output_size, strict=True)
        return self._padded(x, outside)[tuple(slice(a, a + (n - 1) * s + 1, s) for a, s, n in axes)]

    def _padded(self, x: Array, outside: float) -> Array:
        return pad(x, self.pads, SPATIAL, self.padding_mode, outside)


def _exact(x: Array, weights: Array, outside: float) -> Array:
    """Return `x` as int64 where every sum of products is a whole number that fits, else as float64."""
    largest = max(x.max(initial=0).item(), -x.min(initial=0).item(), abs(outside), 1)
    most = largest * sum(map(abs, weights.flat))
    if np.isfinite(largest) and most > MOST:
        raise ArgumentError(f"the kernel's weights are too large: sums could reach {most:.3g}")
    whole = x.dtype.kind in "biu" and all(isinstance(weight, int) for weight in weights.flat)
    if whole and float(outside).is_integer() and max(most, largest) < 2**63:
        return x.astype(np.int64)
    return x.astype(np.float64)


def _product(x: Array, factor: Array | float) -> Array:
    """Return x * factor, exact where both are whole and the product fits, else as float64."""
    factor = np.asarray(factor)
    if x.dtype.kind == factor.dtype.kind == "i":
        most = max(abs(int(x.max())), abs(int(x.min()))) * max(abs(int(factor.max())), abs(int(factor.min())))
        if most < 2**63:
            return x * factor
    return x.astype(np.float64) * factor.astype(np.float64)


def _plus(x: Array, offset: float) -> Array:
    """Return x + offset, exact where both are whole and the sum fits, else as float64."""
    if x.dtype.kind == "i" and isinstance(offset, int):
        most = max(abs(int(x.max())), abs(int(x.min()))) + abs(offset)
        if most < 2**63:
            return x + offset
    return x.astype(np.float64) + float(offset)


def _response(sliding: _Sliding, x: Array, kernel: Kernel) -> Array:
    """Return what the kernel answers, before it is fitted into a dtype."""
    return _combined([sliding.sums(x, matrix) for matrix in kernel.matrices], kernel)


def _combined(sums: list[Array], kernel: Kernel) -> Array:
    if kernel.combine == "magnitude":
        total = np.sqrt(sum(np.square(part, dtype=np.float64) for part in sums))
    else:
        total = reduce(np.maximum, sums)
    if kernel.divisor != 1:
        total = total / float(kernel.divisor)
    return _plus(total, kernel.offset) if kernel.offset else total


def _premultiplied(sliding: _Sliding, colour: Array, opacity: Array, kernel: Kernel) -> tuple[Array, Array]:
    """Weigh every colour by its alpha; alpha is smoothed with it.

    Where no neighbour is visible there is no weight, and the hidden colours are filtered as they are.
    """
    if not kernel.is_smoothing:
        raise ArgumentError(
            "alpha 'premultiply' takes a mean, so it needs a kernel of weights >= 0 with a sum above 0; "
            "use 'keep' or 'filter' with this kernel"
        )
    (matrix,) = kernel.matrices
    total = sum(flat(matrix))
    opaque = _opaque(opacity.dtype)
    weighted = sliding.sums(_weighted(colour, opacity), matrix, sliding.padding_value * opaque)
    weight = sliding.sums(opacity, matrix, opaque)
    hidden = sliding.sums(colour, matrix) / kernel.divisor
    numerator, denominator = weighted, weight
    if total != kernel.divisor:
        numerator, denominator = _product(weighted, total), _product(weight, kernel.divisor)
    mean = np.divide(numerator, denominator, out=hidden, where=weight != 0)
    return mean + float(kernel.offset), weight / total


def _kept(sliding: _Sliding, colour: Array, opacity: Array, kernel: Kernel) -> tuple[Array, Array]:
    """Filter the colours and leave alpha; a transparent neighbour has the colour of the pixel itself.

    sum(w * (v*c + (1-v)*own)) = sum(w * v * c) + own * sum(w * (1-v)), with v = 1 where visible, else 0.
    """
    visible = opacity > 0
    own = sliding.centres(_wide(colour), sliding.padding_value)
    seen = [
        sliding.sums(np.where(visible, colour, colour.dtype.type(0)), matrix) for matrix in kernel.matrices
    ]
    missing = [sliding.sums((~visible).astype(np.uint8), matrix, 0) for matrix in kernel.matrices]
    sums = [part + _product(own, weight) for part, weight in zip(seen, missing, strict=True)]
    return _combined(sums, kernel), sliding.centres(opacity, _opaque(opacity.dtype))


def _weighted(colour: Array, opacity: Array) -> Array:
    """Return colours times alpha, in the shortest dtype that holds it."""
    if colour.dtype == np.uint8:
        return np.multiply(colour, opacity, dtype=np.uint16)
    return colour * _wide(opacity)


def _wide(x: Array) -> Array:
    """Return whole numbers as int64 and floats as float64, so that a product of two samples fits."""
    return x.astype(np.float64 if x.dtype.kind == "f" else np.int64)


def _opaque(dtype: np.dtype[Any]) -> float:
    """Return the alpha of a pixel that hides all behind it."""
    return 1.0 if dtype.kind == "f" else np.iinfo(dtype).max
