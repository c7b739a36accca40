"""What is asked of a filter: its layer, option by option, and which of them belong to which variant."""

from pathlib import Path
from typing import NamedTuple

from convcli.errors import ArgumentError
from convcli.kernels.files import files_in, is_file
from convcli.layers.axes import PerAxis
from convcli.layers.padding import NO_OUTPUT_PADDING, SAME, AnyPadding
from convcli.layers.variants import VARIANTS

VARIANT_NAMES = tuple(name for name in VARIANTS if name != "dense")
_WITH_WEIGHTS = (
    "standard",
    "depthwise",
    "grouped",
    "shuffled-grouped",
    "dilated",
    "transposed",
    "resize-conv",
    "deformable",
)
_SLIDING = tuple(name for name in VARIANT_NAMES if name != "pointwise")
_WITH_KERNELS = tuple(name for name in _SLIDING if name != "local")

# The variants that an option has a meaning for, where these are not all.
BELONGS: dict[str, tuple[str, ...]] = {
    "kernels": _WITH_KERNELS,
    "normalize": _WITH_KERNELS,
    "scale": _WITH_KERNELS,
    "shift": _WITH_KERNELS,
    "anchor": _WITH_KERNELS,
    "flip": _SLIDING,
    "padding": tuple(name for name in _SLIDING if "padding" not in VARIANTS[name].own),
    "padding_mode": _SLIDING,
    "padding_value": _SLIDING,
    "dilation": tuple(name for name in _SLIDING if "dilation" not in VARIANTS[name].own),
    "weights": _WITH_WEIGHTS,
    "bias": (*_WITH_WEIGHTS, "pointwise", "depthwise-separable"),
    "pointwise": ("pointwise", "depthwise-separable"),
    "groups": ("grouped", "shuffled-grouped", "dilated", "transposed", "resize-conv", "deformable"),
    "rank": ("separable",),
    "offsets": ("deformable",),
    "local": ("local",),
    "tile": ("tiled",),
    "output_padding": ("transposed",),
}

# What a variant cannot do without, and how that is given.
NEEDED = {
    "pointwise": ("pointwise", "`pointwise` luma, sepia, swap-rb or a FILE with a matrix"),
    "depthwise-separable": ("pointwise", "`pointwise` luma, sepia, swap-rb or a FILE with a matrix"),
    "deformable": ("offsets", "`offsets` swirl, lens, random or a FILE.npy"),
    "local": ("local", "`local` tilt-shift, vignette-blur or a FILE.npy"),
}

# What has no use where no layer slides over the picture, and an activation or a pool runs alone.
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

# Without `variant` these options tell it, the first that is given.
TELLING = {
    "offsets": "deformable",
    "local": "local",
    "tile": "tiled",
    "rank": "separable",
    "output_padding": "transposed",
    "groups": "grouped",
}


class LayerOptions(NamedTuple):
    """The options as typed, None, False or empty where they were not."""

    kernels: tuple[str, ...]
    normalize: bool
    scale: float | None
    shift: float | None
    anchor: tuple[int, ...] | None
    flip: bool
    max_kernel: int
    stride: PerAxis | None
    padding: AnyPadding | None
    padding_mode: str | None
    padding_value: float | None
    dilation: PerAxis | None
    activation: str | None
    pool: str | None
    pool_channels: str | None
    repeat: int
    variant: str | None
    weights: str | None
    bias: str | None
    pointwise: str | None
    groups: int | None
    rank: int | None
    offsets: str | None
    local: str | None
    tile: tuple[int, ...] | None
    output_padding: PerAxis | None
    dims: int | None
    along: str | None

    def given(self, name: str) -> bool:
        """Tell whether an option was typed."""
        value = getattr(self, name)
        return value is not None and value is not False and value != ()

    @property
    def chosen(self) -> str:
        """The variant: the one that is named, or the one that the other options belong to."""
        if self.variant is not None:
            return self.variant
        for name, variant in TELLING.items():
            if self.given(name):
                return variant
        if self.pointwise is not None:
            return "depthwise-separable" if self.kernels else "pointwise"
        return "standard" if self.weights is not None else "depthwise"

    @property
    def files(self) -> list[tuple[str, Path]]:
        """The files that the options name, after what messages call them."""
        others = ("weights", "bias", "pointwise", "offsets", "local")
        words = {name: getattr(self, name) for name in others if self.given(name)}
        return [
            *(("a kernel", path) for text in self.kernels for path in files_in(text)),
            *((f"the file of {argument(name)}", Path(text)) for name, text in words.items() if is_file(text)),
        ]

    def check(self) -> None:
        """Refuse options that do not belong to the variant, and what it cannot do without."""
        variant = self.chosen
        for name, variants in BELONGS.items():
            if self.given(name) and variant not in variants:
                raise ArgumentError(
                    f"{argument(name)} has no use with `variant={variant!r}`; it belongs to {', '.join(variants)}"
                )
        if variant in NEEDED and not self.given(NEEDED[variant][0]):
            raise ArgumentError(f"`variant={variant!r}` needs {NEEDED[variant][1]}")
        for name in ("groups", "dilation"):
            value = getattr(self, name)
            if (
                value is not None
                and name in VARIANTS[variant].replaced
                and VARIANTS[variant].ignores(name, value)
            ):
                raise ArgumentError(
                    f"`{name}={value!r}` has no use with `variant={variant!r}`, "
                    + VARIANTS[variant].instead_of(name)
                )
        if self.output_padding and self.padding in (None, *SAME):
            raise ArgumentError(NO_OUTPUT_PADDING)
        for name in ("kernels", "normalize", "scale", "shift", "anchor"):
            if self.weights is not None and self.given(name):
                raise ArgumentError(f"{argument(name)} has no use beside `weights`; give one of them")
        for name in ("normalize", "scale", "shift", "anchor"):
            if self.given(name) and not self.kernels:
                raise ArgumentError(f"{argument(name)} changes kernels, and there is none; give `kernel`")
        for name in ("flip", "dilation"):
            if self.given(name) and not (self.kernels or self.weights or self.local):
                raise ArgumentError(f"{argument(name)} changes kernels, and there is none; give `kernel`")
        if (
            self.groups is not None
            and self.weights is None
            and variant not in ("grouped", "shuffled-grouped")
        ):
            raise ArgumentError(
                f"`groups` goes with `weights` for `variant={variant!r}`, whose kernels have a channel each"
            )
        if self.bias is not None and self.weights is None and self.pointwise is None:
            raise ArgumentError(
                "`bias` goes with `weights` or `pointwise`; `shift=V` adds to a kernel's answer"
            )
        if self.along is not None and self.dims != 1:
            raise ArgumentError("`along` lays kernels of one axis; give `dims=1` with it")
        if self.dims == 1 and not self.kernels:
            raise ArgumentError("`dims=1` is of kernels with one axis, and there is none; give `kernel`")
        self._check_something()

    def _check_something(self) -> None:
        """Refuse a run that would do nothing, or a tile of one kernel."""
        variant = self.chosen
        if variant == "tiled":
            count = self.tile[0] * self.tile[1] if self.tile else len(self.kernels)
            if len(self.kernels) < 2 or len(self.kernels) != count:
                tile = "x".join(map(str, self.tile)) if self.tile else "1xN"
                raise ArgumentError(
                    f"`variant='tiled'` takes the kernels of its tile row by row, and {len(self.kernels)} are given "
                    f"for {tile}; repeat `kernel` {'' if self.tile is None else f'{count} times'}".rstrip()
                )
        stages = (self.weights, self.pointwise, self.offsets, self.local)
        for name in _OF_LAYERS:
            if self.given(name) and not self.kernels and not any(stages):
                raise ArgumentError(f"{argument(name)} belongs to a layer, and there is none; give `kernel`")
        behind = (self.activation, self.pool, self.pool_channels)
        if not self.kernels and not any(stages) and (self.variant or not any(behind)):
            needs = "" if self.variant is None else f" for `variant={variant!r}`"
            weights = " or `weights`" if variant in _WITH_WEIGHTS else ""
            raise ArgumentError(
                f"there is nothing to run{needs}; give `kernel`{weights}, such as `kernel='sobel'`"
            )


def argument(name: str) -> str:
    """Return a field as messages name it."""
    return f"`{'kernel' if name == 'kernels' else name}`"
