"""Records of a run: an input, and the job that makes an output of it."""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PosixPath
from typing import NamedTuple

from convcli.errors import ArgumentError, ConvcliError
from convcli.files import is_file
from convcli.images.codecs.text_files import TYPED, TypedMatrix
from convcli.images.formats import TEXT_ENDINGS, TEXTS
from convcli.jobs.stdin import standard_input


class _Dash(PosixPath):
    def __reduce__(self) -> str:
        """Be the same in every process."""
        return "DASH"


DASH = _Dash("-")  # by identity: ./- is a file of that name


class Source(NamedTuple):
    """An input; DASH stands for standard input.

    below : the folder in which a search found it, below the one that was searched; None where it was named
    problem : why there is nothing to read, where that is known already
    typed : numbers that were typed, which stand in the place of standard input
    """

    path: Path
    below: str | None = None
    problem: ConvcliError | None = None
    typed: bytes | None = None

    def to(self, target: Path, form: str | None = None) -> "Job":
        """Return the job that makes an output of the input."""
        return Job(self.path, target, form, self.typed, self.typed is not None, self.problem)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.to(DASH).name

    @property
    def parent(self) -> str:
        """The folder of the input in a tree of outputs: below the one searched, or as it was written."""
        folder = str(self.path.parent) if self.below is None else self.below
        if ".." in folder.split("/"):
            raise ArgumentError(
                f"{self.path} cannot keep its folder {folder} below that of the outputs; write it without .."
            )
        return folder.lstrip("/") or "."


@dataclass(frozen=True, slots=True)
class Job:
    """One input and its output; DASH stands for standard input and output."""

    source: Path
    target: Path
    form: str | None = None  # a format that no ending tells
    data: bytes | None = None  # what stood on standard input, for a process that has another
    typed: bool = False  # whether `data` are numbers that were typed
    problem: ConvcliError | None = None  # why there is nothing to do

    @property
    def name(self) -> str:
        """What messages call the input."""
        if self.typed:
            return TYPED
        return "standard input" if self.source is DASH else str(self.source)

    def absolute(self) -> "Job":
        """Return the job with names that mean the same everywhere."""
        source, target = (end if end is DASH else end.absolute() for end in (self.source, self.target))
        return replace(self, source=source, target=target)

    def stream(self, most: int | None = None) -> BytesIO:
        """Return what stands on standard input, which is read but once; or raise ImageError beyond so many bytes."""
        if self.data is None:
            return standard_input(most)
        return TypedMatrix(self.data) if self.typed else BytesIO(self.data)

    @property
    def input(self) -> Path | None:
        """The file that is read, None for standard input."""
        return None if self.source is DASH else self.source

    @property
    def output(self) -> Path | None:
        """The file that is written, None for standard output."""
        return None if self.target is DASH else self.target

    @property
    def prints(self) -> bool:
        """Whether the picture goes to standard output."""
        return self.target is DASH

    @property
    def prints_text(self) -> bool:
        """Whether what goes to standard output is text, which a terminal may show."""
        form = self.form or ("TXT" if self.typed else TEXT_ENDINGS.get(self.source.suffix.lower()))
        return self.prints and form in TEXTS

    @property
    def is_done(self) -> bool:
        """Whether its output is there, and so whole."""
        return self.target is not DASH and is_file(self.target)
