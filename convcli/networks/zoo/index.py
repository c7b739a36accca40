"""The list of published networks: a name, where it is built, its usual input, and its source.

A family's file has a function for its networks. It takes a `Builder`, which has the network's name, source and input,
and returns the network; further arguments with a default are the user's options, as in mobilenet-v1:width=0.5:

    def mobilenet_v1(g: Builder, width: float = 1.0) -> Network:
        g(f"conv k3 s2 p1 o{int(32 * width)} nobias, bn, relu")
        ...
        return g.build()

What belongs to one network of a family is said here, in `fixed`. Only the family that is asked for is imported.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape
from convcli.layers.text.arguments import apart
from convcli.networks.builder import Builder
from convcli.networks.network import Network

IMAGE = (3, 224, 224)


class Entry(NamedTuple):
    """One network.

    name : as it is typed
    family : the file in this folder
    function : what builds it there
    input : (channels, *sizes) where none is given
    source : the paper, and whose layers it has where implementations differ
    fixed : arguments of the function that make it this network
    """

    name: str
    family: str
    function: str
    input: Shape
    source: str
    fixed: Mapping[str, Any] = {}


def by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return networks by their names, of which each may be there once."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.name in found:
            raise ValueError(f"there are two networks {entry.name!r}")
        found[entry.name] = entry
    return found


_RESNET = "He et al. (2016), Deep Residual Learning for Image Recognition; torchvision"
_MOBILENET = "Howard et al. (2017), MobileNets, arXiv 1704.04861, table 1"

ZOO: dict[str, Entry] = by_name(
    (
        Entry("resnet-18", "resnets", "resnet", IMAGE, _RESNET, {"blocks": (2, 2, 2, 2)}),
        Entry("resnet-34", "resnets", "resnet", IMAGE, _RESNET, {"blocks": (3, 4, 6, 3)}),
        Entry("resnet-50", "resnets", "bottleneck_resnet", IMAGE, _RESNET, {"blocks": (3, 4, 6, 3)}),
        Entry("resnet-101", "resnets", "bottleneck_resnet", IMAGE, _RESNET, {"blocks": (3, 4, 23, 3)}),
        Entry("resnet-152", "resnets", "bottleneck_resnet", IMAGE, _RESNET, {"blocks": (3, 8, 36, 3)}),
        Entry("mobilenet-v1", "mobilenets", "mobilenet_v1", IMAGE, _MOBILENET),
    )
)


def build(text: str, input_shape: Sequence[int] | None = None, **options: Any) -> Network:
    """Build the network that `text` names, with its options behind a colon: mobilenet-v1:width=0.5.

    >>> build("resnet-18").params()
    11689512
    """
    name, typed = apart(text)
    if name not in ZOO:
        raise ArgumentError(f"there is no network {name!r}; {instead_of(name, ZOO)}")
    entry = ZOO[name]
    function = getattr(import_module(f"convcli.networks.zoo.{entry.family}"), entry.function)
    takes = options_of(function, entry.fixed)
    for key, value in typed:
        if key and key in options:
            raise ArgumentError(f"{name}: {key} is given twice")
        options[key or value] = value
    chosen = {key: _value(name, key, value, takes) for key, value in options.items()}
    spelled = ",".join(f"{key}={value:g}" for key, value in chosen.items())
    g = Builder(
        f"{name}:{spelled}" if spelled else name,
        entry.input if input_shape is None else input_shape,
        source=entry.source,
    )
    network: Network = function(g, **entry.fixed, **chosen)
    return network


def options_of(function: Any, fixed: Mapping[str, Any]) -> dict[str, type]:
    """Return the options of a function that builds, and what each takes: its arguments behind the builder."""
    from inspect import signature

    _, *parameters = signature(function).parameters.values()
    return {
        each.name: int if each.annotation in (int, "int") else float
        for each in parameters
        if each.name not in fixed
    }


def _value(name: str, key: str, value: Any, takes: Mapping[str, type]) -> float:
    if key not in takes:
        raise ArgumentError(f"{name} has no option {key!r}; it takes {', '.join(takes) or 'none'}")
    try:
        number: float = takes[key](value)
    except (TypeError, ValueError):
        raise ArgumentError(f"{name}: {key} must be a number, got {value!r}") from None
    if not 0 < number < float("inf"):
        raise ArgumentError(f"{name}: {key} must be above 0 and finite, got {value!r}")
    return number
