"""EfficientNet: Tan & Le (2019), "Rethinking Model Scaling", arXiv 1905.11946, table 1, as in torchvision."""

from math import ceil

from convcli.networks.builder import Builder
from convcli.networks.network import Network
from convcli.networks.zoo.rounded import rounded
from convcli.networks.zoo.squeeze_excite import squeeze_excite

# Of each stage of B0: expansion, kernel, stride of the first block, output channels, and number of blocks.
STAGES = (
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)  # fmt: skip


def efficientnet(g: Builder, wider: float, deeper: float, classes: int = 1000) -> Network:
    """Build EfficientNet; channels and blocks are multiplied by the two factors of the compound scaling."""
    g(f"conv k3 s2 p1 o{rounded(32 * wider)} nobias, bn, silu")
    for stage, (expansion, kernel, first, channels, count) in enumerate(STAGES, start=1):
        for block in range(1, ceil(count * deeper) + 1):
            with g.scope(f"stage{stage}.{block}"):
                _block(g, expansion, kernel, first if block == 1 else 1, rounded(channels * wider))
    g(f"conv k1 o{4 * g.channels()} nobias, bn, silu, globalavgpool, flatten, dropout, dense o{classes}")
    return g.build()


def _block(g: Builder, expansion: int, kernel: int, stride: int, o: int) -> None:
    """Add an inverted residual block whose squeeze has a quarter of the block's input channels."""
    x = y = g.last
    if expansion > 1:
        y = g(f"conv k1 o{rounded(expansion * g.channels(x))} nobias, bn, silu", y)
    y = g(f"dwconv k{kernel} s{stride} p{kernel // 2} nobias, bn, silu", y)
    y = squeeze_excite(g, y, max(1, g.channels(x) // 4), "silu", "sigmoid")
    y = g(f"conv k1 o{o} nobias, bn", y)
    if g.shape(x) == g.shape(y):
        g("add", y, x)
