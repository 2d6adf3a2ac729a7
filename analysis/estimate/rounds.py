"""One number per round: the arrays that every estimate starts from, shape (rows, rounds), nan where
absent.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]


def by_round(values: FloatArray, cell: IntArray, round_: IntArray, cells: int) -> FloatArray:
    """Values by cell and round, shape (cells, rounds); ``cell`` and ``round_`` of each value have
    its shape, rounds in any numbering.
    """
    numbers, index = np.unique(round_, return_inverse=True)
    found = np.full((cells, len(numbers)), np.nan)
    found[cell, index] = values
    return found


def means_of_groups(rows: FloatArray, group: IntArray, groups: int) -> tuple[FloatArray, IntArray]:
    """The mean over the rows of each group, made within each round that has them all.

    ``rows`` has shape (rows, rounds), nan where absent; rows without any value are left out.
    ``group`` has shape (rows,): indexes below ``groups``, in order. Returns the means, shape
    (groups, rounds), and how many rows each is over, shape (groups,).
    """
    kept = np.isfinite(rows).any(axis=1)
    rows, group = rows[kept], group[kept]
    count = np.bincount(group, minlength=groups)
    means = np.full((groups, rows.shape[1]), np.nan)
    filled = np.flatnonzero(count)
    if len(filled):
        starts = np.cumsum(count[filled]) - count[filled]
        means[filled] = np.add.reduceat(rows, starts, axis=0) / count[filled, None]
    return means, count
