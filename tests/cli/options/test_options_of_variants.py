"""Every option of a layer with every variant: it changes the answer, or an error names it."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from convcli.filters.request import FILTERING, Request
from convcli.layers.variants import VARIANTS
from tests.conftest import SAMPLES, Call, one_error

LAYER = {
    "--n": "12",
    "--k": "3",
    "--in": "4",
    "--out": "8",
    "--p": "2",
    "--d": "2",
    "--s": "1",
    "--groups": "2",
}
# Another value of each option, and its name in errors.
OTHERS = {
    "--n": ("13", "--n"),
    "--input-size": ("13x14", "--n"),
    "--k": ("2", "--k"),
    "--kernel-size": ("3x2", "--k"),
    "--in": ("8", "--in"),
    "--out": ("16", "--out"),
    "--p": ("1", "--p"),
    "--padding": ("1:2", "--p"),
    "--d": ("3", "--d"),
    "--dilation": ("3x2", "--d"),
    "--s": ("2", "--s"),
    "--stride": ("2x3", "--s"),
    "--groups": ("4", "--groups"),
    "--no-bias": (None, "--no-bias"),
    "--batch": ("2", "--batch"),
    "--dtype": ("int8", "--dtype"),
}
SHORT = {
    "--input-size": "--n",
    "--kernel-size": "--k",
    "--padding": "--p",
    "--dilation": "--d",
    "--stride": "--s",
}


def typed(options: dict[str, str | None]) -> list[str]:
    return [word for option, value in options.items() for word in (option, value) if word is not None]


def own(name: str) -> dict[str, str]:
    """Return the options of the layer that a variant takes."""
    fields = {"--k": "kernel_size", "--p": "padding", "--d": "dilation", "--groups": "groups"}
    return {option: value for option, value in LAYER.items() if fields.get(option) not in VARIANTS[name].own}


@pytest.mark.parametrize("name", VARIANTS)
def test_an_option_of_a_calculator_counts_or_is_refused(call: Call, name: str) -> None:
    base = own(name)
    line = ["cost", "--variant", name, "--format", "json"]
    code, out, err = call(*line, *typed(base))
    assert (code, err) == (0, "")
    refused = set()
    for option, (value, called) in OTHERS.items():
        changed = {key: old for key, old in base.items() if key != SHORT.get(option)} | {option: value}
        result = call(*line, *typed(changed))
        if result.code:
            assert (result.code, result.out) == (2, "")
            assert one_error(result).startswith(f"{called} {value or ''}")
            assert f" has no use with --variant {name}, " in result.err
            refused.add(called)
        else:
            assert json.loads(result.out)["rows"] != json.loads(out)["rows"], option
    assert refused == set(LAYER) - set(base)


@pytest.mark.parametrize("name", VARIANTS)
def test_output_padding_and_ceil_are_for_layers_that_have_them(call: Call, name: str) -> None:
    line = ["shape", *typed(own(name)), "--variant", name, "--format", "json"]
    result = call(*line, "--output-padding", "1")
    if name == "transposed":
        assert json.loads(result.out)["rows"] != json.loads(call(*line).out)["rows"]
        line[line.index("--p") + 1] = "same"
        assert "--output-padding cannot be combined with --padding same" in one_error(
            call(*line, "--output-padding", "1")
        )
        assert call(*line, "--output-padding", "0").code == 0
    else:
        assert one_error(result) == "--output-padding applies only to --variant transposed; leave it out"
    assert "--variant cannot be used with --ceil" in one_error(call(*line, "--ceil"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--k 3 --variant pointwise", "--k 3 has no use with --variant pointwise, whose kernel size is always 1"),
        ("--k 1,3 --variant pointwise", "--k 3 has no use"),
        ("--p 1:0 --variant pointwise", "--p 1:0 has no use with --variant pointwise, whose padding is always 0"),
        ("--k 3 --p valid --variant resize-conv", "--p valid has no use with --variant resize-conv, whose padding is always same"),
        ("--k 3 --in 4 --out 4 --groups 4 --variant depthwise", "--groups 4 has no use with --variant depthwise, which sets its own groups"),
        ("--k 3 --in 4 --out 4 --groups 1 --variant grouped", "--groups 1 has no use with --variant grouped, which chooses its own groups"),
        ("--k 3 --d 1 --variant dilated", "--d 1 has no use with --variant dilated, which chooses its own dilation"),
        ("--k 3 --in 3 --out 4 --variant depthwise", "out_channels 4 is not a multiple of in_channels 3"),
        ("--k 3 --out 4 --in 8 --variant depthwise", "out_channels 4 is not a multiple of in_channels 8"),
    ],
)  # fmt: skip
def test_errors_name_options_that_a_variant_cannot_have(call: Call, line: str, message: str) -> None:
    for command in ("shape", "params", "cost"):
        result = call(command, "--n", "9", *line.split())
        assert result.code == 2
        assert one_error(result).startswith(message)


@pytest.mark.parametrize(
    "line",
    [
        "--k 1 --p 0 --d 1 --groups 1 --variant pointwise",
        "--k 1x1 --p valid --variant pointwise",
        "--k 3 --p same --variant resize-conv",
        "--k 3 --groups 1 --variant standard",
        "--k 3 --groups 1 --variant tiled",
        "--k 3 --d 1x2 --variant dilated",
        "--k 3 --in 4 --out 4 --groups 2 --variant separable",
    ],
)
def test_a_value_that_equals_that_of_the_variant_is_accepted(call: Call, line: str) -> None:
    assert call("cost", "--n", "9", *line.split()).code == 0


def test_compare_rejects_options_that_no_variant_uses(call: Call) -> None:
    line = "compare --n 9 --k 3 --in 4 --out 4 --groups 2 --variants".split()
    result = call(*line, "depthwise,tiled")
    assert result.code == 2
    assert one_error(result).startswith("--groups 2 has no use with --variants standard,depthwise,tiled")
    assert call(*line, "depthwise,separable").code == 0
    assert call(*line, "grouped").code == 0


@pytest.mark.parametrize("outputs", [4, 8, 12])
def test_out_of_a_depthwise_layer_is_its_multiplier(call: Call, outputs: int) -> None:
    line = f"--n 9 --in 4 --out {outputs} --k 3".split()
    (row,) = json.loads(call("cost", *line, "--variant", "depthwise", "--format", "json").out)["rows"]
    _, compared = json.loads(call("compare", *line, "--variants", "depthwise", "--format", "json").out)[
        "rows"
    ]
    for found in (row, compared):
        assert found["output_shape"] == [outputs, 7, 7]
        assert (found["weights"], found["biases"]) == (outputs * 9, outputs)
        assert found["macs"] == outputs * 49 * 9
        assert found["groups"] == 4


def test_a_depthwise_layer_keeps_the_number_of_channels_by_default(call: Call) -> None:
    line = "--n 9 --in 5 --k 3".split()
    assert call("params", *line, "--variant", "depthwise", "--format", "value").out == "50\n"
    rows = json.loads(call("compare", *line, "--variants", "depthwise", "--format", "json").out)["rows"]
    assert [row["output_shape"] for row in rows] == [[1, 7, 7], [5, 7, 7]]
    assert (
        "depthwise is left out: out_channels 7 is not a multiple" in call("compare", *line, "--out", "7").out
    )


# filter: arrays in and out, so that nothing is lost by rounding

KERNEL = "-k '1 2 -3; 0 5 -1; 4 2 2'"
BASES = {
    "standard": f"{KERNEL} --variant standard",
    "depthwise": f"{KERNEL} --variant depthwise",
    "pointwise": "--pointwise m.npy --variant pointwise",
    "depthwise-separable": f"{KERNEL} --pointwise m.npy --variant depthwise-separable",
    "grouped": f"{KERNEL} --variant grouped",
    "shuffled-grouped": f"{KERNEL} --variant shuffled-grouped",
    "separable": f"{KERNEL} --rank 3 --variant separable",
    "dilated": f"{KERNEL} --variant dilated",
    "transposed": f"{KERNEL} --variant transposed",
    "resize-conv": f"{KERNEL} --variant resize-conv",
    "deformable": f"{KERNEL} --offsets swirl --variant deformable",
    "local": "--local tilt-shift:sigma=2 --variant local",
    "tiled": f"{KERNEL} -k identity -k box -k emboss --variant tiled",
    "an activation alone": "--activation tanh",
    "a pool alone": "--pool avg:2",
}
CHANGES = {
    "kernels": "-k '3 -1 7; 1 0 2; 0 4 1'",
    "normalize": "--normalize",
    "scale": "--scale 0.7",
    "shift": "--bias 9",
    "anchor": "--anchor 0,0",
    "flip": "--flip",
    "stride": "--stride 3",
    "padding": "--padding 4",
    "padding_mode": "--padding-mode circular",
    "padding_value": "--padding-mode constant --padding-value 100",
    "dilation": "--dilation 3",
    "activation": "--activation sigmoid",
    "pool": "--pool max:2",
    "pool_channels": "--pool-channels lp",
    "repeat": "--repeat 2",
    "feedback": "--feedback --repeat 2",
    "resize": "--resize 50%",
    "resampling": "--resize 50% --resampling box",
    "weights": "--weights w.npy",
    "bias": "--bias-file b.npy",
    "pointwise": "--pointwise other.npy",
    "groups": "--groups 3",
    "rank": "--rank 1",
    "offsets": "--offsets lens",
    "local": "--local vignette-blur",
    "tile": "--tile 2x2",
    "output_padding": "--output-padding 1 --padding 1",
    "dims": "--dims 1",
    "along": "--dims 1 --along columns",
    "method": "--method fft",
}


def test_every_option_of_filter_and_every_variant_is_tried() -> None:
    assert set(BASES) - {"an activation alone", "a pool alone"} == set(FILTERING)
    of_any = {
        "variant",
        "max_kernel",
        "value_range",
        "alpha",
        "sheet",
        "only",
        "mask",
        "resize_after",
        "nan",
    }  # which every variant takes
    assert set(CHANGES) == set(Request._fields) - of_any


@pytest.mark.parametrize("base", BASES)
def test_an_option_of_filter_counts_or_is_refused(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    """Six channels, which can be grouped in several ways, and of which none is alpha."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    np.save("in.npy", random.standard_normal((14, 16, 6)).astype(np.float32))
    for name, shape in {"w": (6, 6, 3, 3), "m": (6, 6), "other": (6, 6), "b": (6,)}.items():
        np.save(f"{name}.npy", random.standard_normal(shape))

    def filtered(words: str) -> np.ndarray | str:
        """Return the result, or the error."""
        words = ["filter", "in.npy", *shlex.split(words), "--force", "-q", "-o", "out.npy"]
        result = call(*words)
        return one_error(result) if result.code else np.load("out.npy")

    plain = filtered(BASES[base])
    assert isinstance(plain, np.ndarray), plain
    for name, words in CHANGES.items():
        other = filtered(f"{BASES[base]} {words}")
        if isinstance(other, str):
            assert re.match(r"(cannot filter in.npy: )?--[a-z]+|kernel .* axes", other), (words, other)
        elif name == "method":
            assert other.shape == plain.shape
            assert np.allclose(other, plain, atol=1e-3)
        else:
            assert not np.array_equal(other, plain), words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-k box --variant grouped --groups 1", "--groups 1 has no use with --variant grouped, which chooses its own groups"),
        ("-k box --variant dilated --dilation 1x1", "--dilation 1x1 has no use with --variant dilated, which chooses its own"),
        ("-k bilinear --variant transposed --output-padding 1", "--output-padding cannot be combined with --padding same"),
        ("--pool max:2 --stride 3", "--stride belongs to a layer, and there is none; give --kernel"),
        ("--activation relu --rank 2", "--rank belongs to a layer, and there is none"),
        ("--pool max:2 --flip", "--flip changes kernels, and there is none; give --kernel"),
        ("--offsets swirl --dilation 2", "--dilation changes kernels, and there is none"),
        ("--pool max:2 --method fft", "--method fft needs a kernel, and there is none; give --kernel"),
        ("--pointwise sepia --dims 1", "--dims 1 needs a 1-D kernel, and there is none; give --kernel"),
    ],
)  # fmt: skip
def test_errors_name_options_that_filter_does_not_use(call: Call, words: str, message: str) -> None:
    result = call("filter", SAMPLES / "landscape.png", *words.split(), "--dry-run")
    assert result.code == 2
    assert one_error(result).startswith(message)


@pytest.mark.parametrize("variant", ["transposed", "resize-conv"])
@pytest.mark.parametrize("stride", [(), ("--stride", "3"), ("--stride", "1x2")])
def test_filter_and_shape_make_the_same_size(
    call: Call, tmp_path: Path, variant: str, stride: tuple[str, ...]
) -> None:
    """Without a stride both take 2."""
    np.save(tmp_path / "in.npy", np.zeros((10, 11)))
    paddings = ["same"] if variant == "resize-conv" else ["0", "1", "0:1x1", "same", "full"]
    for padding in paddings:
        padding_options = ["--padding", padding] if variant == "transposed" else []
        words = [
            "-k",
            "box:3",
            "--variant",
            variant,
            *padding_options,
            *stride,
            "-o",
            tmp_path / "out.npy",
            "--force",
            "-q",
        ]
        assert call("filter", tmp_path / "in.npy", *words).code == 0
        made = np.load(tmp_path / "out.npy")
        line = ["--n", "10x11", "--k", "3", "--variant", variant, *padding_options, *stride]
        assert call("shape", *line, "--format", "value").out == "x".join(map(str, made.shape[:2])) + "\n"
        (last,) = json.loads(call("cost", *line, "--format", "json").out)["rows"][-1:]
        assert last["output_shape"] == [1, *made.shape[:2]]
    if not stride:
        assert made.shape[0] >= 17


@pytest.mark.parametrize("huge", ["100000000", "4611686018427387904", "1" + "0" * 40])
@pytest.mark.parametrize("base", [base for base in BASES if "alone" not in base])
@pytest.mark.parametrize("option", ["--stride", "--padding", "--dilation", "--output-padding"])
def test_numbers_of_any_size_are_answered_or_refused(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str, option: str, huge: str
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("in.npy", np.ones((5, 6, 6), np.float32))
    np.save("m.npy", np.eye(6))
    for more in ((), ("--padding", "full")):
        if option != "--padding" or not more:
            words = [*shlex.split(BASES[base]), option, huge, *more, "--force", "-q", "-o", "out.npy"]
            result = call("filter", "in.npy", *words)
            if result.code:
                assert one_error(result)
            else:
                size = (10, 12) if base.startswith("transposed") else (5, 6)
                assert np.load("out.npy").shape[:2] == ((1, 1) if option == "--stride" else size)
