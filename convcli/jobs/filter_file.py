"""Filter a picture from file to file, as `convcli filter` does."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Unpack

from convcli.errors import ArgumentError
from convcli.filters.asked import asked_of
from convcli.filters.filter_picture import FilterOptions
from convcli.filters.network_input import LAYOUTS
from convcli.images.coding import Coding
from convcli.images.formats import MAX_FRAMES
from convcli.jobs.file_to_file import FileToFile
from convcli.jobs.job import DASH, Source
from convcli.jobs.read_source import Reading
from convcli.jobs.save import Save
from convcli.jobs.targets import is_stdout, jobs_for
from convcli.memory import memory_size

if TYPE_CHECKING:
    from convcli.filters.filter_picture import AnyKernel

MAX_MEMORY = "4G"


class Written(NamedTuple):
    """A picture that was written: where, and what is to be said of it, such as metadata that the format cannot hold."""

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
    max_frames: int = MAX_FRAMES,
    max_memory: int | str = MAX_MEMORY,
    **options: Unpack[FilterOptions],
) -> Written:
    """Run a layer on a picture in a file and write the result, as `convcli filter` does.

    Every frame and page is filtered; alpha, depth, colour profile and metadata are kept. The output is written whole or
    not at all.

    Parameters
    ----------
    source : str or path
        PNG, JPEG, WebP, TIFF, BMP, GIF, PPM and its kin, or .npy; told by what is in it. Or a matrix as text: .csv,
        .txt or .json, told by its ending.
    output : str or path, optional
        A file, whose ending says the format; a folder, which is there or ends in /; or a template such as
        "out/{stem}.{kernel}{ext}". Without it photo.png becomes photo.sobel.png, beside it.
    kernel, options
        As of `filter_picture`; without a `value_range` samples are clipped, and those of .npy are floats.
    force : bool
        Replace a file that is there; the source itself never is.
    preserve, follow_links : bool
        Keep the times and the mode of the source's file; replace what a link points to, where links are refused.
    frame : int, optional
        Only this frame or page: 0 the first, -1 the last.
    layout : str
        The axes of arrays: "hwc", channels last; "chw", first; "dhw", slices of a volume. Or those of a network's
        input, "nchw" or "nhwc", which are otherwise told from its shape.
    png_level, quality, subsampling
        How the output is coded: 0 to 9; 1 to 100 or "lossless"; "4:4:4", "4:2:0" ...
    max_frames, max_memory : int, int or str
        What is refused as too much; memory in bytes, or as "500M".

    Returns
    -------
    Written
        path : Path, of the output; notes : tuple of str, what else is to be said.

    Raises
    ------
    ArgumentError
        Where an argument is wrong, or does not fit the others or the picture.
    ImageError
        Where the source cannot be read, or the output's format cannot hold the result.
    WriteError
        Where the output exists, or cannot be written.

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
    asked = asked_of(kernel, options, of_network)
    reading = Reading(frame, *asked.colours, asked.max_pixels, max_frames, layout)
    from convcli.images.codecs.array_layout import AXES

    if layout not in AXES:
        raise ArgumentError(f"`layout`: there is no {layout!r}; use {', '.join(AXES)}")
    coding = Coding.of(png_level, quality, subsampling)
    target = None if output is None else fspath(output)
    if target is not None and is_stdout(target):
        raise ArgumentError(f"`output` {target} is standard output; name a file")
    save = Save(force, preserve, follow_links)
    (job,) = jobs_for([Source(Path(source))], target, asked.name, reads=asked.files)
    most = memory_size(max_memory) if isinstance(max_memory, str) else max_memory
    outcome = FileToFile(asked.work, reading, coding, save, most, asked.threads, alone=True)(job)
    if outcome.error is not None:
        raise outcome.error
    assert job.target is not DASH
    return Written(job.target, outcome.notes)
