"""Learn a kernel from pairs of pictures."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.errors import ArgumentError
from convcli.layers.axes import PerAxis
from convcli.layers.padding import AnyPadding
from convcli.learning.learned_kernel import Learned
from convcli.learning.learning_recipe import Recipe

Array = NDArray[Any]


def learn_kernel(
    before: ArrayLike | Sequence[Array],
    after: ArrayLike | Sequence[Array],
    size: PerAxis = 3,
    *,
    stride: PerAxis = 1,
    padding: AnyPadding | None = None,
    padding_mode: str | None = None,
    dilation: PerAxis = 1,
    flip: bool = False,
    bias: bool = True,
    per_channel: bool = False,
    mix: bool = False,
    mask: ArrayLike | Sequence[Array] | None = None,
    keep_clipped: bool = False,
    linear: bool = False,
    method: str = "exact",
    steps: int | None = None,
    lr: float | None = None,
    seed: int | None = None,
) -> Learned:
    """Find the kernel and the bias that transform one picture into another.

    The kernel minimises the sum of (after - conv(before, kernel) - bias)^2: linear least squares, where the rows are
    the windows of `before`. Several pairs of pictures are used together.

    Parameters
    ----------
    before, after : array_like, (H, W) or (H, W, C), or lists of arrays
        A picture and the picture that was made from it, or lists of the same length. `after` has the size of `before`
        (padding `same`), or is smaller (`valid`, or a stride) or larger (`full`).
    size : int or (rows, columns)
        The size of the kernel, at most 63 on a side.
    stride, dilation : int or one per axis
        As in `backend.conv`.
    padding : int, one per axis, (before, after) pairs, or a name
        As in `backend.conv`; by default the one of `same`, `valid` and `full` that gives the size of `after`.
    padding_mode : str, optional
        What extended `before` beyond its border, as in `backend.conv`. By default samples whose windows extend beyond
        the border are ignored.
    flip : bool
        Learn the kernel of a true convolution: rotated by 180 degrees.
    bias : bool
        Learn a bias too.
    per_channel : bool
        Learn one kernel per channel, rather than one for all channels.
    mix : bool
        Learn weights from every channel of `before` to every channel of `after`.
    mask : array_like of bool, the (H, W) of `after`, or a list of them, optional
        True for the samples of `after` to use.
    keep_clipped : bool
        Use samples of `after` that are the smallest or the largest value of their integer type too. They are ignored by
        default, because they may have been clipped.
    linear : bool
        Decode samples of 8 or 16 bits from sRGB to linear light first, as in `filter_picture(linear=True)`. The bias
        and the residuals are then in linear light, where white is 1.
    method : str
        `exact` for least squares, or `sgd` for gradient descent on all samples at once, as in textbooks.
    steps, lr, seed : int, float, int
        For `sgd`: the number of steps, by default 100; the learning rate, by default 0.9 times the largest one that
        converges; the seed of random initial weights, by default zeros.

    Returns
    -------
    Learned
        With `weights`, `bias`, `kernel`, and measures of their accuracy.

    Raises
    ------
    ArgumentError
        If the pictures do not match, do not determine any weight, or the learning rate is too large.

    Notes
    -----
    The loss of `sgd` is the sum of the squared errors; samples of integer types are divided by their largest value.

    Examples
    --------
    >>> import numpy as np
    >>> import convcli
    >>> before = np.ones((6, 8))
    >>> before[:, 2:6] = 0
    >>> after = before[:, :-1] - before[:, 1:]
    >>> learned = convcli.learn_kernel(before, after, (1, 2))
    >>> learned.weights, learned.bias
    (array([[ 1., -1.]]), 0.0)
    >>> learned = convcli.learn_kernel(before, after, (1, 2), bias=False, method="sgd", steps=20, lr=0.01)
    >>> [round(loss, 3) for loss in learned.losses[::5]]
    [12.0, 3.342, 0.931, 0.259, 0.072]

    """
    recipe = Recipe.of(
        size, stride=stride, padding=padding, padding_mode=padding_mode, dilation=dilation, method=method,
        per_channel=per_channel, mix=mix, steps=steps, lr=lr, seed=seed, flip=flip, bias=bias,
        keep_clipped=keep_clipped, linear=linear,
    )  # fmt: skip
    befores, afters = _several(before), _several(after)
    masks = [None] * len(afters) if mask is None else _several(mask)
    if not len(befores) == len(afters) == len(masks) or not befores:
        raise ArgumentError(
            f"`before` has {len(befores)} pictures, `after` {len(afters)}"
            + (f", `mask` {len(masks)}" if mask is not None else "")
            + "; give the same number of each"
        )
    return recipe.learn([recipe.pair(*each) for each in zip(befores, afters, masks, strict=True)])


def _several(pictures: Any) -> list[Any]:
    """Return the pictures in a list of arrays, or a list of the only picture."""
    if (
        isinstance(pictures, list | tuple)
        and pictures
        and all(isinstance(each, np.ndarray) for each in pictures)
    ):
        return list(pictures)
    try:
        return [np.asarray(pictures)]
    except ValueError as error:
        raise ArgumentError(f"`before`, `after` or `mask` is not an array: {error}") from None
