"""ConvNeXt: Liu et al. (2022), "A ConvNet for the 2020s", arXiv 2201.03545, as in torchvision."""

from collections.abc import Sequence

from convcli.networks.builder import Builder
from convcli.networks.network import Network


def convnext(g: Builder, blocks: Sequence[int], widths: Sequence[int], classes: int = 1000) -> Network:
    """Build ConvNeXt with the given numbers of blocks and of channels per stage."""
    g(f"conv k4 s4 o{widths[0]}, layernorm channels")
    for stage, (count, o) in enumerate(zip(blocks, widths, strict=True), start=1):
        if stage > 1:
            g(f"layernorm channels, conv k2 s2 o{o}", name=f"downsample{stage}")
        for block in range(1, count + 1):
            with g.scope(f"stage{stage}.{block}"):
                x = g.last
                y = g(f"dwconv k7 p3, layernorm channels, conv k1 o{4 * o}, gelu, conv k1 o{o}", x)
                g("add", g(f"mul o{o}x1x1 learned", y, name="scale"), x)
    g(f"globalavgpool, layernorm channels, flatten, dense o{classes}")
    return g.build(
        remarks=("the two dense layers of a block are written as 1x1 convolutions, which are equivalent",)
    )
