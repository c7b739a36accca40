"""Run models whose shapes depend on computed values in stages; each stage makes what the next one needs.

The number of boxes after non-maximum suppression, for example, or the branch of an If is known only when the stage
before it has run. The rest of the model is then a network with constants and inputs of known shapes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError
from convcli.networks.onnx.constants import Constant, of_elements
from convcli.networks.onnx.model import Model, Operation
from convcli.networks.onnx.translate import COMPUTED, TRANSLATORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

FEW = 64  # tensors of up to this number of elements may determine shapes
MAX_NAMED = 5


@dataclass(frozen=True)
class Rest:
    """The part of a model that remains when a stage has run.

    carried : the tensors that it needs from the stage
    operations : the remaining operations, in order
    """

    model: Model
    constants: Mapping[str, Constant]
    carried: tuple[str, ...]
    operations: list[Operation]
    wanted: tuple[str, ...]

    def model_of(self, arrays: Mapping[str, "Array"]) -> Model:
        """Return the rest as a model; small carried tensors become constants, large ones inputs."""
        constants, inputs = dict(self.constants), {}
        for name in self.carried:
            array = arrays[name]
            if array.size <= FEW:
                constants[name] = of_elements(name, array.shape, str(array.dtype), array.ravel().tolist())
            else:
                inputs[name] = array.shape
        return replace(
            self.model,
            inputs=inputs,
            outputs=dict.fromkeys(self.wanted, ()),
            operations=self.operations,
            constants=constants,
            stated={},
        )


def rest_of(
    model: Model, constants: Mapping[str, Constant], later: Iterable[Operation], wanted: Iterable[str]
) -> Rest | None:
    """Return the operations that some tensors need and that can be planned only in a run; None if there are none.

    Raises
    ------
    ArgumentError
        If one of them has no operator; this is reported before the run starts.

    """
    missing = set(wanted)
    operations: list[Operation] = []
    for operation in reversed(list(later)):
        if not missing.isdisjoint(operation.outputs):
            operations.append(operation)
            missing -= set(operation.outputs)
            missing |= operation.needs
    if not operations:
        return None
    operations.reverse()
    _check(operations)
    made = {name for operation in operations for name in operation.outputs}
    return Rest(
        model,
        constants,
        tuple(sorted(name for name in missing if name not in constants)),
        operations,
        tuple(name for name in dict.fromkeys(wanted) if name in made),
    )


def _check(operations: Iterable[Operation]) -> None:
    unknown: dict[str, list[str]] = {}
    for operation in operations:
        if operation.domain or operation.operator not in {*TRANSLATORS, *COMPUTED}:
            name = f"{operation.domain}.{operation.operator}".lstrip(".")
            unknown.setdefault(name, []).append(operation.name)
    if unknown:
        parts = [f"{len(names)} x {name}, first node {names[0]!r}" for name, names in unknown.items()]
        more = f", and {len(parts) - MAX_NAMED} others" if len(parts) > MAX_NAMED else ""
        raise ArgumentError(
            f"the network cannot be run, because there is no operator for {'; '.join(parts[:MAX_NAMED])}{more}"
        )
