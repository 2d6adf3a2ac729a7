"""Labels, order, colours and number formats: how a name or a number looks, decided once.

Every table, chart and page asks here. A name that is not listed still gets a label, an order and a
colour, so a new strategy, workload or event loop needs no edit in this file; a row here only makes
it prettier. Standard library only, pure functions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

MISSING: Final = "missing"
CONTROL: Final = "control"
BASELINE: Final = "gather_coroutines"
NO_FAN_OUT: Final = frozenset({"sequential"})
"""Strategies that launch nothing: their time is the sum of all tasks', whatever a task costs."""
NS_PER_SECOND: Final = 1e9

# --- names ----------------------------------------------------------------------------------------
# -------------


@dataclass(frozen=True, slots=True)
class Word:
    """A name as readers see it: the label in tables and charts, and one sentence of meaning."""

    label: str
    meaning: str = ""


STRATEGIES: Final[Mapping[str, Word]] = MappingProxyType(
    {
        BASELINE: Word("gather(*coroutines)", "gather wraps bare coroutines in tasks itself"),
        "gather_tasks": Word("gather(*tasks)", "create_task for each coroutine, then gather"),
        "task_group": Word("TaskGroup", "create_task inside an asyncio.TaskGroup"),
        "wait": Word("wait(tasks)", "create_task for each coroutine, then asyncio.wait"),
        "as_completed": Word("as_completed", "results one by one, in order of completion"),
        "sequential": Word("await one by one", "no fan-out: each coroutine is awaited in turn"),
        CONTROL: Word("control", "the baseline a second time, under another name"),
    }
)
WORKLOADS: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "noop": Word("noop", "each coroutine returns at once"),
        "yield_once": Word("yield once", "each coroutine suspends once"),
        "sleep": Word("sleep", "each coroutine waits on a timer"),
        "sleep_20ms": Word("sleep 20 ms", "each coroutine waits 20 ms on a timer"),
        "echo": Word("echo", "each makes one request over TCP"),
        "tree": Word("tree", "each coroutine fans out again"),
        "pending": Word("pending", "each coroutine waits until it is cancelled"),
    }
)
LOOPS: Final[Mapping[str, Word]] = MappingProxyType(
    {"asyncio": Word("asyncio"), "uvloop": Word("uvloop")}
)
TASK_FACTORIES: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "lazy": Word("lazy tasks", "a task takes its first step on the next turn of the loop"),
        "eager": Word("eager tasks", "a task takes its first step when it is created"),
    }
)
COLLECTORS: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "on": Word("collector on", "garbage is collected when it falls due, as in any program"),
        "off": Word("collector off", "gc.disable(): no garbage is collected while it is timed"),
        "frozen": Word("collector frozen", "gc.freeze(): what is there already is not visited"),
    }
)
PAUSES: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "none": Word("no pause", "the caller joins its children at once"),
        "sleep_5ms": Word("sleep 5 ms", "before it joins, the caller waits 5 ms on a timer"),
        "sleep_20ms": Word("sleep 20 ms", "before it joins, the caller waits 20 ms on a timer"),
        "compute_10ms": Word("compute 10 ms", "before it joins, the caller computes for 10 ms"),
    }
)
PROBES: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "throughput": Word("throughput", "seconds for the whole fan-out"),
        "latency": Word("latency", "from launch to each task's completion"),
        "head_start": Word("head start", "from the first creation until the results are in hand"),
        "stall": Word("stall", "how long the loop keeps other callbacks waiting"),
        "failure": Word("failure", "one child of n raises"),
        "cancel": Word("cancel", "the caller is cancelled while all n wait"),
        "memory": Word("memory", "growth of the process while all n wait"),
    }
)
METRICS: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "total": Word("whole fan-out", "seconds from launch until all n tasks are joined"),
        "first_step": Word("first step", "from launch until the first task takes its first step"),
        "p50": Word("median", "half of the tasks have completed"),
        "p99": Word("99th percentile", "99 in 100 tasks have completed"),
        "max": Word("slowest task", "every task has completed"),
        "makespan": Word("makespan", "from the first creation until the results are in hand"),
        "longest_wait": Word("longest wait", "the longest that another ready callback waited"),
        "known": Word("error known", "from launch until the caller has the exception"),
        "cancelled": Word("cancelled", "from cancel() until the caller is cancelled"),
        "clean": Word("clean", "until no child is left running"),
        "steady": Word("steady", "bytes by which the process has grown when all n wait"),
        "peak": Word("peak", "bytes by which the process grew at most"),
    }
)
VERDICTS: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "slower": Word("slower", "the whole 95 % interval lies above the noise floor"),
        "faster": Word("faster", "the whole 95 % interval lies below the noise floor"),
        "same": Word("same", "the whole 90 % interval lies within 2 %"),
        "slower, within 2 %": Word("slower, within 2 %", "slower, but by less than 2 %"),
        "faster, within 2 %": Word("faster, within 2 %", "faster, but by less than 2 %"),
        "undecided": Word("undecided", "more rounds are needed to tell"),
        MISSING: Word(MISSING, "there is no measurement; the reason is given"),
    }
)
OBSERVED: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "collections": Word("collections", "garbage collections in one fan-out"),
        "share_before_join": Word("done before the join", "children completed by then"),
        "started_before_join": Word("started before the join", "children that took a step by then"),
        "siblings_finished": Word("finished", "siblings done before the caller knew"),
        "siblings_ran_on": Word("ran on", "siblings that finished after the caller knew"),
        "siblings_cancelled": Word("cancelled", "siblings that were cancelled"),
        "siblings_never_started": Word("never started", "siblings that took no step at all"),
        "left_running": Word("left running", "children that the cancellation did not reach"),
    }
)
MORE_AND_LESS: Final[Mapping[str, str]] = MappingProxyType({"slower": "more", "faster": "less"})
"""Verdicts on what is not a time."""
_LONGEST_LABEL: Final = 40
_VOCABULARIES: Final = (
    STRATEGIES,
    WORKLOADS,
    LOOPS,
    TASK_FACTORIES,
    PROBES,
    METRICS,
    VERDICTS,
    COLLECTORS,
    PAUSES,
    OBSERVED,
)


def label(name: str) -> str:
    """The reader's label of any name in the vocabularies.

    An unknown name is made readable: "a_b" -> "a b", and cut when it would not fit anywhere.
    """
    word = _word(name)
    if word is not None:
        return word.label
    readable = name.replace("_", " ").strip() or name
    return (
        readable if len(readable) <= _LONGEST_LABEL else readable[: _LONGEST_LABEL - 1] + "\u2026"
    )


def meaning(name: str) -> str:
    """What the name means, in a few words; empty when unknown."""
    word = _word(name)
    return "" if word is None else word.meaning


def _word(name: str) -> Word | None:
    return next((words[name] for words in _VOCABULARIES if name in words), None)


def verdict(name: str, unit: str = "second") -> str:
    """A verdict on a number in this unit: of bytes there are more or less."""
    first, comma, rest = name.partition(",")
    return name if unit == "second" else MORE_AND_LESS.get(first, first) + comma + rest


def ordered(names: Iterable[str]) -> list[str]:
    """The distinct names in reading order: known ones as listed here, the rest by alphabet."""
    return sorted(set(names), key=order)


def order(name: str) -> tuple[int, str]:
    """Sort key of a name; see :func:`ordered`."""
    for words in _VOCABULARIES:
        if name in words:
            return list(words).index(name), name
    return 1_000, name


_VERSION: Final = re.compile(r"(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:(a|b|c|rc)(\d{1,9}))?")
_STAGES: Final = {"a": 0, "b": 1, "c": 2, "rc": 2, None: 3}


def python_order(label: str) -> tuple[tuple[int, ...], str]:
    """Sort key of a Python by the version in its label, CPython first: 3.9, 3.10, 3.15.0a1, 3.15.0,
    3.15.0t. Labels without a version come last.
    """
    found = _VERSION.search(label)
    if found is None:
        return (2,), label
    major, minor, micro, stage, serial = found.groups()
    numbers = (int(major), int(minor), int(micro or 0), _STAGES[stage], int(serial or 0))
    other = found.start() > 0 and not label.startswith("cpython")
    return (int(other), *numbers), label


# --- colours --------------------------------------------------------------------------------------
# -------------


@dataclass(frozen=True, slots=True)
class Theme:
    """The inks of charts and pages on one background; every text colour has a contrast of at least
    4.5 on it.
    """

    name: str
    background: str
    panel: str
    band: str
    rule: str
    ink: str
    soft_ink: str
    link: str
    slower: str
    faster: str
    alarm: str
    slower_fills: tuple[str, str, str]
    faster_fills: tuple[str, str, str]
    """Grounds of cells, from a little to a lot; the ink has a contrast of 4.5 on each."""


LIGHT: Final = Theme(
    name="light",
    background="#ffffff",
    panel="#f4f6f8",
    band="#e4e8ec",
    rule="#d0d7de",
    ink="#1b1f24",
    soft_ink="#57606a",
    link="#0a5ba8",
    slower="#a54000",
    faster="#00629e",
    alarm="#b3261e",
    slower_fills=("#fbe6d4", "#f7c79f", "#ef9d61"),
    faster_fills=("#dcebf8", "#afd3f0", "#79b6e4"),
)
DARK: Final = Theme(
    name="dark",
    background="#15191e",
    panel="#1d2329",
    band="#2d343c",
    rule="#3a424b",
    ink="#e6e9ec",
    soft_ink="#a3adb8",
    link="#7cb7f2",
    slower="#ff9d5c",
    faster="#6cc3f6",
    alarm="#ff8a80",
    slower_fills=("#4b3521", "#693d19", "#8d470f"),
    faster_fills=("#203a52", "#1f4a70", "#1f5f97"),
)
THEMES: Final = (LIGHT, DARK)


@dataclass(frozen=True, slots=True)
class Mark:
    """How one series is drawn: a colour per theme and, for those who cannot tell the colours, a
    marker and dashes.
    """

    light: str
    dark: str
    marker: str
    dash: str = "solid"

    def colour(self, theme: Theme) -> str:
        """The series' colour on this theme's background."""
        return self.dark if theme.name == DARK.name else self.light


# After Okabe and Ito, "Color Universal Design" (2008), darkened or lightened until each has a
# contrast of 3 on its background.
_CYCLE: Final = (
    Mark("#0072b2", "#56b4e9", "o"),
    Mark("#d55e00", "#f5853f", "s"),
    Mark("#008060", "#2cc79a", "^"),
    Mark("#b0578d", "#df8fc0", "D"),
    Mark("#8a6d00", "#f0d442", "v"),
    Mark("#5b4bb0", "#a99bf5", "P"),
    Mark("#8c3b2a", "#e5a08f", "X"),
)
_OWN: Final[Mapping[str, Mark]] = MappingProxyType(
    {
        BASELINE: Mark("#24292f", "#dfe3e8", "h"),
        CONTROL: Mark("#767c83", "#939ba4", "|", "dotted"),
        "gather_tasks": _CYCLE[0],
        "task_group": _CYCLE[1],
        "wait": _CYCLE[2],
        "as_completed": _CYCLE[3],
        "sequential": _CYCLE[4],
        "asyncio": _CYCLE[2],
        "uvloop": _CYCLE[3],
        "on": _CYCLE[5],
        "off": _CYCLE[4],
        "frozen": _CYCLE[2],
    }
)


def marks(names: Iterable[str]) -> dict[str, Mark]:
    """A mark for each name: a known name always has its own, unknown ones take what is left of the
    cycle in order.
    """
    wanted = ordered(names)
    taken = {_OWN[name] for name in wanted if name in _OWN}
    free = [mark for mark in _CYCLE if mark not in taken] or list(_CYCLE)
    strangers = [name for name in wanted if name not in _OWN]
    chosen = {name: free[index % len(free)] for index, name in enumerate(strangers)}
    return {name: _OWN.get(name) or chosen[name] for name in wanted}


def palette(theme: Theme) -> dict[str, str]:
    """Every colour that is used on a theme, by its role; the same roles in every theme, so one can
    stand for the other.
    """
    roles: dict[str, str] = {}
    for key, value in asdict(theme).items():
        if isinstance(value, tuple):
            roles.update({f"{key}_{index}": colour for index, colour in enumerate(value)})
        elif key != "name":
            roles[key] = value
    series = {*_OWN.values(), *_CYCLE}
    for index, mark in enumerate(sorted(series, key=lambda mark: mark.light)):
        roles[f"series_{index}"] = mark.colour(theme)
    return roles


# --- numbers --------------------------------------------------------------------------------------

Units: TypeAlias = "tuple[tuple[float, str], ...]"
"""Sizes of units with their names, the largest first."""

_TIME_UNITS: Final[Units] = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
_SIZE_UNITS: Final[Units] = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
_RATE_UNITS: Final[Units] = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def is_missing(number: float | None) -> bool:
    """Whether there is no number to show (None or NaN)."""
    return number is None or math.isnan(number)


def significant(number: float, digits: int = 3) -> str:
    """``digits`` significant digits without an exponent, thousands separated: 12345.6 -> "12,300",
    0.01234 -> "0.0123".
    """
    if number == 0 or not math.isfinite(number):
        return f"{number:g}"
    number = float(f"{number:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(number))))
    return f"{number:,.{decimals}f}"


def count(number: int) -> str:
    """10000 -> "10,000"."""
    return f"{number:,d}"


def seconds(number: float | None) -> str:
    """A duration in the unit that suits it: 0.00123 -> "1.23 ms"."""
    return _in_unit(number, _TIME_UNITS)


def number(value: float | None) -> str:
    """A bare number for a column whose heading has the unit: 812.3 -> "812"."""
    return MISSING if value is None or math.isnan(value) else significant(value)


def interval(value: float | None, low: float, high: float) -> str:
    """A bare number with its interval, where the heading has the unit: "812 [805, 820]"."""
    return MISSING if is_missing(value) else f"{number(value)} {_bracket(low, high)}"


def seconds_interval(number: float | None, low: float, high: float) -> str:
    """A duration with its interval in the same unit: "1.23 ms [1.20, 1.27]"."""
    return _interval_in_unit(number, low, high, _TIME_UNITS)


def short_seconds(number: float) -> str:
    """A duration on an axis, without needless digits: 0.0015 -> "1.5 ms"."""
    return _short(number, _TIME_UNITS, " ")


def size(number: float | None) -> str:
    """A number of bytes in the unit that suits it: 2212 -> "2.21 kB"."""
    return _in_unit(number, _SIZE_UNITS)


def size_interval(number: float | None, low: float, high: float) -> str:
    """A number of bytes with its interval in the same unit: "2.21 kB [2.19, 2.24]"."""
    return _interval_in_unit(number, low, high, _SIZE_UNITS)


def short_size(number: float) -> str:
    """A number of bytes on an axis, without needless digits: 2500 -> "2.5 kB"."""
    return _short(number, _SIZE_UNITS, " ")


def _in_unit(number: float | None, units: Units) -> str:
    if number is None or math.isnan(number):
        return MISSING
    one, unit = _unit(number, units)
    return f"{significant(number / one)} {unit}"


def _interval_in_unit(number: float | None, low: float, high: float, units: Units) -> str:
    if number is None or math.isnan(number):
        return MISSING
    one, unit = _unit(number, units)
    return f"{significant(number / one)} {unit} {_bracket(low / one, high / one)}"


def _short(number: float, units: Units, space: str) -> str:
    one, unit = _unit(number, units)
    return f"{float(f'{number / one:.3g}'):g}{space}{unit}"


def _unit(number: float, units: Units) -> tuple[float, str]:
    """The largest unit that the number is at least one of; 999.6 us is 1.00 ms."""
    return next((row for row in units if abs(number) >= row[0] * 0.9995), units[-1])


def ns_per_task(number: float | None) -> str:
    """A cost per task, always in ns so that columns compare: "812 ns"."""
    if number is None or math.isnan(number):
        return MISSING
    return f"{significant(number)} ns"


def ns_per_task_interval(number: float | None, low: float, high: float) -> str:
    """ "812 ns [805, 820]"."""
    if number is None or math.isnan(number):
        return MISSING
    return f"{significant(number)} ns {_bracket(low, high)}"


def tasks_per_second(number: float | None) -> str:
    """A rate: 1.234e6 -> "1.23 M tasks/s"."""
    if number is None or math.isnan(number):
        return MISSING
    size, unit = _unit(number, _RATE_UNITS)
    return f"{significant(number / size)}{unit and ' '}{unit} tasks/s"


def short_rate(number: float) -> str:
    """A rate on an axis, without needless digits: 250000 -> "250k"."""
    return _short(number, _RATE_UNITS, "")


def duration(number: float) -> str:
    """How long something took, for people: 75 -> "1 min 15 s"."""
    whole = round(number)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


def _bracket(low: float, high: float) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return "[too few rounds]"
    return f"[{significant(low)}, {significant(high)}]"


def change(ratio: float | None) -> str:
    """A ratio as a change against the baseline: 1.021 -> "+2.1 %"; two digits at least up to 10 %,
    none above 100 %.
    """
    if ratio is None or math.isnan(ratio):
        return MISSING
    return f"{_signed(ratio)} %"


def change_interval(ratio: float | None, low: float, high: float) -> str:
    """A ratio with its interval: "+2.1 % [+1.4, +2.9]"."""
    if ratio is None or math.isnan(ratio):
        return MISSING
    if low <= 0 or not (math.isfinite(low) and math.isfinite(high)):
        return f"{change(ratio)} [too few rounds]"
    return f"{change(ratio)} [{_signed(low)}, {_signed(high)}]"


def amount_interval(ratio: float, low: float, high: float) -> str:
    """How much more or less a ratio says, unsigned: 0.95 [0.94, 0.96] -> "5.0 % [4.0, 6.0]"."""
    bounds = sorted((abs(low - 1.0), abs(high - 1.0)))
    inside = ", ".join(_signed(1.0 + bound).lstrip("+") for bound in bounds)
    return f"{change(1.0 + abs(ratio - 1.0)).lstrip('+')} [{inside}]"


def _signed(ratio: float) -> str:
    percent = (ratio - 1.0) * 100.0
    decimals = 1 if abs(percent) < 99.95 else 0
    text = f"{percent:+,.{decimals}f}"
    return text.lstrip("+-") if float(text.replace(",", "")) == 0 else text


def tally(number: float | None) -> str:
    """A mean count, without needless digits: 9.0 -> "9", 0.01 -> "0.01"."""
    if number is None or math.isnan(number):
        return MISSING
    return f"{float(f'{number:.3g}'):,g}" if abs(number) < 1e6 else significant(number)


def share(fraction: float | None, decimals: int = 1) -> str:
    """0.005 -> "0.5 %"."""
    if fraction is None or math.isnan(fraction):
        return MISSING
    return f"{fraction * 100:.{decimals}f} %"


def p_value(number: float | None) -> str:
    """ "0.013", "< 0.001"."""
    if number is None or math.isnan(number):
        return MISSING
    return "< 0.001" if number < 0.001 else f"{number:.3f}"


def fact(value: object) -> str:
    """A scalar of a record as a reader says it: True -> "yes", None -> "unknown"."""
    if isinstance(value, tuple):
        return ", ".join(map(fact, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else str(value)


def facts(record: Mapping[str, object]) -> list[str]:
    """A record of scalars: "name: value"."""
    return [f"{key.replace('_', ' ')}: {fact(value)}" for key, value in record.items()]


def listed(items: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *most, last = [*items] or [""]
    return f"{', '.join(most)} and {last}" if most else last
