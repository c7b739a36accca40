"""convcli shape --target: which options turn one size into another."""

from convcli import __version__
from convcli.cli.question import LayerOptions, Question, Size
from convcli.errors import ArgumentError
from convcli.layers.axes import axis_names, per_axis
from convcli.layers.chain import Row
from convcli.layers.inverse import MOST_DILATION, MOST_STRIDE, solve
from convcli.render import Answer

COLUMNS = ("axis", "kernel_size", "padding", "stride", "dilation")


def solve_backwards(options: LayerOptions, target: Size) -> Answer:
    """Return a row for every solution, the simplest first; options that were typed stay as they are."""
    if options.chain is not None:
        raise ArgumentError("--target solves for one layer; leave out --layers")
    rows, remarks, asked = [], [], set()
    for question in options.questions():
        for axis, n, k, wanted in _axes(question, target):
            if (axis, n, k, wanted) in asked:
                continue
            asked.add((axis, n, k, wanted))
            found = _solutions(options, question, axis, n, k, wanted)
            rows += found
            if not found:
                remarks.append(
                    f"{axis}: nothing turns {n} into {wanted} with a kernel of {k}, a stride up to {MOST_STRIDE} "
                    f"and a dilation up to {MOST_DILATION}" + _kept(options)
                )
    transposed = options.questions()[0].variant == "transposed"
    columns = (*COLUMNS, "output_padding") if transposed else COLUMNS
    return Answer("shape", __version__, rows, rows, {}, columns, ("padding", "stride", "dilation"), remarks)


def _axes(question: Question, target: Size) -> list[tuple[str, int, int, int]]:
    """Return (axis, n, k, target) for each axis, or one for all where they are alike."""
    if question.variant not in (None, "standard", "transposed") or question.conv is None:
        raise ArgumentError(f"--target knows standard and transposed layers, not {question.variant}")
    sizes, kernel = question.input_shape[1:], question.conv.kernel_size
    wanted = per_axis("target", target, len(sizes))
    axes = list(zip(axis_names(len(sizes)), sizes, kernel, wanted, strict=True))
    if len({axis[1:] for axis in axes}) == 1:
        return [("each", *axes[0][1:])]
    return axes


def _solutions(
    options: LayerOptions, question: Question, axis: str, n: int, k: int, wanted: int
) -> list[Row]:
    rows = []
    for solution in solve(n, wanted, k, transposed=question.variant == "transposed"):
        typed = {"padding": options.p, "stride": options.s, "dilation": options.d}
        if all(values is None or getattr(solution, name) in values for name, values in typed.items()):
            rows.append(
                {
                    "axis": axis,
                    "input_size": n,
                    "output_size": wanted,
                    "kernel_size": k,
                    "padding": solution.padding,
                    "stride": solution.stride,
                    "dilation": solution.dilation,
                    "output_padding": solution.output_padding,
                }
            )
    return rows


def _kept(options: LayerOptions) -> str:
    typed = {"--p": options.p, "--s": options.s, "--d": options.d}
    names = [name for name, values in typed.items() if values is not None]
    return f", keeping {', '.join(names)} as given" if names else ""
