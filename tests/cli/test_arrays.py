"""Files named by options: whatever they contain, they are read, or rejected with exit code 2 and one line."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.npy import MAGIC
from tests.conftest import Call, one_error

OPTIONS = {
    "--weights w.npy": "w.npy",
    "--weights good.npy --bias-file w.npy": "w.npy",
    "--pointwise w.npy": "w.npy",
    "--offsets w.npy": "w.npy",
    "--local w.npy": "w.npy",
    "-k w.npy": "w.npy",
}


def claiming(shape: str, descr: str = "<f8") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return MAGIC + b"\1\0" + len(header).to_bytes(2, "little") + header + bytes(80)


def archive() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones((1, 3, 3, 3)))
    return buffer.getvalue()


CONTENTS = {
    "it is an archive of arrays, written by numpy.savez": archive(),
    "the file is cut short: it has 80 of 8,000,000,000,000 bytes": claiming("(1000000000000,)"),
    "the file is cut short: it has 80 of 2,400,000": claiming("(100000, 1, 3, 1)"),
    f"the file is cut short: it has 80 of {8 * 10**30:,} bytes": claiming(f"({10**30},)"),
    "its shape (True, 3, 1, 1) is not a valid shape": claiming("(True, 3, 1, 1)"),
    "its shape (-1, 3, 1, 1) is not a valid shape": claiming("(-1, 3, 1, 1)"),
    "holds float64 of shape (0, 3, 1, 1)": claiming("(0, 3, 1, 1)"),
    "it holds Python objects, which are never unpickled": claiming("(1, 3, 1, 1)", "|O"),
    "holds |S99999999": claiming("(1,)", "|S99999999"),
    "it is not a .npy file": b"hello",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (5, 4), (9, 99, 199)).save("in.png")
    np.save("good.npy", np.ones((1, 3, 1, 1)))
    return tmp_path


@pytest.mark.parametrize("message", CONTENTS)
@pytest.mark.parametrize("words", OPTIONS)
def test_hostile_arrays(call: Call, here: Path, words: str, message: str) -> None:
    Path("w.npy").write_bytes(CONTENTS[message])
    result = call("filter", "in.png", *words.split(), "-o", "out.npy")
    assert result.code == 2
    error = one_error(result)
    if not words.startswith("-k"):
        assert message in error
    assert "w.npy" in error or "over the limit" in error
    assert not Path("out.npy").exists()


@pytest.mark.parametrize("words", [*OPTIONS, "--pointwise w.csv"])
def test_pipes_and_folders_are_no_arrays(call: Call, here: Path, words: str) -> None:
    name = words.split()[-1]
    os.mkfifo(name)
    for _ in range(2):
        result = call("filter", "in.png", *words.split(), "-o", "out.npy")
        assert result.code == 2
        assert "it is a folder, a device or a pipe" in one_error(result)
        Path(name).unlink(missing_ok=True) if Path(name).is_fifo() else None
        Path(name).mkdir(exist_ok=True)


def test_a_matrix_in_text_has_a_limit(call: Call, here: Path) -> None:
    with Path("w.csv").open("wb") as file:
        file.truncate((1 << 24) + 1)
    result = call("filter", "in.png", "--pointwise", "w.csv", "-o", "out.npy")
    assert result.code == 2
    assert (
        "w.csv has 16,777,217 bytes, more than the 16,777,216 that are read as text; save it as .npy"
        in one_error(result)
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("k.json", "[" * 60000, "is nested too deeply; a kernel has 1 to 3 axes"),
        ("k.json", "[" + "1," * 99999 + "1]", "has 100,000 values, more than a kernel with 20 taps on a side can have"),
        ("k.csv", "1," * 99999, "has 199,998 bytes, more than a kernel with 20 taps on a side can have"),
        ("k.txt", "1 " * 99999, "has 199,998 bytes, more than a kernel"),
        ("k.mat", "99999999999 99999999999\n1", "99999999999x99999999999 needs 9999999999800000000001 values, but 1 are"),
        ("k.mat", "3 3 " + "1 " * 99999, "has 200,002 bytes, more than a kernel"),
    ],
)  # fmt: skip
def test_kernels_of_absurd_size(call: Call, here: Path, name: str, content: str, message: str) -> None:
    Path(name).write_text(content)
    result = call("filter", "in.png", "-k", name, "--max-kernel", "20", "-o", "out.npy")
    assert result.code == 2
    assert message in one_error(result)


def test_a_matrix_may_be_json(call: Call, tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    (tmp_path / "m.json").write_text('[["1/2", 0.25, 0], [0, 1, -1]]')
    names = tmp_path / "in.png", "--pointwise", tmp_path / "m.json", "-o", tmp_path / "out.npy"
    assert call("filter", *names).code == 0
    wanted = pixels @ np.array([[0.5, 0.25, 0], [0, 1, -1]]).T
    assert np.allclose(np.load(tmp_path / "out.npy"), wanted)
    for text, says in (
        (
            '{"weights": [[1]]}',
            "m.json holds no matrix; write a list of rows, such as [[1, 0, 0], [0, 1, 0]]",
        ),
        ("[[1, true]]", "m.json holds no matrix"),
        ("[[1, 2", "m.json is not JSON ("),
        ("[[1, 2, 3], [4]]", "is ragged or empty; give every row the same number of values"),
        ('[["x"]]', "is not a matrix ('x' is not a number)"),
    ):
        (tmp_path / "m.json").write_text(text)
        result = call("filter", *names, "--force")
        assert result.code in (1, 2)
        assert says in one_error(result)
