"""convcli compare IMAGE: the results of the variants and methods on a picture, and the time that they take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli import __version__
from convcli.cli.options.answer_options import AnswerOptions
from convcli.cli.trial_progress import Trying
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError, ConvcliError
from convcli.files import check_target, write_whole
from convcli.images.formats import FORMATS, formats_for
from convcli.jobs.read_source import Reading
from convcli.layers.variants import VARIANTS
from convcli.render import Answer

if TYPE_CHECKING:
    from convcli.analysis.trials import Outcome, Trials
    from convcli.images.sheet import Panel

COLUMNS = (
    "variant",
    "engine",
    "method",
    "macs",
    "seconds",
    "difference",
    "psnr",
    "rank",
    "rank_error",
    "shift",
    "rotation",
    "scaling",
)
REMARKS = (
    "engine: filter is the code of convcli filter, on all cores, with clipped and rounded results; conv calculates in "
    "floats on one core",
    "seconds: the median of a few runs; macs: the count for the variant's layers, independent of the method",
    "difference: the largest difference from direct summation in float64, of depthwise or, for variants with its "
    "output shape, standard; psnr: in dB, empty if nothing differs",
    "rank error: the relative error of an approximation of this rank, in the Frobenius norm",
    "shift, rotation, scaling: the largest difference between filtering the shifted (by a pixel, or the stride), "
    "rotated (by 90 degrees) or doubled picture, and shifting, rotating or doubling the filtered picture, away from "
    "borders; 0 is equivariance",
)


def compare_on(
    source: Path | BinaryIO,
    name: str,
    spec: str,
    reading: Reading,
    variants: Sequence[str],
    messages: Messages,
    answer: AnswerOptions,
    *,
    activation: str | None,
    pool: str | None,
) -> None:
    """Run the variants of a kernel, each followed by the activation and the pool, on a picture.

    Print or write the rows, and draw a sheet of the results if -o names a picture.
    """
    from convcli.analysis.trials import Trials
    from convcli.images.sheet import Panel, draw_sheet
    from convcli.images.write import encode
    from convcli.kernels import bounded, parse_kernel
    from convcli.layers.text.pool_grammar import parse_pool

    kernel = bounded(parse_kernel(spec))
    kernel.check_linear("compare")
    pooled = None if pool is None else parse_pool(pool)
    if pooled is not None:
        pooled(2)  # reports wrong sizes before the picture is read
    sheet = answer.picture_file
    if sheet is not None:
        _check_sheet(*sheet, overwrite=answer.force)
    else:
        answer.check_format()
    pixels, mode, zero = _read(source, name, reading, messages)
    trials = Trials(pixels, kernel, zero, activation=activation, pool=pooled)
    rows: list[dict[str, Any]] = []
    panels: list[Panel] = [Panel.of(pixels, mode, [Path(name).name, "unfiltered"])]
    progress = Trying(messages, trials.all(variants))
    for trial in progress:
        messages.detail(f"{trial.variant}, {trial.engine} {trial.method}")
        outcome = trials.run(trial)
        if outcome is not None:
            rows.append(_row(outcome, pixels.shape, spec))
            if sheet is not None:
                panels.append(Panel.of(trials.drawn(outcome), mode, _caption(rows[-1])))
    if not rows:
        why = trials.remarks[-1] if trials.remarks else "each is left out"
        raise ConvcliError(f"nothing can be compared on {name}: {why}")
    if sheet is not None:
        path, form = sheet
        data, _ = encode(draw_sheet(panels), form, str(path))
        write_whole(path, data, overwrite=answer.force)
        messages.note(f"wrote {path}")
        answer = answer._replace(output=None)
    answer.give(
        messages,
        Answer(
            command="compare",
            version=__version__,
            rows=rows,
            results=rows,
            totals={},
            columns=COLUMNS if trials.alone else (*COLUMNS, "change"),
            value=("seconds",),
            remarks=[
                *REMARKS,
                *(() if trials.alone else _invariance(trials, pooled is not None)),
                *(f"{name}: {VARIANTS[name].help}{_given(trials.setting(name))}" for name in variants),
                *trials.remarks,
            ],
        ),
    )


def _invariance(trials: Trials, pooled: bool) -> list[str]:
    """Return lines that explain invariance, and how invariant the layer is without the pool."""
    lines = [
        "change: how much the outputs change when the picture is shifted by a pixel, relative to their variation; 0 is "
        "invariance"
    ]
    if pooled and (before := trials.change_without_pool) is not None:
        lines.append(f"without the pool the outputs of depthwise change by {before:.4g}")
    return lines


def _read(source: Path | BinaryIO, name: str, reading: Reading, messages: Messages) -> tuple[Any, str, Any]:
    """Return the colours (H, W, C) of a picture's first frame, their mode, and the samples that represent 0.

    Print a note about what is left out.
    """
    with reading.open(source) as opened:
        reading.check_layout([(name, opened.header.format)])
        picture = opened.read()
    frame = picture.frames[0]
    notes = list(picture.notes)
    if len(picture.frames) > 1:
        notes.append(f"only the first of its {len(picture.frames)} frames is compared")
    if frame.has_alpha:
        notes.append("its alpha is left out")
    for note in notes:
        messages.note(f"{name}: {note}")
    pixels = frame.pixels if frame.pixels.ndim == 3 else frame.pixels[..., None]
    colours = frame.channels.removesuffix("A") if frame.has_alpha else frame.channels
    return pixels[..., :-1] if frame.has_alpha else pixels, colours, frame.zero


def _row(outcome: Outcome, shape: tuple[int, ...], kernel: str) -> dict[str, Any]:
    """Return an outcome as fields that JSON can represent."""
    from convcli.layers.text.format_layer import format_layer

    trial, cost = outcome.trial, outcome.cost
    height, width, channels = shape
    return {
        "variant": trial.variant,
        "engine": trial.engine,
        "method": trial.method,
        "kernel": kernel,
        "layer": ", ".join(map(format_layer, outcome.layers)),
        "input_shape": [channels, height, width],
        "output_shape": list(outcome.output_shape),
        "multiplications": cost.multiplications,
        "additions": cost.additions,
        "macs": cost.macs,
        "flops": cost.flops,
        "seconds": outcome.seconds,
        "difference": outcome.difference,
        "difference_at": None if outcome.place is None else list(outcome.place),
        "psnr": outcome.psnr,
        "rank": trial.rank,
        "rank_error": outcome.rank_error,
        "shift": outcome.shift,
        "rotation": outcome.rotation,
        "scaling": outcome.scaling,
        "change": outcome.change,
    }


def _caption(row: dict[str, Any]) -> list[str]:
    rank = f" of rank {row['rank']}" if row["rank"] else ""
    lines = [f"{row['variant']}{rank}, {row['engine']} {row['method']}"]
    lines.append(f"{row['macs']:,} MACs, {_duration(row['seconds'])}")
    if row["difference"] is not None:
        ratio = "" if row["psnr"] is None else f", {row['psnr']:.1f} dB"
        lines.append(f"difference {row['difference']:.3g}{ratio}")
    return lines


def _duration(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def _given(description: str) -> str:
    return f" Here: {description}." if description else ""


def _check_sheet(path: Path, form: str, *, overwrite: bool) -> None:
    """Raise an error if the sheet cannot be written, before anything is run."""
    if "RGB" not in FORMATS[form].modes:
        raise ArgumentError(
            f"-o {path}: a sheet is an RGB picture, which {form} cannot hold; use {formats_for('RGB', 1)}"
        )
    check_target(path, overwrite=overwrite)
