"""The options of ``python -m benchmarks``: what was typed, checked and given its type."""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.collectors import COLLECTORS
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import PRESETS, Selection
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.script import task_count
from benchmarks.strategies import STRATEGIES
from benchmarks.workloads import WORKLOADS

SECONDS_PER_UNIT = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|$)\s*")


class UsageError(Exception):
    """Options that do not go together; the message is one line."""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong; the usage is for those who ask for help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


@dataclass(frozen=True)
class Manner:
    """How a campaign presents itself: with progress or without, with a report or without, and which
    Python the report holds the others against (None: the report's own choice).
    """

    quiet: bool
    report: bool
    baseline_python: str | None = None


@dataclass(frozen=True)
class RunOptions:
    """All that ``run`` was told; ``out`` and ``seed`` are None where they are to be chosen."""

    pythons: tuple[str, ...]
    skip_missing: bool
    preset: str
    selections: tuple[Selection, ...]
    budget_seconds: float
    precision: float
    turn_limit_seconds: float
    seed: int | None
    out: Path | None
    manner: Manner


AXES: Mapping[str, str] = {
    "probes": "--probe",
    "workloads": "--workload",
    "tasks": "--tasks",
    "loops": "--loop",
    "task_factories": "--task-factory",
    "strategies": "--strategy",
    "collectors": "--collector",
    "pauses": "--pause",
}
"""The fields of a selection, and their options."""


def run_options(options: argparse.Namespace) -> RunOptions:
    """Lay the options over their preset. Raises UsageError."""
    preset = PRESETS[options.preset]
    return RunOptions(
        pythons=tuple(options.pythons),
        skip_missing=options.skip_missing,
        preset=options.preset,
        selections=_chosen(preset.selections, options),
        budget_seconds=options.budget or preset.budget_seconds,
        precision=options.precision or preset.precision,
        turn_limit_seconds=options.turn_limit,
        seed=options.seed,
        out=options.out,
        manner=manner(options),
    )


def _chosen(
    selections: tuple[Selection, ...], options: argparse.Namespace
) -> tuple[Selection, ...]:
    """One selection takes what was given in place of its own; several are narrowed to it, and those
    that it empties are dropped. Raises UsageError when nothing would come of what was given.
    """
    given = {
        axis: tuple(dict.fromkeys(values))
        for axis in AXES
        if (values := [item for items in getattr(options, axis) for item in items])
    }
    if len(selections) == 1:
        found = [dataclasses.replace(selection, **given) for selection in selections]
    else:
        found = [left for selection in selections if (left := _narrowed(selection, given))]
    chosen = tuple(found)
    if not chosen:
        asked = ", ".join(f"{AXES[axis]} {','.join(map(str, given[axis]))}" for axis in given)
        raise UsageError(f"nothing of preset {options.preset} is left by {asked}")
    for axis, is_used in (
        ("workloads", _takes_workloads),
        ("strategies", _takes_strategies),
        ("pauses", _takes_pauses),
    ):
        if axis in given and not any(map(is_used, chosen)):
            probes = ", ".join(dict.fromkeys(name for row in chosen for name in row.probes))
            raise UsageError(f"{AXES[axis]} has no meaning for what is measured: {probes}")
    return chosen


def _narrowed(selection: Selection, given: Mapping[str, tuple[Any, ...]]) -> Selection | None:
    """What is both in the selection and given; None when an axis is left empty."""
    left = {
        axis: tuple(value for value in values if value in getattr(selection, axis))
        for axis, values in given.items()
    }
    return dataclasses.replace(selection, **left) if all(left.values()) else None


def _takes_workloads(selection: Selection) -> bool:
    return any(PROBES[name].own_workload is None for name in selection.probes)


def _takes_strategies(selection: Selection) -> bool:
    concurrent = any(STRATEGIES[name].concurrent for name in selection.strategies)
    return concurrent or not all(PROBES[name].concurrent_only for name in selection.probes)


def _takes_pauses(selection: Selection) -> bool:
    return any(PROBES[name].pauses for name in selection.probes)


def add_run_options(parser: argparse.ArgumentParser, turn_limit_seconds: float) -> None:
    """The knobs of ``run``; lists may be repeated or separated by commas or blanks."""
    add_python_options(parser, "measure")
    add_choice(parser, "--loop", "loops", EVENT_LOOPS, "event loops")
    add_choice(parser, "--task-factory", "task_factories", TASK_FACTORIES, "task factories")
    add_choice(parser, "--strategy", "strategies", STRATEGIES, "strategies")
    add_choice(parser, "--collector", "collectors", COLLECTORS, "states of the garbage collector")
    add_choice(parser, "--workload", "workloads", WORKLOADS, "workloads")
    add_choice(parser, "--probe", "probes", PROBES, "probes")
    add_choice(parser, "--pause", "pauses", PAUSES, "pauses between creating and joining")
    parser.add_argument(
        "--tasks", action="append", default=[], type=task_counts, metavar="N", help="task counts"
    )
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        default="default",
        help="what to measure unless told (default: %(default)s)",
    )
    parser.add_argument(
        "--budget", type=duration, metavar="TIME", help="time to spend, such as 90s, 4m or 1h30m"
    )
    parser.add_argument(
        "--precision",
        type=share,
        metavar="SHARE",
        help="interval half-width to stop at, such as 1%%",
    )
    parser.add_argument(
        "--seed", type=natural_number, metavar="N", help="what random orders start from"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder to write, never an existing one"
    )
    parser.add_argument(
        "--turn-limit",
        type=duration,
        default=turn_limit_seconds,
        metavar="TIME",
        help="time after which a worker counts as hung (default: %(default)gs)",
    )
    add_manner_options(parser)


def add_python_options(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Which interpreters, and what of those that cannot be had; ``purpose`` is a verb."""
    parser.add_argument(
        "--python",
        dest="pythons",
        action="append",
        default=[],
        metavar="PYTHON",
        help=f"interpreter to {purpose}: a version or a path (default: the one that runs this)",
    )
    parser.add_argument(
        "--skip-missing",
        action="store_true",
        help="go on without the interpreters that cannot be had",
    )


def add_choice(
    parser: argparse.ArgumentParser,
    option: str,
    destination: str,
    names: Iterable[str],
    text: str,
) -> None:
    """An option that takes names out of ``names``, and may be repeated."""
    parser.add_argument(
        option,
        dest=destination,
        action="append",
        default=[],
        type=names_of(names),
        metavar="NAME",
        help=f"{text}: {', '.join(names)}",
    )


def manner(options: argparse.Namespace) -> Manner:
    """What ``add_manner_options`` was told."""
    return Manner(options.quiet, options.report, options.baseline_python)


def add_manner_options(parser: argparse.ArgumentParser) -> None:
    """How a campaign presents itself, the same for ``run`` and ``resume``."""
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument(
        "--no-report", dest="report", action="store_false", help="only measure; print the folder"
    )
    parser.add_argument(
        "--baseline-python",
        metavar="VERSION",
        help="the Python that the report holds the others against",
    )


def names_of(valid: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """An argument type: one or more of the valid names."""
    known = tuple(valid)

    def parse(text: str) -> tuple[str, ...]:
        names = _items(text)
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f"{name!r} is not known; choose from {', '.join(known)}"
                )
        return names

    return parse


def task_counts(text: str) -> tuple[int, ...]:
    """An argument type: numbers of tasks, each 1 or more, such as 1000 or 10_000."""
    return tuple(map(task_count, _items(text)))


def duration(text: str) -> float:
    """An argument type: seconds, of "90", "90s", "4m" or "1h30m"."""
    parts = list(DURATION.finditer(text.strip()))
    seconds = sum(float(part[1]) * SECONDS_PER_UNIT[part[2]] for part in parts)
    if "".join(part[0] for part in parts) != text.strip() or not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write it as 90s, 4m or 1h30m")
    return seconds


def share(text: str) -> float:
    """An argument type: a share of one, of "1%" or "0.01"; above 0 and at most a half."""
    number, percent = re.subn(r"\s*%$", "", text.strip())
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        value = 0.0
    if not 0 < value <= 0.5:
        raise argparse.ArgumentTypeError(f"{text!r} is not a precision; write it as 1% or 0.01")
    return value


def natural_number(text: str) -> int:
    """An argument type: a whole number, 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number (0 or more)")
    return int(text)


def _items(text: str) -> tuple[str, ...]:
    items = tuple(text.replace(",", " ").split())
    if not items:
        raise argparse.ArgumentTypeError("it is empty")
    return items
