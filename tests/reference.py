"""The operators by their definitions: plain loops over every element, regardless of speed.

Arrays are (N, C, *spatial); stride, dilation and the (before, after) pairs of `pads` have one entry for each
spatial axis. Integers are Python's, so that nothing overflows.
"""

from itertools import product
from math import ceil, floor, prod

import numpy as np


def every(*sizes):
    """Yield all positions of a box."""
    return product(*map(range, sizes))


def output_size(size, kernel, stride, pads, dilation):
    """Count the positions at which the whole kernel is inside the padded input, one by one."""
    counts = []
    for n, k, s, (before, after), d in zip(size, kernel, stride, pads, dilation, strict=True):
        count = 0
        while -before + count * s + (k - 1) * d <= n - 1 + after:
            count += 1
        counts.append(count)
    return tuple(counts)


def source(mode, n, place):
    """Return the index of the element at `place` of an axis with n elements, or None for a padded value."""
    while not 0 <= place < n:
        if mode in ("zeros", "constant"):
            return None
        if mode == "replicate":
            place += 1 if place < 0 else -1
        elif mode == "circular":
            place += n if place < 0 else -n
        elif mode == "symmetric":
            place = -1 - place if place < 0 else 2 * n - 1 - place
        elif mode == "reflect":
            place = 0 if n == 1 else -place if place < 0 else 2 * (n - 1) - place
    return place


def element(x, image, channel, place, mode="zeros", value=0):
    """Return the element of x at a position that may be outside."""
    index = [source(mode, n, p) for n, p in zip(x.shape[2:], place, strict=True)]
    if None in index:
        return value if mode == "constant" else 0
    return x[(image, channel, *index)].item()


def places(place, stride, pads, dilation, tap):
    """Return the input position of a tap."""
    return tuple(
        p * s - before + t * d
        for p, s, (before, _), d, t in zip(place, stride, pads, dilation, tap, strict=True)
    )


def conv(
    x, weight, bias=None, *, stride, pads, dilation, groups=1, mode="zeros", value=0, flip=False, dtype=float
):
    outputs, inputs, *kernel = weight.shape
    out = output_size(x.shape[2:], kernel, stride, pads, dilation)
    y = np.zeros((len(x), outputs, *out), dtype)
    for image, output, place in product(range(len(x)), range(outputs), every(*out)):
        total = 0 if bias is None else bias[output].item()
        first = output // (outputs // groups) * inputs
        for channel, tap in product(range(inputs), every(*kernel)):
            flipped = tuple(k - 1 - t for t, k in zip(tap, kernel, strict=True)) if flip else tap
            where = places(place, stride, pads, dilation, tap)
            total += weight[(output, channel, *flipped)].item() * element(
                x, image, first + channel, where, mode, value
            )
        y[(image, output, *place)] = total
    return y


def conv_transpose(x, weight, bias=None, *, stride, pads, output_padding, dilation, groups=1, dtype=float):
    inputs, outputs, *kernel = weight.shape
    size = x.shape[2:]
    out = tuple(
        s * (n - 1) + d * (k - 1) + 1 + extra - before - after
        for s, n, d, k, extra, (before, after) in zip(
            stride, size, dilation, kernel, output_padding, pads, strict=True
        )
    )
    y = np.zeros((len(x), outputs * groups, *out), dtype)
    for image, channel, place in product(range(len(x)), range(inputs), every(*size)):
        group = channel // (inputs // groups)
        for output, tap in product(range(outputs), every(*kernel)):
            where = places(place, stride, pads, dilation, tap)
            if all(0 <= p < n for p, n in zip(where, out, strict=True)):
                product_ = x[(image, channel, *place)].item() * weight[(channel, output, *tap)].item()
                y[(image, group * outputs + output, *where)] += product_
    if bias is not None:
        y += bias.reshape(-1, *(1,) * len(size))
    return y


def interpolate(x, image, channel, place):
    """Return the linear interpolation of x at a position between elements; zero outside."""
    if any(p <= -1 or p >= n for p, n in zip(place, x.shape[2:], strict=True)):
        return 0.0
    total = 0.0
    for corner in product((0, 1), repeat=len(place)):
        share = prod(
            p - floor(p) if side else 1 - (p - floor(p)) for p, side in zip(place, corner, strict=True)
        )
        total += share * element(
            x, image, channel, [floor(p) + side for p, side in zip(place, corner, strict=True)]
        )
    return total


def deform_conv(
    x, offset, weight, bias=None, *, stride, pads, dilation, groups=1, offset_groups=1, mask=None
):
    outputs, inputs, *kernel = weight.shape
    dims = len(kernel)
    out = output_size(x.shape[2:], kernel, stride, pads, dilation)
    y = np.zeros((len(x), outputs, *out))
    for image, output, place in product(range(len(x)), range(outputs), every(*out)):
        total = 0.0 if bias is None else bias[output]
        for channel, (number, tap) in product(range(inputs), enumerate(every(*kernel))):
            source_channel = output // (outputs // groups) * inputs + channel
            part = source_channel // (x.shape[1] // offset_groups) * prod(kernel) + number
            where = places(place, stride, pads, dilation, tap)
            moved = [p + offset[(image, part * dims + axis, *place)] for axis, p in enumerate(where)]
            share = 1.0 if mask is None else mask[(image, part, *place)]
            total += weight[(output, channel, *tap)] * share * interpolate(x, image, source_channel, moved)
        y[(image, output, *place)] = total
    return y


def local_conv(x, weight, *, stride, pads, dilation, dtype=float):
    dims = x.ndim - 2
    outputs, out, kernel = len(weight), weight.shape[1 : dims + 1], weight.shape[dims + 2 :]
    y = np.zeros((len(x), outputs, *out), dtype)
    for image, output, place in product(range(len(x)), range(outputs), every(*out)):
        for channel, tap in product(range(x.shape[1]), every(*kernel)):
            y[(image, output, *place)] += weight[(output, *place, channel, *tap)].item() * element(
                x, image, channel, places(place, stride, pads, dilation, tap)
            )
    return y


def tiled_conv(x, weight, *, stride, pads, dilation, dtype=float):
    dims = x.ndim - 2
    tile, outputs, kernel = weight.shape[:dims], weight.shape[dims], weight.shape[dims + 2 :]
    out = output_size(x.shape[2:], kernel, stride, pads, dilation)
    y = np.zeros((len(x), outputs, *out), dtype)
    for image, output, place in product(range(len(x)), range(outputs), every(*out)):
        mine = tuple(p % t for p, t in zip(place, tile, strict=True))
        for channel, tap in product(range(x.shape[1]), every(*kernel)):
            y[(image, output, *place)] += weight[(*mine, output, channel, *tap)].item() * element(
                x, image, channel, places(place, stride, pads, dilation, tap)
            )
    return y


def pool_size(size, kernel, stride, pads, dilation, ceil_mode):
    """Count a pool's windows: with ceil_mode, also a last one that starts before the padding after."""
    counts = output_size(size, kernel, stride, pads, dilation)
    if not ceil_mode:
        return counts
    more = []
    for count, n, k, s, (before, after), d in zip(counts, size, kernel, stride, pads, dilation, strict=True):
        cut_off = (
            -before + (count - 1) * s + (k - 1) * d < n - 1 + after
        )  # the last window does not reach the end
        more.append(count + (cut_off and -before + count * s < n))
    return tuple(more)


def pool(reduce, x, *, kernel, stride, pads, dilation, ceil_mode=False, include_pad=False):
    """Call `reduce` with the elements of each window; padding is zero if it is included."""
    out = pool_size(x.shape[2:], kernel, stride, pads, dilation, ceil_mode)
    y = np.zeros((*x.shape[:2], *out))
    for image, channel, place in product(range(len(x)), range(x.shape[1]), every(*out)):
        window = []
        for tap in every(*kernel):
            where = places(place, stride, pads, dilation, tap)
            ends = [n + after for n, (_, after) in zip(x.shape[2:], pads, strict=True)]
            if all(0 <= p < n for p, n in zip(where, x.shape[2:], strict=True)):
                window.append(x[(image, channel, *where)].item())
            elif include_pad and all(p < end for p, end in zip(where, ends, strict=True)):
                window.append(0)
        y[(image, channel, *place)] = reduce(window)
    return y


def adaptive_pool(reduce, x, out):
    y = np.zeros((*x.shape[:2], *out))
    for image, channel, place in product(range(len(x)), range(x.shape[1]), every(*out)):
        ranges = [
            range(floor(p * n / size), ceil((p + 1) * n / size))
            for p, n, size in zip(place, x.shape[2:], out, strict=True)
        ]
        y[(image, channel, *place)] = reduce(
            [x[(image, channel, *where)].item() for where in product(*ranges)]
        )
    return y
