"""Filter only a part of a picture: rectangles, or where a mask is white. The rest is unchanged."""

from __future__ import annotations

import re
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError
from convcli.files import exists, is_folder
from convcli.images.picture import ImageError
from convcli.images.size_in_words import size_in_words
from convcli.remote_files import file_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from convcli.images.picture import Frame

    Array = NDArray[Any]

Rectangle = tuple[int, int, int, int]  # x, y, width, height, in pixels; x, y is the upper left corner

ROWS = 256  # blended at a time
_PATTERN = re.compile(r"\*|%[0-9]*[sdi]")  # of a shell, or of printf
WHITE = 0.9  # weights from here on are white; JPEG may change white by a few levels
DEEPEST = (255, 65535, 2**32 - 1)  # the values of white, of which 1 is too dark to be meant as a weight
WEIGHING = 24  # bytes per pixel while a mask becomes weights: three arrays of float64


class MaskFile(NamedTuple):
    """A mask in a file, of which only the header was read.

    shape : rows and columns
    memory : bytes that reading it needs, including the weights of its pixels
    """

    path: Path
    shape: tuple[int, int]
    memory: int

    @classmethod
    def of(cls, path: Path) -> MaskFile:
        """Read the header of a mask, or raise an error if it cannot be one."""
        from convcli.images.read import open_picture

        _check_name(path)
        with open_picture(path) as opened:
            header = opened.header
        (frame,) = _still(path, header.black().frames)
        height, width = frame.pixels.shape[:2]
        return cls(path, (height, width), max(header.memory, header.pixels + WEIGHING * height * width))


class Part(NamedTuple):
    """A part of a picture: the rows and columns of the result, and those that they depend on."""

    kept: tuple[slice, ...]
    seen: tuple[slice, ...]

    @property
    def pixels(self) -> int:
        """The number of pixels that are read."""
        return prod(each.stop - each.start for each in self.seen)

    @property
    def inner(self) -> tuple[slice, ...]:
        """The rows and columns of the result, counted from those that are read."""
        return tuple(
            slice(kept.start - seen.start, kept.stop - seen.start)
            for kept, seen in zip(self.kept, self.seen, strict=True)
        )


class Region(NamedTuple):
    """The part of a picture that is filtered.

    only : rectangles, which may overlap; empty for the whole picture
    mask : (H, W), from 0 for unchanged pixels to 1 for filtered pixels, or None
    name : name of the mask in messages
    file : the mask in place of `mask`, if it is read when the picture is filtered
    template : the template of paths for the mask of each picture, which `with_mask` replaces by one of them
    """

    only: Sequence[Rectangle] = ()
    mask: Array | None = None
    name: str = "`mask`"
    file: MaskFile | None = None
    template: str | None = None

    @classmethod
    def of(
        cls, only: Sequence[Rectangle], mask: str | Array | None, template: str | None = None
    ) -> Region | None:
        """Return the region for rectangles and a mask; None if the whole picture is filtered.

        template : the template of paths if each picture has its own mask, which replaces `mask`
        """
        if template is not None:
            return cls(only, name=template, template=template)
        if mask is None:
            return cls(only) if only else None
        if isinstance(mask, str):
            return cls(only, _of_picture(file_path(mask)), mask)
        return cls(only, _of_array(mask))

    def with_mask(self, path: Path) -> Region:
        """Return the region with the mask of one picture, which is read later, by `loaded`."""
        return self._replace(file=MaskFile.of(path), name=str(path), template=None)

    def loaded(self) -> Region:
        """Return the region with the weights of a mask that was not read yet, or raise ImageError."""
        if self.file is None:
            return self
        mask = _of_picture(self.file.path)
        if mask.shape != self.file.shape:
            raise ImageError(f"{self.name} was changed while the picture was read; run it again")
        return self._replace(mask=mask, file=None)

    @property
    def memory(self) -> int:
        """The bytes of a mask that is read for one picture."""
        return 0 if self.file is None else self.file.memory

    @property
    def mask_shape(self) -> tuple[int, ...] | None:
        """The rows and columns of the mask, if there is one."""
        if self.file is not None:
            return self.file.shape
        return None if self.mask is None else self.mask.shape

    @property
    def facts(self) -> dict[str, Any]:
        """The region in fields for JSON."""
        named = self.mask_shape is not None and not self.name.startswith("`")
        only = {"only": [list(each) for each in self.only]} if self.only else {}
        return only | ({"mask": self.name} if named else {})

    @property
    def description(self) -> str:
        """A description of the region, as a part of a sentence."""
        x, y, width, height = self.only[0] if self.only else (0, 0, 0, 0)
        where = [f"in the rectangle {x},{y},{width},{height}"] if len(self.only) == 1 else []
        if len(self.only) > 1:
            where = [f"in {len(self.only)} rectangles"]
        if self.mask_shape is not None:
            where.append(f"where {'the mask' if self.name.startswith('`') else self.name} is white")
        return " and ".join(where)

    def check(self, before: Frame, after: Frame) -> None:
        """Raise ArgumentError if a result cannot be inserted into its picture."""
        size = before.pixels.shape[:2]
        if (after.pixels.shape[:2], after.mode) != (
            size,
            before.mode,
        ) or after.pixels.size != before.pixels.size:
            raise ArgumentError(
                f"{self._argument} keeps the rest of the picture, which is {size_in_words(size)} of {before.mode}, and "
                f"the result is {size_in_words(after.pixels.shape)} of {after.mode}; leave out what changes its "
                "size, its channels or its depth"
            )
        if self.template is not None:
            raise ArgumentError(
                f"`mask` {self.template} names a mask for each file, and this picture has no name; give an array, or "
                "the name of one picture"
            )
        shape = self.mask_shape
        if shape is not None and shape != size:
            is_transposed = shape == size[::-1]
            hint = (
                "turn the mask: pictures are filtered as their EXIF orientation shows them"
                if is_transposed
                else ""
            )
            name = self.name if self.name.startswith("`") else f"the mask {self.name}"
            raise ArgumentError(
                f"{name} is {size_in_words(shape)}, and the picture {size_in_words(size)}; "
                f"{hint or 'make them the same size'}"
            )
        for x, y, width, height in self.only:
            if x + width > size[1] or y + height > size[0]:
                raise ArgumentError(
                    f"`only` {x},{y},{width},{height} reaches beyond the picture, which is {size_in_words(size)}"
                )

    def parts(self, size: Sequence[int], reach: Sequence[int]) -> list[Part]:
        """Return the parts of a picture that determine the result in the region; none if all of it does.

        size : the rows and columns of the picture
        reach : for each axis, the most pixels before or after an output that it depends on
        """
        parts = []
        for x, y, width, height in self.only or self._shown:
            kept = slice(y, y + height), slice(x, x + width)
            seen = tuple(
                slice(max(0, each.start - far), min(whole, each.stop + far))
                for each, far, whole in zip(kept, reach, size, strict=True)
            )
            parts.append(Part(kept, seen))
        return parts if 0 < sum(part.pixels for part in parts) < prod(size) else []

    @property
    def _shown(self) -> Sequence[Rectangle]:
        """The smallest rectangle outside which the mask is black, if the mask was read and is not black."""
        if self.mask is None:
            return ()
        import numpy as np

        rows, columns = (np.flatnonzero(self.mask.any(axis=axis)).tolist() for axis in (1, 0))
        if not rows:
            return ()
        return ((columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]),)

    @property
    def notes(self) -> tuple[str, ...]:
        """A note if the region leaves the picture unchanged, or nearly so; none for a mask that was not read yet."""
        if self.mask is None:
            return ()
        whole = float(self.mask.max())
        parts = (self.mask[y : y + height, x : x + width] for x, y, width, height in self.only)
        highest = max((float(part.max()) for part in parts), default=whole)
        if whole == 0:
            return (
                f"{self.name} is black everywhere, so the picture is unchanged; opaque white marks what is filtered",
            )
        if highest == 0:
            return ("`mask` and `only` have no pixel in common, so the picture is unchanged",)
        for white in DEEPEST:
            if abs(whole * white - 1) < 1e-6:
                return (
                    f"{self.name} is nowhere lighter than 1 of {white}, so the picture hardly changes; multiply masks "
                    f"of 0 and 1 by {white}",
                )
        if highest >= WHITE:
            return ()
        where = " inside `only`" if whole >= WHITE else ""
        return (
            f"{self.name} is nowhere white{where}: at most {100 * highest:.2g} % of the result is blended in; white "
            "marks what is filtered",
        )

    @property
    def _argument(self) -> str:
        return "`only`" if self.only else "`mask`"

    def put(self, before: Frame, after: Array) -> Array:
        """Return the picture with filtered pixels in the region; grey values of the mask blend both."""
        pixels = before.pixels
        made, after = pixels.copy(), after.reshape(pixels.shape)  # one channel may have an axis of its own
        for x, y, width, height in self.only or ((0, 0, pixels.shape[1], len(pixels)),):
            for top in range(y, y + height, ROWS):
                part = slice(top, min(top + ROWS, y + height)), slice(x, x + width)
                if self.mask is None:
                    made[part] = after[part]
                else:
                    made[part] = _blended(pixels[part], after[part], self.mask[part], before.has_alpha)
        return made


def _blended(before: Array, after: Array, share: Array, has_alpha: bool) -> Array:
    """Return before + (after - before) * share, rounded half to even; colours are weighted by their alpha."""
    import numpy as np

    flat = before.ndim == 2
    weight = share[..., np.newaxis].astype(np.float64)
    old, new = (each.reshape(*each.shape[:2], -1).astype(np.float64) for each in (before, after))
    if has_alpha:
        left, right = old[..., -1:] * (1 - weight), new[..., -1:] * weight
        alpha = left + right
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = np.where(alpha > 0, right / alpha, weight)
        found = np.concatenate([old[..., :-1] * (1 - weight) + new[..., :-1] * weight, alpha], axis=-1)
    else:
        found = old * (1 - weight) + new * weight
    if before.dtype.kind != "f":
        found = np.rint(found)
    # Pixels that are not blended are copied exactly.
    untouched, whole = (share == 0)[..., np.newaxis], (share == 1)[..., np.newaxis]
    found = np.where(untouched, old, np.where(whole, new, found)).astype(before.dtype)
    return found[..., 0] if flat else found


def _of_array(mask: Array) -> Array:
    """Convert booleans, unsigned integers or floats from 0 to 1 to weights 0 to 1; raise ArgumentError for others."""
    import numpy as np

    if mask.ndim != 2:
        raise ArgumentError(f"`mask` has the shape {mask.shape}; give (height, width)")
    if mask.dtype.kind == "b":
        return mask.astype(np.float32)
    if mask.dtype.kind == "u":
        return mask.astype(np.float64) / np.iinfo(mask.dtype).max
    if mask.dtype.kind != "f" or not bool(((mask >= 0) & (mask <= 1)).all()):
        raise ArgumentError("`mask` takes booleans, unsigned whole numbers, or floats from 0 to 1")
    return mask


def _of_picture(path: Path) -> Array:
    """Return the grey values of a still picture as weights, 1 for white; transparent pixels are 0."""
    import numpy as np

    from convcli.backend.colour import luma
    from convcli.images.read import read_picture

    _check_name(path)
    (frame,) = _still(path, read_picture(path).frames)
    pixels = frame.pixels if frame.pixels.ndim == 3 else frame.pixels[..., np.newaxis]
    white = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    grey = luma(pixels[..., :3]) if frame.channels.startswith("RGB") else pixels[..., 0]
    share: Array = grey.astype(np.float64) / white
    if frame.has_alpha:
        share = share * (pixels[..., -1] / white)
    return np.clip(share, 0.0, 1.0)


def _check_name(path: Path) -> None:
    """Raise ArgumentError for a folder or a pattern, which name no mask."""
    is_pattern = _PATTERN.search(path.name) is not None and not exists(path)
    kind = "a folder" if is_folder(path) else "a pattern" if is_pattern else ""
    if kind:
        folder = path if kind == "a folder" else path.parent
        ending = path.suffix if kind == "a pattern" and path.suffix else ".png"
        raise ArgumentError(
            f"`mask` {path} is {kind}; name one picture for all inputs, or a template for the mask of each: "
            f"`mask={str(folder / f'{{stem}}{ending}')!r}`"
        )


def _still(path: Path, frames: Sequence[Frame]) -> Sequence[Frame]:
    """Return the only frame, or raise ArgumentError for pictures that cannot be a mask."""
    if len(frames) > 1:
        raise ArgumentError(f"{path} has {len(frames)} frames; a mask is a still picture")
    if frames[0].channels not in ("L", "LA", "RGB", "RGBA"):
        raise ArgumentError(f"{path} has the pixel mode {frames[0].mode}; a mask is grey, RGB or RGBA")
    return frames
