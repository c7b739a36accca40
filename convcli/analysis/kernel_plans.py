"""Which plan kernels of a few kinds and sizes get on this machine."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from convcli.filters.recipe import Recipe
from convcli.filters.single_kernel import SingleKernel
from convcli.kernels import parse_kernel

SPECS = (
    "sharpen",
    "sobel",
    "box:31",
    "gaussian:sigma=1",
    "gaussian:sigma=2.5",
    "gaussian:sigma=10",
    "disk:3",
    "disk:8",
    "log:sigma=2",
    "motion:length=15,angle=30",
    "random:9",
    "random:15",
    "random:31",
    "random:63",
)


def kernel_plans(
    specs: Sequence[str] = SPECS, shape: tuple[int, ...] = (3000, 4000, 3), dtype: str = "uint8"
) -> Iterator[dict[str, Any]]:
    """Yield a row for each kernel: its size, and the method, the numbers and the tiles of its plan.

    specs : kernels, as `--kernel` takes them
    shape, dtype : of the picture, (H, W) or (H, W, C)
    """
    for spec in specs:
        kernel = parse_kernel(spec)
        recipe = Recipe(kernels=(kernel,), padding="same")
        single = SingleKernel.of(recipe, np.dtype(dtype), None, "clip", None, False, None)
        plan = single.band_plan(shape)
        yield {
            "kernel": spec,
            "kernel_size": list(kernel.shape),
            "method": None if plan is None else plan.method,
            "numbers": None if plan is None else plan.dtype,
            "tile": None if plan is None else [plan.rows, plan.columns],
            "threads": None if plan is None else plan.threads,
        }
