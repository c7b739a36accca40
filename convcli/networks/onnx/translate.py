"""Translate a model into a graph of layers, for the known shapes of its inputs."""

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.activation import Activation
from convcli.layers.base import Layer
from convcli.layers.selection import Constant as ConstantLayer
from convcli.layers.tensor_layer import Deferred, DependsOnData, Unknown
from convcli.networks.graph import Node
from convcli.networks.onnx.constants import Constant
from convcli.networks.onnx.fold import FOLDED, constants, counted_up, fill, fold
from convcli.networks.onnx.model import Branch, Model, Operation, constant_of
from convcli.networks.onnx.schemas import misfit
from convcli.networks.onnx.site import DependsOnDataError, Made, NotCountedError, Shape, Site, counted
from convcli.networks.onnx.translate_arithmetic import ARITHMETIC
from convcli.networks.onnx.translate_composed import COMPOSED
from convcli.networks.onnx.translate_places import PLACES
from convcli.networks.onnx.translate_tensors import TENSORS
from convcli.networks.onnx.translate_windows import WINDOWS

TRANSLATORS = {**WINDOWS, **ARITHMETIC, **TENSORS, **PLACES, **COMPOSED}
# Operators that are computed or decided before a network runs or, if they depend on the data, during the run.
COMPUTED = {*FOLDED, "Shape", "Size", "If"}
KNOWN = {*TRANSLATORS, *COMPUTED}
MAX_FOLDED = 2_000_000  # total number of elements of folded constants
MAX_DEFERRED = 50  # depth of large constants that are computed from each other


class Translation:
    """The layers of a model.

    nodes : in the model's order, without those that only compute constants
    arguments : node -> arguments of its operator: constants and numbers
    shapes : of tensors, None if unknown
    later : operations whose shapes are known only during a run
    """

    def __init__(self, model: Model, shapes: Mapping[str, Shape | None]) -> None:
        self.model = model
        self.nodes: list[Node] = []
        self.arguments: dict[str, dict[str, Any]] = {}
        self.shapes: dict[str, Shape | None] = dict(shapes)
        self.constants = dict(model.constants)
        self.stated = dict(model.stated)
        self.later: list[Operation] = []
        self._folded = 0
        self._depths: dict[str, int] = {}  # depths of large constants that are computed from others
        self._emitted: set[str] = set()
        self._used = {name for operation in model.operations for name in operation.needs} | set(model.outputs)
        self._names = {operation.name for operation in model.operations}
        for operation in model.operations:
            self._translate(operation)
        for output in model.outputs:
            if output in self.constants:
                self._emit_constant(output)

    def _translate(self, operation: Operation) -> None:
        name = operation.operator if not operation.domain else f"{operation.domain}.{operation.operator}"
        site = Site(
            operation.operator,
            list(operation.inputs),
            [each if not place or each in self._used else "" for place, each in enumerate(operation.outputs)],
            operation.attributes,
            self.model.opset,
            self.shapes,
            self.constants,
        )
        for names in (site.inputs, site.outputs):
            while names and not names[-1]:
                names.pop()
        wrong = ""
        if not operation.domain and operation.operator in KNOWN:
            wrong = misfit(operation.operator, site.inputs)
        if (
            not wrong
            and not operation.domain
            and (self._is_constant(site) or self._is_branch(operation, site))
        ):
            return
        unknown = [each for each in operation.needs if not self._is_known(each)]
        if unknown:
            self.later.append(operation)
        try:
            if wrong:
                raise NotCountedError(wrong)
            if operation.domain or operation.operator not in TRANSLATORS:
                waiting = unknown or not operation.needs <= self.constants.keys()
                if waiting and not operation.domain and operation.operator in COMPUTED:
                    raise DependsOnDataError("its result depends on the data")
                raise NotCountedError("there is no layer for it")
            made = counted(lambda: TRANSLATORS[operation.operator](site))
            steps = made if isinstance(made, list) else [made]
            for number, step in enumerate(steps):
                part = operation.name if len(steps) == 1 else f"{operation.name}/{number + 1}"
                self._emit(part, step, site)
        except NotCountedError as reason:
            inputs = [each for each in site.inputs if each and each not in self.constants]
            waits = isinstance(reason, DependsOnDataError)
            if waits and not unknown:
                self.later.append(operation)
            layer = (Deferred if waits else Unknown)(name, str(reason))
            self._emit(operation.name, Made(layer, inputs), site)

    def _is_known(self, tensor: str) -> bool:
        return tensor in self.constants or self.shapes.get(tensor) is not None

    def _is_branch(self, operation: Operation, site: Site) -> bool:
        """If the condition of an If is known, translate the branch in its place; return whether that was done."""
        truth = site.constant(0)
        if operation.operator != "If" or truth is None or not truth.elements:
            return False
        branch = site.get("then_branch" if truth.elements[0] else "else_branch")
        if not isinstance(branch, Branch) or len(branch.outputs) < len(site.outputs):
            return False
        self.constants.update(branch.constants)
        self._used |= set(branch.outputs).union(*(inner.needs for inner in branch.operations))
        for inner in branch.operations:
            self._translate(replace(inner, name=self._new_name(inner.name)))
        for place, (tensor, output) in enumerate(zip(branch.outputs, site.outputs, strict=False)):
            if tensor in self.constants:
                self.constants[output] = self.constants[tensor]
            elif output:
                name = self._new_name(f"{operation.name}/{place + 1}")
                identity = Site("Identity", [tensor], [output], {}, site.opset, self.shapes, self.constants)
                self._emit(name, Made(Activation("identity")), identity)
                if not self._is_known(output):
                    self.later.append(Operation(name, "Identity", "", (tensor,), (output,), {}))
        return True

    def _new_name(self, name: str) -> str:
        while name in self._names:
            name += "'"
        self._names.add(name)
        return name

    def _is_constant(self, site: Site) -> bool:
        """Store the output of a node if it is known before the run; return whether it is."""
        if site.operation == "Constant":
            found = constant_of(site.attributes, site.outputs[0])
            if found is not None:
                self.constants[site.outputs[0]] = found
            return found is not None
        if site.operation in ("Shape", "Size") and (shape := site.shape()) is not None:
            sizes: list[int] = list(shape)
            if site.operation == "Size":
                self._keep(site, [((), "int64", [prod(sizes)])])
            else:
                sizes = sizes[slice(site.get("start"), site.get("end"))]
                self._keep(site, [((len(sizes),), "int64", sizes)])
            return True
        if not site.inputs or any(name and name not in self.constants for name in site.inputs):
            return False
        inputs = [self.constants[name] if name else None for name in site.inputs]
        if site.operation == "ConstantOfShape" and inputs[0] is not None:
            large = fill(site.outputs[0], inputs[0], site.attributes.get("value"))
            if large is not None:
                self.constants[site.outputs[0]] = large
                return True
        if site.operation == "Range" and None not in inputs:
            many = counted_up(site.outputs[0], *[each for each in inputs if each is not None])
            if many is not None:
                self.constants[site.outputs[0]] = many
                return True
        folded = None
        if self._folded < MAX_FOLDED:
            folded = fold(site.operation, inputs, site.attributes, site.opset)
        if folded is not None:
            self._folded += sum(len(elements) for _, _, elements in folded)
            self._keep(site, folded)
            return True
        return self._is_deferred(site)

    def _keep(self, site: Site, made: list[Any]) -> None:
        for constant in constants(site.outputs, made):
            self.constants[constant.name] = constant

    def _is_deferred(self, site: Site) -> bool:
        """Store a large tensor that is computed from constants only, to be computed in a run; return whether it is."""
        first = site.constant(0)
        if site.operation not in TRANSLATORS or first is None or len(list(filter(None, site.outputs))) != 1:
            return False
        depth = 1 + max(self._depths.get(name, 0) for name in site.inputs)
        if depth > MAX_DEFERRED:
            return False
        known = {name: self.constants[name].shape for name in site.inputs if name}
        held = {name: self.constants[name] for name in site.inputs[1:] if name}
        try:  # translate the node as if its first input came from the network
            inner = replace(site, known=known, constants={k: v for k, v in held.items() if k != first.name})
            made = counted(lambda: TRANSLATORS[site.operation](inner))
        except NotCountedError:
            return False
        if isinstance(made, list) or not made.layer.counted:
            return False
        taken = [self.constants[name] for name in ([first.name] if made.inputs is None else made.inputs)]
        try:
            (shape,) = made.layer.output_shapes(*[each.shape for each in taken])
        except ArgumentError:
            return False
        arguments, layer = made.arguments, made.layer

        def make() -> Any:
            from convcli.backend import run_layer

            arrays = {
                key: each.array() if isinstance(each, Constant) else each for key, each in arguments.items()
            }
            return run_layer(layer, *[each.array() for each in taken], **arrays)

        dtype = arguments.get("to", first.dtype)
        self._depths[site.outputs[0]] = depth
        self.constants[site.outputs[0]] = Constant(site.outputs[0], shape, dtype, make)
        return True

    def _emit(self, name: str, made: Made, site: Site) -> None:
        inputs = (
            [each for each in site.inputs if each and each not in self.constants] or site.inputs[:1]
            if made.inputs is None
            else made.inputs
        )
        for tensor in inputs:
            if tensor in self.constants:
                self._emit_constant(tensor)
        outputs = made.outputs or site.outputs
        layer = made.layer
        known = [self.shapes.get(tensor) for tensor in inputs]
        shapes: tuple[Shape | None, ...] = ()
        if layer.counted and None not in known:
            try:
                shapes = layer.output_shapes(*[shape for shape in known if shape is not None])
            except ArgumentError:  # reported when the network is counted or run
                shapes = ()
        elif not layer.counted:
            if isinstance(layer, DependsOnData):  # the model may state the size for its example input
                for tensor in outputs:
                    self.stated.pop(tensor, None)
            shapes = tuple(self.stated.get(tensor) for tensor in outputs)
        for place, tensor in enumerate(outputs):
            if tensor:
                self.shapes[tensor] = shapes[place] if place < len(shapes) else None
        self.nodes.append(Node(name, layer, tuple(inputs), tuple(outputs), made.weights))
        if made.arguments:
            self.arguments[name] = made.arguments

    def _emit_constant(self, tensor: str) -> None:
        """Add a node for a constant that is an input of a layer."""
        if tensor in self._emitted:
            return
        self._emitted.add(tensor)
        constant = self.constants[tensor]
        self.shapes[tensor] = constant.shape
        name = self._new_name(tensor)
        learned = constant.is_float and prod(constant.shape) > 1
        layer: Layer = ConstantLayer(constant.shape, learned=learned)
        names = (tensor,) if learned else ("", "", tensor)
        self.nodes.append(Node(name, layer, (), (tensor,), names))
        self.arguments[name] = {"value": constant}
