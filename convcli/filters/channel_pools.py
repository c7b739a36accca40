"""Parse pools over channels: max, or avg:3 for groups of 3."""

from convcli.errors import ArgumentError, instead_of
from convcli.filters.stages.activation_and_pools import ChannelPooled
from convcli.layers.pool import check_norm
from convcli.layers.text.arguments import apart
from convcli.layers.text.notation import parse_number
from convcli.layers.text.pool_grammar import WINDOWS
from convcli.number_text import read_float


def parse_channel_pool(text: str) -> ChannelPooled:
    """Parse a pool over channels: max, or avg:3 for groups of 3."""
    name, arguments = apart(text)
    if name not in WINDOWS:
        raise ArgumentError(f"`pool_channels`: there is no {name!r}; {instead_of(name, WINDOWS)}")
    size: int | None = None
    norm_type = 2.0
    for key, value in arguments:
        takes = ("size", "p") if name == "lp" else ("size",)
        if (key or "size") not in takes:
            raise ArgumentError(
                f"`pool_channels` {name} has no argument {key!r}; it takes {' and '.join(takes)}"
            )
        try:
            if key == "p":
                norm_type = read_float(value)
            else:
                size = parse_number(value)
        except ArgumentError as error:
            raise ArgumentError(f"`pool_channels` {name}: {error}") from None
    if size is not None and size < 1:
        raise ArgumentError(f"`pool_channels` {name}: the size must be at least 1, got {size}")
    try:
        return ChannelPooled(name, size, check_norm(norm_type))
    except ArgumentError as error:
        raise ArgumentError(f"`pool_channels` lp: {error}") from None
