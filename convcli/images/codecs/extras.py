"""Import the optional packages that some formats need, or name the extra that installs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from convcli.images.codecs.tiff import NoCodecError


def load_extra(module: str, extra: str, why: str) -> Any:
    """Import a package that `convcli[extra]` installs, or raise NoCodecError with the reason why it is needed."""
    try:
        return import_module(module)
    except ImportError:
        raise NoCodecError(f"{why}; pip install 'convcli[{extra}]'") from None


def load_codec(codec: str, kind: str, why: str) -> Any:
    """Import imagecodecs, or raise NoCodecError if it is not installed or was built without a codec.

    codec : name of the codec in imagecodecs
    kind : name of the codec in messages
    """
    package = load_extra("imagecodecs", "codecs", why)
    if not getattr(package, codec).available:
        raise NoCodecError(f"{why}; the installed imagecodecs was built without {kind}")
    return package
