"""The topics of `convcli help`; each is a page of Markdown in convcli/docs/."""

import re
from importlib.resources import files

# The topics with their descriptions, in the order in which `convcli help` lists them.
TOPICS = {
    "conventions": "Correlation, boundaries, rounding, counting.",
    "kernels": "The named kernels with their sources, and other forms.",
    "padding": "Sizes of padding, and the padding modes with drawings.",
    "alpha": "What a filter does with transparent pixels.",
    "layers": "How layers and chains are written; sizes and work.",
    "variants": "The kinds of convolution, each with an example.",
    "exit-codes": "The exit codes of the commands.",
    "formats": "The file formats, and what each can hold.",
    "networks": "Networks in TOML and ONNX: counting them, running them.",
    "gallery": "What each kind of convolution does to a picture.",
    "arrays": "Numbers in, numbers out; one output explained.",
    "learning": "Learning a kernel, or a bank, from pictures.",
    "drawing": "Drawings of layers and networks.",
    "recipes": "Many pictures, limits, settings, pipes, make, and CI.",
    "troubleshooting": "Error messages: their causes, and what to do.",
    "python": "How to use convcli from Python.",
    "api": "Every public name in Python, with its parameters.",
    "speed": "What was measured, compared with other tools.",
    "architecture": "The structure of the source code.",
    "writing": "How help, errors and documentation are written.",
}


def page(topic: str) -> str:
    """Return the page of a topic as Markdown, without the comments that mark generated parts."""
    text = files("convcli").joinpath("docs", f"{topic}.md").read_text(encoding="utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("<!--"))


def for_terminal(markdown: str) -> str:
    """Replace what a terminal cannot show: pictures by the commands that make them, links by the words that lead there.

    >>> for_terminal("[All modes](padding.md#size); ![convcli draw --n 4](a/b.gif)<br>`--n 4`, [more](../README.md)")
    'All modes (`convcli help padding`); `--n 4`, more'
    """
    text = re.sub(r"!\[[^]]*\]\([^)]*\)<br>", "", markdown)
    text = re.sub(r"!\[([^]]*)\]\([^)]*\)", r"`\1`", text)
    text = re.sub(r"\[([^]]+)\]\(([\w-]+)\.md(?:#[\w-]*)?\)", r"\1 (`convcli help \2`)", text)
    return re.sub(r"\[([^]]+)\]\((?!https:)[^)\s]+\)", r"\1", text)


def formatted(markdown: str, width: int) -> str:
    """Return Markdown formatted for a terminal with `width` columns."""
    import io

    from rich.console import Console
    from rich.markdown import Markdown

    buffer = io.StringIO()
    Console(file=buffer, force_terminal=True, width=width).print(
        Markdown(for_terminal(markdown), hyperlinks=False)
    )
    return buffer.getvalue()
