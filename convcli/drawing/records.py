"""Convert steps to JSON records, for the web page and for `-o steps.json`."""

from fractions import Fraction
from typing import Any

from convcli.drawing.arithmetic import lines
from convcli.drawing.steps import Line, Stage, Values

Record = dict[str, Any]


def record(stage: Stage) -> Record:
    """Return a stage as numbers, lists and strings; numbers are ints, or strings such as 1/9."""
    return {
        "layer": stage.name,
        "operation": stage.operation,
        "detail": stage.detail,
        "kernel_size": None if stage.kernel_size is None else list(stage.kernel_size),
        "rotated": stage.rotated,
        "padding_mode": stage.border.mode,
        "padding_value": plain(stage.border.value),
        "input_shape": list(stage.input_shape),
        "output_shape": list(stage.output_shape),
        "rows": _line(stage.canvas.rows),
        "columns": _line(stage.canvas.columns),
        "inputs": [plain_rows(channel) for channel in stage.inputs],
        "steps": [
            {
                "output": list(step.place),
                "terms": [
                    {
                        "channel": term.channel,
                        "row": plain(term.row),
                        "column": plain(term.column),
                        "value": plain(term.value),
                        "weight": None if term.weight is None else plain(term.weight),
                    }
                    for term in step.terms
                ],
                "result": plain(step.result),
                "arithmetic": lines(stage, step),
            }
            for step in stage.steps
        ],
    }


def _line(line: Line) -> Record:
    return line._asdict()


def plain_rows(values: Values) -> list[list[int | str]]:
    """Return the rows of a channel or a kernel."""
    return [[plain(value) for value in row] for row in values]


def plain(number: Fraction | int) -> int | str:
    """Return a whole number as an int, and any other number as a string."""
    return int(number) if number == int(number) else str(number)
