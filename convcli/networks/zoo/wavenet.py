"""WaveNet: van den Oord et al. (2016), "A Generative Model for Raw Audio", arXiv 1609.03499, figures 3 and 4."""

from convcli.errors import ArgumentError
from convcli.networks.builder import Builder
from convcli.networks.network import Network

LAYERS = 10  # per stack: dilations 1, 2, 4 ... 512; an output sees 1,024 samples of the stack's input
MAX_STACKS = 100


def wavenet(g: Builder, stacks: int = 3, channels: int = 32, skip: int = 256) -> Network:
    """Build WaveNet's stacks of dilated causal convolutions, without conditioning.

    The paper does not state the numbers of channels and stacks.

    channels : of the residual path and of the gated units
    skip : of the connections from each layer to the output
    """
    if stacks > MAX_STACKS:
        raise ArgumentError(f"{g.name}: stacks must be at most {MAX_STACKS}, got {stacks}")
    values = g.channels()
    x = g(f"conv k2 p1:0 o{channels}", name="causal")
    skips = []
    for stack in range(1, stacks + 1):
        for layer in range(LAYERS):
            d = 2**layer
            with g.scope(f"stack{stack}.{d}"):
                filtered = g(f"conv k2 d{d} p{d}:0, tanh", x)
                gate = g(f"conv k2 d{d} p{d}:0, sigmoid", x)
                z = g("mul", filtered, gate)
                skips.append(g(f"conv k1 o{skip}", z, name="skip"))
                x = g("add", g(f"conv k1 o{channels}", z, name="residual"), x)
    g("add", *skips)
    g(f"relu, conv k1 o{skip}, relu, conv k1 o{values}, softmax")
    return g.build(
        remarks=("the first causal convolution and the stacks see 1 + 1 + stacks * 1,023 samples in total",)
    )
