"""convcli filter --network: maps, pictures, classes, and one clear line for each error."""

import json
from pathlib import Path

import numpy as np
import pytest

from convcli import networks
from convcli.images.read import read_picture
from tests.conftest import SAMPLES, Call, one_error

HOUSE, PHOTO = SAMPLES / "house.png", SAMPLES / "landscape.jpg"

BLUR = """
input = "3x32x32"
layers = [
  { layer = "conv k3 p1 g3 o3 nobias", kernel = "box:3", name = "blur" },
  { layer = "conv k3 s2 p1 o5 nobias", kernel = "laplacian", name = "edges" },
  { layer = "resize x2", from = "blur", name = "large" },
]
outputs = ["blur"]
"""
CLASSES = """
input = "3x24x24"
layers = ["conv k3 s2 p1 o6", "relu", "globalavgpool, flatten, dense o4"]
"""


@pytest.fixture
def blur(tmp_path: Path) -> Path:
    path = tmp_path / "blur.toml"
    path.write_text(BLUR)
    return path


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    path = tmp_path / "classes.toml"
    path.write_text(CLASSES)
    return path


def pixels(path: Path) -> np.ndarray:
    return read_picture(path).frames[0].pixels


def test_a_network_that_makes_a_picture_writes_it(call: Call, tmp_path: Path, blur: Path) -> None:
    code, out, err = call("filter", PHOTO, "--network", blur, "-o", tmp_path / "out.png")
    assert (code, out, err) == (0, f"{tmp_path / 'out.png'}\n", "")
    call("filter", PHOTO, "--kernel", "box:3", "--padding-mode", "zeros", "-o", tmp_path / "box.png")
    ours, theirs = pixels(tmp_path / "out.png").astype(int), pixels(tmp_path / "box.png").astype(int)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1


def test_the_output_is_named_after_the_network_and_the_layer(call: Call, tmp_path: Path, blur: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(HOUSE.read_bytes())
    assert call("filter", photo, "--network", blur).out == f"{tmp_path / 'photo.blur.png'}\n"
    out = call("filter", photo, "--network", blur, "--layer", "edges").out
    assert out == f"{tmp_path / 'photo.blur-edges.png'}\n"


def test_maps_are_a_sheet_or_numbers(call: Call, tmp_path: Path, blur: Path) -> None:
    sheet, numbers = tmp_path / "maps.png", tmp_path / "maps.npy"
    for target in (sheet, numbers):
        code, _, err = call(
            "filter", PHOTO, "--network", blur, "--layer", "edges", "--resize", "80x60", "-o", target
        )
        assert (code, err) == (0, "")
    first = ("--resize", "80x60", "--layout", "chw", "-o", tmp_path / "chw.npy")
    call("filter", PHOTO, "--network", blur, "--layer", "edges", *first)
    maps = np.load(numbers)
    assert np.array_equal(np.load(tmp_path / "chw.npy"), maps.transpose(2, 0, 1))
    assert maps.shape == (30, 40, 5) and maps.dtype == np.float32
    assert pixels(sheet).shape[2:] == (3,)
    report = tmp_path / "report.jsonl"
    call("filter", PHOTO, "--network", blur, "--layer", "edges", "-o", tmp_path / "a.npy", "--report", report)
    assert json.loads(report.read_text())["layer"] == "edges"


def test_a_classifier_s_answer_is_printed(call: Call, tmp_path: Path, classes: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("cat\ndog\nhouse\ntree\n\n")
    code, out, err = call(
        "filter", HOUSE, PHOTO, "--network", classes, "--seed", 3, "--top", 2, "--labels", labels
    )
    assert code == 0
    first, second = map(json.loads, out.splitlines())
    assert first["input"] == str(HOUSE) and second["input"] == str(PHOTO)
    assert [set(each) for each in first["classes"]] == [{"class", "label", "share"}] * 2
    network = networks.load(classes)
    x = pixels(PHOTO).transpose(2, 0, 1)[np.newaxis] / 255
    scores = networks.load(classes, x.shape[1:]).run({"input": x}, seed=3)["dense1"][0]
    best = int(scores.argmax())
    assert network.outputs == {"dense1": ("N", 4)}
    assert second["classes"][0]["class"] == best
    assert second["classes"][0]["label"] == ["cat", "dog", "house", "tree"][best]
    assert second["classes"][0]["share"] == pytest.approx(
        float(np.exp(scores[best]) / np.exp(scores).sum()), abs=1e-5
    )
    assert "2 done" in err


def test_a_classifier_s_numbers_are_written_to_a_named_file(
    call: Call, tmp_path: Path, classes: Path
) -> None:
    target = tmp_path / "scores.npy"
    assert call("filter", HOUSE, "--network", classes, "--seed", 0, "-o", target).code == 0
    assert np.load(target).shape == (1, 4)


def test_published_networks_resize_pictures(call: Call, tmp_path: Path) -> None:
    target = tmp_path / "conv.npy"
    options = ("--network", "squeezenet-1.1", "--seed", 0, "--layer", "conv1", "-o", target)
    code, _, err = call("filter", PHOTO, *options)
    assert code == 0
    assert np.load(target).shape[:2] == (111, 111)
    assert err == (
        f"convcli: {PHOTO}: resized from 640 wide and 427 high to 224 wide and 224 high, the input size of the network, "
        "which changes its aspect ratio; --resize sets another size\n"
    )
    assert call("filter", PHOTO, *options, "--force", "-q").err == ""
    square = ("--values", "; ".join(["0 1 2 3"] * 4), "--network", "lenet-5", "--seed", 0)
    note = "resized from 4 wide and 4 high to 32 wide and 32 high, the input size of the network"
    assert call("filter", *square).err == f"convcli: the values: {note}; --resize sets another size\n"
    small = [tmp_path / f"{name}.pgm" for name in "ab"]
    for path in small:
        path.write_text("P2 4 4 255 " + "9 " * 16)
    err = call("filter", *small, *square[2:]).err.splitlines()
    assert err[0].endswith(f"a.pgm: {note}; --resize sets another size")  # the advice is printed once
    assert err[1].endswith(f"b.pgm: {note}")


def test_a_classifier_reports_the_size_that_it_runs_on(call: Call, classes: Path) -> None:
    options = ("--network", "squeezenet-1.1", "--seed", 0, "--top", 1, "--resize", "64x48")
    code, out, err = call("filter", PHOTO, *options, "-v")
    note, detail = err.splitlines()
    assert code == 0 and json.loads(out)["classes"]
    assert (
        note
        == f"convcli: {PHOTO}: resized from 640 wide and 427 high to 64 wide and 48 high, and the input size of the "
        "network is 224 wide and 224 high"
    )
    assert detail.startswith(f"convcli: {PHOTO}: squeezenet-1.1, input 1x3x48x64, ")
    assert call("filter", PHOTO, "--network", classes, "--seed", 0).err == ""  # a .toml takes any size


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--layer", "x", "--kernel", "sobel"), "--layer belongs to a network; name one with --network"),
        (("--mean", "1", "-k", "sobel"), "--mean belongs to a network; name one with --network"),
        (("--layout", "nhwc", "-k", "sobel"), "--layout nhwc belongs to the input of a network; name one with --network"),
        (("--network", "NET", "--kernel", "sobel"), "--kernel belongs to a layer, and has no use with --network; leave it out"),
        (("--network", "NET", "--stride", "2"), "--stride belongs to a layer, and has no use with --network; leave it out"),
        (("--network", "NET", "--linear"), "--linear belongs to a layer, and has no use with --network; leave it out"),
        (("--network", "NET", "--layer", "egdes"), "the network has no layer 'egdes'; did you mean 'edges'?"),
        (("--network", "NET", "--layer", "edges", "--range", "minmax"), "--range minmax maps the values of a picture, and the maps of --layer are drawn on a scale of their own; leave it out"),
        (("--network", "inception-v3", "--layer", "wxyz"), "the network has no layer 'wxyz'; convcli shape inception-v3 lists them"),
        (("--network", "resnet-51"), "there is no network 'resnet-51'; did you mean 'resnet-50'?"),
        (("--network", "NET", "--resize", "3"), "'3' is not the size of a network's input; write WIDTHxHEIGHT in pixels, such as 224x224"),
        (("--network", "NET", "--resize", "3x"), "'3x' is not the size of a network's input; write WIDTHxHEIGHT in pixels, such as 224x224"),
        (("--network", "NET", "--std", "0"), "'0' contains 0, and values are divided by it"),
        (("--network", "NET", "--mean", "a"), "'a' is not a number"),
        (("--network", "NET", "--mean", "1,2"), "--mean has 2 numbers, and the network has 3 channels"),
        (("--network", "NET", "--top", "3"), "--top applies to a classifier, and the network makes maps; leave it out"),
        (("--network", "NET", "--layer", "edges", "--top", "3"), "--top applies to classes, and --layer to maps"),
        (("--network", "none.onnx"), "cannot read the network 'none.onnx': there is no such file; check the spelling and the folder"),
        (("--network", "model.pt"), ".pt models cannot be read; convert it to ONNX first"),
    ],
)  # fmt: skip
def test_errors_are_one_line(
    call: Call, tmp_path: Path, blur: Path, options: tuple[str, ...], message: str
) -> None:
    typed = [str(blur) if each == "NET" else each for each in options]
    result = call("filter", HOUSE, *typed, "-o", tmp_path / "o.png")
    assert result.code in (1, 2)
    assert message in one_error(result)
    assert not (tmp_path / "o.png").exists()


def test_errors_of_weights(call: Call, tmp_path: Path, blur: Path) -> None:
    options = ("filter", HOUSE, "--network", blur, "-o", tmp_path / "o.png", "--weights")
    (tmp_path / "w.pt").write_bytes(b"PK")
    assert one_error(call(*options, tmp_path / "w.pt")) == (
        f"{tmp_path / 'w.pt'} is no .npz; in PyTorch: numpy.savez('w.npz', **{{name: value.numpy() for name, value in "
        "model.state_dict().items()})"
    )
    np.savez(tmp_path / "w.npz", **{"edges.weight": np.ones((5, 3, 3, 3))})
    assert "the weights are complete, and --seed draws those that are missing; leave it out" in one_error(
        call(*options, tmp_path / "w.npz", "--seed", 3)
    )


def test_a_note_names_the_other_outputs(call: Call, tmp_path: Path, blur: Path, classes: Path) -> None:
    blur.write_text(BLUR.replace('["blur"]', '["blur", "edges", "large"]'))
    classes.write_text(f'{CLASSES}outputs = ["dense1", "relu1"]')
    err = call("filter", HOUSE, "--network", blur, "-o", tmp_path / "o.png").err
    assert f"{blur} has the outputs blur, edges, large; this is blur, and --layer edges gives another" in err
    assert call("filter", HOUSE, "--network", blur, "--layer", "edges", "-o", tmp_path / "p.png").err == ""
    err = call("filter", HOUSE, "--network", classes, "--seed", 1).err
    assert "has the outputs dense1, relu1; this is dense1, and --layer relu1 gives the other" in err


def test_errors_of_class_options(call: Call, tmp_path: Path, classes: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("cat\ndog\n")
    options = ("filter", HOUSE, "--network", classes, "--seed", 1)
    assert "leave out -o, and redirect it with >" in one_error(
        call(*options, "--labels", labels, "-o", tmp_path / "x.json")
    )
    assert "--labels has 2 lines, and the network has 4 classes" in one_error(
        call(*options, "--labels", labels)
    )
    assert "cannot read the labels" in one_error(call(*options, "--labels", tmp_path / "none.txt"))
    labels.write_bytes(b"\xff\xfe\x00")
    assert "are not UTF-8 text" in one_error(call(*options, "--labels", labels))
    assert "the weights lack" in one_error(call("filter", HOUSE, "--network", classes))
    assert "the network's output is 1x4, and a picture has" in one_error(
        call(*options, "-o", tmp_path / "x.png")
    )


@pytest.mark.parametrize(
    "words",
    ["--in-place", "--skip-existing", "--dry-run", "--preserve", "--follow-links", "--png-level 3", "--quality 9", "--subsampling 4:4:4"],
)  # fmt: skip
def test_an_answer_is_printed_and_options_of_outputs_are_refused(
    call: Call, classes: Path, words: str
) -> None:
    result = call("filter", HOUSE, "--network", classes, "--seed", 1, *words.split())
    assert result.code == 2
    assert (
        one_error(result)
        == f"{words.split()[0]} applies to written pictures, and the answer is printed; leave it out"
    )


def test_force_with_an_answer_applies_to_its_report(call: Call, tmp_path: Path, classes: Path) -> None:
    options = ("filter", HOUSE, "--network", classes, "--seed", 1, "--force")
    result = call(*options)
    assert result.code == 2
    assert one_error(result) == "--force replaces files, and the answer is printed; leave it out"
    (tmp_path / "run.jsonl").write_text("old")
    assert call(*options, "--report", tmp_path / "run.jsonl").code == 0
    assert json.loads((tmp_path / "run.jsonl").read_text())["status"] == "done"


def test_memory_is_estimated(call: Call, tmp_path: Path, blur: Path) -> None:
    text = one_error(call("filter", PHOTO, "--network", blur, "--max-memory", "1M", "-o", tmp_path / "o.png"))
    assert "it would take about" in text and "over the limit of 1M" in text


def test_a_dry_run_reports_what_would_run(call: Call, tmp_path: Path, blur: Path) -> None:
    code, out, _ = call("filter", PHOTO, "--network", blur, "-o", tmp_path / "o.png", "--dry-run")
    assert code == 0
    assert f"run {blur} on" in out
    assert not (tmp_path / "o.png").exists()


def test_pictures_in_parallel_give_the_same(call: Call, tmp_path: Path, blur: Path) -> None:
    for jobs in (1, 3):
        folder = tmp_path / str(jobs)
        folder.mkdir()
        inputs = [HOUSE, PHOTO, SAMPLES / "zoneplate.png", SAMPLES / "logo.png"]
        assert call("filter", *inputs, "--network", blur, "-o", f"{folder}/", "--jobs", jobs).code == 0
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "3" / path.name).read_bytes()
