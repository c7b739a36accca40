"""Layers of networks on one thread compared with PyTorch and torchvision, or ONNX Runtime if PyTorch is not installed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from convcli import backend
from tests.benchmarks.peers import Peer, library
from tests.benchmarks.pictures import Array

SEED = 7


class Material(NamedTuple):
    """The arguments of an operator: arrays in order, and others by name."""

    arrays: tuple[Any, ...]
    named: dict[str, Any]


@dataclass(frozen=True)
class LayerWork:
    """A layer on an input.

    ours, onnx : what it is called in convcli.backend, and in ONNX
    shapes : of the input and of the weight
    limit : the target, our time by the peer's
    options : stride, padding and groups, as all of them call it, or the kernel size of a pool
    moved : deformable: the numbers that each place has, offsets and then masks
    """

    name: str
    ours: str
    onnx: str
    shapes: tuple[tuple[int, ...], ...]
    limit: float
    options: Mapping[str, int] = field(default_factory=dict)
    moved: tuple[int, ...] = ()

    def material(self) -> Material:
        """Return the input, the weight, and the offsets of the taps at each position."""
        rng = np.random.default_rng(SEED)
        arrays = [rng.standard_normal(shape, np.float32) for shape in self.shapes]
        size = self.shapes[0][2:]
        moved = [rng.standard_normal((1, count, *size), np.float32) for count in self.moved]
        # Both call it so: (input, offset, weight), and a mask by name.
        return Material((*arrays[:1], *moved[:1], *arrays[1:]), {"mask": moved[1]} if len(moved) > 1 else {})

    @property
    def torch(self) -> str:
        """What it is called in PyTorch."""
        return f"{self.ours}2d"

    def run(self, material: Material) -> Array:
        """Return our own answer."""
        answer: Array = getattr(backend, self.ours)(*material.arrays, **material.named, **self.options)
        return answer

    def peers(self) -> Iterator[Peer]:
        """Yield the library that it is measured against, where one is installed."""
        if library("torch") and (not self.moved or library("torchvision")):
            name = "torchvision" if self.moved else "torch"
            yield Peer(name, partial(_torch, self), self.limit, 1e-5, prepare=_tensors)
        elif library("onnxruntime") and library("onnx") and self.onnx:
            limit = None if self.ours == "conv" else self.limit  # that of `conv` is against PyTorch alone
            yield Peer("onnxruntime", Session.run, limit, 1e-5, prepare=partial(Session, self))


def _conv(
    network: str,
    channels: int,
    outputs: int,
    side: int,
    stride: int,
    size: int,
    groups: int = 1,
    limit: float = 1.25,
) -> LayerWork:
    name, weight = f"{network} {channels}->{outputs}", (outputs, channels // groups, side, side)
    options = {"stride": stride, "padding": side // 2, "groups": groups}
    return _window(name, "conv", "Conv", channels, size, side, weight, limit=limit, options=options)


def _depthwise(network: str, channels: int, side: int, stride: int, size: int) -> LayerWork:
    return _conv(network, channels, channels, side, stride, size, channels, 2.0)


def _pool(kind: str, channels: int, side: int, stride: int, size: int, padding: int = 0) -> LayerWork:
    onnx = {"max": "MaxPool", "avg": "AveragePool"}[kind]
    options = {"kernel_size": side, "stride": stride, "padding": padding}
    return _window(f"{kind} pool {channels}", f"{kind}_pool", onnx, channels, size, side, options=options)


def _transposed(channels: int, outputs: int, side: int, stride: int, size: int, padding: int) -> LayerWork:
    name, weight = f"transposed {channels}->{outputs}", (channels, outputs, side, side)
    options = {"stride": stride, "padding": padding}
    return _window(name, "conv_transpose", "ConvTranspose", channels, size, side, weight, options=options)


def _window(
    name: str,
    ours: str,
    onnx: str,
    channels: int,
    size: int,
    side: int,
    *weights: tuple[int, ...],
    options: Mapping[str, int],
    limit: float = 1.5,
) -> LayerWork:
    """Return a layer with a window, whose name ends in its size, the stride and the size of the input."""
    name = f"{name} k{side} s{options['stride']} @{size}"
    return LayerWork(name, ours, onnx, ((1, channels, size, size), *weights), limit, options)


def _global(channels: int, size: int) -> LayerWork:
    name, shape = f"global average pool {channels} @{size}", (1, channels, size, size)
    return LayerWork(name, "adaptive_avg_pool", "GlobalAveragePool", (shape,), 1.5, {"output_size": 1})


def _deformable(channels: int, side: int, size: int, masked: bool) -> LayerWork:
    taps = side**2
    return LayerWork(
        f"deformable {channels}->{channels} k{side} @{size}{', mask' if masked else ''}",
        "deform_conv",
        "",
        ((1, channels, size, size), (channels, channels, side, side)),
        1.5,
        {"stride": 1, "padding": side // 2},
        (2 * taps, taps) if masked else (2 * taps,),
    )


LAYERS = (
    _conv("resnet", 3, 64, 7, 2, 224),
    _conv("resnet", 64, 64, 3, 1, 56),
    _conv("resnet", 128, 128, 3, 2, 56),
    _conv("resnet", 128, 128, 3, 1, 28),
    _conv("resnet", 256, 256, 3, 2, 28),
    _conv("resnet", 256, 256, 3, 1, 14),
    _conv("resnet", 512, 512, 3, 2, 14),
    _conv("resnet", 512, 512, 3, 1, 7),
    _conv("resnet", 64, 256, 1, 1, 56),
    _conv("resnet", 256, 512, 1, 2, 56),
    _conv("resnet", 512, 128, 1, 1, 28),
    _conv("resnet", 2048, 512, 1, 1, 7),
    _conv("vgg", 3, 64, 3, 1, 224),
    _conv("vgg", 128, 128, 3, 1, 112),
    _conv("vgg", 512, 512, 3, 1, 28),
    _conv("mobilenet", 3, 32, 3, 2, 224),
    _depthwise("mobilenet depthwise", 32, 3, 1, 112),
    _depthwise("mobilenet depthwise", 96, 3, 2, 112),
    _depthwise("mobilenet depthwise", 144, 3, 1, 56),
    _depthwise("mobilenet depthwise", 144, 3, 2, 56),
    _depthwise("mobilenet depthwise", 384, 3, 1, 14),
    _depthwise("mobilenet depthwise", 576, 3, 2, 14),
    _depthwise("depthwise", 256, 3, 1, 56),
    _conv("mobilenet", 32, 16, 1, 1, 112),
    _conv("mobilenet", 24, 144, 1, 1, 56),
    _conv("mobilenet", 384, 64, 1, 1, 14),
    _pool("max", 64, 3, 2, 112, 1),
    _pool("max", 64, 2, 2, 224),
    _pool("avg", 128, 2, 2, 56),
    _pool("avg", 64, 3, 1, 56, 1),
    _global(2048, 7),
    _global(256, 56),
    _transposed(64, 32, 4, 2, 56, 1),
    _transposed(256, 128, 2, 2, 28, 0),
    _deformable(64, 3, 56, masked=False),
    _deformable(64, 3, 56, masked=True),
)


def _tensors(material: Material) -> Material:
    tensor = library("torch").from_numpy
    return Material(
        tuple(map(tensor, material.arrays)),
        {name: tensor(array) for name, array in material.named.items()},
    )


def _torch(layer: LayerWork, material: Material) -> Any:
    """Return the answer of PyTorch, or of torchvision to a deformable layer, in one thread."""
    torch = library("torch")
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    home = library("torchvision").ops if layer.moved else torch.nn.functional
    with torch.inference_mode():
        return getattr(home, layer.torch)(*material.arrays, **material.named, **layer.options)


class Session:
    """A layer as a model of one node, which ONNX Runtime runs in one thread."""

    def __init__(self, layer: LayerWork, material: Material) -> None:
        onnx, runtime = library("onnx"), library("onnxruntime")
        (x, *weights), given = material.arrays, layer.options
        axes = x.ndim - 2
        attributes: dict[str, Any] = {"count_include_pad": 1} if layer.onnx == "AveragePool" else {}
        for name, option, count in (
            ("kernel_shape", "kernel_size", axes),
            ("strides", "stride", axes),
            ("pads", "padding", 2 * axes),
        ):
            if option in given:
                attributes[name] = [given[option]] * count
        if "groups" in given:
            attributes["group"] = given["groups"]
        make, float32 = onnx.helper, onnx.TensorProto.FLOAT
        graph = make.make_graph(
            [make.make_node(layer.onnx, ["x", "weight"][: len(material.arrays)], ["y"], **attributes)],
            "layer",
            [make.make_tensor_value_info("x", float32, x.shape)],
            [make.make_tensor_value_info("y", float32, None)],
            [onnx.numpy_helper.from_array(weight, "weight") for weight in weights],
        )
        model = make.make_model(graph, ir_version=8, opset_imports=[make.make_opsetid("", 17)])
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._given = {"x": x}

    def run(self) -> Any:
        """Return its answer."""
        return self._session.run(None, self._given)[0]
