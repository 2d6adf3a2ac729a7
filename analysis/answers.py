"""The answer in sentences, one per event loop, made from the summary and never typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from analysis import style

QUESTION: Final = "When should I use asyncio.create_task?"
RULE: Final = (
    "gather(*coroutines) wraps each coroutine in a task itself, so creating the tasks first is "
    "redundant, unless you await something before you join them: tasks start there, bare "
    "coroutines do not."
)
"""What holds by construction, whatever is measured."""

_GROUP: Final = ["python", "loop", "task_factory"]


@dataclass(frozen=True, slots=True)
class Answer:
    """``where`` names the event loop (and Python and task factory, when several were measured)."""

    where: str
    sentence: str
    python: str

    def __str__(self) -> str:
        return f"On {self.where}, {self.sentence}"


def answers(summary: pd.DataFrame) -> list[Answer]:
    """A sentence for each event loop with the estimate and interval of every strategy.

    ``summary`` is the frame of :func:`analysis.comparisons.summarise`.
    """
    rows = summary[summary["contender"].astype(str) != style.CONTROL]
    labels = group_labels(rows)
    found = []
    for group, label in labels.items():
        keep = (rows[_GROUP].astype(str) == list(group)).all(axis=1)
        than = style.label(style.BASELINE)
        clauses = []
        for row in rows[keep].to_dict("records"):
            clauses.append(_clause(row, than))
            than = ""
        found.append(Answer(label, "; ".join(clauses) + ".", group[0]))
    return found


def basis(summary: pd.DataFrame) -> str:
    """What the numbers in the answers are."""
    cases = int(summary["cases"].max()) if len(summary) else 0
    return (
        f"Time of the whole fan-out, geometric mean over {style.count(cases)} "
        f"{'case' if cases == 1 else 'cases'} (workload x number of tasks), with 95 % intervals."
    )


def group_labels(frame: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """Every (python, loop, task factory) in reading order, labelled by what differs."""
    found = sorted(
        {(str(p), str(lo), str(f)) for p, lo, f in frame[_GROUP].itertuples(index=False)},
        key=lambda group: (style.python_order(group[0]), *map(style.order, (group[2], group[1]))),
    )
    varying = [i for i in (1, 2, 0) if i == 1 or len({group[i] for group in found}) > 1]
    return {group: ", ".join(_part(group, i) for i in varying) for group in found}


def _part(group: tuple[str, str, str], index: int) -> str:
    return f"Python {group[0]}" if index == 0 else style.label(group[index])


def _clause(row: dict[Any, Any], than: str) -> str:
    """What was found for one strategy; ``than`` names the baseline until it has been named."""
    name = style.label(str(row["contender"]))
    verdict = str(row["verdict"])
    if verdict == style.MISSING:
        return f"{name} was not measured" + (f" ({row['reason']})" if row["reason"] else "")
    change = style.change_interval(row["ratio"], row["low"], row["high"])
    if verdict.startswith(("slower", "faster")):
        more = "more" if verdict.startswith("slower") else "less"
        amount = style.amount_interval(row["ratio"], row["low"], row["high"])
        return f"{name} takes {amount} {more} time" + (f" than {than}" if than else "")
    if verdict == "same":
        return f"{name} takes the same time{f' as {than}' if than else ''} within 2 % ({change})"
    return f"{name} is not told apart{f' from {than}' if than else ''} ({change})"
