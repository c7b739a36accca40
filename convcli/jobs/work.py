"""Protocols between a job and what it uses: the work on pictures, and the reading of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from convcli.images.picture import Frame, Picture
from convcli.jobs.read_ahead import Readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.images.header import Header
    from convcli.images.stored_pixels import StoredPixels


class Colours(Protocol):
    """The conversion of a picture before the work begins, such as the selection of channels."""

    def ahead(self, header: Header, name: str) -> tuple[Picture, int]:
        """Return the result of `converted` with black pixels, from a header, and the bytes that reading needs."""

    def converted(self, picture: Picture, name: str) -> Picture:
        """Return the converted picture."""

    def stored(self, picture: Picture, name: str) -> Picture:
        """Return the converted picture for one whose pixels are `StoredPixels`, as are those of the result."""


class Opening(Readable, Protocol):
    """An open picture, whose pixels need not be read at once."""

    def stored(self) -> Picture | None:
        """Return the picture with its pixels left in the file; None if it can only be read completely, by `read`."""


class Reading(Protocol):
    """How pictures are read."""

    @property
    def colours(self) -> Colours:
        """The conversion before the work begins."""

    def open(self, source: Path | BinaryIO) -> AbstractContextManager[Opening]:
        """Open a picture."""


class Result(Protocol):
    """The result of the work on a picture."""

    @property
    def picture(self) -> Picture:
        """The picture to be written."""

    @property
    def how(self) -> str:
        """A description of how it was done, which -v prints."""

    @property
    def notes(self) -> Sequence[str]:
        """Notes for the user."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """The fields of a report in addition to files, sizes and modes."""

    @property
    def record(self) -> Mapping[str, Any] | None:
        """The fields that are printed with them as a line of JSON; None if only the path is printed."""


class Plan(Protocol):
    """The plan of the work on one picture, made from its header."""

    @property
    def made(self) -> Sequence[Frame]:
        """The frames of the result, with black pixels."""

    @property
    def memory(self) -> int:
        """The peak memory of the work in bytes, including the frames of the input."""

    @property
    def description(self) -> str:
        """A description of the work, as a part of a sentence."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """The description in fields for JSON; `seconds` is the estimated time on one core, if it is known."""

    @property
    def notes(self) -> Sequence[str]:
        """Notes for the user that are known before the work runs."""

    @property
    def has_rows(self) -> bool:
        """Whether this is a `PlanByRows`."""

    def filled(self, picture: Picture) -> Plan:
        """Return the same plan for the decoded picture."""

    def run(self) -> Result:
        """Do the work; the pixels of the input are not kept."""


class RowsToMake(Protocol):
    """A result whose rows are calculated while they are iterated, once."""

    @property
    def black(self) -> Picture:
        """The result with black pixels."""

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield bands of rows from top to bottom."""

    def result(self) -> Result:
        """Return the result, with black pixels, after all rows were iterated."""


class PlanByRows(Plan, Protocol):
    """A plan whose result can be calculated by rows, also from a picture whose pixels are `StoredPixels`."""

    def rows_memory(self, stored: StoredPixels | None) -> int:
        """Return the bytes that calculating rows needs in addition to the input; or including it, if it is `stored`."""

    def rows(self) -> RowsToMake:
        """Return the result, to be calculated by rows."""


class Work(Protocol):
    """The work that a run does on each picture."""

    @property
    def verb(self) -> str:
        """The verb for messages, such as "filter"."""

    @property
    def lighter(self) -> str:
        """Advice for using less memory, other than a smaller picture; empty if there is none."""

    def plan(self, name: str, target: str, picture: Picture, form: str) -> Plan:
        """Return the plan for a picture, or raise an error if the work is impossible.

        name, target : the names of the input and the output in messages
        picture : a picture of which only the header is needed
        form : the format of the output
        """


class WorkWithMasks(Work, Protocol):
    """Work that is done where a mask is white, of which each picture may have its own."""

    def with_mask(self, path: Path, name: str) -> Work:
        """Return the work for the mask in a file, of which only the header is read, or raise an error.

        name : the name of the picture in messages
        """
