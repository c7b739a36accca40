"""The plans that are chosen on this machine for kernels of several kinds and sizes."""

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
SHAPE = (3000, 4000, 3)  # of the picture that is planned for


def kernel_plans(specs: Sequence[str] = SPECS) -> Iterator[dict[str, Any]]:
    """Yield a row for each kernel on an 8-bit RGB picture: its size, and the method, dtype and tiles of its plan.

    specs : kernels in the syntax of `--kernel`
    """
    for spec in specs:
        kernel = parse_kernel(spec)
        kernel.check_linear("a plan")
        recipe = Recipe(kernels=(kernel,), padding="same")
        single = SingleKernel.of(recipe, np.dtype("uint8"), None, "clip", None, False, None)
        plan = single.band_plan(SHAPE)
        yield {
            "kernel": spec,
            "kernel_size": list(kernel.shape),
            "method": None if plan is None else plan.method,
            "numbers": None if plan is None else plan.dtype,
            "tile": None if plan is None else [plan.rows, plan.columns],
            "threads": None if plan is None else plan.threads,
        }
