"""Einsum, cumulative sums, and triangles of matrices."""

from dataclasses import dataclass
from math import prod

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape
from convcli.layers.base import ITSELF, Trace
from convcli.layers.counts import Cost, plain, weighted_sums
from convcli.layers.tensor_layer import TensorLayer, axis_of, broadcast, integers, sized

DOTS = "..."


@dataclass(frozen=True, init=False)
class Einsum(TensorLayer):
    """Sums of products over the letters that are missing in the output (NumPy's einsum): 'bhqd,bhkd->bhqk'.

    Each letter is an axis; ... stands for leading axes that broadcast. The work is counted from left to right, two
    tensors at a time: each product of two is summed over the letters that no later term or the output needs.

    >>> Einsum("bij,bjk->bik").output_shapes((8, 2, 3), (8, 3, 4))
    ((8, 2, 4),)
    """

    equation: str
    most_inputs = None

    def __init__(self, equation: str) -> None:
        text = "".join(equation.split())
        given, arrow, made = text.partition("->")
        terms = given.split(",")
        for term in (*terms, made):
            letters = term.replace(DOTS, "", 1)
            if not (letters == "" or (letters.isascii() and letters.isalpha())):
                raise ArgumentError(
                    f"the equation {equation!r} is not an einsum; write one such as 'ij,jk->ik'"
                )
        if not arrow:  # the letters that occur once, in alphabetical order
            found = given.replace(DOTS, "").replace(",", "")
            made = (DOTS if DOTS in given else "") + "".join(
                sorted(c for c in set(found) if found.count(c) == 1)
            )
        letters = made.replace(DOTS, "")
        if (
            len(set(letters)) < len(letters)
            or not set(letters) <= set(given)
            or (DOTS in made and DOTS not in given)
        ):
            raise ArgumentError(
                f"the output of the equation {equation!r} repeats a letter or has one that is in no input; use each "
                "letter of the inputs at most once"
            )
        self._set(equation=f"{given}->{made}")

    @property
    def terms(self) -> tuple[str, ...]:
        """The letters of each input."""
        return tuple(self.equation.partition("->")[0].split(","))

    @property
    def fewest_inputs(self) -> int:
        """The number of inputs in the equation."""
        return len(self.terms)

    def _sizes(self, shapes: tuple[Shape, ...]) -> tuple[dict[str, int], Shape]:
        """Return the size of each letter, and the shape of the axes that ... stands for."""
        if len(shapes) != len(self.terms):
            raise ArgumentError(
                f"the equation {self.equation} takes {len(self.terms)} inputs, not {len(shapes)}"
            )
        sizes: dict[str, int] = {}
        dots: list[Shape] = []
        for term, shape in zip(self.terms, shapes, strict=True):
            front, found, behind = term.partition(DOTS)
            spare = len(shape) - len(front) - len(behind)
            if spare < 0 or (spare and not found):
                raise ArgumentError(
                    f"{term!r} of the equation {self.equation} does not fit the input {sized(shape)}"
                )
            dots.append(shape[len(front) : len(front) + spare])
            for letter, n in zip(
                front + behind, (*shape[: len(front)], *shape[len(front) + spare :]), strict=True
            ):
                if n != sizes.setdefault(letter, n) and 1 not in (n, sizes[letter]):
                    raise ArgumentError(
                        f"{letter!r} of the equation {self.equation} is {sizes[letter]} and {n}; it must have one size"
                    )
                sizes[letter] = max(n, sizes[letter])
        return sizes, broadcast(*dots)

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the sizes of the output's letters."""
        sizes, dots = self._sizes(shapes)
        front, found, behind = self.equation.partition("->")[2].partition(DOTS)
        middle = dots if found else ()
        return ((*(sizes[each] for each in front), *middle, *(sizes[each] for each in behind)),)

    def work(self, *shapes: Shape) -> Cost:
        """Count the sums of products, two tensors at a time."""
        sizes, dots = self._sizes(shapes)
        sizes[DOTS] = prod(dots)
        terms = [_letters(term) for term in self.terms]
        wanted = _letters(self.equation.partition("->")[2])
        total = Cost()
        held = terms[0]
        for place in range(1, len(terms) + 1):
            other = terms[place] if place < len(terms) else set()
            both = held | other
            kept = both & (wanted.union(*terms[place + 1 :]))
            outputs, summed = _product(sizes, kept), _product(sizes, both - kept)
            if other:
                total += weighted_sums(outputs, summed, bias=False)
            else:
                total += plain(additions=outputs * (summed - 1)) if summed else Cost()
            held = kept
        return total

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return where the letters go; each output sees the whole of each summed axis."""
        _, dots = self._sizes(shapes)
        made = _axes(self.equation.partition("->")[2], len(dots))
        traces = []
        for term, shape in zip(self.terms, shapes, strict=True):
            spare = len(shape) - len(term.replace(DOTS, ""))
            names = _axes(term, spare)
            traces.append(
                tuple(
                    Trace(made.index(name), ITSELF) if name in made else Trace(None, "whole")
                    for name in names
                )
            )
        return tuple(traces)


def _letters(term: str) -> set[str]:
    """Return the letters of a term, with ... counted as one letter."""
    return {*term.replace(DOTS, ""), *([DOTS] if DOTS in term else [])}


def _axes(term: str, spare: int) -> list[str]:
    """Return a name for each axis of a term; the axes of ... are numbered from the last."""
    front, found, behind = term.partition(DOTS)
    return [*front, *([f".{place}" for place in range(spare, 0, -1)] if found else []), *behind]


def _product(sizes: dict[str, int], letters: set[str]) -> int:
    return prod(sizes[letter] for letter in letters)


@dataclass(frozen=True, init=False)
class CumSum(TensorLayer):
    """The cumulative sum along an axis: n - 1 additions for n elements."""

    axis: int
    exclusive: bool
    reverse: bool

    def __init__(self, axis: int, *, exclusive: bool = False, reverse: bool = False) -> None:
        self._set(axis=integers("axis", axis)[0], exclusive=bool(exclusive), reverse=bool(reverse))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the input shape."""
        axis_of(self.axis, len(shapes[0]))
        return shapes

    def work(self, *shapes: Shape) -> Cost:
        """Count the additions."""
        count = shapes[0][axis_of(self.axis, len(shapes[0]))]
        each = max(0, count - 1 - self.exclusive)
        return plain(additions=each) * (prod(shapes[0]) // max(1, count))

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis unchanged; each output sees at most the whole summed axis."""
        along = axis_of(self.axis, len(shapes[0]))
        return (tuple(Trace(axis, "whole" if axis == along else ITSELF) for axis in range(len(shapes[0]))),)


@dataclass(frozen=True, init=False)
class Triangle(TensorLayer):
    """The upper or lower triangle of the matrices in the last two axes, 0 elsewhere (PyTorch's triu and tril).

    diagonal : the first (upper) or last (lower) diagonal that is kept; 0 is the main one, 1 the one above it
    """

    upper: bool
    diagonal: int

    def __init__(self, *, upper: bool = True, diagonal: int = 0) -> None:
        self._set(upper=bool(upper), diagonal=integers("diagonal", diagonal)[0])

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the input shape."""
        if len(shapes[0]) < 2:
            raise ArgumentError(f"a triangle needs at least 2 axes, the input is {sized(shapes[0])}")
        return shapes
