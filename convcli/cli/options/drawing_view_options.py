"""The options for the output of a drawing."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from convcli.cli.completed_words import complete_files
from convcli.cli.conversation import Conversation
from convcli.cli.options.answer_options import theme_option
from convcli.cli.options.bundled import bundled
from convcli.cli.options.option_types import at_least, seconds
from convcli.errors import ArgumentError
from convcli.jobs.collisions import Reads, check_reads
from convcli.jobs.targets import is_stdout
from convcli.remote_files import file_path, target_path

if TYPE_CHECKING:
    from convcli.drawing.forms import Drawing


class ViewOptions(NamedTuple):
    """The output of a drawing, and the steps that are shown."""

    output: str | None
    force: bool
    step: int | None
    delay: float
    theme: str

    def check(self, reads: Reads) -> None:
        """Raise an error if the output cannot be written or is a file that is read, before anything is drawn."""
        if self.form and self._path is not None:
            from convcli.files import check_target

            check_reads("`output`", [self._path], reads)
            check_target(self._path, overwrite=self.force)

    @property
    def form(self) -> str:
        """The format of the drawing from the name of the output; text without one."""
        from convcli.drawing.forms import FORMS

        if self.output is None or self.output == "-":
            return "txt"
        form = (
            self.output.partition(":")[0]
            if is_stdout(self.output)
            else file_path(self.output).suffix.removeprefix(".").lower()
        )
        if form not in FORMS:
            raise ArgumentError(
                f"-o {self.output} has no known format of drawings; "
                + (
                    f"write one of {', '.join(f'{each}:-' for each in FORMS)}"
                    if is_stdout(self.output)
                    else f"end it in {' '.join(f'.{each}' for each in FORMS)}"
                )
            )
        return form

    @property
    def _path(self) -> Path | None:
        """The file to write; None for standard output."""
        return None if self.output is None or is_stdout(self.output) else target_path(self.output)

    def show(self, conversation: Conversation, drawing: "Drawing") -> None:
        """Play the drawing on the terminal, print it, or write it to a file."""
        from convcli.drawing.forms import Settings, encode

        plays = self.output is None and self.step is None and sys.stdout.isatty()
        if plays and drawing.play is not None and drawing.play(sys.stdout, self.delay):
            return
        data, note = encode(drawing, self.form, Settings(self.step, self.delay, self.theme))
        if note:
            conversation.note(note)
        if self._path is None:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            return
        from convcli.files import write_whole

        write_whole(self._path, data, overwrite=self.force)
        conversation.note(f"wrote {self._path}")


view_options = bundled(
    "view",
    ViewOptions,
    click.option(
        "-o",
        "--output",
        shell_complete=complete_files,
        metavar="FILE",
        help="Write to this file: .png .gif .apng .svg .html .txt .json; - or png:- is standard output.",
    ),
    click.option("--force", is_flag=True, help="Replace the output file if it exists."),
    click.option("--step", type=at_least(1), help="Draw only this step."),
    click.option(
        "--delay",
        type=seconds(0.02, 60),
        default="0.8",
        show_default=True,
        help="The duration of each step of an animation.",
    ),
    theme_option("auto"),
)
