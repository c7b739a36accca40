"""Rules for imports: they go in one direction, and heavy packages are loaded only when needed."""

import ast
import subprocess
import sys
from collections.abc import Collection
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from convcli.cli import COMMANDS
from tests.conftest import ROOT, SAMPLES

PACKAGE = ROOT / "convcli"

# Allowed imports inside the package; all may import errors. The innermost folder in the table counts.
ALLOWED = {
    "errors": set(),
    "files": {"remote_files"},
    "remote_files": set(),
    "path_templates": set(),
    "thread_warnings": set(),
    "npy": {"thread_warnings", "remote_files"},
    "memory": set(),
    "cores": set(),
    "number_text": set(),
    "layers": {"layers", "number_text"},
    "networks": {"layers", "networks", "kernels", "backend", "number_text", "remote_files"},
    "kernels": {"kernels", "npy", "number_text", "remote_files"},
    "backend": {"layers", "kernels", "backend"},
    # The module of the public names, one of which is defined above it and loaded on demand.
    "backend/__init__": {"backend", "filters"},
    "backend/algorithms": {"layers", "backend"},
    "images": {"images", "npy", "number_text", "thread_warnings", "memory", "remote_files"},
    "filters": {
        *("layers", "networks", "kernels", "backend", "images", "memory", "number_text", "remote_files"),
        *("files", "path_templates", "filters"),
    },
    "filters/stages": {"layers", "kernels", "backend", "filters"},
    "filters/tiles": {"layers", "backend", "memory", "filters"},
    "analysis": {"layers", "kernels", "backend", "images", "filters", "memory", "analysis"},
    "drawing": {
        "layers",
        "networks",
        "kernels",
        "backend",
        "images",
        "filters",
        "analysis",
        "drawing",
        "number_text",
        "files",
        "remote_files",
    },
    "learning": {"layers", "kernels", "backend", "images", "filters", "analysis", "learning"},
    "batch": {"batch"},
    "jobs": {
        "layers",
        "kernels",
        "backend",
        "images",
        "filters",
        "batch",
        "render",
        "files",
        "remote_files",
        "path_templates",
        "memory",
        "jobs",
    },
    "render": set(),
    "ci_reports": {"render"},
    "cli": {
        *("layers", "networks", "kernels", "backend", "images", "filters", "analysis", "drawing", "batch"),
        *(
            "jobs",
            "learning",
            "render",
            "ci_reports",
            "files",
            "remote_files",
            "npy",
            "number_text",
            "memory",
            "cli",
        ),
    },
    "__init__": {
        "layers",
        "networks",
        "kernels",
        "backend",
        "images",
        "filters",
        "analysis",
        "drawing",
        "learning",
        "jobs",
        "files",
    },
    "__main__": {"cli"},
}
# Files that share a name: the command and the library function of the same task.
SHARED_NAMES = {"match.py": {"analysis", "cli/commands"}, "draw.py": {"drawing", "cli/commands"}}
HEAVY = {"numpy", "scipy", "PIL", "click", "rich"}
# The heavy packages that each folder may import at module level.
WELCOME = {
    "backend": {"numpy"},
    "images": {"numpy", "PIL"},
    "filters/stages": {"numpy"},
    "filters/tiles": {"numpy"},
    "analysis": {"numpy"},
    "learning": {"numpy"},
    "cli": {"click"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def room(module: Path, named: Collection[str]) -> str:
    """Return the innermost of the named folders that a module is in; of the top level, the module itself."""
    path = module.relative_to(PACKAGE).with_suffix("")
    return next((str(each) for each in (path, *path.parents) if str(each) in named), "")


def imported(tree: ast.AST) -> set[str]:
    """Return the dotted names that the nodes of a tree import."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def at_module_level(tree: ast.Module) -> set[str]:
    """Return what a module imports when it is itself imported."""
    outside = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) and not is_for_types(node)
    ]
    return imported(ast.Module(outside, []))


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of a cycle of imports; none if there is no cycle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_import_cycles() -> None:
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in MODULES
    }
    graph = {}
    for name, path in names.items():
        tree = ast.parse(path.read_text())
        run = imported(ast.Module([node for node in tree.body if not is_for_types(node)], []))
        graph[name] = {known for each in run for known in (each, each.rpartition(".")[0]) if known in names}
    assert graph["convcli.cli.commands.match"] >= {"convcli.cli.file_run", "convcli.analysis.template_search"}
    assert circle(graph) == []
    assert circle({**graph, "convcli.errors": {"convcli.cli"}})


def test_no_two_files_have_one_name() -> None:
    folders: dict[str, set[str]] = {}
    for module in MODULES:
        folders.setdefault(module.name, set()).add(str(module.relative_to(PACKAGE).parent))
    del folders["__init__.py"]
    assert {name: where for name, where in folders.items() if len(where) > 1} == SHARED_NAMES


def test_no_folder_has_the_name_of_another_or_of_a_file() -> None:
    folders = [module.parent.name for module in MODULES if module.name == "__init__.py"]
    assert sorted(folders) == sorted(set(folders))
    # the commands that list them
    assert {module.stem for module in MODULES} & set(folders) == {"kernels", "networks"}


def test_every_command_has_a_file_that_nothing_else_imports() -> None:
    files = {path.stem for path in (PACKAGE / "cli" / "commands").glob("*.py")} - {"__init__"}
    assert files == set(COMMANDS)
    for module in MODULES:
        names = imported(ast.parse(module.read_text()))
        assert not any(name.startswith("convcli.cli.commands") for name in names), module


def test_the_tests_are_in_the_folders_of_their_modules() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    assert {str(each) for each in folders if not (PACKAGE / each).is_dir()} == {"benchmarks"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_in_one_direction_and_heavy_packages_are_imported_where_they_are_used(
    module: Path,
) -> None:
    tree = ast.parse(module.read_text())
    rooms = {name.split(".")[1] for name in imported(tree) if name.startswith("convcli.")}
    where = room(module, ALLOWED)
    own = {"errors", "cores", "__version__", *ALLOWED[where]}
    assert rooms <= own, f"{where} may not import {rooms - own}"
    heavy = {name.split(".")[0] for name in at_module_level(tree)} & HEAVY
    assert heavy <= WELCOME.get(room(module, WELCOME), set())


def test_a_network_that_is_only_counted_loads_no_operator() -> None:
    for module in (PACKAGE / "networks").rglob("*.py"):
        names = at_module_level(ast.parse(module.read_text()))
        assert not any(name.startswith(("convcli.backend", "convcli.kernels")) for name in names), module


def modules(code: str, *arguments: str) -> set[str]:
    """Run code in a fresh interpreter; return the modules that it loaded."""
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('LOADED', *sys.modules)", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.rpartition("LOADED")[2].split())


def loaded(*arguments: str) -> set[str]:
    """Run the command line; return the packages that it loaded, and those inside convcli."""
    code = (
        "from convcli.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code"
    )
    names = modules(code, *arguments)
    return {name.partition(".")[0] for name in names} | {
        ".".join(name.split(".")[:2]) for name in names if name.startswith("convcli.")
    }


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "--version",
        "filter --help",
        "shape --n 7 --k 3 --s 2 --p 1",
        "params --in 64 --out 128 --k 3",
        "cost --n 112 --in 64 --out 128 --k 3",
        "compare --n 112 --in 64 --out 128 --k 3",
        "compare --n 112 --in 64 --out 128 --k 3 --format json",
        "cost resnet-50 --training --roofline peak=1T,bandwidth=100G",
        "params resnet-50",
        "compare mobilenet-v1 --variants standard",
        "networks",
    ],
)
def test_calculators_load_no_arrays(line: str) -> None:
    assert not loaded(*line.split()) & {"numpy", "scipy", "PIL", "rich"}


@pytest.mark.parametrize("command", ["shape", "params", "cost", "compare"])
def test_a_layer_on_paper_loads_nothing_that_reads_or_filters_pictures(command: str) -> None:
    used = loaded(command, "--n", "112", "--k", "3")
    assert "convcli.layers" in used
    assert not used & {"convcli.jobs", "convcli.kernels", "convcli.filters", "convcli.backend"}


def test_filter_loads_no_scipy(tmp_path: Path) -> None:
    packages = loaded(
        "filter", str(SAMPLES / "house.png"), "--kernel", "sobel", "-o", str(tmp_path / "x.png")
    )
    assert {"numpy", "PIL"} <= packages
    assert not packages & {"scipy", "rich"}


def test_a_picture_without_metadata_loads_no_reader_of_metadata() -> None:
    names = modules(
        "from pathlib import Path\n"
        "from convcli.images.read import read_picture\n"
        "from convcli.images.write import encode\n"
        "encode(read_picture(Path(sys.argv[1])), 'PNG', 'out')",
        str(SAMPLES / "house.png"),
    )
    found = {name.rpartition(".")[2] for name in names if name.startswith("convcli.images.metadata.")}
    assert found == {"found", "names", "pixel_chunks", "read_metadata", "table", "words", "write_metadata"}
    assert "pyexpat" not in names


def test_importing_convcli_loads_nothing() -> None:
    assert {name for name in modules("import convcli") if name.startswith("convcli")} == {"convcli"}


def test_a_convolution_imports_no_other_layer() -> None:
    names = modules(
        "from convcli.layers import VARIANTS, Conv\n"
        "from convcli.networks.rows import rows\n"
        "from convcli.layers.text.explain import size_lines\n"
        "layer = Conv(in_channels=3, out_channels=8, kernel_size=3, padding=1)\n"
        "rows(VARIANTS['depthwise-separable'](layer), (3, 9, 9)); size_lines(layer, (3, 9, 9))"
    )
    assert not names & {*HEAVY, "json", "fractions", "decimal", "textwrap", "difflib"}
    others = ("pool", "other", "activation", "transposed", "unshared", "deform", "text.chain_grammar")
    assert not names & {f"convcli.layers.{name}" for name in others}


def test_operators_load_no_scipy() -> None:
    names = modules(
        "import numpy as np\n"
        "from convcli import backend\n"
        "for method in ('auto', 'direct', 'gemm', 'separable', 'fft'):\n"
        "    backend.conv(np.ones((1, 1, 9, 9)), np.ones((1, 1, 3, 3)), method=method)\n"
        "backend.activation(np.ones((1, 1)), 'mish')"
    )
    assert not names & {"scipy", "PIL", "click", "rich", "difflib"}
