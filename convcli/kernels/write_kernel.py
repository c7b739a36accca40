"""Write kernels to files in the formats that `kernel_files` reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Kernel, Matrix, Number, by_axes, is_line
from convcli.npy import npy_bytes


def encode_kernel(kernel: Kernel, path: Path) -> tuple[bytes, list[str]]:
    """Return the contents of a kernel file, in the format of the path's ending, and a list of what it cannot hold.

    `.json` and `.mat` (libvips' matrix) hold the divisor and the offset; for `.npy`, `.csv` and `.txt` the weights are
    divided, and the offset is lost. All digits are kept.
    """
    ending = path.suffix.lower()
    if ending not in WRITERS:
        what = f"the ending {path.suffix!r}" if path.suffix else "no ending"
        raise ArgumentError(f"{path} has {what}, which is not a format of kernels; use {' '.join(WRITERS)}")
    kernel.check_linear(f"{path}")
    if len(kernel.matrices) > 1:
        raise ArgumentError(
            f"kernel {kernel.name!r} has {len(kernel.matrices)} matrices; {path} can hold only one"
        )
    lost = []
    if kernel.offset and ending not in HOLD_ALL:
        lost.append(f"{path} cannot hold the bias {kernel.offset:.6g}; {' and '.join(HOLD_ALL)} can")
    return WRITERS[ending](kernel, path), lost


def _npy(kernel: Kernel, path: Path) -> bytes:
    import numpy as np

    return npy_bytes(np.array(_divided(kernel.matrices[0], kernel.divisor)))


def _csv(kernel: Kernel, path: Path) -> bytes:
    return _lines(kernel, path, ",")


def _txt(kernel: Kernel, path: Path) -> bytes:
    return _lines(kernel, path, " ")


def _json(kernel: Kernel, path: Path) -> bytes:
    import json

    whole: dict[str, object] = {"weights": kernel.matrices[0]}
    for name, usual in (("divisor", 1), ("offset", 0), ("anchor", None)):
        if (value := getattr(kernel, name)) != usual:
            whole[name] = value
    return (json.dumps(whole) + "\n").encode()


def _mat(kernel: Kernel, path: Path) -> bytes:
    rows = _rows(kernel.matrices[0], path)
    height, width = len(rows), len(rows[0])
    anchor = (height // 2, width // 2)
    if (kernel.anchor or ((height - 1) // 2, (width - 1) // 2)) != anchor:
        raise ArgumentError(
            f"{path} cannot hold a kernel of {by_axes((height, width))} with this anchor: libvips anchors kernels of "
            "even sides at another tap; write .json"
        )
    head = " ".join(map(_word, (width, height, kernel.divisor, kernel.offset)))
    return "".join(f"{line}\n" for line in (head, *(" ".join(map(_word, row)) for row in rows))).encode()


def _lines(kernel: Kernel, path: Path, between: str) -> bytes:
    rows = _rows(_divided(kernel.matrices[0], kernel.divisor), path)
    return "".join(f"{between.join(map(_word, row))}\n" for row in rows).encode()


def _rows(matrix: Matrix, path: Path) -> Sequence[Sequence[Number]]:
    """Return the rows of a matrix of 1 or 2 axes."""
    if is_line(matrix):
        return [matrix]
    rows = [row for row in matrix if isinstance(row, tuple) and is_line(row)]
    if len(rows) != len(matrix):
        raise ArgumentError(
            f"{path} can hold only rows of numbers, but the kernel has 3 axes; write .npy or .json"
        )
    return rows


def _divided(matrix: Matrix, divisor: Number) -> Matrix:
    if divisor == 1:
        return matrix
    if is_line(matrix):
        return tuple(weight / divisor for weight in matrix)
    return tuple(_divided(part, divisor) for part in matrix if isinstance(part, tuple))


def _word(number: Number) -> str:
    """Format a number with all its digits, and whole numbers without a decimal point."""
    whole = isinstance(number, float) and number.is_integer() and abs(number) < 2**53
    return str(int(number)) if whole else repr(number)


HOLD_ALL = (".json", ".mat")
WRITERS: dict[str, Callable[[Kernel, Path], bytes]] = {
    ".npy": _npy, ".csv": _csv, ".txt": _txt, ".json": _json, ".mat": _mat,
}  # fmt: skip
