"""NumPy runs a layer: arrays in, arrays out.

Names, argument order and meaning are PyTorch's, one function for any number of spatial axes. Arrays are
(N, C, *spatial), or (C, *spatial) for one input; the results are new arrays.

>>> import numpy as np
>>> from convcli import backend
>>> x = np.random.default_rng(0).standard_normal((1, 3, 32, 32))
>>> y = backend.conv(x, np.ones((8, 3, 3, 3)), padding="same")
>>> y.shape, backend.max_pool(y, 2).shape
((1, 8, 32, 32), (1, 8, 16, 16))
"""

from convcli.backend.adaptive import adaptive_avg_pool, adaptive_max_pool
from convcli.backend.chain import run_chain, run_layer
from convcli.backend.convolution import conv
from convcli.backend.deformable import deform_conv
from convcli.backend.dense import dense
from convcli.backend.elements import activation, batch_norm
from convcli.backend.matrix import conv_matrix
from convcli.backend.parameters import parameter_shapes
from convcli.backend.pooling import avg_pool, lp_pool, max_pool
from convcli.backend.rearrange import channel_shuffle, unfold
from convcli.backend.resize import resize
from convcli.backend.transposed import conv_transpose
from convcli.backend.unshared import local_conv, tiled_conv

__all__ = [
    "conv",
    "conv_transpose",
    "deform_conv",
    "local_conv",
    "tiled_conv",
    "max_pool",
    "avg_pool",
    "lp_pool",
    "adaptive_avg_pool",
    "adaptive_max_pool",
    "channel_shuffle",
    "unfold",
    "conv_matrix",
    "dense",
    "activation",
    "batch_norm",
    "resize",
    "parameter_shapes",
    "run_layer",
    "run_chain",
]
