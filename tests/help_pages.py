"""The pages of `convcli help`: their generated parts, written from the tables of the code."""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import wrap

from convcli.filters.request import FILTERING
from convcli.images.formats import FORMATS, TEXTS, Format
from convcli.images.metadata.table import KINDS, PLACES
from convcli.layers.activation import ACTIVATIONS
from convcli.layers.elementwise import BINARY, UNARY
from convcli.layers.padding import MODES, MODES_ELSEWHERE
from convcli.layers.reductions import KINDS as REDUCTIONS
from convcli.layers.text.operators import OPERATORS
from convcli.layers.variants import VARIANTS
from tests.api_page import api
from tests.documents import DOCS, pictures, run
from tests.paths import ROOT

WIDTH = 120

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def _items(texts: Iterable[str]) -> str:
    """Return the items of a list."""
    return "\n".join(
        "\n".join(wrap(f"- {text}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)) for text in texts
    )


def _block(lines: Iterable[str]) -> str:
    return "\n".join(["```text", *(line.rstrip() for line in lines), "```"])


def kernels() -> str:
    """Return each named kernel with its arguments, its meaning and its source."""
    rows = json.loads(run("convcli kernels --format json", ROOT))["rows"]
    return _items(
        f"`{row['name']}`{' (' + row['arguments'] + ')' if row['arguments'] else ''}: "
        f"{row['meaning'].rstrip('.')}. Source: {row['source'].rstrip('.')}."
        for row in rows
    )


def modes() -> str:
    """Return the drawing of each padding mode, and its names in other libraries."""
    found = []
    for mode, drawing in MODES.items():
        elsewhere = [
            f"{library}: {', '.join(alias for alias, name in names.items() if name == mode)}"
            for library, names in MODES_ELSEWHERE.items()
            if mode in names.values()
        ]
        lines = wrap("; ".join(elsewhere), WIDTH - 30, break_on_hyphens=False) or [""]
        found.append(f"{mode:<10} {drawing:<15} {lines[0]}")
        found += [f"{'':<27}{line}" for line in lines[1:]]
    return _block(found)


def operators() -> str:
    """Return each operator of a chain with its options; operators with the same options share a line."""
    alike = {*BINARY, *UNARY, *(f"reduce-{kind}" for kind in REDUCTIONS)}
    found = []
    for name, operator in OPERATORS.items():
        if name not in alike:
            options = [re.sub(r"=[^!]*", "", option) for option in operator.options.split()]
            found.append(f"{name:<16} {' '.join(options)}")
    for what, names in (
        ("activations", ACTIVATIONS),
        ("with an operand, such as mul o64x1x1", BINARY),
        ("element-wise", UNARY),
        ("reduce-KIND a keep, where KIND is", REDUCTIONS),
    ):
        lines = wrap(", ".join(names), 76, break_on_hyphens=False)
        found += ["", f"{what}:", *(f"  {line}" for line in lines)]
    return _block(found)


def variants() -> str:
    """Return the description of each variant, and its example: the command of the picture of the same name, if there is one."""
    examples = {Path(path).stem: command for path, command in pictures().items()}
    found = []
    for name, spec in VARIANTS.items():
        found.append(_items([f"**{name}**: {spec.help}"]))
        if name in examples:  # on a separate line, to be copied
            found.append(f"  `{examples[name]}`")
        elif name not in FILTERING:
            found.append(f"  Not for pictures: it {spec.too_much}.")
    return "\n".join(found)


def formats() -> str:
    """Return the extensions of each format, and the modes that it stores."""
    return _items([*map(_format, FORMATS.items()), *map(_format, TEXTS.items())])


def _format(item: tuple[str, Format]) -> str:
    name, held = item
    every = FORMATS["NPY"].modes
    if held.extra:
        held = held._replace(modes=held.modes | held.deep, deep=frozenset())
    text = f"**{name}** (`{'`, `'.join(held.endings)}`): "
    text += f"with `convcli[{held.extra}]` " if held.extra else ""
    text += "every pixel mode" if held.modes >= every else f"`{'`, `'.join(sorted(held.modes, key=_depth))}`"
    if held.deep:
        text += f", and with `convcli[codecs]` {_deeper(held, every)}"
    if held.counted:
        text += "; any number of channels"
    if held.frames:
        text += "; several frames or pages"
        if held.still:
            text += f" (not of `{'`, `'.join(sorted(held.still))}`)"
    kinds = dict.fromkeys(_title(KINDS[kind]) for kind in PLACES.get(name, ()))
    return f"{text}. Metadata: {', '.join(kinds) or 'none'}."


def metadata() -> str:
    """Return the kinds of metadata that each format keeps: a table of columns for formats that keep the same."""
    titles: dict[str, set[str]] = {}
    for kind, title in KINDS.items():
        titles.setdefault(_title(title), set()).add(kind)
    columns: dict[frozenset[str], list[str]] = {}
    for form, places in PLACES.items():
        if places:
            columns.setdefault(frozenset(places), []).append(form)
    rows = [["", *(" ".join(forms) for forms in columns.values())], ["---"] * (1 + len(columns))]
    rows += [[title, *("yes" if kinds & kept else "" for kept in columns)] for title, kinds in titles.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _title(kind: str) -> str:
    """Return the name of a kind of metadata."""
    return "PNG chunks" if kind == "a PNG chunk" else kind.removeprefix("the ")


def _deeper(held: Format, every: frozenset[str]) -> str:
    return (
        "every other mode"
        if held.deep | held.modes >= every
        else f"`{'`, `'.join(sorted(held.deep, key=_depth))}`"
    )


def _depth(mode: str) -> tuple[bool, int, str]:
    return ";" in mode, len(mode), mode


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part for part in (kernels, modes, operators, variants, formats, metadata, api)
}


def generated(text: str) -> str:
    """Return a page with its generated parts written from the code."""
    return _PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", text)


def main() -> None:
    """Write the generated parts."""
    for path in sorted(DOCS.glob("*.md")):
        path.write_text(generated(path.read_text(encoding="utf-8")), encoding="utf-8")
