"""Exact counts of arithmetic and memory, with one formula for each kind of layer."""

from dataclasses import dataclass
from math import gcd, prod

from convcli.errors import ArgumentError
from convcli.layers.axes import Sizes

DTYPE_BYTES = {"float32": 4, "float16": 2, "int8": 1}


@dataclass(frozen=True)
class Cost:
    """The arithmetic that one layer, or several layers together, takes for one input.

    multiplications : products; a division counts as one
    additions       : sums and differences; summing k products takes k - 1 additions, a bias one more
    macs            : multiply-adds with the weights of a kernel or matrix, k for a sum of k products (fvcore's
                      "flops"). BatchNorm has none, because it folds into the layer before it
    flops           : 2 per MAC, which also counts adding the first product to zero (the usual published count),
                      and 1 for each other multiplication or addition: biases, averages, interpolation
    comparisons     : a < b, as in max pooling and ReLU; not counted as flops
    transcendentals : values of exp, tanh, erf, log, powers and roots; not counted as flops, because their cost
                      depends on the machine (XLA's HloCostAnalysis also counts them separately)

    A layer that only moves data has zero cost; the bytes that it moves are counted as memory.
    """

    multiplications: int = 0
    additions: int = 0
    macs: int = 0
    flops: int = 0
    comparisons: int = 0
    transcendentals: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def __mul__(self, times: int) -> "Cost":
        return Cost(*(count * times for count in vars(self).values()))


def plain(
    multiplications: int = 0, additions: int = 0, comparisons: int = 0, transcendentals: int = 0
) -> Cost:
    """Count arithmetic without learned weights: each multiplication and each addition is one flop."""
    return Cost(
        multiplications=multiplications,
        additions=additions,
        flops=multiplications + additions,
        comparisons=comparisons,
        transcendentals=transcendentals,
    )


def weighted_sums(outputs: int, terms: int, bias: bool) -> Cost:
    """Count `outputs` sums of `terms` weighted elements each, with or without a bias.

    A convolution has prod(output size) * out_channels outputs of prod(k) * in_channels / groups terms: Goodfellow,
    Bengio & Courville, "Deep Learning" (2016), section 9.5. Padded elements count as real ones.
    """
    return Cost(
        multiplications=outputs * terms,
        additions=outputs * (terms - 1 + bias),
        macs=outputs * terms,
        flops=2 * outputs * terms + outputs * bias,
    )


def scattered_sums(inputs: int, taps: int, touched: int, outputs: int, bias: bool) -> Cost:
    """Count a transposed convolution: each of `inputs` elements contributes to the output through `taps` taps.

    It takes prod(input shape) * out_channels / groups * prod(k) products, because its forward pass is the backward
    pass of a convolution (Dumoulin & Visin, chapter 4). With a bias every output starts at the bias and every product
    is one addition; without a bias the first product of each of the `touched` outputs is stored without an addition.
    Products that land in the padding, which is cropped, are counted too.
    """
    return Cost(
        multiplications=inputs * taps,
        additions=inputs * taps - (0 if bias else touched),
        macs=inputs * taps,
        flops=2 * inputs * taps + outputs * bias,
    )


def touched_size(input_size: Sizes, kernel_size: Sizes, stride: Sizes, dilation: Sizes) -> int:
    """Count the positions that a transposed convolution writes to, before its padding is cropped.

    On each axis these are the distinct values of s*x + d*t for n inputs x and k taps t. With g = gcd(s, d), two of the
    n*k pairs (x, t) coincide if their x differ by d/g and their t by -s/g, so there are
    n*k - max(0, n - d/g) * max(0, k - s/g) distinct values.
    """
    places = 1
    for n, k, s, d in zip(input_size, kernel_size, stride, dilation, strict=True):
        g = gcd(s, d)
        places *= n * k - max(0, n - d // g) * max(0, k - s // g)
    return places


def samples(count: int, dims: int, mask: bool) -> Cost:
    """Count `count` bilinear samples of a deformable convolution, each for one channel and one tap.

    Each sample has 2^dims corners, as in torchvision's deform_conv2d. A corner's weight is a product of dims factors
    (dims - 1 multiplications) and is multiplied by the corner's element; 2^dims - 1 additions sum the corners; the
    mask takes one more multiplication. In 2-D these are 8 multiplications and 3 additions. Computing the coordinates
    is addressing and not counted.
    """
    corners = 2**dims
    return plain(multiplications=count * (corners * dims + mask), additions=count * (corners - 1))


def maxima(elements: int, outputs: int) -> Cost:
    """Count the maxima of `outputs` windows with `elements` elements in total: k - 1 comparisons for k elements."""
    return plain(comparisons=elements - outputs)


def averages(elements: int, outputs: int) -> Cost:
    """Count the means of `outputs` windows with `elements` elements in total: a sum and one division each."""
    return plain(multiplications=outputs, additions=elements - outputs)


def norms(elements: int, outputs: int, power: float) -> Cost:
    """Count (sum |x|^p)^(1/p) over `outputs` windows with `elements` elements in total.

    An integer power takes p - 1 multiplications per element, any other power one transcendental. The root is one
    transcendental per output, and none if p = 1. |x| only clears the sign bit.
    """
    whole_power = power == int(power)
    return plain(
        multiplications=elements * (int(power) - 1) if whole_power else 0,
        additions=elements - outputs,
        transcendentals=(0 if power == 1 else outputs) + (0 if whole_power else elements),
    )


def adaptive_elements(input_size: Sizes, output_size: Sizes) -> int:
    """Count the elements of all windows of an adaptive pooling layer.

    Window i of o is [floor(i*n/o), ceil((i+1)*n/o)), as in PyTorch. On each axis two neighbouring windows overlap by
    one element wherever i*n/o is not an integer, so the windows have n + o - gcd(n, o) elements together.
    """
    return prod(n + o - gcd(n, o) for n, o in zip(input_size, output_size, strict=True))


def scalings(elements: int) -> Cost:
    """Count gamma' * x + beta' per element: BatchNorm at inference, with mean and variance folded in.

    Ioffe & Szegedy (2015), algorithm 2, step 11.
    """
    return plain(multiplications=elements, additions=elements)


def normalisations(elements: int, groups: int, scaled: bool, shifted: bool) -> Cost:
    """Count (x - mean) / sqrt(variance + eps) * gamma + beta, with statistics over `groups` groups of elements.

    Each group of k elements takes a mean, a variance (k differences, k squares, k - 1 additions, a division), the
    addition of eps, a square root and its reciprocal. Each element is multiplied by the reciprocal, and by gamma and
    plus beta if these are learned. Wu & He (2018), "Group Normalization", equations 1, 2 and 6.
    """
    return plain(
        multiplications=elements * (2 + scaled) + 3 * groups,
        additions=elements * (3 + shifted) - groups,
        transcendentals=groups,
    )


def interpolations(outputs: int, dims: int) -> Cost:
    """Count linear interpolation on each axis (bilinear in 2-D), which blends pairs axis by axis: h0*a + h1*b.

    2^dims - 1 blends of 2 multiplications and 1 addition each: 6 and 3 in 2-D, as in PyTorch's upsample_bilinear2d.
    The weights are shared by all channels and not counted.
    """
    blends = 2**dims - 1
    return plain(multiplications=outputs * 2 * blends, additions=outputs * blends)


def cubic_interpolations(outputs: int, dims: int) -> Cost:
    """Count cubic interpolation, which weights four neighbours axis by axis, as in PyTorch's upsample_bicubic2d.

    (4^dims - 1) / 3 sums of 4 products each: 20 multiplications and 15 additions in 2-D. The weights are shared by all
    channels and not counted.
    """
    sums = (4**dims - 1) // 3
    return plain(multiplications=outputs * 4 * sums, additions=outputs * 3 * sums)


def element_bytes(dtype: str) -> int:
    """Return the bytes per element; parameters and activations have the same dtype."""
    if dtype not in DTYPE_BYTES:
        raise ArgumentError(f"there is no dtype {dtype!r}; choose one of {', '.join(DTYPE_BYTES)}")
    return DTYPE_BYTES[dtype]


def arithmetic_intensity(flops: int, moved_bytes: int) -> float:
    """Return FLOPs per byte if every parameter and activation is moved once.

    Williams, Waterman & Patterson, "Roofline" (2009). A quotient too large for a float is an int.
    """
    try:
        return flops / moved_bytes
    except OverflowError:
        return flops // moved_bytes
