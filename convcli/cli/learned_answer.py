"""The answer of `convcli learn`: rows of numbers, and the lines that explain them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convcli import __version__
from convcli.cli.number_grid import aligned
from convcli.layers.text.notation import format_padding_as_typed
from convcli.render import Answer, Grid

if TYPE_CHECKING:
    from convcli.learning.learned_kernel import Array, Learned

COLUMNS = ("size", "padding", "bias", "residual", "explained", "rank", "unknowns", "condition")
MOST_SHOWN = 15  # rows and columns of weights that are printed; the field `weights` holds all
MOST_KERNELS = 4  # that are printed
EVERY = 5  # steps of gradient descent whose loss is told
MOST_LOSSES = 40  # that are told
UNSURE = 0.05  # of the largest weight: a standard error that is worth a word


def learned_answer(learned: Learned) -> Answer:
    """Put what was learned into a row for each kernel, with its weights below."""
    kernels = _kernels(learned.weights)
    biases = (
        [float(learned.bias)] if isinstance(learned.bias, float) else [float(bias) for bias in learned.bias]
    )
    rows = [
        {
            "size": learned.weights.shape[-2:],
            "padding": format_padding_as_typed(learned.padding),
            "bias": bias,
            "weights": Grid(_plain(kernel)),
            **_measures(learned),
        }
        for kernel, bias in zip(kernels, biases, strict=True)
    ]
    columns: Sequence[str] = COLUMNS
    if len(rows) > 1:
        rows = [{"kernel": number, **row} for number, row in enumerate(rows)]
        columns = ("kernel", *columns)
    return Answer("learn", __version__, rows, rows, {}, columns, ("weights",), _remarks(learned, kernels))


def _kernels(weights: Array) -> list[Array]:
    """Return the kernels, of one (kh, kw), of several (C, kh, kw) or (O, C, kh, kw)."""
    return [weights] if weights.ndim == 2 else list(weights)


def _measures(learned: Learned) -> dict[str, Any]:
    near = learned.nearest
    return {
        "residual": learned.residual,
        "largest": learned.largest,
        "explained": learned.explained,
        "rank": learned.rank,
        "unknowns": learned.unknowns,
        "condition": learned.condition,
        "error": learned.error,
        "samples": learned.samples,
        **learned.left_out._asdict(),
        "nearest": near.spec if near is not None and near.is_near else None,
        "scale": near.scale if near is not None and near.is_near else None,
        "distance": near.distance if near is not None and near.is_near else None,
        "undetermined": " ".join(f"{line}." for line in learned.undetermined) or None,
        "lr": learned.lr,
        "losses": Grid(learned.losses) or None,
        "linear": learned.linear,
    }


def _plain(weights: Array) -> tuple[Any, ...]:
    """Return weights as nested tuples, whole ones as integers."""
    if weights.ndim > 1:
        return tuple(map(_plain, weights))
    return tuple(int(weight) if weight.is_integer() else weight for weight in weights.tolist())


def _remarks(learned: Learned, kernels: Sequence[Array]) -> list[str]:
    """Say what was found, below the table."""
    lines = []
    for number, kernel in enumerate(kernels[:MOST_KERNELS]):
        if max(kernel.shape) > MOST_SHOWN:
            lines += ["the weights are too many to print here: take --field weights, or -o", ""]
            break
        lines += [f"kernel {number}:"] if len(kernels) > 1 else []
        for part in kernel if kernel.ndim == 3 else [kernel]:
            lines += [*aligned(_plain(_readable(part, learned.weights))), ""]
    lines += _losses(learned.losses)
    if (near := learned.nearest) is not None:
        lines.append(
            f"nearest: {near.words}{_of_one_axis(learned, near.dims)}"
            if near.is_near
            else "like no named kernel"
        )
    if not learned.weights.any():
        lines.append(
            "all weights are 0: the second picture does not change with the first, the bias alone makes it"
        )
    lines += learned.undetermined
    largest = float(abs(learned.weights).max())
    if not learned.undetermined and learned.error > UNSURE * largest:
        lines.append(f"the residuals leave the weights uncertain by {learned.error:.2g} (standard error)")
    out = learned.left_out
    for count, why in (
        (out.clipped, "black or white, and may be clipped (`keep_clipped=True` uses them)"),
        (out.border, "made of windows that reach beyond the border (`padding_mode` says what is there)"),
        (out.masked, "not opaque, or made of what is not"),
    ):
        if count:
            lines.append(f"left out: {count:,} samples {why}")
    if learned.linear:
        lines.append("bias and residual are of linear light, in which white is 1; `linear=True` filters it")
    lines += [
        f"residual: the root mean square of what is left of {learned.samples:,} samples, the largest "
        f"{learned.largest:.4g}",
        "rank: how many of the unknowns the pictures determine",
    ]
    return lines


def _readable(part: Array, weights: Array) -> Array:
    """Return weights for reading: those far below the largest are 0."""
    import numpy as np

    largest = float(np.abs(weights).max()) or 1.0
    rounded: Array = np.where(np.abs(part) < 1e-9 * largest, 0.0, part)
    return rounded


def _losses(losses: Sequence[float]) -> list[str]:
    """Write the loss of every fifth step, as the textbooks print it: before the step changes the weights."""
    told = [f"step {step}, loss {losses[step - 1]:.4g}" for step in range(EVERY, len(losses), EVERY)]
    if len(told) > MOST_LOSSES:
        told = [*told[: MOST_LOSSES // 2], "...", *told[-MOST_LOSSES // 2 :]]
    return told


def _of_one_axis(learned: Learned, dims: int) -> str:
    """Say how a kernel of one axis lies."""
    if dims == 2:
        return ""
    return f", of one axis (--dims 1 --along {'rows' if learned.weights.shape[0] == 1 else 'columns'})"
