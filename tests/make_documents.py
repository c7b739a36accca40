"""Write the generated parts of the documents: pages, lists and man pages, outputs of commands, pictures.

`make docs` runs it. `python -m tests.make_documents` without options leaves out the outputs and the pictures, and takes a second.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests import command_pages, help_pages, man_pages
from tests.documents import GALLERY, MAKE, blocks, documents, make_picture, pictures, run, workshop
from tests.paths import ROOT


def write_outputs() -> None:
    """Run the commands of all documents, and write their outputs into the documents."""
    for path in documents().values():
        text = path.read_text(encoding="utf-8")
        for block in blocks(text):
            with tempfile.TemporaryDirectory() as name:
                folder = workshop(Path(name))
                for command, output in block:
                    if not command.startswith(MAKE):
                        new = f"$ {command}\n{run(command, folder)}"
                        text = text.replace(f"$ {command}\n{output}", new, 1)
        path.write_text(text, encoding="utf-8")


def write_pictures() -> None:
    """Make the pictures of the gallery."""
    (ROOT / GALLERY).mkdir(exist_ok=True)
    for path, command in pictures().items():
        with tempfile.TemporaryDirectory() as name:
            shutil.copy(make_picture(command, workshop(Path(name))), ROOT / path)


if __name__ == "__main__":
    help_pages.main()
    command_pages.main()
    man_pages.main()
    if "--outputs" in sys.argv[1:]:
        write_outputs()
    if "--pictures" in sys.argv[1:]:
        write_pictures()
