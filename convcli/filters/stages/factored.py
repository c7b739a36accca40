"""Separable approximations: a matrix as a sum of products of a column and a row, and the error of fewer terms."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.separable import factors, rank_of
from convcli.errors import ArgumentError
from convcli.layers.axes import by_axes

Array = NDArray[Any]


@dataclass(frozen=True)
class Factored:
    """A matrix as a sum of outer products, and the error of the sum.

    terms : pairs of a column and a row
    rank : rank of the matrix
    relative : Frobenius norm of the error divided by that of the matrix; the smallest possible (Eckart & Young, 1936)
    residual : matrix - sum of the terms
    """

    terms: tuple[tuple[Array, Array], ...]
    rank: int
    relative: float
    residual: Array

    @property
    def worst(self) -> float:
        """The largest error of a sum over samples of 0 to 1."""
        over = float(self.residual[self.residual > 0].sum())
        under = float(-self.residual[self.residual < 0].sum())
        return max(over, under)


def factored(matrix: Array, rank: int | None, name: str) -> Factored:
    """Return the best approximation by at most `rank` terms; without a rank, the matrix must have rank 1.

    Integer matrices of rank 1 have integer factors; other terms come from the singular value decomposition.
    """
    floats = matrix.astype(np.float64)
    own = max(1, rank_of(matrix))
    left, sizes, right = np.linalg.svd(floats, full_matrices=False)
    norm = float(np.sqrt((sizes**2).sum())) or 1.0
    if rank is None and own > 1:
        error = float(np.sqrt((sizes[1:] ** 2).sum())) / norm
        raise ArgumentError(
            f"the {by_axes(matrix.shape)} kernel {name!r} is not separable: its rank is {own}, and rank 1 would "
            f"make a relative error of {error:.2g}; give `rank={own}` for an exact result, or less to approximate it"
        )
    if own == 1 and (exact := factors(matrix, 2)) is not None:
        down, across = (part.reshape(-1) for part in exact)
        return Factored(((down, across),), 1, 0.0, np.zeros_like(floats))
    kept = min(rank or own, own)
    terms = tuple((left[:, term] * sizes[term], right[term]) for term in range(kept))
    residual = np.zeros_like(floats)
    if kept < own:
        residual = floats - sum(np.outer(down, across) for down, across in terms)
    relative = float(np.sqrt((sizes[kept:own] ** 2).sum())) / norm
    return Factored(terms, own, relative, residual)
