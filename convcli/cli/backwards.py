"""convcli shape --target: which options turn one size into another."""

from typing import Any, NamedTuple

from convcli import __version__
from convcli.cli.question import LayerOptions, Question, Size
from convcli.errors import ArgumentError
from convcli.layers.axes import axis_names, per_axis
from convcli.layers.chain import Row
from convcli.layers.inverse import MOST_DILATION, MOST_STRIDE, solve
from convcli.layers.padding import AnyPadding
from convcli.render import Answer

COLUMNS = ("axis", "kernel_size", "padding", "stride", "dilation")


def solve_backwards(options: LayerOptions, target: Size) -> tuple[Answer, list[str]]:
    """Return a row for every solution, the simplest first, and a line for each axis that has none.

    Options that were typed stay as they are.
    """
    if options.chain is not None or options.ceil:
        raise ArgumentError("--target solves for one convolution; leave out --layers and --ceil")
    rows, unsolved, asked = [], [], set()
    for question in options.questions():
        for axis in _axes(question, target):
            if axis in asked:
                continue
            asked.add(axis)
            found = _solutions(_typed(options, axis.place, question), axis, question.variant == "transposed")
            rows += found
            if not found:
                unsolved.append(
                    f"{axis.name}: nothing turns {axis.n} into {axis.target} with a kernel of {axis.kernel}, "
                    f"strides up to {MOST_STRIDE} and dilations up to {MOST_DILATION}{_kept(options)}"
                )
    transposed = options.questions()[0].variant == "transposed"
    sizes = ("input_size",) if len({row["input_size"] for row in rows}) > 1 else ()
    columns = (*COLUMNS[:1], *sizes, *COLUMNS[1:], *(("output_padding",) if transposed else ()))
    value = ("padding", "stride", "dilation", "output_padding")[: 4 if transposed else 3]
    return Answer("shape", __version__, rows, rows, {}, columns, value), unsolved


class _Axis(NamedTuple):
    """What is asked along one axis."""

    name: str
    place: int
    n: int
    kernel: int
    target: int


def _axes(question: Question, target: Size) -> list[_Axis]:
    """Return each axis, or one for all where they are alike."""
    if question.variant not in (None, "standard", "transposed") or question.conv is None:
        raise ArgumentError(f"--target knows standard and transposed layers, not {question.variant}")
    sizes, kernel = question.input_shape[1:], question.conv.kernel_size
    wanted = per_axis("target", target, len(sizes))
    named = zip(axis_names(len(sizes)), range(len(sizes)), sizes, kernel, wanted, strict=True)
    axes = [_Axis(*axis) for axis in named]
    alike = len({(axis.n, axis.kernel, axis.target) for axis in axes}) == 1
    return [axes[0]._replace(name="each")] if alike else axes


def _typed(options: LayerOptions, place: int, question: Question) -> dict[str, set[int]]:
    """Return the values that were typed for one axis; they are not solved for."""
    dims = len(question.input_shape) - 1
    typed: dict[str, tuple[Any, ...] | None] = {
        "stride": options.s,
        "dilation": options.d,
        "padding": options.p,
    }
    if options.output_padding is not None:
        typed["output_padding"] = (options.output_padding,)
    found: dict[str, set[int]] = {}
    for name, values in typed.items():
        for value in values or ():
            if isinstance(value, str) or (name == "padding" and not _is_symmetric(value)):
                raise ArgumentError(
                    f"--target solves with the same number on both sides, not with --p {options.p}"
                )
            one = value if isinstance(value, int) else per_axis(name, value, dims, 0)[place]
            found.setdefault(name, set()).add(one)
    return found


def _is_symmetric(padding: AnyPadding) -> bool:
    return isinstance(padding, int) or all(isinstance(side, int) for side in padding)


def _solutions(typed: dict[str, set[int]], axis: _Axis, transposed: bool) -> list[Row]:
    given = {f"{name}s": values for name, values in typed.items()}
    return [
        {
            "axis": axis.name,
            "input_size": axis.n,
            "output_size": axis.target,
            "kernel_size": axis.kernel,
            **solution._asdict(),
        }
        for solution in solve(axis.n, axis.target, axis.kernel, transposed, **given)
    ]


def _kept(options: LayerOptions) -> str:
    typed = {"--p": options.p, "--s": options.s, "--d": options.d, "--output-padding": options.output_padding}
    names = [name for name, value in typed.items() if value is not None]
    return f", keeping {', '.join(names)} as given" if names else ""
