"""The optional packages and parts of Pillow that some formats need, or the error that says how to install them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from convcli.errors import install_extra
from convcli.images.codecs.tiff import NoCodecError

# The optional parts of Pillow by formats: the name for `features.check`, and the one in messages.
PARTS = {"AVIF": ("avif", "AVIF"), "JPEG2000": ("jpg_2000", "JPEG 2000"), "J2K": ("jpg_2000", "JPEG 2000")}


def check_pillow(form: str, failure: str = "") -> None:
    """Raise NoCodecError if Pillow was built without a format; `failure` is the beginning of the message."""
    from PIL import features

    part, kind = PARTS[form]
    if not features.check(part):
        raise NoCodecError(f"{failure}the installed Pillow was built without {kind}; pip install -U pillow")


def load_extra(module: str, extra: str, why: str) -> Any:
    """Import a package that `convcli[extra]` installs, or raise NoCodecError with the reason why it is needed."""
    try:
        return import_module(module)
    except ImportError:
        raise NoCodecError(f"{why}; {install_extra(extra)}") from None


def load_codec(codec: str, kind: str, why: str) -> Any:
    """Import imagecodecs, or raise NoCodecError if it is not installed or was built without a codec.

    codec : name of the codec in imagecodecs
    kind : name of the codec in messages
    """
    package = load_extra("imagecodecs", "codecs", why)
    if not getattr(package, codec).available:
        raise NoCodecError(f"{why}; the installed imagecodecs was built without {kind}")
    return package
