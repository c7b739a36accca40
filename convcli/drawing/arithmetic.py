"""The arithmetic of a step as one line: 0*0 + 1*1 + 3*2 + 4*3 = 19."""

from fractions import Fraction

from convcli.drawing.example_numbers import shown
from convcli.drawing.steps import Stage, Step

NAMES = {"max": "max", "mean": "mean", "copy": "copy"}


def arithmetic(stage: Stage, step: Step) -> str:
    """Return the arithmetic of a step as text."""
    return f"{' + '.join(parts(stage, step))} = {shown(step.result)}"


def parts(stage: Stage, step: Step) -> list[str]:
    """Return the terms of a sum; any other operation is a single part."""
    values = [shown(term.value) for term in step.terms]
    if stage.operation == "sum":
        return [f"{factor(term.value)}*{factor(term.weight or Fraction(0))}" for term in step.terms]
    if stage.operation == "mean":
        return [f"({' + '.join(factor(term.value) for term in step.terms)}) / {len(values)}"]
    if stage.operation == "norm":
        total = " + ".join(f"|{value}|^{stage.detail}" for value in values)
        return [f"({total})^(1/{stage.detail})"]
    if stage.operation == "max" and stage.detail:
        values = [f"|{value}|" for value in values]
    if stage.operation == "function":
        return [f"{stage.detail}({values[0]})"]
    if stage.operation == "copy":
        return values
    return [f"max({', '.join(values)})"]


def by_channel(stage: Stage, step: Step) -> list[tuple[int, str]]:
    """Return (channel, arithmetic) for each input channel if several are summed, else an empty list."""
    channels = list(dict.fromkeys(term.channel for term in step.terms))
    if stage.operation != "sum" or len(channels) < 2:
        return []
    found = []
    for channel in channels:
        own = [term for term in step.terms if term.channel == channel]
        total = sum((term.value * (term.weight or 0) for term in own), Fraction(0))
        found.append((channel, arithmetic(stage, Step(step.place, tuple(own), total))))
    return found


def lines(stage: Stage, step: Step) -> list[str]:
    """Return the arithmetic as lines: one per input channel, then their sum.

    It is one line if each channel has only one product.
    """
    channels = by_channel(stage, step)
    if not channels or len(channels) == len(step.terms):
        return [arithmetic(stage, step)]
    totals = [text.rpartition(" = ")[2] for _, text in channels]
    return [
        *(f"channel {channel}: {text}" for channel, text in channels),
        f"{' + '.join(map(_enclosed, totals))} = {shown(step.result)}",
    ]


def factor(number: Fraction) -> str:
    """Format a number as a factor: negative numbers and fractions in parentheses."""
    return _enclosed(shown(number))


def _enclosed(text: str) -> str:
    return f"({text})" if text.startswith("-") or "/" in text else text
