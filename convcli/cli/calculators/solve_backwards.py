"""convcli shape --target: the options of a convolution that turn one size into another."""

from typing import Any, NamedTuple

from convcli import __version__
from convcli.cli.calculators.question import Question, Size
from convcli.cli.options.layer_options import LayerOptions, flag
from convcli.errors import ArgumentError
from convcli.layers.axes import axis_names, per_axis
from convcli.layers.inverse import MOST_DILATION, MOST_STRIDE, solve
from convcli.layers.text.notation import format_padding_as_typed
from convcli.networks.rows import Row
from convcli.render import Answer

NOT_OF_SIZES = (
    "in_channels",
    "out_channels",
    "groups",
    "bias",
    "batch",
    "dtype",
)  # options that do not change the output size
COLUMNS = ("axis", "kernel_size", "padding", "stride", "dilation")


def solve_backwards(options: LayerOptions, target: Size) -> tuple[Answer, list[str]]:
    """Return a row for every solution, the simplest first, and a line for each axis without a solution.

    Options that were typed keep their values.
    """
    if options.chain is not None or options.ceil:
        raise ArgumentError("--target solves for one convolution; leave out --layers and --ceil")
    for name in NOT_OF_SIZES:
        if getattr(options, name) != LayerOptions._field_defaults.get(name):
            raise ArgumentError(
                f"--target solves for sizes, which {flag(name)} does not change; leave it out"
            )
    questions = options.questions()
    spec = questions[0].spec
    transposed = spec is not None and spec.sizes == "transposed"
    rows, unsolved, solved_axes = [], [], set()
    for question in questions:
        for axis, given in _axes(options, question, target):
            if (axis, question.axes) in solved_axes:
                continue
            solved_axes.add((axis, question.axes))
            found = _solutions(axis, given, transposed)
            rows += found
            if len(rows) > options.max_rows:
                raise ArgumentError(
                    f"there are more solutions than the limit of {options.max_rows:,} rows; give fewer sizes at a "
                    f"time, or raise it with --max-rows {10 * options.max_rows}"
                )
            if not found:
                unsolved.append(
                    f"{axis.name}: no options turn {axis.n} into {axis.target} with kernel size {axis.kernel}, "
                    f"strides up to {MOST_STRIDE} and dilations up to {MOST_DILATION}{_kept(options)}"
                )
    sizes = ("input_size",) if len({row["input_size"] for row in rows}) > 1 else ()
    columns = (*COLUMNS[:1], *sizes, *COLUMNS[1:], *(("output_padding",) if transposed else ()))
    value = ("padding", "stride", "dilation", "output_padding")[: 4 if transposed else 3]
    return Answer("shape", __version__, rows, rows, {}, columns, value), unsolved


class _Axis(NamedTuple):
    """The sizes along one axis."""

    name: str
    n: int
    kernel: int
    target: int


Given = dict[str, list[Any]]  # the values that were typed for one axis, which are not solved for


def _axes(options: LayerOptions, question: Question, target: Size) -> list[tuple[_Axis, Given]]:
    """Return each axis with the values that were typed for it; a single one if all axes are the same."""
    if question.spec is not None and question.spec.sizes is None:
        raise ArgumentError(
            f"--target solves for the sizes of convolutions and transposed convolutions, and {question.variant} has "
            "other sizes; use another variant"
        )
    sizes, kernel, dims = question.input_shape[1:], question.conv().kernel_size, question.axes
    wanted = per_axis("target", target, dims)
    named = zip(axis_names(dims), sizes, kernel, wanted, strict=True)
    axes = [(_Axis(*axis), _given(options, place, dims)) for place, axis in enumerate(named)]
    first, given = axes[0]
    first = first._replace(name="each")
    alike = all((axis._replace(name="each"), typed) == (first, given) for axis, typed in axes)
    return [(first, given)] if alike else axes


def _given(options: LayerOptions, place: int, dims: int) -> Given:
    """Return the values that were typed for one axis."""
    typed: dict[str, tuple[Any, ...]] = {
        "stride": options.s or (),
        "dilation": options.d or (),
        "padding": options.p or (),
        "output_padding": () if options.output_padding is None else (options.output_padding,),
    }
    found = {name: [_on_axis(name, value, place, dims) for value in typed[name]] for name in typed}
    return {f"{name}s": list(dict.fromkeys(values)) for name, values in found.items() if values}


def _on_axis(name: str, value: Any, place: int, dims: int) -> Any:
    """Return the value of an option for one axis: a number; for the padding also a pair or a name."""
    if isinstance(value, int | str):
        return value
    if name != "padding":
        return per_axis(name, value, dims, 0)[place]
    if len(value) not in (1, dims):
        raise ArgumentError(
            f"--p {format_padding_as_typed(value)} has {len(value)} axes where {dims} are needed"
        )
    return value[place if len(value) > 1 else 0]


def _solutions(axis: _Axis, given: Given, transposed: bool) -> list[Row]:
    return [
        {
            "axis": axis.name,
            "input_size": axis.n,
            "output_size": axis.target,
            "kernel_size": axis.kernel,
            **solution._asdict(),
            "padding": solution.padding if isinstance(solution.padding, int) else [list(solution.padding)],
        }
        for solution in solve(axis.n, axis.target, axis.kernel, transposed, **given)
    ]


def _kept(options: LayerOptions) -> str:
    typed = {"--p": options.p, "--s": options.s, "--d": options.d, "--output-padding": options.output_padding}
    names = [name for name, value in typed.items() if value is not None]
    return f", with {', '.join(names)} as given" if names else ""
