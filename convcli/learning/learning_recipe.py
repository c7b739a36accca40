"""The parsed arguments of `learn_kernel`, and learning from aligned pairs of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.backend.values import full_scale
from convcli.errors import ArgumentError
from convcli.images.modes import SRGB
from convcli.layers.axes import PerAxis, per_axis, whole
from convcli.layers.padding import AnyPadding, mode_of
from convcli.learning.gradient_descent import Step, descend, descent_bytes
from convcli.learning.learned_kernel import Accuracy, Learned
from convcli.learning.least_squares import Fit, fit, fit_bytes
from convcli.learning.picture_pairs import Geometry, LeftOut, Pair, aligned
from convcli.learning.poor_fit import words_on_residual
from convcli.learning.undetermined import undetermined_words

Array = NDArray[Any]

METHODS = ("exact", "sgd")
STEPS, MAX_STEPS = 100, 100_000
MAX_SIDE = 63  # largest side of a learned kernel


class Recipe(NamedTuple):
    """The parsed arguments of `learn_kernel`."""

    geometry: Geometry
    flip: bool = False
    bias: bool = True
    per_channel: bool = False
    mix: bool = False
    method: str = "exact"
    steps: int = STEPS
    lr: float | None = None
    seed: int | None = None
    keep_clipped: bool = False
    linear: bool = False

    @classmethod
    def of(
        cls,
        size: PerAxis = 3,
        *,
        stride: PerAxis = 1,
        padding: AnyPadding | None = None,
        padding_mode: str | None = None,
        dilation: PerAxis = 1,
        method: str = "exact",
        per_channel: bool = False,
        mix: bool = False,
        steps: int | None = None,
        lr: float | None = None,
        seed: int | None = None,
        flip: bool = False,
        bias: bool = True,
        keep_clipped: bool = False,
        linear: bool = False,
    ) -> Recipe:
        """Parse the arguments; raise ArgumentError if one is invalid."""
        if method not in METHODS:
            raise ArgumentError(f"there is no method {method!r}; use {', '.join(METHODS)}")
        if per_channel and mix:
            raise ArgumentError("`per_channel` and `mix` contradict each other; give one of them")
        kernel_size = per_axis("size", size, 2)
        if max(kernel_size) > MAX_SIDE:
            raise ArgumentError(
                f"a kernel of `size={max(kernel_size)}` is too large to learn; give at most {MAX_SIDE}"
            )
        mode = None if padding_mode is None else mode_of(padding_mode)
        if mode == "constant":
            raise ArgumentError("padding_mode 'constant' is not supported here; use 'zeros'")
        if method == "exact":
            for name, given in (("steps", steps), ("lr", lr), ("seed", seed)):
                if given is not None:
                    raise ArgumentError(f"`{name}` belongs to gradient descent; give `method='sgd'` with it")
        steps = STEPS if steps is None else whole("steps", steps, 1)
        if steps > MAX_STEPS:
            raise ArgumentError(f"`steps={steps}` is over the limit of {MAX_STEPS:,}; use fewer")
        if lr is not None and not 0 < lr < inf:
            raise ArgumentError(f"`lr` must be finite and above 0, such as 0.01, got {lr}")
        geometry = Geometry(
            kernel_size,
            per_axis("stride", stride, 2),
            per_axis("dilation", dilation, 2),
            padding,
            mode,
        )
        if padding is not None:
            geometry.layer(padding)  # raises an error if it is impossible for a picture of any size
        seed = None if seed is None else whole("seed", seed, 0)
        return cls(
            geometry, bool(flip), bool(bias), per_channel, mix, method, steps, lr, seed, bool(keep_clipped),
            bool(linear),
        )  # fmt: skip

    def pair(
        self, before: Array, after: Array, mask: Array | None, names: tuple[str, str] = ("before", "after")
    ) -> Pair:
        """Return two pictures, (H, W) or (H, W, C), as an aligned pair; raise ArgumentError if they do not match."""
        laid = []
        for name, array in zip(names, (before, after), strict=True):
            if array.ndim not in (2, 3):
                raise ArgumentError(f"{name} has shape {array.shape}; it must be (H, W) or (H, W, C)")
            if self.linear and array.dtype.name not in SRGB:
                raise ArgumentError(
                    f"`linear` decodes samples of {' or '.join(SRGB)}, but {name} has dtype {array.dtype}; leave "
                    "`linear` out"
                )
            laid.append(array[np.newaxis] if array.ndim == 2 else np.moveaxis(array, 2, 0))
        first, second = laid
        if not self.mix and len(first) != len(second):
            raise ArgumentError(
                f"{names[0]} has {_channels(first)} and {names[1]} {_channels(second)}; convert both to "
                "grey (`gray=True`), or learn weights between all channels with `mix=True`"
            )
        pair = aligned(
            self.geometry, first, second, mask, keep_clipped=self.keep_clipped, alike=self.mix, names=names
        )
        return pair.in_light() if self.linear else pair

    def check(self, pairs: Sequence[Pair]) -> None:
        """Raise ArgumentError if aligned pairs do not match each other, or do not determine a kernel."""
        for number, group in enumerate(self._groups(pairs)):
            _check_contrast(group, number if self.per_channel else None)

    def learn(self, pairs: Sequence[Pair]) -> Learned:
        """Return the kernel learned from aligned pairs; raise ArgumentError if they do not determine one."""
        self.check(pairs)
        groups = self._groups(pairs)
        parts = [self._learned(group) for group in groups]
        return self._together(parts, pairs, self._advice(groups, parts))

    def _groups(self, pairs: Sequence[Pair]) -> list[Sequence[Pair]]:
        """Return the pairs in groups, of which each gives one kernel, or several with `mix`."""
        counts = {(len(pair.before), len(pair.after)) for pair in pairs}
        if (self.per_channel or self.mix) and len(counts) > 1:
            raise ArgumentError(
                "the pairs have different numbers of channels; convert all to the same, such as grey"
            )
        if self.per_channel:
            return [[pair.channel(number) for pair in pairs] for number in range(len(pairs[0].before))]
        if self.mix:
            return [pairs]
        return [[pair.channel(n) for pair in pairs for n in range(len(pair.before))]]

    def _advice(self, groups: Sequence[Sequence[Pair]], parts: Sequence[_Part]) -> tuple[str, ...]:
        """Return sentences on how to fit better, for the part with the largest residual."""
        if self.method != "exact":
            return ()
        group, part = max(
            zip(groups, parts, strict=True), key=lambda each: each[1].fit.squares / each[1].fit.samples
        )
        return words_on_residual(
            group, self.geometry, part.fit, bias=self.bias, light=self.linear, largest=MAX_SIDE
        )

    def bytes(self, before: Array, after: Array) -> int:
        """Estimate the bytes that learning from a pair, (H, W) or (H, W, C), takes besides the pictures."""
        first, second = (array.size // (array.shape[0] * array.shape[1]) for array in (before, after))
        held = before.nbytes + 3 * after.size  # the padded picture, and the mask of samples
        held += 8 * (before.size + after.size) if self.linear else 0
        channels = (first, second) if self.mix else (1, 1)
        sides = [
            side + 2 for side in self.geometry.kernel_size
        ]  # of the window that a poor fit is compared with
        needed = fit_bytes(channels[0], channels[1], sides, after.shape[:2])
        return held + needed + (descent_bytes(before.size, after.size) if self.method == "sgd" else 0)

    def _learned(self, pairs: Sequence[Pair]) -> _Part:
        """Learn from pairs; all channels of `before` contribute to each channel of `after`."""
        found = fit(pairs, self.geometry, bias=self.bias)
        if self.method == "exact":
            return _Part(found, found.weights, found.bias)
        steps: list[Step] = []
        scale = max(
            full_scale(pair.before.dtype) if pair.before.dtype.kind in "iu" else 1.0 for pair in pairs
        )
        last, rate = descend(
            pairs,
            self.geometry,
            scale,
            steps=self.steps,
            lr=self.lr,
            seed=self.seed,
            bias=self.bias,
            on_step=steps.append,
        )
        return _Part(found, last.weights, last.bias, steps, rate, last.loss * scale**2)

    def _together(self, parts: Sequence[_Part], pairs: Sequence[Pair], advice: tuple[str, ...]) -> Learned:
        """Combine the results of one or several channels."""
        fits = [part.fit for part in parts]
        samples = sum(each.samples for each in fits)
        squares = sum(part.squares for part in parts)
        variation = sum(each.variation for each in fits)
        weights = np.concatenate([part.weights for part in parts])
        bias: Any = np.concatenate([part.bias for part in parts])
        worst = max(fits, key=lambda each: each.condition if each.rank == each.unknowns else inf)
        words = undetermined_words(worst.undetermined, worst.errors.shape, worst.spread, worst.middle)
        if not (self.per_channel or self.mix):
            bias = float(bias[0])
        steps = parts[0].steps
        return Learned(
            weights=self._rotated(self._shaped(weights)),
            bias=bias,
            residual=sqrt(squares / samples),
            largest=max(part.largest for part in parts),
            explained=_explained(squares, variation),
            rank=worst.rank,
            unknowns=worst.unknowns,
            condition=worst.condition,
            error=max(float(each.errors.max()) for each in fits),
            undetermined=tuple(words),
            samples=samples,
            left_out=sum((pair.left_out for pair in pairs), LeftOut()),
            padding=pairs[0].padding,
            losses=tuple(
                sum(group) for group in zip(*([s.loss for s in part.steps] for part in parts), strict=True)
            ),
            lr=parts[0].lr if steps else None,
            linear=self.linear,
            advice=advice,
            per_kernel=tuple(part.accuracy for part in parts) if self.per_channel else (),
            trace=tuple(
                self._rotated(self._shaped(np.concatenate([step.weights for step in group])))
                for group in zip(*(part.steps for part in parts), strict=True)
            ),
        )

    def _shaped(self, weights: Array) -> Array:
        """Return weights (O, C, kh, kw) without the axes that have length 1 by definition."""
        if self.mix:
            return weights
        return weights[:, 0] if self.per_channel else weights[0, 0]

    def _rotated(self, weights: Array) -> Array:
        return np.flip(weights, (-2, -1)) if self.flip else weights


class _Part(NamedTuple):
    """The result of learning from some channels."""

    fit: Fit
    weights: Array
    bias: Array
    steps: Sequence[Step] = ()
    lr: float | None = None
    loss: float | None = None

    @property
    def squares(self) -> float:
        """The sum of squared residuals, in units of the samples."""
        return self.fit.squares if self.loss is None else self.loss

    @property
    def accuracy(self) -> Accuracy:
        """The measures of the kernel."""
        found = self.fit
        return Accuracy(
            residual=sqrt(self.squares / found.samples),
            largest=self.largest,
            explained=_explained(self.squares, found.variation),
            rank=found.rank,
            unknowns=found.unknowns,
            condition=found.condition,
            error=float(found.errors.max()),
            samples=found.samples,
        )

    @property
    def largest(self) -> float:
        """The largest residual, in units of the samples."""
        return self.steps[-1].largest if self.steps else self.fit.largest


def _check_contrast(pairs: Sequence[Pair], channel: int | None) -> None:
    """Raise ArgumentError if no sample can be used, or the first pictures are the same number everywhere."""
    if not sum(pair.samples for pair in pairs):
        raise ArgumentError(
            "no sample of the second picture can be used: all are black or white, and may be clipped, or are "
            "masked; use a picture with intermediate tones, or use all samples with `keep_clipped=True`"
        )
    values = [float(edge) for pair in pairs for edge in (pair.before.min(), pair.before.max())]
    if min(values) == max(values):
        where = "" if channel is None else f" in channel {channel}"
        raise ArgumentError(
            f"the first picture is {values[0] + 0.0:g} everywhere{where}, which does not determine a kernel; use "
            "a picture with contrast"
        )


def _explained(squares: float, variation: float) -> float:
    """Return the explained share of a variance."""
    return 1.0 if squares <= 0 else 1 - squares / variation if variation > 0 else 0.0


def _channels(picture: Array) -> str:
    return "1 channel" if len(picture) == 1 else f"{len(picture)} channels"
