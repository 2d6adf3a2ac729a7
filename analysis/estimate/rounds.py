"""Values -> one number per round: the arrays that every estimate starts from.

The values of all cells are in one array of ln(value); ``start`` and ``count`` have shape (cells,
rounds) and say where those of a cell and round are, in the order of the sweeps. A count of 0 marks
what was not measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sweeps:
    """The values of a campaign by cell and round; see the module."""

    logs: FloatArray
    start: IntArray
    count: IntArray

    @classmethod
    def of(
        cls, values: FloatArray, cell: IntArray, round_: IntArray, count: IntArray, cells: int
    ) -> Sweeps:
        """From runs of values, one after another: ``cell``, ``round_`` and ``count`` of each run
        have shape (runs,), rounds in any numbering.
        """
        numbers, index = np.unique(round_, return_inverse=True)
        shape = (cells, len(numbers))
        starts, counts = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        starts[cell, index] = np.cumsum(count) - count
        counts[cell, index] = count
        return cls(np.log(values), starts, counts)

    @property
    def rounds(self) -> int:
        return int(self.start.shape[1])


def levels(sweeps: Sweeps, cells: IntArray) -> FloatArray:
    """The median over sweeps of ln(value) of these cells, shape (cells, rounds); nan: absent."""
    return _medians(sweeps, cells, None)


def differences(sweeps: Sweeps, subjects: IntArray, references: IntArray) -> FloatArray:
    """D: the median over sweeps of ln(subject) - ln(reference) of the same sweep.

    Both are cells, of the same case, that took turns; shapes (pairs,). Returns shape (pairs,
    rounds), nan where either is absent. The median makes one disturbed slice harmless.
    """
    return _medians(sweeps, subjects, references)


def _medians(sweeps: Sweeps, subjects: IntArray, references: IntArray | None) -> FloatArray:
    medians = np.full((len(subjects), sweeps.rounds), np.nan)
    flat = medians.reshape(-1)
    start = sweeps.start[subjects].reshape(-1)
    count = sweeps.count[subjects].reshape(-1)
    other = None if references is None else sweeps.start[references].reshape(-1)
    if references is not None:
        # A reference that is absent, or that has other sweeps, cannot be paired.
        count = np.where(sweeps.count[references].reshape(-1) == count, count, 0)
    # Nearly always every cell has as many sweeps: one block then serves all.
    for sweeps_each in np.unique(count[count > 0]).tolist():
        chosen = np.flatnonzero(count == sweeps_each)
        steps = np.arange(sweeps_each)
        block = sweeps.logs[start[chosen, None] + steps]
        if other is not None:
            block -= sweeps.logs[other[chosen, None] + steps]
        flat[chosen] = np.median(block, axis=1)
    return medians


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
