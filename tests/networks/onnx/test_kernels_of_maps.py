"""Maps of a model's layers are drawn beside the kernels of the model's file."""

from itertools import pairwise

import numpy as np
import pytest

from convcli.filters.network_filter import NetworkFilter
from convcli.filters.network_run import NetworkRun
from convcli.images.map_sheet import SheetPlan
from convcli.images.picture import Frame, Picture
from convcli.layers import Activation, Conv
from convcli.networks.given_weights import parameter_names
from convcli.networks.load_network import load_network
from tests.networks.onnx.models import helper, made, numbers, saved

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
CASES = [  # channels of the picture, layers, kernels beside each map of the last one
    (1, "conv k3 p1 o2", 1),
    (3, "conv k3 p1 o2 nobias", 3),
    (3, "conv k1x5 p0x2 o5", 3),
    (4, "conv k3 p1 o8", 4),
    (4, "conv k3 p1 g2 o6", 2),
    (3, "conv k3 p1 g3 o6", 1),
    (3, "conv k1 o2", 3),
    (3, "convT k2 s2 o2", 0),
    (3, "conv k3 p1 o8, conv k3 p1 o2", 0),
]


def converted(network, folder, dtype):
    """Write the layers of a chain as an ONNX model, and its weights as .npz."""
    nodes, arrays = [], {}
    for number, node in enumerate(network.nodes):
        names = parameter_names(node).values()
        arrays |= {name: numbers(*shape, seed=number).astype(dtype) for name, shape in names}
        source, layer = (*network.inputs, *(each.name for each in network.nodes))[number], node.layer
        inputs = [source, *(name for name, _ in names)]
        if isinstance(layer, Activation):
            nodes.append(helper.make_node("Relu", inputs, [f"{node.name}.out"], name=node.name))
        else:
            operator = "Conv" if isinstance(layer, Conv) else "ConvTranspose"
            pads = [before for before, _ in layer.padding] + [after for _, after in layer.padding]
            options = {"group": layer.groups, "strides": layer.stride, "pads": pads}
            nodes.append(helper.make_node(operator, inputs, [f"{node.name}.out"], name=node.name, **options))
    for before, after in pairwise(nodes):
        after.input[0] = before.output[0]
    (shape,) = network.inputs.values()
    np.savez(folder / "net.npz", **arrays)
    return saved(folder, made(nodes, {"input": (1, *shape[1:])}, [nodes[-1].output[0]], arrays))


@pytest.mark.parametrize(("channels", "layers", "beside"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_sheet_is_that_of_the_same_layers_in_toml(tmp_path, channels, layers, beside, dtype):
    toml = tmp_path / "net.toml"
    quoted = ", ".join(f'"{layer.strip()}"' for layer in (*layers.split(","), "relu"))
    toml.write_text(f'input = "{channels}x6x8"\nlayers = [{quoted}]\n')
    network = load_network(toml)
    model = converted(network, tmp_path, dtype)
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, channels), dtype=np.uint8)
    frame = Frame(pixels if channels > 1 else pixels[..., 0], MODES[channels])
    titled = len(network.nodes) - 2
    for number, node in enumerate(network.nodes):
        sheets = {}
        for source, layer in ((toml, node.name), (model, node.name), (model, f"{node.name}.out")):
            weights = str(tmp_path / "net.npz") if source is toml else None
            work = NetworkFilter(NetworkRun(str(source), layer=layer, weights=weights))
            plan = work.plan("x.png", "y.png", Picture((frame,), "PNG"), "PNG")
            (sheet,) = plan.run().picture.frames
            assert sheet.pixels.shape == plan.made[0].pixels.shape
            sheets[source, layer] = sheet.pixels
            if number >= titled:
                assert plan.prepared[0].kernels[0] == beside
        expected, by_node, by_tensor = sheets.values()
        assert np.array_equal(by_node, expected)
        head = SheetPlan.of(1, 1, 1).place(0)[0] - 18  # above it is the title, which has the name
        assert np.array_equal(by_tensor[head:], expected[head:])
