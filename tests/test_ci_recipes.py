"""The hooks for pre-commit and the jobs for CI, run as pre-commit, GitHub and GitLab would run them."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.conftest import ROOT, SAMPLES, Call
from tests.documents import run

HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
PAGE = (ROOT / "convcli" / "docs" / "recipes.md").read_text(encoding="utf-8")
INSTALL = "pip install git+https://github.com/convcli/convcli"
GITHUB, GITLAB, PRE_COMMIT = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Path:
    """A project with photos, and references: one of a sharpened photo, and one that has changed."""
    (tmp_path / "photos").mkdir()
    for name in ("house.png", "logo.png"):
        shutil.copy(SAMPLES / name, tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    call(*"filter photos --kernel sharpen -o goldens/".split())
    shutil.copy(SAMPLES / "logo.png", tmp_path / "goldens")
    return tmp_path


def words_of(hook: str, arguments: list[str], files: list[str]) -> list[str]:
    """Return the arguments of a hook as pre-commit composes them."""
    config = HOOKS[hook]
    program, *words = shlex.split(config["entry"])
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert program in scripts
    return [*words, *arguments, *(files if config.get("pass_filenames", True) else [])]


def test_hooks_find_their_errors(call: Call, project: Path) -> None:
    known = {"id", "name", "description", "entry", "language", "types", "types_or", "pass_filenames"}
    for hook in HOOKS.values():
        assert {"id", "name", "entry"} <= set(hook) <= known
        assert hook["language"] == "python"
    (used,) = PRE_COMMIT["repos"]
    arguments = {hook["id"]: hook["args"] for hook in used["hooks"]}
    assert arguments.keys() == HOOKS.keys()

    call(*"filter photos --kernel sharpen -o out/".split())
    words = words_of("convcli-diff", arguments["convcli-diff"], ["photos/house.png"])
    assert call(*words).code == 1
    shutil.copy(project / "out" / "logo.png", project / "goldens")
    assert call(*words).code == 0

    files = ["photos/house.png", "photos/logo.png"]
    limit = arguments["convcli-readable"]
    assert call(*words_of("convcli-readable", limit, files)).code == 0
    Path("photos/house.png").write_text("version https://git-lfs.github.com/spec/v1\n")
    assert call(*words_of("convcli-readable", limit, files)).code == 1
    result = call(*words_of("convcli-readable", ["--max-pixels", "99"], files[1:]))
    assert (result.code, "are over the limit of 99" in result.err) == (1, True)
    assert sorted(each.name for each in Path("photos").iterdir()) == ["house.png", "logo.png"]


def lines_of(steps: list[str]) -> list[str]:
    """Return the lines of a job except for the one that installs convcli."""
    assert INSTALL in steps
    return [step for step in steps if step != INSTALL]


def test_jobs_report_the_picture_that_has_changed(call: Call, project: Path) -> None:
    (job,) = GITHUB["jobs"].values()
    lines = lines_of([step["run"] for step in job["steps"] if "run" in step])
    *before, result = (call(*shlex.split(line)[1:]) for line in lines)
    assert [each.code for each in before] == [0]
    assert result.code == 1
    assert result.out.startswith("::error file=goldens/logo.png,title=convcli diff%3A logo.png::")
    assert len(result.out.splitlines()) == 1
    assert [path.name for path in (project / "maps").iterdir()] == ["logo.png"]
    (upload,) = (step for step in job["steps"] if "upload" in step.get("uses", ""))
    assert upload["with"]["path"] == "maps/"

    shutil.rmtree(project / "maps")
    shutil.rmtree(project / "out")
    with pytest.raises(subprocess.CalledProcessError):
        run("\n".join(lines_of(GITLAB["goldens"]["script"])), project)
    artifacts = GITLAB["goldens"]["artifacts"]
    assert all((project / path).exists() for path in artifacts["paths"])
    cases = ElementTree.parse(project / artifacts["reports"]["junit"]).iter("testcase")
    assert {case.attrib["name"]: len(case) for case in cases} == {"house.png": 0, "logo.png": 1}
