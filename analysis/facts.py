"""What is known of an interpreter, in words: how it was built, and what its workers proved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from analysis import style
from analysis.builds import NOT_STATED
from analysis.campaign import Contender, Interpreter

_BUILD: Final[Mapping[str, str]] = {
    "builder": "Built by",
    "compiler": "Compiler",
    "configure": "Configure options",
    "pgo": "PGO",
    "lto": "LTO",
    "shared": "Shared library",
    "debug": "Debug build",
    "free_threaded": "Free-threaded build",
    "jit": "JIT",
    "tail_calls": "Tail-calling interpreter",
    "date": "Built on",
}
"""The facts of a build that every record ought to have, in reading order."""


def interpreter_facts(
    interpreter: Interpreter, contenders: Sequence[Contender]
) -> list[tuple[str, str]]:
    """(name, value) of everything known of an interpreter; what it keeps to itself is "not stated".

    ``contenders`` are those of the campaign: their conditions say what held in its workers.
    """
    own = [one for one in contenders if one.interpreter == interpreter.name]
    build = interpreter.build
    others = [name for name in build if name not in _BUILD]
    facts = [
        ("Version", interpreter.version),
        ("Implementation", interpreter.implementation),
        *((word, _said(build.get(name))) for name, word in _BUILD.items()),
        *((name.replace("_", " ").capitalize(), _said(build[name])) for name in others),
        ("GIL in the worker", _proved(own, "gil", {True: "on", False: "off"})),
        ("Collector", _proved(own, "collector_kind")),
        ("Collector while timed", _proved(own, "collector")),
        ("Tasks", _listed(_task(one.conditions.get("task_class")) for one in own)),
        ("Event loops", _listed(_loop(one) for one in own)),
    ]
    if interpreter.packages:
        packages = (f"{name} {version}" for name, version in interpreter.packages.items())
        facts.append(("Packages", ", ".join(packages)))
    return facts


def _said(value: object) -> str:
    return NOT_STATED if value is None or value == "" else style.fact(value)


def _proved(
    contenders: Iterable[Contender], name: str, words: Mapping[object, str] | None = None
) -> str:
    """What the workers of an interpreter proved; all of it, should they differ."""
    values = (one.conditions.get(name) for one in contenders)
    return _listed((words or {}).get(value) or _said(value) for value in values)


def _task(task_class: object) -> str:
    if task_class is None:
        return NOT_STATED
    # The module written in C has an underscore before its name.
    return f"{'C' if str(task_class).startswith('_') else 'Python'} ({task_class})"


def _loop(contender: Contender) -> str:
    version = contender.conditions.get("loop_version")
    return f"{style.label(contender.loop)} {NOT_STATED if version is None else version}"


def _listed(values: Iterable[str]) -> str:
    """The distinct values; what some do not state adds nothing to what others do."""
    distinct = list(dict.fromkeys(values))
    said = [value for value in distinct if value != NOT_STATED]
    return ", ".join(said or distinct) or NOT_STATED
