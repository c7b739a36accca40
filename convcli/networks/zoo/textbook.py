"""Three kinds of classifiers: Goodfellow, Bengio & Courville (2016), "Deep Learning", figure 9.11.

The figure gives the sizes, not the kernels: here they are 3x3 with padding 1, as large as its sizes need, and pools are
as wide as their stride.
"""

from convcli.networks.builder import Builder
from convcli.networks.network import Network

REMARKS = (
    "the figure does not say the kernels; here convolutions are 3x3 and pools as wide as their stride",
)


def fixed_size(g: Builder, classes: int = 1000) -> Network:
    """Build the left one: the feature map is flattened, so that the dense layer takes one size of images only."""
    _features(g)
    g(f"maxpool k4, flatten, dense o{classes}, softmax")
    return g.build(remarks=REMARKS)


def variable_size(g: Builder, classes: int = 1000) -> Network:
    """Build the one in the centre: a pool to a grid of 3x3 lets the dense layer take images of any size."""
    _features(g)
    g(f"adaptivemaxpool o3, flatten, dense o{classes}, softmax")
    return g.build(remarks=REMARKS)


def without_dense_layer(g: Builder, classes: int = 1000) -> Network:
    """Build the right one: a convolution makes a map for each class, and its mean is the class's score."""
    _features(g)
    g(f"maxpool k4, conv k3 p1 o{classes}, globalavgpool, flatten, softmax")
    return g.build(remarks=REMARKS)


def _features(g: Builder) -> None:
    g("conv k3 p1 o64, relu, maxpool k4, conv k3 p1 o64, relu")
