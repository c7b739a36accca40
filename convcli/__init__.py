"""Run convolutions on pictures, and calculate the shape, the parameters and the cost of convolutional layers."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcli import backend, kernels, layers, networks
    from convcli.analysis.difference import diff
    from convcli.analysis.match import match
    from convcli.drawing.draw import draw
    from convcli.drawing.forms import Drawing
    from convcli.errors import ArgumentError, ConvcliError, FileError
    from convcli.files import WriteError
    from convcli.filters.filter_picture import filter_picture
    from convcli.images.picture import ImageError
    from convcli.jobs.filter_file import filter_file
    from convcli.kernels import Kernel, parse_kernel
    from convcli.layers import VARIANTS, Conv
    from convcli.layers.text.chain_grammar import parse_chain
    from convcli.learning.learn_kernel import learn_kernel
    from convcli.learning.patch_bank import learn_bank
    from convcli.networks.load_network import load_network
    from convcli.networks.network import Network

__version__ = "0.1.0"

# The module of each public name. It is imported on first use, so that `import convcli` is instant.
_HOME = {
    "ConvcliError": "convcli.errors",
    "ArgumentError": "convcli.errors",
    "FileError": "convcli.errors",
    "ImageError": "convcli.images.picture",
    "WriteError": "convcli.files",
    "filter_file": "convcli.jobs.filter_file",
    "filter_picture": "convcli.filters.filter_picture",
    "Kernel": "convcli.kernels",
    "parse_kernel": "convcli.kernels",
    "Conv": "convcli.layers",
    "VARIANTS": "convcli.layers",
    "parse_chain": "convcli.layers.text.chain_grammar",
    "Network": "convcli.networks.network",
    "load_network": "convcli.networks.load_network",
    "match": "convcli.analysis.match",
    "diff": "convcli.analysis.difference",
    "draw": "convcli.drawing.draw",
    "Drawing": "convcli.drawing.forms",
    "learn_kernel": "convcli.learning.learn_kernel",
    "learn_bank": "convcli.learning.patch_bank",
    "backend": "convcli",
    "kernels": "convcli",
    "layers": "convcli",
    "networks": "convcli",
}

__all__ = [
    "ArgumentError",
    "Conv",
    "ConvcliError",
    "Drawing",
    "FileError",
    "ImageError",
    "Kernel",
    "Network",
    "VARIANTS",
    "WriteError",
    "__version__",
    "backend",
    "diff",
    "draw",
    "filter_file",
    "filter_picture",
    "kernels",
    "layers",
    "learn_bank",
    "learn_kernel",
    "load_network",
    "match",
    "networks",
    "parse_chain",
    "parse_kernel",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'convcli' has no attribute {name!r}")
    home = _HOME[name]
    value = import_module(f"convcli.{name}") if home == "convcli" else getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
