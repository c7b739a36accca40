"""Three kinds of classifiers: Goodfellow, Bengio & Courville (2016), "Deep Learning", figure 9.11.

The figure states sizes but no kernels: here convolutions are 3x3 with padding 1, which gives its sizes, and the window
of a pool is as large as its stride.
"""

from convcli.networks.builder import Builder
from convcli.networks.network import Network

REMARKS = (
    "the figure does not state the kernels; here convolutions are 3x3, and pools have windows as large as the stride",
)


def fixed_size(g: Builder, classes: int = 1000) -> Network:
    """Build the left one: the feature map is flattened, so the dense layer fixes the size of the images."""
    _features(g)
    g(f"maxpool k4, flatten, dense o{classes}, softmax")
    return g.build(remarks=REMARKS)


def variable_size(g: Builder, classes: int = 1000) -> Network:
    """Build the one in the centre: a pool to a 3x3 grid lets the dense layer take images of any size."""
    _features(g)
    g(f"adaptivemaxpool o3, flatten, dense o{classes}, softmax")
    return g.build(remarks=REMARKS)


def without_dense_layer(g: Builder, classes: int = 1000) -> Network:
    """Build the right one: a convolution makes one map per class, whose mean is the score of the class."""
    _features(g)
    g(f"maxpool k4, conv k3 p1 o{classes}, globalavgpool, flatten, softmax")
    return g.build(remarks=REMARKS)


def _features(g: Builder) -> None:
    g("conv k3 p1 o64, relu, maxpool k4, conv k3 p1 o64, relu")
