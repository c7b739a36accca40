"""Turn the arguments of `filter_picture` into the work that runs on a picture: a layer or a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError
from convcli.filters.network_input import LAYOUTS, OF_BOTH, NetworkInput, output_name, pixels_of
from convcli.filters.picture_colours import Colours
from convcli.filters.read_arguments import read
from convcli.filters.request import Request
from convcli.images.formats import MAX_PIXELS

if TYPE_CHECKING:
    from convcli.filters.network_filter import NetworkFilter
    from convcli.filters.picture_plan import Filtering

OF_NETWORKS = ("layer", "mean", "std", "seed")  # arguments that belong to a network


class PictureWork(NamedTuple):
    """The work on a picture.

    name : the part of output names that describes the work
    files : files named by the arguments, each after its name in messages
    sheet : whether maps are drawn side by side
    mask : a template of paths for the mask of each file
    """

    work: Filtering | NetworkFilter
    colours: Colours
    max_pixels: int
    threads: int | None
    name: str
    files: list[tuple[str, Path]]
    sheet: bool = False
    mask: str | None = None


def work_from_arguments(kernel: Any, options: Mapping[str, Any], layout: str | None = None) -> PictureWork:
    """Return the work for the arguments of `filter_picture`, or raise ArgumentError."""
    found = read(kernel, options)
    if "network" in found:
        return _network(found, layout)
    for name in OF_NETWORKS:
        if name in found:
            raise ArgumentError(f"`{name}` belongs to a network; name one with `network`")
    if layout is not None:
        raise ArgumentError(f"`layout` {layout!r} belongs to the input of a network; name one with `network`")
    from convcli.filters.picture_plan import Filtering
    from convcli.filters.run import PictureFilter

    colours = Colours(**{name: found.pop(name) for name in Colours._fields if name in found})
    threads, max_pixels = found.pop("threads", None), found.pop("max_pixels", MAX_PIXELS)
    picture_filter = PictureFilter.of(Request(**found), colours, max_pixels, threads)
    request, name = picture_filter.request, picture_filter.requested.name
    return PictureWork(
        Filtering(picture_filter),
        colours,
        max_pixels,
        threads,
        name,
        request.files,
        picture_filter.sheet,
        request.masks,
    )


def _network(found: Mapping[str, Any], layout: str | None) -> PictureWork:
    from convcli.filters.network_filter import NetworkFilter
    from convcli.filters.network_run import NetworkRun

    layer = Request(**{name: found[name] for name in Request._fields if name in found})
    others = [name for name in ("linear", "depth", "threads") if found.get(name)]
    for name in (*filter(layer.given, Request._fields), *others):
        if name not in OF_BOTH and name in found:
            argument = "kernel" if name == "kernels" else name
            raise ArgumentError(
                f"`{argument}` belongs to a layer, and has no use with `network`; leave it out"
            )
    if layout is not None and layout not in LAYOUTS:
        raise ArgumentError(f"`layout`: there is no {layout!r}; use {', '.join(LAYOUTS)}")
    weights = found.get("weights")
    if not isinstance(weights, str | None):
        raise ArgumentError("`weights` of a network must be the name of a .npz file")
    channels = found.get("channels", ())
    how = NetworkInput(
        scale=found.get("scale"),
        mean=found.get("mean", (0.0,)),
        std=found.get("std", (1.0,)),
        size=pixels_of(found.get("resize")),
        layout=layout,
        bgr=channels == ("bgr",),
    )
    run = NetworkRun(found["network"], how, found.get("layer"), weights, found.get("seed"))
    return PictureWork(
        work=NetworkFilter(run, found.get("value_range")),
        colours=Colours(() if channels in (("rgb",), ("bgr",)) else channels, found.get("gray", False)),
        max_pixels=found.get("max_pixels", MAX_PIXELS),
        threads=None,
        name=output_name(run.source, run.layer),
        files=run.files,
    )
