"""One measured number beside a claimed interval, and the rule that makes a verdict of many.

How a verdict is reached. A *cell* is one measured number with its 95 % interval; it lies *inside*
the claimed interval, or *outside*, or *between*, which overlaps one of its ends. An end at 1 of a
ratio of times is moved by the noise floor of the cell: nothing counts as faster that could be the
same.

==================  ==============================================================================
reproduced          EACH and MEAN: every cell lies inside; BEST: one does
not reproduced      EACH and MEAN: a cell lies outside, also after Holm's correction for how many
                    cells there are; BEST: every cell lies outside
undecided           neither: the intervals overlap the ends, or the cells contradict one another no
                    further than chance does
conditions not met  nothing was measured that the claim is about; what is missing is said
==================  ==============================================================================

A number that was only observed beside the timed values has its least and greatest round in place of
an interval. A program holds in every run, or it does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from analysis import style
from analysis.claims import BEST, Claimed, Over
from analysis.contrasts import CellReference
from analysis.estimates import FloatArray, adjust_p_values, hodges_lehmann_rows
from analysis.verdicts import SIGNIFICANCE

Verdict: TypeAlias = Literal["reproduced", "not reproduced", "undecided", "conditions not met"]
REPRODUCED: Final = "reproduced"
NOT_REPRODUCED: Final = "not reproduced"
UNDECIDED: Final = "undecided"
NOT_MET: Final = "conditions not met"

Place: TypeAlias = Literal["inside", "outside", "between"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One cell of a claim: a number in the claim's quantity, with its interval.

    ``floor`` is the noise floor, a share; ``logs`` are ln(value) by round, shape (rounds,), None
    where there is no estimate behind the interval.
    """

    reference: CellReference
    value: float
    low: float
    high: float
    floor: float = 0.0
    logs: FloatArray | None = field(default=None, repr=False, compare=False)


# --- the rule -------------------------------------------------------------------------------------


def place(reading: Reading, claimed: Claimed) -> Place:
    """Where a cell's interval lies with respect to the claimed one."""
    low, high = _ends(reading, claimed)
    if low <= reading.low and reading.high <= high:
        return "inside"
    return "outside" if reading.high < low or reading.low > high else "between"


def decide(readings: Sequence[Reading], claimed: Claimed, over: Over) -> tuple[Verdict, Reading]:
    """The verdict by the rule at the head of this module, and the cell that is shown for it.

    Raises ValueError without any cell.
    """
    places = [place(one, claimed) for one in readings]
    favours = [_favour(one, claimed) for one in readings]
    if over == BEST:
        shown = readings[favours.index(max(favours))]
        if "inside" in places:
            # Of those that show it, the one that shows it best.
            inside = [i for i, where in enumerate(places) if where == "inside"]
            return REPRODUCED, readings[max(inside, key=lambda i: favours[i])]
        return (NOT_REPRODUCED if set(places) == {"outside"} else UNDECIDED), shown
    shown = readings[favours.index(min(favours))]
    if set(places) == {"inside"}:
        return REPRODUCED, shown
    return (NOT_REPRODUCED if _refuted(readings, claimed) else UNDECIDED), shown


def _ends(reading: Reading, claimed: Claimed) -> tuple[float, float]:
    """The ends of the claimed interval, as they are for this cell."""
    low, high = claimed.low, claimed.high
    if claimed.quantity == "times the time":
        low = low * (1 + reading.floor) if low == 1 else low
        high = high / (1 + reading.floor) if high == 1 else high
    return low, high


def _favour(reading: Reading, claimed: Claimed) -> float:
    """How far inside the claimed interval the cell's estimate lies; negative outside it."""
    low, high = _ends(reading, claimed)
    if reading.logs is None:
        return min(reading.value - low, high - reading.value)
    value = math.log(reading.value)
    return min(
        value - math.log(low) if low > 0 else math.inf,
        math.log(high) - value if math.isfinite(high) else math.inf,
    )


def _refuted(readings: Sequence[Reading], claimed: Claimed) -> bool:
    """Whether some cell lies outside even when all of them are taken into account (Holm)."""
    p_values = []
    for one in readings:
        if place(one, claimed) != "outside":
            p_values.append(1.0)
        elif one.logs is None:
            p_values.append(0.0)
        else:
            low, high = _ends(one, claimed)
            away = one.logs - math.log(low if one.value < low else high)
            p_values.append(float(hodges_lehmann_rows(away[None, :]).p_value[0]))
    return bool((adjust_p_values(p_values, "holm") < SIGNIFICANCE).any())


# --- words ----------------------------------------------------------------------------------------


def claimed_words(claimed: Claimed) -> str:
    """The interval as a reader says it: ``0.25 to 0.50 x``, ``less than 1 x``, ``100 %``."""
    if claimed.quantity == "holds":
        return "holds"
    write = _writer(claimed)
    unit = _UNITS[claimed.quantity]
    if claimed.low == claimed.high:
        return f"{write(claimed.low)} {unit}"
    if claimed.low <= 0:
        return f"{'less than' if claimed.high == 1 else 'at most'} {write(claimed.high)} {unit}"
    if math.isinf(claimed.high):
        return f"at least {write(claimed.low)} {unit}"
    return f"{write(claimed.low)} to {write(claimed.high)} {unit}"


def reading_words(reading: Reading, claimed: Claimed) -> str:
    """A cell's figure with its interval, as :func:`claimed_words`."""
    if claimed.quantity == "holds":
        return "holds" if reading.value else "does not hold"
    write, unit = _writer(claimed), _UNITS[claimed.quantity]
    if not (math.isfinite(reading.low) and math.isfinite(reading.high)):
        return f"{write(reading.value)} [too few rounds] {unit}"
    return f"{write(reading.value)} [{write(reading.low)}, {write(reading.high)}] {unit}"


_UNITS: Final = {"times the time": "x", "bytes per task": "B", "share": "%", "holds": ""}


def _writer(claimed: Claimed) -> Callable[[float], str]:
    if claimed.quantity == "share":
        return lambda share: f"{share * 100:.4g}"
    return style.significant
