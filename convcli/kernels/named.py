"""The named kernels: functions whose parameters are the kernel's arguments and whose docstrings are its help."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

from convcli.errors import ArgumentError
from convcli.kernels.details import (
    dog,
    edge,
    emboss,
    gabor,
    highboost,
    laplacian,
    log,
    outline,
    random,
    sharpen,
    unsharp,
)
from convcli.kernels.gradients import GRADIENTS
from convcli.kernels.kernel import Kernel
from convcli.kernels.smoothing import (
    MAX_SIDE,
    bilinear,
    binomial,
    box,
    disk,
    gaussian,
    identity,
    motion,
    nearest,
)

__all__ = ["KERNELS", "MAX_SIDE", "arguments_of", "build_kernel"]

KERNELS: dict[str, Callable[..., Kernel]] = {
    "identity": identity,
    "box": box,
    "gaussian": gaussian,
    "binomial": binomial,
    "disk": disk,
    "motion": motion,
    "sharpen": sharpen,
    "unsharp": unsharp,
    "highboost": highboost,
    "emboss": emboss,
    "laplacian": laplacian,
    "log": log,
    "dog": dog,
    **GRADIENTS,
    "gabor": gabor,
    "edge": edge,
    "outline": outline,
    "random": random,
    "bilinear": bilinear,
    "nearest": nearest,
}


def arguments_of(build: Callable[..., Kernel]) -> dict[str, Parameter]:
    """Return the arguments of a named kernel that users may give."""
    parameters = signature(build).parameters
    return {name: p for name, p in parameters.items() if p.kind is not Parameter.KEYWORD_ONLY}


def build_kernel(name: str, values: Mapping[str, Any], **context: int) -> Kernel:
    """Return a named kernel.

    A size of 1 is rejected if it cuts off all but one weight of a kernel that is wider by its other arguments: nearly
    always the size and the width are in the wrong order.

    values : the arguments that users gave
    context : the limit and the number of axes, which some kernels do not take
    """
    build = KERNELS[name]
    taken = {key: value for key, value in context.items() if key in signature(build).parameters}
    kernel = build(**values, **taken)
    accepted = arguments_of(build)
    others = {key: value for key, value in values.items() if key != "size"}
    if (
        "size" in values
        and accepted["size"].default is None  # then it follows from the width
        and max(kernel.shape) == 1
        and any(value != accepted[key].default for key, value in others.items())
        and _is_wide(build, {**others, **taken})
    ):
        given = ",".join(f"{key}={_written(value)}" for key, value in others.items())
        raise ArgumentError(
            f"{name}: a size of 1 leaves one weight, but {given} needs more; write {name}:{given} or, for a size of 5, "
            f"{name}:{given},size=5 (without names, the order is {','.join(accepted)})"
        )
    return kernel


def _is_wide(build: Callable[..., Kernel], values: Mapping[str, Any]) -> bool:
    """Return whether a kernel has more than one weight without a given size."""
    try:
        return max(build(**values).shape) > 1
    except ArgumentError:  # it is wider than the limit
        return True


def _written(value: Any) -> str:
    return "x".join(map(_written, value)) if isinstance(value, tuple) else f"{value:g}"
