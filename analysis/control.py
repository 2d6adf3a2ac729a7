"""Whether a campaign can be trusted: its own A/A test, the baseline measured a second time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import style
from analysis.verdicts import LEAST_ROUNDS_FOR_INTERVAL, SIGNIFICANCE, SMALLEST_FLOOR


@dataclass(frozen=True, slots=True)
class ControlHealth:
    """Whether the campaign's own A/A test holds; ``reasons`` say why not.

    ``largest`` is the control's largest difference in a headline metric and ``widest`` the largest
    half-width of its intervals, as shares (0.01 is 1 %); nan without any. ``where`` is the loop,
    and the Python, that the control ran on, said where the campaign has others.
    """

    proven: bool
    reasons: tuple[str, ...]
    cases: int
    rounds: int
    largest: float
    widest: float = math.nan
    where: str = ""

    @property
    def note(self) -> str:
        if not self.proven:
            return f"unproven: {'; '.join(self.reasons)}"
        width = (
            f"its interval up to ±{self.widest * 100:.1f} % wide"
            if math.isfinite(self.widest)
            else "in some without an interval"
        )
        return (
            f"proven: the control, the baseline a second time{self.where}, was not told apart from "
            f"it in any of {self.cases} cases (at most {self.largest * 100:.1f} % away, {width}, "
            f"{self.rounds} rounds)"
        )


def control_health(comparisons: pd.DataFrame) -> ControlHealth:
    """Judge the control in a frame of :func:`analysis.comparisons.compare`.

    It is told apart, and the campaign unproven, when after Holm over the control's cases (headline
    metrics) a p-value is below 0.05 and its estimate lies beyond 0.5 %. Without a control, or with
    too few rounds for an interval, nothing is proven either.
    """
    rows = comparisons[(comparisons["contender"] == style.CONTROL) & comparisons["headline"]]
    measured = rows[rows["rounds"] > 0]
    if measured.empty:
        return ControlHealth(False, ("no control was measured",), 0, 0, math.nan)
    rounds = int(measured["rounds"].max())
    away = np.exp(np.abs(np.log(measured["ratio"].to_numpy()))) - 1
    low, high = measured["low"].to_numpy(), measured["high"].to_numpy()
    with np.errstate(divide="ignore"):
        half_width = np.expm1((np.log(high) - np.log(low)) / 2)
    figures = (len(measured), rounds, float(away.max()), float(half_width.max()))
    where = _where(comparisons, measured)
    if rounds < LEAST_ROUNDS_FOR_INTERVAL:
        few = (
            f"{rounds} round{'s' * (rounds != 1)} cannot test the control; it takes "
            f"{LEAST_ROUNDS_FOR_INTERVAL}"
        )
        return ControlHealth(False, (few,), *figures, where)
    apart = (measured["p_adjusted"].to_numpy() < SIGNIFICANCE) & (away > SMALLEST_FLOOR)
    reasons = tuple(
        f"the control, the baseline a second time, was told apart from it in {row.case}: "
        f"{row.ratio:.3f} [{row.low:.3f}, {row.high:.3f}]"
        for row in measured[apart].itertuples()
    )
    return ControlHealth(not reasons, reasons, *figures, where)


def _where(comparisons: pd.DataFrame, of_control: pd.DataFrame) -> str:
    """Where the control ran, as far as that was not the only place."""
    first = of_control.iloc[0]
    places = {"loop": style.label(str(first["loop"])), "python": f"Python {first['python']}"}
    said = [place for name, place in places.items() if len(set(comparisons[name])) > 1]
    return f" on {', '.join(said)}" if said else ""
