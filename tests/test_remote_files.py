"""Files at URLs: in memory, and on a server of this machine; errors, and failures of stores."""

import json
import os
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from unittest import mock

import fsspec
import numpy as np
import pytest
from PIL import Image

from convcli import draw, filter_file, load_network, remote_files
from convcli.errors import ArgumentError
from convcli.files import ExistsError, WriteError, write_whole
from convcli.remote_files import RemotePath, file_path
from tests.conftest import ROOT, SAMPLES, Call, one_error

HOUSE, LOGO = ((SAMPLES / name).read_bytes() for name in ("house.png", "logo.png"))


@pytest.fixture
def store() -> Iterator[dict[str, object]]:
    """The files of memory://, none at first."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system.store
    system.store.clear()


def put(**files: bytes) -> None:
    for name, data in files.items():
        fsspec.filesystem("memory").pipe_file(f"/in/{name.replace('_', '.')}", data)


def got(path: str) -> bytes:
    return fsspec.filesystem("memory").cat_file(path)


def test_paths_of_urls_are_paths() -> None:
    path = file_path("memory://in/a.png")
    assert (path.name, path.stem, path.suffix, str(path.parent)) == ("a.png", "a", ".png", "memory://in")
    for same in (
        path.parent / "a.png",
        path.with_name("a.png"),
        pickle.loads(pickle.dumps(path)),
        path.absolute(),
    ):
        assert isinstance(same, RemotePath)
        assert (same, str(same), hash(same)) == (path, "memory://in/a.png", hash(path))
    url = "https://host/pictures/a.png?key=x//y&next=http://z/b.jpg#top"
    assert (str(file_path(url)), file_path(url).name) == (url, "a.png")
    assert str(file_path(url).with_name("b.png")) == "https://host/pictures/b.png"
    assert not isinstance(file_path("in/a.png"), RemotePath)


def test_a_file_of_this_machine_may_look_like_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "memory:").mkdir()
    (tmp_path / "memory:" / "a.png").touch()
    assert file_path("memory://a.png").read_bytes() == b""


# Filter


def test_outputs_are_those_of_files(call: Call, store: dict[str, object], tmp_path: Path) -> None:
    put(house_png=HOUSE, logo_png=LOGO, notes_txt=b"no picture")
    fsspec.filesystem("memory").pipe_file("/in/sub/deep.png", HOUSE)
    local = tmp_path / "house.png"
    assert call("filter", SAMPLES / "house.png", "--kernel", "box", "-o", local).code == 0
    line = ["filter", "memory://in", "--recursive", "--kernel", "box", "-o", "memory://out/"]
    result = call(*line)
    names = ["house.png", "logo.png", "sub/deep.png"]
    assert result[:2] == (0, "".join(f"memory://out/{name}\n" for name in names))
    assert got("/out/house.png") == got("/out/sub/deep.png") == local.read_bytes()

    again = call(*line)
    assert again.code == 1
    assert "memory://out/house.png exists" in again.err
    skipped = call(*line, "--skip-existing")
    assert skipped[:2] == (0, "")
    assert skipped.err.startswith("convcli: 0 done, 3 skipped")
    fsspec.filesystem("memory").rm("/out/logo.png")
    assert call(*line, "--skip-existing", "-q").code == 0
    assert "/out/logo.png" in store
    before = got("/out/house.png")
    assert (
        call(
            *line[:-2],
            "-o",
            "memory://out/",
            "--force",
            "--flip",
            "--range",
            "minmax",
            "--include",
            "house.png",
        ).code
        == 0
    )
    assert got("/out/house.png") != before

    # A pattern, a template, beside the input, and back to this machine.
    assert call("filter", "memory://in/*/*.png", "--kernel", "box", "-o", "memory://t/{below}/{stem}.{kernel}.bmp").out == (
        "memory://t/sub/deep.box.bmp\n"
    )  # fmt: skip
    assert call("filter", "memory://in/house.png", "--kernel", "box").out == "memory://in/house.box.png\n"
    assert call(
        "filter", "memory://in/sub/", "--kernel", "box", "-o", "{parent}/{stem}.{kernel}.bmp"
    ).out == ("memory://in/sub/deep.box.bmp\n")
    out = tmp_path / "{parent}" / "{name}"
    assert call("filter", "memory://in/house.png", "--kernel", "box", "-o", out).code == 0
    assert (tmp_path / "in" / "house.png").read_bytes() == local.read_bytes()
    assert filter_file("memory://in/house.png", "memory://api/", "box").path == file_path(
        "memory://api/house.png"
    )


def test_a_dry_run_writes_nothing(call: Call, store: dict[str, object]) -> None:
    put(house_png=HOUSE)
    result = call(
        "filter", "memory://in/house.png", "--kernel", "box", "-o", "memory://out/x.png", "--dry-run"
    )
    assert (result.code, list(store)) == (0, ["/in/house.png"])
    assert "write memory://out/x.png" in result.out


def test_inputs_are_not_overwritten(call: Call, store: dict[str, object]) -> None:
    put(house_png=HOUSE)
    words = ["filter", "memory://in/house.png", "--kernel", "box"]
    result = call(*words, "-o", "memory://in/house.png", "--force")
    assert (result.code, "is an input and would be overwritten" in one_error(result)) == (2, True)
    assert call(*words, "--in-place").code == 0
    assert got("/in/house.png") != HOUSE
    result = call(*words, "-o", "memory://x/y.png", "--preserve")
    assert "does not apply to memory://in/house.png; leave it out" in one_error(result)


def test_kernels_weights_and_masks_are_read(call: Call, store: dict[str, object], tmp_path: Path) -> None:
    numbers = np.ones((3, 3))
    np.save(tmp_path / "k.npy", numbers)
    put(house_png=HOUSE, k_npy=(tmp_path / "k.npy").read_bytes(), k_csv=b"1,1,1\n1,1,1\n1,1,1\n")
    outputs = [
        call("filter", "memory://in/house.png", "--kernel", kernel, "--range", "minmax", "-o", "pgm:-").out
        for kernel in ("memory://in/k.npy", "memory://in/k.csv", "1 1 1;1 1 1;1 1 1")
    ]
    assert outputs[0] == outputs[1] == outputs[2] != ""


def test_the_bytes_of_a_remote_file_are_counted(call: Call, store: dict[str, object], tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3000, 4000), np.float32))
    put(a_npy=(tmp_path / "a.npy").read_bytes())
    needed = []
    for name in (str(tmp_path / "a.npy"), "memory://in/a.npy"):
        result = call("filter", name, "--kernel", "box", "-o", "memory://out/a.npy", "--max-memory", "1M")
        needed.append(int(re.search(r"it would take about (\d+)M of memory", one_error(result))[1]))
    assert (
        needed[1] > needed[0] + 20
    )  # by rows the 45.8 MiB of the file would be held, too: it is decoded whole


# Other commands


def test_other_commands_read_and_write_them(call: Call, store: dict[str, object]) -> None:
    put(house_png=HOUSE, logo_png=LOGO)
    call("filter", "memory://in/house.png", "--kernel", "box", "-o", "memory://out/house.png")
    result = call("diff", "memory://in", "memory://out", "-o", "memory://maps/", "--format", "json")
    outcomes = {row["picture"]: row["outcome"] for row in json.loads(result.out)["rows"]}
    assert outcomes == {"house.png": "different", "logo.png": "only in in"}
    assert "/maps/house.png" in store
    assert call("diff", "memory://in/house.png", "memory://in/house.png", "-o", "memory://x/r.json").code == 0
    assert json.loads(got("/x/r.json"))["totals"]["within"]
    assert (
        call(
            "match", "memory://in/house.png", "--template", "memory://in/house.png", "-o", "memory://x/m.npy"
        ).code
        == 0
    )
    assert "/x/m.npy" in store
    learned = call("learn", "memory://in/house.png", "memory://out/house.png", "-o", "memory://x/k.csv", "--bias-file", "memory://x/b.npy")  # fmt: skip
    assert (learned.code, {"/x/k.csv", "/x/b.npy"} <= set(store)) == (0, True)
    Image.new("L", (12, 12)).save(buffer := BytesIO(), "PNG")
    put(tiny_png=buffer.getvalue())
    compared = call("compare", "memory://in/tiny.png", "--kernel", "box", "-o", "memory://x/sheet.png")
    assert (compared.code, "/x/sheet.png" in store) == (0, True)
    report = call("filter", "memory://in/house.png", "--kernel", "box", "--report", "memory://x/r.jsonl")
    assert (report.code, "which needs a local file" in one_error(report)) == (2, True)


# Networks, chains and numbers

NETWORK = b'input = "1x16x16"\nlayers = ["conv k3 p1 o1 nobias"]\n'


def weights() -> bytes:
    np.savez(buffer := BytesIO(), **{"conv1.weight": np.full((1, 1, 3, 3), 0.1, np.float32)})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (
            "filter %p/house.png --gray --network %s/n.toml --weights %s/w.npz -o pgm:- --range minmax",
            0,
        ),
        ("filter %p/house.png --gray --network %s/n.toml --weights %s/none.npz -o pgm:-", 2),
        ("shape %s/n.toml", 0),
        ("shape %s/none.toml", 2),
        ("params %s/none.onnx", 2),
        ("compare %s/n.toml resnet-18 --format csv", 0),
        ("params --n 16 --in 1 --layers @%s/c.txt", 0),
        ("params --n 16 --in 1 --layers @%s/none.txt", 2),
        ("draw %s/n.toml --receptive", 0),
        ("draw --values %s/k.csv --kernel %s/k.csv", 0),
    ],
)
def test_networks_chains_and_numbers_are_those_of_files(
    call: Call, store: dict[str, object], tmp_path: Path, words: str, code: int
) -> None:
    files = {"n_toml": NETWORK, "w_npz": weights(), "c_txt": b"conv k3 p1 o2\n", "k_csv": b"1,2\n3,4\n"}
    put(**files)
    for name, data in files.items():
        (tmp_path / name.replace("_", ".")).write_bytes(data)
    local, remote = (
        call(*(word.replace("%s", str(end)).replace("%p", str(SAMPLES)) for word in words.split()))
        for end in (tmp_path, "memory://in")
    )
    assert remote.code == code
    assert remote == (local.code, *(text.replace(str(tmp_path), "memory://in") for text in local[1:]))


def test_python_reads_and_writes_them(store: dict[str, object]) -> None:
    put(n_toml=NETWORK, w_npz=weights())
    x = np.ones((1, 1, 16, 16), np.float32)
    network = load_network("memory://in/n.toml")
    (made,) = network.run({next(iter(network.inputs)): x}, weights="memory://in/w.npz").values()
    assert made[0, 0, 5, 5] == pytest.approx(0.9)
    draw("conv k1 o1", 1).save("memory://out/d.svg")
    assert got("/out/d.svg").startswith(b"<svg")


# Stores that fail


def test_a_file_appears_whole_or_not_at_all(store: dict[str, object]) -> None:
    path = file_path("memory://out/a.bin")
    write_whole(path, b"old", overwrite=False)
    with pytest.raises(ExistsError, match=r"memory://out/a\.bin exists"):
        write_whole(path, b"new", overwrite=False)
    # Another process writes the file between the check and the write.
    with mock.patch.object(RemotePath, "stat", side_effect=FileNotFoundError), pytest.raises(ExistsError):
        write_whole(path, b"new", overwrite=False)

    def breaks(file: object) -> None:
        file.write(b"half")
        raise MemoryError

    with pytest.raises(MemoryError):
        write_whole(path, breaks, overwrite=True)
    assert got("/out/a.bin") == b"old"
    write_whole(path, lambda file: file.write(b"made"), overwrite=True)
    assert got("/out/a.bin") == b"made"


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (PermissionError(13, "Access Denied"), "Access Denied; write into another folder with `output`"),
        (PermissionError("Forbidden\nby a rule"), "Forbidden by a rule"),
        (FileNotFoundError("bucket"), "there is no such bucket; check the spelling"),
        (TimeoutError(), "memory did not answer in time; try again"),
        (RuntimeError("the connection broke"), "the connection broke"),
        (KeyError(), "KeyError"),
    ],
)
def test_an_error_of_a_store_is_one_line(store: dict[str, object], failure: Exception, message: str) -> None:
    system = type(fsspec.filesystem("memory"))
    with mock.patch.object(system, "pipe_file", side_effect=failure), pytest.raises(WriteError) as caught:
        write_whole(file_path("memory://out/a.bin"), b"", overwrite=True)
    assert str(caught.value) == f"cannot write memory://out/a.bin: {message}"


def test_a_failing_store_is_that_files_error(call: Call, store: dict[str, object]) -> None:
    put(house_png=HOUSE)
    system, whole = type(fsspec.filesystem("memory")), fsspec.filesystem("memory").open

    def opened(self: object, path: str, *arguments: object, **options: object) -> object:
        if path.endswith("secret.png"):
            raise PermissionError("Forbidden")
        return whole(path, *arguments, **options)

    with mock.patch.object(system, "open", opened):
        names = ["memory://in/none.png", "memory://in/secret.png", "memory://in/house.png"]
        code, out, err = call("filter", *names, "--kernel", "box", "-o", "memory://out/", "--jobs", 1)
    assert (code, out) == (1, "memory://out/house.png\n")
    assert err.splitlines()[:2] == [
        "convcli: error: cannot read memory://in/none.png: there is no such file; check the spelling and the folder",
        "convcli: error: cannot read memory://in/secret.png: Forbidden",
    ]


# HTTP


class Handler(BaseHTTPRequestHandler):
    """Serves the files on a shelf, and gives every other response of a server."""

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2]
        if name == "slow.png":
            self.server.released.wait(10)
            return
        self.server.asked.append(name)
        shelf = self.server.shelf
        status = {
            **dict.fromkeys(shelf, 200),
            "forbidden.png": 403,
            "broken.png": 500,
            "endless.png": 200,
        }.get(name, 404)
        self.send_response(status)
        self.end_headers()
        if name == "endless.png":
            while True:
                try:
                    self.wfile.write(bytes(1 << 16))
                except OSError:
                    return
        self.wfile.write(shelf.get(name, b"no"))

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def shelf() -> dict[str, bytes]:
    """The files of the server, by their names."""
    return {"house.png": HOUSE}


@pytest.fixture
def asked() -> list[str]:
    """The names that were requested from the server."""
    return []


@pytest.fixture
def server(shelf: dict[str, bytes], asked: list[str]) -> Iterator[str]:
    """The address of a server of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        served.daemon_threads, served.released = True, threading.Event()
        served.shelf, served.asked = shelf, asked
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.released.set()
        served.shutdown()
        thread.join()


def test_pictures_of_a_server(
    call: Call, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_files, "MAX_BYTES", 1 << 20)
    names = ["house.png?key=a//b", "none.png", "forbidden.png", "broken.png", "endless.png"]
    urls = [f"{server}/a%20folder/{name}" for name in names]
    code, out, err = call("filter", *urls, "--kernel", "box", "-o", f"{tmp_path}/", "--jobs", 1)
    assert (code, out) == (1, f"{tmp_path}/house.png\n")
    filter_file(SAMPLES / "house.png", tmp_path / "local.png", "box")
    assert (tmp_path / "house.png").read_bytes() == (tmp_path / "local.png").read_bytes()
    *errors, _ = err.splitlines()
    assert [line.removeprefix("convcli: error: cannot read ").removeprefix(server) for line in errors] == [
        "/a%20folder/none.png: there is no such file; check the spelling and the folder",
        "/a%20folder/forbidden.png: the server answers 403 Forbidden",
        "/a%20folder/broken.png: the server answers 500 Internal Server Error",
        "/a%20folder/endless.png: it has more than 1,048,576 bytes; copy it here first",
    ]
    with mock.patch.object(remote_files, "ANSWERED", 0.2):
        result = call("filter", f"{server}/slow.png", "--kernel", "box", "-o", f"{tmp_path}/slow.png")
    assert (result.code, one_error(result)) == (
        1,
        f"cannot read {server}/slow.png: http did not answer in time; try again",
    )
    assert call("diff", f"{server}/house.png", SAMPLES / "house.png").code == 0
    for words in (
        ["filter", f"{server}/house.png", "--kernel", "box"],
        ["filter", f"{server}/house.png", "--kernel", "box", "--in-place"],
        ["filter", SAMPLES / "house.png", "--kernel", "box", "-o", f"{server}/out/"],
        ["filter", SAMPLES / "house.png", "--kernel", "box", "-o", f"{server}/{{name}}"],
        ["shape", "--n", "7", "--k", "3", "-o", f"{server}/x.json"],
    ):
        result = call(*words)
        assert result.code == 2
        assert one_error(result).endswith(
            "HTTP is read-only; choose an -o on this machine, or at s3:// gs:// memory://"
        )


def test_models_kernels_and_lists_of_a_server(
    call: Call, server: str, shelf: dict[str, bytes], asked: list[str], tmp_path: Path
) -> None:
    from tests.networks.onnx.models import helper, made, numbers

    w = numbers(1, 1, 41, 41)  # enough that they stay in the file
    nodes = [helper.make_node("Conv", ["x", "w"], ["out"], name="conv", pads=[20] * 4)]
    model = made(nodes, {"x": (1, 1, 60, 60)}, ["out"], {"w": w})
    shelf["m.onnx"] = model.SerializeToString()
    result = call("filter", SAMPLES / "house.png", "--gray", "--network", f"{server}/m.onnx?key=a/b", "-o", tmp_path / "{kernel}.npy")  # fmt: skip
    assert result[:2] == (0, f"{tmp_path}/m.npy\n")
    assert asked == ["m.onnx"]
    (tmp_path / "m.onnx").write_bytes(shelf["m.onnx"])
    call("filter", SAMPLES / "house.png", "--gray", "--network", tmp_path / "m.onnx", "-o", tmp_path / "local.npy")  # fmt: skip
    assert (tmp_path / "m.npy").read_bytes() == (tmp_path / "local.npy").read_bytes()

    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = 1  # external
    tensor.external_data.add(key="location", value="w.bin")
    shelf["m.onnx"] = model.SerializeToString()
    assert one_error(call("params", f"{server}/m.onnx")) == (
        "m.onnx: the elements of the tensor 'w' are in 'w.bin' next to the model, which is not read from a URL; copy both "
        "files to this machine"
    )

    shelf |= {"k.txt": b"1 2 1\n", "list.txt": f"{server}/house.png".encode()}
    Image.new("L", (3, 3)).save(buffer := BytesIO(), "PNG")
    shelf |= {"p.csv": b"0.5\n", "k.png": buffer.getvalue()}
    words = "filter", "--files-from", f"{server}/list.txt", "-k", f"{server}/k.txt?key=a/b.c", "-o", f"{tmp_path}/{{stem}}.{{kernel}}.bmp"  # fmt: skip
    assert call(*words).out == f"{tmp_path}/house.k.bmp\n"
    filter_file(SAMPLES / "house.png", tmp_path / "local.bmp", "1 2 1")
    assert (tmp_path / "house.k.bmp").read_bytes() == (tmp_path / "local.bmp").read_bytes()
    assert call("kernels", f"{server}/k.png?x").code == 0
    assert call("filter", SAMPLES / "house.png", "--gray", "--pointwise", f"{server}/p.csv?x", "-o", tmp_path / "p.png").code == 0  # fmt: skip
    with mock.patch("convcli.kernels.array_files.MAX_TEXT", 3):
        result = call("filter", SAMPLES / "house.png", "--pointwise", f"{server}/p.csv", "-o", "x.png")
    assert "p.csv has 4 bytes, more than the 3 that are read as text" in one_error(result)


def test_nobody_listens(call: Call, server: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    result = call("filter", f"http://127.0.0.1:{port}/a.png", "--kernel", "box", "-o", "x.png")
    assert result.code == 1
    assert one_error(result).startswith(f"cannot read http://127.0.0.1:{port}/a.png: ")


# Without the packages


def test_the_error_of_a_missing_package_explains_how_to_install_it(call: Call) -> None:
    with mock.patch("importlib.util.find_spec", return_value=None):
        result = call("filter", "s3://bucket/a.png", "--kernel", "box", "-o", "x.png")
    assert (result.code, one_error(result)) == (
        2,
        "s3://bucket/a.png is a remote file, which needs fsspec and s3fs; run pip install 'convcli[remote]'",
    )
    with pytest.raises(
        ArgumentError, match=r"ftp://h/a.png: the URL scheme ftp:// is not supported; use http:// https://"
    ):
        file_path("ftp://h/a.png")


def test_local_files_need_no_network(tmp_path: Path) -> None:
    """They need no fsspec either, which is loaded when the first URL is used."""
    code = """
import sys
sockets = []
sys.addaudithook(lambda event, arguments: sockets.append(event) if event.startswith("socket.") else None)
from convcli.cli import main
for name in ("house.png", "memory://house.png"):
    try: main(["filter", sys.argv[1], "--kernel", "box", "-o", name, "-q"])
    except SystemExit as end: print(end.code, "fsspec" in sys.modules, "aiohttp" in sys.modules, sockets)
"""
    words = [sys.executable, "-c", code, str(SAMPLES / "house.png")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["0 False False []", "0 True False []"]
