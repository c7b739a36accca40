"""Convert a request into the recipe for every picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from convcli.errors import ArgumentError
from convcli.filters.kernel_pictures import grey_rows
from convcli.filters.recipe import Recipe
from convcli.filters.request import Request
from convcli.filters.stages.mixing import MIXINGS
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
from convcli.kernels.array_files import given_array, load_matrix
from convcli.kernels.kernel import by_axes, check_side
from convcli.layers.text.arguments import apart, called
from convcli.layers.variants import ENLARGING_STRIDE, VARIANTS
from convcli.remote_files import file_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

T = TypeVar("T")

# The fields of a request that are copied to the recipe.
WINDOW = ("stride", "padding", "dilation", "output_padding", "padding_mode", "padding_value")
AS_GIVEN = (
    *WINDOW,
    *(
        "groups",
        "rank",
        "tile",
        "flip",
        "method",
        "activation",
        "repeat",
        "feedback",
        "resize",
        "resampling",
        "nan",
    ),
)


class RequestedRecipe(NamedTuple):
    """The recipe of a request, the number of spatial axes, and a name for outputs."""

    recipe: Recipe
    dims: int
    name: str


def recipe_of(request: Request) -> RequestedRecipe:
    """Read kernels and files, and return the recipe of a request, or raise ArgumentError."""
    request.check()
    variant, method = request.chosen, request.method
    dims, spec = request.dims or 2, VARIANTS[variant]
    given: dict[str, Any] = {name: getattr(request, name) for name in AS_GIVEN if request.given(name)}
    if spec.enlarges:
        given.setdefault("stride", ENLARGING_STRIDE)
    kernels = _kernels(request, dims)
    recipe = Recipe(
        variant=variant,
        kernels=tuple(chain.from_iterable(kernels)),
        limit=request.max_kernel,
        infers_variant=request.variant is None and spec.implied_by == "weights",
        resize_after=_steps_before(request, list(map(len, kernels))),
        **given,
    )
    if method != "auto" and not spec.methods:
        raise ArgumentError(
            f"`method={method!r}` has no use with `variant={variant!r}`, which has only one method"
        )
    if method != "auto" and not request.kernels and request.weights is None:
        raise ArgumentError(f"`method={method!r}` needs a kernel, and there is none; give `kernel`")
    recipe.check_dims(max(2, dims))
    if recipe.padding_value and recipe.padding_mode != "constant":
        raise ArgumentError(
            f"`padding_value` belongs to `padding_mode='constant'`, not to {recipe.padding_mode}"
        )
    recipe, names = _filled(recipe, request)
    if method == "separable" and not spec.takes("rank"):
        _check_rank(recipe)
    for size in {kernel.shape for kernel in recipe.kernels} or {(1,) * (3 if dims == 3 else 2)}:
        recipe.conv(1, 1, size)  # raises errors that would occur for every picture
    if request.pool is not None:
        from convcli.layers.text.pool_grammar import parse_pool

        pool = parse_pool(request.pool)
        pool(3 if dims == 3 else 2)  # raises errors for invalid sizes
        recipe, names = replace(recipe, pool=pool), [*names, apart(request.pool)[0]]
    if request.pool_channels is not None:
        from convcli.filters.channel_pools import parse_channel_pool

        recipe = replace(recipe, pool_channels=parse_channel_pool(request.pool_channels))
        names.append(f"{apart(request.pool_channels)[0]}-channels")
    if request.activation is not None:
        names.append(request.activation)
    named = "-".join(dict.fromkeys(kernel.name for kernel in recipe.kernels))
    return RequestedRecipe(recipe, 3 if dims == 3 else 2, named or [*names, "resized"][0])


def _steps_before(request: Request, counts: list[int]) -> int:
    """Return the number of steps before resizing; `counts` has the number of kernels in each given kernel."""
    after = request.resize_after or 0
    if not (VARIANTS[request.chosen].one_stage and counts):
        return sum(counts[:after]) + max(0, after - len(counts))
    if 0 < after < len(counts):
        raise ArgumentError(
            f"`resize` cannot come between kernels that are one step, as those of `variant={request.chosen!r}`; put it "
            "before or after all of them"
        )
    return max(0, after - len(counts) + 1)


def _check_rank(recipe: Recipe) -> None:
    """Raise ArgumentError for kernels and weights of rank above 1, before any picture is read."""
    import numpy as np

    from convcli.backend.algorithms.separable import factors, rank_of

    matrices = [(kernel.name, np.array(m)) for kernel in recipe.kernels for m in kernel.matrices]
    if recipe.weights is not None and recipe.weights.ndim > 2:  # others are refused later, with the picture
        shape = recipe.weights.shape
        matrices += [(recipe.weights_name, each) for each in recipe.weights.reshape(-1, *shape[2:])]
    for name, matrix in matrices:
        if factors(matrix, matrix.ndim) is None:
            rank = "" if matrix.ndim != 2 else f", and {name} has rank {rank_of(matrix)}"
            raise ArgumentError(
                f"`method='separable'` needs kernels of rank 1{rank}; use another method, or "
                "`variant='separable'` with a `rank`"
            )


def _filled(recipe: Recipe, request: Request) -> tuple[Recipe, list[str]]:
    """Read the files and fields of the variants; return the recipe, and names for outputs without a kernel."""
    names: list[str] = []
    if request.weights is not None:
        recipe = _weighted(recipe, "weights", request.weights)
        names.append(_stem(request.weights, "weights"))
    if request.bias is not None:
        recipe = replace(recipe, bias=given_array(request.bias, "bias"))
    if request.pointwise is not None:
        known = MIXINGS.get(request.pointwise) if isinstance(request.pointwise, str) else None
        recipe = replace(
            recipe, mixing=load_matrix(request.pointwise if known is None else known, "pointwise")
        )
        names.append(_stem(request.pointwise, "matrix"))
    if request.offsets is not None:
        from convcli.filters.stages.offsets import FIELDS

        offsets: Any = _field(request.offsets, "offsets", FIELDS)
        recipe = replace(
            recipe, offsets=given_array(request.offsets, "offsets") if offsets is None else offsets
        )
        names.append(_stem(request.offsets, "offsets"))
    if request.local is not None:
        from convcli.filters.stages.blend import LOCALS

        widths = _field(request.local, "local", LOCALS)
        if widths is None:
            recipe = _weighted(recipe, "local", request.local)
        elif request.flip:
            raise ArgumentError("`flip` has no use with a built-in `local`, whose kernels are symmetric")
        else:
            recipe = replace(recipe, widths=widths)
        names.append(_stem(request.local, "local"))
    return recipe, names


def _weighted(recipe: Recipe, argument: str, value: str | Array) -> Recipe:
    """Return a recipe with the weights of an argument, which names them in messages; local ones stay in their file."""
    name = f"`{argument}`" + (f" {value}" if isinstance(value, str) else "")
    return replace(
        recipe, weights=given_array(value, argument, mapped=argument == "local"), weights_name=name
    )


def _field(value: str | Array, argument: str, known: Mapping[str, Callable[..., T]]) -> T | None:
    """Return the field that a string names; None for an array or the name of an array file."""
    if not isinstance(value, str) or value.lower().endswith(".npy"):
        return None
    return called(argument, value, known, ", or a FILE.npy")


def _stem(value: str | Array, otherwise: str) -> str:
    """Return a name for outputs from the name of a file or field."""
    name = file_path(apart(value)[0]).stem if isinstance(value, str) else ""
    return name if name and all(letter.isalnum() or letter in "-_." for letter in name) else otherwise


def _kernels(request: Request, dims: int) -> list[tuple[Kernel, ...]]:
    """Return the kernels of each given kernel, in order, with the changes of the request."""
    limit = request.max_kernel
    lone = VARIANTS[request.chosen].lone_kernel
    if lone and not request.kernels and request.weights is None:
        return [(parse_kernel(lone),)]
    found = [
        parse_kernels(given, limit, dims, read_picture=grey_rows)
        if isinstance(given, str)
        else (_fitting(given, limit, dims),)
        for given in request.kernels
    ]
    return [tuple(_changed(request, kernel, dims) for kernel in kernels) for kernels in found]


def _changed(request: Request, kernel: Kernel, dims: int) -> Kernel:
    """Return a kernel with the changes of the request."""
    if request.normalize:
        kernel = normalized(kernel)
    if request.scale is not None:
        kernel = scaled(kernel, request.scale)
    if request.shift is not None:
        kernel = shifted(kernel, request.shift)
    if request.anchor is not None:
        kernel = anchored(kernel, request.anchor)
    kernel = bounded(kernel)
    return _along_axis(kernel, request.along or "rows") if dims == 1 else kernel


def _fitting(kernel: Kernel, limit: int, dims: int) -> Kernel:
    """Return a kernel, or raise ArgumentError if it has another number of axes or is too large."""
    check_side(max(kernel.shape), limit)
    if kernel.dims != dims:
        raise ArgumentError(
            f"kernel {kernel.name!r} of {by_axes(kernel.shape)} has {kernel.dims} axes, and `dims` is {dims}; give "
            f"`dims={kernel.dims}`, or another kernel"
        )
    return kernel


def _along_axis(kernel: Kernel, along: str) -> Kernel:
    """Convert a 1-D kernel to a 2-D kernel along the rows or the columns."""

    def matrix(line: Any) -> Any:
        return (tuple(line),) if along == "rows" else tuple((weight,) for weight in line)

    anchor = kernel.anchor
    if anchor is not None:
        anchor = (0, *anchor) if along == "rows" else (*anchor, 0)
    return replace(kernel, matrices=tuple(map(matrix, kernel.matrices)), anchor=anchor)


def mixing_error(requested: RequestedRecipe) -> ArgumentError | None:
    """Return the error if colours cannot be premultiplied for any picture, otherwise None."""
    recipe = requested.recipe
    for kernel in recipe.kernels:
        if not kernel.is_smoothing:
            return ArgumentError(
                f"`alpha='premultiply'` needs a weighted mean, which {kernel.name} is not: weights must be >= 0 with a "
                "sum above 0; use `alpha='keep'` or filter"
            )
    if recipe.weights is not None or recipe.spec.mixes_channels:
        return ArgumentError(
            f"`alpha='premultiply'` needs a weighted mean of each channel, which `variant={recipe.variant!r}` is not; "
            "use `alpha='keep'` or filter"
        )
    return None
