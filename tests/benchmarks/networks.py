"""Published networks compared with ONNX Runtime on one thread: time and peak memory."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.memory import PROBE, UNIT
from tests.networks.onnx.trained import CLASSIFIER, CannotFetchError, fetch

Array = np.ndarray[Any, Any]
MAX_MEMORY = 2.0  # of ours by ONNX Runtime's

OURS = """
import sys, numpy as np
from convcli import networks
network = networks.load(sys.argv[1])
(name,) = network.inputs
x = np.zeros(tuple(map(int, sys.argv[2].split("x"))), np.float32)
for _ in range(3): network.run({name: x})
"""
THEIRS = """
import sys, numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.log_severity_level = 4
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
x = np.zeros(tuple(map(int, sys.argv[2].split("x"))), np.float32)
for _ in range(3): session.run(None, {session.get_inputs()[0].name: x})
"""


@dataclass(frozen=True)
class Model:
    """A network, the shape of its input, and the target of our time by ONNX Runtime's.

    light : whether it ships with the onnx package
    """

    name: str
    shape: tuple[int, ...]
    limit: float | None = None
    light: bool = True

    def path(self) -> Path | None:
        """Return its file; None if it is not available or there is nothing to compare it with."""
        if not find_spec("onnxruntime"):
            return None
        if not self.light:
            try:
                return fetch(CLASSIFIER)
            except CannotFetchError:
                return None
        found = find_spec("onnx")
        if found is None or found.origin is None:
            return None
        path = Path(found.origin).parent / "backend" / "test" / "data" / "light" / f"light_{self.name}.onnx"
        return path if path.exists() else None

    def input(self) -> Array:
        """Return the inputs."""
        return np.random.default_rng(0).standard_normal(self.shape, np.float32)

    def ours(self, path: Path) -> Callable[[Array], Array]:
        """Return convcli's run."""
        from convcli import networks

        network = networks.load(path)
        (name,) = network.inputs

        def run(x: Array) -> Array:
            (y,) = network.run({name: x}).values()
            return y

        return run

    def theirs(self, path: Path) -> Callable[[Array], Array]:
        """Return ONNX Runtime's run, on one thread."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda x: session.run(None, {name: x})[0]


MODELS = (
    Model("resnet50", (1, 3, 224, 224), 1.5),
    Model("MobileNetV3", (1, 3, 48, 192), 4.0, light=False),
    *(
        Model(name, (1, 3, 224, 224))
        for name in ("densenet121", "inception_v2", "shufflenet", "squeezenet", "vgg19")
    ),
)


def memory_lines(only: str) -> Iterator[str]:
    """Yield a line for each network: the peak memory of a process with convcli and of one with ONNX Runtime."""
    for model in MODELS:
        path = model.path()
        if path is None or not re.search(only, f"network {model.name}"):
            continue
        ours, theirs = (_peak(code, path, model.shape) for code in (OURS, THEIRS))
        verdict = "ok" if ours <= MAX_MEMORY * theirs else "MISS"
        yield f"network {model.name}: {ours >> 20} MiB, onnxruntime {theirs >> 20} MiB, {ours / theirs:.2f} {verdict}"


def _peak(code: str, path: Path, shape: tuple[int, ...]) -> int:
    """Return the peak memory of a process in bytes."""
    command = [sys.executable, "-c", PROBE, sys.executable, "-c", code, str(path), "x".join(map(str, shape))]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(run.stdout.split()[-1]) * UNIT
