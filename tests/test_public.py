"""The public names, loaded on first use."""

import pytest

import convcli


@pytest.mark.parametrize("name", [name for name in convcli.__all__ if name != "__version__"])
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(convcli, name) is getattr(convcli, name)
    assert name in dir(convcli)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'convolve'"):
        _ = convcli.convolve
