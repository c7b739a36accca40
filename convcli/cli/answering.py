"""What the calculators have in common: the rows of all questions, as one answer, and the lines that explain it."""

from collections.abc import Callable, Sequence

from convcli import __version__
from convcli.cli.question import Question
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.chain import Row, totals
from convcli.layers.variants import meaning
from convcli.render import Answer

Explain = Callable[[Layer, Shape], list[str]]

MOST_EXPLAINED = 3  # layers; beyond, the formulas would bury the table


def answer_rows(
    command: str,
    questions: Sequence[Question],
    columns: Sequence[str],
    value: str,
    remarks: Callable[[Question], list[str]],
) -> Answer:
    """Answer every question with its rows; a single question is explained and summed."""
    made = [question.rows() for question in questions]
    alone = len(questions) == 1
    return Answer(
        command=command,
        version=__version__,
        rows=[row for rows in made for row in rows],
        results=[result(rows) for rows in made],
        totals=totals(made[0]) if alone else {},
        columns=columns,
        value=(value,),
        remarks=remarks(questions[0]) if alone else (),
    )


def result(rows: Sequence[Row]) -> Row:
    """Return a chain's answer in one row: what comes in and goes out, and the sums."""
    entry: Row = {key: rows[0][key] for key in ("input_size", "input_shape") if key in rows[0]}
    return {**rows[-1], **entry, **totals(rows)}


def explained(question: Question, *explain: Explain) -> list[str]:
    """Return what the variant means, and the formulas of each layer unless there are many."""
    lines = [f"{question.variant}: {meaning(question.variant)}"] if question.variant else []
    layers = question.layers()
    if len(layers) > MOST_EXPLAINED:
        return lines
    shape = question.input_shape
    for layer, row in zip(layers, question.rows(), strict=True):
        own = [line for function in explain for line in merged(function(layer.inner, shape))]
        lines += [f"{row['name']}, {line}" for line in own] if len(layers) > 1 else own
        if layer.inner is layer:
            shape = layer.output_shape(shape)
    return lines


def merged(lines: Sequence[str]) -> list[str]:
    """Join the axes of which the same is said: height and width: ..."""
    axes: dict[str, list[str]] = {}
    for line in lines:
        name, colon, text = line.partition(": ")
        axes.setdefault(text if colon else line, []).append(name if colon else "")
    return [f"{' and '.join(names)}: {text}" if names[0] else text for text, names in axes.items()]
