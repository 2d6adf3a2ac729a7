"""Workloads and strategies of the user's own, as a campaign plans them: read, never imported."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.campaign import schema
from benchmarks.campaign.interpreters import REPOSITORY, executable, inherited
from benchmarks.campaign.workers import end_group
from benchmarks.matrix import Selection
from benchmarks.own import STRATEGY, WORKLOAD, Own, OwnCodeError, register
from benchmarks.strategies import BASELINE, STRATEGIES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORM = re.compile(r"(?P<path>.+\.py):(?P<function>\w+)")
SCRIPT = re.compile(r"^# /// script$(?P<lines>(?:\n#.*)*?)\n# ///$", re.MULTILINE)
"""PEP 723: metadata in comments at the top of a file."""
LONGEST_TRY_SECONDS = 30.0
"""For a workload that is tried, with its imports."""
LAUNCH_PARAMETERS = {"limit", "pause"}
"""What a strategy may take beside the work and the number of tasks."""


def read(kind: str, text: str) -> Own:
    """What ``FILE.py:NAME`` is, as far as the file says without being run, and registered. Raises
    OwnCodeError.
    """
    found = FORM.fullmatch(text)
    if found is None:
        raise OwnCodeError(f"{text}: write it as FILE.py:NAME")
    path, function = Path(os.path.expanduser(found["path"])), found["function"]  # noqa: PTH111
    try:
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
    except OSError as error:
        raise OwnCodeError(f"{text}: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        at = f", line {line}" if line else ""
        raise OwnCodeError(f"{path.name}{at}: {getattr(error, 'msg', error)}") from None
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    own = Own(kind, str(path.resolve()), function, sha256=sha256)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            raise OwnCodeError(f"{path.name}, line {node.lineno}: {function} is not async")
        if isinstance(node, ast.AsyncFunctionDef) and node.name == function:
            own = _described(own, node)
            break
    else:
        if function not in _bound(tree):
            known = [node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)]
            has = f"it has {', '.join(known)}" if known else "it has no async function"
            raise OwnCodeError(f"{text}: {path.name} has no {function}; {has}")
    register(own)
    return own


def _described(own: Own, node: ast.AsyncFunctionDef) -> Own:
    """With what its definition says. Raises OwnCodeError for parameters that it is not given."""
    arguments = node.args
    every = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    needed = every[: len(every) - len(arguments.defaults)]
    by_name = [
        one.arg
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    place = f"{Path(own.path).name}, line {node.lineno}: {own.function}"
    if by_name:
        raise OwnCodeError(f"{place} needs {_listed(by_name)} by its name, which nobody gives")
    meaning = (ast.get_docstring(node) or "").partition("\n")[0].rstrip(".")
    if own.kind == STRATEGY:
        third = set(every[2:3]) & LAUNCH_PARAMETERS
        if len(every) < 2 or len(needed) > 2 + len(third):
            raise OwnCodeError(
                f"{place} takes {_listed(every)}; a strategy takes work and tasks and, if it has "
                "one, limit or pause"
            )
        bounds, pauses = "limit" in third, "pause" in third
        return dataclasses.replace(own, meaning=meaning, bounds=bounds, pauses=pauses)
    sets_up = any(isinstance(one, ast.Yield) for one in _own_body(node))
    if len(needed) > (0 if sets_up else 1):
        given = "what sets up is given nothing" if sets_up else "a workload is given an index"
        raise OwnCodeError(f"{place} takes {_listed(every)}; {given}")
    return dataclasses.replace(own, meaning=meaning)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _own_body(node: ast.AST) -> Iterator[ast.AST]:
    """What is in a function and not in one of those in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _own_body(child)


def _bound(tree: ast.Module) -> set[str]:
    """The names that a module assigns or imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def requirements(own: Iterable[Own], given: Iterable[str]) -> tuple[str, ...]:
    """What is to be installed: what was ``given``, and what the files ask for by inline metadata
    (PEP 723). Raises OwnCodeError.
    """
    wanted = list(given)
    for path in dict.fromkeys(one.path for one in own):
        found = SCRIPT.search(Path(path).read_text(encoding="utf-8"))
        if found is None:
            continue
        lines = (line[2:] for line in found["lines"].splitlines())
        where = f"{Path(path).name}: its inline metadata"
        try:
            found_there = tomllib.loads("\n".join(lines)).get("dependencies", [])
        except tomllib.TOMLDecodeError as error:
            raise OwnCodeError(f"{where}: {error}") from None
        if not isinstance(found_there, list) or not all(isinstance(x, str) for x in found_there):
            raise OwnCodeError(f"{where}: dependencies is not a list of texts")
        wanted += found_there
    return tuple(dict.fromkeys(wanted))


def without_paths(requirement: str) -> str:
    """A requirement such that it tells no folder of this machine: "./lib/mine" -> "mine"."""
    is_remote = "://" in requirement and "file://" not in requirement
    return requirement if is_remote else re.sub(r"[^\s@]*[/\\]", "", requirement)


def record(own: Iterable[Own]) -> tuple[schema.Own, ...]:
    """What a plan keeps of it: names and hashes, no path."""
    return tuple(
        schema.Own(
            name=one.name,
            kind=one.kind,
            sha256=one.sha256,
            warmups=one.warmups,
            counts_errors=one.counts_errors,
        )
        for one in own
    )


def as_planned(own: Iterable[Own], plan: schema.Plan) -> tuple[Own, ...]:
    """The same functions as they turned out, and were called, when the campaign was begun."""
    waits = {word.name: word.waits for word in plan.definitions.workloads}
    planned = {one.name: one for one in plan.own}
    return tuple(
        dataclasses.replace(
            one,
            waits=waits.get(one.name, one.waits),
            warmups=planned[one.name].warmups,
            counts_errors=planned[one.name].counts_errors,
        )
        for one in own
        if one.name in planned
    )


@dataclasses.dataclass(frozen=True)
class Tried:
    """A function as it turned out when it was called a few times: what went ``wrong``, or "",
    whether it has ``failed`` and cannot be measured, and which machines it talks to.
    """

    own: Own
    wrong: str = ""
    failed: bool = False
    remote: tuple[str, ...] = ()

    def remarks(self) -> Iterator[str]:
        """What there is to say before it is measured."""
        if self.wrong:
            yield f"{self.own.name}: {self.wrong}"
        elif self.own.seconds is not None:
            kind = "waits" if self.own.waits else "computes"
            yield f"{self.own.name}: a call takes {self.own.seconds * 1e3:.3g} ms and mostly {kind}"
        if self.remote:
            yield (
                f"{self.own.name} talks to {', '.join(self.remote)}: rate limits, caches and the "
                "network are in its times; --cooldown 1s rests between turns"
            )


def tried(own: Own, interpreter: schema.Interpreter, variables: Sequence[str] = ()) -> Tried:
    """Call a workload a few times on an interpreter, with these variables of the environment; a
    strategy is measured only.
    """
    if own.kind != WORKLOAD:
        return Tried(own)
    command = [str(executable(interpreter)), "-m", "benchmarks.own", own.argument]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=inherited(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            out, _ = process.communicate(timeout=LONGEST_TRY_SECONDS)
        except subprocess.TimeoutExpired:
            slow = dataclasses.replace(own, seconds=LONGEST_TRY_SECONDS)
            return Tried(slow, f"a few calls have not ended within {LONGEST_TRY_SECONDS:g} s")
        finally:
            end_group(process)
    try:
        said = json.loads(out)
    except ValueError:
        return Tried(own, f"it ended the process (exit code {process.returncode})", failed=True)
    if error := said.get("error"):
        return Tried(own, str(error), failed=True)
    own = dataclasses.replace(own, waits=said["waits"], seconds=said["seconds"])
    register(own)
    return Tried(own, remote=tuple(said["remote"]))


FAN_OUTS = 30
"""Of each contender that a budget should be enough for: calibration, the least rounds, and as many
to prime."""


def fan_out_seconds(selection: Selection, tasks: int, one: Own, pythons: int = 1) -> float:
    """What a fan-out of a workload takes, of all contenders together, controls too: calls that wait
    do so at the same time, as far as the strategy lets them.
    """
    calls = 0.0
    for name, limit in [(BASELINE, None), *selection.launches()]:
        at_once = limit or (tasks if STRATEGIES[name].concurrent else 1)
        calls += math.ceil(tasks / at_once) if one.waits else tasks
    launches = len(selection.loops) * len(selection.task_factories) * len(selection.collectors)
    return calls * launches * pythons * (one.seconds or 0.0)


def affordable(
    selection: Selection, own: Sequence[Own], budget_seconds: float, pythons: int
) -> Selection:
    """The selection with the task counts that the budget is enough for on so many Pythons,
    whichever of the workloads it is; the least of them, if it is enough for none.
    """
    of_part = [one for one in own if one.name in selection.workloads]
    fitting = tuple(
        tasks
        for tasks in selection.tasks
        if all(
            FAN_OUTS * fan_out_seconds(selection, tasks, one, pythons) <= budget_seconds
            for one in of_part
        )
    )
    return dataclasses.replace(selection, tasks=fitting or (min(selection.tasks),))
