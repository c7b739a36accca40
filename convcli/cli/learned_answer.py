"""The answer of `convcli learn`: a row for each kernel, and lines that explain it."""

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
MAX_SHOWN = 15  # rows and columns of weights that are printed; the field `weights` holds all
MAX_KERNELS = 4  # kernels whose weights are printed
EVERY = 5  # the loss of every fifth step of gradient descent is printed
MAX_LOSSES = 40  # losses that are printed
UNSURE = 0.05  # standard error, relative to the largest weight, from which it is reported


def learned_answer(learned: Learned) -> Answer:
    """Return the answer: a row for each kernel, with its weights below."""
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
    """Return the kernels: one for weights (kh, kw), several for (C, kh, kw) or (O, C, kh, kw)."""
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
    """Return weights as nested tuples, with integers where they are integral."""
    if weights.ndim > 1:
        return tuple(map(_plain, weights))
    return tuple(int(weight) if weight.is_integer() else weight for weight in weights.tolist())


def _remarks(learned: Learned, kernels: Sequence[Array]) -> list[str]:
    """Return the lines below the table."""
    lines = []
    for number, kernel in enumerate(kernels[:MAX_KERNELS]):
        if max(kernel.shape) > MAX_SHOWN:
            lines += ["the kernel is too large to print; use --field weights, or write it with -o", ""]
            break
        lines += [f"kernel {number}:"] if len(kernels) > 1 else []
        for part in kernel if kernel.ndim == 3 else [kernel]:
            lines += [*aligned(_plain(_readable(part, learned.weights))), ""]
    lines += _losses(learned.losses)
    if (near := learned.nearest) is not None:
        lines.append(
            f"nearest: {near.words}{_of_one_axis(learned, near.dims)}"
            if near.is_near
            else "nearest: none of the named kernels is similar"
        )
    if not learned.weights.any():
        lines.append("all weights are 0: the second picture does not depend on the first, only on the bias")
    lines += learned.undetermined
    lines += learned.advice
    largest = float(abs(learned.weights).max())
    if not learned.undetermined and learned.error > UNSURE * largest:
        lines.append(
            f"the weights have a standard error of {learned.error:.2g}, estimated from the residuals"
        )
    out = learned.left_out
    for count, why in (
        (out.clipped, "that are black or white and may be clipped (`keep_clipped=True` uses them)"),
        (out.border, "whose windows cross the border (`padding_mode` sets how the picture is extended)"),
        (out.masked, "that are not opaque, or depend on pixels that are not"),
    ):
        if count:
            lines.append(f"left out: {count:,} samples {why}")
    if learned.linear:
        lines.append(
            "bias and residual are in linear light, where white is 1; run the kernel with filter `linear=True`"
        )
    lines += [
        f"residual: the root mean square error over {learned.samples:,} samples; the largest error is "
        f"{learned.largest:.4g}",
        "rank: the number of unknowns that the pictures determine",
    ]
    return lines


def _readable(part: Array, weights: Array) -> Array:
    """Return weights for printing, with 0 for those that are negligible compared with the largest."""
    import numpy as np

    largest = float(np.abs(weights).max()) or 1.0
    rounded: Array = np.where(np.abs(part) < 1e-9 * largest, 0.0, part)
    return rounded


def _losses(losses: Sequence[float]) -> list[str]:
    """Return a line with the loss of every fifth step, before that step changes the weights, as in textbooks."""
    lines = [f"step {step}, loss {losses[step - 1]:.4g}" for step in range(EVERY, len(losses), EVERY)]
    if len(lines) > MAX_LOSSES:
        lines = [*lines[: MAX_LOSSES // 2], "...", *lines[-MAX_LOSSES // 2 :]]
    return lines


def _of_one_axis(learned: Learned, dims: int) -> str:
    """Return the options by which a named kernel with one axis has the shape of the learned one."""
    if dims == 2:
        return ""
    return f", of one axis (--dims 1 --along {'rows' if learned.weights.shape[0] == 1 else 'columns'})"
