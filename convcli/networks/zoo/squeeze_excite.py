"""Squeeze-and-excitation: Hu et al. (2017), "Squeeze-and-Excitation Networks", arXiv 1709.01507."""

from convcli.networks.builder import Builder


def squeeze_excite(g: Builder, x: str, squeezed: int, activation: str, gate: str) -> str:
    """Scale each channel of x by a gate, computed from the means of all channels through `squeezed` channels."""
    o = g.channels(x)
    scale = g(f"globalavgpool, conv k1 o{squeezed}, {activation}, conv k1 o{o}, {gate}", x)
    return g("mul", x, scale)
