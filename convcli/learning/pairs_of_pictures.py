"""Pictures of files as pairs to learn from: frame by frame, without alpha and what is transparent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.convolution import conv
from convcli.backend.values import full_scale
from convcli.errors import ArgumentError
from convcli.images.formats import NUMBERS
from convcli.images.picture import Frame, Picture
from convcli.learning.learning_recipe import Recipe
from convcli.learning.picture_pairs import Pair, padding_between

Array = NDArray[Any]


def pairs_of_pictures(recipe: Recipe, before: Picture, after: Picture, names: tuple[str, str]) -> list[Pair]:
    """Return a pair for each frame of two pictures, or raise ArgumentError where they do not fit each other."""
    if len(before.frames) != len(after.frames):
        raise ArgumentError(
            f"{names[0]} has {len(before.frames):,} frame(s) and {names[1]} {len(after.frames):,}; choose one of each "
            "by `frame`"
        )
    return [_pair(recipe, *frames, names) for frames in zip(before.frames, after.frames, strict=True)]


def notes_on(before: Picture, after: Picture, names: tuple[str, str], *, linear: bool) -> list[str]:
    """Say what becomes of alpha, and where numbers of two depths are related, which are the same in linear light."""
    notes = [
        f"{name} has alpha: it is left out, and so are the places where it is not opaque"
        for name, picture in zip(names, (before, after), strict=True)
        if picture.frames[0].has_alpha and picture.format not in NUMBERS
    ]
    types = [picture.frames[0].pixels.dtype for picture in (before, after)]
    if not linear and types[0] != types[1] and all(dtype.kind in "iu" for dtype in types):
        notes.append(
            f"{names[0]} holds {types[0]} and {names[1]} {types[1]}: the weights carry the change of scale, "
            f"{full_scale(types[1]) / full_scale(types[0]):g}"
        )
    return notes


def _pair(recipe: Recipe, before: Frame, after: Frame, names: tuple[str, str]) -> Pair:
    """Lay two frames over each other."""
    mask = None
    if before.has_alpha or after.has_alpha:
        sizes = before.pixels.shape[:2], after.pixels.shape[:2]
        padding = padding_between(recipe.geometry, *sizes, names)
        ones = np.ones((1, 1, *recipe.geometry.kernel_size), np.uint8)
        hidden = conv(
            _hidden(before)[np.newaxis],
            ones,
            stride=recipe.geometry.stride,
            dilation=recipe.geometry.dilation,
            padding=padding,
            padding_mode=recipe.geometry.padding_mode or "zeros",  # of what is hidden the border is made, too
        )[0]
        mask = (hidden == 0) & ~_hidden(after)
    return recipe.pair(_colours(before), _colours(after), mask, names)


def _colours(frame: Frame) -> Array:
    return frame.pixels[..., :-1] if frame.has_alpha else frame.pixels


def _hidden(frame: Frame) -> Array:
    """Return where a frame (H, W) is not opaque."""
    if not frame.has_alpha:
        return np.zeros(frame.pixels.shape[:2], bool)
    opacity = frame.pixels[..., -1]
    hidden: Array = opacity < full_scale(opacity.dtype)
    return hidden
