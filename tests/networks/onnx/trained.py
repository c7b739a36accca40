"""Trained models that another package ships, downloaded on first use into a cache outside the tree."""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CACHE = Path(os.environ.get("CONVCLI_CORPORA") or Path.home() / ".cache" / "convcli-corpora")
WHEEL, MODELS = "rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models"
CLASSIFIER = "ch_ppocr_mobile_v2.0_cls_infer.onnx"  # MobileNetV3: the orientation of a line of text


class CannotFetchError(Exception):
    """A model is not in the cache, and cannot be downloaded."""


def fetch(name: str = CLASSIFIER) -> Path:
    """Return the path of a model; raise CannotFetchError if it is not available."""
    place = CACHE / WHEEL / name
    if place.exists():
        return place
    options = (
        "--quiet --no-deps --only-binary :all: --retries 1 --timeout 15 --disable-pip-version-check".split()
    )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            command = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, WHEEL]
            run = subprocess.run(command, capture_output=True, text=True, timeout=300)
            if run.returncode:
                raise CannotFetchError(f"{WHEEL} cannot be downloaded: {run.stderr.strip().splitlines()[-1]}")
            (wheel,) = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read(f"{MODELS}/{name}")
            new = Path(folder) / name
            new.write_bytes(data)
            new.replace(place)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotFetchError(f"{WHEEL} cannot be kept in {CACHE}: {error}") from error
    return place
