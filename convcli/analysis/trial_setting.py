"""The settings of a variant, apart from the kernel, for a trial on a picture: mixing weights, offsets, a stride."""

from dataclasses import replace
from typing import Any

import numpy as np

from convcli.filters.stages.blend import tilt_shift
from convcli.filters.stages.offsets import swirl
from convcli.kernels import KERNELS, Kernel
from convcli.layers import VariantSpec
from convcli.layers.axes import by_axes
from convcli.layers.variants import ENLARGING_STRIDE


def setting(spec: VariantSpec, kernel: Kernel, channels: int) -> tuple[dict[str, Any], str]:
    """Return the settings of a variant for a trial: the changes to its recipe, and a description.

    Weights are scaled so that the values stay in range: channels are averaged where the variant sums them, and the
    weights are multiplied where it spreads each pixel over several.
    """
    changes: dict[str, Any] = {}
    words: list[str] = []
    mean = np.full((1, channels), 1 / channels)
    if spec.weighing == "sum":
        changes["kernels"] = (replace(kernel, divisor=kernel.divisor * channels),)
        words.append("one output map: the mean of the channels")
    elif spec.weighing == "each-then-mix":
        changes["mixing"] = mean
        words.append("the pointwise layer is the mean of the channels")
    elif spec.weighing == "mix":
        changes |= {"kernels": (), "mixing": mean}
        words.append("the mean of the channels, without the kernel")
    elif spec.weighing == "places":
        changes |= {"kernels": (), "widths": tilt_shift()}
        words.append("a tilt-shift blur, without the kernel")
    elif spec.weighing == "turns":
        changes |= {"kernels": (kernel, KERNELS["identity"]()), "tile": (1, 2)}
        words.append("the kernel and the identity in alternating columns")
    if spec.takes("offsets"):
        changes["offsets"] = swirl()
        words.append("the taps are displaced by a swirl")
    if spec.enlarges:
        changes["stride"] = ENLARGING_STRIDE
        words.append(f"stride {ENLARGING_STRIDE}")
    if spec.enlarges and spec.sizes == "transposed":
        times = ENLARGING_STRIDE**2
        changes["kernels"] = (replace(kernel, divisor=kernel.divisor / times),)
        words.append(
            f"the weights times {times}, because each pixel is spread over {by_axes((ENLARGING_STRIDE,) * 2)}"
        )
    return changes, ", ".join(words)
