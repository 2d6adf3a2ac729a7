"""The charts of the question's own probes and axes, by their data. Never by pixels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from analysis import style
from analysis.campaign import Campaign
from analysis.findings import Findings, find
from analysis.load import read_campaign
from analysis.plots import CHARTS, Look
from analysis.plots.head_start import pauses
from analysis.plots.prepare import OF_THE_QUESTION, prepared, python_shown
from tests.analysis.drawing import drawn, panel, points, words
from tests.synthetic import QUESTION, fail, write_campaign, write_question

Frames = Mapping[str, pd.DataFrame]
LOOK = Look(source="campaign 42")


@pytest.fixture(scope="module")
def frames(question: Findings) -> Frames:
    return prepared(question)


def labels(figure: Figure) -> list[str]:
    """What the legend names."""
    return [
        text.get_text()
        for artist in figure.get_children()
        if isinstance(artist, Legend)
        for text in artist.get_texts()
    ]


def said(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def lines(axes: Axes, colour: str) -> list[Line2D]:
    return [line for line in axes.lines if to_hex(line.get_color()) == colour]


def xs(line: Line2D) -> list[float]:
    return [float(x) for x in np.asarray(line.get_xdata())]


def ys(line: Line2D) -> list[float]:
    return [float(y) for y in np.asarray(line.get_ydata())]


# --- which frames there are ----------------------------------------------------------------------


def test_frames_are_there_for_what_was_measured_and_for_nothing_else(
    frames: Frames, tmp_path: Path
) -> None:
    assert set(OF_THE_QUESTION) - set(frames) == {"timelines"}
    plain = prepared(find(read_campaign(write_campaign(tmp_path / "c", rounds=6, tasks=(10,)))))
    assert not set(OF_THE_QUESTION) & set(plain)


# --- the head start ------------------------------------------------------------------------------


def test_pauses_that_compute_stand_apart(frames: Frames) -> None:
    shown = pauses(frames["head_start"])
    assert shown.awaited == (0.0, 0.005, 0.020)
    assert list(shown.computed) == [0.010]
    assert shown.computed[0.010] > 0.020
    start, end = shown.limits
    assert start < 0 < shown.computed[0.010] < end


def test_pauses_can_be_all_of_one_kind(frames: Frames) -> None:
    rows = frames["head_start"]
    only = rows[rows["pause"] == "compute_10ms"]
    assert pauses(only).awaited == ()
    assert pauses(only).computed[0.010] > 0
    start, end = pauses(rows[rows["pause"] == "none"]).limits
    assert start < 0 < end


def test_the_head_start_draws_each_makespan_at_its_pause(
    question: Findings, frames: Frames
) -> None:
    figure = drawn("head-start-by-pause", frames)
    axes = panel(figure, "asyncio, lazy tasks: work of 20 ms")
    rows = question.head_start.query(
        "loop == 'asyncio' and task_factory == 'lazy' and workload == 'sleep_20ms' "
        "and tasks == 1000"
    )
    computed = pauses(frames["head_start"]).computed[0.010]
    for name in ("gather_coroutines", "gather_tasks", "task_group"):
        mine = rows[rows["strategy"] == name]
        places = [
            computed if row.pause == "compute_10ms" else row.pause_seconds
            for row in mine.itertuples()
        ]
        expected = sorted(zip(places, mine["makespan"], strict=True))
        shown = points(axes, name)
        assert [y for _, y in shown] == pytest.approx([y for _, y in expected])
        assert [x for x, _ in shown] == pytest.approx([x for x, _ in expected], abs=0.0025)


def test_the_head_start_draws_both_ideals(frames: Frames) -> None:
    axes = panel(drawn("head-start-by-pause", frames), "uvloop, eager tasks: work of 20 ms")
    together, in_turn = lines(axes, style.LIGHT.soft_ink)
    assert ys(together) == [max(d, 0.020) for d in xs(together)]
    assert ys(in_turn) == [d + 0.020 for d in xs(in_turn)]
    assert xs(together)[0] == xs(in_turn)[0] == 0.0
    assert xs(together)[-1] == xs(in_turn)[-1] == 0.020
    words_there = said(axes)
    assert "max(d, w): together" in words_there
    assert "d + w: one after the other" in words_there
    assert "it computes" in words_there


def test_lines_do_not_join_awaiting_with_computing(frames: Frames) -> None:
    axes = panel(drawn("head-start-by-pause", frames), "asyncio, lazy tasks: work of 20 ms")
    for name in ("gather_coroutines", "gather_tasks"):
        colour = style.marks([name])[name].light
        joined = [line for line in lines(axes, colour) if line.get_linestyle() == "-"]
        assert all(max(xs(line)) < 0.023 for line in joined)


def test_the_head_start_says_who_works_meanwhile(frames: Frames) -> None:
    text = words(drawn("head-start-by-pause", frames))
    assert "Tasks work while the caller awaits, bare coroutines only after:" in text
    assert "(pause 20 ms, work 20 ms; asyncio, lazy tasks)" in text
    rows = frames["head_start"]
    finding = CHARTS["head-start-by-pause"].finding
    bare = rows["strategy"] == "gather_coroutines"
    wide = rows.assign(makespan=0.04, makespan_low=0.0, makespan_high=np.inf)
    assert finding(wide).startswith(
        "Tasks are not told apart from bare coroutines: 40.0 ms against 40.0 ms (pause 20 ms"
    )
    times = np.where(bare, 0.04, 0.05)
    longer = rows.assign(makespan=times, makespan_low=times - 0.001, makespan_high=times + 0.001)
    assert finding(longer).startswith("Tasks take longer than bare coroutines: 50.0 ms against")


def test_work_without_a_given_length_is_not_drawn(frames: Frames) -> None:
    one = CHARTS["head-start-by-pause"]
    assert {*frames["head_start"]["workload"]} == {"noop", "sleep_20ms", "tree"}
    assert {*one.select(frames["head_start"])["workload"]} == {"sleep_20ms"}
    without = frames["head_start"].assign(work_seconds=np.nan)
    assert one.select(without).empty


def test_what_takes_far_longer_is_named_and_does_not_stretch_the_panel(frames: Frames) -> None:
    frame = frames["head_start"].copy()
    slow = frame["strategy"] == "as_completed"
    frame.loc[slow, ["makespan", "makespan_low", "makespan_high"]] = 20.0
    figure = drawn("head-start-by-pause", {"head_start": frame})
    assert all(axes.get_ylim()[1] < 0.1 for axes in figure.axes)
    assert "as_completed takes longer than the panels reach." in words(figure)


# --- stalls --------------------------------------------------------------------------------------


def test_stalls_draw_each_wait(question: Findings, frames: Frames) -> None:
    figure = drawn("longest-wait", frames)
    axes = panel(figure, "uvloop: noop")
    rows = question.every_absolute.query(
        "probe == 'stall' and loop == 'uvloop' and workload == 'noop'"
    )
    for name in ("gather_coroutines", "as_completed"):
        mine = rows[rows["contender"] == name].sort_values("tasks")
        assert [y for _, y in points(axes, name)] == pytest.approx(mine["seconds"].tolist())
    assert "While 1,000 tasks are launched and joined, another callback waits for" in words(figure)
    longest = rows["seconds"].max()
    assert axes.get_ylim()[1] > longest


def test_the_slow_callback_is_marked_where_waits_come_near_it(frames: Frames) -> None:
    def marked(frame: pd.DataFrame) -> bool:
        axes = drawn("longest-wait", {"stall": frame}).axes[0]
        return "debug mode warns" in said(axes)

    frame = frames["stall"]
    parts = ["seconds", "seconds_low", "seconds_high"]
    assert not marked(frame.assign(**{part: frame[part] / 1e3 for part in parts}))
    longer = frame.assign(**{part: frame[part] * 0.2 / frame["seconds"].max() for part in parts})
    assert marked(longer)


# --- memory --------------------------------------------------------------------------------------


def test_memory_is_bars_to_the_steady_size_and_lines_to_the_peak(
    question: Findings, frames: Frames
) -> None:
    figure = drawn("bytes-per-task", frames)
    axes = panel(figure, "asyncio")
    rows = question.every_absolute.query(
        "probe == 'memory' and tasks == 1000 and loop == 'asyncio' and contender != 'control'"
    )
    steady = rows[rows["metric"] == "steady"].set_index("contender")["bytes_per_task"]
    peak = rows[rows["metric"] == "peak"].set_index("contender")["bytes_per_task"]
    names = [label.get_text() for label in axes.get_yticklabels()]
    widths = [patch.get_width() for patch in axes.patches if isinstance(patch, Rectangle)]
    order = ["gather_coroutines", "gather_tasks", "task_group", "wait", "as_completed"]
    assert names == [style.label(name) for name in order]
    assert widths == pytest.approx(steady[order].tolist())
    ends = [xs(line) for line in axes.lines if line.get_marker() == "|"]
    assert ends == [pytest.approx([steady[name], peak[name]]) for name in order]
    assert said(axes)[0] == (
        f"{style.size(steady['gather_coroutines'])}, peak {style.size(peak['gather_coroutines'])}"
    )
    assert axes.get_xlim()[0] == 0
    assert "Bytes per task while 1,000 of them wait." in words(figure)


def test_memory_has_a_line_for_every_python(tmp_path: Path) -> None:
    folder = write_question(
        tmp_path / "c", probes=("memory",), tasks=(1000,), rounds=6, factories=("lazy",),
        collectors=("on",), asks=None, pythons=("3.11.1", "3.12.1", "3.13.1", "3.14.0"),
        lacking={"3.11.1": ("task_group",)},
    )  # fmt: skip
    axes = drawn("bytes-per-task", prepared(find(read_campaign(folder)))).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert [name.split(" ")[0] for name in names if name.startswith("3.")] == [
        "3.11.1", "3.12.1", "3.13.1", "3.14.0",
    ]  # fmt: skip
    assert len(names) == 4 * 6 - 1


def test_a_missing_size_is_no_bar(frames: Frames) -> None:
    frame = frames["memory"]
    gone = (frame["contender"] == "wait") & (frame["loop"] == "asyncio")
    axes = panel(drawn("bytes-per-task", {"memory": frame[~gone]}), "asyncio")
    assert sum(isinstance(patch, Rectangle) for patch in axes.patches) == 4
    assert " missing" in said(axes)


# --- failure and cancellation --------------------------------------------------------------------


def dumbbells(axes: Axes) -> list[list[float]]:
    """Both ends of every line, from the top."""
    return [xs(line) for line in axes.lines if line.get_marker() == "None"]


def test_failure_draws_when_the_caller_knows_and_when_all_is_still(
    question: Findings, frames: Frames
) -> None:
    figure = drawn("failure-by-strategy", frames)
    axes = panel(figure, "asyncio: noop")
    rows = question.every_absolute.query(
        "probe == 'failure' and loop == 'asyncio' and workload == 'noop' and tasks == 1000"
    )
    names = [label.get_text() for label in axes.get_yticklabels()]
    order = ["gather_coroutines", "gather_tasks", "task_group", "wait", "as_completed"]
    assert names == [style.label(name) for name in order]
    for name, ends in zip(order, dumbbells(axes), strict=True):
        mine = rows[rows["contender"] == name].set_index("metric")["seconds"]
        assert ends == pytest.approx([mine["known"], mine["clean"]])
    assert said(axes) == ["999 ran on", "999 ran on", "999 cancelled", "999 ran on", "999 ran on"]
    assert (
        "with gather(*coroutines), gather(*tasks), wait(tasks) and as_completed the others run "
        "on, with TaskGroup they are cancelled"
    ) in words(figure)
    assert labels(figure) == ["the caller has the error", "no child is left running"]


def test_every_fate_of_the_siblings_is_said(frames: Frames) -> None:
    frame = frames["failure"].assign(
        siblings_finished=10.0, siblings_ran_on=0.0, siblings_cancelled=0.5,
        siblings_never_started=988.5,
    )  # fmt: skip
    axes = drawn("failure-by-strategy", {"failure": frame}).axes[0]
    assert said(axes)[0] == "10 were done, 0.5 cancelled, 988.5 never started"
    finding = CHARTS["failure-by-strategy"].finding(frame)
    assert "they are done before the caller knows, with " in finding
    assert finding.endswith("some never start")
    bare = frame[[name for name in frame if not str(name).startswith("siblings")]]
    figure = drawn("failure-by-strategy", {"failure": bare})
    assert said(figure.axes[0])[0] == ""
    assert "until the caller knows, and until all is still" in words(figure)


def test_cancellation_says_who_leaves_children_running(question: Findings, frames: Frames) -> None:
    figure = drawn("cancel-by-strategy", frames)
    axes = panel(figure, "uvloop")
    rows = question.every_absolute.query(
        "probe == 'cancel' and loop == 'uvloop' and tasks == 1000 and contender == 'wait'"
    ).set_index("metric")["seconds"]
    assert dumbbells(axes)[3] == pytest.approx([rows["cancelled"], rows["clean"]])
    assert said(axes) == [*["0 left running"] * 3, "1,000 left running", "0 left running"]
    assert "with wait(tasks) they are left running, with gather(*coroutines)," in words(figure)
    none = frames["cancel"].assign(left_running=0.0)
    assert CHARTS["cancel-by-strategy"].finding(none) == (
        "When the caller of 1,000 children is cancelled: no strategy leaves a child running"
    )


def test_a_cell_that_failed_says_so(tmp_path: Path) -> None:
    folder = write_question(tmp_path / "c", probes=("cancel",), rounds=6)
    gone = "cpython-3.14.10/asyncio/lazy/task_group"
    fail(folder, gone, "cancel/pending/1000", round_index=0, cause="killed by signal 9")
    frames = prepared(find(read_campaign(folder)))
    axes = panel(drawn("cancel-by-strategy", frames), "asyncio")
    assert style.MISSING in said(axes)
    assert len(dumbbells(axes)) == 4


# --- task factories and collectors ---------------------------------------------------------------


def test_eager_tasks_are_held_against_lazy_ones(question: Findings, frames: Frames) -> None:
    figure = drawn("factories-by-case", frames)
    axes = panel(figure, "asyncio")
    rows = question.factories.query(
        "probe == 'throughput' and loop == 'asyncio' and collector == 'on'"
    )
    for name in ("gather_coroutines", "wait"):
        mine = rows[rows["contender"] == name]
        assert sorted(x for x, _ in points(axes, name)) == pytest.approx(sorted(mine["ratio"]))
    rows = CHARTS["factories-by-case"].select(frames["factories"])
    assert f"Eager tasks are faster than lazy tasks in {len(rows)} of {len(rows)} cases" in words(
        figure
    )
    assert "sequential" not in {*rows["contender"]}


def test_the_finding_on_factories_counts_both_ways(frames: Frames) -> None:
    one = CHARTS["factories-by-case"]
    rows = one.select(frames["factories"]).copy()
    rows.loc[rows["contender"] == "wait", "verdict"] = "slower"
    slower = int((rows["contender"] == "wait").sum())
    assert one.finding(rows).startswith(
        f"Eager tasks are slower than lazy tasks in {slower} and faster than lazy tasks in "
        f"{len(rows) - slower} of {len(rows)} cases: "
    )
    assert one.finding(rows.assign(verdict="undecided")).startswith(
        "Eager tasks are told apart from lazy tasks in no cases: "
    )
    gone = rows.assign(verdict="missing", ratio=np.nan)
    assert one.finding(gone) == "eager tasks against lazy tasks: nothing was measured"


def grounds(axes: Axes) -> list[float]:
    """The middles of the lines that are marked as flips."""
    return sorted(
        patch.get_y() + patch.get_height() / 2
        for patch in axes.patches
        if isinstance(patch, Rectangle) and to_hex(patch.get_facecolor()) == style.LIGHT.alarm
    )


def test_collectors_stand_side_by_side_and_flips_are_marked(
    question: Findings, frames: Frames
) -> None:
    figure = drawn("ratios-by-collector", frames)
    rows = question.everything.query(
        "probe == 'throughput' and loop == 'asyncio' and task_factory == 'lazy' "
        "and contender == 'task_group'"
    )
    axes = panel(figure, "asyncio, lazy tasks: TaskGroup")
    for collector in ("on", "off", "frozen"):
        mine = rows[rows["collector"] == collector]
        assert sorted(x for x, _ in points(axes, collector)) == pytest.approx(sorted(mine["ratio"]))
    flips = question.flips.query(
        "loop == 'asyncio' and task_factory == 'lazy' and contender == 'task_group'"
    )
    assert len(grounds(axes)) == flips["case"].nunique() > 0
    assert grounds(panel(figure, "asyncio, lazy tasks: gather(*tasks)")) == []
    assert "the ranking flips" in labels(figure)
    assert "The collector turns" in words(figure)
    assert "TaskGroup takes +" in words(figure)


def test_without_a_flip_nothing_is_marked(frames: Frames) -> None:
    frame = frames["collectors"].assign(flips=False)
    figure = drawn("ratios-by-collector", {"collectors": frame})
    assert "the ranking flips" not in labels(figure)
    assert not any(map(grounds, figure.axes))
    assert "The collector turns no ranking of the strategies round" in words(figure)


def test_only_cases_of_several_collectors_are_drawn(tmp_path: Path) -> None:
    folder = write_question(
        tmp_path / "c", probes=("throughput",), workloads=("noop",), rounds=6,
        factories=("lazy",),
        asks=lambda contender, case: contender["collector"] == "on" or case["tasks"] == 10,
    )  # fmt: skip
    frame = prepared(find(read_campaign(folder)))["collectors"]
    assert {*frame["tasks"]} == {10}
    assert {*frame["collector"]} == {"on", "off", "frozen"}


# --- several Pythons -----------------------------------------------------------------------------


def of_pythons(folder: Path, *pythons: str) -> Campaign:
    return read_campaign(
        write_campaign(
            folder,
            rounds=6,
            sweeps=1,
            probes=("throughput", "latency"),
            tasks=(10,),
            pythons=pythons,
            world=QUESTION,
        )
    )


@pytest.mark.parametrize(
    ("pythons", "shown"),
    [
        (("3.13.1",), None),
        (("3.13.1", "3.14.0"), None),
        (("3.13.1", "3.14.0", "3.10.2"), "3.14.0"),
        (("3.13.1", "3.14.0", "3.15.0a7"), "3.14.0"),
        (("3.13.1", "3.12.0", "3.14.0t"), "3.13.1"),
        (("3.13.1t", "3.12.0t", "3.14.0t"), "3.14.0t"),
    ],
)
def test_of_many_pythons_the_newest_release_is_drawn(
    tmp_path: Path, pythons: tuple[str, ...], shown: str | None
) -> None:
    found = python_shown(of_pythons(tmp_path / "c", *pythons))
    assert (found.label if found else None) == shown


def test_charts_of_many_pythons_draw_one_and_say_which(tmp_path: Path) -> None:
    versions = ("3.10.1", "3.11.1", "3.12.1", "3.13.1", "3.14.0")
    findings = find(of_pythons(tmp_path / "c", *versions))
    frames = prepared(findings)
    look = Look(scope="Python 3.14.0, one of 5.")
    for name in ("ratios-by-tasks", "latency-quantiles"):
        figure = drawn(name, frames, look)
        assert len(figure.axes) == 4
        assert "Python 3.14.0, one of 5." in words(figure)
        assert drawn(name, frames, Look(narrow=True)).axes
    own = findings.comparisons.query(
        "python == '3.14.0' and probe == 'throughput' and workload == 'noop' and loop == 'uvloop' "
        "and contender == 'task_group'"
    )
    axes = panel(drawn("ratios-by-tasks", frames), "uvloop: noop")
    assert [y for _, y in points(axes, "task_group")] == pytest.approx(own["ratio"].tolist())
    assert {*frames["pythons"]["python"]} == {*versions}
    assert {*frames["rounds"]["python"]} == {*versions}


def test_narrow_panels_wrap_however_many_groups_there_are(tmp_path: Path) -> None:
    frames = prepared(find(of_pythons(tmp_path / "c", "3.13.1", "3.14.0")))
    for name in ("ratios-by-tasks", "latency-quantiles", "ns-per-task"):
        wide, narrow = (drawn(name, frames, Look(narrow=narrow)) for narrow in (False, True))
        titles = [{axes.get_title(loc="left") for axes in one.axes} for one in (wide, narrow)]
        assert titles[0] == titles[1]
        assert all(axes.get_position().width > 0.2 for axes in narrow.axes)


# --- ratios that go on ---------------------------------------------------------------------------


def arrowheads(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    """Where the arrowheads of each direction stand."""
    found: dict[str, list[tuple[float, float]]] = {}
    for line in axes.lines:
        if not line.get_clip_on() and len(xs(line)):
            found.setdefault(str(line.get_marker()), []).extend(
                zip(xs(line), ys(line), strict=True)
            )
    return found


def test_an_interval_beyond_the_panel_ends_in_an_arrowhead(frames: Frames) -> None:
    frame = frames["comparisons"].copy()
    chosen = (
        (frame["contender"] == "wait") & (frame["tasks"] == 10) & (frame["workload"] == "noop")
        & (frame["probe"] == "throughput") & (frame["loop"] == "asyncio")
    )  # fmt: skip
    assert chosen.sum() == 1
    frame.loc[chosen, "high"] = 9.0
    figure = drawn("ratios-by-tasks", {"comparisons": frame})
    axes = panel(figure, "asyncio: noop")
    [(x, y)] = arrowheads(axes)["^"]
    assert y == pytest.approx(axes.get_ylim()[1])
    [(point, _)] = [at for at in points(axes, "wait") if at[0] == pytest.approx(x)]
    assert point == pytest.approx(x)
    assert arrowheads(panel(figure, "uvloop: noop")) == {}
    assert "An arrowhead marks an interval that goes on" in words(figure)
    beside = drawn("every-ratio", {"comparisons": frame})
    assert [*arrowheads(panel(beside, "asyncio: whole fan-out"))] == [">"]


def test_without_such_an_interval_there_is_no_arrowhead(frames: Frames) -> None:
    frame = frames["comparisons"]
    near = frame.assign(low=frame["ratio"] * 0.999, high=frame["ratio"] * 1.001)
    figure = drawn("ratios-by-tasks", {"comparisons": near})
    assert not any(arrowheads(axes) for axes in figure.axes)
    assert "arrowhead" not in words(figure)


def test_what_does_not_fan_out_is_not_held_against_gather(frames: Frames) -> None:
    assert "sequential" in {*frames["comparisons"]["contender"]}
    for name in ("ratios-by-tasks", "every-ratio"):
        assert "await one by one" not in labels(drawn(name, frames))
    assert "await one by one" in labels(drawn("ns-per-task", frames))
