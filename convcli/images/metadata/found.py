"""What reading a file's metadata comes to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# Most files have little of this; what it takes to read a kind is loaded where there is some.


@dataclass
class Found:
    """Metadata by kind, the names of what is left out, and notes on what is damaged."""

    metadata: dict[str, Any] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, kind: str, value: Any) -> None:
        """Keep a value, unless there is none or it is empty."""
        if value:
            self.metadata[kind] = value

    def lose(self, names: Iterable[str]) -> None:
        """Say what is left out, once."""
        self.lost += (name for name in names if name not in self.lost)

    def add_exif(self, data: bytes | None) -> None:
        """Keep EXIF without what shows the unfiltered picture."""
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
        """Keep XMP without pictures."""
        if data:
            from convcli.images.metadata.xmp import cleaned_xmp

            kept, lost = cleaned_xmp(data)
            self.add("xmp", kept)
            self.lose(lost)

    def add_resources(self, data: bytes | None) -> None:
        """Keep those of Photoshop's resources that hold IPTC."""
        if data:
            from convcli.images.metadata.photoshop import kept_resources

            kept, lost = kept_resources(data)
            self.add("iptc", kept)
            self.lose(lost)
