"""The pages for contributors and about security: the diffs apply and work, and the named tests exist."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from convcli.images.read import read_picture
from tests.conftest import ROOT, SAMPLES

PAGES = ROOT / ".github"


def test_each_promise_has_tests_that_exist() -> None:
    text = (PAGES / "SECURITY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!---|promise)(.+) \|$", text, re.MULTILINE)
    named = [re.findall(r"`(tests/\S+\.py)::(\w+)`", row) for row in rows]
    assert len(rows) > 15
    assert all(named), [row for row, tests in zip(rows, named) if not tests]
    for path, name in {test for tests in named for test in tests}:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (path, name)


# Commands for the package with the diffs applied, and their outputs.
COMMANDS = """
import sys
from convcli.cli import main
for line in sys.stdin.read().splitlines():
    print("$", line, flush=True)
    try: main(line.split())
    except SystemExit as end: assert not end.code, line
"""
LINES = """kernels cross:5 --field divisor,rank
filter house.png --kernel cross:5 -o crossed.tga --quiet
shape --n 9 --in 4 --out 8 --k 3 --p 1 --variant conv-resize --format value
params resnet-26 --format value
"""


def test_the_diffs_for_contributors_work(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "convcli", tmp_path / "convcli", ignore=shutil.ignore_patterns("docs"))
    diffs = re.findall(
        r"```diff\n(.*?)```", (PAGES / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(diffs) == 4
    tests = re.findall(r"^\+\+\+ b/(tests/\S+)", "".join(diffs), re.MULTILINE)
    for name in tests:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(
        ["git", "apply", "-C1", "-"],
        cwd=tmp_path, input="".join(diffs), text=True, check=True, env={**os.environ, "GIT_DIR": str(tmp_path / "none")},
    )  # fmt: skip
    shutil.copy(SAMPLES / "house.png", tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        input=LINES,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = [text.partition("\n")[2] for text in done.stdout.split("$ ")[1:]]
    # Rank 2: a row and a column. A picture twice as large. The parameters that PyTorch Image Models publishes.
    assert answers == ["9\t2\n", "", "18\n", "15995176\n"]
    house = read_picture(SAMPLES / "house.png").frames[0].pixels.astype(int)
    padded = np.pad(house, 2, "reflect")
    height, width = house.shape
    taps = {(2, at) for at in range(5)} | {(at, 2) for at in range(5)}
    total = sum(padded[row : row + height, column : column + width] for row, column in taps)
    from PIL import Image

    with Image.open(tmp_path / "crossed.tga") as image:
        assert image.format == "TGA"
        assert (np.asarray(image) == np.rint(total / 9)).all()

    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    chosen = ["tests/kernels/test_named.py", "tests/networks/test_zoo.py"]
    assert set(chosen) < set(tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "constant or smoothing or cross or resnet_26", *chosen],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
