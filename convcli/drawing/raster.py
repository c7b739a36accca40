"""Render scenes to pixels with Pillow: PNG, GIF and APNG, with Pillow's own font, so they look the same everywhere."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from math import ceil, floor, hypot, sqrt
from typing import TYPE_CHECKING, NamedTuple

from convcli.drawing.scene import Bitmap, Label, Mark, Point, Scene, Shape

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

FINER = 3  # supersampling factor along both axes
DASH = 4.0  # length of dashes and of the gaps between them
LAST = 2.5  # duration of the last frame, relative to the others
COLOURS = 255  # colours of an animation; 1 of 256 is reserved for unchanged pixels
SHEET_WIDTH = 2400  # in pixels of the usual size, unless a single frame is wider
Colours = Mapping[str, str]
Colour = tuple[int, int, int]


class Size(NamedTuple):
    """The size in pixels of drawings: `usual` pixels per unit, and a factor of the width and height that these give."""

    usual: float
    factor: float = 1.0

    @property
    def scale(self) -> float:
        """Pixels per unit."""
        return self.usual * self.factor

    def frame(self, scenes: Iterable[Scene]) -> tuple[int, int]:
        """Return the width and height of an image that holds each scene."""
        scenes = list(scenes)
        width, height = (
            round(ceil(max(getattr(scene, side) for scene in scenes) * self.usual) * self.factor)
            for side in ("width", "height")
        )
        return max(1, width), max(1, height)

    def sheet(self, scenes: Iterable[Scene], count: int) -> tuple[int, int]:
        """Return the columns and rows of a nearly square sheet of that many frames, whatever the factor is."""
        width, _ = self._replace(factor=1.0).frame(scenes)
        columns = max(1, min(ceil(sqrt(count)), SHEET_WIDTH // width))
        return columns, -(-count // columns)


def draw_frames(
    scenes: Sequence[Scene], colours: Colours, size: Size, only: Collection[int] | None = None
) -> Iterator[Image.Image]:
    """Yield the steps of scenes as images of the same size.

    `only` contains the indices of the steps to yield, counted over all scenes.
    """
    from PIL import Image

    (width, height), scale = size.frame(scenes), size.scale
    number = -1
    for scene in scenes:
        ground = Image.new("RGB", (width * FINER, height * FINER), colours["paper"])
        pen = _Pen(ground, colours, scale * FINER, (width * FINER - scene.width * scale * FINER) / 2)
        pen.draw(scene.base)
        for kept, now in zip(scene.kept, scene.now, strict=True):
            number += 1
            if only is None or number in only:
                yield pen.over(now).resize((width, height), Image.Resampling.BOX)
            pen.draw(kept)


def still(scene: Scene, number: int, colours: Colours, size: Size) -> Image.Image:
    """Return one step of a scene as an image; a still scene has only one."""
    from PIL import Image

    width, height = size.frame([scene])
    ground = Image.new("RGB", (width * FINER, height * FINER), colours["paper"])
    _Pen(ground, colours, size.scale * FINER).draw(scene.frame(number))
    return ground.resize((width, height), Image.Resampling.BOX)


class _Pen:
    """Draws marks on an image."""

    def __init__(self, image: Image.Image, colours: Colours, scale: float, left: float = 0.0) -> None:
        self.image = image
        self.colours = colours
        self.scale = scale
        self.left = left

    def draw(self, marks: Iterable[Mark]) -> None:
        """Draw marks, each over the ones before it."""
        for mark in marks:
            if isinstance(mark, Label):
                self._label(mark)
            elif isinstance(mark, Bitmap):
                self._bitmap(mark)
            else:
                self._shape(mark)

    def over(self, marks: Iterable[Mark]) -> Image.Image:
        """Return a copy of the image with marks drawn over it."""
        pen = _Pen(self.image.copy(), self.colours, self.scale, self.left)
        pen.draw(marks)
        return pen.image

    def _place(self, point: Point) -> Point:
        return point[0] * self.scale + self.left, point[1] * self.scale

    def _label(self, label: Label) -> None:
        from PIL import ImageDraw

        anchor = {"start": "lm", "middle": "mm", "end": "rm"}[label.anchor]
        ImageDraw.Draw(self.image).text(
            self._place((label.x, label.y)),
            label.text,
            self.colours[label.colour],
            _font(label.size * self.scale),
            anchor,
        )

    def _bitmap(self, bitmap: Bitmap) -> None:
        from PIL import Image

        left, top = map(round, self._place((bitmap.x, bitmap.y)))
        right, bottom = map(round, self._place((bitmap.x + bitmap.width, bitmap.y + bitmap.height)))
        image = Image.fromarray(bitmap.pixels)
        larger = right - left >= image.width
        how = Image.Resampling.NEAREST if larger else Image.Resampling.BOX
        self.image.paste(image.resize((right - left, bottom - top), how), (left, top))

    def _shape(self, shape: Shape) -> None:
        from PIL import Image, ImageDraw

        points = [self._place(point) for point in shape.points]
        width = max(1, round(shape.width * self.scale))
        if shape.opacity < 1:  # paste the colour through a mask
            left, top = (floor(min(values)) - width for values in zip(*points, strict=True))
            right, bottom = (ceil(max(values)) + width for values in zip(*points, strict=True))
            mask = Image.new("L", (right - left, bottom - top), 0)
            inside = [(x - left, y - top) for x, y in points]
            fill, edge = (round(255 * shape.opacity) if name else None for name in (shape.fill, shape.edge))
            self._outline(ImageDraw.Draw(mask), inside, shape, width, fill, edge)
            self.image.paste(
                self.colours[shape.fill or shape.edge or "ink"], (left, top, right, bottom), mask
            )
            return
        colours = [None if name is None else self.colours[name] for name in (shape.fill, shape.edge)]
        self._outline(ImageDraw.Draw(self.image), points, shape, width, *colours)

    def _outline(
        self,
        pen: ImageDraw.ImageDraw,
        points: list[Point],
        shape: Shape,
        width: int,
        fill: int | str | None,
        edge: int | str | None,
    ) -> None:
        if fill is not None and shape.closed:
            pen.polygon(points, fill)
        if edge is None:
            return
        ends = [*points, points[0]] if shape.closed else points
        if not shape.dashed:
            pen.line(ends, edge, width, joint="curve")
            return
        for start, end in pairwise(ends):
            for piece in _dashes(start, end, DASH * self.scale):
                pen.line(piece, edge, width)


def _dashes(start: Point, end: Point, long: float) -> Iterator[tuple[Point, Point]]:
    """Split a line into dashes; it starts and ends with half a gap, so that corners stay open."""
    length = hypot(end[0] - start[0], end[1] - start[1])
    count = max(1, round(length / (2 * long)))
    for n in range(count):
        first, last = (
            (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
            for share in ((n + 0.25) / count, (n + 0.75) / count)
        )
        yield first, last


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


# Files


def png(image: Image.Image) -> bytes:
    """Encode an image as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def contact_sheet(frames: Sequence[Image.Image], columns: int, paper: str) -> Image.Image:
    """Lay out frames of the same size in rows with a number of columns."""
    from PIL import Image

    width, height = frames[0].size
    sheet = Image.new("RGB", (columns * width, -(-len(frames) // columns) * height), paper)
    for number, frame in enumerate(frames):
        sheet.paste(frame, (number % columns * width, number // columns * height))
    return sheet


def animation(scenes: Sequence[Scene], colours: Colours, size: Size, delay: float, form: str) -> bytes:
    """Encode all steps as a GIF or, for `form` PNG, as an APNG, with a palette of the most frequent colours."""
    some = [still(scene, len(scene.now) * n // 3, colours, size) for scene in scenes for n in range(3)]
    reduce = _Reduction(_frequent(some))
    frames = [reduce(frame) for frame in draw_frames(scenes, colours, size)]
    return _animation(frames, form, delay, **({"optimize": True, "disposal": 1} if form == "GIF" else {}))


def one_frame(image: Image.Image, form: str) -> bytes:
    """Encode an image as a GIF or, for `form` PNG, as an APNG, with a single frame."""
    reduced = _Reduction(_frequent([image]))(image)
    buffer = io.BytesIO()
    reduced.save(buffer, form)
    return buffer.getvalue()


def _animation(frames: Sequence[Image.Image], form: str, delay: float, **options: object) -> bytes:
    buffer = io.BytesIO()
    step = round(delay * 100) * 10  # GIF durations are in hundredths of a second
    durations = [step] * (len(frames) - 1) + [round(step * LAST / 10) * 10]
    frames[0].save(
        buffer, form, save_all=True, append_images=frames[1:], duration=durations, loop=0, **options
    )
    return buffer.getvalue()


def _frequent(images: Sequence[Image.Image]) -> list[Colour]:
    """Return the most frequent colours, most frequent first."""
    counts: Counter[Colour] = Counter()
    for image in images:
        for count, colour in image.getcolors(image.width * image.height) or ():
            assert isinstance(colour, tuple) and len(colour) == 3  # the image is RGB
            counts[colour] += count
    return sorted(counts, key=lambda colour: (-counts[colour], colour))[:COLOURS]


class _Reduction:
    """Maps each pixel to the nearest colour of a palette; Pillow's own conversion is faster but not exact."""

    def __init__(self, palette: Sequence[Colour]) -> None:
        import numpy as np

        self.palette = np.array(palette)
        self.nearest = np.full(1 << 24, -1, np.int16)  # by RGB code, for colours that have occurred; else -1

    def __call__(self, image: Image.Image) -> Image.Image:
        import numpy as np
        from PIL import Image

        parts = np.asarray(image).astype(np.int32)
        codes = parts[..., 0] << 16 | parts[..., 1] << 8 | parts[..., 2]
        new = np.unique(codes[self.nearest[codes] < 0])
        colours = np.stack([new >> 16, new >> 8 & 255, new & 255], axis=-1)
        for part in range(0, len(new), 4096):
            apart = colours[part : part + 4096, np.newaxis] - self.palette
            self.nearest[new[part : part + 4096]] = (apart**2).sum(axis=-1).argmin(axis=1)
        reduced = Image.fromarray(self.nearest[codes].astype(np.uint8), "P")
        reduced.putpalette(self.palette.astype(np.uint8).tobytes())
        return reduced
