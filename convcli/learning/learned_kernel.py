"""The record `Learned`: a learned kernel with measures of its accuracy."""

from __future__ import annotations  # help() shows the annotations by name

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from numpy.typing import NDArray

from convcli.errors import ArgumentError
from convcli.kernels import Kernel
from convcli.kernels.kernel import nested
from convcli.layers.padding import AnyPadding
from convcli.learning.nearest_kernel import Nearest, nearest_kernel
from convcli.learning.picture_pairs import LeftOut

Array = NDArray[Any]


class Accuracy(NamedTuple):
    """How well one kernel, or several together, fit; see `Learned`."""

    residual: float
    largest: float
    explained: float
    rank: int
    unknowns: int
    condition: float
    error: float
    samples: int


@dataclass(frozen=True)
class Learned:
    """A learned kernel with measures of its accuracy.

    weights : ndarray, (kh, kw); with per_channel (C, kh, kw), with mix (O, C, kh, kw)
    bias : float, or ndarray with one per kernel or output channel; in units of the samples
    residual : the root mean square of the residuals, in units of the samples
    largest : the largest residual
    explained : the explained share of the variance of `after`, at most 1
    rank, unknowns : the number of unknowns that the pictures determine, and the number of unknowns
    condition : condition number of the windows; about log10 of it digits are lost
    error : the largest standard error of a weight, from the residuals
    undetermined : what the pictures do not determine, in words
    samples : the number of samples of `after` that were used
    left_out : the number of samples that were not used
    padding : the padding from `before` to `after`
    losses : for gradient descent, the sum of squared errors before each step and at the end, of samples scaled to 1
    lr : for gradient descent, the learning rate
    trace : for gradient descent, the weights before each step and at the end
    linear : whether the samples are linear light, where white is 1
    advice : what would explain the residual better, in words; empty if nothing is known
    per_kernel : with per_channel, the measures of each kernel; otherwise empty
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
    advice: tuple[str, ...] = ()
    per_kernel: tuple[Accuracy, ...] = ()

    @property
    def accuracy(self) -> Accuracy:
        """The measures of all kernels together."""
        return Accuracy(*(getattr(self, name) for name in Accuracy._fields))

    @property
    def kernel(self) -> Kernel:
        """The kernel with its bias, for `filter_picture`; raises ArgumentError if there are several."""
        if self.weights.ndim != 2:
            raise ArgumentError(
                f"{len(self.weights)} kernels were learned, not one; use them as the `weights` of a layer"
            )
        matrix = nested([float(weight) for weight in self.weights.ravel()], self.weights.shape)
        return Kernel("learned", (matrix,), offset=float(self.bias), source="learned from pictures")

    @property
    def layer_weights(self) -> Array:
        """The weights in the shape of a layer's, (O, C / groups, kh, kw)."""
        if self.weights.ndim == 4:
            return self.weights
        return self.weights.reshape(-1, 1, *self.weights.shape[-2:])

    @cached_property
    def nearest(self) -> Nearest | None:
        """The named kernel nearest to the learned one; None if there are several."""
        return nearest_kernel(self.weights) if self.weights.ndim == 2 else None
