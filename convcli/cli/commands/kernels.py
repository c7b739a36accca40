"""convcli kernels: list the named kernels, or describe one."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import click

from convcli import __version__
from convcli.cli.command import Command
from convcli.cli.completed_words import complete_kernels
from convcli.cli.number_grid import aligned, vector
from convcli.cli.options.answer_options import AnswerOptions, drawn_answer_options
from convcli.cli.options.kernel_limit import max_kernel_option
from convcli.cli.options.option_types import at_least
from convcli.cli.options.show_option import show_option
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.positional_words import kernel_words
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.files import check_target, write_whole
from convcli.kernels.kernel import MAX_AXES, Kernel, Number, by_axes
from convcli.kernels.kernel_files import PICTURES
from convcli.kernels.named import KERNELS, arguments_of
from convcli.remote_files import file_path, target_path
from convcli.render import Answer, Grid

LISTED = {
    "name": 10,
    "arguments": 24,
    "meaning": 80,
}  # columns and their widths; the source is shown by -v, and for a single kernel
SHOWN = ("name", "shape", "divisor", "sum", "rank", "symmetry", "smooths")

MAX_SHOWN = 25  # rows and columns of the largest grid that is printed below the table
RESPONSE_SIDE = 256  # side in pixels of the picture of a frequency response; more for larger kernels

MAX_RESPONSE = 4096  # largest side of that picture, which takes some hundred MB to calculate


@click.command(
    cls=Command,
    short_help="List the named kernels, or describe one.",
    words=kernel_words,
    about_filter=True,
    moved={"--list": "convcli kernels without an argument"},
    examples=(
        "convcli kernels sobel-x",
        "convcli kernels sobel-x --spectrum photo.jpg -o spectrum.png",
    ),
)
@click.argument("spec", required=False, metavar="[SPEC]", shell_complete=complete_kernels)
@click.option(
    "--dims",
    type=at_least(1, MAX_AXES),
    default="2",
    show_default=True,
    help="The number of axes of the kernel.",
)
@max_kernel_option
@click.option(
    "--spectrum",
    metavar="PICTURE",
    help="Show the spectrum of a picture before and after the kernel; -o x.png or .svg draws both.",
)
@show_option("Show the frequency response in the terminal.")
@drawn_answer_options
@verbosity_options
@click.pass_obj
def command(
    messages: Messages,
    /,
    spec: str | None,
    dims: int,
    max_kernel: int,
    spectrum: str | None,
    show: bool,
    answer: AnswerOptions,
) -> None:
    """List the named kernels with their arguments (and sources, with -v); or show one: weights, rank, symmetry.

    SPEC has the syntax of filter --kernel: a name with arguments, rows of numbers, ImageMagick's form, or a file. -o
    with the ending .png draws the frequency response of the kernel, with zero frequency in the middle and the largest
    response white. --spectrum shows or draws the spectrum of a picture before and after the kernel.
    """
    if show:
        from convcli.cli.terminal import check_show

        check_show(answer.output)
        if spec is None or spectrum is not None:
            raise ArgumentError(
                "`show` is of the frequency response of a kernel; name one, and leave out `spectrum`"
            )
    if spec is None:
        if spectrum is not None:
            raise ArgumentError("`spectrum` shows a picture before and after a kernel; name a kernel")
        if _is_picture(answer.output):
            raise ArgumentError(f"-o {answer.output} draws the frequency response of a kernel; name a kernel")
        answer.give(messages, _list(dims))
        return
    from convcli.filters.kernel_pictures import grey_rows
    from convcli.kernels import bounded, parse_kernels
    from convcli.kernels.kernel_files import files_in

    reads = [("the kernel", path) for path in files_in(spec)]
    answer.check([*reads, *([("the picture", file_path(spectrum))] if spectrum else [])])
    kernels = tuple(map(bounded, parse_kernels(spec, max_kernel, dims, read_picture=grey_rows)))
    if spectrum is not None:
        from convcli.cli.kernel_spectrum import spectrum_answer

        answer.give(messages, spectrum_answer(messages, kernels, spec, spectrum))
    elif answer.output is not None and _is_picture(answer.output):
        if answer.theme is not None:
            raise ArgumentError("`theme` applies to the drawing of `spectrum`; leave it out")
        _draw(messages, kernels, spec, answer)
    else:
        answer.give(messages, _show(kernels))
    if show:
        _show_response(kernels, spec)


def _is_picture(output: str | None) -> bool:
    return output is not None and file_path(output).suffix.lower() in PICTURES


# The list of all kernels


def _list(dims: int) -> Answer:
    """Return the answer, with a row for each named kernel that exists with `dims` axes."""
    from convcli.kernels.kernel_grammar import has_form

    rows = [
        {
            "name": name,
            "arguments": ", ".join(
                p.name if p.default is None else f"{p.name}={p.default:g}"
                for p in arguments_of(build).values()
            ),
            "meaning": (build.__doc__ or "").partition("\n")[0],
            "source": build(**({"dims": dims} if dims != 2 else {})).source,
        }
        for name, build in KERNELS.items()
        if has_form(name, dims)
    ]
    return Answer("kernels", __version__, rows, rows, {}, tuple(LISTED), ("name",), (), (), LISTED)


# A single kernel


def _show(kernels: Sequence[Kernel]) -> Answer:
    """Return the answer, with a row for each matrix of each kernel, and the weights below."""
    rows = [row for kernel in kernels for row in _rows(kernel)]
    several = len(rows) > 1
    remarks = [line for row in rows for line in _grid_lines(row, several)]
    sources = dict.fromkeys(f"source: {kernel.source}" for kernel in kernels)
    columns = [name for name in SHOWN if name != "divisor" or any(row["divisor"] != 1 for row in rows)]
    columns += [
        name for name, usual in (("offset", 0), ("anchor", None)) if any(row[name] != usual for row in rows)
    ]
    if several:
        columns.insert(1, "matrix")
    return Answer(
        "kernels",
        __version__,
        rows,
        rows,
        {},
        columns,
        ("weights",),
        [*remarks, *_combining(kernels), *sources],
    )


def _rows(kernel: Kernel) -> list[dict[str, Any]]:
    from convcli.analysis.rank import factors_of, kernel_rank
    from convcli.analysis.symmetry import symmetries
    from convcli.kernels.change import added
    from convcli.kernels.kernel import flat

    return [
        {
            "name": kernel.name,
            "matrix": number,
            "shape": kernel.shape,
            "weights": Grid(matrix),
            "divisor": kernel.divisor,
            "offset": kernel.offset,
            "anchor": kernel.anchor,
            "combine": kernel.combine,
            "threshold": kernel.threshold,
            "sum": _divided(added(list(flat(matrix))), kernel.divisor),
            "rank": kernel_rank(matrix),
            "factors": Grid(factors_of(matrix) or ()),
            "symmetry": ", ".join(symmetries(matrix)) or "none",
            "smooths": kernel.is_smoothing,
            "source": kernel.source,
        }
        for number, matrix in enumerate(kernel.matrices, start=1)
    ]


def _divided(total: Number, divisor: Number) -> Number:
    """Return a divided sum, as an integer if it is one."""
    if isinstance(total, int) and isinstance(divisor, int) and total % divisor == 0:
        return total // divisor
    return total / divisor


def _grid_lines(row: dict[str, Any], several: bool) -> list[str]:
    """Return the weights of a matrix as lines of a grid, and its factors."""
    lines = [f"{row['name']}, matrix {row['matrix']}:"] if several else []
    slices = [row["weights"]] if len(row["shape"]) == 2 else row["weights"]
    slices = [[row["weights"]]] if len(row["shape"]) == 1 else slices
    if max(row["shape"]) > MAX_SHOWN:
        lines.append(f"the kernel is too large to print ({by_axes(row['shape'])}); use --field weights")
    else:
        for part in slices:
            lines += [*aligned(part), ""]
    if row["factors"] and len(row["shape"]) > 1 and max(row["shape"]) <= MAX_SHOWN:
        lines += [f"separable: {' x '.join(map(vector, row['factors']))}", ""]
    return lines


def _combining(kernels: Sequence[Kernel]) -> list[str]:
    words = {
        "magnitude": "the result is the root of the sum of squared responses",
        "largest": "the result is the largest of the responses",
        "thresholded": "the second response is added to the first where the difference from the blurred picture, "
        "before it is multiplied by amount, exceeds {:g} of 255 levels",
    }
    lines = [
        f"{kernel.name}: {words[kernel.combine].format(kernel.threshold)}"
        for kernel in kernels
        if kernel.combine in words
    ]
    if len(kernels) > 1:
        lines.append(f"{len(kernels)} kernels, applied in this order")
    return lines


# The frequency response


def _draw(messages: Messages, kernels: Sequence[Kernel], spec: str, answer: AnswerOptions) -> None:
    """Write the picture of the frequency response, and print a note that explains it."""
    from convcli.images.formats import format_of
    from convcli.images.picture import Frame, Picture
    from convcli.images.write import encode

    path = target_path(answer.output or "")
    if answer.form or answer.fields:
        raise ArgumentError(
            f"--format and --field apply to text, and {path} is a picture of the frequency response; leave them out"
        )
    check_target(path, overwrite=answer.force)
    pixels, most = _response(kernels, spec)
    form = format_of(path)
    data, _ = encode(Picture((Frame(pixels, "L"),), form), form, str(path))
    write_whole(path, data, overwrite=answer.force)
    messages.note(
        f"wrote {path}: the frequency response of {spec}, from -1/2 to 1/2 cycles per pixel on both axes, with zero "
        f"frequency in the middle; black is 0, white is {most:.4g}"
    )


def _response(kernels: Sequence[Kernel], spec: str) -> tuple[Any, float]:
    """Return the frequency response in 8 bits, (H, W), and its largest value; or raise ArgumentError."""
    import numpy as np

    from convcli.analysis.response import frequency_response

    if any(kernel.dims > 2 for kernel in kernels):
        raise ArgumentError(
            "the frequency response of a kernel with 3 axes cannot be drawn; use --dims 1 or 2"
        )
    size = max(RESPONSE_SIDE, *(side for kernel in kernels for side in kernel.shape))
    if size > MAX_RESPONSE:
        raise ArgumentError(
            f"the frequency response of a kernel {size} wide is too large to draw; use one of at most {MAX_RESPONSE}"
        )
    response = frequency_response(kernels, size)
    most = float(response.max())
    if not isfinite(most):
        raise ArgumentError(
            f"the response of {spec!r} is too large for a float; give fewer kernels, or smaller weights"
        )
    return np.rint(response / (most or 1) * 255).astype(np.uint8), most


def _show_response(kernels: Sequence[Kernel], spec: str) -> None:
    """Show the frequency response in the terminal: zero frequency in the middle."""
    from convcli.cli.terminal import show_frame
    from convcli.images.picture import Frame

    pixels, _ = _response(kernels, spec)
    show_frame(Frame(pixels, "L"), spec)
