"""What a variant is given beside the kernel where it is tried on a picture: a mixing, offsets, a stride."""

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
    """Return what a variant is given beside the kernel, as changes to its recipe and in words.

    Channels that are summed are averaged, and what is spread is made brighter, so that values stay in range.
    """
    changes: dict[str, Any] = {}
    words: list[str] = []
    mean = np.full((1, channels), 1 / channels)
    if spec.weighing == "sum":
        changes["kernels"] = (replace(kernel, divisor=kernel.divisor * channels),)
        words.append("its one map is the mean of the channels")
    elif spec.weighing == "each-then-mix":
        changes["mixing"] = mean
        words.append("its pointwise part is the mean of the channels")
    elif spec.weighing == "mix":
        changes |= {"kernels": (), "mixing": mean}
        words.append("the mean of the channels, without the kernel")
    elif spec.weighing == "places":
        changes |= {"kernels": (), "widths": tilt_shift()}
        words.append("a tilt-shift blur, without the kernel")
    elif spec.weighing == "turns":
        changes |= {"kernels": (kernel, KERNELS["identity"]()), "tile": (1, 2)}
        words.append("the kernel and the identity take turns, column by column")
    if spec.takes("offsets"):
        changes["offsets"] = swirl()
        words.append("its taps are moved by a swirl")
    if spec.enlarges:
        changes["stride"] = ENLARGING_STRIDE
        words.append(f"stride {ENLARGING_STRIDE}")
    if spec.enlarges and spec.sizes == "transposed":
        times = ENLARGING_STRIDE**2
        changes["kernels"] = (replace(kernel, divisor=kernel.divisor / times),)
        words.append(
            f"and {times} times the weights, as each pixel is spread over {by_axes((ENLARGING_STRIDE,) * 2)}"
        )
    return changes, ", ".join(words)
