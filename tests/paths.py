"""Where the project is, and its sample pictures."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_images"
SAMPLE_NAMES = (  # by name: what a user has filtered there is no sample
    "house.png",
    "landscape.jpg",
    "landscape.png",
    "logo.png",
    "ramp16.png",
    "spinner.gif",
    "zoneplate.png",
)
