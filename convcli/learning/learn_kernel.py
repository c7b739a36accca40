"""Learning a kernel from pictures."""

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
    """Find the kernel and the bias that turn one picture into another.

    Of all kernels it is the one for which the sum of (after - conv(before, kernel) - bias)^2 is least: linear least
    squares, where the windows of `before` are the rows. Several pictures are learned from together.

    Parameters
    ----------
    before, after : array_like, (H, W) or (H, W, C), or lists of arrays
        A picture, and what became of it; or as many of each. `after` is as large as `before` (padding `same`), smaller
        (`valid`, or by a stride) or larger (`full`).
    size : int or (rows, columns)
        The size of the kernel, at most 63 on a side.
    stride, dilation : int or one for each axis
        As in `backend.conv`.
    padding : int, one for each axis, (before, after) pairs, or a name
        As in `backend.conv`; without it `same`, `valid` or `full`, whichever makes the size of `after`.
    padding_mode : str, optional
        How `before` went on beyond its border, as in `backend.conv`. Without it the samples whose windows reach there
        are left out.
    flip : bool
        Learn the kernel of a true convolution: turned by 180 degrees.
    bias : bool
        Whether a number is added to each answer.
    per_channel : bool
        Learn a kernel for each channel; one for all of them otherwise.
    mix : bool
        Learn weights from every channel of `before` to every one of `after`.
    mask : array_like of bool, the (H, W) of `after`, or a list of them, optional
        Which samples of `after` count.
    keep_clipped : bool
        Use the samples of `after` that are the least or the largest of their integer type. They may have been clipped,
        and are left out otherwise.
    linear : bool
        Learn from the light that the samples stand for, sRGB of 8 or 16 bits, as `filter_picture(linear=True)` computes
        with it. The bias and the residuals are light, too, in which white is 1.
    method : str
        `exact`, or `sgd`: gradient descent on all samples at once, as textbooks have it.
    steps, lr, seed : int, float, int
        Of `sgd`: how many steps, 100 by default; the learning rate, by default nine tenths of the largest that
        converges; and the seed of the weights that it begins with, which are 0 without one.

    Returns
    -------
    Learned
        With `weights`, `bias`, the `kernel` of both, and how sure they are.

    Raises
    ------
    ArgumentError
        Where the pictures do not fit each other, tell nothing, or the learning rate is too large.

    Notes
    -----
    The loss of `sgd` is the sum of the squared errors, of samples that are divided by the largest of their integer
    type.

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
            f"before has {len(befores)} pictures, after {len(afters)}"
            + (f", mask {len(masks)}" if mask is not None else "")
            + "; give as many of each"
        )
    return recipe.learn([recipe.pair(*each) for each in zip(befores, afters, masks, strict=True)])


def _several(pictures: Any) -> list[Any]:
    """Return the pictures of a list of arrays, or the only one."""
    if (
        isinstance(pictures, list | tuple)
        and pictures
        and all(isinstance(each, np.ndarray) for each in pictures)
    ):
        return list(pictures)
    try:
        return [np.asarray(pictures)]
    except ValueError as error:
        raise ArgumentError(f"before, after or mask is no array: {error}") from None
