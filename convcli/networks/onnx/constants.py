"""Constant tensors of a model: weights, which stay in the file, and small tensors that determine shapes."""

import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcli.errors import ArgumentError
from convcli.networks.onnx.wire import Message, Span
from convcli.remote_files import RemotePath

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEW = 4096  # up to this number of elements a tensor is read while a network is only counted
MAX_ELEMENTS = 1 << 33  # of one tensor
MAX_AXES = 32  # of one tensor; NumPy's limit before version 2

# The numbers of ONNX's TensorProto.DataType: the NumPy dtype, and the type code of Python's array module.
DTYPES = {
    1: ("float32", "f"),
    2: ("uint8", "B"),
    3: ("int8", "b"),
    4: ("uint16", "H"),
    5: ("int16", "h"),
    6: ("int32", "i"),
    7: ("int64", "q"),
    9: ("bool", "B"),
    10: ("float16", "e"),
    11: ("float64", "d"),
    12: ("uint32", "I"),
    13: ("uint64", "Q"),
    16: ("bfloat16", "H"),
}
OTHERS = {8: "string", 14: "complex64", 15: "complex128", 17: "float8", 21: "uint4", 22: "int4", 23: "float4"}


@dataclass(frozen=True)
class Constant:
    """A tensor with known elements.

    name : its name in the model
    shape, dtype : dtype is a NumPy name
    make : returns its elements as an array
    few : returns its elements in order, if they may be read without NumPy; else None
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    make: Callable[[], Any]
    few: Callable[[], list[Any]] | None = None

    @cached_property
    def elements(self) -> list[Any] | None:
        """The elements in order, or None if there are too many."""
        return self.few() if self.few is not None and prod(self.shape) <= FEW else None

    @property
    def is_float(self) -> bool:
        """Whether it holds floats, as learned parameters do."""
        return "float" in self.dtype

    def transposed(self) -> "Constant":
        """Return the transposed matrix."""
        return Constant(self.name, self.shape[::-1], self.dtype, lambda: self.array().T)

    def flat(self, count: int) -> "Constant":
        """Return the elements as one axis of length `count`; a single element is repeated."""

        def make() -> Any:
            import numpy as np

            return np.broadcast_to(self.array().reshape(-1), (count,))

        return Constant(self.name, (count,), self.dtype, make)

    def repeated(self, times: int) -> "Constant":
        """Return the elements of a 1-D tensor, each repeated `times` times."""
        return Constant(self.name, (self.shape[0] * times,), self.dtype, lambda: self.array().repeat(times))

    def times(self, factor: float) -> "Constant":
        """Return the elements multiplied by a factor."""
        if factor == 1:
            return self

        def make() -> Any:
            array: Any = self.array()
            return array * array.dtype.type(factor)

        return Constant(self.name, self.shape, self.dtype, make)

    def array(self) -> "NDArray[np.generic]":
        """Return the elements as an array."""
        made: NDArray[np.generic] = self.make()
        if tuple(made.shape) != self.shape:
            raise ArgumentError(f"the tensor {self.name!r} has shape {tuple(made.shape)}, not {self.shape}")
        return made


def of_elements(name: str, shape: Sequence[int], dtype: str, elements: Sequence[Any]) -> Constant:
    """Return a constant with the given elements."""
    held = list(elements)

    def make() -> Any:
        import numpy as np

        return np.array(held, dtype).reshape(tuple(shape))

    return Constant(name, tuple(shape), dtype, make, lambda: held)


def filled(name: str, shape: Sequence[int], dtype: str, value: float) -> Constant:
    """Return a constant of the given shape, filled with one value."""
    size = tuple(shape)

    def make() -> Any:
        import numpy as np

        return np.full(size, value, dtype)

    return Constant(name, size, dtype, make, lambda: [value] * prod(size))


def of_tensor(tensor: Message, name: str, folder: Path) -> Constant:
    """Return the constant in a TensorProto.

    Raises
    ------
    ArgumentError
        If its type is not supported, or its elements are stored outside the model's folder.

    """
    number = tensor.data_type or 0
    if number not in DTYPES:
        kind = OTHERS.get(number, f"type {number}")
        raise ArgumentError(f"the tensor {name!r} holds elements of {kind}, which are not supported")
    dtype, code = DTYPES[number]
    shape = _shape_of(name, tensor.dims)
    size = prod(shape) * array(code if code != "e" else "H").itemsize
    if tensor.data_location == 1:
        data: bytes | Span = _external(tensor, name, folder, size)
    elif tensor.raw_data is not None:
        data = tensor.raw_data
    else:
        return _typed(tensor, name, shape, dtype, code)
    length = data.length if isinstance(data, Span) else len(data)
    if length != size:
        raise ArgumentError(f"the tensor {name!r} of shape {shape} needs {size:,} bytes, but has {length:,}")

    def make() -> Any:
        return _as_array(data.read() if isinstance(data, Span) else data, shape, dtype)

    def few() -> list[Any]:
        return _numbers(data.read() if isinstance(data, Span) else data, code)

    return Constant(name, shape, dtype, make, few if dtype != "bfloat16" else None)


def _shape_of(name: str, sizes: Sequence[int]) -> tuple[int, ...]:
    shape = tuple(sizes)
    if len(shape) > MAX_AXES:
        raise ArgumentError(f"the tensor {name!r} has {len(shape):,} axes, more than {MAX_AXES}")
    if any(n < 0 for n in shape) or prod(shape) > MAX_ELEMENTS:
        raise ArgumentError(
            f"the tensor {name!r} has the shape {shape}; at most {MAX_ELEMENTS:,} elements are possible"
        )
    return shape


def of_sparse(tensor: Message, folder: Path) -> Constant:
    """Return the constant in a SparseTensorProto: values and their indices; all other elements are 0."""
    given, where = tensor["values"], tensor["indices"]
    if given is None or where is None:
        raise ArgumentError("it has a sparse tensor without values or indices")
    name = given.name or ""
    values, places = (of_tensor(each, name, folder) for each in (given, where))
    shape = _shape_of(name, tensor.dims)

    def make() -> Any:
        import numpy as np

        filled = np.zeros(shape, values.dtype)
        found = places.array().astype(np.int64)
        flat = found if found.ndim == 1 else np.ravel_multi_index(tuple(found.T), shape, mode="clip")
        if flat.size != prod(values.shape) or (flat.size and not 0 <= flat.min() <= flat.max() < filled.size):
            raise ArgumentError(f"the indices of the sparse tensor {name!r} do not fit its shape {shape}")
        filled.reshape(-1)[flat] = values.array().reshape(-1)
        return filled

    return Constant(name, shape, values.dtype, make)


def _typed(tensor: Message, name: str, shape: tuple[int, ...], dtype: str, code: str) -> Constant:
    """Return the constant of a tensor whose elements are stored in a field of their type."""
    if dtype in ("float32", "float64"):
        parts = tensor.float_data if dtype == "float32" else tensor.double_data

        def data() -> bytes:
            return b"".join(part.read() if isinstance(part, Span) else part for part in parts)

        return Constant(
            name, shape, dtype, lambda: _as_array(data(), shape, dtype), lambda: _numbers(data(), code)
        )
    elements = {"int64": tensor.int64_data, "uint32": tensor.uint64_data, "uint64": tensor.uint64_data}.get(
        dtype, tensor.int32_data
    )
    if len(elements) != prod(shape):
        raise ArgumentError(f"the tensor {name!r} of shape {shape} has {len(elements)} elements")
    if dtype in ("float16", "bfloat16"):  # stored as integers with their bit patterns
        bits = array("H", elements).tobytes()
        few = (lambda: _numbers(bits, code)) if dtype == "float16" else None
        return Constant(name, shape, dtype, lambda: _as_array(bits, shape, dtype), few)
    if dtype == "uint64":
        elements = [number % (1 << 64) for number in elements]
    return of_elements(name, shape, dtype, elements)


def _external(tensor: Message, name: str, folder: Path, size: int) -> Span:
    """Return the location of a tensor's elements in a file next to the model."""
    entries = {entry.key: entry.value or "" for entry in tensor.external_data}
    location = entries.get("location", "")
    if isinstance(folder, RemotePath):
        raise ArgumentError(
            f"the elements of the tensor {name!r} are in {location!r} next to the model, which is not read from a URL; "
            "copy both files to this machine"
        )
    root = folder.resolve()
    path = (root / location).resolve() if location.isprintable() else root
    if not path.is_relative_to(root) or path == root:
        raise ArgumentError(
            f"the elements of the tensor {name!r} are in {location!r}, which is not inside the model's folder"
        )
    if not path.is_file():
        raise ArgumentError(
            f"the elements of the tensor {name!r} are in {location!r}, which is missing; put it next to the model"
        )
    try:
        start, length = int(entries.get("offset") or 0), int(entries.get("length") or size)
    except ValueError:
        raise ArgumentError(f"the offset of the tensor {name!r} in {location!r} is not a number") from None
    if start < 0 or length < 0 or start + length > path.stat().st_size:
        raise ArgumentError(
            f"the tensor {name!r} is at bytes {start:,} to {start + length:,} of {location!r}, which has only "
            f"{path.stat().st_size:,}"
        )
    return Span(path, start, length)


def _numbers(data: bytes, code: str) -> list[Any]:
    if code == "e":
        from struct import unpack

        return list(unpack(f"<{len(data) // 2}e", data))
    numbers = array(code, data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def _as_array(data: bytes, shape: tuple[int, ...], dtype: str) -> Any:
    """Return little-endian bytes as a writable array."""
    import numpy as np

    if dtype == "bfloat16":  # the upper half of a float32
        bits = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        return bits.view(np.float32).reshape(shape)
    made = np.frombuffer(data, np.dtype(dtype).newbyteorder("<"))
    if made.size != prod(shape):
        raise ArgumentError(f"a tensor of shape {shape} has {made.size} elements")
    return made.astype(dtype, copy=False).reshape(shape)
