"""Words without quotation marks, and inputs that belong to an option, are answered with what to type."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from convcli.cli.unquoted_words import doubtful_input, quoted_path
from tests.conftest import SAMPLES, Call, one_error

HOUSE = (SAMPLES / "house.png").read_bytes()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files whose names have spaces."""
    for name in ("a.png", "my photos/IMG 0.png", "my mask.png", "out.png/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(HOUSE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(call: Call, here: Path) -> Callable[[str], str]:
    """Run a command line that is wrong usage, and return its error."""

    def run(line: str) -> str:
        before = sorted(here.rglob("*"))
        result = call(*shlex.split(line))
        assert (result.code, result.out) == (2, "")
        assert sorted(here.rglob("*")) == before
        return one_error(result)

    return run


def test_a_path_in_several_words_is_quoted(refused: Callable[[str], str]) -> None:
    for line, path in (
        ("filter my photos/IMG 0.png --kernel sobel", "my photos/IMG 0.png"),
        ("filter -k sobel a.png my photos -o x/", "my photos"),
        ("filter a.png -k sobel --mask my mask.png", "my mask.png"),
        ("filter a.png --mask=my mask.png -k sobel", "my mask.png"),
        ("diff my photos/IMG 0.png a.png", "my photos/IMG 0.png"),
    ):
        assert f"there is no 'my', but {path!r} exists; quote a path with spaces: {path!r}" in refused(line)


def test_an_output_in_several_words_is_quoted(refused: Callable[[str], str]) -> None:
    for line, word, way in (
        ("filter a.png -k box -o my new.png", "new.png", "-o 'my new.png'"),
        ("filter a.png --output=my new out/ -k box", "out/", "--output 'my new out/'"),
        ("filter a.png -k box -o x.png --report my run.jsonl", "run.jsonl", "--report 'my run.jsonl'"),
        ("draw -k 3 -o my conv.gif", "conv.gif", "-o 'my conv.gif'"),
        ("learn a.png out.png/b.png -o my kernel2.json --size 3", "kernel2.json", "-o 'my kernel2.json'"),
        ("diff out.png out.png -o my maps/", "maps/", "-o 'my maps/'"),
        ("shape -n 9 -k 3 -o a table.csv", "table.csv", "-o 'a table.csv'"),
    ):
        assert f"there is no {word!r}; did you mean {way}? quote a path with spaces" in refused(line)


def test_words_after_an_output_that_are_inputs(call: Call, here: Path) -> None:
    (here / "out").mkdir()
    (here / "out/c.png").write_bytes(HOUSE)
    run = call("filter", "a.png", "-k", "box", "-o", "small", "out/")
    note = (
        "convcli: out/ is an input, and the output is small; if it is small out/, quote it: -o 'small out/'\n"
    )
    assert (run.code, run.err.splitlines(keepends=True)[0]) == (0, note)
    for words in (("-o", "big", "a.png", "out/"), ("a.png", "-o", "large", "out"), ("-o", "huge", "out/")):
        run = call("filter", "-k", "box", *words, "-q")
        assert (run.code, run.err) == (0, "")
        assert doubtful_input(words, ["-o"], [word for word in words if word.startswith(("a", "out"))]) == ""
    missing = call("filter", "-k", "box", "a.png", "-o", "made.png", "none.png")
    assert "would both be written to made.png" in missing.err


def test_a_command_that_is_suggested_quotes_its_path(refused: Callable[[str], str]) -> None:
    assert "a command comes before files: convcli filter 'my photos/IMG 0.png' --kernel sobel" in refused(
        "'my photos/IMG 0.png'"
    )


def test_words_that_exist_or_belong_to_options_are_not_joined(call: Call, here: Path) -> None:
    (here / "sobel a.png").write_bytes(HOUSE)
    (here / "a.png b.png").write_bytes(HOUSE)
    (here / "b.png").write_bytes(HOUSE)
    assert quoted_path(["-k", "sobel", "a.png"]) == ""
    assert quoted_path(["a.png", "b.png"]) == ""
    assert call("filter", "-k", "sobel", "a.png", "b.png", "-o", "made/").code == 0


def test_a_missing_input_is_missing_also_without_an_ending(call: Call, here: Path) -> None:
    result = call("filter", "my photo", "a.png", "--kernel", "box")
    assert result.code == 1
    assert "cannot read my photo: there is no such file or folder; check the spelling" in result.err
    assert result.out == "a.box.png\n"
    (here / "bare").write_bytes(HOUSE)
    assert "bare has no ending, from which the format of its output is taken" in one_error(
        call("filter", "bare", "--kernel", "box")
    )


def test_numbers_of_a_kernel_are_quoted(refused: Callable[[str], str]) -> None:
    for line, kernel in (
        ("filter a.png --kernel 1 4 6 4 1 -o k7.png", "--kernel '1 4 6 4 1'"),
        ("filter --kernel 0 -1 0 a.png", "--kernel '0 -1 0'"),
        ("filter --kernel=1 2 '3;' 4 a.png", "--kernel '1 2 3; 4'"),
        ("filter a.png -k box -k .5 1/2 -3e-2", "-k '.5 1/2 -3e-2'"),
    ):
        assert f"the numbers of a kernel are one word; quote them: {kernel}" in refused(line)


def test_numbers_of_a_rectangle_are_one_word(refused: Callable[[str], str]) -> None:
    for words in ("--only 190 70 120 140", "--only=190, 70, 120, 140", "--only '190 70 120 140'"):
        assert "did you mean" in (error := refused(f"filter a.png -k box {words}"))
        assert "190,70,120,140?" in error
    assert "did you mean --explain 5,7?" in refused("filter a.png -k box --explain 5 7")


def test_a_named_kernel_and_its_arguments_are_one_word(refused: Callable[[str], str]) -> None:
    for line, kernel in (
        ("filter a.png -k gaussian sigma=2", "-k gaussian:sigma=2"),
        ("filter a.png --kernel gaussian 2 -o k7.png", "--kernel gaussian:2"),
        ("filter a.png --kernel sobel box", "--kernel 'sobel; box'"),
    ):
        assert f"a kernel is one word; did you mean {kernel}?" in refused(line)


def test_inputs_that_belong_to_an_option(refused: Callable[[str], str], here: Path) -> None:
    (here / "my list.txt").write_text("a.png\nmy photos/IMG 0.png\n")
    (here / "net.onnx").write_bytes(b"")
    listed = "is a list of names, not a picture; give it as --files-from 'my list.txt'"
    assert f"my list.txt {listed}" in refused("filter 'my list.txt' -k box")
    assert f"@my list.txt {listed}" in refused("filter '@my list.txt' -k box")
    assert "net.onnx is a network, not a picture; give it as --network net.onnx" in refused(
        "filter a.png net.onnx"
    )
    assert "resnet-18 is a network, not a picture; give it as --network resnet-18" in refused(
        "filter a.png resnet-18 -k box"
    )
    assert "if it is the output of a.png, give -o 'b c.png'" in refused("filter a.png 'b c.png' -k box")
    assert "write 'my out.png' for a file, or 'my out/' for a folder" in refused(
        "filter a.png -k box -o 'my out'"
    )


def test_matrices_and_files_named_with_an_at_sign_are_inputs(call: Call, here: Path) -> None:
    (here / "m.txt").write_text("1 2\n3 4\n")
    (here / "@a.png").write_bytes(HOUSE)
    assert call("filter", "m.txt", "@a.png", "-k", "box", "-o", "made/").code == 0


def test_converting_names_the_kernel_and_the_output(refused: Callable[[str], str]) -> None:
    assert (
        "there is nothing to run; give --kernel or --weights, such as --kernel sobel; to convert only, add "
        "--kernel identity" in refused("filter a.png -o p.webp")
    )
    assert "use the ending of the output, as in -o NAME.webp or -o 'out/{stem}.webp'" in refused(
        "filter a.png --format webp"
    )


def test_a_run_in_which_nothing_was_done_has_no_speed(call: Call, here: Path) -> None:
    result = call("filter", "x.png", "y.png", "-k", "box", "-o", "made/")
    assert (result.code, result.err.splitlines()[-1]) == (
        1,
        "convcli: 0 done, 2 failed; failed: x.png, y.png",
    )


def test_a_list_of_another_folder(call: Call, here: Path) -> None:
    (here / "list").write_text("IMG 0.png\n")  # as by ls in the folder
    result = call("filter", "--files-from", "list", "-k", "box", "-o", "made/")
    note = "convcli: no file of the list exists; its names are relative to the current folder"
    assert (result.code, result.err.splitlines()[0]) == (1, note)
    (here / "list").write_text("IMG 0.png\na.png\n")
    assert "relative to" not in call("filter", "--files-from", "list", "-k", "box", "-o", "made/").err


def test_comments_in_a_list_are_names(call: Call, here: Path) -> None:
    (here / "list.txt").write_text("# my pictures\na.png\n")
    result = call("filter", "--files-from", "list.txt", "-k", "box", "-o", "made/")
    assert result.code == 1
    assert (
        "cannot read # my pictures: there is no such file, and every line of a list is a name" in result.err
    )
    (here / "# my pictures").write_bytes(HOUSE)
    assert (
        call("filter", "--files-from", "list.txt", "-k", "box", "-o", "-", "--dry-run").code == 2
    )  # both are found
