"""Run convolutions on pictures, and answer every question about a convolutional layer."""

from importlib import import_module

__version__ = "0.1.0"

# Public names and the module that each lives in, loaded on first use: `import convcli` is instant.
_HOME = {
    "ConvcliError": "convcli.errors",
    "ArgumentError": "convcli.errors",
    "Conv": "convcli.layers",
    "VARIANTS": "convcli.layers",
    "backend": "convcli",
    "kernels": "convcli",
    "layers": "convcli",
}

__all__ = ["__version__", *_HOME]


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
