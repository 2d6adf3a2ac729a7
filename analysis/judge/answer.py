"""The answer in sentences: a filter on the contrasts, and the words for their verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from analysis.judge import words
from analysis.judge.contrasts import ANSWER, COMPUTING, WORKLOAD, is_computing
from analysis.judge.findings import Findings
from analysis.judge.verdicts import MISSING

QUESTION: Final = "When should I use asyncio.create_task?"
RULE: Final = (
    "gather(*coroutines) wraps each coroutine in a task itself, so creating the tasks first is "
    "redundant, unless you await something before you join them: tasks start there, bare "
    "coroutines do not."
)
"""What holds by construction, whatever is measured."""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, and the row of the contrasts (its index) that it is read off."""

    sentence: str
    contrast: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found on one Python and event loop: a line for each workload and strategy."""

    python: str
    loop: str
    lines: tuple[Line, ...]


def answers(findings: Findings) -> list[Answer]:
    """The answer for each Python, the newest first, and event loop, in the order of the plan.

    For the workloads that compute together first, then for each workload. The intervals of one
    Python hold together (family "answer PYTHON").
    """
    rows = findings.contrasts
    rows = rows[rows["family"].str.startswith(ANSWER)]
    lines: dict[tuple[str, str], list[Line]] = {}
    for scope in (COMPUTING, WORKLOAD):
        for row in rows[rows["scope"] == scope].itertuples():
            place = (str(row.python), str(row.loop))
            lines.setdefault(place, []).append(Line(_sentence(row, findings), int(str(row.Index))))
    # Sorting is stable: on one Python, loops stay in the order of the plan.
    places = sorted(lines, key=lambda place: findings.words.order("python", place[0]), reverse=True)
    return [Answer(*place, tuple(lines[place])) for place in places]


def _sentence(row: Any, findings: Findings) -> str:  # noqa: ANN401
    label, campaign = findings.words.label, findings.campaign
    computing = [case.workload for case in campaign.cases if is_computing(campaign, case)]
    workloads = [row.workload] if row.workload else list(dict.fromkeys(computing))
    scope = words.listed(label("workload", name) for name in workloads)
    scope += " together" * (len(workloads) > 1)
    scope += f" ({words.times(int(row.cases), 'case')})" * (row.verdict != MISSING)
    name, than = (label("strategy", of) for of in (row.compared, row.against))
    return f"{scope}: {name} {words.compared(row, than=than)}."
