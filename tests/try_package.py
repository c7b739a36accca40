"""Build the sdist, and the wheel from it; install the wheel in an empty environment, and test it there.

`make package` runs it: `python -m tests.try_package FOLDER` leaves both in the folder.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

from tests.environment import plain
from tests.paths import ROOT, SAMPLES

# Commands for the installed program: numbers, a help page, a picture, a page of documentation, and an error.
COMMANDS = {
    "convcli --version": r"convcli \d+\.\d+\.\d+\n",
    "convcli shape --n 7 --k 3 --s 2 --p 1 --format value": r"4\n",
    "convcli help formats": r".*PNG.*TIFF.*",
    "convcli filter house.png --kernel sobel": r"house\.sobel\.png\n",
    "convcli draw --n 5 --k 3 -o conv.html --quiet": "",
    "convcli cost resnet-50 --field macs --format value": r"4089184256\n",
    "python -m convcli completion bash": r".*_convcli_completion.*",
}


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """Run a command without the environment of this Python; return its output, or print it and fail."""
    done = subprocess.run(
        command, cwd=folder, env=plain(os.environ), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def check_contents(wheel: Path, sdist: Path) -> None:
    """Compare the packed files with those under version control."""
    tracked = set(run("git", "ls-files").splitlines())
    with zipfile.ZipFile(wheel) as packed:
        shared = {name.partition(".data/data/")[2] for name in packed.namelist() if ".data/data/" in name}
        names = {name for name in packed.namelist() if not re.search(r"\.(dist-info|data)/", name)}
        (metadata,) = (name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        reported = Parser().parsestr(packed.read(metadata).decode())
    assert names == {name for name in tracked if name.startswith("convcli/")}
    assert "convcli/py.typed" in names
    assert shared == {f"share/man/man1/{Path(name).name}" for name in tracked if name.startswith("man/")}
    assert "share/man/man1/convcli.1" in shared
    assert reported["License-Expression"] == "MIT"
    assert reported["License-File"] == "LICENSE"
    assert reported["Description-Content-Type"] == "text/markdown"
    assert {"Homepage", "Issues", "Changelog"} <= {
        url.partition(",")[0] for url in reported.get_all("Project-URL")
    }
    with tarfile.open(sdist) as archive:
        packed_names = {name.partition("/")[2] for name in archive.getnames()} - {"PKG-INFO"}
    assert packed_names == {name for name in tracked if not name.startswith(".ci/")}


def check_installed(wheel: Path, folder: Path) -> None:
    """Install the wheel in an empty environment, and use its commands and its public names."""
    environment = folder / "environment"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--disable-pip-version-check",
    )
    run(*pip, "--no-compile", wheel)
    shutil.copy(SAMPLES / "house.png", folder)
    for command, output in COMMANDS.items():
        program, *words = command.split()
        message = run(environment / "bin" / program, *words, folder=folder)
        assert re.fullmatch(output, message, re.DOTALL), f"{command}: {message}"
        print(f"$ {command}")
    program_of_another = shutil.copy(ROOT / "tests" / "public_api.py", folder)
    run(python, program_of_another, folder, folder=folder)
    cache = ("--cache-dir", ROOT / ".mypy_cache")
    mypy = (sys.executable, "-m", "mypy", "--strict", *cache, "--python-executable", python)
    print(run(*mypy, program_of_another, folder=folder), end="")


def main(target: Path) -> None:
    """Build and test both."""
    shutil.rmtree(target, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target)
    (wheel,), (sdist,) = target.glob("*.whl"), target.glob("*.tar.gz")
    check_contents(wheel, sdist)
    with tempfile.TemporaryDirectory() as folder:
        check_installed(wheel, Path(folder))
    print(f"built and tried: {wheel.name} and {sdist.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
