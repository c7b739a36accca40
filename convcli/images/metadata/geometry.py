"""Adjust metadata that depends on pixel positions when a filter moves, enlarges or drops pixels.

OGC GeoTIFF 1.1, 7.1 and B: pixels are areas, the first of which begins at 0, or points, the first of which is at 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isclose
from typing import Any, NamedTuple

from convcli.images.metadata.entries import DOUBLE, Entry
from convcli.images.metadata.exif import exif_bytes, exif_directory, exif_order
from convcli.images.metadata.names import DESCRIPTION, KEYS, MATRIX, NO_DATA, RPC, SCALE, TIE_POINTS
from convcli.images.picture import Frame, Picture

_RASTER_TYPE, _POINTS = 1025, 2  # the key that says whether pixels are areas or points
_SHAPED = (
    b'{"shape"',
    b"<?xml",
    b"<OME",
)  # how machine-readable descriptions, which include the size of the picture, begin


class Move(NamedTuple):
    """The positions of the output's pixels in input coordinates, along one axis.

    start : centre of the first output pixel; the centre of the first input pixel is 0.5
    step : distance between neighbouring output pixels
    resized : the part of the step that is due to resizing, a factor
    """

    start: float
    step: float
    resized: float = 1.0

    @property
    def is_none(self) -> bool:
        """Whether each pixel stays in place; the half pixel by which a kernel of even size shifts is ignored."""
        return self.step == 1 and abs(self.start - 0.5) <= 0.5


Moves = tuple[Move, Move]  # down and across


class Origin(NamedTuple):
    """The input of a frame: its rows and columns, and whether some of its samples are missing data."""

    size: tuple[int, ...]
    missing: bool = False

    @classmethod
    def of(cls, frame: Frame, metadata: Mapping[str, Any], skips_nan: bool = False) -> Origin:
        """Return the origin of a frame that is about to be filtered; `metadata` is that of the frame."""
        import numpy as np

        value = _no_data_value(metadata)
        missing = False
        if value is not None and not (skips_nan and np.isnan(value)):
            missing = any((np.isnan(row) if np.isnan(value) else row == value).any() for row in frame.pixels)
        return cls(frame.pixels.shape[:2], missing)


def depends_on_pixels(picture: Picture) -> bool:
    """Return whether any metadata of a picture depends on the positions or the values of its pixels."""
    every = (picture.metadata, *(frame.page or {} for frame in picture.frames))
    return any(not {"tags", "exif", "dpi", "aspect"}.isdisjoint(each) for each in every)


def kept_true(picture: Picture, before: Sequence[Origin], moves: Sequence[Moves | None]) -> Picture:
    """Return a picture with its metadata adjusted to its pixels, and with notes on values for missing data.

    before : the input of each frame
    moves : how the pixels of each frame moved; None if they moved irregularly
    """
    frames = list(picture.frames)
    lost, notes = dict.fromkeys(picture.lost), dict.fromkeys(picture.notes)
    first = picture.metadata
    for number, (frame, was, move) in enumerate(zip(picture.frames, before, moves, strict=True)):
        own = picture.metadata if number == 0 or frame.page is None else frame.page
        changed, names = _moved(own, was.size == frame.pixels.shape[:2], move)
        if (value := _no_data_value(changed)) is not None:
            changed, more, found = _no_data(changed, value, was.missing, frame.pixels.dtype)
            names = [*names, *more]
            notes |= dict.fromkeys(found)
        lost |= dict.fromkeys(names)
        if number == 0:
            first = changed
        elif frame.page is not None:
            frames[number] = replace(frame, page=changed)
    return replace(picture, frames=tuple(frames), metadata=first, lost=tuple(lost), notes=tuple(notes))


def _no_data_value(metadata: Mapping[str, Any]) -> float | None:
    """Return the value that marks missing data; None if there is none or it is not a number."""
    if NO_DATA not in metadata.get("tags", ()):
        return None
    try:
        return float(metadata["tags"][NO_DATA].text)
    except ValueError:
        return None


def _no_data(
    metadata: dict[str, Any], value: float, missing: bool, dtype: Any
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Return metadata without a missing-data value that the dtype cannot hold, what is lost, and notes."""
    notes = []
    if missing:
        notes.append(
            f"its value for missing data, {value:g}, was filtered like any sample; results near it are unreliable"
        )
    if _can_hold(dtype, value):
        return metadata, [], notes
    tags = {tag: entry for tag, entry in metadata["tags"].items() if tag != NO_DATA}
    return {**metadata, "tags": tags}, [f"GDAL_NODATA, {value:g}, which {dtype} cannot hold"], notes


def _can_hold(dtype: Any, value: float) -> bool:
    import numpy as np

    if dtype.kind == "f":
        return True
    limits = np.iinfo(dtype)
    return bool(value == int(value) and limits.min <= value <= limits.max) if np.isfinite(value) else False


def _moved(
    metadata: dict[str, Any], same_size: bool, moves: Moves | None
) -> tuple[dict[str, Any], list[str]]:
    if same_size and moves is not None and all(move.is_none for move in moves):
        return metadata, []
    changed, lost = dict(metadata), list[str]()
    if "tags" in metadata:
        changed["tags"], lost = _on_earth(metadata["tags"], moves)
    if not same_size and "exif" in metadata:
        tags = dict(exif_directory(metadata["exif"]))
        description = tags.get(DESCRIPTION)
        if isinstance(description, Entry) and description.data.startswith(_SHAPED):
            del tags[DESCRIPTION]
            changed["exif"] = exif_bytes(tags, exif_order(metadata["exif"]))
            lost.append("the description, which states another size")
    if moves is None:
        return changed, lost
    # A picture that is resized is stretched and keeps its resolution, as in Pillow and ImageMagick. Strides and pools
    # take samples of the same picture, whose pixels then differ in width and height.
    down, across = (move.step / move.resized for move in moves)
    if not isclose(down, across):
        for kind in {"dpi", "aspect"} & changed.keys():
            changed[kind] = (changed[kind][0] / across, changed[kind][1] / down)
    return changed, lost


def _on_earth(tags: Mapping[int, Entry], moves: Moves | None) -> tuple[dict[int, Entry], list[str]]:
    """Return the tags of a page with its georeference adjusted, and the names of the tags that cannot be."""
    kept = {tag: entry for tag, entry in tags.items() if tag not in (SCALE, TIE_POINTS, MATRIX, RPC)}
    if moves is None:
        gone = [tag for tag in (SCALE, TIE_POINTS, MATRIX, RPC) if tag in tags]
        return kept, ["the georeference: its pixels were moved irregularly"] * bool(gone)
    down, across = moves
    shift = 0.5 if _are_points(tags) else 0.0  # from a coordinate to one that is measured from an edge
    if SCALE in tags:
        scale = list(tags[SCALE].numbers)
        if len(scale) >= 2:
            scale[:2] = scale[0] * across.step, scale[1] * down.step
        kept[SCALE] = Entry.of(DOUBLE, *scale)
    if TIE_POINTS in tags:
        ties = list(tags[TIE_POINTS].numbers)
        for at in range(0, len(ties) - 5, 6):
            for place, move in ((at, across), (at + 1, down)):
                ties[place] = (ties[place] + shift - move.start) / move.step + 0.5 - shift
        kept[TIE_POINTS] = Entry.of(DOUBLE, *ties)
    if MATRIX in tags and len(tags[MATRIX].numbers) == 16:
        matrix = list(tags[MATRIX].numbers)
        for row in range(0, 16, 4):
            for column, move in ((0, across), (1, down)):
                matrix[row + 3] += matrix[row + column] * (move.start + (shift - 0.5) * move.step - shift)
                matrix[row + column] *= move.step
        kept[MATRIX] = Entry.of(DOUBLE, *matrix)
    return kept, ["RPCCoefficient (50844), which is for pixels of another size"] * (RPC in tags)


def _are_points(tags: Mapping[int, Entry]) -> bool:
    """Return whether coordinates are measured from the centre of the first pixel."""
    keys = tags[KEYS].numbers if KEYS in tags else ()
    entries = (keys[at : at + 4] for at in range(4, len(keys) - 3, 4))
    return any(key == _RASTER_TYPE and value == _POINTS for key, _, _, value in entries)
