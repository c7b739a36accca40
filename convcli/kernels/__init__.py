"""Named kernels as plain numbers, and the grammar in which kernels are written."""

from convcli.kernels.change import anchored, bounded, normalized, scaled, shifted
from convcli.kernels.kernel import Kernel
from convcli.kernels.kernel_grammar import parse_kernel, parse_kernels
from convcli.kernels.named import KERNELS, MAX_SIDE

__all__ = [
    "KERNELS",
    "MAX_SIDE",
    "Kernel",
    "parse_kernel",
    "parse_kernels",
    "normalized",
    "scaled",
    "shifted",
    "anchored",
    "bounded",
]
