"""The inputs of a run: files, folders, patterns and lists, in order, without duplicates; and what is skipped."""

import glob
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.jobs.find import InputError, Inputs
from convcli.jobs.search import Choice, Patterns, Search, split_pattern
from tests.conftest import SAMPLES, Call, one_error
from tests.examples import examples

HOUSE = (SAMPLES / "house.png").read_bytes()
Program = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"")


def gathered(*names: str, output: str | None = None, **options: object) -> list[str]:
    """Return the inputs as strings; those with errors begin with !."""
    sources = Inputs(names, **options).find(output, "sobel").sources
    return [f"!{source.problem}" if source.problem else str(source.path) for source in sources]


def passed_over(*names: str, output: str | None = None, **options: object) -> list[str]:
    """Return the notes about skipped files."""
    return Inputs(names, **options).find(output, "sobel").notes


# Folders


def test_a_folder_gives_its_pictures_sorted_by_the_bytes_of_their_names(here: Path) -> None:
    touch("in/b.png", "in/B.JPG", "in/é.tiff", "in/a.webp", "in/notes.txt", "in/deep/c.png", "in/.hidden.png")
    assert gathered("in") == ["in/B.JPG", "in/a.webp", "in/b.png", "in/é.tiff"]
    assert gathered("in/") == gathered("in")
    assert gathered("in", recursive=True) == [
        "in/B.JPG",
        "in/a.webp",
        "in/b.png",
        "in/deep/c.png",
        "in/é.tiff",
    ]


def test_bytes_and_not_letters_are_sorted(here: Path) -> None:
    names = [os.fsdecode(b"\xef\xbd\x9e.png"), os.fsdecode(b"\xff.png")]
    touch(*names)
    assert sorted(names) != names
    assert gathered(".") == names


def test_the_working_directory_has_relative_names(here: Path) -> None:
    touch("a.png", "deep/b.png")
    (here / "gone.png").symlink_to("nowhere")
    assert gathered(".", recursive=True) == ["a.png", "deep/b.png"]
    assert passed_over(".", recursive=True) == ["skipped broken links: gone.png"]
    assert gathered(str(here)) == [f"{here}/a.png"]


def test_the_order_is_that_of_the_command_line_and_each_comes_once(here: Path) -> None:
    touch("in/a.png", "in/b.png", "c.png")
    (here / "again").symlink_to("in")
    assert gathered("c.png", "in/b.png", "in", "c.png", "./in/../c.png", "again/a.png") == [
        "c.png",
        "in/b.png",
        "in/a.png",
    ]


def test_a_link_to_a_file_is_an_input_of_its_own(here: Path) -> None:
    touch("in/a.png")
    (here / "in/link.png").symlink_to("a.png")
    assert gathered("in") == ["in/a.png", "in/link.png"]


def test_cycles_of_links_end(here: Path) -> None:
    touch("in/a.png", "in/deep/b.png")
    for name in ("one", "two", "three"):
        (here / "in/deep" / name).symlink_to("..")
        (here / "in" / name).symlink_to(".")
    assert gathered("in", recursive=True) == ["in/a.png", "in/deep/b.png"]
    assert passed_over("in", recursive=True) == [
        "skipped links to folders: in/deep/one, in/deep/three, in/deep/two and 3 more"
    ]
    assert gathered("in/**/*.png") == ["in/a.png", "in/deep/b.png"]
    assert gathered("in/one", recursive=True) == [
        "in/one/a.png",
        "in/one/deep/b.png",
    ]  # links that are named are followed


def test_special_files_are_skipped_with_a_note(here: Path) -> None:
    touch("in/a.png")
    os.mkfifo("in/pipe.png")
    (here / "in/gone.png").symlink_to("nowhere")
    (here / "in/self.png").symlink_to("self.png")
    (here / "in/null.png").symlink_to("/dev/null")
    (here / "in/folder.png").mkdir()
    assert gathered("in") == ["in/a.png"]
    assert passed_over("in") == [
        "skipped broken links: in/gone.png, in/self.png",
        "skipped pipes and devices: in/null.png, in/pipe.png",
    ]


def test_a_folder_that_cannot_be_listed_is_a_failure_and_the_others_continue(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch("in/a.png", "in/shut/b.png", "in/z.png")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if path.endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("os.scandir", refusing)
    problem = "!cannot read the folder in/shut: Permission denied; its pictures are left out"
    assert gathered("in", recursive=True) == ["in/a.png", "in/z.png", problem]
    assert gathered("in/**/*.png") == ["in/a.png", "in/z.png", problem]
    assert gathered("in/shut", "in/a.png") == [problem, "in/a.png"]
    touch("only/shut/a.png")
    assert gathered("only", recursive=True) == [problem.replace("in/", "only/", 1)]


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ("empty", {}, "cannot read empty: there is no picture in it"),
        ("deep", {}, "cannot read deep: there is no picture in it; give `recursive` to search its 1 folder too"),
        ("text", {}, "cannot read text: its 2 files do not have the ending of a picture, such as .png or .jpg"),
        ("in", {"include": ("*.gif",)}, "cannot read in: `include` and `exclude` leave none of its 1 picture"),
        ("in/*.gif", {}, "no file matches it as a pattern; check the spelling and the folder"),
        ("none/*.gif", {}, "no file matches it as a pattern; check the spelling and the folder"),
    ],
)  # fmt: skip
def test_an_argument_without_pictures_is_a_failure_with_a_reason(
    here: Path, names: str, options: dict[str, object], message: str
) -> None:
    touch("in/a.png", "deep/in/a.png", "text/a.txt", "text/b.txt", "empty/.hidden.png")
    (problem,) = gathered(names, **options)
    assert problem.startswith("!")
    assert message in problem


def test_an_empty_folder_fails_alone(call: Call, here: Path) -> None:
    touch("empty/notes.txt")
    Path("a.png").write_bytes(HOUSE)
    result = call("filter", "empty", "a.png", "no*.png", "--kernel", "box")
    assert (result.code, result.out) == (1, "a.box.png\n")
    first, second, summary = result.err.splitlines()
    assert summary.startswith("convcli: 1 done, 2 failed; ")
    assert first.startswith(
        "convcli: error: cannot read empty: its only file does not have the ending of a picture"
    )
    assert second.startswith(
        "convcli: error: cannot read no*.png: there is no such file, and no file matches"
    )


# Outputs of earlier runs


def test_a_second_run_does_not_take_the_outputs_of_the_first(call: Call, here: Path) -> None:
    for name in ("in/a.png", "in/deep/b.png"):
        touch(name)
        Path(name).write_bytes(HOUSE)
    run = ["filter", "in", "--recursive", "--kernel"]
    assert call(*run, "box").out.split() == ["in/a.box.png", "in/deep/b.box.png"]
    again = call(*run, "sobel")
    assert again.out.split() == ["in/a.sobel.png", "in/deep/b.sobel.png"]
    assert (
        "skipped outputs of earlier runs (name them to filter them): in/a.box.png, in/deep/b.box.png\n"
        in again.err
    )
    third = call(*run, "box", "--skip-existing", "-q")
    assert third == (0, "", "")
    assert call(*run, "box", "-k", "sobel").out.split() == [
        "in/a.box-sobel.png",
        "in/deep/b.box-sobel.png",
    ]
    assert call(*run, "box", "-q").code == 1  # the outputs exist: 2 errors, no further files
    assert len(list(here.rglob("*.png"))) == 2 * 4


def test_a_file_named_like_an_output_is_an_input_without_its_original(here: Path) -> None:
    touch("in/a.png", "in/a.sobel.png", "in/b.box.png", "in/a.box.jpg", "in/a.my.png")
    assert gathered("in") == ["in/a.box.jpg", "in/a.my.png", "in/a.png", "in/b.box.png"]
    assert gathered("in/*.sobel.png") == ["in/a.sobel.png"]
    assert gathered("in", include=("*.sobel.png",)) == ["in/a.sobel.png"]
    assert gathered("in/a.png", "in/a.sobel.png") == ["in/a.png", "in/a.sobel.png"]
    assert "in/a.sobel.png" in gathered("in", "in/a.sobel.png")
    assert "in/a.sobel.png" in gathered("in/a.sobel.png", "in")
    assert gathered("in/a.sobel.png", "in/*.jpg", "in/a.png")[0] == "in/a.sobel.png"


@pytest.mark.parametrize(
    "output",
    ["in/out/", "in/out", "in/out/{parent}/{name}", "in/{kernel}/{parent}/{name}", "./in/../in/out/"],
)
def test_the_folder_of_the_outputs_is_not_searched(here: Path, output: str) -> None:
    shut = "in/sobel" if "{kernel}" in output else "in/out"
    touch("in/a.png", "in/deep/b.png", f"{shut}/a.png", f"{shut}/deep/b.png")
    for names, options in ((["in"], {"recursive": True}), (["in/**"], {})):
        assert gathered(*names, output=output, **options) == ["in/a.png", "in/deep/b.png"]
        reported = passed_over(*names, output=output, **options)
        assert reported == [f"did not search the folder of the outputs: {shut}"]
    assert gathered(shut, output=output) == [f"{shut}/a.png"]  # unless it is an argument


# Patterns


def test_a_pattern_that_the_shell_did_not_expand(here: Path) -> None:
    touch("in/a.png", "in/b.jpg", "in/c.txt", "in/.h.png", "in/x/a.png", "in/x/y/a.png")
    assert gathered("in/*.png") == ["in/a.png"]
    assert gathered("in/*") == ["in/a.png", "in/b.jpg"]
    assert gathered("in/?.[jp]*g") == ["in/a.png", "in/b.jpg"]
    assert gathered("in/*/a.png") == ["in/x/a.png"]
    assert gathered("in/**/a.png") == ["in/a.png", "in/x/a.png", "in/x/y/a.png"]
    assert gathered("**") == ["in/a.png", "in/b.jpg", "in/x/a.png", "in/x/y/a.png"]
    assert gathered("in/x*/../*.png") == ["in/x/../a.png"]
    assert gathered("in/.*") == ["in/.h.png"]
    assert gathered(f"{here}/in/x/*") == [f"{here}/in/x/a.png"]


def test_a_file_whose_name_has_wildcards_takes_precedence(here: Path) -> None:
    touch("a[1].png", "a1.png", "*.png")
    assert gathered("a[1].png") == ["a[1].png"]
    assert gathered("*.png") == ["*.png"]
    assert gathered("?*.png") == ["*.png", "a1.png", "a[1].png"]


def test_hundreds_of_folders_deep(here: Path) -> None:
    deep = "/".join("d" * 600)
    touch(f"{deep}/a.png")
    assert gathered("d", recursive=True) == [f"{deep}/a.png"]
    assert gathered("**/d/**/d/**/*.png") == [f"{deep}/a.png"]


@settings(max_examples=examples(60))
@given(data=st.data())
def test_patterns_equal_the_standard_library(data: st.DataObject) -> None:
    names = st.sampled_from(["a", "b", "ab", ".h", "[a]"])
    files = st.sampled_from(["a.png", "b.gif", "a.txt", ".h.png", "ab.JPG", "*.png"])
    paths = data.draw(st.lists(st.tuples(st.lists(names, max_size=3), files), max_size=8))
    parts = st.sampled_from(["**", "*", "a", "a*", "?", "[a]", "[!a]", ".*", "b"])
    pattern = "/".join(
        [
            *data.draw(st.lists(parts, max_size=4)),
            data.draw(st.sampled_from(["*", "*.png", "**", "a*", "?.*"])),
        ]
    )
    with tempfile.TemporaryDirectory() as name:
        for folders, file in paths:
            path = Path(name, *folders, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        root, split = split_pattern(f"{name}/{pattern}")
        search = Search(root, Choice(Patterns(()), Patterns(())))
        found = [search.path(below) for below in search.below(split)]
        expected = {
            path
            for path in glob.glob(f"{name}/{pattern}", recursive=True)  # noqa: PTH207  # which finds no hidden ones
            if Path(path).is_file() and path.lower().endswith((".png", ".gif", ".jpg"))
        }
    assert found == sorted(expected, key=os.fsencode)


# --include, --exclude


def test_include_and_exclude_choose_by_name_or_path(here: Path) -> None:
    touch("in/a.png", "in/b.png", "in/thumbs/a.png", "in/deep/thumbs/b.png", "in/deep/a.png")
    everything = {"recursive": True}
    assert gathered("in", include=("a.*",), **everything) == ["in/a.png", "in/deep/a.png", "in/thumbs/a.png"]
    assert gathered("in", exclude=("thumbs",), **everything) == ["in/a.png", "in/b.png", "in/deep/a.png"]
    assert gathered("in", exclude=("thumbs/",), **everything) == ["in/a.png", "in/b.png", "in/deep/a.png"]
    assert gathered("in", exclude=("deep/*",), **everything) == ["in/a.png", "in/b.png", "in/thumbs/a.png"]
    assert gathered("in", exclude=("in/deep/*",), **everything) == ["in/a.png", "in/b.png", "in/thumbs/a.png"]
    assert gathered("in", include=("*a.*", "*b.*"), exclude=("*/thumbs/*", "b.*"), **everything) == [
        "in/a.png",
        "in/deep/a.png",
    ]


def test_include_and_exclude_ignore_case(here: Path) -> None:
    for name in ("IMG 2 (copy).JPG", "b.jpg", "c.Png", "Thumbs/d.jpg"):
        (here / "cards" / name).parent.mkdir(parents=True, exist_ok=True)
        (here / "cards" / name).write_bytes(b"")
    taken = ["cards/IMG 2 (copy).JPG", "cards/b.jpg"]
    assert gathered("cards", include=("*.jpg",), exclude=("thumbs",), recursive=True) == taken
    assert gathered("cards", include=("IMG*.jpg", "CARDS/B.*"), recursive=True) == taken
    assert gathered("cards/IMG 2 (copy).JPG", "cards/c.Png", exclude=("*.PNG",)) == taken[:1]
    assert gathered("cards/*.jpg") == taken[1:]  # a pattern of inputs matches as in a shell


def test_include_and_exclude_apply_to_named_files(here: Path) -> None:
    touch("a.png", "a.sobel.png", "notes.txt")
    assert gathered("a.png", "a.sobel.png", "notes.txt", "none.png", exclude=("*.*.png", "n*")) == ["a.png"]
    with pytest.raises(
        InputError, match=r"`include` and `exclude` leave none of the inputs; make the patterns less strict"
    ):
        gathered("a.png", exclude=("*",))


# --files-from


def listing(data: bytes) -> str:
    Path("list").write_bytes(data)
    return "list"


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"b.png\na.png\n", ["b.png", "a.png"]),
        (b"b.png\n\n a.png \nlast.png", ["b.png", " a.png ", "last.png"]),
        (b"b.png\r\na.png\r\n", ["b.png", "a.png"]),
        (b"b.png\r\na.png\n", ["b.png\r", "a.png"]),
        (b"b\n.png\0-a.png\0", ["b\n.png", "-a.png"]),
        (b"one.png\0", ["one.png"]),
        (b"one.png", ["one.png"]),
        (b"#1.png\n-\n*.png\n", ["#1.png", "-", "*.png"]),
        (b"caf\xe9.png\n", ["caf\udce9.png"]),
        (b"a.png\nb.png\na.png\n./b.png\n", ["a.png", "b.png"]),
    ],
)
def test_a_list_is_read_literally(here: Path, data: bytes, names: list[str]) -> None:
    assert gathered(files_from=listing(data)) == names


def test_a_list_follows_the_names_and_may_name_folders(here: Path) -> None:
    touch("in/a.png", "in/b.png", "c.png")
    assert gathered("in/b.png", files_from=listing(b"in\nc.png\n")) == ["in/b.png", "in/a.png", "c.png"]


def test_a_name_and_a_list_are_both_filtered(call: Call, here: Path) -> None:
    for name in ("a.png", "b.png"):
        Path(name).write_bytes(HOUSE)
    result = call("filter", "a.png", "--files-from", listing(b"b.png\n"), "--kernel", "box")
    assert (result.code, result.out) == (0, "a.box.png\nb.box.png\n")


def test_wrong_lists(call: Call, here: Path) -> None:
    result = call("filter", "--files-from", "none", "--kernel", "box")
    assert result.code == 1
    assert one_error(result) == "--files-from: cannot read none: No such file or directory"
    for data in (b"", b"\n\n", b"\0"):
        result = call("filter", "--files-from", listing(data), "--kernel", "box")
        assert result.code == 1
        assert one_error(result) == "--files-from list: the list names no files"
    result = call("filter", "-", "--files-from", "-", "--kernel", "box")
    assert result.code == 2
    assert "would both read standard input; leave one of them out" in one_error(result)


def test_no_input_is_wrong_usage(call: Call, here: Path) -> None:
    for words, message in (
        ([], "no input is given; name pictures, folders"),
        ([""], "the name of an input is empty"),
    ):
        result = call("filter", *words, "--kernel", "box")
        assert result.code == 2
        assert message in one_error(result)
    with pytest.raises(ArgumentError):
        gathered()


# Real processes, and names of all kinds

NAMES = [
    b"line\nbreak.png",
    b"tab\there.png",
    b"-dash.png",
    b"--kernel.png",
    b" spaces .png",
    b"end.png ",
    b"caf\xe9.png",
    b"quote'\".png",
    b"\x1b[31mred.png",
    b"*.png",
    b"x" * 247 + b".png",
    b"{stem}.png",
]


@pytest.mark.parametrize("separator", [b"\0", b"\n"], ids=["nul", "lines"])
def test_names_of_all_kinds_come_by_a_pipe(program: Program, tmp_path: Path, separator: bytes) -> None:
    names = [name for name in NAMES if separator not in name]
    (tmp_path / "in").mkdir()
    for name in names:
        (tmp_path / "in" / os.fsdecode(name)).write_bytes(HOUSE)
    listed = separator.join(b"in/" + name for name in names) + separator
    run = program(
        "filter", "--files-from", "-", "--kernel", "box", "-o", "out/", "--exclude", "* ", input=listed
    )
    assert run.returncode == 0, run.stderr
    written = [name for name in names if not name.endswith(b" ")]
    assert run.stdout == b"".join(b"out/" + name + b"\n" for name in written)
    assert sorted(os.listdir(os.fsencode(tmp_path / "out"))) == sorted(written)


def test_names_of_all_kinds_in_a_folder_and_in_messages(program: Program, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in NAMES:
        (tmp_path / "in" / os.fsdecode(name)).write_bytes(b"no picture")
    run = program("filter", "in", "--kernel", "box", "-o", "out/", "-q")
    assert run.returncode == 1
    assert run.stdout == b""
    lines = run.stderr.decode().splitlines()
    assert len(lines) == len(NAMES) - 1  # the name that ends in a space has no extension of a picture
    assert all(line.startswith("convcli: error: cannot read in/") for line in lines)
    for shown in (r"in/line\nbreak.png:", r"in/tab\there.png:", r"in/caf\udce9.png:", r"in/\x1b[31mred.png:"):
        assert any(shown in line for line in lines), shown
    assert not (tmp_path / "out").exists()


def test_dashes_in_front(program: Program, tmp_path: Path) -> None:
    for name in ("-a.png", "--recursive"):
        (tmp_path / name).write_bytes(HOUSE)
    run = program("filter", "--kernel", "box", "-o", "out.png", "--", "--recursive")
    assert (run.returncode, run.stdout) == (0, b"out.png\n")
    run = program("filter", "--kernel", "box", "--", "*.png")
    assert (run.returncode, run.stdout) == (0, b"-a.box.png\nout.box.png\n")


def test_a_pipe_or_device_that_is_named_is_read(program: Program, tmp_path: Path) -> None:
    run = program("filter", "/dev/stdin", "--kernel", "box", "-o", "x.png", input=HOUSE)
    assert (run.returncode, run.stdout) == (0, b"x.png\n")
