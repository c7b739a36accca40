"""Sources of colours with alpha: hidden colours are ignored, or count as the colour of the pixel itself.

Computes the rule in `alpha_rule` in floats; `exact_values` computes it in integers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.filters.tiles.alpha_rule import FAINT, is_visible
from convcli.filters.tiles.sources import Region, Source, own

Array = NDArray[Any]


def in_channel(channel: int, channels: int, missing: Array) -> Array:
    """Return channels of zeros, except for one, which is `missing`."""
    found = np.zeros((*missing.shape[:-1], channels), missing.dtype)
    found[..., channel] = missing[..., 0]
    return found


class MeanOfVisible(Source):
    """Sums of colour * alpha divided by sums of alpha; where nothing is visible, the mean of the bare colours."""

    def __init__(
        self,
        weighed: Source,
        bare: Source,
        weight: Source,
        total: float,
        linear: tuple[float, float] = (1.0, 0.0),
        faint: float = FAINT,
    ) -> None:
        """Initialise with the sums of colour * alpha, of the bare colours, and of alpha.

        total : sum of the weights
        linear : factor and shift that are applied to the mean
        faint : opacity up to which colours count as invisible
        """
        super().__init__(weighed.shape, weighed.dtype)
        self.weighed, self.bare, self.weight = weighed, bare, weight
        self.total, self.linear, self.least = total, linear, faint * total

    def read(self, region: Region) -> Array:
        """Compute a region; the bare colours are only computed if something in it is invisible."""
        weight, number = self.weight.read(region), self.dtype.type
        seen = weight > self.least
        if seen.all():
            mean: Array = np.divide(self.weighed.read(region), weight)
        else:
            weighed = self.weighed.read(region)
            mean = np.divide(self.bare.read(region), number(self.total))
            np.divide(weighed, weight, where=np.broadcast_to(seen, weighed.shape), out=mean)
        factor, shift = self.linear
        if factor != 1:
            np.multiply(mean, number(factor), out=mean)
        return np.add(mean, number(shift), out=mean) if shift else mean


class Shown(Source):
    """Visible colours, and 0 for hidden ones."""

    def __init__(self, colour: Source, opacity: Source) -> None:
        super().__init__(colour.shape, colour.dtype)
        self.colour, self.opacity = colour, opacity
        self.has_hidden = False  # whether any pixel was hidden so far

    def read(self, region: Region) -> Array:
        """Compute a region."""
        colour, visible = self.colour.read(region), is_visible(self.opacity.read(region))
        if visible.all():
            return colour
        self.has_hidden = True
        shown: Array = np.multiply(colour, visible)
        return shown


class WithOwn(Source):
    """Sums over visible pixels, plus the pixel's own colour times the weights of hidden ones."""

    def __init__(self, seen: Source, middles: Source, hidden: list[Source], shown: Shown) -> None:
        """Initialise with sources; `hidden` has the sums of hidden weights, one for each input channel or for all."""
        super().__init__(seen.shape, seen.dtype)
        self.seen, self.middles, self.hidden, self.shown = seen, middles, hidden, shown

    def read(self, region: Region) -> Array:
        """Compute a region; the hidden weights are only computed once a hidden pixel was found."""
        seen = own(self.seen.read(region))
        if not self.shown.has_hidden:
            return seen
        middles = self.middles.read(region)
        for channel, source in enumerate(self.hidden):
            mine = middles if len(self.hidden) == 1 else middles[..., channel : channel + 1]
            missing = source.read(region)
            # Only where weights are hidden, so that 0 times infinity does not make NaN elsewhere.
            np.add(seen, mine * missing, where=missing != 0, out=seen)
        return seen
