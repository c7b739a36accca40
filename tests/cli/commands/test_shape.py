"""convcli shape: sizes, chains, sweeps, and solving for options."""

import csv
import io
import json
import re
from collections.abc import Callable

import pytest

from convcli.layers import Conv
from tests.conftest import Call, one_error


def value(call: Call, line: str) -> list[str]:
    code, out, err = call("shape", *line.split(), "--format", "value")
    assert (code, err) == (0, "")
    return out.split()


# Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", relationships 1 to 15.
@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("--n 4 --k 3", 2),
        ("--n 5 --k 4 --p 2", 6),
        ("--n 5 --k 3 --p 1", 5),
        ("--n 5 --k 3 --p same", 5),
        ("--n 5 --k 3 --p 2", 7),
        ("--n 5 --k 3 --p full", 7),
        ("--n 5 --k 3 --s 2", 2),
        ("--n 5 --k 3 --s 2 --p 1", 3),
        ("--n 6 --k 3 --s 2 --p 1", 3),
        ("--n 2 --k 3 --s 1 --transposed", 4),
        ("--n 6 --k 4 --p 2 --s 1 --transposed", 5),
        ("--n 5 --k 3 --p 1 --s 1 --transposed", 5),
        ("--n 7 --k 3 --p 2 --s 1 --transposed", 5),
        ("--n 2 --k 3 --s 2 --transposed", 5),
        ("--n 3 --k 3 --s 2 --p 1 --transposed", 5),
        ("--n 3 --k 3 --s 2 --p 1 --transposed --output-padding 1", 6),
        ("--n 7 --k 3 --d 2", 3),
        ("--n 7 --k 3 --s 2 --p 1", 4),
    ],
)
def test_the_guide(call: Call, line: str, size: int) -> None:
    assert value(call, line) == [str(size)]
    assert value(call, line.replace("--n ", "--dims 1 --n ")) == [str(size)]
    assert value(call, line.replace("--n ", "--dims 3 --n ")) == [str(size)]


def test_the_answer_has_the_notation_of_the_arguments(call: Call) -> None:
    assert value(call, "--n 7 --k 3 --s 2 --p 1") == ["4"]
    assert value(call, "--n 7x7 --k 3 --s 2 --p 1") == ["4x4"]
    assert value(call, "--n 7 --k 3 --s 2x1 --p 1") == ["4x7"]
    assert value(call, "--n 16x112x112 --k 3 --p 1:0x0:0x1:1") == ["15x110x112"]
    assert [call("shape", "--n", n, "--k", "3", "--field", "receptive_field").out for n in ("7", "7x7")] == [
        "3\n",
        "3x3\n",
    ]
    for n in ("7", "7x7"):  # in json every size is a list
        (row,) = json.loads(call("shape", "--n", n, "--k", "3", "--format", "json").out)["rows"]
        assert (row["output_size"], row["receptive_field"], row["output_shape"]) == (
            [5, 5],
            [3, 3],
            [1, 5, 5],
        )


def test_a_sweep_has_a_row_for_each_combination(call: Call) -> None:
    sizes = [
        Conv(in_channels=1, out_channels=1, kernel_size=k, stride=s, padding=p).output_shape((1, n, n))[1]
        for n in (16, 33)
        for k in (3, 5)
        for s in (1, 2)
        for p in (0, 1)
    ]
    assert value(call, "--n 16,33 --k 3,5 --s 1,2 --p 0,1") == [str(size) for size in sizes]


def test_the_table(call: Call) -> None:
    assert call("shape", "--n", "7", "--k", "3", "--s", "2", "--p", "1").out.splitlines() == [
        "layer               input size  padding  output size  receptive field  effective stride",
        "------------------  ----------  -------  -----------  ---------------  ----------------",
        "conv k3x3 s2 p1 o1           7        1            4                3                 2",
        "",
        "height and width: floor((7 + 1 + 1 - 1*(3 - 1) - 1) / 2) + 1 = 4",
    ]


def test_axes_that_differ_have_separate_formulas(call: Call) -> None:
    lines = call("shape", "--n", "6x7", "--k", "3", "--s", "2").out.splitlines()
    assert "height: floor((6 + 0 + 0 - 1*(3 - 1) - 1) / 2) + 1 = 2" in lines
    assert "width: floor((7 + 0 + 0 - 1*(3 - 1) - 1) / 2) + 1 = 3" in lines
    assert (
        "height: 1 of 6 padded elements at the end are not used, 1 of them of the input; the stride 2 does not fit"
        in lines
    )


def test_a_chain_has_a_row_for_each_layer(call: Call) -> None:
    chain = "conv k3 p1 d1, conv k3 p2 d2, conv k3 p4 d4"
    answer = json.loads(call("shape", "--n", "32", "--layers", chain, "--format", "json").out)
    assert [row["receptive_field"] for row in answer["rows"]] == [[3, 3], [7, 7], [15, 15]]
    assert [row["name"] for row in answer["rows"]] == ["conv1", "conv2", "conv3"]
    assert call("shape", "--n", "32", "--layers", chain, "--format", "value").out == "32\n"
    assert call("shape", "--n", "32", "--layers", chain, "--field", "receptive_field").out == "3\n7\n15\n"
    words = ("--layers", chain, "--field", "receptive_field", "--format", "value")
    assert call("shape", "--n", "32", *words).out == "15\n"


def test_a_checkerboard_is_named_with_its_remedy(call: Call) -> None:
    uneven = call("shape", *"--n 4 --k 3 --s 2 --p 1 --variant transposed".split()).out
    assert (
        "the kernel overlaps unevenly (checkerboard); number of taps per output, periodically: 1 2; take a kernel of 4"
        in uneven
    )
    assert "or resize first and then convolve (resize-conv)" in uneven
    assert (
        "overlaps evenly (no checkerboard)"
        in call("shape", *"--n 4 --k 4 --s 2 --p 1 --transposed".split()).out
    )
    assert "checkerboard" not in call("shape", *"--n 4 --k 3 --s 2 --p 1".split()).out


@pytest.mark.parametrize(
    "line",
    [
        "--n 7 --k 3 --target 4",
        "--n 224x56 --k 7x3 --target 112x28",
        "--n 8 --k 4 --target 8",
        "--n 9,12 --k 2,4 --target 6",
        "--n 8 --k 4 --s 1 --p 1:2,2:1,3:0 --target 8",
        "--n 16 --k 3 --p same,same-lower,full,valid --target 8",
        "--n 5 --k 4 --target 9 --transposed",
        "--n 7 --k 3 --target 14 --transposed",
        "--n 7 --k 3 --s 2 --p 0:1 --target 14 --transposed",
        "--n 7 --k 3 --target 4 --variant tiled",
    ],
)
def test_solutions_lead_to_the_target(call: Call, line: str) -> None:
    rows = json.loads(call("shape", *line.split(), "--format", "json").out)["rows"]
    assert rows
    for row in rows:
        padding = row["padding"] if isinstance(row["padding"], int) else "{}:{}".format(*row["padding"][0])
        options = (
            f"--dims 1 --n {row['input_size']} --k {row['kernel_size']} --p {padding} --s {row['stride']}"
        )
        options += f" --d {row['dilation']}"
        if "transposed" in line:
            options += f" --transposed --output-padding {row['output_padding']}"
        assert value(call, options) == [str(row["output_size"])]


def test_the_simplest_solution_is_first_and_given_options_are_kept(call: Call) -> None:
    assert call("shape", *"--n 7 --k 3 --target 4 --format value".split()).out == "1\t2\t1\n"
    rows = json.loads(call("shape", *"--n 7 --k 3 --target 4 --s 4 --format json".split()).out)["rows"]
    assert {row["stride"] for row in rows} == {4}


def test_the_value_of_a_target_is_the_simplest_solution_for_scripts(call: Call) -> None:
    line = "--n 224 --k 7 --s 2 --d 1 --target 112".split()
    assert len(json.loads(call("shape", *line, "--format", "json").out)["rows"]) == 2
    assert call("shape", *line, "--format", "value").out == "3\t2\t1\n"
    (padding,) = call("shape", *line, "--field", "padding", "--format", "value").out.split()
    assert value(call, f"--n 224 --k 7 --s 2 --d 1 --p {padding}") == ["112"]
    assert call("shape", *line, "--field", "padding").out == "3\n2:3\n"
    assert call("shape", *"--n 224x8 --k 7x4 --s 1 --d 1 --target 224x8 --format value".split()).out == (
        "3\t1\t1\n1:2\t1\t1\n"
    )


@pytest.mark.parametrize("transposed", ["", "--transposed"])
@pytest.mark.parametrize(("n", "k", "s", "d"), [(9, 3, 2, 1), (6, 4, 3, 2), (5, 1, 2, 1), (4, 9, 1, 1)])
def test_the_limit_of_a_target_is_the_last_that_a_padding_reaches(
    call: Call, n: int, k: int, s: int, d: int, transposed: str
) -> None:
    line = ["shape", *f"--n {n} --k {k} --s {s} --d {d} {transposed} --target".split()]
    (most,) = re.findall(r"the output is at most (\d+)", call(*line, "500").err)
    assert call(*line, most).code == 0
    assert call(*line, str(int(most) + 1)).code == 1


def test_a_target_without_a_solution_is_an_error_that_names_what_to_change(call: Call) -> None:
    line = "--n 7 --k 3 --target 1000 --s 1,2 --format".split()
    why = (
        "no layer turns 7 into 1000 with kernel size 3, dilations up to 4 and --s as given (a padding is smaller than the "
        "dilated kernel, so the output is at most 15); give another --target"
    )
    for form in ("table", "markdown", "value"):
        assert call("shape", *line, form) == (1, "", f"convcli: error: {why}\n")
    (row,) = json.loads(call("shape", *line, "json").out)["rows"]
    assert (row["axis"], row["padding"], row["stride"], row["error"]) == ("each", None, None, why)
    (row,) = csv.DictReader(io.StringIO(call("shape", *line, "csv").out))
    assert (row["output_size"], row["padding"], row["error"]) == ("1000", "", why)


def test_axes_with_a_solution_are_listed_beside_those_without(call: Call) -> None:
    line = "--n 7x9 --k 3 --target 100x4 --s 2 --d 1 --format".split()
    result = call("shape", *line, "value")
    assert (result.code, result.out) == (1, "0\t2\t1\n")
    assert result.err == (
        "convcli: error: height: no layer turns 7 into 100 with kernel size 3 and --s, --d as given (a padding is "
        "smaller than the dilated kernel, so the output is at most 5); give another --target\n"
    )
    rows = json.loads(call("shape", *line, "json").out)["rows"]
    assert [(row["axis"], row["error"] is None) for row in rows] == [
        ("width", True),
        ("width", True),
        ("height", False),
    ]


@pytest.mark.parametrize(
    ("line", "ways"),
    [
        ("--n 7 --k 3 --target 100", "give --transposed --s 16"),
        ("--n 7 --k 3 --target 17 --s 2", "give --transposed"),
        ("--n 14 --k 3 --target 40", "give --k 8 or give --transposed"),
        ("--n 1000 --k 3 --target 10", "give --s 110"),
        ("--n 100 --k 3 --target 10 --p 0 --s 1", "give --s 10"),
        ("--n 10 --k 3 --target 1000 --transposed", "give --s 110"),
        ("--n 100 --k 9 --target 60 --transposed", "leave out --transposed"),
    ],
)
def test_what_is_advised_for_a_target_gives_it(call: Call, line: str, ways: str) -> None:
    assert call("shape", *line.split()).err.partition("; ")[2] == f"{ways}\n"
    for way in ways.split(" or "):
        added = way.partition("give ")[2].split()
        words = [*line.removesuffix(way.partition("leave out ")[2]).split(), *added]
        assert call("shape", *words).code == 0, way


@pytest.mark.parametrize(
    ("p", "s", "way"),
    [("--p 3", "--s 2", "--p"), ("--p 0", "--s 1", "--s"), ("--p 3", "--s 1", "--p and --s")],
)
def test_a_single_option_is_left_out_if_that_is_enough(call: Call, p: str, s: str, way: str) -> None:
    start = ("shape", "--n", "224", "--k", "7", "--target", "100")
    assert call(*start, *p.split(), *s.split()).err.endswith(f"; leave out {way}\n")
    solved = [call(*start, *other.split()).code == 0 for other in (s, p)]  # without --p, and without --s
    assert solved == [way == "--p", way == "--s"]


@pytest.mark.parametrize("typed", ["--s 2x2", "--s 2", "--p 1", "--p 1x1", "--d 1", "--s 2 --p 1 --d 1"])
def test_options_per_axis_are_kept_too(call: Call, typed: str) -> None:
    rows = json.loads(call("shape", *f"--n 7x7 --k 3 --target 4x4 --format json {typed}".split()).out)["rows"]
    found = [(row["padding"], row["stride"], row["dilation"]) for row in rows]
    assert found[0] == (1, 2, 1)


@pytest.mark.parametrize(
    "line",
    [
        "--n 100 --k 3 --s 10 --target 10",
        "--n 20 --k 3 --d 5 --target 10",
        "--n 10 --k 3 --s 1 --p 5 --target 18",
    ],
)
def test_typed_options_are_tried_however_large(call: Call, line: str) -> None:
    assert json.loads(call("shape", *line.split(), "--format", "json").out)["rows"]


def test_output_padding_is_kept(call: Call) -> None:
    line = "--n 5 --k 3 --target 10 --transposed --output-padding 1 --format json"
    rows = json.loads(call("shape", *line.split()).out)["rows"]
    assert {row["output_padding"] for row in rows} == {1}


def test_padding_is_unequal_if_necessary(call: Call) -> None:
    out = call("shape", *"--n 8 --k 4 --s 1 --d 1 --target 8".split()).out
    assert [line.split() for line in out.splitlines()[2:]] == [["each", "4", "1:2", "1", "1"]]
    assert call("shape", *"--n 8 --k 4 --s 1 --d 1 --target 8 --format value".split()).out == "1:2\t1\t1\n"
    line = "--n 7 --k 3 --s 2 --d 1 --target 14 --transposed"
    assert call("shape", *line.split(), "--format", "value").out == "1\t2\t1\t1\n"


def test_axes_with_different_options_are_solved_separately(call: Call) -> None:
    rows = json.loads(
        call("shape", *"--n 7x7 --k 3 --s 2x1 --p 1x0:1 --target 4x6 --format json".split()).out
    )["rows"]
    assert {(row["axis"], row["stride"], str(row["padding"])) for row in rows} == {
        ("height", 2, "1"),
        ("width", 1, "[[0, 1]]"),
    }


def test_ceil_rounds_up_as_pools_may(call: Call) -> None:
    assert value(call, "--n 6 --k 3 --s 2") == ["2"]
    assert value(call, "--n 6 --k 3 --s 2 --ceil") == ["3"]


def test_a_vector_is_its_own_size(call: Call) -> None:
    assert value(call, "--n 5 --k 3 --out 2 --variant dense") == ["18"]


def test_a_large_stride_has_no_pattern_to_show(call: Call) -> None:
    assert "in turn" not in call("shape", *"--n 4 --k 3 --s 1000000000 --transposed".split()).out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--k 3", "the input size is missing; give --n, such as --n 224 or --n 224x112"),
        (
            "--n 8 --k 3,3",
            "'3,3' has a value twice, and each makes a row; a number for each axis is written as 3x3",
        ),
        ("--n (8,9) --k 3", "'(8,9)' has brackets; a number for each axis is written as 8x9"),
        (
            "--n 8 --k 3 --padding zeros",
            "'zeros' is a padding mode, which changes no size and no count; filter, learn and draw take it as "
            "--padding-mode zeros; a padding is a size such as 1, or valid, same, same-lower, full",
        ),
        (
            "--n 8 --k",
            "Option '--k' requires an argument; -k, --k, --kernel-size SIZE: Kernel size: 3, or 3x5",
        ),
        (
            "--n 7 --k 3 --layers relu",
            "--k cannot be used with --layers, where each layer has its own options",
        ),
        ("--n 7 --no-bias --layers relu", "--no-bias cannot be used with --layers"),
        ("--n 7 --bias --layers relu", "--bias cannot be used with --layers"),
        ("--n 7 --out 3 --layers relu", "--out cannot be used with --layers"),
        ("--n 7 --transposed --layers relu", "--transposed cannot be used with --layers"),
        ("--n 7 --output-padding 1 --layers relu", "--output-padding cannot be used with --layers"),
        (
            "--n 8 --ceil --layers maxpool",
            "--ceil cannot be used with --layers, where each layer has its own options, as in --layers 'maxpool k3 s2 ceil'",
        ),
        ("--n 7 --layers frob", "layer 1 of the chain, 'frob': 'frob' is not an operator"),
        ("--layers relu", "the input size is missing"),
        (
            "--n 7 --layers relu --target 3",
            "--target solves for one convolution; leave out --layers and --ceil",
        ),
        (
            "--n 7 --k 3 --variant resize-conv --target 14",
            "--target solves for the sizes of convolutions and transposed convolutions, and resize-conv has other sizes; use "
            "another variant",
        ),
        ("--n 7x7 --k 3 --target 4 --p 1:2x0x1", "--n with 2 axes and --p with 3 axes contradict each other"),
        (
            "--n 7 --k 3 --target 4 --out 3",
            "--target solves for sizes, which --out does not change; leave it out",
        ),
        ("--n 7 --k 3 --target 4 --batch 2", "--target solves for sizes, which --batch does not change"),
        ("--n 7 --k 3 --target 4 --dtype int8", "--target solves for sizes, which --dtype does not change"),
        ("--n 7 --k 3 --target 4 --groups 3", "--target solves for sizes, which --groups does not change"),
        ("--n 7 --k 3 --ceil --no-bias", "--no-bias cannot be used with --ceil"),
        ("--n 7 --k 3 --ceil --output-padding 1", "--output-padding cannot be used with --ceil"),
        ("--n 7 --k 3 --ceil --out 3", "--out cannot be used with --ceil: only pools round up"),
        (
            "--n 7 --k 3 --in 4 --out 4 --groups 2 --variant local",
            "--groups 2 has no use with --variant local",
        ),
        ("--n 7 --k 3 --variant depthwize", "there is no variant 'depthwize'; did you mean 'depthwise'?"),
        ("--n 7 --k 3 --target 0", "target must be at least 1, got 0"),
        ("--n 7 --k 3 --target 3x3x3", "target 3x3x3 has 3 axes where 2 are needed"),
    ],
)
def test_errors(call: Call, line: str, message: str) -> None:
    result = call("shape", *line.split())
    assert result.code == 2
    assert message in one_error(result)


def test_numbers_beyond_any_memory_still_count(call: Call) -> None:
    huge = "1" + "0" * 40
    assert value(call, f"--n {huge} --k 3 --p 1") == [huge]
    macs = call("cost", *f"--n {huge} --k 3 --p 1 --dims 2 --field macs".split()).out
    assert int(macs) == 9 * 10**80


def test_the_table_fits_a_terminal_of_80_columns(on_terminal: Callable[..., str]) -> None:
    words = ("shape", "--n", "7", "--k", "3", "--s", "2", "--p", "1", "-q")
    lines = on_terminal(80, *words).splitlines()
    assert max(map(len, lines)) <= 80
    (row,) = (line for line in lines if "conv" in line)
    assert row.split() == ["conv", "k3x3", "s2", "p1", "o1", "7", "1", "4", "3", "2"]
    assert any("receptive" in line for line in lines)
    assert any("effective stride" in line for line in on_terminal(120, *words).splitlines())


@pytest.mark.parametrize("size", ["3x224x224", "224x224x3"])
def test_an_input_size_with_channels_gets_a_note(call: Call, size: str) -> None:
    note = (
        f"convcli: --n has spatial sizes only, and {size} is taken as 3 axes; for 3 channels write --in 3 --n 224x224, "
        "for 3 axes --dims 3\n"
    )
    code, out, err = call("shape", "--n", size, "--k", 3, "--format", "value")
    assert (code, err) == (0, note) and "1" in out.strip().split("x")
    assert call("shape", "--n", size, "--k", 3, "-q").err == ""
    for way in (("--k", 3, "--dims", 3), ("--k", "1x3x3")):
        assert call("shape", "--n", size, *way).err == ""


def test_an_input_size_with_a_batch_and_channels_is_refused(call: Call) -> None:
    for kernel in ((), ("--k", 3)):
        result = call("shape", "--n", "8x1x28x28", *kernel)
        assert result.code == 2
        assert one_error(result) == (
            "--n has spatial sizes only, and 8x1x28x28 has a batch and channels; for 1 channel write --in 1 --n 28x28, "
            "for 4 axes --dims 4"
        )
    for words in (
        ("--n", "8x1x28x28", "--k", 1, "--dims", 4),
        ("--n", "9x9x9x9", "--k", 3),
        ("--n", "16x56x56", "--k", 3),
    ):
        code, _, err = call("shape", *words)
        assert (code, err) == (0, "")
