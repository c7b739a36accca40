"""Run a network on pictures: planned from a header, then run on every frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError
from convcli.filters.clipping import advice, clipping_note
from convcli.filters.network_run import NetworkRun, Prepared
from convcli.filters.result_mode import ANY, COLOURS, check_sheet
from convcli.images.formats import FORMATS, NUMBERS
from convcli.images.modes import mode_name, mode_of
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.size_in_words import size_in_words
from convcli.memory import black_pixels

if TYPE_CHECKING:
    from convcli.backend.values import Range


@dataclass(frozen=True)
class NetworkFilter:
    """A filter that replaces each picture by the output of a network."""

    run: NetworkRun
    value_range: Range | None = None

    verb = "filter"
    lighter = "a smaller `resize`"

    def plan(self, name: str, target: str, picture: Picture, form: str) -> NetworkPlan:
        """Return the plan for a picture, or raise an error if the network cannot run on it."""
        prepared = [self.run.prepared(name, frame) for frame in picture.frames]
        if self.run.layer is None and form not in NUMBERS:
            maps = prepared[0].maps[0]
            if maps not in COLOURS or self.run.is_classifier:
                shape_text = "x".join(map(str, prepared[0].made))
                raise ImageError(
                    f"cannot write {target}: the network's output is {shape_text}, and a picture has 1, 3 or 4 "
                    "channels; give `output='x.npy'` for the values, or `layer` to draw maps side by side"
                )
        if self.run.layer is not None and form not in NUMBERS:
            check_sheet("`layer`", form, target)
        if self.run.layer is not None and form not in NUMBERS and self.value_range is not None:
            raise ArgumentError(
                f"{name}: `value_range={self.value_range!r}` maps the values of a picture, and the maps of `layer` are "
                "drawn on a scale of their own; leave it out"
            )
        if form in NUMBERS and self.value_range is not None:
            raise ArgumentError(
                f"{name}: `value_range={self.value_range!r}` maps values to the depth of a picture, and {form} keeps "
                "them unchanged; leave it out"
            )
        return NetworkPlan(self, name, picture, form, prepared)


@dataclass(frozen=True)
class NetworkPlan:
    """The plan of a network's run on one picture, made from its header."""

    work: NetworkFilter
    name: str
    picture: Picture
    form: str
    prepared: list[Prepared]

    has_rows = False

    @property
    def made(self) -> list[Frame]:
        """The frames of the result, with black pixels."""
        return [self._black(*each) for each in zip(self.picture.frames, self.prepared, strict=True)]

    def _black(self, frame: Frame, prepared: Prepared) -> Frame:
        maps, height, width = prepared.maps
        if self.form in NUMBERS:
            shape = (height, width) if maps == 1 else (height, width, maps)
            return replace(frame, pixels=black_pixels(shape, "float32"), mode=mode_of(maps, "float32"))
        if self.work.run.layer is not None:
            from convcli.images.map_sheet import SheetPlan

            shape = (*SheetPlan.of(maps, height, width, prepared.kernels).shape, 3)
            return replace(frame, pixels=black_pixels(shape, "uint8"), mode="RGB")
        dtype = self._depth(frame, COLOURS[maps])
        shape = (height, width) if maps == 1 else (height, width, maps)
        return replace(frame, pixels=black_pixels(shape, dtype), mode=mode_name(COLOURS[maps], dtype))

    def _depth(self, frame: Frame, colours: str) -> str:
        """Return the dtype of the result: 16 bits if the input has more than 8 and the format supports it."""
        deep = frame.pixels.dtype.itemsize > 1
        holds = self.form == ANY or FORMATS[self.form].holds(mode_name(colours, "uint16"))
        return "uint16" if deep and holds else "uint8"

    @property
    def memory(self) -> int:
        """Peak bytes of the run."""
        inputs = sum(frame.pixels.nbytes for frame in self.picture.frames)
        outputs = sum(frame.pixels.size * frame.pixels.dtype.itemsize for frame in self.made)
        return inputs + outputs + max(each.memory for each in self.prepared)

    @property
    def description(self) -> str:
        """A description of the run."""
        first = self.prepared[0]
        wanted = f"to {self.work.run.layer} " if self.work.run.layer is not None else ""
        return f"run {self.work.run.source} {wanted}on {size_in_words(first.size)}"

    @property
    def facts(self) -> dict[str, Any]:
        """The run as a record for reports."""
        return {
            "network": self.work.run.source,
            "layer": self.work.run.layer,
            "network_input": list(self.prepared[0].shape),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes about resizing, alpha, and maps that are not drawn."""
        from convcli.images.map_sheet import MAX_MAPS

        first = self.prepared[0]
        notes = self.work.run.input_notes(first, self.picture.frames[0])
        if self.work.run.layer is not None and self.form not in NUMBERS and first.maps[0] > MAX_MAPS:
            notes.append(f"{MAX_MAPS} of the {first.maps[0]} maps are drawn; .npy stores all of them")
        return tuple(notes)

    def filled(self, picture: Picture) -> NetworkPlan:
        """Return the plan with the decoded picture."""
        return replace(self, picture=picture)

    def run(self) -> NetworkResult:
        """Run the network on every frame."""
        frames, clipped = [], 0.0
        for frame, prepared, black in zip(self.picture.frames, self.prepared, self.made, strict=True):
            made, share = self._frame(frame, prepared, black)
            frames.append(made)
            clipped += share / len(self.prepared)
        picture = replace(self.picture, frames=tuple(frames), metadata={}, notes=(), lost=())
        clipping = clipping_note(clipped, advice(self.work.value_range, ()))
        return NetworkResult(
            picture,
            f"{self.work.run.source}, input {'x'.join(map(str, self.prepared[0].shape))}",
            (*self.picture.notes, *self.notes, *clipping),
            self.facts,
        )

    def _frame(self, frame: Frame, prepared: Prepared, black: Frame) -> tuple[Frame, float]:
        """Return the result of a frame, and the fraction of clipped samples."""
        import numpy as np

        from convcli.backend.values import full_scale, into_dtype

        maps, height, width = prepared.maps
        values = self.work.run.values(prepared, frame)[0]
        if len(prepared.made) == 4 and prepared.taken.layout == "nhwc":
            values = np.moveaxis(values, -1, 0)
        values = values.reshape(maps, height, width)
        if self.form not in NUMBERS and self.work.run.layer is not None:
            from convcli.images.map_sheet import draw_maps

            sheet = draw_maps(values, (), self.work.run.kernels(prepared), self.work.run.layer)
            return replace(black, pixels=sheet), 0.0
        if self.work.run.layer is None and self.work.run.how.bgr and maps >= 3:
            values = values[[2, 1, 0, *range(3, maps)]]
        pixels = np.ascontiguousarray(values[0] if maps == 1 else np.moveaxis(values, 0, -1))
        if self.form in NUMBERS:
            return replace(black, pixels=pixels.astype(np.float32, copy=False)), 0.0
        white = full_scale(black.pixels.dtype) / self.work.run.how.white(frame)
        fitted = into_dtype(
            pixels.astype(np.float64) * white, black.pixels.dtype, self.work.value_range or "clip"
        )
        return replace(black, pixels=fitted.pixels), fitted.clipped


class NetworkResult(NamedTuple):
    """The result of a network on a picture."""

    picture: Picture
    how: str
    notes: tuple[str, ...]
    facts: dict[str, Any]
    record: None = None
