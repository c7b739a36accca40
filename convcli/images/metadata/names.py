"""The TIFF tags that are copied to the output, and the names of all tags."""

from collections.abc import Iterable

# Tags that say how samples are stored. The writer sets its own, so they are dropped without a report.
STORAGE = frozenset(
    {256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 284, 288, 289, 292, 293, 317, 320}
    | {322, 323, 324, 325, 326, 327, 328, 338, 339, 347, *range(512, 522), 529, 530, 531, 532}
    | {32995, 32996, 32997, 32998, *range(34016, 34027)}
    | {50674}
)

# The georeference of a raster (OGC GeoTIFF 1.1). Its scale, tie points, matrix and RPC are in pixel coordinates.
SCALE, TIE_POINTS, MATRIX, KEYS, DOUBLES, TEXTS, RPC = 33550, 33922, 34264, 34735, 34736, 34737, 50844
GDAL_METADATA, NO_DATA = 42112, 42113

GEOGRAPHIC = frozenset({SCALE, TIE_POINTS, MATRIX, KEYS, DOUBLES, TEXTS, RPC})
DESCRIPTION, ORIENTATION = 270, 274

# Copied page by page: TIFF 6.0 and its supplements, GeoTIFF, GDAL.
CARRIED = {
    254: "NewSubfileType",
    269: "DocumentName",
    285: "PageName",
    286: "XPosition",
    287: "YPosition",
    297: "PageNumber",
    316: "HostComputer",
    318: "WhitePoint",
    319: "PrimaryChromaticities",
    32781: "ImageID",
    37439: "StoNits",
    SCALE: "ModelPixelScale",
    TIE_POINTS: "ModelTiepoint",
    MATRIX: "ModelTransformation",
    KEYS: "GeoKeyDirectory",
    DOUBLES: "GeoDoubleParams",
    TEXTS: "GeoAsciiParams",
    GDAL_METADATA: "GDAL_METADATA",
    NO_DATA: "GDAL_NODATA",
    RPC: "RPCCoefficient",
}

# The tags of a page that EXIF has too (EXIF 2.32, 4.6.4), and those of Windows (XPTitle and so on) and ratings.
EXIF_TAGS = frozenset({DESCRIPTION, 271, 272, 305, 306, 315, 33432, 18246, 18249, *range(40091, 40096)})

_OTHERS = {330: "SubIFDs", 37724: "ImageSourceData", 50838: "IJMetadataByteCounts", 50839: "IJMetadata"}


def tag_names(tags: Iterable[int]) -> list[str]:
    """Return the names of tags with their numbers; the number alone for unknown tags."""
    from PIL import TiffTags

    found = []
    for tag in sorted(set(tags)):
        name = CARRIED.get(tag) or _OTHERS.get(tag) or TiffTags.lookup(tag).name
        found.append(str(tag) if name == "unknown" else f"{name} ({tag})")
    return found
