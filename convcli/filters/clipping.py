"""What is said of samples that were clipped, and the advice that fits what was run."""

from collections.abc import Sequence

from convcli.kernels.kernel import Kernel, flat

CLIPPED = "of the samples were clipped"  # the advice follows it
LEAST = 0.01  # the share of samples from which on it is said


def clipping_note(share: float, way: str = "") -> tuple[str, ...]:
    """Return the note about a share of samples that were clipped; none where it is small."""
    return (f"{share:.2%} {CLIPPED}{f'; {way}' if way else ''}",) if share >= LEAST else ()


def advice(value_range: str | None, kernels: Sequence[Kernel], *, activated: bool = False) -> str:
    """Return the argument that keeps what was clipped.

    >>> from convcli.kernels.kernel_grammar import parse_kernel
    >>> advice("clip", [parse_kernel("laplacian")])
    "`value_range='offset'` shows values below 0, too, around middle grey"
    >>> advice("clip", [parse_kernel("1 2 1")]), advice("abs", [parse_kernel("laplacian")])
    ('`normalize=True` divides by the sum of the weights', "`value_range='minmax'` fits all of them in")
    """
    if kernels and value_range in (None, "clip") and not activated:
        last = kernels[-1]
        weights = list(flat(last.matrices[0]))
        total = sum(weights)
        if len(last.matrices) == 1 and abs(total) <= 1e-9 * sum(map(abs, weights)):
            return "`value_range='offset'` shows values below 0, too, around middle grey"
        if len(kernels) == 1 and min(weights) >= 0 and total > last.divisor > 0 and len(last.matrices) == 1:
            return "`normalize=True` divides by the sum of the weights"
    return "`value_range='minmax'` fits all of them in"
