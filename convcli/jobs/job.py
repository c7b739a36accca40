"""Records of a run: an input, and the job that reads it and writes its output."""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PosixPath
from typing import NamedTuple

from convcli.errors import ArgumentError, ConvcliError
from convcli.files import is_file
from convcli.images.codecs.text_files import TYPED, TypedMatrix
from convcli.images.formats import TEXT_ENDINGS, TEXTS
from convcli.jobs.stdin import standard_input
from convcli.remote_files import RemotePath


class _Dash(PosixPath):
    def __reduce__(self) -> str:
        """Unpickle as the same object in every process."""
        return "DASH"


DASH = _Dash("-")  # standard input or output; to be compared by identity, as "./-" is a file


class Source(NamedTuple):
    """An input; DASH is standard input.

    below : the folder in which a search found it, relative to the searched one; None if the input was named
    problem : why it cannot be read, if that is known already
    typed : numbers from the command line, which are read instead of standard input
    """

    path: Path
    below: str | None = None
    problem: ConvcliError | None = None
    typed: bytes | None = None

    def to(self, target: Path, form: str | None = None) -> "Job":
        """Return the job that reads this input and writes to `target`."""
        return Job(self.path, target, form, self.typed, self.typed is not None, self.problem)

    @property
    def name(self) -> str:
        """Its name in messages."""
        return self.to(DASH).name

    @property
    def folder_inside(self) -> str:
        """The folder of the input as a path inside another folder, without a scheme and a first slash."""
        above = self.path.parent
        folder = above.below_scheme if isinstance(above, RemotePath) else str(above)
        if ".." in folder.split("/"):
            raise ArgumentError(
                f"{self.path} cannot keep its folder {folder} inside the folder of the outputs; name it without .."
            )
        return folder.lstrip("/") or "."


@dataclass(frozen=True, slots=True)
class Job:
    """One input and its output; DASH is standard input or output."""

    source: Path
    target: Path
    form: str | None = None  # the format of the output, if no ending determines it
    data: bytes | None = None  # the content of standard input, for a job in another process
    typed: bool = False  # whether `data` are numbers from the command line
    problem: ConvcliError | None = None  # why the job cannot be done
    mask: Path | None = None  # the mask of this input, if each has one

    @property
    def name(self) -> str:
        """The name of the input in messages."""
        if self.typed:
            return TYPED
        return "standard input" if self.source is DASH else str(self.source)

    def absolute(self) -> "Job":
        """Return the job with absolute paths."""
        source, target = (end if end is DASH else end.absolute() for end in (self.source, self.target))
        return replace(self, source=source, target=target, mask=self.mask and self.mask.absolute())

    def stream(self, most: int | None = None) -> BytesIO:
        """Return the content of standard input, which can be read only once; raise ImageError if it is over `most`."""
        if self.data is None:
            return standard_input(most)
        return TypedMatrix(self.data) if self.typed else BytesIO(self.data)

    @property
    def input(self) -> Path | None:
        """The file that is read; None for standard input."""
        return None if self.source is DASH else self.source

    @property
    def output(self) -> Path | None:
        """The file that is written; None for standard output."""
        return None if self.target is DASH else self.target

    @property
    def prints(self) -> bool:
        """Whether the picture goes to standard output."""
        return self.target is DASH

    @property
    def prints_text(self) -> bool:
        """Whether text is written to standard output, which a terminal can show."""
        form = self.form or ("TXT" if self.typed else TEXT_ENDINGS.get(self.source.suffix.lower()))
        return self.prints and form in TEXTS

    @property
    def is_done(self) -> bool:
        """Whether its output exists; because of atomic writing it is then complete."""
        return self.target is not DASH and is_file(self.target)
