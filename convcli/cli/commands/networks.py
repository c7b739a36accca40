"""convcli networks: list the built-in networks and their sources."""

import click

from convcli import __version__
from convcli.cli.command import Command
from convcli.cli.options.answer_options import AnswerOptions, answer_options
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.render import Answer

LISTED = {"name": 24, "input_shape": 12, "about": 40, "source": 80}  # columns and their widths; -v shows all


@click.command(
    cls=Command,
    moved={"--list": "convcli networks without an argument"},
    short_help="List the built-in networks.",
    examples=("convcli networks resnet", "convcli networks --format json"),
)
@click.argument("word", required=False, metavar="[WORD]")
@answer_options
@verbosity_options
@click.pass_obj
def command(messages: Messages, /, word: str | None, answer: AnswerOptions) -> None:
    """List the built-in networks for shape, params, cost, compare and draw; with WORD, those that mention it.

    WORD is searched for in the names, descriptions and sources. Each network is built layer by layer from its source,
    without weights. Describe your own network in a TOML file: convcli shape net.toml.
    """
    answer.give(messages, _list(word))


def _list(word: str | None) -> Answer:
    """Return the answer, with a row for each network."""
    from convcli.networks.zoo.build import options_of_entry
    from convcli.networks.zoo.index import ZOO, beginning, network_instead

    found = [
        entry
        for entry in ZOO.values()
        if word is None or word.lower() in f"{entry.name} {entry.about} {entry.source}".lower()
    ] or [ZOO[name] for name in beginning(word or "")]
    if not found:
        hint = network_instead(word or "")
        if not hint.startswith("did you mean"):
            hint = "leave it out to list all networks"
        raise ArgumentError(f"no network has {word!r} in its name or source; {hint}")
    rows = [
        {
            "name": entry.name,
            "input_shape": list(entry.input),
            "about": entry.about,
            "options": ", ".join(f"{name}={value:g}" for name, value in options_of_entry(entry).items()),
            "source": entry.source,
        }
        for entry in found
    ]
    return Answer("networks", __version__, rows, rows, {}, tuple(LISTED), ("name",), (), (), LISTED)
