"""The packages that some formats need: imported when such a file is read or written, or named with their extra."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from convcli.images.codecs.tiff import NoCodecError


def load_extra(module: str, extra: str, why: str) -> Any:
    """Import a package that `convcli[extra]` installs, or raise NoCodecError, which says why it was needed."""
    try:
        return import_module(module)
    except ImportError:
        raise NoCodecError(f"{why}; pip install 'convcli[{extra}]'") from None


def load_codec(codec: str, kind: str, why: str) -> Any:
    """Import imagecodecs, or raise NoCodecError where it is not there or was built without a codec.

    codec, kind : as imagecodecs and people call it
    """
    package = load_extra("imagecodecs", "codecs", why)
    if not getattr(package, codec).available:
        raise NoCodecError(f"{why}; the imagecodecs that is installed was built without {kind}")
    return package
