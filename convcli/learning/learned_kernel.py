"""A kernel that was learned, and how sure it is."""

from __future__ import annotations  # help() shows the annotations by name

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from convcli.errors import ArgumentError
from convcli.kernels import Kernel
from convcli.kernels.kernel import nested
from convcli.layers.padding import AnyPadding
from convcli.learning.nearest_kernel import Nearest, nearest_kernel
from convcli.learning.picture_pairs import LeftOut

Array = NDArray[Any]


@dataclass(frozen=True)
class Learned:
    """A kernel that was learned, and how sure it is.

    weights : ndarray, (kh, kw); of per_channel (C, kh, kw), of mix (O, C, kh, kw)
    bias : float, or ndarray with one for each kernel or output channel; in units of the samples
    residual : the root mean square of what is left, in units of the samples
    largest : the largest residual
    explained : the share of the variance of `after` that the kernel makes, 1 at most
    rank, unknowns : how many of the numbers the pictures determine, of how many
    condition : of the windows; the digits that are lost are about its logarithm
    error : the largest standard error of a weight, from the residuals
    undetermined : what the pictures leave open, in words
    samples : how many of `after` were used; and `left_out`, how many were not
    padding : what lies between the pictures
    losses : of gradient descent, the sum of squared errors before each step and at the end, of samples up to 1
    lr : its learning rate
    trace : its weights before each step and at the end
    linear : whether the samples are linear light, in which white is 1
    """

    weights: Array
    bias: float | Array
    residual: float
    largest: float
    explained: float
    rank: int
    unknowns: int
    condition: float
    error: float
    undetermined: tuple[str, ...]
    samples: int
    left_out: LeftOut
    padding: AnyPadding
    losses: tuple[float, ...] = ()
    lr: float | None = None
    trace: tuple[Array, ...] = field(default=(), repr=False)
    linear: bool = False

    @property
    def kernel(self) -> Kernel:
        """The kernel with its bias as `filter_picture` takes it; of several there is none."""
        if self.weights.ndim != 2:
            raise ArgumentError(
                f"{len(self.weights)} kernels were learned, not one; give them to a layer as its `weights`"
            )
        matrix = nested([float(weight) for weight in self.weights.ravel()], self.weights.shape)
        return Kernel("learned", (matrix,), offset=float(self.bias), source="learned from pictures")

    @property
    def layer_weights(self) -> Array:
        """The weights as a layer has them, (O, C / groups, kh, kw)."""
        if self.weights.ndim == 4:
            return self.weights
        return self.weights.reshape(-1, 1, *self.weights.shape[-2:])

    @cached_property
    def nearest(self) -> Nearest | None:
        """The named kernel that is nearest to the only one that was learned."""
        return nearest_kernel(self.weights) if self.weights.ndim == 2 else None
