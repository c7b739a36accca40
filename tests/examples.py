"""The number of examples of a property that needs more or fewer than the others."""

from hypothesis import settings


def examples(count: int) -> int:
    """Return the number of examples: `count`, or fewer in proportion if the profile has fewer than the usual one."""
    usual = settings.get_profile("convcli").max_examples
    return max(1, count * settings().max_examples // usual)
