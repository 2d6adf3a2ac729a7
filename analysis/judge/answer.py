"""The answer in three sentences, and when to stop caring: filters on the contrasts, and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.judge import words
from analysis.judge.contrasts import COMPUTING, WORKLOAD
from analysis.judge.findings import (
    LITTLE,
    Findings,
    answer_rows,
    break_even,
    computing_workloads,
    least_patterns,
    of_computing,
    usual_bounds,
)
from analysis.judge.verdicts import FASTER, SAME, SLOWER
from analysis.read.campaign import newest_of

QUESTION: Final = "When should I use asyncio.create_task?"
RULE: Final = (
    "gather(*coroutines) makes the tasks itself. Use create_task when you await something else "
    "before you collect the results: tasks start meanwhile, bare coroutines do not."
)
"""What holds by construction, whatever is measured."""


def answer(findings: Findings) -> list[str]:
    """Three sentences at most: the rule; what the choice costs, on the newest Python and the first
    event loop; and from how much work on it makes no difference.

    Figures and verdicts are those of the family "answer PYTHON", whose intervals hold together. A
    campaign that is about limits has what they cost and save in their place.
    """
    rows = answer_rows(findings)
    rows = rows[rows["python"].eq(newest_of(rows["python"].unique()))]
    of_limits = limits(findings)
    if rows.empty:
        return of_limits or [RULE]
    return [RULE, _cost(findings, rows), *(of_limits[:1] or _care(findings, rows))]


def limits(findings: Findings) -> list[str]:
    """Which patterns with a limit take least, which save memory, and how long one call then takes
    from its own start, of :func:`analysis.judge.findings.usual_bounds`; [] without limits.
    """
    said, rows = findings.words, usual_bounds(findings)
    timed = of_computing(findings, rows)
    if timed.empty:
        timed = rows[np.array([said.probe(name).answers for name in rows["probe"]], dtype=bool)]
    timed = timed[timed["workload"].isin(timed["workload"].iloc[:1])]
    timed, rows = (of.sort_values("ratio", kind="stable") for of in (timed, rows))
    best = least_patterns([*timed.itertuples()])
    return [
        *_least(findings, timed, best),
        *_limit_saves(findings, rows),
        *_one_of_them(findings, rows[rows["pattern"].isin(best[:1])]),
    ]


def _least(findings: Findings, rows: pd.DataFrame, best: Sequence[str]) -> Iterator[str]:
    """The patterns that take least, beside the one that takes most and all at once."""
    said, finite = findings.words, rows[np.isfinite(rows["high"])]
    every = (finite if len(finite) else rows).to_dict("records")
    for first, most in zip(every[:1], every[-1:], strict=True):
        costs = [words.amount(one, first["unit"]) for one in (first["value"], most["value"])]
        names = words.listed(said.label("pattern", name) for name in best)
        where = (
            f"n = {words.count(int(first['tasks']))}",
            said.label("workload", first["workload"]),
            f"Python {first['python']}",
            said.label("loop", first["loop"]),
        )
        free = f"all at once takes {words.amount(first['reference_value'], first['unit'])}"
        if len(every) == 1:
            found = f"{names} takes {costs[0]} per task; {free}"
        elif finite.empty:
            found = f"too few rounds to say which pattern takes least; {free}"
        elif len(best) == len(every):
            found = f"no pattern takes significantly less than another: {costs[0]} per task; {free}"
        else:
            take = "take" if len(best) > 1 else "takes"
            worst = said.label("pattern", most["pattern"])
            found = f"{names} {take} least, {costs[0]} per task; {worst} takes {costs[1]}, {free}"
        yield f"At most {first['limit']} at a time: {found} ({', '.join(where)})."


def _limit_saves(findings: Findings, rows: pd.DataFrame) -> Iterator[str]:
    """The patterns that need less memory than all at once."""
    less = rows[rows["unit"].eq("B") & rows["verdict"].eq(FASTER)]
    names = [findings.words.label("pattern", one) for one in less["pattern"].unique()]
    save = "save" if len(names) > 1 else "saves"
    for best in less.to_dict("records")[:1]:
        amounts = (words.amount(best[name], best["unit"]) for name in ("value", "reference_value"))
        yield f"{words.listed(names)} {save} memory: down to {' a task instead of '.join(amounts)}."


def _one_of_them(findings: Findings, rows: pd.DataFrame) -> Iterator[str]:
    """How long one call takes from its own start, where that is shortened."""
    said = findings.words
    rows = rows[rows["verdict"].eq(FASTER)]
    metrics = rows[["probe", "metric"]].to_numpy()
    rows = rows[np.array([said.metric(*of).of_one for of in metrics], dtype=bool)]
    for one in rows.to_dict("records")[:1]:
        amounts = (words.amount(one[name], one["unit"]) for name in ("value", "reference_value"))
        yield (
            f"One call of {said.label('workload', one['workload'])} by "
            f"{said.label('pattern', one['pattern'])} takes {' instead of '.join(amounts)} from "
            "its own start (median)."
        )


def _cost(findings: Findings, rows: pd.DataFrame) -> str:
    """The mean over what computes or, without, the first workload; where workloads disagree, each
    of them.
    """
    label = findings.words.label
    first = rows.iloc[0]
    here = rows[rows["loop"].eq(first["loop"])]
    together = here[here["scope"].eq(COMPUTING)]
    shown = together if len(together) else here[here["workload"].eq(first["workload"])]
    measured = here.loc[here["scope"].eq(WORKLOAD), "workload"].unique()
    workloads = [name for name in computing_workloads(findings) if name in measured]
    workloads = workloads if len(together) else [str(first["workload"])]
    said = []
    for row in shown.itertuples():
        own = here[here["scope"].eq(WORKLOAD) & here["compared"].eq(str(row.compared))]
        own = own[own["workload"].isin(workloads)]
        name = label("strategy", str(row.compared))
        if {SLOWER, FASTER} <= set(own["verdict"]):
            parts = (
                f"{_moves(one).removeprefix('takes ')} with {label('workload', str(one.workload))}"
                for one in own.itertuples()
            )
            said.append(f"{name} depends on the work: {words.listed(parts)}")
        else:
            said.append(f"{name} {_moves(row)}")
    of = words.listed(label("workload", name) for name in workloads)
    of = f"mean of {of}" if len(workloads) > 1 else of
    than = label("strategy", str(first["against"]))
    return (
        f"Joined at once, compared with {than}: {'; '.join(said)} (Python "
        f"{first['python']}, {label('loop', str(first['loop']))}, {of})."
    )


def _moves(row: Any) -> str:  # noqa: ANN401
    """ "takes 0.31 us ±0.02 less per task (-11 %)"."""
    changed, per = words.short_change(row.ratio), " per task" * (row.unit != "s")
    if np.isinf(row.high):
        return f"has too few rounds to say ({changed} so far)"
    if row.verdict == SAME:
        return f"takes the same within 2 % ({changed})"
    ends = (row.difference, row.difference_low, row.difference_high)
    if row.verdict == FASTER:
        ends = (-row.difference, -row.difference_high, -row.difference_low)
    moved = words.difference_within(*ends, row.unit)
    if row.verdict in (SLOWER, FASTER):
        more = "more" if row.verdict == SLOWER else "less"
        return f"takes {moved.replace('+', '')} {more}{per} ({changed})"
    return f"does not differ significantly ({moved}{per}, {changed})"


def _care(findings: Findings, rows: pd.DataFrame) -> list[str]:
    """From how much work on nobody need care, on whichever loop that takes most."""
    found = break_even(findings)
    found = found[found["python"].isin(rows["python"])]
    if found.empty:
        return []
    most = found.sort_values("value_high").to_dict("records")[-1]
    ends = (most["value"], most["value_low"], most["value_high"])
    little, work = f"{LITTLE * 100:g} %", words.amount_interval(*ends, "ns")
    if not most["value_high"]:
        return [f"The choice never moves the total by {little}: choose by meaning."]
    loop = findings.words.label("loop", most["loop"])
    said = (
        f"The choice moves the total by less than {little} as soon as each task does more than "
        f"{work} of its own work (Python {most['python']}, {loop}): "
        "from there on, choose by meaning."
    )
    return [said]
