"""The options of ``python -m benchmarks``: what was typed, checked and given its type."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.campaign import own
from benchmarks.campaign.plan import SLICE_SECONDS
from benchmarks.campaign.schema import MOST_SECONDS
from benchmarks.collectors import COLLECTORS
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import BOUNDING, PRESETS, Selection
from benchmarks.own import STRATEGY, WORKLOAD, Own, OwnCodeError
from benchmarks.pauses import PAUSES
from benchmarks.probe import limit_of, task_count
from benchmarks.probes import PROBES
from benchmarks.probing import Probe
from benchmarks.strategies import STRATEGIES
from benchmarks.workloads import WORKLOADS

OWN_KINDS = (WORKLOAD, STRATEGY)
SECONDS_PER_UNIT = {"": 1.0, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|$)\s*")


class UsageError(Exception):
    """Options that do not go together; the message is one line."""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong; the usage is for those who ask for help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


@dataclass(frozen=True)
class Manner:
    """How a campaign presents itself: with progress or without, with a report or without, and which
    Python the report compares the others with (None: the plan's first). At most ``wait_seconds``
    are waited until nothing else uses the machine.
    """

    quiet: bool
    report: bool
    baseline_python: str | None = None
    wait_seconds: float = 0.0


@dataclass(frozen=True)
class RunOptions:
    """All that ``run`` was told; ``out`` and ``seed`` are None where they are to be chosen.
    ``tasks_given``: the task counts are the user's, so that they stay.
    """

    pythons: tuple[str, ...]
    skip_missing: bool
    preset: str
    selections: tuple[Selection, ...]
    budget_seconds: float
    precision: float
    turn_limit_seconds: float
    slice_seconds: float
    seed: int | None
    out: Path | None
    manner: Manner
    own: tuple[Own, ...] = ()
    wanted: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    cooldown_seconds: float = 0.0
    tasks_given: bool = False


PRESET_RULE = """\
A preset has one or more parts. What you give takes the place of what each part has on that axis.
Exceptions: --probe and --workload choose the parts that have them; one that no part has is measured
in the first part, and a workload of your own in the first part of each probe. Memory, and workloads
whose tasks make tasks, keep their own task counts unless you name the probe or the workload."""

AXES = tuple(row.name for row in dataclasses.fields(Selection))
TURN_LIMIT_SECONDS = 60.0

MEANINGS: Mapping[str, tuple[str, Callable[[Selection], bool]]] = {
    "workloads": ("--workload", lambda part: any(row.own_workload is None for row in _rows(part))),
    "strategies": ("--strategy", lambda part: True),
    "pauses": ("--pause", lambda part: any(row.pauses for row in _rows(part))),
    "limits": ("--limit", lambda part: not part.limits or any(map(_bounds, part.strategies))),
}
"""Axes that do not concern every probe: the option, and whether it has a meaning for a part of
which something can be measured.
"""


def _bounds(strategy: str) -> bool:
    """Whether it has a limit; the user's own may, too."""
    return STRATEGIES[strategy].bounds


def _rows(part: Selection) -> list[Probe]:
    """The probes of a part that can measure one of its strategies."""
    strategies = [STRATEGIES[name] for name in part.strategies]
    rows = (PROBES[name] for name in part.probes)
    return [row for row in rows if any(map(row.can_measure, strategies))]


def run_options(options: argparse.Namespace) -> RunOptions:
    """Lay the options over their preset. Raises UsageError, OwnCodeError."""
    preset = PRESETS[options.preset]
    functions = _take_own(options)
    if not any(one.kind == WORKLOAD for one in functions):
        for name in ("errors", "warmups"):
            if getattr(options, name) is not None:
                raise UsageError(f"--{name} has no meaning without a workload of your own")
    return RunOptions(
        pythons=tuple(options.pythons),
        skip_missing=options.skip_missing,
        preset=options.preset,
        selections=_chosen(preset.selections, options),
        budget_seconds=options.budget or preset.budget_seconds,
        precision=options.precision or preset.precision,
        turn_limit_seconds=options.turn_limit,
        slice_seconds=options.slice,
        seed=options.seed,
        out=options.out,
        manner=manner(options),
        own=functions,
        wanted=own.requirements(functions, options.wanted),
        variables=tuple(options.variables),
        cooldown_seconds=options.cooldown,
        tasks_given=bool(options.tasks),
    )


def _take_own(options: argparse.Namespace) -> tuple[Own, ...]:
    """The user's own functions among the options, which have their names from here on."""
    found: dict[str, Own] = {}
    for axis in ("workloads", "strategies"):
        items = [item for items in getattr(options, axis) for item in items]
        for item in items:
            if isinstance(item, Own) and found.setdefault(item.name, item).path != item.path:
                raise UsageError(f"two files have a {item.name}: rename one of them")
        names = [item.name if isinstance(item, Own) else item for item in items]
        setattr(options, axis, [names] if names else [])
    counts = options.errors == "count"
    return tuple(
        dataclasses.replace(
            one,
            warmups=one.warmups if options.warmups is None else options.warmups,
            counts_errors=counts,
        )
        for one in found.values()
    )


def _chosen(parts: Sequence[Selection], options: argparse.Namespace) -> tuple[Selection, ...]:
    """The parts of a preset with what was given in its place, see PRESET_RULE. Raises UsageError
    when an option has no meaning for what is measured.
    """
    given = {
        axis: tuple(dict.fromkeys(values))
        for axis in AXES
        if (values := [item for items in getattr(options, axis) for item in items])
    }
    for axis in ("probes", "workloads"):
        if axis in given:
            parts = _having(parts, axis, given[axis])
    strategies = given.get("strategies", ())
    if strategies and all(STRATEGIES[name].own for name in strategies):
        # What is one's own is compared with what there is.
        given.pop("strategies")
        parts = [
            dataclasses.replace(part, strategies=(*part.strategies, *strategies)) for part in parts
        ]
    parts = [_limited(_replaced(part, given), given) for part in parts]
    unlimited = {
        name for part in parts if not part.limits for name in part.strategies if _bounds(name)
    }
    if unlimited:
        raise UsageError(f"{', '.join(sorted(unlimited))}: name a limit, such as --limit 100")
    useful = [part for part in parts if _rows(part)]
    for axis, (option, has_meaning) in MEANINGS.items():
        if axis in given and not any(map(has_meaning, useful)):
            probes = ", ".join(dict.fromkeys(name for part in parts for name in part.probes))
            raise UsageError(f"{option} has no meaning for what is measured: {probes}")
    if not useful:
        raise UsageError("none of the strategies can do what is to be measured")
    return tuple(dict.fromkeys(useful))


def _having(parts: Sequence[Selection], axis: str, names: Sequence[str]) -> list[Selection]:
    """The parts that have one of the names on the axis, with these alone. Names that no part has
    are put into the first part; workloads of the user's own into the first of each probe.
    """
    known = {name for part in parts for name in getattr(part, axis)}
    unknown = {name for name in names if name not in known}
    users = {name for name in unknown if name in WORKLOADS and WORKLOADS[name].own}
    found = []
    probes: set[str] = set()
    for index, part in enumerate(parts):
        added = (users if index else unknown) if probes.isdisjoint(part.probes) else ()
        probes.update(part.probes)
        of_part = {*getattr(part, axis), *added}
        if chosen := tuple(name for name in names if name in of_part):
            change: dict[str, Any] = {axis: chosen}
            found.append(dataclasses.replace(part, **change))
    return found


def _replaced(part: Selection, given: Mapping[str, tuple[Any, ...]]) -> Selection:
    """The part with what was given on the axes that choose no part."""
    makes_tasks = any(WORKLOADS[name].tasks_each > 1 for name in part.workloads)
    is_told_by_size = any(row.fresh_process for row in _rows(part))
    kept = {"probes", "workloads", "limits"}
    if (makes_tasks and "workloads" not in given) or (is_told_by_size and "probes" not in given):
        kept.add("tasks")
    changes = {axis: names for axis, names in given.items() if axis not in kept}
    return dataclasses.replace(part, **changes)


def _limited(part: Selection, given: Mapping[str, tuple[Any, ...]]) -> Selection:
    """The part with the limits that were given. Unless strategies were named, it has all that bound
    for them, and those without a limit where "none" is among the limits.
    """
    if "limits" not in given:
        return part
    limits = tuple(limit for limit in given["limits"] if limit is not None)
    strategies = part.strategies
    if "strategies" not in given:
        free = [
            name
            for name in strategies
            if not _bounds(name) and (None in given["limits"] or STRATEGIES[name].own)
        ]
        bounding = (*BOUNDING, *filter(_bounds, strategies)) if limits else ()
        strategies = (*free, *dict.fromkeys(bounding))
    return dataclasses.replace(part, limits=limits, strategies=strategies)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``run``; lists may be repeated or separated by commas or blanks."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = PRESET_RULE
    add_python_options(parser, "measure")
    add_list = functools.partial(parser.add_argument, action="append", default=[])
    for option, destination, names, text in (
        ("--loop", "loops", EVENT_LOOPS, "event loops"),
        ("--task-factory", "task_factories", TASK_FACTORIES, "task factories"),
        ("--strategy", "strategies", STRATEGIES, "strategies, or FILE.py:NAME"),
        ("--collector", "collectors", COLLECTORS, "states of the garbage collector"),
        ("--workload", "workloads", WORKLOADS, "workloads, or FILE.py:NAME"),
        ("--probe", "probes", PROBES, "probes"),
        ("--pause", "pauses", PAUSES, "pauses between creating and joining"),
    ):
        meaning = f"{text}: {', '.join(names)}"
        kind = option.removeprefix("--")
        parse = names_or_own(names, kind) if kind in OWN_KINDS else names_of(names)
        add_list(option, dest=destination, type=parse, metavar="NAME", help=meaning)
    add_list(
        "--with",
        dest="wanted",
        metavar="PACKAGE",
        help="what your own code needs, such as aiohttp==3.13 (PEP 723 metadata is read)",
    )
    add_list(
        "--env",
        dest="variables",
        type=variable,
        metavar="NAME",
        help="a variable of the environment that your own code needs; others are not passed on",
    )
    parser.add_argument(
        "--errors",
        choices=("fail", "count"),
        help="whether a call of your own workload that raises ends its case (default), or counts",
    )
    parser.add_argument(
        "--warmups",
        type=natural_number,
        metavar="N",
        help="small fan-outs of your own workload before each slice (default: 1); of 1000 tasks or "
        "more that compute, one whole fan-out",
    )
    parser.add_argument(
        "--cooldown",
        type=duration,
        default=0.0,
        metavar="TIME",
        help="rest between two turns, for a server with a rate limit (default: none)",
    )
    add_list("--tasks", type=task_counts, metavar="N", help="task counts")
    add_list(
        "--limit",
        dest="limits",
        type=limits,
        metavar="N",
        help="how many may be active at a time, such as none,10,100",
    )
    preset_help = "what to measure (default: %(default)s); see below for what other options change"
    parser.add_argument("--preset", choices=PRESETS, default="default", help=preset_help)
    parser.add_argument(
        "--budget", type=duration, metavar="TIME", help="time to spend, such as 90s, 4m or 1h30m"
    )
    parser.add_argument(
        "--precision", type=share, metavar="SHARE", help="half-width to stop at, such as 1%%"
    )
    parser.add_argument(
        "--seed", type=natural_number, metavar="N", help="what random orders start from"
    )
    parser.add_argument(
        "--out", type=folder, metavar="FOLDER", help="folder to write, never an existing one"
    )
    parser.add_argument(
        "--turn-limit",
        type=duration,
        default=TURN_LIMIT_SECONDS,
        metavar="TIME",
        help="time after which a worker counts as hung (default: %(default)gs)",
    )
    parser.add_argument(
        "--slice",
        type=duration,
        default=SLICE_SECONDS,
        metavar="TIME",
        help="time that a contender is measured before another has its turn (default: 10ms)",
    )
    add_manner_options(parser)


def add_python_options(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Which interpreters, and what of those that are not available; ``purpose`` is a verb."""
    parser.add_argument(
        "--python",
        dest="pythons",
        action="append",
        default=[],
        metavar="PYTHON",
        help=f"interpreter to {purpose}: a version or a path (default: the one that runs this)",
    )
    parser.add_argument(
        "--skip-missing", action="store_true", help="go on without those that are not available"
    )


def add_own_options(parser: argparse.ArgumentParser) -> None:
    """The user's own functions, which a campaign that is gone on with was measured with."""
    for kind in OWN_KINDS:
        parser.add_argument(
            f"--{kind}",
            dest="own",
            type=names_or_own((), kind),
            action="append",
            default=[],
            metavar="FILE.py:NAME",
            help=f"a {kind} of your own that it was begun with",
        )


def manner(options: argparse.Namespace) -> Manner:
    """What ``add_manner_options`` was told."""
    return Manner(options.quiet, options.report, options.baseline_python, options.wait or 0.0)


def add_manner_options(parser: argparse.ArgumentParser) -> None:
    """How a campaign presents itself, the same for ``run`` and ``resume``."""
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument(
        "--no-report", dest="report", action="store_false", help="only measure; print the folder"
    )
    parser.add_argument(
        "--wait",
        type=duration,
        metavar="TIME",
        help="wait up to this long until nothing else uses the machine (default: say so, go on)",
    )
    baseline_help = "the Python that the report compares the others with"
    parser.add_argument("--baseline-python", metavar="VERSION", help=baseline_help)


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


def names_or_own(valid: Collection[str], kind: str) -> Callable[[str], tuple[str | Own, ...]]:
    """An argument type: one or more of the valid names, or of the user's own functions."""
    known = names_of(valid)

    def parse(text: str) -> tuple[str | Own, ...]:
        found: list[str | Own] = []
        path = text.rpartition(":")[0]
        is_file = os.path.isfile(os.path.expanduser(path))  # noqa: PTH111, PTH113 - as own.read does
        for item in (text,) if is_file else _items(text):
            try:
                is_own = ":" in item or item.endswith(".py") or not valid
                found += [own.read(kind, item)] if is_own else known(item)
            except OwnCodeError as error:
                raise argparse.ArgumentTypeError(str(error)) from None
        return tuple(found)

    return parse


def task_counts(text: str) -> tuple[int, ...]:
    """An argument type: numbers of tasks, each 1 or more, such as 1000 or 10_000."""
    return tuple(map(task_count, _items(text)))


def limits(text: str) -> tuple[int | None, ...]:
    """An argument type: limits, each 1 or more, or "none"."""
    return tuple(map(limit_of, _items(text)))


def folder(text: str) -> Path:
    """An argument type: a folder whose name is plain text: it becomes the campaign's name."""
    path = Path(text)
    if not path.name.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is not a plain name")
    return path


def duration(text: str) -> float:
    """An argument type: seconds, of "90", "90s", "4m", "1h30m" or "10ms"."""
    parts = list(DURATION.finditer(text.strip()))
    seconds = sum(float(part[1]) * SECONDS_PER_UNIT[part[2]] for part in parts)
    if "".join(part[0] for part in parts) != text.strip() or not 0 < seconds <= MOST_SECONDS:
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


def variable(text: str) -> str:
    """An argument type: a variable of the environment that is set."""
    if text not in os.environ:
        raise argparse.ArgumentTypeError(f"{text} is not set in the environment")
    return text


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
