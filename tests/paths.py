"""The paths of the project and its sample pictures."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_images"
SAMPLE_NAMES = (  # by name, because pictures that a user has filtered there are not samples
    "house.png",
    "landscape.jpg",
    "landscape.png",
    "logo.png",
    "ramp16.png",
    "spinner.gif",
    "zoneplate.png",
)
