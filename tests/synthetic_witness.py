"""witness.json with behaviour that is known, for tests of whatever reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

FILE = "witness.json"
PROCESSES, PROCESS_SECONDS, CALLER_SECONDS = 5, 0.5, 2.0
SLEEPERS, SLEEP_SECONDS = 10, 0.2
STRATEGIES = ("gather_coroutines", "gather_tasks", "task_group", "sequential")
PROGRAMS = {
    "ten_sleepers": "gathering tasks is no more concurrent",
    "head_start": "tasks run while the caller awaits something else",
    "first_step": "a task starts at the caller's next suspension",
    "nobody_awaits": "a task that nobody awaits is cut off",
}


def write_witness(
    folder: Path,
    *,
    change: Callable[[dict[str, Any]], object] | None = None,
    **places: Sequence[str],
) -> Path:
    """Write a valid witness.json into ``folder``, which is made, and return the folder; ``change``
    alters the content in place before it is written. ``places`` are those of
    :func:`witness_content`.
    """
    content = witness_content(**places)
    if change is not None:
        change(content)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(content), encoding="utf-8")
    return folder


def witness_content(
    pythons: Sequence[str] = ("3.11.7", "3.12.1", "3.14.10"),
    loops: Sequence[str] = ("asyncio", "uvloop"),
    task_factories: Sequence[str] = ("lazy", "eager"),
) -> dict[str, Any]:
    """What stands in a valid file. Eager tasks need 3.12; on 3.14 uvloop does not obey them."""
    return {
        "schema": 1,
        "programs": [
            {"name": name, "summary": f"the program {name}.", "claim": claim}
            for name, claim in PROGRAMS.items()
        ],
        "runs": [
            run
            for python in pythons
            for loop in loops
            for task_factory in task_factories
            for run in _runs(python, loop, task_factory)
        ],
    }


def _runs(python: str, loop: str, task_factory: str) -> Iterator[dict[str, Any]]:
    reason = ""
    if task_factory == "eager":
        reason = {"3.10": "eager needs 3.12", "3.11": "eager needs 3.12"}.get(python[:4], "")
        if loop == "uvloop" and python.startswith("3.14"):
            reason = "uvloop does not obey it"
    for program in PROGRAMS:
        for strategy in STRATEGIES if program != "nobody_awaits" else ("",):
            run: dict[str, Any] = {
                "interpreter": f"cpython-{python}",
                "version": python.partition("+")[0].rstrip("t"),
                "loop": loop,
                "task_factory": task_factory,
                "program": program,
                "strategy": strategy,
                "holds": None,
                "expected": "",
                "observed": "",
                "reason": reason,
                "measured": {},
                "timeline": None,
            }
            if strategy == "task_group" and python.startswith("3.10"):
                run["reason"] = run["reason"] or "task_group needs 3.11"
            if not run["reason"]:
                words = _words(program, strategy, task_factory)
                timeline = _timeline(program, strategy)
                seconds = timeline["marks"][-1]["seconds"] if timeline else 0.001
                run |= {"holds": True, "expected": words, "observed": words, "timeline": timeline}
                run["measured"] = {"seconds_to_results": seconds, "seconds_to_something": 1.0}
            yield run


def _bare(strategy: str) -> bool:
    return strategy in ("gather_coroutines", "sequential")


def _words(program: str, strategy: str, task_factory: str) -> str:
    if program == "ten_sleepers":
        return f"{1 if strategy == 'sequential' else SLEEPERS} at once"
    if program == "head_start":
        return f"{0 if _bare(strategy) else PROCESSES} done before the join"
    if program == "first_step":
        return f"{PROCESSES if task_factory == 'eager' and not _bare(strategy) else 0} at creation"
    return "cancelled"


def _timeline(program: str, strategy: str) -> dict[str, Any] | None:
    """Exact to the second: nothing takes time but sleeping."""
    if program == "head_start":
        count, sleep, join = PROCESSES, PROCESS_SECONDS, CALLER_SECONDS
    elif program == "ten_sleepers":
        count, sleep, join = SLEEPERS, SLEEP_SECONDS, 0.0
    else:
        return None
    first = join if _bare(strategy) else 0.0
    starts = [first + (index * sleep if strategy == "sequential" else 0) for index in range(count)]
    tasks = [
        {
            "name": str(index),
            "created": start if strategy == "sequential" else 0.0,
            "started": start,
            "spans": [[start, start + sleep]],
            "finished": start + sleep,
        }
        for index, start in enumerate(starts)
    ]
    joined = max(join, starts[-1] + sleep)
    marks = [{"name": "join begins", "seconds": join}, {"name": "joined", "seconds": joined}]
    return {"marks": marks, "tasks": tasks}
