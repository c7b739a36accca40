"""Every message that the page on troubleshooting explains is one that the program prints."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import Call
from tests.documents import DOCS
from tests.paths import SAMPLES

MESSAGES = re.findall(
    r"^### `(.+)`$", (DOCS / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE
)
PLACEHOLDER = re.compile(r"\b(?:FILE|NAME|N|MODE|FORMAT)\b")

# A command that prints each message, by the beginning of the message.
PRINTED_BY = {
    "cannot read FILE: there is": "filter missing.png --kernel box",
    "cannot read FILE: it is not": "filter bad.png --kernel box",
    "there is no file 'NAME'": "filter sobel house.png",
    "cannot read FILE: its N": "filter house.png --kernel box --max-pixels 100",
    "cannot filter FILE": "filter house.png --kernel box --max-memory 1K",
    "unknown kernel": "filter house.png --kernel gausian",
    "kernel 'NAME' is ragged": "filter house.png --kernel '1 2; 3'",
    "a kernel of size N": "filter house.png --kernel box:4001",
    "--alpha premultiply": "filter house.png --kernel sharpen --alpha premultiply",
    "FILE exists": "filter house.png --kernel box -o bad.png",
    "FILE is an input": "filter house.png --kernel box -o house.png --force",
    "FILE and FILE": "filter house.png logo.png --kernel box -o one.png",
    "FILE has the ending": "filter house.png --kernel box -o one.xyz",
    "cannot write FILE": "filter logo.png --kernel box -o logo.jpg",
    "writing FORMAT": "filter house.png --kernel box -o one.jxl",
    "N of the samples": "filter house.png --kernel laplacian -o clipped.png",
    "FORMAT does not carry": "filter landscape.jpg --kernel box -o plain.ppm",
    "the output would be empty": "shape --n 2 --k 5",
    "the input size": "shape --k 3",
    "in_channels N": "cost --n 7 --k 3 --in 3 --groups 2",
    "there is no network": "shape resnet-51",
    "only pictures": "diff house.png logo.png",
    "both must have": "match house.png --template landscape.jpg",
    "No such option": "filter house.png --kernal box",
    "-q and -v": "filter house.png --kernel box -q -v",
    "there is no command": "config",
}


def test_every_message_has_its_command() -> None:
    assert len(MESSAGES) >= 20
    starts = {message: [start for start in PRINTED_BY if message.startswith(start)] for message in MESSAGES}
    assert [message for message, found in starts.items() if len(found) != 1] == []
    assert len(PRINTED_BY) == len(MESSAGES)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_printed(
    message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    for name in ("house.png", "logo.png", "landscape.jpg"):
        shutil.copy(SAMPLES / name, tmp_path)
    (tmp_path / "bad.png").write_text("no picture")
    if "an extra" in message:
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
    monkeypatch.chdir(tmp_path)
    (command,) = (command for start, command in PRINTED_BY.items() if message.startswith(start))
    if command == "config":
        (tmp_path / "convcli.toml").write_text("[filtr]\njobs = 2\n")
        command = "config filter"
    printed = call(*shlex.split(command)).err
    pattern = ".+".join(map(re.escape, PLACEHOLDER.split(message)))
    assert re.search(pattern, printed), (
        f"convcli/docs/troubleshooting.md quotes {message!r}; the program prints {printed!r}"
    )
