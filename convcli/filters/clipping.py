"""The note on clipped samples, with advice on how to avoid clipping."""

from collections.abc import Sequence

from convcli.kernels.kernel import Kernel, flat

MIN_SHARE = 0.01  # least fraction of clipped samples for a note


def clipping_note(share: float, hint: str = "") -> tuple[str, ...]:
    """Return a note about the fraction of clipped samples; an empty tuple if it is small."""
    return (
        (f"{share:.2%} of the samples were clipped{f'; {hint}' if hint else ''}",)
        if share >= MIN_SHARE
        else ()
    )


def advice(value_range: str | None, kernels: Sequence[Kernel], *, activated: bool = False) -> str:
    """Return the advice that avoids clipping.

    >>> from convcli.kernels.kernel_grammar import parse_kernel
    >>> advice("clip", [parse_kernel("laplacian")])
    "`value_range='offset'` also shows negative values, around middle grey"
    >>> advice("clip", [parse_kernel("1 2 1")]), advice("abs", [parse_kernel("laplacian")])
    ('`normalize=True` divides by the sum of the weights', "`value_range='minmax'` rescales all values to fit")
    >>> advice("clip", [parse_kernel("unsharp")]), advice("clip", [parse_kernel("0 -1 0; -1 5 -1; 0 -1 0")])
    ('a smaller amount clips less', '')
    """
    if kernels and value_range in (None, "clip") and not activated:
        last = kernels[-1]
        weights = list(flat(last.matrices[0]))
        total = sum(weights)
        if len(last.matrices) == 1 and abs(total) <= 1e-9 * sum(map(abs, weights)):
            return "`value_range='offset'` also shows negative values, around middle grey"
        if len(kernels) == 1 and min(weights) >= 0 and total > last.divisor > 0 and len(last.matrices) == 1:
            return "`normalize=True` divides by the sum of the weights"
    if kernels and (advised := _of_sharpening(kernels[-1])) is not None:
        return advised
    return "`value_range='minmax'` rescales all values to fit"


def _of_sharpening(kernel: Kernel) -> str | None:
    """Return the advice for a kernel that keeps the picture and adds to it, whose contrast `minmax` would change.

    It is empty if the kernel has no argument that makes it weaker; None if it is another kernel.
    """
    from convcli.kernels.named import KERNELS, arguments_of

    if kernel.name in KERNELS and "amount" in arguments_of(KERNELS[kernel.name]):
        return "a smaller amount clips less"
    weights = kernel.flat_weights
    keeps = kernel.combine == "none" and min(weights) < 0 and sum(weights) / kernel.divisor > MIN_SHARE
    return "" if keeps else None
