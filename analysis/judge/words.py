"""Numbers and verdicts as readers see them: every format is decided here, once.

Pure functions of numbers and text. What names mean, the campaign says (``Campaign.words``).
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from analysis.judge.verdicts import FASTER, FLOOR, MISSING, SAME, SLOWER, UNDECIDED, WITHIN

TOO_FEW: Final = "[too few rounds]"
"""Stands for an interval that has no bounds yet."""
STANDS_ALONE: Final = "Each interval stands alone (95 %)."
HOLD_TOGETHER: Final = "The intervals of one Python hold together (95 %)."
VERDICTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        SLOWER: f"the whole interval lies above +{FLOOR * 100:g} %",
        FASTER: f"the whole interval lies below -{FLOOR * 100:g} %",
        SAME: f"the whole interval lies between -{WITHIN * 100:g} and +{WITHIN * 100:g} %",
        UNDECIDED: "none of these: it would take more rounds",
        MISSING: "there is no measurement; the reason is given",
    }
)
"""What each verdict means; it is read off the interval that is printed beside it."""
_OF_BYTES: Final[Mapping[str, str]] = MappingProxyType({SLOWER: "more", FASTER: "less"})

Units: TypeAlias = "tuple[tuple[float, str], ...]"
"""Sizes of units with their names, the largest first."""
_SIZES: Final[Mapping[str, Units]] = MappingProxyType(
    {
        "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")),
        "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")),
        "B": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
        "/s": ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")),  # tasks per second, on axes
    }
)
_DIGITS: Final = 3
"""Significant digits of an amount."""
_MOST_DECIMALS: Final = 4
_LOPSIDED: Final = 2.0
"""From here on, one side of an interval is so much wider that half of both would mislead."""
_LARGE: Final = 99.95
"""From so many percent on, a change has no decimals."""
TWICE: Final = 2.0
"""From here on, "3.1 times" is easier to read than "+210 %"."""
_FINE: Final = 0.0995
_BOUNDS: Final = tuple(
    (1.0 + bound, round(100.0 * bound, 6)) for bound in (-WITHIN, -FLOOR, FLOOR, WITHIN)
)
"""What verdicts depend on: as a ratio, and in percent."""


# --- changes --------------------------------------------------------------------------------------


def change(ratio: float) -> str:
    """A ratio as a change: 1.031 -> "+3.1 %", 9.93 -> "9.93 times"; "missing" for nan."""
    if ratio >= TWICE:
        return f"{number(ratio)} times"
    return MISSING if math.isnan(ratio) else f"{_signed(_percent(ratio, 1), 1)} %"


def short_change(ratio: float) -> str:
    """The same with as few digits as a cell of many has room for: "+3.1 %", "-15 %"."""
    if math.isnan(ratio) or ratio >= TWICE:
        return change(ratio)
    return f"{_signed(_percent(ratio, 1), 1 if abs(ratio - 1) < _FINE else 0)} %"


def change_interval(ratio: float, low: float, high: float) -> str:
    """A ratio with its interval: "+3.1 % [+1.2, +5.0]".

    One decimal, and as many more as it takes to see on which side of the verdicts' bounds each end
    lies: the verdict can be read off the text. Without bounds (0 or inf): "[too few rounds]".
    """
    if math.isnan(ratio):
        return MISSING
    if not (low > 0 and math.isfinite(high)):
        return f"{change(ratio)} {TOO_FEW}"
    if ratio >= TWICE and low >= 1 + WITHIN:
        return f"{number(ratio)} times [{number(low)}, {number(high)}]"
    decimals = _decimals(low, high)
    first, last = (_beside(end, decimals) for end in (low, high))
    value = min(max(_percent(ratio, decimals), first), last)
    shown, *ends = (_signed(percent, decimals) for percent in (value, first, last))
    return f"{shown} % [{', '.join(ends)}]"


def _decimals(*ratios: float) -> int:
    """The fewest with which each ratio, printed, lies on its side of every bound."""
    for decimals in range(1, _MOST_DECIMALS):
        if all(_percent(ratio, decimals) == _beside(ratio, decimals) for ratio in ratios):
            return decimals
    return _MOST_DECIMALS


def _percent(ratio: float, decimals: int) -> float:
    return round((ratio - 1.0) * 100.0, decimals)


def _beside(ratio: float, decimals: int) -> float:
    """The change in percent, rounded to the side of each bound on which the ratio lies."""
    percent, step = _percent(ratio, decimals), 10.0**-decimals
    for bound, bound_percent in _BOUNDS:
        if ratio > bound:
            percent = max(percent, bound_percent + step)
        elif ratio < bound:
            percent = min(percent, bound_percent - step)
        else:
            return bound_percent
    return round(percent, decimals)


def _signed(percent: float, decimals: int) -> str:
    text = f"{percent:+,.{decimals if abs(percent) < _LARGE else 0}f}"
    return text.lstrip("+-") if percent == 0 else text


# --- amounts --------------------------------------------------------------------------------------


def amount(value: float, unit: str) -> str:
    """An amount in a unit of the frames: (1534.2, "ns") -> "1.53 us", (0.0205, "s") -> "20.5 ms",
    (1500, "B") -> "1.50 kB"; "missing" for nan.
    """
    return _amount(value, None, unit, "")


def amount_interval(value: float, low: float, high: float, unit: str) -> str:
    """An amount with its interval in the same unit: "1.23 ms [1.20, 1.27]"."""
    return _amount(value, (low, high), unit, "")


def difference_interval(value: float, low: float, high: float, unit: str) -> str:
    """A difference with its interval: "+310 ns [+290, +330]"."""
    return _amount(value, (low, high), unit, "+")


def difference_within(value: float, low: float, high: float, unit: str) -> str:
    """A difference with half the width of its interval, of costs per task always in us, so that
    they compare at a glance: "-0.31 us ±0.02"; "±?" after too few rounds. With both ends where the
    estimate is not in their middle, or rounding would put zero on another side: "+0.4 us [+0.1,
    +1.6]".
    """
    half = (high - low) / 2
    known = half if math.isfinite(half) else 0.0
    one, name = (1e3, "us") if unit == "ns" else _unit(max(abs(value), known), unit)
    if not math.isfinite(half):
        return f"{_at(value / one, _DIGITS - 1, '+')} {name} ±?"
    half = float(f"{half:.1g}")
    decimals = min(3, max(0, _decimals_of(half / one) - (_DIGITS - 1)))
    shown, width = (round(number / one, decimals) for number in (value, half))
    sides = sorted((value - low, high - value))
    in_middle = sides[1] <= _LOPSIDED * sides[0]
    if in_middle and (shown - width > 0, shown + width < 0) == (low > 0, high < 0):
        return f"{_at(shown, decimals, '+')} {name} ±{_at(width, decimals)}"
    numbers = (value / one, low / one, high / one)
    while decimals < _MOST_DECIMALS and 0 in (round(number, decimals) for number in numbers[1:]):
        decimals += 1
    first, *ends = (_at(number, decimals, "+") for number in numbers)
    return f"{first} {name} [{', '.join(ends)}]"


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text; a number stays with its unit."""
    lines = textwrap.wrap(_UNIT.sub("\N{NO-BREAK SPACE}", text), width)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


_UNIT: Final = re.compile(r"(?<=\d) (?=%|±|(?:[num]?s|[kMG]?B|[kMG])\b)")


def tick(value: float, unit: str) -> str:
    """An amount on an axis, without needless digits: (0.0015, "s") -> "1.5 ms", (250000, "/s") ->
    "250 k".
    """
    one, name = _unit(value, unit)
    return f"{float(f'{value / one:.3g}'):,g} {name}".rstrip()


def _amount(value: float, ends: tuple[float, float] | None, unit: str, sign: str) -> str:
    if math.isnan(value):
        return MISSING
    known = ends is not None and all(map(math.isfinite, ends))
    # A value far smaller than its interval has no digits of its own to show.
    scale = max(abs(value), ends[1] - ends[0]) if ends is not None and known else abs(value)
    one, name = _unit(scale, unit)
    decimals = _decimals_of(scale / one)
    first = f"{_at(value / one, decimals, sign)} {name}".rstrip()
    if ends is None:
        return first
    if not known:
        return f"{first} {TOO_FEW}"
    return f"{first} [{', '.join(_at(end / one, decimals, sign) for end in ends)}]"


def _unit(number: float, unit: str) -> tuple[float, str]:
    """The largest unit that the number is at least one of; 999.6 us is 1.00 ms."""
    units = _SIZES[unit]
    return next((row for row in units if abs(number) >= row[0] * 0.9995), units[-1])


def _decimals_of(number: float) -> int:
    """Decimals that show its significant digits; negative for tens, hundreds."""
    if number == 0 or not math.isfinite(number):
        return 0
    number = float(f"{number:.{_DIGITS - 1}e}")
    return _DIGITS - 1 - math.floor(math.log10(abs(number)))


def _at(number: float, decimals: int, sign: str = "") -> str:
    rounded = round(number, decimals)
    text = f"{rounded:{sign},.{max(0, decimals)}f}"
    return text.lstrip("+-") if rounded == 0 else text


# --- other numbers --------------------------------------------------------------------------------


def number(value: float) -> str:
    """Three significant digits without an exponent: 12345.6 -> "12,300"; "missing" for nan."""
    return MISSING if math.isnan(value) else _at(value, _decimals_of(value))


def count(number: int) -> str:
    """10000 -> "10,000"."""
    return f"{number:,d}"


def times(number: int, thing: str) -> str:
    """So many of a thing: "1 round", "12 rounds"."""
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"


def tally(value: float) -> str:
    """A mean count without needless digits: 9.0 -> "9", 0.012 -> "0.012"; "missing" for nan."""
    if math.isnan(value):
        return MISSING
    return f"{float(f'{value:.3g}'):,g}" if abs(value) < 1e6 else number(value)


def share(fraction: float, decimals: int = 1) -> str:
    """0.005 -> "0.5 %"."""
    return MISSING if math.isnan(fraction) else f"{fraction * 100:.{decimals}f} %"


def duration(number: float) -> str:
    """How long something took, for people: 75 -> "1 min 15 s"."""
    whole = round(number)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


# --- verdicts and text ----------------------------------------------------------------------------


def verdict(name: str, unit: str = "s") -> str:
    """A verdict on an amount in this unit: of bytes there are more or less."""
    return _OF_BYTES.get(name, name) if unit == "B" else name


def judged(name: str, unit: str = "s", rounds_needed: int | None = None, reason: str = "") -> str:
    """A verdict with what it takes to have one, "undecided (+5 rounds)", or why there is none."""
    if name == MISSING:
        return f"{MISSING}: {reason}" if reason else MISSING
    if name != UNDECIDED:
        return verdict(name, unit)
    if rounds_needed is None:
        return f"{UNDECIDED} ({reason or 'too noisy'})"
    more = f"+{rounds_needed}" if rounds_needed <= 1000 else "> 1,000"
    return f"{UNDECIDED} ({more} round{'' if rounds_needed == 1 else 's'})"


MARKS: Final[Mapping[str, str]] = MappingProxyType({SAME: " =", UNDECIDED: " ?"})
"""Behind a figure whose sign is not the verdict: slower and faster need none."""


def spans(ratios: Iterable[float]) -> str:
    """By how much something is less, over several ratios of at most 1: "3.1 to 15 % less"."""
    low, high = min(ends := [*ratios]), max(ends)
    first, last = (short_change(ratio).lstrip("-").removesuffix(" %") for ratio in (high, low))
    return f"{first} % less" if first == last else f"{first} to {last} % less"


def fact(value: object) -> str:
    """A scalar of a record, or a list of them: True -> "yes", None -> "unknown"."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(fact, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else str(value)


def listed(items: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *most, last = [*items] or [""]
    return f"{', '.join(most)} and {last}" if most else last


_MARKUP: Final = re.compile(r"[\\`*|<>&~#]|!(?=\[)|(?<=\])[(:\[]")


def escaped(text: str) -> str:
    """``text`` such that Markdown shows it as it is: no HTML, links, images or new table cells."""
    return _MARKUP.sub(lambda match: "\\" + match.group(), text)
