"""What users of other programs type for layers and networks is answered with what to type here."""

import pytest

from tests.conftest import Call, one_error


@pytest.mark.parametrize(("line", "message"), [
    ("shape --n 7 --k 3 --transpose", "use --transposed"),
    ("compare --n 7 --k 3 --transpose", "use --variant transposed"),
    ("filter x.png -k box --transpose", "pictures are turned only as their EXIF orientation has it"),
    ("shape --n 7 --k 3 --op 1", "use --transposed --output-padding 1"),
    ("shape --n 224 --k 7 --out-size 112", "use --target 112"),
    ("params --in 3 --out 64 --k 7 --bias false", "--bias takes no value; write --no-bias"),
    ("params --in 3 --out 64 --k 7 --bias True", "--bias takes no value; write --bias"),
    ("shape --n 7 --k 3 --transposed yes", "an option without a value takes no yes; leave it out"),
    ("cost mobilenet-v1 --input 192", "has 1 axis instead of 3; did you mean 3x192x192?"),
    ("cost mobilenet-v1 --input 192x160", "has 2 axes instead of 3; did you mean 3x192x160?"),
    ("cost mobilenet-v1 --input 3x224", "has 2 axes instead of 3; did you mean 3x224x224?"),
    ("cost resnet-50 --width 0.5", "resnet-50 has no option 'width'; it takes classes, as in resnet-50:classes=10"),
    ("params resnet-50 --num-classes 7", "use convcli params resnet-50:classes=7"),
    ("cost mobilenet-v1 --batch x", "'x' is not a whole number of at least 1"),
    ("help mobilenet", "convcli networks mobilenet lists networks of that name"),
    ("cost mobilenet-v1 --n 192", "the input of a network is --input 3x192x192"),
    ("cost mobilenet-v1 --n 192x160 --in 1", "the input of a network is --input 1x192x160"),
    ("cost mobilenet-v1 --in 1", "the input of a network is --input 1x224x224"),
    ("shape --n 7 --k 3 --p -1", "'-1' is below 0, and must be at least 0"),
    ("shape --n 7 --k 3 --p 1:-2", "'-2' is below 0, and must be at least 0"),
    ("shape --n 7 --k 3 --field input_size,out_channels", "there is no field 'out_channels'; use output_shape, channels x sizes"),
    ("cost resnet-18 --field gflops", "there is no field 'gflops'; use flops, as a plain number"),
    ("shape --n 7 --k 3 --field rf", "there is no field 'rf'; use receptive_field"),
    ("params --in 3 --k 3 --field parameters", "there is no field 'parameters'; use params"),
    ("cost resnet-18 --dtype half", "use --dtype float16"),
    ("cost resnet-18 --dtype FP16", "use --dtype float16"),
    ("cost resnet-18 --dtype bf16", "use --dtype float16"),
    ("cost resnet-18 --dtype fp32", "use --dtype float32"),
    ("cost resnet-18 --dtype uint8", "use --dtype int8"),
    ("memory resnet-18", "use convcli cost NETWORK"),
    ("rf resnet-18", "use convcli shape NETWORK, or convcli shape --n 224 --k 7"),
    ("receptive resnet-18", "use convcli shape NETWORK, or convcli shape --n 224 --k 7"),
])  # fmt: skip
def test_words_for_layers(call: Call, line: str, message: str) -> None:
    found = call(*line.split())
    assert found.code == 2
    assert message in one_error(found).removesuffix(")")
