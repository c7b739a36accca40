"""Frames through the stages and back: what runs on a picture, and the pixels that it makes."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.backend.values import Alpha, Extent, Filtered, Measured, Range, full_scale, raw_dtype
from convcli.errors import ArgumentError
from convcli.filters.frame_group import FrameGroup
from convcli.filters.picture_colours import Colours
from convcli.filters.recipe_of_request import RequestedRecipe, recipe_of
from convcli.filters.request import Request
from convcli.filters.result_mode import narrows
from convcli.filters.single_kernel import PREMULTIPLY, SingleKernel
from convcli.images.formats import NUMBERS
from convcli.images.modes import channels_of
from convcli.images.picture import Frame, ImageError, Picture
from convcli.memory import black_pixels, return_freed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from convcli.filters.recipe import Recipe
    from convcli.filters.region import Region
    from convcli.filters.tiles.given_picture import Given
    from convcli.filters.tiles.tile_loop import TileWork
    from convcli.filters.tiles.values_to_pixels import Finish
    from convcli.layers import Conv

    Array = NDArray[Any]

# Nothing of `stages` and `tiles` is imported here: a kernel alone, by far the most common run, needs none of it.

MIB = 1 << 20
SHEET = 4  # bytes of a pixel of a sheet while it is drawn
RETURNED = 16 * MIB  # of frames that were freed are given back to the system


class Made(NamedTuple):
    """The frames of one run, how many samples were clipped of how many, and how it was done.

    extent : the finite values that were stretched; None where none were
    """

    frames: tuple[Frame, ...]
    clipped: float
    samples: int
    plan: str
    notes: tuple[str, ...] = ()
    measured: Measured | None = None
    extent: Extent | None = None


class PictureFilter(NamedTuple):
    """The recipe of one run and how values become pixels again; to be asked for each picture."""

    request: Request
    requested: RequestedRecipe
    colours: Colours
    max_pixels: int
    threads: int | None = None
    stats: bool = False
    region: Region | None = None

    @classmethod
    def of(
        cls, request: Request, colours: Colours, max_pixels: int, threads: int | None = None
    ) -> PictureFilter:
        """Make it of what is asked, or raise ArgumentError."""
        requested = recipe_of(request)
        if not request.any_given("only", "mask"):
            return cls(request, requested, colours, max_pixels, threads)
        from convcli.filters.region import Region

        region = Region.of(request.only, request.mask)
        return cls(request, requested, colours, max_pixels, threads, region=region)

    @property
    def value_range(self) -> Range | None:
        """How values come back into the depth of a picture."""
        return self.request.value_range

    @property
    def alpha(self) -> Alpha:
        """What is done with colours beside alpha."""
        return self.request.alpha

    @property
    def sheet(self) -> bool:
        """Whether maps are drawn side by side."""
        return self.request.sheet

    def plain(self, frame: Frame, form: str, recipe: Recipe) -> Conv | None:
        """Return the layer of each channel, where one kernel is all there is and the depth stays.

        That is filtered by the quickest sums, each rounded exactly.
        """
        lit = form in NUMBERS and self.colours.linear  # whose light is told in floats of its own
        skips_nan = recipe.nan == "skip" and frame.pixels.dtype.kind == "f"
        if lit or skips_nan or self.sheet or narrows(self.value_range, frame.pixels.dtype, frame.mode, form):
            return None
        return recipe.lone(frame.pixels.shape[:2])

    def groups(self, name: str, picture: Picture, form: str) -> list[FrameGroup]:
        """Return what is run on a picture for a format, or raise an error where it does not fit; no pixel is read."""
        try:
            return self._groups(name, picture, form)
        except ArgumentError as error:
            raise ArgumentError(f"cannot filter {name}: {error}") from error

    def _groups(self, name: str, picture: Picture, form: str) -> list[FrameGroup]:
        if self.requested.dims == 2:
            return [self._group(name, (frame,), form) for frame in picture.frames]
        shapes = {(frame.mode, frame.pixels.shape) for frame in picture.frames}
        if len(picture.frames) < 2:
            raise ImageError(f"cannot filter {name}: `dims=3` reaches over frames or pages, and it has one")
        if len(shapes) > 1:
            raise ImageError(
                f"cannot filter {name}: its pages differ in size or mode, so `dims=3` cannot reach over them"
            )
        return [self._group(name, picture.frames, form)]

    def _group(self, name: str, frames: tuple[Frame, ...], form: str) -> FrameGroup:
        frame = frames[0]
        size = frame.pixels.shape[:2] if self.requested.dims == 2 else (len(frames), *frame.pixels.shape[:2])
        channels = 1 if frame.pixels.ndim == 2 else frame.pixels.shape[2]
        has_alpha = frame.has_alpha and self.alpha != "filter"
        shape = (channels - has_alpha, *size)
        recipe = replace(
            self.requested.recipe,
            full_scale=1.0 if self.colours.linear else full_scale(frame.pixels.dtype),
            padding_value=self.colours.level(self.requested.recipe.padding_value, frame),
        )
        if frame.zero is not None and self.value_range == "minmax":
            raise ArgumentError(
                "`value_range='minmax'` stretches all channels alike, and a* and b* have either sign, which L* has "
                "not; take the lightness alone by `channels='l'`, or another range"
            )
        plain = self.plain(frame, form, recipe)
        group = FrameGroup(frames, shape, has_alpha, recipe, plain, form)
        self._check_size(name, group)
        if plain is None and has_alpha and self.alpha == "premultiply":
            for stage in group.stages:
                stage.check_premultiplying()
        return group

    def _check_size(self, name: str, group: FrameGroup) -> None:
        """Refuse what padding or enlarging would make too large, before any memory is taken."""
        for what, count in group.sizes():
            if count > self.max_pixels:
                raise ImageError(
                    f"cannot filter {name}: {what} {count:,} pixels, over the limit of "
                    f"{self.max_pixels:,}; pad less, or raise it with `max_pixels={count}`"
                )

    def make_all(self, groups: list[FrameGroup]) -> list[Made]:
        """Run the stages on the frames of all groups, which are taken from the list: the pixels are not kept.

        `minmax` stretches all of them alike, and looks at all before.
        """
        if self.value_range != "minmax" or len(groups) == 1:
            return list(self._each(groups))
        found: dict[float, Extent | None] = {}  # by what is white in the units of the values
        for group in groups:
            white, extent = group.recipe.full_scale, self._extent(group)
            found[white] = Extent.around((found.get(white), extent))

        def common(group: FrameGroup) -> Extent | None:
            own = group.recipe.full_scale
            return Extent.around(extent and extent.scaled(own / white) for white, extent in found.items())

        return [self.make(group, common(group)) for group in groups]

    def _each(self, groups: list[FrameGroup]) -> Iterator[Made]:
        """Run one group after the other, and let its frames go."""
        freed = 0
        for left in range(len(groups), 0, -1):
            freed += sum(frame.pixels.nbytes for frame in groups[0].frames)
            yield self.make(groups.pop(0))
            if left > 1 and freed > RETURNED:
                return_freed()
                freed = 0

    def make(self, group: FrameGroup, extent: Extent | None = None) -> Made:
        """Run the stages on the frames of a group; `extent` is what `minmax` stretches, by default its own values."""
        made = self._made(group, extent)
        if self.region is None:
            return made
        pairs = zip(group.frames, made.frames, strict=True)
        frames = tuple(
            replace(after, pixels=self.region.put(before, after.pixels)) for before, after in pairs
        )
        return made._replace(frames=frames)

    def _made(self, group: FrameGroup, extent: Extent | None) -> Made:
        if group.plain is not None:
            return self._plainly(group, extent)
        from convcli.filters.tiles.tile_loop import run

        done = run(self.tile_work(group, group.given(self.colours), extent))
        pixels = self._on_sheet(group, done.pixels) if self.sheet else done.pixels
        return self.told(group, self.framed(group, pixels), done)

    def notes(self, group: FrameGroup) -> tuple[str, ...]:
        """Return what the stages of a group have to say, and how many of its maps find no place on a sheet."""
        if not self.sheet:
            return group.notes
        from convcli.images.map_sheet import MOST

        maps = group.output_shape[0]
        undrawn = (
            [f"{MOST} of the {maps} maps are drawn; .npy takes the numbers of all"] if maps > MOST else []
        )
        return (*group.notes, *undrawn)

    def told(self, group: FrameGroup, frames: tuple[Frame, ...], done: Filtered) -> Made:
        """Return the frames that were made of a group, with what is told of the run."""
        count, plan = prod(group.output_shape), done.plan
        if group.plain is None:
            plan = f"{self.requested.recipe.variant}, {plan}{', NaN skipped' * group.skips_nan}"
        return Made(frames, done.clipped * count, count, plan, self.notes(group), done.measured, done.extent)

    def tile_work(self, group: FrameGroup, given: Given, extent: Extent | None = None) -> TileWork:
        """Return what the tile loop is asked to do with a group, given as it is or by rows."""
        from convcli.filters.tiles.tile_loop import TileWork

        finish, premultiply = self._finish(group, extent), PREMULTIPLY[self.alpha]
        return TileWork(given, group.stages, finish, premultiply, self.threads, self.stats)

    def _finish(self, group: FrameGroup, extent: Extent | None) -> Finish:
        """Return how the values of stages become pixels."""
        import numpy as np

        from convcli.filters.tiles.values_to_pixels import Finish

        frame, linear = group.frames[0], self.colours.linear
        raw = self.sheet or group.form in NUMBERS
        own = np.dtype("float64") if linear else frame.pixels.dtype
        channels = channels_of(group.made.mode)
        return Finish(
            own,
            raw_dtype(own) if raw else group.made.dtype,
            None if raw else self.value_range or "clip",
            extent,
            extent,
            frame.zero if channels == frame.channels else None,
            light=linear and not raw,
            ends_in_alpha=channels.endswith("A") and not group.has_alpha,
        )

    def _on_sheet(self, group: FrameGroup, values: Array) -> Array:
        """Draw values (*spatial, C), with or without opacity, as the sheet of their maps: (*lead, H, W, 3)."""
        import numpy as np

        from convcli.filters.map_legends import MapLegends
        from convcli.images.map_sheet import draw_maps

        maps = group.output_shape[0]
        legends = MapLegends.of(self.requested, group)
        if values.ndim == 4:
            return np.stack([self._on_sheet(group, each) for each in values])
        return draw_maps(
            np.moveaxis(values[..., :maps], -1, 0), legends.names, legends.kernels, legends.title
        )

    def _extent(self, group: FrameGroup) -> Extent | None:
        """Return the extent of a group's values."""
        if group.plain is not None:
            return self.single(group).extent(group.frames[0].pixels)
        from convcli.filters.tiles.tile_loop import extent_of

        return extent_of(self.tile_work(group, group.given(self.colours)))

    def foretold(self, group: FrameGroup) -> list[Frame]:
        """Return the frames that will be made, black."""
        maps, *size = group.output_shape
        if self.sheet:
            from convcli.filters.map_legends import MapLegends
            from convcli.images.map_sheet import SheetPlan

            beside = MapLegends.of(self.requested, group).beside
            size, channels = [*size[:-2], *SheetPlan.of(maps, size[-2], size[-1], beside).shape], 3
        else:
            channels = maps + group.has_alpha
        return list(self.framed(group, black_pixels((*size, channels), group.made.dtype)))

    def _plainly(self, group: FrameGroup, extent: Extent | None) -> Made:
        """Filter a picture by one kernel, channel by channel: exactly, and rounded once."""
        (frame,) = group.frames
        filtered = self.single(group).filtered(frame.pixels, extent, self.stats)
        return self.told(group, (replace(frame, pixels=filtered.pixels, mode=group.made.mode),), filtered)

    def single(self, group: FrameGroup) -> SingleKernel:
        """Return the kernel alone, and what is asked of it."""
        frame = group.frames[0]
        return SingleKernel.of(
            group.recipe,
            frame.pixels.dtype,
            self.alpha if frame.has_alpha else None,
            None if group.form in NUMBERS else self.value_range or "clip",
            frame.zero,
            self.colours.linear,
            self.threads,
        )

    def memory(self, group: FrameGroup, outputs: int) -> int:
        """Foretell the bytes that are taken beside the frames of a group, with its outputs of so many bytes."""
        kept = outputs if self.region is not None else 0  # a copy of the picture, which gets the region
        if group.plain is None:
            return kept + group.memory(outputs, self.threads) + self._values_of_sheet(group)
        return kept + outputs + self.single(group).memory(group.frames[0].pixels.shape, self.stats)

    def _values_of_sheet(self, group: FrameGroup) -> int:
        """Return the bytes of the values that are drawn on a sheet, and of the sheet while it is drawn."""
        if not self.sheet:
            return 0
        maps, *size = group.output_shape
        each = raw_dtype(group.frames[0].pixels.dtype).itemsize
        drawn = prod(self.foretold(group)[0].pixels.shape[:2])
        return (maps + group.has_alpha) * prod(size) * each + SHEET * drawn

    def framed(self, group: FrameGroup, pixels: Array) -> tuple[Frame, ...]:
        """Return pixels (H, W, C) or (D, H, W, C) as frames, each timed as the one in its middle."""
        flat, mode = pixels[..., 0] if pixels.shape[-1] == 1 else pixels, group.made.mode
        if self.requested.dims == 2:
            return (replace(group.frames[0], pixels=flat, mode=mode),)
        count, given = len(flat), len(group.frames)
        middles = [min(given - 1, (2 * place + 1) * given // (2 * count)) for place in range(count)]
        return tuple(
            replace(group.frames[middle], pixels=part, mode=mode)
            for middle, part in zip(middles, flat, strict=True)
        )
