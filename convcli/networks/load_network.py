"""Load a network from a file, or a published one by its name."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape
from convcli.networks.builder import INPUT
from convcli.networks.network import Network

# File endings, and the function that reads each: (path, shapes of its inputs) -> Network. The shapes are {name: shape},
# or one shape if the file has one input; None keeps the file's own.
READERS = {
    ".toml": ("convcli.networks.toml_file", "read_toml"),
    ".onnx": ("convcli.networks.onnx.onnx_network", "read_onnx"),
}

# Model files of other formats, and how each is converted to ONNX.
OTHERS = {
    **dict.fromkeys(
        (".pt", ".pth", ".ckpt", ".safetensors"), "torch.onnx.export(model, example, 'model.onnx')"
    ),
    **dict.fromkeys(
        (".h5", ".keras", ".pb"), "python -m tf2onnx.convert (--keras FILE or --saved-model FOLDER)"
    ),
    ".tflite": "python -m tf2onnx.convert --tflite FILE --output model.onnx",
    **dict.fromkeys((".pdmodel", ".pdiparams"), "paddle2onnx --model_dir FOLDER --save_file model.onnx"),
    **dict.fromkeys((".caffemodel", ".prototxt"), "caffe2onnx, or the model zoo of ONNX"),
    **dict.fromkeys((".mlmodel", ".mlpackage"), "onnxmltools.convert_coreml"),
    **dict.fromkeys((".xml", ".engine", ".trt", ".param", ".mnn"), "the model that it was made from"),
}

Shapes = Sequence[int] | Mapping[str, Sequence[int]] | None


def is_network(text: str) -> bool:
    """Return whether a word names a network: a model file or a published network."""
    from convcli.networks.zoo.index import find

    ending = _ending(text)
    return ending in READERS or ending in OTHERS or find(text.partition(":")[0]) is not None


def load_network(source: str | Path, input_shape: Shapes = None, **options: Any) -> Network:
    """Return the network in a file or of a given name.

    Parameters
    ----------
    source : str or Path
        A `.toml` or `.onnx` file, also at a URL, or the name of a published network with its options: `resnet-50`,
        `mobilenet-v1:width=0.5`.
    input_shape : sequence of int, or {name: shape}, optional
        The shape of the input, (channels, *sizes), instead of the default.
    options : number
        Options of a published network, by name.

    Returns
    -------
    Network
        With `rows()`, `totals()` and `params()`.

    Raises
    ------
    ArgumentError
        If there is no network of this name.
    FileError
        If the file cannot be read, or does not contain a network.

    Examples
    --------
    >>> from convcli import networks
    >>> networks.load("resnet-50").params()
    25557032
    >>> networks.load("resnet-50", (3, 320, 320)).rows()[-4]["output_shape"]
    [2048, 10, 10]
    >>> networks.load("mobilenet-v1", width=0.5).totals()["macs"]
    149497088

    """
    from convcli.networks.zoo.build import build
    from convcli.networks.zoo.index import find, network_instead
    from convcli.remote_files import file_path

    text = str(source)
    name = text.partition(":")[0]
    if find(name):
        return build(text, _only(text, input_shape), **options)
    ending = _ending(text)
    if ending in READERS:
        if options:
            raise ArgumentError(
                f"{text} is a file, which takes no option {next(iter(options))!r}; leave it out"
            )
        module, function = READERS[ending]
        network: Network = getattr(import_module(module), function)(file_path(text), input_shape)
        return network
    if ending in OTHERS:
        raise ArgumentError(
            f"{text}: {ending} models cannot be read; convert it to ONNX first, with {OTHERS[ending]}"
        )
    hint = network_instead(name)
    if name.replace("x", "").isdigit():
        hint = f"to give the input size of a layer, use --n {name}"
    elif not hint.startswith("did you mean"):
        hint = f"convcli networks lists the names, and files end in {' or '.join(READERS)}"
    raise ArgumentError(f"there is no network {text!r}; {hint}")


def _ending(text: str) -> str:
    """Return the ending of a file name or URL in lower case."""
    from convcli.remote_files import file_path

    return file_path(text).suffix.lower()


load = load_network  # the name in convcli.networks


def _only(text: str, shapes: Shapes) -> Shape | None:
    """Return the shape of the only input of a published network."""
    if shapes is None:
        return None
    if isinstance(shapes, Mapping):
        if len(shapes) != 1:
            raise ArgumentError(f"{text} has one input, but {len(shapes)} shapes are given; give one")
        if INPUT not in shapes:
            raise ArgumentError(f"{text} has no input {next(iter(shapes))!r}; use {INPUT}")
        (shapes,) = shapes.values()
    return tuple(shapes)
