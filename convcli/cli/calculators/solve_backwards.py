"""convcli shape --target: the options of a convolution that turn one size into another."""

from typing import Any, NamedTuple

from convcli import __version__
from convcli.cli.calculators.question import Question, Size
from convcli.cli.options.layer_options import LayerOptions, flag
from convcli.errors import ArgumentError
from convcli.layers.axes import axis_names, per_axis
from convcli.layers.inverse import MAX_DILATION, MAX_STRIDE, Solution, reachable, solve
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
# Options whose values are kept, and the arguments of `solve`.
FLAGS = {"--p": "paddings", "--s": "strides", "--d": "dilations", "--output-padding": "output_paddings"}
COLUMNS = ("axis", "kernel_size", "padding", "stride", "dilation")


def solve_backwards(options: LayerOptions, target: Size) -> tuple[Answer, list[Row]]:
    """Return a row for every solution, the simplest first, and a row for each axis without a solution.

    The simplest solution of each axis is the result, which --format value prints.

    Options that were typed keep their values. The field `error` is the reason why an axis has no solution.
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
    rows, simplest, unsolved, solved_axes = [], [], [], set()
    for question in questions:
        for axis, given in _axes(options, question, target):
            if (axis, question.axes) in solved_axes:
                continue
            solved_axes.add((axis, question.axes))
            found = _solutions(axis, given, transposed)
            rows += found
            simplest += found[:1]
            if len(rows) > options.max_rows:
                raise ArgumentError(
                    f"there are more solutions than the limit of {options.max_rows:,} rows; give fewer sizes at a "
                    f"time, or raise it with --max-rows {10 * options.max_rows}"
                )
            if not found:
                unsolved.append(_unsolved(axis, given, options, transposed))
    sizes = ("input_size",) if len({row["input_size"] for row in rows}) > 1 else ()
    columns = (*COLUMNS[:1], *sizes, *COLUMNS[1:], *(("output_padding",) if transposed else ()))
    value = ("padding", "stride", "dilation", "output_padding")[: 4 if transposed else 3]
    answer = Answer("shape", __version__, rows, simplest, {}, columns, value)
    return answer._replace(undrawn="answers of --target are not drawn"), unsolved


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
            **_sizes(axis),
            **solution._asdict(),
            "padding": solution.padding if isinstance(solution.padding, int) else [list(solution.padding)],
            "error": None,
        }
        for solution in solve(axis.n, axis.target, axis.kernel, transposed, **given)
    ]


def _sizes(axis: _Axis) -> Row:
    return {
        "axis": axis.name,
        "input_size": axis.n,
        "output_size": axis.target,
        "kernel_size": axis.kernel,
    }


def _unsolved(axis: _Axis, given: Given, options: LayerOptions, transposed: bool) -> Row:
    """Return the row of an axis without a solution."""
    searched = [
        f"{name}s up to {most}"
        for name, most in (("stride", MAX_STRIDE), ("dilation", MAX_DILATION))
        if f"{name}s" not in given
    ]
    kept = [name for name, value in zip(FLAGS, _typed(options), strict=True) if value is not None]
    parts = [f"kernel size {axis.kernel}", *searched, *([f"{', '.join(kept)} as given"] if kept else [])]
    ways = _ways(axis, given, transposed, plain=options.variant is None)
    if kept and solve(axis.n, axis.target, axis.kernel, transposed):
        alone = [
            name
            for name in kept
            if solve(axis.n, axis.target, axis.kernel, transposed, **_without(name, given))
        ]
        ways.insert(0, f"leave out {' or '.join(alone) or ' and '.join(kept)}")
    way = " or ".join(ways) if ways else "give another --target"
    limit = "" if "paddings" in given else _limit(axis, given, transposed)
    where = "" if axis.name == "each" else f"{axis.name}: "
    with_all = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return {
        **_sizes(axis),
        **dict.fromkeys(Solution._fields),
        "error": f"{where}no layer turns {axis.n} into {axis.target} with {with_all}{limit}; {way}",
    }


def _without(name: str, given: Given) -> Given:
    """Return the values without those of one option."""
    return {argument: values for argument, values in given.items() if argument != FLAGS[name]}


def _limit(axis: _Axis, given: Given, transposed: bool) -> str:
    """Return the sizes that can be reached, if the target is beyond them."""
    options = {name: values for name, values in given.items() if name in ("strides", "dilations")}
    least, most = reachable(axis.n, axis.kernel, transposed, **options)
    if least <= axis.target <= most:
        return ""
    bound = f"at most {most}" if axis.target > most else f"at least {least}"
    if (axis.target > most) == transposed:
        return f" (without padding, the output is {bound})"
    return f" (a padding is smaller than the dilated kernel, so the output is {bound})"


def _typed(options: LayerOptions) -> tuple[Any, ...]:
    return options.p, options.s, options.d, options.output_padding


def _ways(axis: _Axis, given: Given, transposed: bool, *, plain: bool) -> list[str]:
    """Return the changes of one option that give the size: the stride, the kernel size, or the kind of convolution.

    plain : whether no variant was typed, so that --transposed may be given
    """
    n, target, kernel = axis.n, axis.target, axis.kernel
    larger, smaller = max(n, target), min(n, target)  # a transposed convolution enlarges by its stride
    stride = max(1, (larger - kernel) // (smaller - 1)) if smaller > 1 else larger
    # The most padding, d*(k - 1) on both sides, gives the target if s*(target - 1) <= n - 1 + d*(k - 1).
    least = min(given.get("strides", [1])) * (target - 1) - (n - 1)
    wider = -(-least // max(given.get("dilations", [MAX_DILATION]))) + 1
    ways = []
    if stride > MAX_STRIDE and solve(n, target, kernel, transposed, **(given | {"strides": [stride]})):
        ways.append(f"give --s {stride}")
    if kernel < wider <= n and solve(n, target, wider, transposed, **given):
        ways.append(f"give --k {wider}")
    if plain and not transposed:
        strides: Given = {} if "strides" in given else {"strides": [stride]}
        if solve(n, target, kernel, True, **given):
            ways.append("give --transposed")
        elif target > n and solve(n, target, kernel, True, **(given | strides)):
            ways.append(f"give --transposed --s {stride}")
    if transposed and solve(n, target, kernel, False, **given):
        ways.append("leave out --transposed" if plain else "take another --variant")
    return ways
