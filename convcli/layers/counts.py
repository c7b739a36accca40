"""Work, counted exactly; each count is named for what it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """The arithmetic of one input through one layer, or of several layers summed.

    multiplications : products formed
    additions       : sums formed; k products take k - 1 additions, a bias takes one more
    macs            : multiply-adds of the weights, k for a sum of k products (fvcore's "flops")
    flops           : 2 * macs, plus one for each output that has a bias (the usual published count, which
                      also adds the first product to zero)
    """

    multiplications: int = 0
    additions: int = 0
    macs: int = 0
    flops: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.multiplications + other.multiplications,
            self.additions + other.additions,
            self.macs + other.macs,
            self.flops + other.flops,
        )

    def __mul__(self, times: int) -> "Cost":
        return Cost(
            self.multiplications * times, self.additions * times, self.macs * times, self.flops * times
        )


def weighted_sums(outputs: int, terms: int, bias: bool) -> Cost:
    """Count `outputs` sums of `terms` weighted elements each, with or without a bias.

    A convolution has prod(output size) * out_channels outputs of prod(k) * in_channels / groups terms:
    Goodfellow, Bengio & Courville, "Deep Learning" (2016), section 9.5. Borders count as if padded
    elements were real.
    """
    return Cost(
        multiplications=outputs * terms,
        additions=outputs * (terms - 1 + bias),
        macs=outputs * terms,
        flops=2 * outputs * terms + outputs * bias,
    )
