"""The template of a search: a smaller picture to be found in others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convcli.errors import ArgumentError
from convcli.images.picture import Frame, Picture
from convcli.images.size_in_words import size_in_words


@dataclass(frozen=True)
class Template:
    """A picture to be found in others.

    name : its name in messages
    notes : notes about it for the user
    """

    name: str
    frame: Frame
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, picture: Picture) -> Template:
        """Return a picture as a template; raise ArgumentError if it has several frames or no contrast."""
        from convcli.analysis.match_scores import match_scores

        cls.check_still(name, picture)
        template = cls(name, picture.frames[0], picture.notes)
        if template.mask is not None and not template.mask.any():
            raise ArgumentError(
                f"the template {name} is fully transparent, so there is nothing to match; give one with opaque pixels"
            )
        try:
            match_scores(template.colours, template.colours, template.mask)
        except ArgumentError as error:
            raise ArgumentError(f"{name}: {error}") from None
        return template

    @staticmethod
    def check_still(name: str, picture: Picture) -> None:
        """Raise ArgumentError if a picture, of which only the header is needed, has several frames."""
        if len(picture.frames) > 1:
            raise ArgumentError(
                f"the template {name} has {len(picture.frames)} frames; give a picture with one frame"
            )

    @staticmethod
    def preparation(frame: Frame) -> int:
        """Estimate the bytes that `of` needs for a frame, of which only shape and dtype are needed."""
        from convcli.analysis.match_scores import match_bytes

        size = frame.pixels.shape[:2]
        return frame.pixels.nbytes + match_bytes(size, size, _count(frame), masked=frame.has_alpha)

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
        """The alpha of each pixel; None without an alpha channel."""
        return self.frame.pixels[..., -1] if self.frame.has_alpha else None

    def check(self, name: str, frame: Frame) -> None:
        """Raise ArgumentError if the template does not fit a frame, of which only shape and mode are needed."""
        mine, theirs = _colours(self.frame), _colours(frame)
        if mine != theirs:
            raise ArgumentError(
                f"{name} is {theirs} and the template {self.name} is {mine}; both must have the same channels: convert "
                "one, or give `gray=True` to compare both as grey"
            )
        sizes = self.size, frame.pixels.shape[:2]
        if any(k > n for k, n in zip(*sizes, strict=True)):
            raise ArgumentError(
                f"the template {self.name} is {size_in_words(sizes[0])}, larger than {name}, which is "
                f"{size_in_words(sizes[1])}; crop the template, or swap the two"
            )

    def places(self, frame: Frame) -> tuple[int, int]:
        """Return the number of rows and columns at which the template fits into a frame."""
        rows, columns = (n - k + 1 for n, k in zip(frame.pixels.shape, self.size, strict=False))
        return rows, columns

    def bytes(self, frame: Frame, threads: int | None) -> int:
        """Estimate the bytes that `scores` needs for a frame, of which only the shape is needed."""
        from convcli.analysis.match_scores import match_bytes

        size, masked = frame.pixels.shape[:2], self.mask is not None
        return match_bytes(size, self.size, _count(frame), masked=masked, threads=threads)

    def scores(self, name: str, frame: Frame, threads: int | None) -> Any:
        """Return the map of scores of one frame, or raise ArgumentError if it cannot be matched."""
        from convcli.analysis.match_scores import match_scores

        try:
            return match_scores(_opaque(frame), self.colours, self.mask, threads=threads)
        except ArgumentError as error:
            raise ArgumentError(f"{name}: {error}") from None


def _colours(frame: Frame) -> str:
    """Return the colour channels of a frame, without depth and alpha: L, RGB, CMYK ..."""
    return frame.channels.removesuffix("A") if frame.has_alpha else frame.channels


def _opaque(frame: Frame) -> Any:
    return frame.pixels[..., :-1] if frame.has_alpha else frame.pixels


def _count(frame: Frame) -> int:
    """Return the number of colour channels of a frame."""
    return (1 if frame.pixels.ndim == 2 else int(frame.pixels.shape[2])) - frame.has_alpha
