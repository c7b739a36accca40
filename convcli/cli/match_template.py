"""The smaller picture that `convcli filter --match` looks for in others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcli.cli.reading import Reading
from convcli.errors import ArgumentError
from convcli.jobs.memory_limit import check_memory

if TYPE_CHECKING:
    from convcli.images.picture import Frame

WAY = "take a smaller picture"  # where there is not enough memory for one


@dataclass(frozen=True)
class Template:
    """The picture that is looked for."""

    name: str
    frame: Frame
    notes: tuple[str, ...]

    @classmethod
    def read(cls, path: Path, reading: Reading, max_memory: int) -> Template:
        """Read a still picture with some contrast, or raise an error that says why it is no template."""
        from convcli.backend.matching import match, match_bytes

        with reading.open(path) as opened:
            header, memory = reading.colours.ahead(opened.header, str(path))
            if len(header.frames) > 1:
                raise ArgumentError(
                    f"--match {path} has {len(header.frames)} frames; give a still picture, such as one of them"
                )
            frame = header.frames[0]
            size = frame.pixels.shape[:2]
            taken = frame.pixels.nbytes + match_bytes(size, size, _count(frame), masked=frame.has_alpha)
            check_memory(f"match {path}", max(memory, taken), max_memory, WAY)
            picture = opened.read()
        picture = reading.colours.converted(picture, str(path))
        template = cls(str(path), picture.frames[0], picture.notes)
        if template.mask is not None and not template.mask.any():
            raise ArgumentError(f"--match {path} is transparent all over; nothing of it can be found")
        try:
            match(template.colours, template.colours, template.mask)
        except ArgumentError as error:
            raise ArgumentError(f"--match {path}: {error}") from None
        return template

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.frame.pixels.shape[:2]
        return rows, columns

    @property
    def colours(self) -> Any:
        """The pixels without alpha."""
        return _opaque(self.frame)

    @property
    def mask(self) -> Any:
        """The alpha of each pixel, or None where there is none."""
        return self.frame.pixels[..., -1] if self.frame.has_alpha else None

    def check(self, name: str, frame: Frame) -> None:
        """Raise ArgumentError where the template does not fit a frame, whose pixels may be black."""
        mine, theirs = _colours(self.frame), _colours(frame)
        if mine != theirs:
            raise ArgumentError(
                f"{name} is {theirs} and the template {self.name} is {mine}; make both the same, as --gray does of "
                "colours and grey"
            )
        sizes = self.size, frame.pixels.shape[:2]
        if any(k > n for k, n in zip(*sizes, strict=True)):
            (h, w), (height, width) = sizes
            raise ArgumentError(
                f"the template {self.name} is {h}x{w} (rows x columns), larger than {name} of {height}x{width}; "
                "cut it smaller, or exchange the two"
            )

    def places(self, frame: Frame) -> tuple[int, int]:
        """Return in how many rows and columns the template fits into a frame."""
        rows, columns = (n - k + 1 for n, k in zip(frame.pixels.shape, self.size, strict=False))
        return rows, columns

    def bytes(self, frame: Frame, threads: int | None) -> int:
        """Foretell the bytes that `scores` takes for a frame, whose pixels may be black."""
        from convcli.backend.matching import match_bytes

        size, masked = frame.pixels.shape[:2], self.mask is not None
        return match_bytes(size, self.size, _count(frame), masked=masked, threads=threads)

    def scores(self, name: str, frame: Frame, threads: int | None) -> Any:
        """Return the map of scores of one frame, or raise ArgumentError where it cannot be matched."""
        from convcli.backend.matching import match

        try:
            return match(_opaque(frame), self.colours, self.mask, threads=threads)
        except ArgumentError as error:
            raise ArgumentError(f"{name}: {error}") from None


def _colours(frame: Frame) -> str:
    """Return what the colours of a frame are, whatever their depth and alpha: L, RGB, CMYK ..."""
    return frame.channels.removesuffix("A") if frame.has_alpha else frame.channels


def _opaque(frame: Frame) -> Any:
    return frame.pixels[..., :-1] if frame.has_alpha else frame.pixels


def _count(frame: Frame) -> int:
    """Return how many channels of a frame are colours."""
    return (1 if frame.pixels.ndim == 2 else int(frame.pixels.shape[2])) - frame.has_alpha
