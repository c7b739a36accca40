"""The plan of a filter for a whole picture, made from its header, and its run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import islice
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError
from convcli.filters.clipping import advice, clipping_note
from convcli.filters.frame_group import FrameGroup
from convcli.filters.recipe_of_request import mixing_error
from convcli.filters.result_mode import result_mode
from convcli.filters.run import Made, PictureFilter
from convcli.images.channels import recoloured, without_profile
from convcli.images.formats import NUMBERS
from convcli.images.modes import mode_name
from convcli.images.picture import Frame, ImageError, Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.filters.region import Region
    from convcli.filters.run_by_rows import MadeRows
    from convcli.images.metadata.geometry import Moves, Origin
    from convcli.images.stored_pixels import StoredPixels

    Origins = list[tuple[Origin, Moves | None, int]]


class FilteredPicture(NamedTuple):
    """The result of a filter on a picture.

    how : the methods and dtypes of the sums
    facts : entries for a report
    record : statistics of the samples, if they were requested
    """

    picture: Picture
    how: str
    notes: tuple[str, ...]
    facts: dict[str, Any]
    record: dict[str, Any] | None


@dataclass(frozen=True)
class FilteredRows:
    """A result whose rows are computed on iteration.

    black : the result with black pixels
    """

    plan: Plan
    black: Picture
    made: MadeRows

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield the rows of the result from top to bottom: (rows, W) or (rows, W, C)."""
        return iter(self.made)

    def result(self) -> FilteredPicture:
        """Return the result with its notes and statistics, after all rows were computed."""
        assert self.made.made is not None
        return self.plan.with_statistics(self.black, [self.made.made])


@dataclass(frozen=True)
class Filtering:
    """The filter that runs on each picture."""

    filter: PictureFilter

    verb = "filter"
    lighter = "a larger `stride`"

    def __post_init__(self) -> None:
        """Raise errors that would occur for every picture."""
        if self.filter.alpha == "premultiply" and (error := mixing_error(self.filter.requested)) is not None:
            raise error

    def with_mask(self, path: Path, name: str) -> Filtering:
        """Return the filter for the mask in a file, of which only the header is read; `name` is that of the picture."""
        region = self.filter.region
        assert region is not None
        try:
            masked = region.with_mask(path)
        except (ArgumentError, ImageError) as error:
            raise type(error)(f"cannot filter {name} with its mask: {error}") from error
        return Filtering(self.filter._replace(region=masked))

    def plan(self, name: str, target: str, picture: Picture, form: str) -> Plan:
        """Return the plan for a picture, whose pixels may be black, or raise an error if it cannot be filtered."""
        picture_filter = self.filter
        groups = [
            group.becoming(
                result_mode(
                    picture_filter.request,
                    name,
                    target,
                    group,
                    picture_filter.colours.rounded_to(group.frames[0].pixels.dtype),
                )
            )
            for group in picture_filter.groups(name, picture, form)
        ]
        parts = list(map(picture_filter.black_frames, groups))
        if picture_filter.region is not None:
            for group, made in zip(groups, parts, strict=True):
                depth = picture_filter.colours.rounded_to(group.frames[0].pixels.dtype)
                before = group.frames
                if depth is not None:  # black pixels need no conversion
                    before = tuple(
                        replace(each, mode=mode_name(each.channels, depth.name)) for each in before
                    )
                _check_region(picture_filter.region, name, before, made)
        return Plan(picture_filter, picture, groups, parts)


def _check_region(region: Region, name: str, before: Sequence[Frame], after: Sequence[Frame]) -> None:
    """Raise ArgumentError if the results cannot be inserted into the frames."""
    if len(before) != len(after):
        raise ArgumentError(f"cannot filter {name}: a region needs the same number of frames, {len(before)}")
    for was, becomes in zip(before, after, strict=True):
        try:
            region.check(was, becomes)
        except ArgumentError as error:
            raise ArgumentError(f"cannot filter {name}: {error}") from error


@dataclass
class Plan:
    """The plan of a filter for a picture.

    parts : the results of each group, with black pixels
    """

    filter: PictureFilter
    picture: Picture
    groups: list[FrameGroup]
    parts: list[list[Frame]]

    @property
    def made(self) -> list[Frame]:
        """The frames of the result, with black pixels."""
        return [frame for part in self.parts for frame in part]

    @property
    def memory(self) -> int:
        """Peak bytes of the run, in which groups are filtered one after the other."""
        # Frames that are parts of one array, or that are read twice, are freed together.
        together = self.picture.format in NUMBERS or self.filter.value_range == "minmax"
        inputs, outputs, most = _bytes(self.picture.frames), 0, 0
        for group, frames in zip(self.groups, self.parts, strict=True):
            most = max(most, inputs + outputs + self.filter.memory(group, _bytes(frames)))
            outputs += _bytes(frames)
            inputs -= 0 if together else _bytes(group.frames)
        return most

    @property
    def facts(self) -> dict[str, Any]:
        """The layers, their cost, and the estimated seconds on one core."""
        shares = list(map(self.filter.share, self.groups))
        return {
            "layers": self.groups[0].layer_texts,
            "macs": sum(
                int(group.cost.macs * share) for group, share in zip(self.groups, shares, strict=True)
            ),
            "seconds": round(
                sum(group.seconds * share for group, share in zip(self.groups, shares, strict=True)), 3
            ),
            **({} if self.filter.region is None else self.filter.region.facts),
        }

    @property
    def description(self) -> str:
        """A description of the layers and their cost."""
        facts, region = self.facts, self.filter.region
        where = ""
        if region is not None:
            whole = " on the whole picture, of which the result is kept"
            where = f"{'' if self.filter.parts(self.groups[0]) else whole} {region.description}"
        return f"run {', '.join(facts['layers'])}: {facts['macs']:,} multiply-adds{where}"

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes before the run: those of the stages and the region, and on maps that are not drawn on a sheet."""
        return tuple(dict.fromkeys(note for group in self.groups for note in self.filter.notes(group)))

    def filled(self, picture: Picture) -> Plan:
        """Return the plan with the decoded picture."""
        left = iter(picture.frames)
        groups = [group.filled(tuple(islice(left, len(group.frames)))) for group in self.groups]
        return replace(self, picture=picture, groups=groups)

    @property
    def has_rows(self) -> bool:
        """Whether the result can be computed band by band: a single frame without a sheet or region."""
        from convcli.filters.run_by_rows import has_rows

        alone = len(self.groups) == len(self.picture.frames) == 1 and not self.filter.sheet
        return alone and self.filter.region is None and has_rows(self.filter, self.groups[0])

    def rows_memory(self, stored: StoredPixels | None) -> int:
        """Return the bytes that `rows` needs in addition to the frame, or with pixels stored in a file."""
        from convcli.filters.run_by_rows import memory

        (group,), (frame,) = self.groups, self.made
        return memory(self.filter, group, frame, stored)

    def rows(self) -> FilteredRows:
        """Return the result of the only frame, whose pixels may be `StoredPixels`, computed by rows."""
        from convcli.filters.run_by_rows import MadeRows

        (group,) = self.groups
        origins, before = self._origins(), self.picture.black()
        rows = MadeRows(self.filter, group)
        return FilteredRows(self, self._result(before, [rows.frame], origins), rows)

    def run(self) -> FilteredPicture:
        """Run all groups; their frames are freed once they are filtered, so a plan runs only once."""
        origins, before = self._origins(), self.picture.black()
        groups, self.groups, self.picture = self.groups, [], before
        made = self.filter.make_all(groups)
        return self.with_statistics(
            self._result(before, [frame for part in made for frame in part.frames], origins), made
        )

    def _result(self, before: Picture, frames: list[Frame], origins: Origins) -> Picture:
        """Return a picture of the frames with the metadata that still applies."""
        if self.filter.sheet:
            before = without_profile(before)
        result = recoloured(before, frames)
        if not origins:
            return result
        from convcli.images.metadata.geometry import kept_true

        return kept_true(result, *_of_frames(origins))

    def with_statistics(self, result: Picture, made: list[Made]) -> FilteredPicture:
        """Return a result with the notes and statistics of the runs that made it."""
        notes = dict.fromkeys(note for part in made for note in part.notes)
        return FilteredPicture(
            result,
            made[0].plan,
            (*notes, *self._clipping(made, result)),
            {"plan": made[0].plan, "clipped": _clipped(made)},
            _measured(made) if self.filter.stats else None,
        )

    def _clipping(self, made: list[Made], result: Picture) -> list[str]:
        """Return a note on the fraction of clipped samples, with advice."""
        share = _clipped(made)
        if not share:
            return []
        if self.filter.value_range == "minmax":
            return [f"{share:.2%} of the samples are not finite; NaN became 0, and infinity was clipped"]
        stretched = all(frame.zero is None for frame in result.frames)
        recipe = self.filter.requested.recipe
        activated = recipe.activation is not None
        hint = advice(self.filter.value_range, recipe.kernels, activated=activated) if stretched else ""
        return list(clipping_note(share, hint))

    def _origins(self) -> Origins:
        """Return the origin of each group, how its pixels move, and the number of its frames."""
        from convcli.images.metadata.geometry import Origin, depends_on_pixels

        if not depends_on_pixels(self.picture):
            return []
        found: Origins = []
        for group, frames in zip(self.groups, self.parts, strict=True):
            frame = group.frames[0]
            metadata = self.picture.metadata if not found or frame.page is None else frame.page
            moves = None if self.filter.sheet else group.moves
            found.append((Origin.of(frame, metadata, group.skips_nan), moves, len(frames)))
        return found


def _measured(made: list[Made]) -> dict[str, Any]:
    """Return the statistics of the samples of a picture."""
    measured = reduce(add, (part.measured for part in made if part.measured is not None))
    return {**measured.record(), "clipped": _clipped(made)}


def _clipped(made: list[Made]) -> float:
    return sum(part.clipped for part in made) / sum(part.samples for part in made)


def _of_frames(origins: Origins) -> tuple[list[Origin], list[Moves | None]]:
    """Return the origin and the moves of each frame."""
    each = [(origin, moves) for origin, moves, count in origins for _ in range(count)]
    return [origin for origin, _ in each], [moves for _, moves in each]


def _bytes(frames: Iterable[Frame]) -> int:
    return sum(frame.pixels.nbytes for frame in frames)
