"""The options for outputs: their names, the handling of existing files, and their encoding."""

from typing import NamedTuple

import click

from convcli.cli.completed_words import complete_files
from convcli.cli.options.bundled import Decorator, bundled
from convcli.cli.options.option_types import Parsed, at_least
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.images.coding import COMPRESSIONS, SAMPLINGS, Coding, read_quality
from convcli.jobs.find import Inputs
from convcli.jobs.job import Source
from convcli.jobs.save import Save
from convcli.jobs.targets import is_stdout


class OutputOptions(NamedTuple):
    """The options for the names of outputs and the handling of existing files."""

    output: str | None
    force: bool
    skip_existing: bool
    preserve: bool
    follow_links: bool
    in_place: bool = False

    def check(self) -> None:
        """Raise ArgumentError if the options contradict each other."""
        if self.skip_existing and self.force:
            raise ArgumentError(
                "--skip-existing keeps the outputs that --force would replace; give one of them"
            )
        if self.skip_existing and self.in_place:
            raise ArgumentError("--skip-existing would skip all inputs of --in-place; give one of them")
        if self.skip_existing and self.output is not None and is_stdout(self.output):
            raise ArgumentError(
                f"--skip-existing applies to files, and -o {self.output} writes none; leave it out, or name files "
                "with -o"
            )
        if self.in_place and self.output is not None:
            raise ArgumentError(
                f"--in-place replaces the inputs instead of writing to -o {self.output}; give one of them"
            )

    @property
    def save(self) -> Save:
        """The options for writing the outputs."""
        return Save(self.force or self.in_place, self.preserve, self.follow_links)

    def sources(self, messages: Messages, inputs: Inputs, name: str) -> list[Source]:
        """Return the inputs, and print notes about skipped files; `name` is part of the names of outputs."""
        found = inputs.find(self.output, name)
        messages.keep(str(source.path) for source in found.sources)
        for note in found.notes:
            messages.note(note)
        return found.sources


def output_options(*, in_place: bool) -> Decorator:
    """Return the options for outputs, with --in-place or without."""
    options = [
        click.option(
            "-o",
            "--output",
            shell_complete=complete_files,
            metavar="PATH",
            help="A file, folder/, '{parent}/{stem}.{kernel}{ext}', - or png:-.",
        ),
        click.option("--force", is_flag=True, help="Replace outputs that exist."),
        click.option(
            "--skip-existing", is_flag=True, help="Skip inputs whose output exists, whatever made it."
        ),
        click.option("--preserve", is_flag=True, help="Keep the times and the mode of the input file."),
        click.option("--follow-links", is_flag=True, help="If an output is a link, replace its target."),
    ]
    if in_place:
        options.append(click.option("--in-place", is_flag=True, help="Replace the inputs themselves."))
    return bundled("output", OutputOptions, *options)


coding_options = bundled(
    "coding",
    Coding,
    click.option("--png-level", type=at_least(0, 9), help="Compress PNG at zlib's level N, on one core."),
    click.option(
        "--quality",
        type=Parsed("Q", read_quality),
        help="1 to 100 or lossless; lossy formats. [as input]",
    ),
    click.option(
        "--subsampling",
        type=click.Choice(list(SAMPLINGS)),
        metavar="J:A:B",
        help="JPEG, AVIF, HEIF chroma: 4:4:4, 4:2:0. [as input]",
    ),
    click.option(
        "--tiff-compression",
        type=click.Choice(list(COMPRESSIONS)),
        metavar="NAME",
        help=f"{' '.join(COMPRESSIONS)}. [as input]",
    ),
)
