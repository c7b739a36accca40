"""The command-line tools that are installed, and how a command is run."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

Command = list[str]

TOOLS = {  # the names of each, the option that prints its version, and a pattern of the answer, which excludes namesakes
    "libvips": (("vips",), "--version", "vips"),
    "imagemagick": (("magick", "convert", "convert-im6.q16"), "--version", "Version: ImageMagick"),
    "graphicsmagick": (("gm",), "version", "GraphicsMagick"),
}
# The limit of this process to one thread does not apply to its children. And they find their modules
# compiled, as they are once a program has been installed.
_OWN = ("OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in _OWN}
ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir(), f"convcli-bench-{getpass.getuser()}"))


@cache
def tool(name: str) -> tuple[str, str] | None:
    """Return a tool's path and version; None where it is absent, or nothing but a namesake is there."""
    if name not in TOOLS:
        return None
    programs, option, greeting = TOOLS[name]
    for folder in os.get_exec_path():
        for path in filter(None, (shutil.which(program, path=folder) for program in programs)):
            done = subprocess.run([path, option], capture_output=True, text=True, check=False)
            if done.stdout.startswith(greeting):
                words = done.stdout.split("\n")[0].replace("-", " ", 1).split()
                return path, next(word for word in words if word[0].isdigit())
    return None


def run(command: Sequence[str], seconds: float, folder: Path | None = None) -> None:
    """Run a command, in a folder if one is given; raise TimeoutExpired, or OSError with what it said when it failed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise OSError((done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1])
