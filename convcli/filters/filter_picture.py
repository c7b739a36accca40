"""Filter a picture that is in memory: an array, or an image of Pillow."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack, cast

from convcli.errors import ArgumentError
from convcli.filters.asked import Asked, asked_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from PIL.Image import Image

    from convcli.backend.values import Alpha, Range
    from convcli.images.picture import Picture
    from convcli.kernels import Kernel
    from convcli.layers.axes import PerAxis
    from convcli.layers.padding import AnyPadding

    OneKernel = str | PathLike[str] | Kernel | NDArray[Any]
    AnyKernel = OneKernel | Sequence[OneKernel | float | Sequence[float] | Sequence[Sequence[float]]]
    AnyArray = str | PathLike[str] | ArrayLike
    P = TypeVar("P", NDArray[Any], Image)

NAME = "the picture"  # what errors call it


class FilterOptions(TypedDict, total=False):
    """What can be asked of a filter beside the kernel; `filter_picture` says what each means."""

    normalize: bool
    scale: float | str | None
    shift: float | str | None
    anchor: int | Sequence[int] | str | None
    flip: bool
    max_kernel: int
    stride: PerAxis | str | None
    padding: AnyPadding | None
    padding_mode: str | None
    padding_value: float | str | None
    dilation: PerAxis | str | None
    activation: str | None
    pool: str | None
    pool_channels: str | None
    repeat: int
    feedback: bool
    resize: tuple[int, int] | float | str | None
    resampling: str | None
    resize_after: int | None
    variant: str | None
    weights: AnyArray | None
    bias: AnyArray | None
    pointwise: AnyArray | None
    groups: int | None
    rank: int | None
    offsets: AnyArray | None
    local: AnyArray | None
    tile: Sequence[int] | str | None
    output_padding: PerAxis | str | None
    dims: int | None
    along: Literal["rows", "columns"] | None
    value_range: Range | None
    alpha: Alpha
    method: str
    nan: Literal["propagate", "skip"]
    sheet: bool
    only: tuple[int, int, int, int] | str | None
    mask: AnyArray | None
    gray: bool
    channels: str | Sequence[str] | None
    linear: bool
    depth: Literal["16", "float"] | None
    max_pixels: int
    threads: int | None
    network: str | PathLike[str] | None
    layer: str | None
    mean: float | Sequence[float] | str | None
    std: float | Sequence[float] | str | None
    seed: int | None


def filter_picture(
    picture: P,
    kernel: AnyKernel | None = None,
    *,
    layout: str | None = None,
    **options: Unpack[FilterOptions],
) -> P:
    """Run a layer or a network on a picture in memory, as `convcli filter` does on one in a file.

    Parameters
    ----------
    picture : ndarray or PIL.Image.Image
        An array is (H, W), (H, W, C) or (frames, H, W, C), as a .npy file is: 1 to 4 channels are grey, grey and
        alpha, RGB, and RGBA. Of an image the current frame is taken as it is stored; a palette is expanded.
        Neither is modified.
    kernel : str, Kernel, array or a list of them
        What `--kernel` takes, such as `gaussian:sigma=2`, or the weights as an array or nested lists. Those of a list
        run one after the other.
    normalize, scale, shift, anchor, flip
        Divide each kernel by its sum; multiply its weights; add to its answers, in units of the pixels; which tap lies
        on the pixel, (y, x); turn it by 180 degrees, which makes it a true convolution.
    stride, padding, dilation
        One number for all axes or one for each; padding is also `same` (by default), `same-lower`, `valid`, `full`, or
        pairs (before, after).
    padding_mode, padding_value
        What extends the picture beyond its border: `reflect` (by default), `symmetric`, `replicate`, `circular`,
        `zeros` or `constant`, which has the value.
    activation, pool, pool_channels, repeat, feedback
        What follows the kernel: `relu` ...; `max:2`, `avg:3,stride=2`, `global-avg` ...; `max`, `avg:2`, `lp` over
        channels; and how often all of it runs: each time on the last answer, or with feedback on the picture and the
        last answer beside it (Pinheiro & Collobert, "Recurrent convolutional neural networks for scene labeling",
        2014), which begins as zeros.
    resize, resampling, resize_after
        Give the picture another size by a resampling kernel: (width, height), a factor such as 0.5, or "50%", "800x",
        "x600"; `lanczos` (by default), `cubic`, `bilinear`, `hamming`, `box` or `nearest`, widened where it shrinks;
        after how many steps of the layer (each kernel, the activation, each pool), by default 0, before all.
    variant, weights, bias, pointwise, groups, rank, offsets, local, tile, output_padding
        Another kind of convolution: one of `convcli.VARIANTS`, or the one that the others belong to. `weights`, `bias`,
        `pointwise`, `offsets` and `local` are arrays, or texts as on the command line: the name of a .npy file,
        `luma`, `swirl:strength=3`, `tilt-shift`.
    dims, along
        3 for kernels that reach over frames; 1 for kernels of one axis, `along` "rows" or "columns".
    value_range : str, optional
        How values come back into the depth of the picture: `clip` (by default), `abs`, `offset` or `minmax`. None
        gives the values themselves, as floats.
    alpha : str
        `auto`, `premultiply`, `keep` or `filter`: see `backend.filter_image`.
    only, mask
        Filter only a rectangle, (x, y, width, height) in pixels from the upper left corner; only where a mask is white,
        (H, W) of booleans, unsigned whole numbers or floats from 0 to 1, or the name of a picture. Greys blend.
    gray, channels, linear, depth
        Take the brightness alone; only some channels, such as "r,g"; filter the light that sRGB stands for; filter
        samples of 16 bits ("16") or floats ("float", white is 1), which the result has, too.
    nan : str
        What NaN does in floats: it spreads to all that a kernel makes of it (`propagate`, by default); or it is missing
        data (`skip`), by normalised convolution (Knutsson & Westin, 1993). Means are those of what is there; for other
        kernels a missing neighbour has the value of the pixel itself. NaN stays where nothing is known.
    method, threads : str, int
        How sums are computed, by default the quickest way, and on how many cores, by default all. The samples are the
        same.
    sheet : bool
        Draw the maps of a layer side by side, (H, W, 3) in 8 bits: each with its name, the kernels that made it, and
        its scale; blue below 0, white at 0 and red above, or grey where no value is below 0.
    max_kernel, max_pixels : int
        What is refused as too large.
    network : str or path, optional
        A network that runs in place of a layer: what `convcli.load_network` reads. Its input is (sample * scale - mean)
        / std, where white is 1 unless a scale is given.
    layer, resize, mean, std, layout, weights, seed
        Beside a network: whose maps are wanted, drawn side by side, or with `value_range=None` as numbers; the (width,
        height) of its input, by default what it takes; one number, or one for each channel; "nchw" or "nhwc"; the name
        of a .npz; and what draws weights that are not given. `channels="bgr"` is the order of its input.

    Returns
    -------
    ndarray or PIL.Image.Image
        The same kind as `picture`, in the same depth unless `value_range` is None. Maps of one channel are (H, W).
        An image keeps its colour profile, EXIF and resolution.

    Raises
    ------
    ArgumentError
        Where an argument is wrong, or does not fit the others or the picture; its message names it.
    ImageError
        Where the picture is none that can be filtered, or too large.

    Examples
    --------
    >>> import numpy as np
    >>> import convcli
    >>> photo = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    >>> convcli.filter_picture(photo, "box:3", stride=2).shape
    (2, 2, 3)
    >>> convcli.filter_picture(photo[..., 0], [[0, -1, 0], [-1, 5, -1], [0, -1, 0]], padding_mode="replicate")
    array([[ 0,  0,  0,  0],
           [ 9, 15, 18, 24],
           [21, 27, 30, 36],
           [45, 51, 54, 60]], dtype=uint8)
    >>> edges = convcli.filter_picture(photo, ["gaussian:sigma=1", "sobel"], pool="max:2", value_range=None)
    >>> edges.shape, edges.dtype
    ((2, 2, 3), dtype('float32'))
    >>> options = {"network": "resnet-18", "layer": "relu1", "resize": (64, 64), "seed": 0}
    >>> convcli.filter_picture(photo, value_range=None, **options).shape
    (32, 32, 64)
    """
    asked = asked_of(kernel, options, layout)
    raw = "value_range" in options and options["value_range"] is None
    if raw and asked.sheet:
        raise ArgumentError(
            "`sheet` draws a picture, of which `value_range=None` has no samples; give a range"
        )
    given: Any = picture
    made = _image_of(asked, given, raw) if _is_image(given) else _array_of(asked, given, raw)
    return cast("P", made)  # of the kind that was given


def _is_image(picture: object) -> bool:
    """Return whether a picture is Pillow's; where nobody has loaded Pillow none is."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(picture, pillow.Image)


def _array_of(asked: Asked, given: ArrayLike, raw: bool) -> NDArray[Any]:
    """Filter an array."""
    import numpy as np

    from convcli.images.codecs.npy_pictures import picture_of

    array = np.asarray(given)
    if array.ndim not in (2, 3, 4):
        raise ArgumentError(
            f"`picture` has the shape {array.shape}; it is (H, W), (H, W, C) or (frames, H, W, C), or an image of "
            "Pillow"
        )
    made = [frame.pixels for frame in _filtered(asked, picture_of(array, NAME, asked.max_pixels), raw).frames]
    if array.ndim == 4:
        return np.stack([pixels.reshape(*pixels.shape[:2], -1) for pixels in made])
    (pixels,) = made
    one_channel = array.ndim == 3 and array.shape[2] == 1 and pixels.ndim == 2
    return pixels[..., np.newaxis] if one_channel else pixels


def _image_of(asked: Asked, image: Image, raw: bool) -> Image:
    """Filter an image of Pillow."""
    from convcli.images.pillow_image import of_image, to_image

    if image.width * image.height > asked.max_pixels:
        count = image.width * image.height
        raise ArgumentError(
            f"`picture` has {count:,} pixels, over the limit of {asked.max_pixels:,}; raise it with "
            f"`max_pixels={count}`"
        )
    return to_image(_filtered(asked, of_image(image, NAME), raw), NAME, image)


def _filtered(asked: Asked, picture: Picture, raw: bool) -> Picture:
    """Return the picture that a filter makes; what it has to say is logged."""
    import logging

    from convcli.filters.result_mode import ANY, RAW

    picture = asked.colours.converted(picture, NAME)
    filtered = asked.work.plan(NAME, NAME, picture, RAW if raw else ANY).run()
    for note in (*filtered.picture.notes, *filtered.notes):
        logging.getLogger("convcli").info(note)
    return filtered.picture
