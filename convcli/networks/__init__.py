"""Networks described by integers: named layers with their inputs, output shapes, parameters and costs.

>>> from convcli import networks
>>> network = networks.load("resnet-50")        # or "net.toml"
>>> network.totals()["params"], network.inputs
(25557032, {'input': ('N', 3, 224, 224)})
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcli.networks.builder import Builder
    from convcli.networks.graph import Node
    from convcli.networks.load_network import load
    from convcli.networks.network import Network

# Public names and the module that defines each, imported on first use.
_HOME = {"Builder": "builder", "Network": "network", "Node": "graph", "load": "load_network"}

__all__ = ["Builder", "Network", "Node", "load"]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
