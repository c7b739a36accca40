"""Filter a picture in memory: an array or a Pillow image."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack, cast

from convcli.errors import ArgumentError
from convcli.filters.work_from_arguments import PictureWork, work_from_arguments

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

NAME = "the picture"  # its name in errors


class FilterOptions(TypedDict, total=False):
    """The options of `filter_picture`, which documents them."""

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
    only: tuple[int, int, int, int] | Sequence[tuple[int, int, int, int]] | str | None
    mask: AnyArray | None
    gray: bool
    channels: str | Sequence[str] | None
    linear: bool
    depth: Literal[8, 16, "8", "16", "float"] | None
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
        An array is (H, W), (H, W, C) or (frames, H, W, C), as in a .npy file: 1 to 4 channels are grey, grey and
        alpha, RGB, and RGBA. From an image, the current frame is used, without applying its orientation; a palette is
        expanded. Neither is modified.
    kernel : str, Kernel, array or a list of them
        A string as for `--kernel`, such as `gaussian:sigma=2`, or the weights as an array or nested lists. The kernels
        in a list run one after the other.
    normalize, scale, shift, anchor, flip
        Divide each kernel by its sum; multiply its weights; add to its output, in units of the pixels; set the tap at
        the output pixel, (y, x); rotate the kernel by 180 degrees, which makes it a true convolution.
    stride, padding, dilation
        One number for all axes or one for each; padding is also `same` (by default), `same-lower`, `valid`, `full`, or
        pairs (before, after).
    padding_mode, padding_value
        What extends the picture beyond its border: `reflect` (by default), `symmetric`, `replicate`, `circular`,
        `zeros` or `constant`, which uses the value.
    activation, pool, pool_channels, repeat, feedback
        Steps after the kernel: an activation such as `relu`; a pool such as `max:2`, `avg:3,stride=2` or `global-avg`;
        a pool over channels such as `max`, `avg:2` or `lp`; and how often all of them run. Each repeat runs on the
        previous output, or with feedback on the picture with the previous output appended as channels, which starts as
        zeros (Pinheiro & Collobert, "Recurrent convolutional neural networks for scene labeling", 2014).
    resize, resampling, resize_after
        Resize the picture to (width, height), by a factor such as 0.5, or to "50%", "800x" or "x600"; the resampling
        kernel, `lanczos` (by default), `cubic`, `bilinear`, `hamming`, `box` or `nearest`, widened to avoid aliasing;
        and the number of steps (each kernel, the activation, each pool) before resizing, by default 0.
    variant, weights, bias, pointwise, groups, rank, offsets, local, tile, output_padding
        Another kind of convolution: one of `convcli.VARIANTS`, by default the one that the other arguments belong to.
        Weights alone, of shape (C, 1, kh, kw), are depthwise on C channels, and standard otherwise.
        `weights`, `bias`, `pointwise`, `offsets` and `local` are arrays, or strings as on the command line: the name of
        a .npy file, `luma`, `swirl:strength=3`, `tilt-shift`.
    dims, along
        3 for kernels that filter across frames; 1 for 1-D kernels `along` "rows" or "columns".
    value_range : str, optional
        How to convert values to the depth of the picture: `clip` (by default), `abs`, `offset` or `minmax`. None
        returns the values as floats.
    alpha : str
        `auto`, `premultiply`, `keep` or `filter`: see `backend.filter_image`.
    only, mask
        Filter only a rectangle, (x, y, width, height) in pixels from the top left of the upright picture, or a
        sequence of them; only where a mask is white, (H, W) of booleans, unsigned whole numbers or floats from 0 to 1,
        or the name of a picture. Greys blend. With both, only what is in a rectangle and white in the mask is filtered.
    gray, channels, linear, depth
        Convert the picture to grey; use only some channels, such as "r,g"; filter sRGB in linear light; return a result
        of 8-bit or 16-bit samples (8, 16) or floats ("float", white is 1). A picture of less depth is converted before
        it is filtered; of a deeper one, the result is rounded.
    nan : str
        How to treat NaN in floats: `propagate` (by default) makes every output that includes it NaN; `skip` treats it
        as missing data, by normalised convolution (Knutsson & Westin, 1993). Means are then those of the present
        values; for other kernels, missing neighbours count as having the value of the pixel itself. The result is NaN
        where all values are missing.
    method, threads : str, int
        How to compute sums, by default the fastest method, and on how many cores, by default all. The samples do not
        depend on them.
    sheet : bool
        Draw the maps of a layer side by side, (H, W, 3) in 8 bits: each with its name, its kernels and its scale; blue
        below 0, white at 0 and red above, or grey if no value is negative.
    max_kernel, max_pixels : int
        Limits on the size of kernels and pictures.
    network : str or path, optional
        A network to run instead of a layer, as for `convcli.load_network`. Its input is (sample * scale - mean) / std;
        by default, the scale makes white 1.
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
        If an argument is invalid, or does not fit the others or the picture; the message names it.
    ImageError
        If the picture cannot be filtered or is too large.

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
    picture_work = work_from_arguments(kernel, options, layout)
    raw = "value_range" in options and options["value_range"] is None
    if raw and picture_work.sheet:
        raise ArgumentError(
            "`sheet` draws a picture, and `value_range=None` returns values instead; leave one of them out"
        )
    given: Any = picture
    made = _image_of(picture_work, given, raw) if _is_image(given) else _array_of(picture_work, given, raw)
    return cast("P", made)  # the type of the input


def _is_image(picture: object) -> bool:
    """Return whether a picture is a Pillow image, without importing Pillow."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(picture, pillow.Image)


def _array_of(picture_work: PictureWork, given: ArrayLike, raw: bool) -> NDArray[Any]:
    """Filter an array."""
    import numpy as np

    from convcli.images.codecs.npy_pictures import picture_of

    array = np.asarray(given)
    if array.ndim not in (2, 3, 4):
        raise ArgumentError(
            f"`picture` has the shape {array.shape}; it must be (H, W), (H, W, C) or (frames, H, W, C), or a Pillow "
            "image"
        )
    made = [
        frame.pixels
        for frame in _filtered(picture_work, picture_of(array, NAME, picture_work.max_pixels), raw).frames
    ]
    if array.ndim == 4:
        return np.stack([pixels.reshape(*pixels.shape[:2], -1) for pixels in made])
    (pixels,) = made
    one_channel = array.ndim == 3 and array.shape[2] == 1 and pixels.ndim == 2
    return pixels[..., np.newaxis] if one_channel else pixels


def _image_of(picture_work: PictureWork, image: Image, raw: bool) -> Image:
    """Filter a Pillow image."""
    from convcli.images.pillow_image import of_image, to_image

    if image.width * image.height > picture_work.max_pixels:
        count = image.width * image.height
        raise ArgumentError(
            f"`picture` has {count:,} pixels, over the limit of {picture_work.max_pixels:,}; raise it with "
            f"`max_pixels={count}`"
        )
    return to_image(_filtered(picture_work, of_image(image, NAME), raw), NAME, image)


def _filtered(picture_work: PictureWork, picture: Picture, raw: bool) -> Picture:
    """Return the filtered picture; notes are logged."""
    import logging

    from convcli.filters.result_mode import ANY, RAW

    picture = picture_work.colours.converted(picture, NAME)
    filtered = picture_work.work.plan(NAME, NAME, picture, RAW if raw else ANY).run()
    for note in (*filtered.picture.notes, *filtered.notes):
        logging.getLogger("convcli").info(note)
    return filtered.picture
