"""The answer of `convcli learn`: a row for each kernel, and lines that explain it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from convcli import __version__
from convcli.cli.number_grid import aligned
from convcli.layers.text.notation import format_padding_as_typed
from convcli.render import Answer, Grid

if TYPE_CHECKING:
    from convcli.learning.learned_kernel import Accuracy, Array, Learned

COLUMNS = ("size", "padding", "bias", "residual", "explained", "rank", "unknowns", "condition")
MAX_SHOWN = 15  # rows and columns of weights that are printed; the field `weights` holds all
MAX_KERNELS = 4  # kernels whose weights are printed
EVERY = 5  # the loss of every fifth step of gradient descent is printed
MAX_LOSSES = 40  # losses that are printed
INEXACT = (
    1e-4  # distance from which the nearest kernel is not the learned one, within the accuracy of its words
)
UNSURE = 0.05  # standard error, relative to the largest weight, from which it is reported


def learned_answer(learned: Learned, named: Callable[[str], str] = str) -> Answer:
    """Return the answer: a row for each kernel, with its weights below.

    named : returns a message with the names of its arguments replaced by those of options
    """
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
            **_measures(learned, accuracy, named),
        }
        for kernel, bias, accuracy in zip(kernels, biases, _accuracies(learned, len(kernels)), strict=True)
    ]
    columns: Sequence[str] = COLUMNS
    if len(rows) > 1:
        rows = [{"kernel": number, **row} for number, row in enumerate(rows)]
        columns = ("kernel", *columns)
    return Answer("learn", __version__, rows, rows, {}, columns, ("weights",), _remarks(learned, kernels))


def _kernels(weights: Array) -> list[Array]:
    """Return the kernels: one for weights (kh, kw), several for (C, kh, kw) or (O, C, kh, kw)."""
    return [weights] if weights.ndim == 2 else list(weights)


def notes_on_learned(learned: Learned, fields: Collection[str]) -> list[str]:
    """Return notes for an answer without remarks: on a poor fit, and on the distance to the nearest kernel.

    fields : the fields that are printed, or nothing for all
    """
    near = learned.nearest if "nearest" in fields and "distance" not in fields else None
    inexact = near is not None and (near.distance > INEXACT or near.scale != 1)
    return [_nearest(learned)] * inexact + _warnings(learned)


def _accuracies(learned: Learned, count: int) -> list[Accuracy]:
    """Return the measures of each kernel; with `mix`, each has those of all."""
    return list(learned.per_kernel) or [learned.accuracy] * count


def _measures(learned: Learned, accuracy: Accuracy, named: Callable[[str], str]) -> dict[str, Any]:
    near = learned.nearest
    return {
        **accuracy._asdict(),
        **learned.left_out._asdict(),
        "nearest": near.spec if near is not None and near.is_near else None,
        "scale": near.scale if near is not None and near.is_near else None,
        "distance": near.distance if near is not None and near.is_near else None,
        "undetermined": _sentences(learned.undetermined),
        "advice": _sentences(map(named, learned.advice)),
        "lr": learned.lr,
        "losses": Grid(learned.losses) or None,
        "linear": learned.linear,
    }


def _sentences(lines: Iterable[str]) -> str | None:
    return " ".join(f"{line}." for line in lines) or None


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
    lines += filter(None, [_nearest(learned)])
    lines += _warnings(learned)
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
    return [
        *lines,
        _residual(learned, len(kernels)),
        "explained: the share of the variance of the second picture that is explained",
        "rank: the number of unknowns that the pictures determine",
        "condition: the condition number of the windows; its logarithm is about the number of digits that are lost",
    ]


def _nearest(learned: Learned) -> str:
    """Return a line on the nearest named kernel; empty if several kernels are learned, or all weights are 0."""
    if (near := learned.nearest) is None:
        return ""
    if not near.is_near:
        return "nearest: none of the named kernels is similar"
    return f"nearest: {near.words}{_of_one_axis(learned, near.dims)}"


def _warnings(learned: Learned) -> list[str]:
    """Return lines on what the pictures do not determine, and on what would explain a residual better."""
    lines = []
    if not learned.weights.any():
        lines.append("all weights are 0: the second picture does not depend on the first, only on the bias")
    lines += [*learned.undetermined, *learned.advice]
    largest = float(abs(learned.weights).max())
    if not learned.undetermined and learned.error > UNSURE * largest:
        lines.append(
            f"the weights have a standard error of {learned.error:.2g}, estimated from the residuals"
        )
    return lines


def _residual(learned: Learned, count: int) -> str:
    """Return a line on the residual of several kernels, or of one."""
    if learned.per_kernel:
        return (
            f"residual: the root mean square error; over all {learned.samples:,} samples it is {learned.residual:.4g}, "
            f"and the largest error is {learned.largest:.4g}"
        )
    channels = " of all channels" if count > 1 else ""
    return (
        f"residual: the root mean square error over {learned.samples:,} samples{channels}; the largest error is "
        f"{learned.largest:.4g}"
    )


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
