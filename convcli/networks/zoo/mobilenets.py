"""MobileNets: convolutions divided into depthwise and pointwise ones."""

from convcli.networks.builder import Builder
from convcli.networks.network import Network

# Output channels and stride of each pair of a depthwise and a pointwise convolution: Howard et al. (2017), table 1.
V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))


def mobilenet_v1(g: Builder, width: float = 1.0) -> Network:
    """Build MobileNet v1; all channels are multiplied by `width` (section 3.3).

    Padding is TensorFlow's SAME, as in the paper's own code and Keras.
    """
    g(f"conv k3 s2 same o{_scaled(32, width)} nobias, bn, relu6")
    for number, (channels, stride) in enumerate(V1, start=1):
        with g.scope(f"block{number}"):
            g(f"dwconv k3 s{stride} same nobias, bn, relu6")
            g(f"conv k1 o{_scaled(channels, width)} nobias, bn, relu6")
    g("globalavgpool, flatten, dense o1000")
    return g.build()


def _scaled(channels: int, width: float) -> int:
    """Return the channels of a narrower or wider network."""
    return max(1, int(channels * width))
