"""The legends of maps on a sheet: their names and kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.filters.frame_group import FrameGroup
from convcli.filters.recipe_of_request import RequestedRecipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

COLOURS = {"r": "red", "g": "green", "b": "blue", "l": "grey", "a": "alpha"}


class MapLegends(NamedTuple):
    """The names of maps and their kernels (maps, K, rows, columns), None if there are no kernels to draw."""

    names: tuple[str, ...]
    kernels: Array | None
    title: str

    @property
    def kernel_grid(self) -> tuple[int, int, int]:
        """The number of kernels next to each map, and their rows and columns."""
        return (0, 1, 1) if self.kernels is None else self.kernels.shape[1:]

    @classmethod
    def of(cls, requested: RequestedRecipe, group: FrameGroup) -> MapLegends:
        """Return the legends of a group: maps are named after channels if each is made from one, else numbered."""
        recipe, maps, frame = requested.recipe, group.output_shape[0], group.frames[0]
        from convcli.images.channels import channel_names

        mixes = recipe.weights is not None or recipe.spec.mixes_channels or recipe.pool_channels is not None
        names = tuple(f"map {number}" for number in range(maps))
        if not mixes and maps == group.shape[0]:
            letters = channel_names(frame.mode)[:maps]
            names = tuple(COLOURS.get(letter, f"channel {letter}") for letter in letters)
        return cls(names, _kernels(requested, maps), requested.name)


def _kernels(requested: RequestedRecipe, maps: int) -> Array | None:
    """Return the kernels of each map: its own weights, or all matrices of all kernels."""
    import numpy as np

    recipe = requested.recipe
    if requested.dims != 2:
        return None
    if recipe.weights is not None:
        fits = recipe.weights.ndim == 4 and len(recipe.weights) == maps and recipe.pool_channels is None
        return np.asarray(recipe.weights) if fits else None
    matrices = [matrix for kernel in recipe.kernels for matrix in recipe.matrices(kernel)]
    if not matrices or len({matrix.shape for matrix in matrices}) > 1:
        return None
    return np.stack(matrices).astype(float)[np.newaxis].repeat(maps, axis=0)
