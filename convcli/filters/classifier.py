"""Classify pictures by a network: the most likely classes and their probabilities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, isfinite
from typing import Any

from convcli.errors import ArgumentError
from convcli.filters.network_run import NetworkRun
from convcli.images.picture import Frame, ImageError, Picture


@dataclass(frozen=True)
class Classifier:
    """The most likely classes of each picture, by a network.

    top : number of classes
    labels : name of each class, if there are names
    """

    run: NetworkRun
    top: int
    labels: tuple[str, ...] = ()

    verb = "classify"

    def memory(self, name: str, picture: Picture) -> int:
        """Estimate the bytes needed for the answer; raise an error if the network does not fit the picture."""
        prepared = [self.run.prepared(name, frame) for frame in picture.frames]
        classes = prepared[0].made[1]
        if self.labels and len(self.labels) != classes:
            raise ArgumentError(
                f"`labels` has {len(self.labels)} lines, and the network has {classes} classes; give one line per class"
            )
        return max(each.memory for each in prepared)

    def notes(self, name: str, picture: Picture) -> tuple[str, ...]:
        """Return notes about how the picture was changed to fit the input of the network."""
        frame = picture.frames[0]
        return tuple(self.run.input_notes(self.run.prepared(name, frame), frame))

    def details(self, name: str, picture: Picture) -> tuple[str, ...]:
        """Return a description of the run."""
        shape = "x".join(map(str, self.run.prepared(name, picture.frames[0]).shape))
        return (f"{self.run.source}, input {shape}",)

    def answer(self, name: str, picture: Picture) -> dict[str, Any]:
        """Return the JSON record of a picture."""
        each = [self._classes(name, frame) for frame in picture.frames]
        return {"classes": each[0]} if len(each) == 1 else {"frames": each}

    def _classes(self, name: str, frame: Frame) -> list[dict[str, Any]]:
        values = self.run.values(self.run.prepared(name, frame), frame).reshape(-1)
        shares = as_shares(values)
        best = sorted(range(len(shares)), key=lambda place: (-shares[place], place))[: self.top]
        return [
            {
                "class": place,
                **({"label": self.labels[place]} if self.labels else {}),
                "share": round(shares[place], 6),
            }
            for place in best
        ]


def as_shares(values: Iterable[float]) -> list[float]:
    """Return probabilities: the values themselves if they sum to 1, otherwise their softmax."""
    numbers = [float(value) for value in values]
    if not all(map(isfinite, numbers)):
        raise ImageError("the network's output for this picture is not finite; check its scale, mean and std")
    if min(numbers) >= 0 and abs(sum(numbers) - 1) < 1e-3:
        return numbers
    most = max(numbers)
    powers = [exp(number - most) for number in numbers]
    total = sum(powers)
    return [power / total for power in powers]
