"""The result of reading the metadata of a file."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# Most files have few kinds of metadata; the modules that read a kind are imported when a file has it.


@dataclass
class Found:
    """Metadata by kind, the names of metadata that is left out, and notes about damage."""

    metadata: dict[str, Any] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, kind: str, value: Any) -> None:
        """Add a value unless it is None or empty."""
        if value:
            self.metadata[kind] = value

    def lose(self, names: Iterable[str]) -> None:
        """Add names of metadata that is left out, each once."""
        self.lost += (name for name in names if name not in self.lost)

    def add_exif(self, data: bytes | None) -> None:
        """Add EXIF without previews of the unfiltered picture."""
        if not data:
            return
        from convcli.images.metadata.entries import DirectoryError
        from convcli.images.metadata.exif import cleaned_exif

        try:
            kept, lost = cleaned_exif(data)
        except DirectoryError as error:
            self.notes.append(f"its EXIF is damaged and left out ({error})")
            return
        self.add("exif", kept)
        self.lose(lost)

    def add_xmp(self, data: bytes | None) -> None:
        """Add XMP without pictures."""
        if data:
            from convcli.images.metadata.xmp import cleaned_xmp

            kept, lost = cleaned_xmp(data)
            self.add("xmp", kept)
            self.lose(lost)

    def add_resources(self, data: bytes | None) -> None:
        """Add the Photoshop resources that hold IPTC."""
        if data:
            from convcli.images.metadata.photoshop import kept_resources

            kept, lost = kept_resources(data)
            self.add("iptc", kept)
            self.lose(lost)
