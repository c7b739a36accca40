"""Colours beside alpha as sources: hidden colours count for nothing, or as the colour of the pixel itself.

`alpha_rule` says what is computed here, in floats; `exact_values` does the same in whole numbers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.filters.tiles.alpha_rule import FAINT, is_visible
from convcli.filters.tiles.sources import Region, Source, own

Array = NDArray[Any]


def in_channel(channel: int, channels: int, missing: Array) -> Array:
    """Return so many channels of zeros, but for one, which is given."""
    found = np.zeros((*missing.shape[:-1], channels), missing.dtype)
    found[..., channel] = missing[..., 0]
    return found


class MeanOfVisible(Source):
    """Sums of colour * alpha divided by those of alpha; where nothing is visible, the mean of the bare colours."""

    def __init__(
        self,
        weighed: Source,
        bare: Source,
        weight: Source,
        total: float,
        linear: tuple[float, float] = (1.0, 0.0),
        faint: float = FAINT,
    ) -> None:
        """Take the sums of colour * alpha, of the bare colours, and of alpha.

        total : what the weights sum to; linear : what a mean is multiplied by, and what is added to it

        What sums to less than `faint` of opaque is not visible.
        """
        super().__init__(weighed.shape, weighed.dtype)
        self.weighed, self.bare, self.weight = weighed, bare, weight
        self.total, self.linear, self.least = total, linear, faint * total

    def __call__(self, region: Region) -> Array:
        """Compute a region; the colours as they are only where it has places with nothing visible."""
        weight, number = self.weight(region), self.dtype.type
        seen = weight > self.least
        if seen.all():
            mean: Array = np.divide(self.weighed(region), weight)
        else:
            weighed = self.weighed(region)
            mean = np.divide(self.bare(region), number(self.total))
            np.divide(weighed, weight, where=np.broadcast_to(seen, weighed.shape), out=mean)
        factor, shift = self.linear
        if factor != 1:
            np.multiply(mean, number(factor), out=mean)
        return np.add(mean, number(shift), out=mean) if shift else mean


class Shown(Source):
    """Colours that are visible, and 0 for others."""

    def __init__(self, colour: Source, opacity: Source) -> None:
        super().__init__(colour.shape, colour.dtype)
        self.colour, self.opacity = colour, opacity
        self.met_hidden = False  # whether any was hidden so far

    def __call__(self, region: Region) -> Array:
        """Compute a region."""
        colour, visible = self.colour(region), is_visible(self.opacity(region))
        if visible.all():
            return colour
        self.met_hidden = True
        shown: Array = np.multiply(colour, visible)
        return shown


class WithOwn(Source):
    """Sums over what is seen, and the pixel's own colour for what is hidden of each channel."""

    def __init__(self, seen: Source, middles: Source, hidden: list[Source], shown: Shown) -> None:
        """Take the sums of what is hidden: one for each channel of the input, or one for all."""
        super().__init__(seen.shape, seen.dtype)
        self.seen, self.middles, self.hidden, self.shown = seen, middles, hidden, shown

    def __call__(self, region: Region) -> Array:
        """Compute a region; without what is hidden as long as nothing is."""
        seen = own(self.seen(region))
        if not self.shown.met_hidden:
            return seen
        middles = self.middles(region)
        for channel, source in enumerate(self.hidden):
            mine = middles if len(self.hidden) == 1 else middles[..., channel : channel + 1]
            missing = source(region)
            # Elsewhere values stay as they are, and 0 times infinity is no NaN.
            np.add(seen, mine * missing, where=missing != 0, out=seen)
        return seen
