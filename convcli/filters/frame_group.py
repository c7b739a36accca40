"""Frames that are filtered together: their stages, output shape, and estimated time and memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.filters.picture_colours import Colours
from convcli.images.picture import Frame
from convcli.layers import Conv, ConvTranspose, Cost, Layer, Window
from convcli.layers.axes import Shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from convcli.filters.recipe import Recipe
    from convcli.filters.stages.stage import Stage
    from convcli.filters.tiles.given_picture import Given
    from convcli.filters.tiles.sources import Samples
    from convcli.images.metadata.geometry import Moves

    Array = NDArray[Any]

# `stages` and `tiles` are not imported here: a single kernel, by far the most common filter, does not need them.

FRAME = 8e-4  # fixed seconds per frame for reading, planning and writing


class Result(NamedTuple):
    """The mode of the result, and the dtype of its samples."""

    mode: str
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class FrameGroup:
    """Frames that are filtered together: one, or all if a kernel filters across frames.

    plain : the layer for each channel, if the filter is a single kernel
    form : the format of the output
    result : mode and dtype of the result, once the output is known
    """

    frames: tuple[Frame, ...]
    shape: Shape
    has_alpha: bool
    recipe: Recipe
    plain: Conv | None
    form: str
    result: Result | None = None

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages for these frames."""
        return self.recipe.stages(self.shape)

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of the stages; a single kernel has none."""
        found = [] if self.plain is not None else [note for stage in self.stages for note in stage.notes]
        return tuple(dict.fromkeys(found))

    @property
    def output_shape(self) -> Shape:
        """The output shape, (maps, *spatial), without opacity."""
        shape = self.shape
        if self.plain is not None:
            return (shape[0], *self.plain.output_size(shape[1:]))
        for stage in self.stages:
            shape = stage.output_shape(shape)
        return shape

    @property
    def moves(self) -> Moves | None:
        """How pixels move along rows and columns; None if they move irregularly."""
        from convcli.images.metadata.geometry import Move
        from convcli.layers.centres import centres
        from convcli.layers.receptive import ReceptiveField
        from convcli.layers.resample import Resample

        layers = (self.plain,) if self.plain else [each for stage in self.stages for each in stage.layers]
        shape, field = self.shape, ReceptiveField.of_input(self.shape)
        resized = [1.0] * len(shape[1:])
        for layer in layers:
            shape = (
                getattr(layer, "in_channels", shape[0]),
                *shape[1:],
            )  # 1 if the layer is applied to each channel separately
            after = layer.output_shape(shape)
            if isinstance(layer, Resample):
                lengths = zip(resized, shape[1:], after[1:], strict=True)
                resized = [times * before / now for times, before, now in lengths]
            field, shape = field.through(layer, shape, after), after
        down, across = centres(field)[-2:]
        return (Move(*down, resized[-2]), Move(*across, resized[-1])) if down and across else None

    @property
    def skips_nan(self) -> bool:
        """Whether NaN in floats is skipped as missing data."""
        return self.recipe.nan == "skip" and self.frames[0].pixels.dtype.kind == "f"

    @property
    def made(self) -> Result:
        """The mode and dtype of the result, which must be set."""
        assert self.result is not None
        return self.result

    def filled(self, frames: tuple[Frame, ...]) -> FrameGroup:
        """Return the group with the decoded frames in place of black ones."""
        return self._changed(replace(self, frames=frames))

    def becoming(self, result: Result) -> FrameGroup:
        """Return the group with the mode and dtype of its result."""
        return self._changed(replace(self, result=result))

    def _changed(self, group: FrameGroup) -> FrameGroup:
        """Copy the cached stages to a group that has the same ones."""
        group.__dict__.update({name: self.__dict__[name] for name in ("stages",) if name in self.__dict__})
        return group

    @property
    def weighs(self) -> bool:
        """Whether values are weighted by alpha or by whether they are present."""
        return self.has_alpha or self.skips_nan

    @property
    def seconds(self) -> float:
        """Estimated seconds on one core."""
        from convcli.filters.tiles.estimate import estimate

        dtype = self.frames[0].pixels.dtype
        return estimate(self.stages, self.shape, dtype, self.weighs).seconds + FRAME * len(self.frames)

    def memory(self, outputs: int, threads: int | None) -> int:
        """Estimate the bytes that stages need in addition to the frames, including `outputs` bytes of results."""
        from convcli.filters.tiles.estimate import estimate

        dtype = self.frames[0].pixels.dtype
        # Several frames are copied into one array to filter across them.
        copied = sum(frame.pixels.nbytes for frame in self.frames) if len(self.frames) > 1 else 0
        tiles = estimate(self.stages, self.shape, dtype, self.weighs, threads).memory
        return outputs + copied + tiles

    @property
    def cost(self) -> Cost:
        """The cost of all stages."""
        total, shape = Cost(), self.shape
        for stage in self.stages:
            total, shape = total + stage.cost(shape), stage.output_shape(shape)
        return total

    @property
    def layer_texts(self) -> list[str]:
        """The layers in the notation of chains."""
        return [text for stage in self.stages for text in stage.layer_texts()]

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Yield the number of pixels of every padded input and every output, each with words for an error."""
        if self.plain is not None:
            yield from _sizes((self.plain,), self.shape, self.output_shape)
            return
        shape = self.shape
        for stage in self.stages:
            after = stage.output_shape(shape)
            yield from _sizes(stage.layers, shape, after)
            shape = after

    def given(self, colours: Colours) -> Given:
        """Return the input of the stages, (*spatial, C)."""
        from convcli.filters.tiles.given_picture import stacked

        pixels = stacked([each.pixels for each in self.frames], len(self.shape) - 1)
        return self.given_as(pixels, colours)

    def given_as(self, pixels: Samples, colours: Colours) -> Given:
        """Return the input of the stages with the given samples (*spatial, C) in place of the frames' own."""
        from convcli.filters.tiles.given_picture import Given

        frame = self.frames[0]
        return Given(
            pixels, self.has_alpha, frame.zero, colours.linear, frame.has_alpha, skips_nan=self.skips_nan
        )


def _sizes(layers: Sequence[Layer], shape: Shape, after: Shape) -> Iterator[tuple[str, int]]:
    """Yield the pixels of a stage: of the padded input of its first layer, the largest one, and of its output."""
    first = layers[0] if layers else None
    if isinstance(first, Window):
        pads = first.pads(shape[1:])
        if not isinstance(first, ConvTranspose):  # its padding crops the output instead
            yield (
                "with its padding it has",
                prod(n + before + behind for n, (before, behind) in zip(shape[1:], pads, strict=True)),
            )
    yield "its output would have", prod(after[1:])
