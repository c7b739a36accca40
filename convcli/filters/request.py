"""A request for a filter: all options, and the checks of which variants take them."""

from __future__ import annotations  # NumPy is loaded with the recipe

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Kernel
from convcli.kernels.kernel_files import files_in, is_file
from convcli.kernels.named import MAX_SIDE
from convcli.layers.axes import PerAxis
from convcli.layers.padding import NO_OUTPUT_PADDING, SAME, AnyPadding
from convcli.layers.variant_spec import VariantSpec
from convcli.layers.variants import PLAIN, VARIANTS
from convcli.path_templates import is_template
from convcli.remote_files import file_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.backend.values import Alpha, Range
    from convcli.filters.new_size import NewSize

    Array = NDArray[Any]

RANGES = ("clip", "abs", "offset", "minmax")
ALPHAS = ("auto", "premultiply", "keep", "filter")
ALONG = ("rows", "columns")
Nan = Literal["propagate", "skip"]
NANS = get_args(Nan)
FILTERING = tuple(
    name for name, spec in VARIANTS.items() if spec.filters
)  # the variants that run on pictures

# Options that change kernels; they belong to the variants that take kernels.
OF_KERNELS = ("normalize", "scale", "shift", "anchor")

# How to give the options that some variants require.
GIVEN_BY = {
    "kernels": "`kernel`, such as `kernel='sobel'`",
    "pointwise": "`pointwise` luma, sepia, swap-rb or a FILE with a matrix",
    "offsets": "`offsets` swirl, lens, random or a FILE.npy",
    "local": "`local` tilt-shift, vignette-blur or a FILE.npy",
}

# Options that need a layer with weights, not just an activation or a pool.
_OF_LAYERS = (
    "stride",
    "padding",
    "padding_mode",
    "padding_value",
    "groups",
    "rank",
    "tile",
    "output_padding",
)


class Request(NamedTuple):
    """The arguments of a filter, None, False or empty if they are not given.

    The arguments are those of `filter_picture`. Strings among the kernels are parsed by `parse_kernels`; strings for
    weights, bias, pointwise, offsets, local and mask name a file or a built-in.
    """

    kernels: tuple[str | Kernel, ...] = ()
    normalize: bool = False
    scale: float | None = None
    shift: float | None = None
    anchor: tuple[int, ...] | None = None
    flip: bool = False
    max_kernel: int = MAX_SIDE
    stride: PerAxis | None = None
    padding: AnyPadding | None = None
    padding_mode: str | None = None
    padding_value: float | None = None
    dilation: PerAxis | None = None
    activation: str | None = None
    pool: str | None = None
    pool_channels: str | None = None
    repeat: int = 1
    feedback: bool = False
    resize: NewSize | None = None
    resampling: str | None = None
    resize_after: int | None = None
    variant: str | None = None
    weights: str | Array | None = None
    bias: str | Array | None = None
    pointwise: str | Array | None = None
    groups: int | None = None
    rank: int | None = None
    offsets: str | Array | None = None
    local: str | Array | None = None
    tile: tuple[int, ...] | None = None
    output_padding: PerAxis | None = None
    dims: int | None = None
    along: str | None = None
    value_range: Range | None = None
    alpha: Alpha = "auto"
    method: str = "auto"
    nan: Nan | None = None
    sheet: bool = False
    only: tuple[tuple[int, int, int, int], ...] = ()
    mask: str | Array | None = None

    def given(self, name: str) -> bool:
        """Return whether an argument is given."""
        value = getattr(self, name)
        return value is not None and value is not False and not (isinstance(value, tuple) and not value)

    def any_given(self, *names: str) -> bool:
        """Return whether any of the named arguments is given."""
        return any(map(self.given, names))

    @property
    def chosen(self) -> str:
        """The variant: the given one, or the one that the other options belong to."""
        if self.variant is not None:
            return self.variant
        implied = [spec for spec in VARIANTS.values() if spec.implied_by and self.given(spec.implied_by)]
        return min(implied, key=self._misfits).name if implied else PLAIN

    def _misfits(self, spec: VariantSpec) -> tuple[int, int]:
        """Count the required options that a variant lacks, and the given options that it does not take."""
        lacking = sum(not self.given(name) for name in spec.needs)
        return lacking, sum(self.given(name) and not takes(spec, name) for name in self._fields)

    @property
    def files(self) -> list[tuple[str, Path]]:
        """The files that the options name, each after its name in messages."""
        others = ("weights", "bias", "pointwise", "offsets", "local", "mask")
        words = {name: getattr(self, name) for name in others if self.given(name)}
        return [
            *(
                ("a kernel", path)
                for text in self.kernels
                if isinstance(text, str)
                for path in files_in(text)
            ),
            *(
                (f"the file of {argument(name)}", file_path(text))
                for name, text in words.items()
                if isinstance(text, str) and is_file(text)
            ),
        ]

    @property
    def masks(self) -> str | None:
        """The template of paths for the mask of each picture, if `mask` is one and not the name of a file."""
        mask = self.mask
        return mask if isinstance(mask, str) and is_template(mask) and not is_file(mask) else None

    def check(self) -> None:
        """Raise ArgumentError for options that the variant does not take, and for missing required ones."""
        variant = self.chosen
        spec = VARIANTS[variant]
        for name in self._fields:
            if self.given(name) and not takes(spec, name):
                takers = [other for other in FILTERING if takes(VARIANTS[other], name)]
                raise ArgumentError(
                    f"{argument(name)} has no use with `variant={variant!r}`; it belongs to {', '.join(takers)}"
                )
        for name in spec.needs:
            if not self.given(name):
                raise ArgumentError(f"`variant={variant!r}` needs {GIVEN_BY[name]}")
        for name in spec.replaced:
            value = getattr(self, name, None)
            if value is not None and spec.ignores(name, value):
                raise ArgumentError(
                    f"`{name}={value!r}` has no use with `variant={variant!r}`, " + spec.instead_of(name)
                )
        if self.output_padding and self.padding in (None, *SAME):
            raise ArgumentError(NO_OUTPUT_PADDING)
        for name in ("kernels", *OF_KERNELS):
            if self.weights is not None and self.given(name):
                raise ArgumentError(f"{argument(name)} has no use with `weights`; give one of them")
        for name in OF_KERNELS:
            if self.given(name) and not self.kernels:
                raise ArgumentError(f"{argument(name)} changes kernels, and there is none; give `kernel`")
        for name in ("flip", "dilation"):
            if self.given(name) and not self.any_given("kernels", "weights", "local"):
                raise ArgumentError(f"{argument(name)} changes kernels, and there is none; give `kernel`")
        if self.groups is not None and self.weights is None and spec.weighing != "groups":
            raise ArgumentError(
                f"`groups` needs `weights` for `variant={variant!r}`, which filters each channel separately"
            )
        if self.bias is not None and self.weights is None and self.pointwise is None:
            raise ArgumentError(
                "`bias` needs `weights` or `pointwise`; use `shift=V` to add to the output of a kernel"
            )
        if self.feedback and self.repeat < 2:
            raise ArgumentError(
                "`feedback` passes the output to the next repeat; give `repeat=2` or more with it"
            )
        if self.feedback and self.nan == "skip":
            raise ArgumentError("`nan='skip'` has no use with `feedback`; leave one of them out")
        if self.feedback and not (self.any_given("weights", "pointwise") or spec.weighing == "sum"):
            raise ArgumentError(
                f"`feedback` appends the output to the picture, and `variant={variant!r}` outputs as many channels as "
                "it takes; give `weights` (O, C + O, rows, columns), or `variant='standard'`"
            )
        if self.sheet and self.value_range is not None:
            raise ArgumentError(
                f"`value_range={self.value_range!r}` maps values to the depth of a picture, and `sheet` draws each "
                "map on its own scale; leave one of them out"
            )
        for name in ("resampling", "resize_after"):
            if self.given(name) and self.resize is None:
                raise ArgumentError(f"{argument(name)} belongs to `resize`; give `resize='50%'` with it")
        if self.along is not None and self.dims != 1:
            raise ArgumentError("`along` is the direction of 1-D kernels; give `dims=1` with it")
        if self.dims == 1 and not self.kernels:
            raise ArgumentError("`dims=1` needs a 1-D kernel, and there is none; give `kernel`")
        self._check_something()

    def _check_something(self) -> None:
        """Raise ArgumentError if there is nothing to run, or if the kernels do not fill a tile."""
        variant = self.chosen
        if VARIANTS[variant].takes("tile"):
            count = self.tile[0] * self.tile[1] if self.tile else len(self.kernels)
            if len(self.kernels) < 2 or len(self.kernels) != count:
                tile = "x".join(map(str, self.tile)) if self.tile else "1xN"
                raise ArgumentError(
                    f"`variant={variant!r}` takes the kernels of its tile row by row, and {len(self.kernels)} are "
                    f"given for {tile}; repeat `kernel` {'' if self.tile is None else f'{count} times'}".rstrip()
                )
        staged = self.any_given("kernels", "weights", "pointwise", "offsets", "local")
        for name in _OF_LAYERS:
            if self.given(name) and not staged:
                raise ArgumentError(f"{argument(name)} belongs to a layer, and there is none; give `kernel`")
        behind = self.any_given("activation", "pool", "pool_channels", "resize")
        if not staged and (self.variant or not behind):
            needs = "" if self.variant is None else f" for `variant={variant!r}`"
            weights = " or `weights`" if VARIANTS[variant].takes("weights") else ""
            raise ArgumentError(
                f"there is nothing to run{needs}; give `kernel`{weights}, such as `kernel='sobel'`; "
                "to convert only, add `kernel='identity'`"
            )


def takes(spec: VariantSpec, name: str) -> bool:
    """Return whether a variant takes an argument."""
    return spec.takes("kernels" if name in OF_KERNELS else name)


def argument(name: str) -> str:
    """Return the name of a field in messages."""
    return f"`{'kernel' if name == 'kernels' else name}`"
