"""The answer of a calculator: the rows of all its questions, and the lines that explain them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from convcli import __version__
from convcli.cli.calculators.network_answer import picture, whole_row
from convcli.cli.calculators.question import PER_AXIS, Question
from convcli.cli.options.answer_options import AnswerOptions
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.layers.axes import Shape
from convcli.layers.base import Layer
from convcli.layers.text.notation import format_size
from convcli.networks.rows import Row, totals
from convcli.render import Answer

Explain = Callable[[Layer, Shape], list[str]]

MAX_EXPLAINED = 3  # layers whose formulas are printed; more would hide the table
MAX_REASONS = 10  # combinations without an answer that are named one by one


def answer_rows(
    command: str,
    questions: Sequence[Question],
    columns: Sequence[str],
    value: str,
    remarks: Callable[[Question], list[str]],
    rows: Callable[[Question], list[Row]] = Question.rows,
) -> Answer:
    """Return the answer to all questions; a single question also has explanations and totals."""
    alone = len(questions) == 1
    shown = swept(questions, columns)
    made = answered(questions, rows, (*shown, value))
    return Answer(
        command=command,
        version=__version__,
        rows=[row for rows in made for row in rows],
        results=[result(rows) for rows in made],
        totals=totals(made[0]) if alone else {},
        columns=_without_empty(shown, made),
        value=(value,),
        remarks=remarks(questions[0]) if alone else (),
        by_one_number=by_one_number(questions),
        draw=lambda: _picture(command, questions, made),
    )


def _picture(command: str, questions: Sequence[Question], made: Sequence[Sequence[Row]]) -> Any:
    """Return the drawing of the rows of one question; raise ArgumentError if there are several questions."""
    if len(questions) > 1:
        raise ArgumentError(
            f"only one layer or chain can be drawn, and the options describe {len(questions):,}; give one value per "
            "option, or write a table, such as -o answer.csv"
        )
    title = f"a chain of {len(made[0])} layers" if len(made[0]) > 1 else made[0][0]["layer"]
    return picture(command, questions[0].network()[0], made[0], title)


def answered(
    questions: Sequence[Question], answer: Callable[[Question], list[Row]], spare: Sequence[str]
) -> list[list[Row]]:
    """Return the rows that answer each question.

    In a sweep, every row has the field `error`; a question without an answer has one row, whose `error` is the reason.

    spare : the fields of the rows if no question has an answer
    """
    made: list[list[Row] | str] = []
    for question in questions:
        try:
            made.append(answer(question))
        except ArgumentError as error:
            if len(questions) == 1:
                raise
            made.append(str(error))
    if len(questions) == 1:
        return [rows for rows in made if not isinstance(rows, str)]
    fields: Iterable[str] = next((rows[0] for rows in made if not isinstance(rows, str)), spare)
    return [
        [question.marked(rows, fields)] if isinstance(rows, str) else [row | {"error": None} for row in rows]
        for question, rows in zip(questions, made, strict=True)
    ]


def give(messages: Messages, options: AnswerOptions, answer: Answer, count: int) -> int:
    """Print or write the answer; return the exit code, 1 if some combinations have no answer.

    count : the number of combinations

    The reasons are a field of JSON and CSV, lines below a table, and messages on standard error next to bare values.
    """
    answer = answer._replace(
        rows=[_with_options(row, messages) for row in answer.rows],
        results=[_with_options(row, messages) for row in answer.results],
    )
    failed = [row for row in answer.results if row.get("error") is not None]
    reasons = [f"{_named(row, answer)} has no answer: {row['error']}" for row in failed[:MAX_REASONS]]
    if len(failed) > MAX_REASONS:
        reasons.append(f"and {len(failed) - MAX_REASONS:,} more; --format json has the reasons of all")
    below = options.chosen in ("table", "markdown") and not messages.quiet
    if below:
        answer = answer._replace(remarks=[*answer.remarks, *reasons])
    options.give(messages, answer)
    if not failed:
        return 0
    if not below and not options.shows("error"):
        for line in reasons:
            messages.error(line)
    messages.error(f"{len(failed):,} of {count:,} combinations have no answer")
    return 1


def _with_options(row: Mapping[str, Any], messages: Messages) -> Mapping[str, Any]:
    """Return a row whose error names options instead of arguments."""
    reason = row.get("error")
    return row if reason is None else {**row, "error": messages.name_options(reason)}


def _named(row: Mapping[str, Any], answer: Answer) -> str:
    """Return the name of a combination: its layers and the size of its input."""
    size = row.get("input_size")
    if not size:
        return str(row["layer"])
    return f"{row['layer']} on {format_size(size[0] if 'input_size' in answer.by_one_number else size)}"


def _without_empty(columns: Sequence[str], made: Sequence[Sequence[Row]]) -> list[str]:
    """Return the columns, without that of the buffers if no layer has any."""
    stored = any(row.get("buffers") for rows in made for row in rows)
    return [name for name in columns if name != "buffers" or stored]


def by_one_number(questions: Sequence[Question]) -> Sequence[str]:
    """Return the fields to write as one number: those with a number per axis, if every size was typed as one."""
    return PER_AXIS if all(question.by_one_number for question in questions) else ()


def swept(questions: Sequence[Question], columns: Sequence[str]) -> list[str]:
    """Return the columns, preceded by those of the input if it differs between the rows of a sweep."""
    sizes, channels = {question.n for question in questions}, {question.channels for question in questions}
    varying = [name for name, values in (("in_channels", channels), ("input_size", sizes)) if len(values) > 1]
    return [*(name for name in varying if name not in columns), *columns]


def result(rows: Sequence[Row]) -> Row:
    """Return the answer for a chain in one row, whose `layer` is the chain as text."""
    return rows[0] if len(rows) == 1 else whole_row(rows, rows[-1], ", ".join(row["layer"] for row in rows))


def ratio(count: int, standard: int) -> float | None:
    """Return count / standard; as an integer if it is too large for a float; None if `standard` is 0."""
    try:
        return count / standard if standard else None
    except OverflowError:
        return count // standard


def explained(question: Question, *explain: Explain) -> list[str]:
    """Return the description of the variant, and the formulas of each layer unless there are many."""
    lines = [f"{question.spec.name}: {question.spec.help}"] if question.spec else []
    layers = question.layers()
    if len(layers) > MAX_EXPLAINED:
        return lines
    shape = question.input_shape
    for layer, row in zip(layers, question.rows(), strict=True):
        own = [line for function in explain for line in merged(function(layer.inner, shape))]
        lines += [f"{row['name']}, {line}" for line in own] if len(layers) > 1 else own
        if layer.inner is layer:
            shape = layer.output_shape(shape)
    return lines


def merged(lines: Sequence[str]) -> list[str]:
    """Merge the lines that are the same for several axes, as in "height and width: ..."."""
    axes: dict[str, list[str]] = {}
    for line in lines:
        name, colon, text = line.partition(": ")
        axes.setdefault(text if colon else line, []).append(name if colon else "")
    return [f"{_listed(names)}: {text}" if names[0] else text for text, names in axes.items()]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
