"""A model as it is in its file: operations in order, constants, and stated shapes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convcli.errors import ArgumentError, FileError
from convcli.networks.graph import NamedShape
from convcli.networks.onnx.constants import DTYPES, Constant, of_elements, of_sparse, of_tensor
from convcli.networks.onnx.messages import MAX_COUNTS, SCHEMA
from convcli.networks.onnx.schemas import FLOAT, FLOATS, INT, INTS, STRING, STRINGS, TENSOR, check_attribute
from convcli.networks.onnx.wire import Message, Reader
from convcli.remote_files import fetched

OLDEST = 7  # oldest supported version of the operators
DOMAINS = ("", "ai.onnx")
MAX_CALLS = 16  # depth of nested function calls
MAX_NODES = MAX_COUNTS["Node"]


@dataclass(frozen=True)
class Operation:
    """One node: an operator with its attributes and the names of its tensors."""

    name: str
    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    @property
    def branches(self) -> "list[Branch]":
        """The graphs among its attributes."""
        return [value for value in self.attributes.values() if isinstance(value, Branch)]

    @property
    def needs(self) -> set[str]:
        """The tensors that it uses, including those used in its graphs."""
        return {name for name in self.inputs if name}.union(*(each.captured() for each in self.branches))


@dataclass(frozen=True)
class Branch:
    """A branch of an If: its nodes in order, its constants and its outputs. Names are unique in the whole model."""

    operations: list[Operation]
    constants: dict[str, Constant]
    outputs: tuple[str, ...]

    def captured(self) -> set[str]:
        """Return the tensors from outside that it uses."""
        made = {name for operation in self.operations for name in operation.outputs}
        used = {name for operation in self.operations for name in operation.needs} | set(self.outputs)
        return used - made - self.constants.keys()


@dataclass(frozen=True)
class Model:
    """The contents of a model file.

    file : the name of the file
    opset : the version of ONNX's own operators
    inputs : name -> whole shape; unknown sizes are names
    dtypes : NumPy dtypes of the inputs
    constants : initializers
    stated : tensor -> whole shape, for shapes that are stated in numbers
    """

    name: str
    producer: str
    opset: int
    inputs: dict[str, NamedShape]
    dtypes: dict[str, str]
    outputs: dict[str, NamedShape]
    operations: list[Operation]
    constants: dict[str, Constant]
    stated: dict[str, tuple[int, ...]]
    file: str = "model"


def read_model(path: Path) -> Model:
    """Read a model file; large weights stay in the file.

    Raises
    ------
    FileError
        If it is not an ONNX model, or one that is too large, too old or malformed.

    """
    if path.exists() and not path.is_file():
        raise FileError(
            f"cannot read the network {str(path)!r}: it is a folder, a device or a pipe; name a file"
        )
    try:
        path = fetched(path)
        with Reader(path, SCHEMA, MAX_COUNTS) as reader:
            message = reader.message("Model")
    except FileNotFoundError:
        raise FileError(
            f"cannot read the network {str(path)!r}: there is no such file; check the spelling and the folder"
        ) from None
    except OSError as error:
        raise FileError(f"cannot read the network {str(path)!r}: {error.strerror or error}") from None
    except ArgumentError as error:
        raise FileError(f"{path.name} cannot be read as an ONNX model: {error}") from None
    if message.graph is None or not message.opset_import:
        raise FileError(f"{path.name} is not an ONNX model: it has no graph or no opset version")
    try:
        return _Making(message, path).model()
    except ArgumentError as error:
        raise FileError(f"{path.name}: {error}") from None


class _Making:
    """Converts the messages of a file to a model."""

    def __init__(self, message: Message, path: Path) -> None:
        self.message, self.folder, self.file = message, path.parent, path.name
        versions = {each.domain or "": each.version or 1 for each in message.opset_import}
        self.opset = versions.get("", versions.get("ai.onnx", 0))
        if self.opset and self.opset < OLDEST:
            raise ArgumentError(
                f"its operators are of version {self.opset}, but the oldest supported is {OLDEST}; convert it with "
                f"onnx.version_converter.convert_version(model, {OLDEST})"
            )
        self.functions = {(each.domain or "", each.name): each for each in message.functions}
        self.operations: list[Operation] = []
        self.visited = 0  # number of nodes, including function calls and the nodes inside them
        self.names: dict[str, int] = {}
        self.constants: dict[str, Constant] = {}

    def model(self) -> Model:
        graph = self.message.graph
        for tensor in graph.initializer:
            name = _checked(tensor.name or "", "tensor")
            self.constants[name] = of_tensor(tensor, name, self.folder)
        for tensor in graph.sparse_initializer:
            constant = of_sparse(tensor, self.folder)
            self.constants[_checked(constant.name, "tensor")] = constant
        self._add(graph.node, prefix="", calls=())
        inputs, dtypes = {}, {}
        for number, value in enumerate(graph.input):
            name = _checked(value.name or "", "input")
            if name not in self.constants:
                inputs[name] = _input_shape(value, number)
                dtypes[name] = DTYPES.get(value.type.tensor_type.elem_type or 0, ("float32",))[0]
        if not inputs:
            raise ArgumentError("it has no input")
        stated = {}
        for value in (*graph.value_info, *graph.output):
            if (shape := _stated(value)) is not None:
                stated[value.name or ""] = shape
        producer = " ".join(
            each for each in (self.message.producer_name, self.message.producer_version) if each
        )
        return Model(
            _shown(graph.name or ""),
            _shown(producer),
            self.opset,
            inputs,
            dtypes,
            {_checked(each.name or "", "output"): _named(each, "out") for each in graph.output},
            self.operations,
            self.constants,
            stated,
            self.file,
        )

    def _add(
        self, nodes: Iterable[Message], prefix: str, calls: tuple[tuple[str, str], ...], **bound: Any
    ) -> None:
        """Add nodes; calls of the model's own functions are replaced by the nodes of the functions."""
        renamed: dict[str, str] = bound.get("renamed", {})
        given: dict[str, Any] = bound.get("given", {})

        def tensor(name: str) -> str:
            if not prefix or not name:
                return name
            return renamed.setdefault(name, f"{prefix}{name}")

        for node in nodes:
            self.visited += 1
            if self.visited > MAX_NODES:
                raise ArgumentError(f"it has more than the limit of {MAX_NODES:,} nodes")
            operator = _checked(node.op_type or "", "operator")
            domain = _checked(node.domain or "", "domain of operators")
            _checked(node.name or "", "node")
            attributes = {}
            for attribute in node.attribute:
                if attribute.ref_attr_name:
                    if attribute.ref_attr_name in given:
                        attributes[attribute.name] = given[attribute.ref_attr_name]
                elif operator == "If" and attribute.g is not None:
                    attributes[attribute.name] = self._branch(attribute.g, prefix, calls, tensor, **bound)
                else:
                    if domain in DOMAINS:
                        check_attribute(
                            attribute.name or "", attribute.type or _kind(attribute), node.name or operator
                        )
                    attributes[attribute.name] = self._value(attribute)
            inputs = tuple(tensor(_checked(name, "tensor")) for name in node.input)
            outputs = tuple(tensor(_checked(name, "tensor")) for name in node.output)
            name = prefix + (node.name or operator.lower())
            name = self._unique(name, bool(node.name))
            function = self.functions.get((domain, operator))
            if function is None:
                domain = "" if domain in DOMAINS else domain
                self.operations.append(Operation(name, operator, domain, inputs, outputs, attributes))
                continue
            if (domain, operator) in calls or len(calls) >= MAX_CALLS:
                raise ArgumentError(
                    f"its function {operator!r} calls itself, or is nested more than {MAX_CALLS} deep"
                )
            names = dict(zip(function.input, inputs, strict=False))
            names |= dict(zip(function.output, outputs, strict=False))
            names |= dict.fromkeys(function.input[len(inputs) :], "")
            defaults = {each.name: self._value(each) for each in function.attribute_proto}
            self._add(
                function.node,
                f"{name}/",
                (*calls, (domain, operator)),
                renamed=names,
                given={**defaults, **attributes},
            )

    def _branch(
        self,
        graph: Message,
        prefix: str,
        calls: tuple[tuple[str, str], ...],
        tensor: Callable[[str], str],
        **bound: Any,
    ) -> Branch:
        """Return the graph of a branch."""
        around, self.operations = self.operations, []
        constants = {}
        for each in graph.initializer:
            name = tensor(_checked(each.name or "", "tensor"))
            constants[name] = of_tensor(each, name, self.folder)
        self._add(graph.node, prefix, calls, **bound)
        outputs = tuple(tensor(_checked(each.name or "", "output")) for each in graph.output)
        made, self.operations = self.operations, around
        return Branch(made, constants, outputs)

    def _unique(self, name: str, named: bool) -> str:
        while True:
            count = self.names.get(name, 0) + 1
            self.names[name] = count
            if count == 1 and named:
                return name
            name, named = f"{name}{count}", True

    def _value(self, attribute: Message) -> Any:
        """Return an attribute as a Python value."""
        kind = attribute.type or _kind(attribute)
        if kind == FLOAT:
            return attribute.f or 0.0
        if kind == INT:
            return attribute.i or 0
        if kind == STRING:
            return _text(attribute.s or b"")
        if kind == TENSOR and attribute.t is not None:
            return of_tensor(attribute.t, attribute.t.name or "", self.folder)
        if kind == FLOATS:
            return attribute.floats
        if kind == INTS:
            return attribute.ints
        if kind == STRINGS:
            return [_text(each) for each in attribute.strings]
        return None  # graphs, and types that are not supported


def constant_of(attributes: dict[str, Any], name: str) -> Constant | None:
    """Return the value of a Constant node."""
    value = attributes.get("value")
    if isinstance(value, Constant):
        return Constant(name, value.shape, value.dtype, value.make, value.few)
    for key, dtype in (("value_float", "float32"), ("value_int", "int64")):
        if key in attributes:
            return of_elements(name, (), dtype, [attributes[key]])
    for key, dtype in (("value_floats", "float32"), ("value_ints", "int64")):
        if key in attributes:
            return of_elements(name, (len(attributes[key]),), dtype, attributes[key])
    return None


def _kind(attribute: Message) -> int:
    """Return the type of an attribute of the oldest models, which do not state it."""
    for kind, name in (
        (FLOAT, "f"),
        (INT, "i"),
        (STRING, "s"),
        (TENSOR, "t"),
        (FLOATS, "floats"),
        (INTS, "ints"),
    ):
        if attribute[name] not in (None, []):
            return kind
    return STRINGS


def _text(value: Any) -> str:
    return _shown(value.decode("utf-8", "backslashreplace")) if isinstance(value, bytes) else ""


def _shown(text: str) -> str:
    """Return text from a model with its control characters escaped."""
    return text if text.isprintable() else repr(text)[1:-1]


def _checked(name: str, what: str) -> str:
    if not name.isprintable():
        raise ArgumentError(f"the {what} {name!r} has control characters in its name")
    return name


def _input_shape(value: Message, number: int) -> NamedShape:
    """Return the shape of an input; each unknown size has a unique name."""
    kind = value.type.tensor_type if value.type is not None else None
    if kind is None or kind.shape is None:
        raise ArgumentError(f"its input {value.name!r} is not a tensor with a known number of axes")
    return _named(value, f"size{number or ''}")


def _named(value: Message, prefix: str) -> NamedShape:
    """Return the stated shape of a tensor; unknown sizes are names."""
    kind = value.type.tensor_type if value.type is not None else None
    sizes: list[int | str] = []
    for axis, each in enumerate(kind.shape.dim if kind is not None and kind.shape is not None else ()):
        if each.dim_value is not None and each.dim_value > 0:
            sizes.append(each.dim_value)
        else:
            text = each.dim_param or ""
            sizes.append(text if text.isprintable() and text.strip("?") else f"{prefix}{axis}")
    return tuple(sizes)


def _stated(value: Message) -> tuple[int, ...] | None:
    kind = value.type.tensor_type if value.type is not None else None
    if kind is None or kind.shape is None:
        return None
    sizes = tuple(each.dim_value or 0 for each in kind.shape.dim)
    return sizes if all(n > 0 for n in sizes) else None
