"""Read the text of files that contain a network or a chain of layers."""

from pathlib import Path

from convcli.errors import FileError

MAX_BYTES = 4_000_000  # largest file size; a file of 100,000 layers is smaller


class NetworkError(FileError):
    """A file does not contain a network that can be read."""


def read_network_text(path: Path, what: str = "network") -> str:
    """Return the text of a file, or raise NetworkError."""
    try:
        if path.exists() and not path.is_file():
            raise NetworkError(
                f"cannot read the {what} {str(path)!r}: it is a folder, a device or a pipe; name a file"
            )
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NetworkError(
            f"cannot read the {what} {str(path)!r}: there is no such file; check the spelling and the folder"
        ) from None
    except OSError as error:
        raise NetworkError(f"cannot read the {what} {str(path)!r}: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise NetworkError(
            f"the {what} {str(path)!r} is larger than {MAX_BYTES:,} bytes; use repeat and blocks"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NetworkError(f"the {what} {str(path)!r} is not UTF-8 text; save it as UTF-8") from None


def read_chain_file(path: Path) -> list[tuple[str, str]]:
    """Return the items of a chain in a file with their positions; lines hold one or more items, # starts a comment."""
    from convcli.layers.text.chain_grammar import split_chain

    items = []
    for number, line in enumerate(read_network_text(path, "chain").splitlines(), start=1):
        text = line.partition("#")[0].strip().rstrip(",")
        if text:
            items += [(f"{path}, line {number}", item) for item in split_chain(text)]
    if not items:
        raise NetworkError(
            f"the chain {str(path)!r} has no layers; write one per line, such as conv k3 p1 o64"
        )
    return items
