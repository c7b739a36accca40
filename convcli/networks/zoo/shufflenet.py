"""ShuffleNet: version 1, Zhang et al. (2017), arXiv 1707.01083; version 2, Ma et al. (2018), arXiv 1807.11164."""

from convcli.errors import ArgumentError
from convcli.networks.builder import Builder
from convcli.networks.network import Network

UNITS = (4, 8, 4)  # number of units in stages 2, 3 and 4
V1_WIDTHS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}  # groups -> channels of stage 2: table 1
V2_WIDTHS = {  # width -> channels of stages 2, 3, 4, and of the last convolution: table 5
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}


def shufflenet_v1(g: Builder, groups: int = 3, width: float = 1.0, classes: int = 1000) -> Network:
    """Build ShuffleNet v1 with `groups` groups in its pointwise convolutions; channels are multiplied by `width`."""
    if groups not in V1_WIDTHS:
        raise ArgumentError(f"{g.name}: groups must be one of {', '.join(map(str, V1_WIDTHS))}, got {groups}")
    g(f"conv k3 s2 p1 o{int(24 * width)} nobias, bn, relu, maxpool k3 s2 p1")
    for stage, count in enumerate(UNITS, start=2):
        o = int(V1_WIDTHS[groups] * width) * 2 ** (stage - 2)
        for unit in range(1, count + 1):
            with g.scope(f"stage{stage}.{unit}"):
                _unit_v1(g, o, groups, first=1 if stage == 2 and unit == 1 else groups, halves=unit == 1)
    g(f"globalavgpool, flatten, dense o{classes}")
    return g.build()


def shufflenet_v2(g: Builder, width: float = 1.0, classes: int = 1000) -> Network:
    """Build ShuffleNet v2 in one of its four widths, as in torchvision."""
    if width not in V2_WIDTHS:
        raise ArgumentError(f"{g.name}: width must be one of {', '.join(map(str, V2_WIDTHS))}, got {width:g}")
    *stages, last = V2_WIDTHS[width]
    g("conv k3 s2 p1 o24 nobias, bn, relu, maxpool k3 s2 p1")
    for stage, (count, o) in enumerate(zip(UNITS, stages, strict=True), start=2):
        for unit in range(1, count + 1):
            with g.scope(f"stage{stage}.{unit}"):
                _unit_v2(g, o, halves=unit == 1)
    g(f"conv k1 o{last} nobias, bn, relu, globalavgpool, flatten, dense o{classes}")
    return g.build()


def _unit_v1(g: Builder, o: int, groups: int, first: int, *, halves: bool) -> None:
    """Add a unit, figure 2 (b); a unit that halves the size is concatenated with its pooled input, figure 2 (c).

    first : groups of its first convolution, which is not grouped if the input has few channels (table 1, footnote)
    """
    x = g.last
    made = o - g.channels(x) if halves else o
    y = g(f"conv k1 g{first} o{o // 4} nobias, bn, relu", x)
    if groups > 1:
        y = g(f"shuffle g{groups}", y)
    y = g(f"dwconv k3 s{2 if halves else 1} p1 nobias, bn, conv k1 g{groups} o{made} nobias, bn", y)
    if halves:
        g("concat", g("avgpool k3 s2 p1", x), y)
    else:
        g("add", y, x)
    g("relu")


def _unit_v2(g: Builder, o: int, *, halves: bool) -> None:
    """Add a unit, figure 3 (c); a unit that halves the size keeps all channels in both branches, figure 3 (d)."""
    half = o // 2
    if halves:
        x = g.last
        kept = g(f"dwconv k3 s2 p1 nobias, bn, conv k1 o{half} nobias, bn, relu", x)
    else:
        kept, x = g.outputs("split n2")
    s = 2 if halves else 1
    y = g(
        f"conv k1 o{half} nobias, bn, relu, dwconv k3 s{s} p1 nobias, bn, conv k1 o{half} nobias, bn, relu", x
    )
    g("concat", kept, y)
    g("shuffle g2")
