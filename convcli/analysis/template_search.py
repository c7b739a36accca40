"""A search for a template in a picture: planned from its header, then run on every frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.analysis.template import Template
from convcli.images.formats import FORMATS, NUMBERS
from convcli.images.picture import Frame, Picture
from convcli.images.size_in_words import size_in_words
from convcli.memory import black_pixels

if TYPE_CHECKING:
    from convcli.analysis.match import Place

DIGITS = 9  # decimals of a score that are free of rounding errors
SCORE, LEFT = 8, 11  # bytes per place: its score, and the working memory of `best_places`
# The pixel mode and dtype of maps, for the formats that can hold the scores themselves.
FLOATS = {
    "TIFF": ("F", "float32"),
    "PFM": ("F", "float32"),
    **dict.fromkeys(NUMBERS, ("L;float64", "float64")),
}


@dataclass(frozen=True)
class Search:
    """The work of `match` on each picture: a search for a template."""

    template: Template
    top: int
    threads: int | None

    verb = "match"
    lighter = ""  # than a smaller picture

    def plan(self, name: str, target: str, picture: Picture, form: str) -> SearchPlan:
        """Return the plan for a picture, or raise ArgumentError if the template does not fit it."""
        for frame in picture.frames:
            self.template.check(name, frame)
        return SearchPlan(self, name, picture, form)


@dataclass(frozen=True)
class SearchPlan:
    """The plan of a search in one picture, made from its header."""

    search: Search
    name: str
    picture: Picture
    form: str

    has_rows = False  # scores are drawn once all are known

    @property
    def made(self) -> list[Frame]:
        """The maps that will be drawn, with black pixels."""
        return list(self._drawn(map(self._black, self.picture.frames)).frames)

    def _black(self, frame: Frame) -> Frame:
        mode, dtype = _kind(frame, self.form)
        places = self.search.template.places(frame)
        return replace(frame, pixels=black_pixels(places, dtype), mode=mode)

    @property
    def memory(self) -> int:
        """The peak memory in bytes: all frames are held, and searched one after the other."""
        inputs, outputs, most = sum(frame.pixels.nbytes for frame in self.picture.frames), 0, 0
        for frame, drawn in zip(self.picture.frames, self.made, strict=True):
            # The scores, and either the drawn map or the working memory of `best_places`.
            results = prod(drawn.pixels.shape) * (SCORE + max(LEFT, drawn.pixels.itemsize))
            template = self.search.template
            most = max(most, outputs + max(template.bytes(frame, self.search.threads), results))
            outputs += drawn.pixels.nbytes
        return inputs + most

    @property
    def description(self) -> str:
        """A description of the search."""
        template = self.search.template
        return f"search for {template.name} ({size_in_words(template.size)})"

    @property
    def facts(self) -> dict[str, Any]:
        """The template's name and size, for the report."""
        return {"template": self.search.template.name, "template_size": list(self.search.template.size)}

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user: about the template, and that the picture's alpha is left out."""
        alpha = "its alpha is left out: transparent pixels are matched by their stored colours"
        return (*self.search.template.notes, *((alpha,) if self.picture.frames[0].has_alpha else ()))

    def filled(self, picture: Picture) -> SearchPlan:
        """Return the same plan for the decoded picture."""
        return replace(self, picture=picture)

    def run(self) -> SearchedPicture:
        """Search every frame for the template and draw the maps; the scores themselves are not kept."""
        found = [self._searched(frame) for frame in self.picture.frames]
        return SearchedPicture(
            self._drawn(each.frame for each in found),
            f"{len(found)} frame(s), {found[0].count:,} places",
            (*self.picture.notes, *self.notes),
            {},
            {
                "min": min(each.least for each in found),
                "max": max(each.most for each in found),
                "mean": sum(each.total for each in found) / sum(each.count for each in found),
                **self.facts,
                "matches": [
                    {
                        "frame": number,
                        "row": place.row,
                        "column": place.column,
                        "score": round(place.score, DIGITS),
                    }
                    for number, each in enumerate(found)
                    for place in each.places
                ],
            },
        )

    def _drawn(self, frames: Iterable[Frame]) -> Picture:
        """Return the maps as a picture, without the metadata, which describes the colours of the input."""
        return replace(self.picture, frames=tuple(frames), metadata={}, notes=(), lost=())

    def _searched(self, frame: Frame) -> _Found:
        """Search a frame for the template; the scores themselves are not kept."""
        from convcli.analysis.match import as_grey, best_places

        template = self.search.template
        scores = template.scores(self.name, frame, self.search.threads)
        places = best_places(scores, self.search.top, template.size)
        numbers = float(scores.min()), float(scores.max()), float(scores.sum())
        mode, dtype = _kind(frame, self.form)
        pixels = scores.astype(dtype, copy=False) if self.form in FLOATS else as_grey(scores, dtype)
        return _Found(replace(frame, pixels=pixels, mode=mode), scores.size, *numbers, places)


class SearchedPicture(NamedTuple):
    """The result of a search: the maps, and what is reported about the scores."""

    picture: Picture
    how: str
    notes: tuple[str, ...]
    facts: dict[str, Any]
    record: dict[str, Any]


@dataclass(frozen=True)
class _Found:
    """The results for one frame: its map, and the statistics of its scores."""

    frame: Frame
    count: int
    least: float
    most: float
    total: float
    places: list[Place]


def _kind(frame: Frame, form: str) -> tuple[str, str]:
    """Return the pixel mode and the dtype of the map of a frame in a format."""
    if form in FLOATS:
        return FLOATS[form]
    deep = frame.pixels.dtype.itemsize > 1 and FORMATS[form].holds("I;16")
    return ("I;16", "uint16") if deep else ("L", "uint8")
