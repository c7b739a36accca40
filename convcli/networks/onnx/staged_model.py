"""A model whose shapes follow from what it computes runs in stages: each makes what the next one needs to be told.

How many boxes are left after non-maximum suppression, or which branch of an If is taken, is known when the stage before
has run. Then what is left of the model is a network with constants and inputs of known shapes, as any other.
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

FEW = 64  # elements of a tensor from which shapes may follow
MOST_NAMED = 5


@dataclass(frozen=True)
class Rest:
    """What is left of a model when a stage has run.

    carried : the tensors that the stage makes for it
    operations : what is to be done, in order
    """

    model: Model
    constants: Mapping[str, Constant]
    carried: tuple[str, ...]
    operations: list[Operation]
    wanted: tuple[str, ...]

    def model_of(self, arrays: Mapping[str, "Array"]) -> Model:
        """Return it as a model, for the tensors that were carried over: the small ones are constants of it."""
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
    """Return what some tensors need of the operations that only a run can tell; None if they need none.

    Raises
    ------
    ArgumentError
        Where one of them has no operator, so that it need not be found out in the middle of a run.

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
        told = [f"{len(names)} x {name}, first node {names[0]!r}" for name, names in unknown.items()]
        more = f", and {len(told) - MOST_NAMED} others" if len(told) > MOST_NAMED else ""
        raise ArgumentError(
            f"the network cannot be run, as there is no operator for {'; '.join(told[:MOST_NAMED])}{more}"
        )
