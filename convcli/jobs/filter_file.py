"""Filter a picture from file to file, as `convcli filter` does."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Unpack

from convcli.errors import ArgumentError
from convcli.filters.filter_picture import FilterOptions
from convcli.filters.network_input import LAYOUTS
from convcli.filters.work_from_arguments import work_from_arguments
from convcli.images.coding import Coding
from convcli.images.formats import MAX_FRAMES
from convcli.jobs.file_to_file import FileToFile
from convcli.jobs.job import DASH, Source
from convcli.jobs.read_source import Reading
from convcli.jobs.save import Save
from convcli.jobs.targets import is_stdout, jobs_for
from convcli.memory import memory_size
from convcli.remote_files import file_path

if TYPE_CHECKING:
    from convcli.filters.filter_picture import AnyKernel

MAX_MEMORY = "4G"


class Written(NamedTuple):
    """A written picture: its path, and notes, such as about metadata that the format cannot hold."""

    path: Path
    notes: tuple[str, ...]


def filter_file(
    source: str | PathLike[str],
    output: str | PathLike[str] | None = None,
    kernel: AnyKernel | None = None,
    *,
    force: bool = False,
    preserve: bool = False,
    follow_links: bool = False,
    frame: int | None = None,
    layout: str = "hwc",
    png_level: int | None = None,
    quality: int | str | None = None,
    subsampling: str | None = None,
    tiff_compression: str | None = None,
    max_frames: int = MAX_FRAMES,
    max_memory: int | str = MAX_MEMORY,
    **options: Unpack[FilterOptions],
) -> Written:
    """Run a layer on a picture in a file and write the result, as `convcli filter` does.

    Every frame or page is filtered; alpha, depth, colour profile and metadata are kept. The output is written
    atomically: completely or not at all.

    Parameters
    ----------
    source : str or path
        A PNG, JPEG, WebP, TIFF, BMP, GIF, PPM (or PGM, PBM, PAM, PFM) or .npy file, recognised by its content; or a
        matrix as text in a .csv, .txt or .json file, recognised by its ending.
    output : str or path, optional
        A file, whose ending determines the format; a folder, which exists or ends in /; or a template such as
        "out/{stem}.{kernel}{ext}". By default photo.png is filtered to photo.sobel.png in the same folder.
    kernel, options
        As in `filter_picture`. Without a `value_range`, samples are clipped, and .npy files get floats. A `mask` may
        be a template with the fields of an output, such as "masks/{stem}.png".
    force : bool
        Replace an existing file; the source itself is never replaced.
    preserve : bool
        Keep the times and the mode of the source file.
    follow_links : bool
        Replace the target of a symbolic link; otherwise a link is an error.
    frame : int, optional
        Filter only this frame or page: 0 is the first, -1 the last.
    layout : str
        The axes of arrays: "hwc", channels last; "chw", channels first; "dhw", slices of a volume. For a network, the
        axes of its input, "nchw" or "nhwc", which by default are recognised from its shape.
    png_level, quality, subsampling, tiff_compression
        The encoding of the output: 0 to 9; 1 to 100 or "lossless"; "4:4:4", "4:2:0" ...; "none", "deflate", "lzw" or
        "packbits". What is not given is as in the source, if that has the same format.
    max_frames : int
        The largest number of frames that is accepted.
    max_memory : int or str
        The limit on the estimated memory: a number of bytes, or text such as "500M".

    Returns
    -------
    Written
        With the `path` of the output, and `notes`, such as about metadata that the format cannot hold.

    Raises
    ------
    ArgumentError
        If an argument is invalid, or does not fit the others or the picture.
    ImageError
        If the source cannot be read, or the output's format cannot hold the result.
    WriteError
        If the output exists, or cannot be written.

    Examples
    --------
    >>> import convcli
    >>> from PIL import Image
    >>> folder = getfixture("tmp_path")  # any folder
    >>> Image.linear_gradient("L").save(folder / "photo.png")
    >>> convcli.filter_file(folder / "photo.png", folder / "edges.jpg", "sobel", quality=90).path.name
    'edges.jpg'
    >>> convcli.filter_file(folder / "photo.png", kernel=["gaussian:sigma=2", "sobel"]).path.name
    'photo.gaussian-sobel.png'
    >>> convcli.filter_file(folder / "photo.png", folder / "edges.jpg", kernel="box")
    Traceback (most recent call last):
    ...
    convcli.files.ExistsError: ...edges.jpg exists; give `force=True` to replace it, or another `output`
    """
    of_network = layout if layout in LAYOUTS else None
    layout = "hwc" if of_network else layout
    picture_work = work_from_arguments(kernel, options, of_network)
    reading = Reading(frame, *picture_work.colours, picture_work.max_pixels, max_frames, layout)
    from convcli.images.codecs.array_layout import AXES

    if layout not in AXES:
        raise ArgumentError(f"`layout`: there is no {layout!r}; use {', '.join(AXES)}")
    coding = Coding.of(png_level, quality, subsampling, tiff_compression)
    target = None if output is None else fspath(output)
    if target is not None and is_stdout(target):
        raise ArgumentError(f"`output` {target} is standard output; name a file")
    save = Save(force, preserve, follow_links)
    inputs, name = [Source(file_path(source))], picture_work.name
    (job,) = jobs_for(inputs, target, name, reads=picture_work.files, mask=picture_work.mask)
    most = memory_size(max_memory) if isinstance(max_memory, str) else max_memory
    outcome = FileToFile(picture_work.work, reading, coding, save, most, picture_work.threads, alone=True)(
        job
    )
    if outcome.error is not None:
        raise outcome.error
    assert job.target is not DASH
    return Written(job.target, outcome.notes)
