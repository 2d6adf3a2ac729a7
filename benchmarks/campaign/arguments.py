"""The options of ``python -m benchmarks``: what was typed, checked and given its type."""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from benchmarks.loops import EVENT_LOOPS
from benchmarks.matrix import PRESETS, Selection
from benchmarks.probes import PROBES
from benchmarks.strategies import STRATEGIES
from benchmarks.workloads import WORKLOADS

SECONDS_PER_UNIT = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|$)\s*")


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong; the usage is for those who ask for help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


@dataclass(frozen=True)
class Manner:
    """How a campaign presents itself: with progress or without, with a report or without."""

    quiet: bool
    report: bool


@dataclass(frozen=True)
class RunOptions:
    """All that ``run`` was told; ``out`` and ``seed`` are None where they are to be chosen."""

    pythons: tuple[str, ...]
    skip_missing: bool
    preset: str
    selection: Selection
    budget_seconds: float
    precision: float
    turn_limit_seconds: float
    seed: int | None
    out: Path | None
    manner: Manner


def run_options(options: argparse.Namespace) -> RunOptions:
    """Lay the options over their preset."""
    preset = PRESETS[options.preset]
    given = {
        name: tuple(dict.fromkeys(values))
        for name in ("probes", "workloads", "tasks", "loops", "strategies")
        if (values := [item for items in getattr(options, name) for item in items])
    }
    return RunOptions(
        pythons=tuple(options.pythons),
        skip_missing=options.skip_missing,
        preset=options.preset,
        selection=dataclasses.replace(preset.selection, **given),
        budget_seconds=options.budget or preset.budget_seconds,
        precision=options.precision or preset.precision,
        turn_limit_seconds=options.turn_limit,
        seed=options.seed,
        out=options.out,
        manner=manner(options),
    )


def add_run_options(parser: argparse.ArgumentParser, turn_limit_seconds: float) -> None:
    """The knobs of ``run``; lists may be repeated or separated by commas or blanks."""

    def choice(option: str, destination: str, names: Iterable[str], text: str) -> None:
        parser.add_argument(
            option,
            dest=destination,
            action="append",
            default=[],
            type=names_of(names),
            metavar="NAME",
            help=f"{text}: {', '.join(names)}",
        )

    parser.add_argument(
        "--python",
        dest="pythons",
        action="append",
        default=[],
        metavar="PYTHON",
        help="interpreter to measure: a version or a path (default: the one that runs this)",
    )
    parser.add_argument(
        "--skip-missing",
        action="store_true",
        help="go on without the interpreters that cannot be had",
    )
    choice("--loop", "loops", EVENT_LOOPS, "event loops")
    choice("--strategy", "strategies", STRATEGIES, "strategies")
    choice("--workload", "workloads", WORKLOADS, "workloads")
    choice("--probe", "probes", PROBES, "probes")
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


def manner(options: argparse.Namespace) -> Manner:
    """What ``add_manner_options`` was told."""
    return Manner(quiet=options.quiet, report=options.report)


def add_manner_options(parser: argparse.ArgumentParser) -> None:
    """How a campaign presents itself, the same for ``run`` and ``resume``."""
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument(
        "--no-report", dest="report", action="store_false", help="only measure; print the folder"
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
    counts = []
    for item in _items(text):
        digits = item.replace("_", "")
        if not digits.isdecimal() or int(digits) < 1:
            raise argparse.ArgumentTypeError(f"{item!r} is not a number of tasks (1 or more)")
        counts.append(int(digits))
    return tuple(counts)


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
