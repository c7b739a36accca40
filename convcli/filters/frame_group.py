"""Frames that are filtered together: what runs on them, how large it gets, and what it takes."""

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

# Nothing of `stages` and `tiles` is imported here: a kernel alone, by far the most common run, needs none of it.

FRAME = 8e-4  # seconds that one takes however small it is: to be read, planned for and written


class Result(NamedTuple):
    """The mode of frames, and the type of their samples."""

    mode: str
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class FrameGroup:
    """Frames that are filtered together, one, or all where a kernel reaches over frames; and what runs on them.

    plain : the layer that each channel runs through, where a kernel is all there is
    form : the format of the output
    result : of which mode and type the frames will be that are made, once it is known for which output
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
        """What runs."""
        return self.recipe.stages(self.shape)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the stages have to say; a kernel alone has nothing."""
        found = [] if self.plain is not None else [note for stage in self.stages for note in stage.notes]
        return tuple(dict.fromkeys(found))

    @property
    def output_shape(self) -> Shape:
        """(maps, *spatial), the opacity not counted."""
        shape = self.shape
        if self.plain is not None:
            return (shape[0], *self.plain.output_size(shape[1:]))
        for stage in self.stages:
            shape = stage.output_shape(shape)
        return shape

    @property
    def moves(self) -> Moves | None:
        """How pixels are moved down and across; None where they are in no regular way."""
        from convcli.images.metadata.geometry import Move
        from convcli.layers.centres import centres
        from convcli.layers.receptive import ReceptiveField

        layers = (self.plain,) if self.plain else [each for stage in self.stages for each in stage.layers]
        shape, field = self.shape, ReceptiveField.of_input(self.shape)
        for layer in layers:
            shape = (
                getattr(layer, "in_channels", shape[0]),
                *shape[1:],
            )  # of one channel, where all run alike
            after = layer.output_shape(shape)
            field, shape = field.through(layer, shape, after), after
        down, across = centres(field)[-2:]
        return (Move(*down), Move(*across)) if down and across else None

    @property
    def skips_nan(self) -> bool:
        """Whether NaN is missing data, which only floats have."""
        return self.recipe.nan == "skip" and self.frames[0].pixels.dtype.kind == "f"

    @property
    def made(self) -> Result:
        """What the frames become, which is known by now."""
        assert self.result is not None
        return self.result

    def filled(self, frames: tuple[Frame, ...]) -> FrameGroup:
        """Return a group of the frames themselves, where these were planned for as black ones."""
        return self._changed(replace(self, frames=frames))

    def becoming(self, result: Result) -> FrameGroup:
        """Return the group with what its frames become."""
        return self._changed(replace(self, result=result))

    def _changed(self, group: FrameGroup) -> FrameGroup:
        """Hand stages that were made on to a group that has the same."""
        group.__dict__.update({name: self.__dict__[name] for name in ("stages",) if name in self.__dict__})
        return group

    @property
    def weighs(self) -> bool:
        """Whether values are weighed by something beside them: alpha, or whether they are there."""
        return self.has_alpha or self.skips_nan

    @property
    def seconds(self) -> float:
        """How long it will take on a core."""
        from convcli.filters.tiles.estimate import estimate

        dtype = self.frames[0].pixels.dtype
        return estimate(self.stages, self.shape, dtype, self.weighs).seconds + FRAME * len(self.frames)

    def memory(self, outputs: int, threads: int | None) -> int:
        """Foretell the bytes that stages take beside the frames, for outputs of so many bytes."""
        from convcli.filters.tiles.estimate import estimate

        dtype = self.frames[0].pixels.dtype
        # Several frames are one array while a kernel reaches over them.
        copied = sum(frame.pixels.nbytes for frame in self.frames) if len(self.frames) > 1 else 0
        tiles = estimate(self.stages, self.shape, dtype, self.weighs, threads).memory
        return outputs + copied + tiles

    @property
    def cost(self) -> Cost:
        """The work of all stages."""
        total, shape = Cost(), self.shape
        for stage in self.stages:
            total, shape = total + stage.cost(shape), stage.output_shape(shape)
        return total

    @property
    def spelled(self) -> list[str]:
        """The layers that run, as a chain spells them."""
        return [text for stage in self.stages for text in stage.spelled()]

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Count the pixels of every padded input and of every output, with the words for them."""
        if self.plain is not None:
            yield from _sizes((self.plain,), self.shape, self.output_shape)
            return
        shape = self.shape
        for stage in self.stages:
            after = stage.output_shape(shape)
            yield from _sizes(stage.layers, shape, after)
            shape = after

    def given(self, colours: Colours) -> Given:
        """Return what is filtered, (*spatial, C)."""
        from convcli.filters.tiles.given_picture import stacked

        pixels = stacked([each.pixels for each in self.frames], len(self.shape) - 1)
        return self.given_as(pixels, colours)

    def given_as(self, pixels: Samples, colours: Colours) -> Given:
        """Return what is filtered, of samples (*spatial, C) that stand for those of the frames."""
        from convcli.filters.tiles.given_picture import Given

        frame = self.frames[0]
        return Given(
            pixels, self.has_alpha, frame.zero, colours.linear, frame.has_alpha, skips_nan=self.skips_nan
        )


def _sizes(layers: Sequence[Layer], shape: Shape, after: Shape) -> Iterator[tuple[str, int]]:
    """Count the pixels of a stage: padded before its first layer, which has the largest window, and at its end."""
    first = layers[0] if layers else None
    if isinstance(first, Window):
        pads = first.pads(shape[1:])
        if not isinstance(first, ConvTranspose):  # which cuts off what it calls padding
            yield (
                "with its padding it has",
                prod(n + before + behind for n, (before, behind) in zip(shape[1:], pads, strict=True)),
            )
    yield "its output would have", prod(after[1:])
