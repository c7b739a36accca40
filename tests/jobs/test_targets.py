"""Where outputs are written: unique paths, no input overwritten; existing outputs are skipped or replaced."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.jobs import collisions
from convcli.jobs.job import DASH, Job, Source
from convcli.jobs.targets import jobs_for
from tests.conftest import SAMPLES, Call, one_error

HOUSE = (SAMPLES / "house.png").read_bytes()
Program = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with three pictures in a tree."""
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.png", "in/deep/a.png", "in/deep/er/b.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(HOUSE)
    return tmp_path


def filtered(call: Call, *words: str) -> list[str]:
    code, out, err = call("filter", *words, "--kernel", "box")
    assert code == 0
    assert all(line.startswith(f"convcli: {len(out.splitlines())} done; ") for line in err.splitlines())
    return out.splitlines()


# Trees


@pytest.mark.parametrize("output", ["out/", "out", "out/{below}/{name}"])
def test_a_folder_keeps_its_tree(call: Call, here: Path, output: str) -> None:
    assert filtered(call, "in", "--recursive", "-o", output) == [
        "out/a.png",
        "out/deep/a.png",
        "out/deep/er/b.png",
    ]
    assert [path.name for path in (here / "out").rglob("*") if path.is_dir()] == ["deep", "er"]


def test_folders_are_made_only_for_what_is_written(call: Call, here: Path) -> None:
    Path("in/deep/er/b.png").write_bytes(b"no picture")
    assert call("filter", "in", "--recursive", "--kernel", "box", "-o", "out/").code == 1
    assert not (here / "out/deep/er").exists()


def test_a_pattern_keeps_the_tree_below_its_first_wildcard(call: Call, here: Path) -> None:
    assert filtered(call, "in/deep/**/*.png", "-o", "out/") == ["out/a.png", "out/er/b.png"]
    assert filtered(call, "in/*/*.png", "-o", "flat/{below}-{name}") == ["flat/deep-a.png"]


def test_a_list_keeps_its_folders_by_the_template(call: Call, here: Path) -> None:
    absolute = str(here / "in/a.png")
    Path("list").write_text(f"{absolute}\nin/deep/a.png\n./in/deep/er/b.png\n")
    assert filtered(call, "--files-from", "list", "-o", "out/{parent}/{stem}-{kernel}{ext}") == [
        f"out{here}/in/a-box.png",
        "out/in/deep/a-box.png",
        "out/in/deep/er/b-box.png",
    ]


def test_a_file_without_a_folder_stays_where_the_template_says(call: Call, here: Path) -> None:
    Path("a.png").write_bytes(HOUSE)
    assert filtered(call, "a.png", "-o", "{parent}/x-{name}") == ["x-a.png"]
    assert filtered(call, "a.png", "-o", "{below}/y-{name}") == ["y-a.png"]


@pytest.mark.parametrize("found", ["in", "in/**/*.png", "list", "absolute", "above"])
def test_a_template_can_write_beside_inputs_that_were_found_in_any_way(
    call: Call, here: Path, found: str
) -> None:
    names, folder = ["in/a", "in/deep/a", "in/deep/er/b"], ""
    Path("list").write_text("\n".join(f"{name}.png" for name in names))
    if found == "above":
        (here / "sub").mkdir()
        os.chdir("sub")
        folder = "../"
    elif found == "absolute":
        folder = f"{here}/"
    words = {"list": ("--files-from", "list"), "in/**/*.png": (found,)}.get(
        found, (f"{folder}in", "--recursive")
    )
    made = filtered(call, *words, "-o", "{parent}/{stem}.{kernel}{ext}")
    assert made == [f"{folder}{name}.box.png" for name in names]


def test_the_advice_for_two_files_of_one_name_works(call: Call, here: Path) -> None:
    inputs = ("in/deep", "in/a.png")
    error = one_error(call("filter", *inputs, "--kernel", "box", "-o", "out/"))
    advice = re.search(r"\(-o '(out/.*)'\)$", error)
    assert advice is not None
    assert filtered(call, *inputs, "-o", advice[1]) == ["out/in/deep/a.png", "out/in/a.png"]


def test_outputs_stay_in_their_folder(call: Call, here: Path) -> None:
    (here / "sub").mkdir()
    os.chdir("sub")
    result = call("filter", "../in/a.png", "--kernel", "box", "-o", "out/{parent}/{name}")
    assert result.code == 2
    assert (
        "../in/a.png cannot keep its folder ../in inside the folder of the outputs; name it without .."
        in one_error(result)
    )


# Collisions


def refused(*sources: str | Source, output: str | None = None, **options: bool) -> str:
    planned = [source if isinstance(source, Source) else Source(Path(source)) for source in sources]
    with pytest.raises(ArgumentError) as error:
        jobs_for(planned, output, "box", **options)
    return str(error.value)


def test_both_inputs_of_one_output_are_named(here: Path) -> None:
    assert refused("in/a.png", "in/deep/a.png", output="out/") == (
        "in/a.png and in/deep/a.png would both be written to out/a.png; use their folders to tell them apart "
        "(`output='out/{parent}/{name}'`)"
    )
    assert refused("in/a.png", "in/b.png", output="x.png") == (
        "in/a.png and in/b.png would both be written to x.png; give a folder (`output='out/'`) or a template "
        "(`output='out/{stem}.{kernel}{ext}'`)"
    )
    assert "would both be written to standard output" in refused("in/a.png", "in/b.png", output="-")


def test_an_output_that_is_another_input_names_both(here: Path) -> None:
    assert refused("in/a.png", "in/a.box.png") == (
        "in/a.png would be written to in/a.box.png, which is an input and would be overwritten; choose another "
        "`output`, or leave out the outputs of earlier runs with `exclude`"
    )
    assert refused("in/a.png", output="in/") == (
        "in/a.png is an input and would be overwritten; choose another `output`, or give "
        "`in_place=True` to replace it"
    )
    (here / "again").symlink_to("in")
    assert "in/a.png would be written to again/a.png" not in refused("in/a.png", output="again/")
    (here / "link.png").symlink_to("in/a.png")
    assert "is an input and would be overwritten" in refused("in/a.png", output="link.png")


def test_an_output_that_is_a_folder_of_outputs(here: Path) -> None:
    message = refused(Source(Path("x/a.png"), ""), Source(Path("x/a.png/b.png"), "a.png"), output="out/")
    assert message.startswith("x/a.png would be written to out/a.png, which is the folder of other outputs")


@pytest.mark.parametrize(
    ("one", "two"), [("A.png", "a.png"), ("straße.png", "STRASSE.png"), ("é.png", "e\u0301.png")]
)
def test_names_that_only_some_file_systems_tell_apart(
    here: Path, monkeypatch: pytest.MonkeyPatch, one: str, two: str
) -> None:
    sources = [Source(Path("x", one)), Source(Path("y", two))]
    monkeypatch.setattr(collisions, "_folds", lambda folder: False)
    assert len(jobs_for(sources, "out/", "box")) == 2
    assert len(jobs_for([*sources, Source(Path("z/other.png"))], "out/", "box")) == 3
    assert "would both be written to" in refused(*sources, Source(Path("z", two)), output="out/")
    monkeypatch.setattr(collisions, "_folds", lambda folder: True)
    assert f"out/{one} (or out/{two}, which is the same file)" in refused(*sources, output="out/")


def test_the_file_system_is_checked_for_case_sensitivity(here: Path) -> None:
    collisions._folds.cache_clear()
    minds = not (here / "IN").exists()
    assert collisions._folds(here / "in") is not minds
    assert collisions._folds(here / "in/not/there") is not minds
    assert collisions._folds(Path("/")) is False


FOLDERS = st.sampled_from(["", "a", "b", "a/b", "a.png", "./a", "b/../a"])
FILES = st.sampled_from(["a.png", "b.png", "A.png", "a.gif", "a.box.png", "a.box.box.png", "b"])
OUTPUTS = st.sampled_from(
    [None, "o/", "a/", "b", "x.png", "o/{name}", "o/{parent}/{name}", "o/{below}/{name}", "{parent}/{stem}.png", "{stem}.{kernel}{ext}",
     "{parent}-{kernel}{ext}", "a/{stem}/{stem}{ext}", "a.png/{name}"]
)  # fmt: skip


@given(st.lists(st.tuples(FOLDERS, FILES, st.booleans()), max_size=4), OUTPUTS)
def test_outputs_differ_from_each_other_and_from_inputs_or_are_rejected(
    inputs: list[tuple[str, str, bool]], output: str | None
) -> None:
    sources = {}
    for folder, name, searched in inputs:
        path = Path("/nowhere", folder, name)
        below = os.path.normpath(folder) if searched and folder else "" if searched else None
        sources.setdefault(os.path.normpath(path), Source(path, below))
    every = Path("/nowhere/out", output) if output is not None else None
    text = None if every is None else f"{every}/" if output.endswith("/") else str(every)
    try:
        jobs = jobs_for(list(sources.values()), text, "box")
    except ArgumentError as error:
        words = str(error)
        if "without .." in words or "ending" in words or "format" in words:
            return
        jobs = None
    bare = {str(source.path) for source in sources.values() if not source.path.suffix}
    if text is None and bare:
        # Without an ending it has no output, but it does not exist, which is its error.
        assert jobs is None or {str(job.source) for job in jobs if job.problem is not None} == bare
        return
    # The expected target of each input.
    wanted = []
    for source in sources.values():
        stem, ext = source.path.stem, source.path.suffix
        parent = str(source.path.parent).strip("/")
        name = source.path.name
        if text is None:
            where = f"{source.path.parent}/{stem}.box{ext}"
        elif "{" in text:
            fields = {"stem": stem, "ext": ext, "name": name, "parent": parent, "kernel": "box"}
            fields["below"] = source.below or "."
            where = text.format(**fields)
        elif text.endswith("/") or (
            any(each.below is not None for each in sources.values()) and output == "b"
        ):
            where = f"{text}/{source.below or ''}/{name}"
        else:
            where = text
        wanted.append(os.path.normpath(where))
    clashes = (
        len(set(wanted)) < len(wanted)
        or set(wanted) & set(sources)
        or any(one.startswith(f"{two}/") for one in wanted for two in wanted)
    )
    assert (jobs is None) == bool(clashes)
    if jobs is not None:
        assert [os.path.normpath(job.target) for job in jobs] == wanted
        assert [job.source for job in jobs] == [source.path for source in sources.values()]


# --skip-existing


def test_skip_existing_does_the_rest(call: Call, here: Path) -> None:
    run = ["filter", "in", "--recursive", "--kernel", "box", "-o", "out/", "--skip-existing"]
    Path("in/deep/a.png").write_bytes(b"no picture")
    first = call(*run)
    assert (first.code, first.out.split()) == (1, ["out/a.png", "out/deep/er/b.png"])
    before = Path("out/a.png").stat()
    Path("in/deep/a.png").write_bytes(HOUSE)
    second = call(*run, "-v")
    assert (second.code, second.out.split()) == (0, ["out/deep/a.png"])
    assert re.search(r"in/a\.png.* skipped.* out/a\.png exists", second.err)
    assert Path("out/a.png").stat() == before
    assert call(*run, "-q") == (0, "", "")
    assert Path("out/deep/a.png").read_bytes() == Path("out/a.png").read_bytes()
    dry_run = call(*run, "--dry-run")
    assert (dry_run.code, dry_run.out, dry_run.err.count(" exists")) == (0, "", 3)


def test_the_advice_for_existing_outputs_is_printed_once_at_the_end(call: Call, here: Path) -> None:
    run = ["filter", "in", "--recursive", "--kernel", "box", "-o", "out/"]
    assert call(*run).code == 0
    code, out, err = call(*run)
    assert (code, out) == (1, "")
    *errors, summary, hint = err.splitlines()
    assert errors == [
        f"convcli: error: out/{name} exists" for name in ("a.png", "deep/a.png", "deep/er/b.png")
    ]
    assert summary.startswith("convcli: 0 done, 3 failed; ")
    assert (
        hint
        == "convcli: use --skip-existing to skip inputs whose outputs exist, or --force to replace the outputs"
    )
    assert call(*run, "-q").err.splitlines() == errors
    alone = call("filter", "in/a.png", "--kernel", "box", "-o", "out/")
    assert alone.err == "convcli: error: out/a.png exists; give --force to replace it, or another -o\n"


def test_a_dry_run_counts_nothing_as_done(call: Call, here: Path) -> None:
    code, out, err = call("filter", "in", "--recursive", "--kernel", "box", "-o", "out/", "--dry-run")
    assert (code, len(out.splitlines())) == (0, 3)
    assert err == "convcli: 3 would be done\n"
    assert not Path("out").exists()


@pytest.mark.parametrize("words", [("filter", "--kernel", "box"), ("match", "--template", "eye.png")])
def test_outputs_of_a_concurrent_run_are_skipped(
    call: Call, here: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    from convcli.jobs.save import Save

    Path("eye.png").write_bytes(HOUSE)
    whole = Save.write

    def late(self: Save, job: Job, data: bytes) -> None:
        job.target.parent.mkdir(exist_ok=True)
        job.target.write_bytes(b"theirs")
        whole(self, job, data)

    monkeypatch.setattr(Save, "write", late)
    command, *options = words
    run = [command, "in/a.png", *options, "-o", "out/"]
    result = call(*run, "--skip-existing", "-v")
    assert (result.code, result.out) == (0, "")
    assert "in/a.png: skipped, out/a.png exists" in result.err
    assert Path("out/a.png").read_bytes() == b"theirs"
    Path("out/a.png").unlink()
    assert call(*run).code == 1


def test_a_name_that_is_too_long_fails_one_picture(call: Call, here: Path) -> None:
    long = "n" * 250 + ".png"  # .box makes it longer than any file system takes
    (here / "in" / long).write_bytes(HOUSE)
    for _ in range(2):
        result = call("filter", "in", "x" * 300 + ".png", "--kernel", "box", "--skip-existing", "-q")
        assert (result.code, result.err.count("File name too long"), len(result.err.splitlines())) == (
            1,
            2,
            2,
        )
        assert Path("in/a.box.png").is_file()
    left_out = r"\.\.\. \d+ characters \.\.\."
    assert re.search(rf"cannot read x+{left_out}x+\.png: File name too long", result.err)
    assert re.search(rf"cannot write in/n+{left_out}n+\.box\.png: File name too long", result.err)


def test_existing_folders_and_devices_are_no_outputs(call: Call, here: Path) -> None:
    (here / "in/a.box.png").symlink_to("nowhere.png")
    result = call("filter", "in/a.png", "--kernel", "box", "--skip-existing")
    assert result.code == 1
    assert "it is a link" in one_error(result)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "--skip-existing --force",
            "--skip-existing keeps the outputs that --force would replace; give one of them",
        ),
        ("--skip-existing --in-place", "--skip-existing would skip all inputs of --in-place"),
        ("--skip-existing -o -", "--skip-existing applies to files, and -o - writes none"),
        ("--skip-existing -o png:-", "--skip-existing applies to files, and -o png:- writes none"),
        (
            "--in-place -o out/",
            "--in-place replaces the inputs instead of writing to -o out/; give one of them",
        ),
    ],
)
def test_options_that_contradict_each_other(call: Call, here: Path, words: str, message: str) -> None:
    result = call("filter", "in/a.png", *words.split(), "--kernel", "box")
    assert result.code == 2
    assert message in one_error(result)
    assert Path("in/a.png").read_bytes() == HOUSE


# --in-place


def test_in_place_replaces_the_inputs(call: Call, here: Path) -> None:
    Path("in/a.png").chmod(0o640)
    assert filtered(call, "in/a.png", "-o", "expected.png") == ["expected.png"]
    dry_run = call("filter", "in", "--recursive", "--in-place", "--kernel", "box", "--dry-run")
    assert dry_run.out.splitlines()[0].endswith("write in/a.png: PNG, L, 400 wide and 320 high")
    assert Path("in/a.png").read_bytes() == HOUSE
    names = filtered(call, "in", "--recursive", "--in-place")
    assert names == ["in/a.png", "in/deep/a.png", "in/deep/er/b.png"]
    assert {Path(name).read_bytes() for name in names} == {Path("expected.png").read_bytes()}
    assert Path("in/a.png").stat().st_mode & 0o777 == 0o640


def test_in_place_leaves_failed_inputs_unchanged(call: Call, here: Path) -> None:
    Path("in/deep/a.png").write_bytes(HOUSE[:5000])
    result = call("filter", "in", "--recursive", "--in-place", "--kernel", "box")
    assert result.code == 1
    assert Path("in/deep/a.png").read_bytes() == HOUSE[:5000]
    assert sorted(path.name for path in here.rglob("*.png")) == ["a.png", "a.png", "b.png"]


def test_in_place_has_nothing_to_replace_for_standard_input(program: Program) -> None:
    run = program("filter", "-", "--in-place", "--kernel", "box", input=HOUSE)
    assert (run.returncode, run.stdout) == (2, b"")
    assert b"--in-place replaces files and does not apply to standard input" in run.stderr


def test_in_place_filters_no_file_twice(here: Path) -> None:
    (here / "in/link.png").symlink_to("a.png")
    assert refused("in/a.png", "in/link.png", in_place=True) == (
        "in/a.png and in/link.png are the same file, which `in_place` would replace twice; name it once"
    )


# The same for searches


def test_match_takes_folders_and_skips(call: Call, here: Path) -> None:
    Path("eye.png").write_bytes(Path("in/a.png").read_bytes())
    run = ["match", "in", "--recursive", "--template", "eye.png", "-o", "maps/", "--skip-existing", "-q"]
    assert call(*run).code == 0
    assert len(list((here / "maps").rglob("*.png"))) == 3
    assert call(*run) == (0, "", "")


# Limits from the environment


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CONVCLI_MAX_PIXELS", "100", "its 128,000 pixels are over the limit of 100"),
        ("CONVCLI_MAX_KERNEL", "2", "a kernel of size 3 is over the limit of 2"),
        ("CONVCLI_MAX_FRAMES", "1", "its 8 frames are over the limit of 1"),
        ("CONVCLI_MAX_MEMORY", "1K", "of memory, over the limit of 1K; raise it with --max-memory"),
        ("CONVCLI_MAX_PIXELS", "many", "'many' is not a whole number"),
        ("CONVCLI_MAX_KERNEL", "0", "'0' is not a whole number of at least 1"),
        ("CONVCLI_MAX_FRAMES", "-1", "'-1' is not a whole number of at least 1"),
        ("CONVCLI_MAX_MEMORY", "3", "'3' is not an amount of memory"),
    ],
)  # fmt: skip
def test_limits_come_from_the_environment_too(
    call: Call, here: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    source = SAMPLES / "spinner.gif" if name.endswith("FRAMES") else here / "in/a.png"
    variant = ["--variant", "transposed"] if name.endswith("MEMORY") else []
    run = ["filter", source, "--kernel", "box:3", *variant, "-o", f"{here}/"]
    monkeypatch.setenv(name, value)
    result = call(*run, "--dry-run")
    error = one_error(result)
    assert message in error
    if " is not a" in message:
        assert error.endswith(f"; it is set in environment variable {name} (see convcli filter --help)")
    monkeypatch.setenv(name, "")
    assert call(*run, "--dry-run", "-o", "x.gif" if name.endswith("FRAMES") else "x.png").code == 0


def test_the_command_line_overrides_the_environment_and_match_ignores_it(
    call: Call, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVCLI_MAX_PIXELS", "100")
    monkeypatch.setenv("CONVCLI_MAX_KERNEL", "100")
    assert call("filter", "in/a.png", "--kernel", "box", "--max-pixels", "200000", "--dry-run").code == 0
    assert call("match", "in/a.png", "--template", "in/a.png", "--max-pixels", "200000").code == 0
    assert "[env var: CONVCLI_MAX_PIXELS]" in " ".join(call("filter", "--help-all").out.split())


def test_problems_take_no_output(here: Path) -> None:
    problem = ArgumentError("nothing there")
    jobs = jobs_for([Source(Path("none"), problem=problem), Source(Path("in/a.png"))], "out/", "box")
    assert [job.problem for job in jobs] == [problem, None]
    assert [job.prints for job in jobs_for([Source(DASH)], "-", "box")] == [True]


def test_in_place_is_refused_on_a_cluster(call: Call, here: Path) -> None:
    result = call("filter", "in", "--kernel", "box", "--in-place", "--cluster", "tcp://127.0.0.1:8786")
    assert result.code == 2
    assert "a cluster repeats a job whose worker died" in one_error(result)
