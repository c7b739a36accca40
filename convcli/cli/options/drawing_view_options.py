"""The options for the output of a drawing."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from convcli.cli.completed_words import complete_files
from convcli.cli.option_names import typed_options
from convcli.cli.options.answer_options import theme_option
from convcli.cli.options.bundled import bundled
from convcli.cli.options.option_types import at_least, factor, seconds
from convcli.cli.options.show_option import show_option
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.jobs.collisions import Reads, check_reads
from convcli.jobs.targets import is_stdout
from convcli.remote_files import file_path, target_path

if TYPE_CHECKING:
    from convcli.drawing.forms import Drawing, Settings


class ViewOptions(NamedTuple):
    """The output of a drawing, and the steps that are shown."""

    output: str | None
    force: bool
    step: int | None
    delay: float
    scale: float
    theme: str
    show: bool

    def check(self, reads: Reads) -> None:
        """Raise an error if the output cannot be written or is a file that is read, before anything is drawn."""
        if self.show:
            self._check_show()
        if self.form and self._path is not None:
            from convcli.files import check_target

            check_reads("`output`", [self._path], reads)
            check_target(self._path, overwrite=self.force)

    def _check_show(self) -> None:
        """Refuse --show without a terminal, and with options that contradict it."""
        from convcli.cli.terminal import check_show

        check_show(self.output)
        if self.output is None:
            typed = typed_options(click.get_current_context())
            for option in filter(None, map(typed.get, ("force", "delay", "scale"))):
                raise ArgumentError(
                    f"{option} applies to drawings that are written, and --show alone writes none; name a file with -o"
                )

    @property
    def form(self) -> str:
        """The format of the drawing from the name of the output; text without one."""
        from convcli.drawing.forms import FORMS, instead_of_ending

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
                    else f"end it in {' '.join(f'.{each}' for each in FORMS)}{instead_of_ending(form, FORMS)}"
                )
            )
        return form

    @property
    def _path(self) -> Path | None:
        """The file to write; None for standard output."""
        return None if self.output is None or is_stdout(self.output) else target_path(self.output)

    @property
    def _settings(self) -> "Settings":
        from convcli.drawing.forms import Settings

        return Settings(self.step, self.delay, self.theme, self.scale)

    def give(self, messages: Messages, drawing: "Drawing") -> None:
        """Show or play the drawing on the terminal, print it, or write it to a file."""
        if self.show:
            self._show(messages, drawing)
            return
        from convcli.drawing.forms import encode

        plays = self.output is None and self.step is None and sys.stdout.isatty()
        if plays and drawing.play is not None and drawing.play(sys.stdout, self.delay):
            return
        data, note = encode(drawing, self.form, self._settings)
        if note:
            messages.note(note)
        if self._path is None:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            return
        self._write(messages, data)

    def _show(self, messages: Messages, drawing: "Drawing") -> None:
        """Show the drawing as an image, and write it to the file of -o."""
        import numpy as np

        from convcli.cli.terminal import show_frame
        from convcli.drawing.forms import encode, rasterized
        from convcli.images.picture import Frame

        settings = self._settings
        image, note = rasterized(drawing, settings)
        notes = {note: None}  # a dict keeps their order
        if self._path is not None:
            data, note = encode(drawing, self.form, settings)
            notes[note] = None
            self._write(messages, data)
        show_frame(Frame(np.asarray(image), "RGB"), "the drawing")
        for note in filter(None, notes):
            messages.note(note)

    def _write(self, messages: Messages, data: bytes) -> None:
        from convcli.files import write_whole

        if self._path is not None:
            write_whole(self._path, data, overwrite=self.force)
            messages.note(f"wrote {self._path}")


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
    click.option(
        "--step",
        type=at_least(1),
        help="Draw only this step; a .svg where nothing animates shows the last one.",
    ),
    click.option(
        "--delay",
        type=seconds(0.02, 60),
        default="0.8",
        show_default=True,
        help="The duration of each step of an animation.",
    ),
    click.option(
        "--scale",
        type=factor(8),
        default="1",
        help="Factor of the size in pixels of .png, .gif and .apng: 2 doubles it. [1]",
    ),
    theme_option("auto"),
    show_option("Show the drawing as an image in the terminal."),
)
