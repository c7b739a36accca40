"""Read a network from a TOML file: one layer per line in the grammar of --layers, each taking the previous output.

    name = "tiny"
    input = "3x32x32"                       # channels x sizes; several inputs: [inputs] with lines name = "CxHxW"
    layers = [
      "conv k3 p1 o16 nobias, bn, relu",    # one or more layers
      { layer = "conv k1", name = "side" },
      { layer = "add", from = ["side", "relu1"] },
      { block = "residual", o = 32, s = 2, shortcut = "conv k1 s2 o32" },
      { repeat = 2, block = "residual", o = 32 },
      "globalavgpool, flatten, dense o10",
    ]
    outputs = ["dense1"]                    # by default the last layer

    [blocks.residual]                       # arguments with their defaults, and layers
    o = 16
    s = 1
    shortcut = "identity"
    layers = [
      "conv k3 s{s} p1 o{o} nobias, bn, relu, conv k3 p1 nobias",
      { layer = "bn", name = "main" },
      { layer = "{shortcut}", from = "input", name = "side" },
      { layer = "add", from = ["main", "side"] },
      "relu",
    ]

Names: a layer is called after its operator with a number, such as relu1, unless it is given a name. Names in a block
are prefixed with the block's name and number, such as residual1.relu1; inside the block the prefix is optional, and
`input` is the block's input. The outputs of a split are NAME:0, NAME:1. `weights` names parameters that layers share.
In a repeat, {i} counts from 1. {channels} is the number of input channels. `kernel` names the weight of a convolution
for a run, as in kernel = "gaussian:1".
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import is_sequence
from convcli.layers.text.chain_grammar import split_chain
from convcli.layers.text.notation import parse_size
from convcli.networks.bind_shapes import as_item
from convcli.networks.builder import INPUT, Builder
from convcli.networks.network import Network
from convcli.networks.network_text import NetworkError, read_network_text
from convcli.networks.templates import Value, argument, fill
from convcli.networks.toml_lines import with_lines

MAX_LAYERS = 100_000
MAX_SUGGESTED = 1000  # latest names among which suggestions for a misspelt one are searched
MAX_NESTED = 20  # depth of nested blocks

TOP = ("name", "source", "input", "inputs", "layers", "outputs", "blocks")
ITEM = ("layer", "layers", "block", "repeat", "name", "from", "weights", "kernel")


def read_toml(path: Path, shapes: Sequence[int] | Mapping[str, Sequence[int]] | None = None) -> Network:
    """Return the network in a file; `shapes` replaces the shapes of the inputs in the file."""
    text = read_network_text(path)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise NetworkError(f"{path} is not valid TOML: {error}") from None
    try:
        return _Reader(path, with_lines(document, text)).network(shapes)
    except ArgumentError as error:
        raise NetworkError(f"{path}: {error}") from None


class _Reader:
    """The state while a file is read."""

    def __init__(self, path: Path, document: dict[str, Any]) -> None:
        _check_keys("the file", document, TOP)
        self.path = path
        self.document = document
        self.blocks = document.get("blocks", {})
        if not isinstance(self.blocks, dict):
            raise ArgumentError("blocks must be tables, such as [blocks.residual]")
        self.aliases: dict[str, str] = {}  # name -> tensor of another name
        self.counts: dict[str, int] = {}
        self.added = 0
        self.where = 0  # the line of the current layer
        self.g = Builder(str(document.get("name", path.stem)), source=str(document.get("source", "")))

    def network(self, shapes: Sequence[int] | Mapping[str, Sequence[int]] | None) -> Network:
        """Return the network."""
        for name, shape in self._inputs(shapes).items():
            self.g.add_input(name, shape)
        if "layers" not in self.document:
            raise ArgumentError('it has no layers; write layers = ["conv k3 p1 o16", "relu"], one per line')
        try:
            self.items(self.document["layers"], {}, (), "")
            outputs = [
                self._tensor(name, ("",)) for name in _texts("outputs", self.document.get("outputs", []))
            ]
        except ArgumentError as error:
            if not self.where:
                raise
            raise NetworkError(f"{self.path}, line {self.where}: {error}") from None
        return self.g.build(*outputs)

    def _inputs(self, shapes: Sequence[int] | Mapping[str, Sequence[int]] | None) -> dict[str, Sequence[int]]:
        declared = self.document.get("inputs", {})
        if not isinstance(declared, dict):
            raise ArgumentError('inputs must be a table with lines such as name = "3x32x32"')
        if "input" in self.document:
            declared = {INPUT: self.document["input"], **declared}
        given: Mapping[str, Sequence[int]]
        if isinstance(shapes, Mapping):
            given = shapes
        elif shapes is None:
            given = {}
        elif len(declared) > 1:
            raise ArgumentError(
                f"it has the inputs {', '.join(declared)}; name the one whose shape is given, as NAME=3x32x32"
            )
        else:
            given = {next(iter(declared), INPUT): shapes}
        if not declared and not given:
            raise ArgumentError(
                'it has no input; write the line input = "3x224x224", channels x sizes, before its layers'
            )
        for name in given:
            if declared and name not in declared:
                raise ArgumentError(f"it has no input {name!r}; {instead_of(name, declared)}")
        if not declared:
            return dict(given)
        usual = {name: _shape(name, text) for name, text in declared.items()}
        return {
            name: as_item(name, given[name], shape) if name in given else shape
            for name, shape in usual.items()
        }

    def items(self, items: Any, values: Mapping[str, Value], inside: tuple[str, ...], prefix: str) -> None:
        """Add a list of layers, whose names start with `prefix`, inside the blocks `inside`."""
        if not isinstance(items, list):
            raise ArgumentError(f"layers must be a list, got {items!r}")
        for item in items:
            if isinstance(item, str):
                self.layer(item, {}, values, prefix)
            elif isinstance(item, dict):
                for count in self._repeats(item):
                    self.table(item, {**values, **count}, inside, prefix)
            else:
                raise ArgumentError(f"a layer must be a string or a table, got {item!r}")

    def _repeats(self, item: Mapping[str, Any]) -> Iterator[dict[str, Value]]:
        times = item.get("repeat")
        if times is None:
            yield {}
            return
        if type(times) is not int or not 1 <= times <= MAX_LAYERS:
            raise ArgumentError(f"repeat must be a whole number from 1 to {MAX_LAYERS:,}, got {times!r}")
        if "name" in item and times > 1 and "{i}" not in item["name"]:
            raise ArgumentError(
                f"repeated layers cannot all be called {item['name']!r}; put {{i}} into the name"
            )
        for number in range(1, times + 1):
            yield {"i": number}

    def table(
        self, item: Mapping[str, Any], values: Mapping[str, Value], inside: tuple[str, ...], prefix: str
    ) -> None:
        """Add the contents of a table: a layer, layers, or a block."""
        self._count(1)
        kinds = [kind for kind in ("layer", "layers", "block") if kind in item]
        if len(kinds) != 1:
            raise ArgumentError(
                f"a table must have one of layer, layers and block; {dict(item)!r} has {' and '.join(kinds) or 'none'}"
            )
        if kinds == ["block"]:
            self.block(item, values, inside, prefix)
            return
        _check_keys("a layer's table", item, ITEM)
        if kinds == ["layer"]:
            self.layer(item["layer"], item, values, prefix)
            return
        self._begin(item, values, prefix)
        self.items(item["layers"], values, inside, prefix)

    def layer(self, text: Any, item: Mapping[str, Any], values: Mapping[str, Value], prefix: str) -> None:
        """Add one or more layers, separated by commas."""
        if not isinstance(text, str):
            raise ArgumentError(f"a layer must be a string such as 'conv k3 p1 o16', got {text!r}")
        self.where = getattr(text, "line", 0) or self.where
        filled = fill(text, {"channels": self.g.channels(), **values} if self.g.last else values)
        self._count(len(split_chain(filled)) - bool(item))
        inputs = [self._tensor(name, _outward(prefix)) for name in self._from(item, values)]
        name, weights = (fill(str(item[key]), values) if key in item else None for key in ("name", "weights"))
        self.g.outputs(filled, *inputs, name=name, weights=weights or ())
        if "kernel" in item:
            self.g.kernel(fill(str(item["kernel"]), values))

    def block(
        self, item: Mapping[str, Any], values: Mapping[str, Value], inside: tuple[str, ...], prefix: str
    ) -> None:
        """Add the layers of a block, with its arguments filled in."""
        name = item["block"]
        self.where = getattr(name, "line", 0) or self.where
        if not isinstance(name, str) or name not in self.blocks:
            raise ArgumentError(
                f"there is no block {name!r}; "
                + (
                    instead_of(str(name), self.blocks)
                    if self.blocks
                    else f"define it in a table [blocks.{name}]"
                )
            )
        if name in inside:
            raise ArgumentError(
                f"the block {name!r} contains itself: {' in '.join([name, *inside[::-1]])}; remove one of them"
            )
        if len(inside) >= MAX_NESTED:
            raise ArgumentError(f"blocks are nested more than {MAX_NESTED} deep; use fewer levels")
        block = self.blocks[name]
        if not isinstance(block, dict) or "layers" not in block:
            raise ArgumentError(f"the block {name!r} has no layers; add layers = [...]")
        defaults = {key: value for key, value in block.items() if key != "layers"}
        takes = [key for key in ITEM if key not in ("layer", "layers", "weights", "kernel")]
        _check_keys(f"the block {name!r}", item, (*takes, *defaults))
        given = {key: value for key, value in item.items() if key in defaults}
        arguments: dict[str, Value] = {}
        for key, value in {**defaults, **given}.items():
            if not isinstance(value, int | float | str):
                raise ArgumentError(
                    f"the argument {key} of the block {name!r} must be a number or a string, got {value!r}"
                )
            arguments[key] = argument(value, values) if isinstance(value, str) and key in given else value
        self._begin(item, values, prefix)
        arguments["channels"] = self.g.channels()
        called = fill(item["name"], values) if "name" in item else self._numbered(prefix, name)
        self.aliases[f"{prefix}{called}.{INPUT}"] = self.g.last
        where = self.where
        with self.g.scope(called):
            self.items(block["layers"], arguments, (*inside, name), f"{prefix}{called}.")
        self.where = where
        self.aliases[prefix + called] = self.g.last

    def _begin(self, item: Mapping[str, Any], values: Mapping[str, Value], prefix: str) -> None:
        """Continue from the tensor that `from` names."""
        names = self._from(item, values)
        if len(names) > 1:
            raise ArgumentError(f"a block takes one tensor, but from names {', '.join(names)}")
        if names:
            self.g.last = self._tensor(names[0], _outward(prefix))

    def _from(self, item: Mapping[str, Any], values: Mapping[str, Value]) -> list[str]:
        return [fill(name, values) for name in _texts("from", item.get("from", []))]

    def _count(self, layers: int) -> None:
        self.added += layers
        if self.added > MAX_LAYERS:
            raise ArgumentError(f"the network has more than {MAX_LAYERS:,} layers; repeat less")

    def _numbered(self, prefix: str, name: str) -> str:
        self.counts[prefix + name] = self.counts.get(prefix + name, 0) + 1
        return f"{name}{self.counts[prefix + name]}"

    def _tensor(self, name: str, prefixes: Sequence[str]) -> str:
        """Return the tensor of a name, searching from the innermost block outwards."""
        for prefix in prefixes:
            full = prefix + name
            if full in self.aliases:
                return self.aliases[full]
            if full in self.g.tensors:
                return full
        known = [*self.g.tensors, *self.aliases][-MAX_SUGGESTED:]
        raise ArgumentError(f"there is no layer {name!r} before it; {instead_of(name, known)}")


def _outward(prefix: str) -> list[str]:
    """Return the possible prefixes of names in a block, innermost first: 'a.b.' -> 'a.b.', 'a.', ''."""
    parts = prefix.split(".")[:-1]
    return ["".join(f"{part}." for part in parts[:count]) for count in range(len(parts), -1, -1)]


def _texts(key: str, value: Any) -> list[str]:
    """Return a list of names from one name or a list."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ArgumentError(f"{key} must be the name of a layer or a list of names, got {value!r}")
    return list(names)


def _shape(name: str, text: Any) -> tuple[int, ...]:
    if not isinstance(text, str):
        raise ArgumentError(f'the input {name!r} must be channels x sizes, such as "3x224x224", got {text!r}')
    sizes = parse_size(text)
    return tuple(sizes) if is_sequence(sizes) else (int(text),)


def _check_keys(what: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            raise ArgumentError(f"{what} has no key {key!r}; {instead_of(key, known)}")
