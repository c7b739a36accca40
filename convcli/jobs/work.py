"""What a job asks of the work that is done to pictures, and of those who read them."""

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
    """What a picture becomes before the work begins, such as some of its channels."""

    def ahead(self, header: Header, name: str) -> tuple[Picture, int]:
        """Return what `converted` will make of a header's picture, its pixels black, and the bytes that it takes."""

    def converted(self, picture: Picture, name: str) -> Picture:
        """Return a picture as it was asked for."""

    def stored(self, picture: Picture, name: str) -> Picture:
        """Return a picture whose pixels are `StoredPixels` as it was asked for, its pixels such again."""


class Opening(Readable, Protocol):
    """A picture that is open, and whose pixels need not be read at once."""

    def stored(self) -> Picture | None:
        """Return the picture with its pixels left in the file; None where it is to be read whole, by `read`."""


class Reading(Protocol):
    """How pictures are read."""

    @property
    def colours(self) -> Colours:
        """What they become before the work begins."""

    def open(self, source: Path | BinaryIO) -> AbstractContextManager[Opening]:
        """Open a picture."""


class Result(Protocol):
    """What the work made of a picture."""

    @property
    def picture(self) -> Picture:
        """What is written."""

    @property
    def how(self) -> str:
        """How it was done, for those who want details."""

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a report tells beside files, sizes and modes."""

    @property
    def record(self) -> Mapping[str, Any] | None:
        """What is printed beside them, as a line of JSON; None where the path alone is printed."""


class Plan(Protocol):
    """What will be done to one picture, known from its header."""

    @property
    def made(self) -> Sequence[Frame]:
        """The frames that will be made, black."""

    @property
    def memory(self) -> int:
        """The most bytes that are taken while frames become others, those frames included."""

    @property
    def said(self) -> str:
        """What runs, as a part of a sentence."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What runs, as JSON has it; `seconds` says how long it will take on a core, where that is known."""

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know before it runs."""

    @property
    def has_rows(self) -> bool:
        """Whether it is a `PlanByRows`, whose result can be made by rows."""

    def filled(self, picture: Picture) -> Plan:
        """Return the plan for the picture itself."""

    def run(self) -> Result:
        """Do it; the pixels are not kept."""


class RowsToMake(Protocol):
    """A picture whose rows are still to be made, to be taken once."""

    @property
    def black(self) -> Picture:
        """The result, its pixels black."""

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Make the rows from the top to the bottom, some at a time."""

    def told(self) -> Result:
        """Return what became of the picture, once all rows were taken; its pixels are black."""


class PlanByRows(Plan, Protocol):
    """A plan whose result can be made by rows, of a picture whose pixels may be `StoredPixels`."""

    def rows_memory(self, stored: StoredPixels | None) -> int:
        """Return the bytes that making rows takes beside a picture, or with one that is stored in a file."""

    def rows(self) -> RowsToMake:
        """Return what is to be made."""


class Work(Protocol):
    """What a run does to each picture."""

    @property
    def verb(self) -> str:
        """What messages call it."""

    @property
    def lighter(self) -> str:
        """What besides a smaller picture would take less memory; empty where there is nothing."""

    def plan(self, name: str, target: str, picture: Picture, form: str) -> Plan:
        """Return what will be done to a picture, or raise an error where that cannot be.

        name, target : what messages call the input and the output
        picture : its pixels may be black
        form : the format of the output
        """
