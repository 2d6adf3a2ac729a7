"""Charts of what stands around a fan-out: the task factory and the garbage collector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis import style
from analysis.campaign import COLLECTOR_ON
from analysis.plots import scales
from analysis.plots.forest import forest
from analysis.plots.ratios import fan_outs, ratio_legend, throughput_rows, told_apart
from analysis.plots.registry import Look, chart

# --- task factories ------------------------------------------------------------------------------


def _eager(frame: pd.DataFrame) -> pd.DataFrame:
    return fan_outs(throughput_rows(frame))


def _factory_finding(rows: pd.DataFrame) -> str:
    further, first = (_listed(rows, column) for column in ("task_factory", "baseline"))
    told, measured = told_apart(rows)
    if not measured:
        return f"{further} against {first}: nothing was measured"
    counts = [f"{word} than {first} in {count}" for word, count in told.items()]
    said = f"{style.listed(counts)} of {measured}" if counts else f"told apart from {first} in no"
    ordered = rows.dropna(subset=["ratio"]).sort_values("ratio", kind="stable").to_dict("records")
    ends = dict.fromkeys(map(_case, (ordered[0], ordered[-1])))
    return f"{further.capitalize()} are {said} cases: {' to '.join(ends)}"


def _case(row: Mapping[Any, Any]) -> str:
    return (
        f"{style.change_interval(row['ratio'], row['low'], row['high'])} "
        f"({style.label(row['contender'])}, {style.label(row['workload'])}, "
        f"{style.label(row['loop'])})"
    )


def _listed(rows: pd.DataFrame, column: str) -> str:
    return style.listed(map(style.label, scales.names(rows, column)))


@chart(
    needs="factories",
    place=60,
    select=_eager,
    heading="What do eager tasks change?",
    caption=(
        "The time of a whole fan-out with another task factory relative to the same strategy with "
        "the first one, which took turns with it in the same rounds. An eager task takes its first "
        "step as it is created, and is done then if nothing makes it wait. Bars are 95 % "
        "intervals, the grey band is the noise floor; a filled point is told apart."
    ),
    finding=_factory_finding,
)
def factories_by_case(rows: pd.DataFrame, look: Look) -> Figure:
    """Ratio of a further task factory to the first, a panel per event loop."""
    groups = scales.groups(rows)
    contenders = scales.names(rows, "contender")
    panels = [(label, scales.of_group(rows, group)) for group, label in groups.items()]
    return forest(
        look,
        [[one] for one in panels] if look.narrow else [panels],
        by="contender",
        marks=style.marks(contenders),
        title=_factory_finding(rows),
        subtitle=(
            f"Time of the whole fan-out with {_listed(rows, 'task_factory')} relative to "
            f"{_listed(rows, 'baseline')}, by workload and number of tasks. Bars are 95 % "
            "intervals; a hollow point is not told apart."
        ),
        legend=ratio_legend(contenders, look),
    )


# --- collectors ----------------------------------------------------------------------------------


def _told(frame: pd.DataFrame) -> pd.DataFrame:
    return scales.without_control(fan_outs(throughput_rows(frame)))


def _collector_finding(rows: pd.DataFrame) -> str:
    further = rows[rows["collector"] != COLLECTOR_ON]
    flips = further[further["flips"].astype(bool)]
    cases = len(further.drop_duplicates(["python", "loop", "task_factory", "case", "contender"]))
    if flips.empty:
        return f"The collector turns no ranking of the strategies round, in {cases} cases"
    first = flips.iloc[0]
    where = rows["python"].eq(first["python"]) & rows["loop"].eq(first["loop"])
    here = rows[
        where
        & rows["task_factory"].eq(first["task_factory"])
        & rows["case"].eq(first["case"])
        & rows["contender"].eq(first["contender"])
    ]
    on = here[here["collector"] == COLLECTOR_ON].iloc[0]
    turned = len(flips.drop_duplicates(["python", "loop", "task_factory", "case", "contender"]))
    return (
        f"The collector turns {turned} of {cases} rankings round: {style.label(first['contender'])}"
        f" takes {_change(on)} with the {style.label(COLLECTOR_ON)}, {_change(first)} with the "
        f"{style.label(first['collector'])} ({style.label(first['loop'])}, "
        f"{style.label(first['workload'])}, {style.count(int(first['tasks']))} tasks)"
    )


def _change(row: pd.Series[Any]) -> str:
    return style.change_interval(row["ratio"], row["low"], row["high"])


@chart(
    needs="collectors",
    place=70,
    select=_told,
    heading="Does the garbage collector decide the ranking?",
    caption=(
        "The time of a whole fan-out relative to gather(*coroutines) under the same collector: on, "
        "as in any program; off, with gc.disable(); and frozen, with gc.freeze() before. Where a "
        "strategy is told apart as slower under one and as faster under another, the ranking flips "
        "with the collector, and the case is marked. Bars are 95 % intervals, the grey band is the "
        "noise floor; a filled point is told apart."
    ),
    finding=_collector_finding,
)
def ratios_by_collector(rows: pd.DataFrame, look: Look) -> Figure:
    """Ratio to the baseline under every collector, a panel per event loop and strategy."""
    groups = scales.groups(rows)
    collectors = scales.names(rows, "collector")
    marks = style.marks(collectors)

    def panel(group: scales.Group, contender: str) -> tuple[str, pd.DataFrame]:
        cells = scales.only(scales.of_group(rows, group), contender=contender)
        return f"{groups[group]}: {style.label(contender)}", cells

    contenders = scales.names(rows, "contender")
    by_group = [[panel(group, name) for name in contenders] for group in groups]
    every = [one for row in by_group for one in row]
    legend: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            color=marks[name].colour(look.theme),
            marker=marks[name].marker,
            markersize=5.5,
            linewidth=1.2,
            label=style.label(name),
        )
        for name in collectors
    ]
    if rows["flips"].any():
        ground = Patch(color=look.theme.alarm, alpha=0.14, linewidth=0, label="the ranking flips")
        legend.append(ground)
    return forest(
        look,
        [[one] for one in every] if look.narrow else [every] if len(every) <= 4 else by_group,
        by="collector",
        marks=marks,
        title=_collector_finding(rows),
        subtitle=(
            "Time of the whole fan-out compared with gather(*coroutines) under the same collector. "
            "Bars are 95 % intervals; a hollow point is not told apart."
        ),
        legend=legend,
        flagged="flips",
    )
