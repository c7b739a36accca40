"""Run a filter on the frames of a picture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.backend.values import Alpha, Extent, Filtered, Measured, Range, full_scale, raw_dtype
from convcli.errors import ArgumentError
from convcli.filters.frame_group import FrameGroup
from convcli.filters.picture_colours import Colours
from convcli.filters.recipe_of_request import RequestedRecipe, recipe_of
from convcli.filters.request import Request
from convcli.filters.result_mode import narrowed
from convcli.filters.single_kernel import PREMULTIPLY, SingleKernel
from convcli.images.formats import NUMBERS
from convcli.images.modes import channels_of
from convcli.images.picture import Frame, ImageError, Picture
from convcli.memory import black_pixels, return_freed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from convcli.filters.recipe import Recipe
    from convcli.filters.region import Part, Region
    from convcli.filters.tiles.given_picture import Given
    from convcli.filters.tiles.tile_loop import TileWork
    from convcli.filters.tiles.values_to_pixels import Finish
    from convcli.layers import Conv

    Array = NDArray[Any]

# `stages` and `tiles` are not imported here: a single kernel, by far the most common filter, does not need them.

MIB = 1 << 20
SHEET = 4  # bytes per pixel of a sheet while it is drawn
RETURNED = 16 * MIB  # bytes of freed frames after which memory is returned to the system


class Made(NamedTuple):
    """The frames of one run, its statistics, and a description of the method.

    clipped, samples : number of clipped samples, and of all samples
    extent : the range of finite values that was stretched, or None
    """

    frames: tuple[Frame, ...]
    clipped: float
    samples: int
    plan: str
    notes: tuple[str, ...] = ()
    measured: Measured | None = None
    extent: Extent | None = None


class PictureFilter(NamedTuple):
    """A filter for pictures: the recipe, and how values are converted to pixels."""

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
        """Return the filter of a request, or raise ArgumentError."""
        requested = recipe_of(request)
        if not request.any_given("only", "mask"):
            return cls(request, requested, colours, max_pixels, threads)
        from convcli.filters.region import Region

        region = Region.of(request.only, request.mask, request.masks)
        return cls(request, requested, colours, max_pixels, threads, region=region)

    @property
    def value_range(self) -> Range | None:
        """How values are converted to the depth of a picture."""
        return self.request.value_range

    @property
    def alpha(self) -> Alpha:
        """How alpha affects colours."""
        return self.request.alpha

    @property
    def sheet(self) -> bool:
        """Whether maps are drawn side by side."""
        return self.request.sheet

    def plain(self, frame: Frame, form: str, recipe: Recipe) -> Conv | None:
        """Return the layer for each channel if the filter is a single kernel and the depth does not change.

        Such a filter uses the fastest methods, with exact rounding.
        """
        lit = form in NUMBERS and self.colours.linear  # linear light is returned as floats
        dtype = frame.pixels.dtype
        skips_nan = recipe.nan == "skip" and dtype.kind == "f"
        narrow = narrowed(self.value_range, dtype, frame.mode, form, self.colours.rounded_to(dtype))
        if lit or skips_nan or self.sheet or narrow is not None:
            return None
        return recipe.lone(frame.pixels.shape[:2])

    def groups(self, name: str, picture: Picture, form: str) -> list[FrameGroup]:
        """Return the groups of a picture for a format, or raise an error if it does not fit; reads no pixels."""
        try:
            return self._groups(name, picture, form)
        except ArgumentError as error:
            raise ArgumentError(f"cannot filter {name}: {error}") from error

    def _groups(self, name: str, picture: Picture, form: str) -> list[FrameGroup]:
        if self.requested.dims == 2:
            return [self._group(name, (frame,), form) for frame in picture.frames]
        shapes = {(frame.mode, frame.pixels.shape) for frame in picture.frames}
        if len(picture.frames) < 2:
            raise ImageError(
                f"cannot filter {name}: `dims=3` filters across frames or pages, and it has only one"
            )
        if len(shapes) > 1:
            raise ImageError(
                f"cannot filter {name}: its pages differ in size or mode, so `dims=3` cannot filter across them"
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
                "`value_range='minmax'` stretches all channels by one factor, but a* and b* are signed and L* is not; "
                "filter the lightness with `channels='l'`, or use another range"
            )
        plain = self.plain(frame, form, recipe)
        group = FrameGroup(frames, shape, has_alpha, recipe, plain, form)
        self._check_size(name, group)
        if plain is None and has_alpha and self.alpha == "premultiply":
            for stage in group.stages:
                stage.check_premultiplying()
        return group

    def _check_size(self, name: str, group: FrameGroup) -> None:
        """Raise ImageError if padding or enlarging would exceed the pixel limit, before memory is allocated."""
        for what, count in group.sizes():
            if count > self.max_pixels:
                raise ImageError(
                    f"cannot filter {name}: {what} {count:,} pixels, over the limit of "
                    f"{self.max_pixels:,}; pad less, or raise it with `max_pixels={count}`"
                )

    def make_all(self, groups: list[FrameGroup]) -> list[Made]:
        """Run the stages on all groups, which are removed from the list so that their pixels can be freed.

        `minmax` stretches all groups by the same range, which is computed first.
        """
        if self.region is not None and self.region.file is not None:
            return self._replace(region=self.region.loaded()).make_all(groups)
        if self.value_range != "minmax" or len(groups) == 1:
            return list(self._each(groups))
        found: dict[float, Extent | None] = {}  # by the value of white in the units of the values
        for group in groups:
            white, extent = group.recipe.full_scale, self._extent(group)
            found[white] = Extent.around((found.get(white), extent))

        def common(group: FrameGroup) -> Extent | None:
            own = group.recipe.full_scale
            return Extent.around(extent and extent.scaled(own / white) for white, extent in found.items())

        return [self.make(group, common(group)) for group in groups]

    def _each(self, groups: list[FrameGroup]) -> Iterator[Made]:
        """Run the groups one after the other, and free their frames."""
        freed = 0
        for left in range(len(groups), 0, -1):
            freed += sum(frame.pixels.nbytes for frame in groups[0].frames)
            yield self.make(groups.pop(0))
            if left > 1 and freed > RETURNED:
                return_freed()
                freed = 0

    def make(self, group: FrameGroup, extent: Extent | None = None) -> Made:
        """Run the stages on a group; `extent` is the range that `minmax` stretches, by default that of the group."""
        made = self._made(group, extent)
        if self.region is None:
            return made
        pairs = zip(self.kept(group.frames), made.frames, strict=True)
        frames = tuple(
            replace(after, pixels=self.region.put(before, after.pixels)) for before, after in pairs
        )
        return made._replace(frames=frames)

    def kept(self, frames: Iterable[Frame]) -> list[Frame]:
        """Return the frames of a picture in the depth of the result, which keeps them outside the region."""
        if self.colours.depth is None:
            return list(frames)
        from convcli.filters.picture_depth import rounded

        depths = ((frame, self.colours.rounded_to(frame.pixels.dtype)) for frame in frames)
        return [frame if dtype is None else rounded(frame, dtype) for frame, dtype in depths]

    def _made(self, group: FrameGroup, extent: Extent | None) -> Made:
        if group.plain is not None:
            return self._plainly(group, extent)
        from convcli.filters.tiles.tile_loop import run

        done = run(self.tile_work(group, group.given(self.colours), extent))
        pixels = self._on_sheet(group, done.pixels) if self.sheet else done.pixels
        return self.result(group, self.framed(group, pixels), done)

    def notes(self, group: FrameGroup) -> tuple[str, ...]:
        """Return the notes of the stages of a group, of the region, and on maps that are not drawn on a sheet."""
        region = () if self.region is None else self.region.notes
        if not self.sheet:
            return (*group.notes, *region)
        from convcli.images.map_sheet import MAX_MAPS

        maps = group.output_shape[0]
        undrawn = []
        if maps > MAX_MAPS:
            undrawn = [f"{MAX_MAPS} of the {maps} maps are drawn; .npy stores all of them"]
        return (*group.notes, *undrawn)

    def result(self, group: FrameGroup, frames: tuple[Frame, ...], done: Filtered) -> Made:
        """Return the result frames of a group with the statistics of the run."""
        count, plan = prod(group.output_shape), done.plan
        if group.plain is None:
            variant = self.requested.recipe.on_channels(group.shape[0]).variant
            plan = f"{variant}, {plan}{', NaN skipped' * group.skips_nan}"
        return Made(frames, done.clipped * count, count, plan, self.notes(group), done.measured, done.extent)

    def tile_work(self, group: FrameGroup, given: Given, extent: Extent | None = None) -> TileWork:
        """Return the tile-loop work for a group, whose input is given whole or by rows."""
        from convcli.filters.tiles.tile_loop import TileWork

        finish, premultiply = self._finish(group, extent), PREMULTIPLY[self.alpha]
        return TileWork(given, group.stages, finish, premultiply, self.threads, self.stats)

    def _finish(self, group: FrameGroup, extent: Extent | None) -> Finish:
        """Return the conversion of the stages' values to pixels."""
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
        """Draw values (*spatial, C) as a sheet of their maps, (*lead, H, W, 3); opacity is not drawn."""
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
        """Return the range of a group's values."""
        if group.plain is not None:
            return self.single(group).extent(group.frames[0].pixels)
        from convcli.filters.tiles.tile_loop import extent_of

        return extent_of(self.tile_work(group, group.given(self.colours)))

    def black_frames(self, group: FrameGroup) -> list[Frame]:
        """Return the result frames of a group with black pixels."""
        maps, *size = group.output_shape
        if self.sheet:
            from convcli.filters.map_legends import MapLegends
            from convcli.images.map_sheet import SheetPlan

            kernel_grid = MapLegends.of(self.requested, group).kernel_grid
            size, channels = [*size[:-2], *SheetPlan.of(maps, size[-2], size[-1], kernel_grid).shape], 3
        else:
            channels = maps + group.has_alpha
        return list(self.framed(group, black_pixels((*size, channels), group.made.dtype)))

    def _plainly(self, group: FrameGroup, extent: Extent | None) -> Made:
        """Filter a group by a single kernel, with exact rounding."""
        (frame,) = group.frames
        if parts := self.parts(group):
            from convcli.filters.rectangles import filtered_parts

            filtered = filtered_parts(self.single(group), frame.pixels, parts)
        else:
            filtered = self.single(group).filtered(frame.pixels, extent, self.stats)
        return self.result(group, (replace(frame, pixels=filtered.pixels, mode=group.made.mode),), filtered)

    def parts(self, group: FrameGroup) -> list[Part]:
        """Return the parts of a picture that a single kernel runs on, if it does not run on all of it."""
        if self.region is None or group.plain is None or self.stats:
            return []
        from convcli.filters.rectangles import parts_of

        return parts_of(self.region, self.single(group), group.plain, group.frames[0].pixels)

    def share(self, group: FrameGroup) -> Fraction:
        """Return the share of the pixels that are computed."""
        parts = self.parts(group)
        return Fraction(sum(part.pixels for part in parts), prod(group.shape[1:])) if parts else Fraction(1)

    def single(self, group: FrameGroup) -> SingleKernel:
        """Return the single kernel of a group with the options of this filter."""
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
        """Estimate the bytes needed in addition to the frames of a group, including `outputs` bytes of results."""
        # A copy of the picture, into which the region is inserted, and perhaps the picture in the depth of the result.
        is_rounded = self.colours.rounded_to(group.frames[0].pixels.dtype) is not None
        kept = 0 if self.region is None else self.region.memory + outputs * (1 + is_rounded)
        if group.plain is None:
            return kept + group.memory(outputs, self.threads) + self._values_of_sheet(group)
        return kept + outputs + self.single(group).memory(group.frames[0].pixels.shape, self.stats)

    def _values_of_sheet(self, group: FrameGroup) -> int:
        """Return the bytes of the values drawn on a sheet, and of the sheet while it is drawn."""
        if not self.sheet:
            return 0
        maps, *size = group.output_shape
        each = raw_dtype(group.frames[0].pixels.dtype).itemsize
        drawn = prod(self.black_frames(group)[0].pixels.shape[:2])
        return (maps + group.has_alpha) * prod(size) * each + SHEET * drawn

    def framed(self, group: FrameGroup, pixels: Array) -> tuple[Frame, ...]:
        """Return pixels (H, W, C) or (D, H, W, C) as frames; each has the duration of the input frame in its centre."""
        flat, mode = pixels[..., 0] if pixels.shape[-1] == 1 else pixels, group.made.mode
        if self.requested.dims == 2:
            return (replace(group.frames[0], pixels=flat, mode=mode),)
        count, given = len(flat), len(group.frames)
        middles = [min(given - 1, (2 * place + 1) * given // (2 * count)) for place in range(count)]
        return tuple(
            replace(group.frames[middle], pixels=part, mode=mode)
            for middle, part in zip(middles, flat, strict=True)
        )
