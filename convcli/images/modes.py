"""The names of pixel modes, which describe channels and depth.

Pillow's names are used if there are any: RGB, and I;16, I and F for grey of 16 bits, 32 bits and float. The others
follow the same pattern: RGB;16 and RGBA;F, or with the dtype, L;float64. Channels that are not colours are only
counted: 7 channels.
"""

# The number of channels. LAB is CIELAB as in TIFF; in ICCLAB, 16-bit L* ends at 65280, as in ICC profiles.
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "LAB": 3, "ICCLAB": 3}
LABS = ("LAB", "ICCLAB")
SRGB = ("uint8", "uint16")  # dtypes of sRGB samples

_GREY = {"uint16": "I;16", "int32": "I", "float32": "F"}
_DEPTHS = {"uint8": "", "uint16": ";16", "float32": ";F"}
_BY_GREY = {mode: dtype for dtype, mode in _GREY.items()}
_BY_DEPTH = {depth: dtype for dtype, depth in _DEPTHS.items()}
_COUNTED = " channels"


def mode_name(channels: str, dtype: str) -> str:
    """Return the mode of channels with samples of a NumPy dtype.

    >>> mode_name("L", "uint16"), mode_name("RGB", "uint16"), mode_name("RGB", "float64")
    ('I;16', 'RGB;16', 'RGB;float64')
    """
    if channels not in CHANNELS:
        return channels
    if channels == "L" and dtype in _GREY:
        return _GREY[dtype]
    return channels + _DEPTHS.get(dtype, f";{dtype}")


def mode_of(count: int, dtype: str) -> str:
    """Return the mode for a number of channels without names: grey or colours for 1 to 4, counted for more.

    >>> mode_of(4, "uint8"), mode_of(1, "float32"), mode_of(7, "float32")
    ('RGBA', 'F', '7 channels')
    """
    return mode_name({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}.get(count, f"{count}{_COUNTED}"), dtype)


def channels_of(mode: str) -> str:
    """Return the channels of a mode without the depth.

    >>> channels_of("I;16"), channels_of("RGBA;F"), channels_of("7 channels")
    ('L', 'RGBA', '7 channels')
    """
    return "L" if mode in _BY_GREY else mode.partition(";")[0]


def dtype_of(mode: str) -> str:
    """Return the NumPy dtype of the samples of a mode, which must not be one of counted channels.

    >>> dtype_of("I;16"), dtype_of("RGBA"), dtype_of("L;float64")
    ('uint16', 'uint8', 'float64')
    """
    _, divider, depth = mode.partition(";")
    return _BY_GREY.get(mode) or _BY_DEPTH.get(divider + depth, depth)


def count_of(mode: str) -> int:
    """Return the number of channels of a mode.

    >>> count_of("RGBA;F"), count_of("I;16"), count_of("7 channels")
    (4, 1, 7)
    """
    channels = channels_of(mode)
    return int(channels.removesuffix(_COUNTED)) if is_counted(mode) else CHANNELS[channels]


def is_counted(mode: str) -> bool:
    """Return whether a mode only counts its channels."""
    return mode.endswith(_COUNTED)


def is_float(mode: str) -> bool:
    """Return whether the samples of a mode are floats."""
    return not is_counted(mode) and dtype_of(mode).startswith("float")
