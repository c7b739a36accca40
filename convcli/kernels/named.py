"""The named kernels: functions whose parameters are the kernel's arguments and whose docstrings are its help."""

from collections.abc import Callable
from inspect import Parameter, signature

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

__all__ = ["KERNELS", "MAX_SIDE", "arguments_of"]

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
