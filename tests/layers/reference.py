"""Slow and simple references: windows are counted one by one, arithmetic by numbers that count operations."""

from itertools import product
from math import ceil, floor


def windows(n, before, after, k, s, d):
    """Count the windows along one axis by moving one until it no longer fits."""
    count = 0
    start = 0
    while start + d * (k - 1) < n + before + after:
        count += 1
        start += s
    return count


def scattered(n, k, s, d):
    """List the positions that a transposed convolution writes to along one axis."""
    return {s * x + d * t for x in range(n) for t in range(k)}


class Tally:
    """The operations counted by all numbers that share it."""

    def __init__(self):
        self.multiplications = self.additions = self.comparisons = self.transcendentals = 0

    def number(self, value=1.0):
        return Number(self, value)

    def counts(self):
        return dict(vars(self))


class Number:
    """A number that counts its operations."""

    def __init__(self, tally, value):
        self.tally, self.value = tally, value

    def __mul__(self, other):
        self.tally.multiplications += 1
        return Number(self.tally, self.value * other.value)

    def __truediv__(self, other):
        self.tally.multiplications += 1
        return Number(self.tally, self.value / other.value)

    def __add__(self, other):
        self.tally.additions += 1
        return Number(self.tally, self.value + other.value)

    def __sub__(self, other):
        self.tally.additions += 1
        return Number(self.tally, self.value - other.value)

    def __gt__(self, other):
        self.tally.comparisons += 1
        return self.value > other.value

    def apply(self, function):
        self.tally.transcendentals += 1
        return Number(self.tally, function(self.value))


def added(numbers):
    """Sum numbers, starting from the first one."""
    first, *others = numbers
    for other in others:
        first = first + other
    return first


def largest(numbers):
    first, *others = numbers
    for other in others:
        first = other if other > first else first
    return first


def places(sizes):
    return product(*(range(size) for size in sizes))


def convolve(tally, *, output_size, kernel_size, in_channels, out_channels, groups, bias):
    """Run the loops of a convolution; the padded elements are ordinary numbers."""
    for _ in range(out_channels):
        for _ in places(output_size):
            total = added(
                tally.number() * tally.number()
                for _ in range(in_channels // groups)
                for _ in places(kernel_size)
            )
            if bias:
                total = total + tally.number()


def scatter(tally, *, input_size, kernel_size, stride, dilation, in_channels, out_channels, groups, bias):
    """Run the loops of a transposed convolution into an output that is not cropped yet."""
    output = {}
    for group in range(groups):
        for _ in range(in_channels // groups):
            for o in range(out_channels // groups):
                for place in places(input_size):
                    for tap in places(kernel_size):
                        to = tuple(
                            s * x + d * t for x, t, s, d in zip(place, tap, stride, dilation, strict=True)
                        )
                        key = (group, o, to)
                        value = tally.number() * tally.number()
                        if bias or key in output:
                            output[key] = output.get(key, tally.number()) + value
                        else:
                            output[key] = value


def adaptive_window(n, o, i):
    return range(floor(i * n / o), ceil((i + 1) * n / o))


def seen(step, y):
    """List the inputs of one axis that output y sees; `step` is an operator's name and its parameters."""
    kind, *numbers = step
    if kind == "conv":
        k, s, p, d = numbers
        return {s * y - p + d * t for t in range(k)}
    if kind == "transposed":
        k, s, p, d = numbers
        reach = d * (k - 1) + s + abs(p) + 1
        around = y // s
        return {x for x in range(around - reach, around + reach) for t in range(k) if s * x + d * t - p == y}
    if kind == "nearest":
        n, o = numbers
        return {y * n // o}
    if kind == "bilinear":
        n, o = numbers
        twice = (2 * y + 1) * n - o  # the source is twice / (2 * o)
        return {twice // (2 * o), -(-twice // (2 * o))}
    raise AssertionError(kind)


def field(steps, y):
    """List the inputs of a chain that its output y sees."""
    found = {y}
    for step in reversed(steps):
        found = set().union(*(seen(step, z) for z in found))
    return found
