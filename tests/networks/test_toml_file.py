"""Networks in TOML files, and their errors, which name the file, the line and the layer."""

import pytest

from convcli import networks
from convcli.networks.network_text import NetworkError, read_chain_file
from convcli.networks.toml_file import ITEM, read_toml
from tests.paths import ROOT

PACKAGE = ROOT / "convcli"

TINY = """# "layers" in a comment
name = "tiny"
source = "an example"
input = "3x32x32"
layers = [
  "conv k3 p1 o16 nobias, bn, relu",
  { layer = "conv k1", name = "side" },
  { layer = "add", from = ["side", "relu1"] },
  { block = "residual", o = 32, s = 2, shortcut = "conv k1 s2 o32" },
  { repeat = 2, block = "residual", o = 32 },
  "globalavgpool, flatten, dense o10",
]

[blocks.residual]
o = 16
s = 1
shortcut = "identity"
layers = [
  "conv k3 s{s} p1 o{o} nobias, bn, relu, conv k3 p1 nobias",
  { layer = "bn", name = "main" },
  { layer = "{shortcut}", from = "input", name = "side" },
  { layer = "add", from = ["main", "side"] },
  "relu",
]
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="net.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_describes_a_network(written):
    network = networks.load(written(TINY))
    assert (network.name, network.source, network.inputs) == (
        "tiny",
        "an example",
        {"input": ("N", 3, 32, 32)},
    )
    rows = {row["name"]: row for row in network.rows()}
    assert rows["add1"]["inputs"] == ["side", "relu1"]
    assert rows["residual1.side"]["inputs"] == ["add1"]
    assert rows["residual1.side"]["layer"] == "conv k1x1 s2 o32"
    assert rows["residual2.side"]["layer"] == "identity"
    assert rows["residual3.add1"]["inputs"] == ["residual3.main", "residual3.side"]
    assert rows["residual3.relu2"]["receptive_field"] == [25, 25]

    def conv(i, o, k, bias=0):
        return i * o * k * k + bias * o

    blocks = [(16, 32), (32, 32), (32, 32)]
    assert network.params() == (
        conv(3, 16, 3) + 32 + conv(16, 16, 1, 1) + sum(conv(i, o, 3) + conv(o, o, 3) + 4 * o for i, o in blocks)
        + conv(16, 32, 1, 1) + 32 * 10 + 10
    )  # fmt: skip


def test_another_input_size_is_used(written):
    path = written(TINY)
    assert networks.load(path, (3, 64, 64)).rows()[0]["output_shape"] == [16, 64, 64]
    assert networks.load(path, {"input": (3, 64, 64)}).inputs == {"input": ("N", 3, 64, 64)}
    assert networks.load(path, (1, 3, 64, 64)) == networks.load(path, (3, 64, 64))
    with pytest.raises(NetworkError, match="but 64x64 has 2 axes instead of 3"):
        networks.load(path, (64, 64))
    with pytest.raises(NetworkError, match="it has no input 'x'; use input"):
        networks.load(path, {"x": (3, 64, 64)})


def test_a_resnet_is_the_one_of_the_list(written):
    stages = "\n".join(
        f'  {{ block = "basic", o = {o}, s = {s}, shortcut = "{cut}" }}, {{ repeat = {n - 1}, block = "basic", o = {o} }},'
        for o, n, s, cut in [
            (64, 3, 1, "identity"), (128, 4, 2, "conv k1 s2 o128 nobias, bn"),
            (256, 6, 2, "conv k1 s2 o256 nobias, bn"), (512, 3, 2, "conv k1 s2 o512 nobias, bn"),
        ]
    )  # fmt: skip
    text = f"""
input = "3x224x224"
layers = [
  "conv k7 s2 p3 o64 nobias, bn, relu, maxpool k3 s2 p1",
{stages}
  "globalavgpool, flatten, dense o1000",
]
[blocks.basic]
o = 64
s = 1
shortcut = "identity"
layers = [
  {{ layer = "conv k3 s{{s}} p1 o{{o}} nobias, bn, relu, conv k3 p1 nobias, bn", name = "main" }},
  {{ layer = "{{shortcut}}", from = "input", name = "side" }},
  {{ layer = "add", from = ["main", "side"] }}, "relu",
]
"""
    found, listed = networks.load(written(text)).totals(), networks.load("resnet-34").totals()
    assert found["params"] == listed["params"] == 21_797_672
    assert found["macs"] == listed["macs"]


def test_several_inputs_outputs_splits_and_shared_weights(written):
    text = """
inputs = { image = "8x16x16", mask = "1x16x16" }
layers = [
  { layer = "split n2", from = "image", name = "s" },
  { layer = "conv k3 p1", from = "s:0", weights = "both" },
  { layer = "conv k3 p1", from = "s:1", weights = "both" },
  { layer = "mul", from = ["conv1", "mask"], name = "left" },
  { layer = "concat", from = ["left", "conv2"], name = "all" },
]
outputs = ["all", "left"]
"""
    network = read_toml(written(text))
    assert tuple(network.outputs) == ("all", "left")
    rows = {row["name"]: row for row in network.rows()}
    assert (rows["conv1"]["params"], rows["conv2"]["params"], rows["conv2"]["shares_with"]) == (
        148,
        0,
        "conv1",
    )
    assert rows["all"]["output_shape"] == [8, 16, 16]
    with pytest.raises(
        NetworkError,
        match="it has the inputs image, mask; name the one whose shape is given, as NAME=3x32x32",
    ):
        read_toml(written(text), (8, 32, 32))
    assert read_toml(written(text), {"image": (8, 16, 16)}).inputs["image"] == ("N", 8, 16, 16)


def test_repeats_and_nested_blocks(written):
    text = """
input = "4x16x16"
layers = [
  { repeat = 3, layers = [{ layer = "conv k3 p1 o{4*i}", name = "c{i}" }, "relu"] },
  { block = "outer", name = "o", k = 3 },
]
[blocks.outer]
k = 1
layers = [{ repeat = 2, block = "inner", k = "{k}", name = "in{i}" }, { layer = "add", from = ["in1", "in2", "input"] }]
[blocks.inner]
k = 1
layers = ["conv k{k} p{k//2} o{channels}"]
"""
    names = {row["name"]: row["layer"] for row in read_toml(written(text)).rows()}
    assert names == {
        "c1": "conv k3x3 p1 o4", "relu1": "relu", "c2": "conv k3x3 p1 o8", "relu2": "relu", "c3": "conv k3x3 p1 o12",
        "relu3": "relu", "o.in1.conv1": "conv k3x3 p1 o12", "o.in2.conv1": "conv k3x3 p1 o12", "o.add1": "add",
    }  # fmt: skip


def layers(*lines):
    return 'input = "3x8x8"\nlayers = [\n' + "\n".join(f"  {line}," for line in lines) + "\n]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layers = [\n", "net.toml is not valid TOML: Invalid value"),
        (layers('"conv k3"', '"cnv k3"'), "net.toml, line 4: 'cnv k3': 'cnv' is not an operator; did you mean 'conv'"),
        (layers('"relu"', '"conv k9 o4"'), r"net.toml, line 4: conv1 \(conv k9x9 o4\): the output would be empty: .*"
         r"its input is 3x8x8 from relu1 \(relu\)"),
        (layers('"conv k3 o4"', '{ layer = "add", from = ["conv1", "input"] }'),
         r"net.toml, line 4: add1 \(add\): add takes inputs of the same shape, got 4x6x6 and 3x8x8; its input is 4x6x6 from conv1 "
         r"\(conv k3x3 o4\) and 3x8x8 from the input 'input'"),
        (layers('"relu"', '{ layer = "bn", from = "rlu1" }'),
         "net.toml, line 4: there is no layer 'rlu1' before it; did you mean 'relu1'"),
        (layers('{ layer = "bn", form = "relu1" }'), "a layer's table has no key 'form'; did you mean 'from'"),
        (layers('{ block = "residul" }') + '[blocks.residual]\nlayers = ["relu"]\n',
         "net.toml, line 3: there is no block 'residul'; did you mean 'residual'"),
        (layers('{ block = "res" }'), r"net.toml, line 3: there is no block 'res'; define it in a table \[blocks.res\]$"),
        (layers('{ block = "b", q = 1 }') + '[blocks.b]\no = 1\nlayers = ["relu"]\n', "the block 'b' has no key 'q'"),
        (layers('{ block = "b" }') + '[blocks.b]\nlayers = ["relu", { block = "b" }]\n',
         "the block 'b' contains itself: b in b"),
        (layers('{ block = "b" }') + '[blocks.b]\nlayers = ["relu",\n "conv k99"]\n',
         r"net.toml, line 7: b1.conv1 \(conv k99x99 o3\): the output would be empty"),
        (layers('{ repeat = 0, layer = "relu" }'), "repeat must be a whole number from 1 to 100,000, got 0"),
        (layers('{ repeat = 2, layer = "relu", name = "a" }'), "repeated layers cannot all be called 'a'"),
        (layers('{ repeat = 100000, layers = [{ repeat = 100000, layers = [] }] }'),
         "the network has more than 100,000 layers; repeat less"),
        (layers('{ layer = "relu", layers = [] }'), "a table must have one of layer, layers and block; .* has layer and layers"),
        (layers("7"), "a layer must be a string or a table, got 7"),
        (layers('"conv k{k}"'), "{k}: there is no value 'k'"),
        (layers('"conv k{1/0}"'), "{1/0} divides by 0"),
        (layers('"conv k{7/2}"'), "{7/2} is 7 / 2, which is not a whole number; use // to round down"),
        (layers('"conv k{__import__}"'), "there is no value '__import__'"),
        (layers('"conv k{f(2)}"'), "{f\\(2\\)} is not a formula"),
        (layers('"conv k{9**9}"'), "is not a formula"),
        (layers('{ layer = "relu", name = "a" }', '{ layer = "bn", name = "a" }'), "line 4: two nodes are called 'a'"),
        ('input = "3x8x8"\n', "it has no layers"),
        ('layers = ["relu"]\n', "it has no input; write the line input = \"3x224x224\", channels x sizes, before its layers"),
        ('input = "3x8xq"\nlayers = []\n', "'3x8xq' is not a size"),
        ('input = [3, 8, 8]\nlayers = []\n', "the input 'input' must be channels x sizes"),
        (layers('"relu"') + 'outputs = ["relu2"]\n', "there is no layer 'relu2' before it; did you mean 'relu1'"),
        (layers('"relu"') + "layer = 1\n", "the file has no key 'layer'; did you mean 'layers'"),
    ],
)  # fmt: skip
def test_errors_name_the_file_and_the_line(written, text, message):
    with pytest.raises(NetworkError, match=message) as caught:
        networks.load(written(text))
    assert str(caught.value).count("\n") == 0


def test_files_that_cannot_be_read(tmp_path, written):
    with pytest.raises(NetworkError, match="there is no such file; check the spelling and the folder"):
        networks.load(tmp_path / "none.toml")
    with pytest.raises(NetworkError, match="it is a folder, a device or a pipe"):
        (tmp_path / "folder.toml").mkdir()
        networks.load(tmp_path / "folder.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NetworkError, match="is not UTF-8 text"):
        networks.load(binary)
    with pytest.raises(NetworkError, match="is larger than 4,000,000 bytes"):
        networks.load(written("#" * 4_000_001))
    with pytest.raises(NetworkError, match="is not valid TOML"):
        networks.load(written("a = " + "[" * 50_000))


def test_chains_in_files(written):
    path = written(
        "# a stem\nconv k7 s2 p3 o64, relu\n\nmaxpool k3 s2 p1  # as in ResNet\nconv k3 p1,\n", "chain.txt"
    )
    assert [(reported.rpartition(", ")[2], item.strip()) for reported, item in read_chain_file(path)] == [
        ("line 2", "conv k7 s2 p3 o64"), ("line 2", "relu"), ("line 4", "maxpool k3 s2 p1"), ("line 5", "conv k3 p1")
    ]  # fmt: skip
    with pytest.raises(NetworkError, match="has no layers; write one per line"):
        read_chain_file(written("# nothing\n", "empty.txt"))


def test_the_example_on_the_page_about_networks_is_valid(written):
    page = (PACKAGE / "docs" / "networks.md").read_text(encoding="utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]
    network = networks.load(written(text))
    assert network.name == "small-resnet"
    assert [node.name for node in network.nodes if node.name.endswith("relu2")] == [
        f"residual{number}.relu2" for number in range(1, 5)
    ]
    for key in (*ITEM, "inputs", "outputs"):
        assert f"`{key}" in page
