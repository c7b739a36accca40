"""From what is asked of a filter to the recipe that the backend runs on every picture."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from convcli.backend.stages.mixing import MIXINGS
from convcli.backend.stages.recipe import Recipe
from convcli.errors import ArgumentError
from convcli.filters.kernel_pictures import grey_rows
from convcli.filters.request import LayerOptions
from convcli.kernels import (
    Kernel,
    anchored,
    bounded,
    normalized,
    parse_kernel,
    parse_kernels,
    scaled,
    shifted,
)
from convcli.kernels.arrays import load_array, load_matrix
from convcli.layers.arguments import apart, called
from convcli.layers.variants import ENLARGING_STRIDE, VARIANTS


class Spelled(NamedTuple):
    """What the options spell: the recipe, the number of spatial axes, and a name for outputs."""

    recipe: Recipe
    dims: int
    name: str


def spelled(options: LayerOptions, method: str) -> Spelled:
    """Read kernels and files and return what the options spell, or raise ArgumentError."""
    options.check()
    variant = options.chosen
    dims, spec = options.dims or 2, VARIANTS[variant]
    stride = ENLARGING_STRIDE if spec.enlarges else 1
    recipe = Recipe(
        variant=variant,
        kernels=_kernels(options, dims),
        groups=options.groups or 1,
        rank=options.rank,
        tile=options.tile,
        stride=stride if options.stride is None else options.stride,
        padding="same" if options.padding is None else options.padding,
        dilation=1 if options.dilation is None else options.dilation,
        output_padding=options.output_padding or 0,
        padding_mode=options.padding_mode or "reflect",
        padding_value=options.padding_value or 0.0,
        flip=options.flip,
        method=method,
        activation=options.activation,
        repeat=options.repeat,
        limit=options.max_kernel,
    )
    if method != "auto" and not spec.methods:
        raise ArgumentError(
            f"`method={method!r}` has no use with `variant={variant!r}`, which is computed in one way"
        )
    if method != "auto" and not options.kernels and options.weights is None:
        raise ArgumentError(f"`method={method!r}` is of kernels, and there is none; give `kernel`")
    recipe.check_dims(max(2, dims))
    if recipe.padding_value and recipe.padding_mode != "constant":
        raise ArgumentError(
            f"`padding_value` belongs to `padding_mode='constant'`, not to {recipe.padding_mode}"
        )
    recipe, names = _filled(recipe, options)
    if method == "separable" and not spec.takes("rank"):
        _check_rank(recipe)
    for size in {kernel.shape for kernel in recipe.kernels} or {(1,) * (3 if dims == 3 else 2)}:
        recipe.conv(1, 1, size)  # what is wrong with every picture is told at once
    if options.pool is not None:
        from convcli.layers.pool_grammar import parse_pool

        pool = parse_pool(options.pool)
        pool(3 if dims == 3 else 2)  # wrong sizes are told at once
        recipe, names = replace(recipe, pool=pool), [*names, apart(options.pool)[0]]
    if options.pool_channels is not None:
        from convcli.filters.channel_pools import parse_channel_pool

        recipe = replace(recipe, pool_channels=parse_channel_pool(options.pool_channels))
        names.append(f"{apart(options.pool_channels)[0]}-channels")
    if options.activation is not None:
        names.append(options.activation)
    kernels = [kernel.name for kernel in recipe.kernels]
    return Spelled(recipe, 3 if dims == 3 else 2, "-".join(dict.fromkeys(kernels)) or names[0])


def _check_rank(recipe: Recipe) -> None:
    """Refuse kernels and weights that `method='separable'` cannot run, before any picture is read."""
    import numpy as np

    from convcli.backend.separable import factors
    from convcli.backend.stages.factored import rank_of

    matrices = [(kernel.name, np.array(m)) for kernel in recipe.kernels for m in kernel.matrices]
    if recipe.weights is not None and recipe.weights.ndim > 2:  # others are refused with the picture
        shape = recipe.weights.shape
        matrices += [(recipe.weights_name, each) for each in recipe.weights.reshape(-1, *shape[2:])]
    for name, matrix in matrices:
        if factors(matrix, matrix.ndim) is None:
            rank = "" if matrix.ndim != 2 else f", and {name} has rank {rank_of(matrix)}"
            raise ArgumentError(
                f"`method='separable'` runs kernels of rank 1{rank}; take another method, or "
                "`variant='separable'` with a `rank`"
            )


def _filled(recipe: Recipe, options: LayerOptions) -> tuple[Recipe, list[str]]:
    """Read the files and fields of the variants; return names for outputs where there is no kernel."""
    names: list[str] = []
    if options.weights is not None:
        name = Path(options.weights).stem
        recipe = replace(
            recipe,
            weights=load_array(options.weights, "weights"),
            weights_name=f"`weights` {options.weights}",
        )
        names.append(name)
    if options.bias is not None:
        recipe = replace(recipe, bias=load_array(options.bias, "bias"))
    if options.pointwise is not None:
        known = MIXINGS.get(options.pointwise)
        recipe = replace(
            recipe, mixing=load_matrix(options.pointwise if known is None else known, "pointwise")
        )
        names.append(options.pointwise if known is not None else _stem(options.pointwise))
    if options.offsets is not None:
        from convcli.backend.stages.offsets import FIELDS

        if options.offsets.lower().endswith(".npy"):
            offsets: Any = load_array(options.offsets, "offsets")
        else:
            offsets = called("offsets", options.offsets, FIELDS, ", or a FILE.npy")
        recipe = replace(recipe, offsets=offsets)
        names.append(_stem(options.offsets))
    if options.local is not None:
        from convcli.backend.stages.blend import LOCALS

        if options.local.lower().endswith(".npy"):
            weights = load_array(options.local, "local", mapped=True)
            recipe = replace(recipe, weights=weights, weights_name=f"`local` {options.local}")
        else:
            if options.flip:
                raise ArgumentError("`flip` has no use with a built-in `local`, whose kernels are symmetric")
            recipe = replace(recipe, widths=called("local", options.local, LOCALS, ", or a FILE.npy"))
        names.append(_stem(options.local))
    return recipe, names


def _stem(text: str) -> str:
    """Return a name for outputs of an option's text: a file's, or that of a field."""
    name = Path(apart(text)[0]).stem
    return name if name and all(letter.isalnum() or letter in "-_." for letter in name) else "matrix"


def _kernels(options: LayerOptions, dims: int) -> tuple[Kernel, ...]:
    """Return the kernels, one after the other, with what the options change of each."""
    limit = options.max_kernel
    lone = VARIANTS[options.chosen].lone_kernel
    if lone and not options.kernels and options.weights is None:
        return (parse_kernel(lone),)
    found = [
        kernel
        for text in options.kernels
        for kernel in parse_kernels(text, limit, dims, read_picture=grey_rows)
    ]
    made = []
    for kernel in found:
        if options.normalize:
            kernel = normalized(kernel)
        if options.scale is not None:
            kernel = scaled(kernel, options.scale)
        if options.shift is not None:
            kernel = shifted(kernel, options.shift)
        if options.anchor is not None:
            kernel = anchored(kernel, options.anchor)
        kernel = bounded(kernel)
        made.append(_laid(kernel, options.along or "rows") if dims == 1 else kernel)
    return tuple(made)


def _laid(kernel: Kernel, along: str) -> Kernel:
    """Lay a kernel of one axis along the rows of a picture, or along its columns."""

    def matrix(line: Any) -> Any:
        return (tuple(line),) if along == "rows" else tuple((weight,) for weight in line)

    anchor = kernel.anchor
    if anchor is not None:
        anchor = (0, *anchor) if along == "rows" else (*anchor, 0)
    return replace(kernel, matrices=tuple(map(matrix, kernel.matrices)), anchor=anchor)
