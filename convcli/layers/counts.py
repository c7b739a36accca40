"""Work and memory, counted exactly; each count is named for what it is, one formula each."""

from dataclasses import dataclass
from math import gcd, prod

from convcli.errors import ArgumentError
from convcli.layers.axes import Sizes

DTYPE_BYTES = {"float32": 4, "float16": 2, "int8": 1}


@dataclass(frozen=True)
class Cost:
    """The arithmetic of one input through one layer, or of several layers summed.

    multiplications : products formed; a division counts as one
    additions       : sums and differences formed; k products take k - 1 additions, a bias takes one more
    macs            : multiply-adds of a kernel's or a matrix's weights, k for a sum of k products (fvcore's
                      "flops"). BatchNorm has none: it folds into the layer before it
    flops           : 2 for each mac, which also adds the first product to zero (the usual published count),
                      and 1 for each other multiplication or addition: biases, averages, interpolation
    comparisons     : a < b, as max pooling and relu need them; no flops
    transcendentals : values of exp, tanh, erf, log, powers and roots; no flops, their price depends on the
                      machine (XLA's HloCostAnalysis counts them apart in the same way)

    A layer that only moves data costs nothing here; its bytes are counted as memory.
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
    """Count arithmetic without learned weights: every multiplication and every addition is a flop."""
    return Cost(
        multiplications=multiplications,
        additions=additions,
        flops=multiplications + additions,
        comparisons=comparisons,
        transcendentals=transcendentals,
    )


def weighted_sums(outputs: int, terms: int, bias: bool) -> Cost:
    """Count `outputs` sums of `terms` weighted elements each, with or without a bias.

    A convolution has prod(output size) * out_channels outputs of prod(k) * in_channels / groups terms:
    Goodfellow, Bengio & Courville, "Deep Learning" (2016), section 9.5. Borders count as if padded
    elements were real.
    """
    return Cost(
        multiplications=outputs * terms,
        additions=outputs * (terms - 1 + bias),
        macs=outputs * terms,
        flops=2 * outputs * terms + outputs * bias,
    )


def scattered_sums(inputs: int, taps: int, touched: int, outputs: int, bias: bool) -> Cost:
    """Count a transposed convolution: each of `inputs` elements is added to the output `taps` times.

    It has prod(input shape) * out_channels / groups * prod(k) products: the forward pass is the backward
    pass of a convolution (Dumoulin & Visin, chapter 4). An output starts at its bias, and then every product
    is an addition; without a bias the first product of each of the `touched` outputs is only stored.
    Products that land in the padding, which is cut off, count as if it were real.
    """
    return Cost(
        multiplications=inputs * taps,
        additions=inputs * taps - (0 if bias else touched),
        macs=inputs * taps,
        flops=2 * inputs * taps + outputs * bias,
    )


def touched_size(input_size: Sizes, kernel_size: Sizes, stride: Sizes, dilation: Sizes) -> int:
    """Count the places that a transposed convolution writes to, before its padding is cut off.

    On each axis these are the distinct values of s*x + d*t for n inputs x and k taps t. Two of the n*k pairs
    meet where x differs by d/g and t by -s/g, g = gcd(s, d), so n*k - max(0, n - d/g) * max(0, k - s/g)
    remain.
    """
    places = 1
    for n, k, s, d in zip(input_size, kernel_size, stride, dilation, strict=True):
        g = gcd(s, d)
        places *= n * k - max(0, n - d // g) * max(0, k - s // g)
    return places


def samples(count: int, dims: int, mask: bool) -> Cost:
    """Count `count` bilinear samples of a deformable convolution, each of one channel for one tap.

    As torchvision's deform_conv2d forms them: 2^dims corners, each with a weight of dims factors
    (dims - 1 products) and one product with the corner's element, and 2^dims - 1 additions; the mask is one
    product more. In 2-D 8 multiplications and 3 additions. The coordinates themselves are addresses.
    """
    corners = 2**dims
    return plain(multiplications=count * (corners * dims + mask), additions=count * (corners - 1))


def maxima(elements: int, outputs: int) -> Cost:
    """Count the largest of each of `outputs` windows with `elements` in all: k - 1 comparisons for k."""
    return plain(comparisons=elements - outputs)


def averages(elements: int, outputs: int) -> Cost:
    """Count the means of `outputs` windows with `elements` in all: a sum, then one division each."""
    return plain(multiplications=outputs, additions=elements - outputs)


def norms(elements: int, outputs: int, power: float) -> Cost:
    """Count (sum |x|^p)^(1/p) over `outputs` windows with `elements` in all.

    A whole power takes p - 1 products for each element, another one a transcendental; the root is one
    transcendental for each output, none where p = 1. Taking |x| only clears a sign.
    """
    whole_power = power == int(power)
    return plain(
        multiplications=elements * (int(power) - 1) if whole_power else 0,
        additions=elements - outputs,
        transcendentals=(0 if power == 1 else outputs) + (0 if whole_power else elements),
    )


def adaptive_elements(input_size: Sizes, output_size: Sizes) -> int:
    """Count the elements of all windows of an adaptive pooling layer.

    Window i of o is [floor(i*n/o), ceil((i+1)*n/o)), as PyTorch has it; on each axis the o windows overlap
    by one element at every inner border that is not whole, which leaves n + o - gcd(n, o).
    """
    return prod(n + o - gcd(n, o) for n, o in zip(input_size, output_size, strict=True))


def scalings(elements: int) -> Cost:
    """Count gamma' * x + beta' for every element: BatchNorm at inference, mean and variance folded in.

    Ioffe & Szegedy (2015), algorithm 2, step 11.
    """
    return plain(multiplications=elements, additions=elements)


def normalisations(elements: int, groups: int, scaled: bool, shifted: bool) -> Cost:
    """Count (x - mean) / sqrt(variance + eps) * gamma + beta, with statistics over `groups` of all elements.

    For each group a mean, a variance of k squares (k differences, k products, k - 1 additions, a division), eps, a root
    and its reciprocal; for each element the product with it, and gamma and beta where they are learned. Wu & He (2018),
    "Group Normalization", equations 1, 2 and 6.
    """
    return plain(
        multiplications=elements * (2 + scaled) + 3 * groups,
        additions=elements * (3 + shifted) - groups,
        transcendentals=groups,
    )


def interpolations(outputs: int, dims: int) -> Cost:
    """Count bilinear interpolation (linear on each axis): pairs are blended axis by axis, h0*a + h1*b.

    2^dims - 1 blends, of 2 products and 1 addition: in 2-D 6 and 3, as PyTorch's upsample_bilinear2d. The
    weights are the same for all channels and not counted.
    """
    blends = 2**dims - 1
    return plain(multiplications=outputs * 2 * blends, additions=outputs * blends)


def cubic_interpolations(outputs: int, dims: int) -> Cost:
    """Count cubic interpolation: four neighbours are weighted axis by axis, as PyTorch's upsample_bicubic2d.

    (4^dims - 1) / 3 sums of 4 products each: in 2-D 20 and 15. The weights are the same for all channels and not
    counted.
    """
    sums = (4**dims - 1) // 3
    return plain(multiplications=outputs * 4 * sums, additions=outputs * 3 * sums)


def element_bytes(dtype: str) -> int:
    """Return the bytes of one element; parameters and activations have the same dtype."""
    if dtype not in DTYPE_BYTES:
        raise ArgumentError(f"dtype {dtype!r} is not one of {', '.join(DTYPE_BYTES)}")
    return DTYPE_BYTES[dtype]


def arithmetic_intensity(flops: int, moved_bytes: int) -> float:
    """Return FLOPs per byte, where every parameter and activation is moved once.

    Williams, Waterman & Patterson, "Roofline" (2009). A quotient beyond any float is a whole number.
    """
    try:
        return flops / moved_bytes
    except OverflowError:
        return flops // moved_bytes
