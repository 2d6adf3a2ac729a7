"""Charts by their data: what is drawn where, and what the words on them say. Never by pixels."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import Rectangle

from analysis import style
from analysis.findings import Findings, find
from analysis.load import read_campaign
from analysis.plots import (
    CHARTS,
    CannotDrawError,
    Chart,
    Look,
    Rendered,
    chart,
    for_page,
    for_theme,
    registry,
    render,
    scales,
)
from analysis.plots.prepare import prepared
from analysis.plots.ratios import compared
from analysis.validate import Problems
from analysis.witness_file import read_witness
from tests.analysis.drawing import bars, drawn, panel, points, ticks, words
from tests.synthetic import World, fail, write_campaign
from tests.synthetic_witness import write_witness

FAILED = "cpython-3.14.10/uvloop/lazy/task_group"
FAILED_CASE = "throughput/noop/100"
LOOK = Look(source="campaign 42")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    folder = tmp_path_factory.mktemp("results") / "campaign"
    write_campaign(folder, rounds=8, tasks=(10, 100, 1000))
    fail(folder, FAILED, FAILED_CASE, round_index=0, cause="killed by signal 9")
    return find(read_campaign(folder))


@pytest.fixture(scope="module")
def frames(
    findings: Findings, question: Findings, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, pd.DataFrame]:
    """Those of one Python, and what only others have from other campaigns."""
    folder = tmp_path_factory.mktemp("results") / "several"
    write_campaign(
        folder, rounds=6, sweeps=2, probes=("throughput",), tasks=(10, 1000),
        pythons=("3.13.1", "3.14.0"), builds={"3.14.0": {"builder": "debian"}},
    )  # fmt: skip
    problems = Problems()
    witness = read_witness(write_witness(tmp_path_factory.mktemp("witness")), problems)
    return {
        **prepared(replace(question, witness=witness)),
        **prepared(find(read_campaign(folder))),
        **prepared(findings),
    }


@pytest.fixture(scope="module")
def rendered(frames: Mapping[str, pd.DataFrame]) -> dict[str, Rendered]:
    """Every chart, wide and light."""
    return {name: render(one, frames[one.needs], LOOK) for name, one in CHARTS.items()}


# --- the headline chart --------------------------------------------------------------------------


def test_the_headline_draws_each_ratio_and_its_interval(
    findings: Findings, frames: Mapping[str, pd.DataFrame]
) -> None:
    axes = panel(drawn("ratios-by-tasks", frames), "asyncio: noop")
    expected = findings.comparisons.query(
        "probe == 'throughput' and loop == 'asyncio' and workload == 'noop'"
    )
    for name in ("gather_tasks", "task_group", "control"):
        mine = expected[expected["contender"] == name].sort_values("tasks")
        shown = points(axes, name)
        assert [y for _, y in shown] == pytest.approx(mine["ratio"].tolist())
        assert [x for x, _ in shown] == pytest.approx(mine["tasks"].tolist(), rel=0.3)
        intervals = sorted(zip(mine["low"], mine["high"], strict=True))
        assert np.array(bars(axes, name)) == pytest.approx(np.array(intervals))


def test_all_panels_of_the_headline_share_both_axes(frames: Mapping[str, pd.DataFrame]) -> None:
    figure = drawn("ratios-by-tasks", frames)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "asyncio: noop",
        "asyncio: yield once",
        "uvloop: noop",
        "uvloop: yield once",
    ]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert {axes.get_yscale() for axes in figure.axes} == {"log"}
    low, high = figure.axes[0].get_ylim()
    assert low < 1.0 < high


def test_the_headline_says_what_up_and_down_mean(frames: Mapping[str, pd.DataFrame]) -> None:
    axes = drawn("ratios-by-tasks", frames).axes[0]
    assert axes.get_ylabel() == "faster \u2190   \u2192 slower"
    labels = ticks(axes)
    assert "equal" in labels
    assert all(re.fullmatch(r"equal|[+-]\d+(\.\d+)? %", label) for label in labels)


def test_the_noise_floor_is_a_band_round_equal(frames: Mapping[str, pd.DataFrame]) -> None:
    axes = panel(drawn("ratios-by-tasks", frames), "uvloop: yield once")
    floor = frames["comparisons"].query(
        "probe == 'throughput' and loop == 'uvloop' and workload == 'yield_once'"
    )["floor"]
    [band] = [part for part in axes.collections if not isinstance(part, LineCollection)]
    heights = np.asarray(band.get_paths()[0].vertices, dtype=float)[:, 1]
    assert heights.max() == pytest.approx(1 + floor.max())
    assert heights.min() == pytest.approx(1 / (1 + floor.max()))


def test_a_missing_cell_is_a_gap_and_a_note_and_never_zero(
    frames: Mapping[str, pd.DataFrame],
) -> None:
    figure = drawn("ratios-by-tasks", frames)
    axes = panel(figure, "uvloop: noop")
    assert [round(x) for x, _ in points(axes, "task_group")] == [10, 1000]
    assert len(points(axes, "gather_tasks")) == 3
    line = next(
        line for line in axes.lines
        if to_hex(line.get_color()) == style.marks(["task_group"])["task_group"].light
        and line.get_linestyle() == "-"
    )  # fmt: skip
    assert np.isnan(np.asarray(line.get_ydata())).tolist() == [False, True, False]
    assert "Missing: TaskGroup, 1 cell: failed in round 0: killed by signal 9" in words(figure)


def test_filled_points_are_those_told_apart(
    findings: Findings, frames: Mapping[str, pd.DataFrame]
) -> None:
    axes = panel(drawn("ratios-by-tasks", frames), "asyncio: noop")
    filled = sum(
        len(np.asarray(line.get_xdata()))
        for line in axes.lines
        if line.get_linestyle() == "None" and to_hex(line.get_markerfacecolor()) != "#ffffff"
    )
    rows = findings.comparisons.query(
        "probe == 'throughput' and loop == 'asyncio' and workload == 'noop'"
    )
    assert filled == rows["verdict"].str.match("slower|faster").sum() > 0


def test_title_foot_and_warning_stand_on_the_sheet(frames: Mapping[str, pd.DataFrame]) -> None:
    look = Look(source="campaign X, machine Y, Python Z", warning="Unproven: so it is.")
    said = words(drawn("ratios-by-tasks", frames, look))
    assert "campaign X, machine Y, Python Z" in said
    assert "Unproven: so it is." in said
    assert "gather(*tasks) is slower than gather(*coroutines)" in said


def test_a_new_strategy_is_drawn_without_an_edit(tmp_path: Path) -> None:
    world = World(effects={"gather_tasks": 1.02, "brand_new": 1.3})
    folder = write_campaign(
        tmp_path / "c", world=world, rounds=6, probes=("throughput",), workloads=("odd_job",),
        tasks=(10,),
    )  # fmt: skip
    figure = drawn("ratios-by-tasks", prepared(find(read_campaign(folder))))
    [legend] = [artist for artist in figure.get_children() if isinstance(artist, Legend)]
    labels = [text.get_text() for text in legend.get_texts()]
    assert "brand new" in labels
    assert figure.axes[0].get_title(loc="left") == "asyncio: odd job"


def test_the_narrow_form_turns_the_sheet(frames: Mapping[str, pd.DataFrame]) -> None:
    wide = drawn("ratios-by-tasks", frames)
    narrow = drawn("ratios-by-tasks", frames, Look(narrow=True))
    assert narrow.get_size_inches()[0] < wide.get_size_inches()[0] / 2
    assert [axes.get_title(loc="left") for axes in narrow.axes] == [
        "asyncio: noop",
        "uvloop: noop",
        "asyncio: yield once",
        "uvloop: yield once",
    ]


# --- the other charts ----------------------------------------------------------------------------


def test_the_forest_has_a_row_per_case_and_a_column_per_loop_and_probe(
    findings: Findings, frames: Mapping[str, pd.DataFrame]
) -> None:
    figure = drawn("every-ratio", frames)
    assert len(figure.axes) == 4
    axes = panel(figure, "asyncio: latency, p99")
    rows = findings.comparisons.query(
        "loop == 'asyncio' and metric == 'p99' and contender == 'task_group'"
    )
    shown = points(axes, "task_group")
    assert sorted(x for x, _ in shown) == pytest.approx(sorted(rows["ratio"]))
    assert len({round(y) for _, y in shown}) == 6
    assert "The control, which cannot differ, is told apart in" in words(figure)


def test_costs_are_those_measured_and_lines_those_fitted(
    findings: Findings, frames: Mapping[str, pd.DataFrame]
) -> None:
    axes = panel(drawn("ns-per-task", frames), "uvloop: noop")
    query = "loop == 'uvloop' and workload == 'noop' and contender == 'gather_tasks'"
    measured = findings.absolutes.query(f"probe == 'throughput' and {query}").sort_values("tasks")
    assert [y for _, y in points(axes, "gather_tasks")] == pytest.approx(
        measured["ns_per_task"].tolist()
    )
    [model] = findings.costs.query(query).to_dict("records")
    colour = style.marks(["gather_tasks"])["gather_tasks"].light
    [curve] = [
        line for line in axes.lines
        if len(np.asarray(line.get_xdata())) > 10 and to_hex(line.get_color()) == colour
    ]  # fmt: skip
    x, y = np.asarray(curve.get_xdata(), float), np.asarray(curve.get_ydata(), float)
    assert y == pytest.approx(1e9 * model["fixed_seconds"] / x + model["ns_per_task"])


def test_where_the_line_breaks_it_is_dashed_and_crossed(frames: Mapping[str, pd.DataFrame]) -> None:
    lines = frames["lines"].copy()
    whole = drawn("ns-per-task", {"lines": lines})
    assert "The line holds over the whole range" in words(whole)
    lines["breaks_at"] = pd.array([1000] * len(lines), dtype="Int64")
    lines["tasks_to"] = 100
    broken = drawn("ns-per-task", {"lines": lines})
    axes = panel(broken, "asyncio: noop")
    crosses = [line for line in axes.lines if line.get_marker() == "x"]
    assert [np.asarray(line.get_xdata()).tolist() for line in crosses] == [[1000.0]] * 3
    assert sum(line.get_linestyle() == "--" for line in axes.lines) == 3
    assert "The line breaks in" in words(broken)


def test_tasks_per_second_names_the_peak(
    findings: Findings, frames: Mapping[str, pd.DataFrame]
) -> None:
    figure = drawn("tasks-per-second", frames)
    rows = findings.absolutes.query("contender != 'control'")
    assert style.tasks_per_second(rows["tasks_per_second"].max()) in words(figure)
    axes = panel(figure, "asyncio: yield once")
    mine = rows.query(
        "loop == 'asyncio' and workload == 'yield_once' and contender == 'gather_coroutines'"
    ).dropna(subset=["tasks_per_second"])
    assert [y for _, y in points(axes, "gather_coroutines")] == pytest.approx(
        mine.sort_values("tasks")["tasks_per_second"].tolist()
    )


def test_latencies_are_shown_at_one_typical_number_of_tasks(
    findings: Findings, frames: Mapping[str, pd.DataFrame]
) -> None:
    figure = drawn("latency-quantiles", frames)
    assert "fan-out of 1,000 tasks" in words(figure)
    axes = panel(figure, "asyncio: noop")
    rows = findings.absolutes.query(
        "probe == 'latency' and tasks == 1000 and loop == 'asyncio' and workload == 'noop'"
    )
    for name in ("gather_coroutines", "task_group"):
        mine = rows[rows["contender"] == name]["seconds"]
        assert sorted(x for x, _ in points(axes, name)) == pytest.approx(sorted(mine))
    assert axes.get_xlim()[0] == 0


def test_loops_are_held_against_the_first(
    findings: Findings, frames: Mapping[str, pd.DataFrame]
) -> None:
    figure = drawn("loops-by-tasks", frames)
    assert "uvloop is faster than asyncio in" in words(figure)
    mine = findings.loops.query(
        "metric == 'total' and workload == 'noop' and contender == 'gather_tasks'"
    )
    shown = [y for _, y in points(panel(figure, "uvloop: noop"), "gather_tasks")]
    assert shown == pytest.approx(mine.sort_values("tasks")["ratio"].tolist())
    assert shown == pytest.approx([0.8] * 3, rel=0.03)


def test_health_shows_drift_beside_steady_ratios(frames: Mapping[str, pd.DataFrame]) -> None:
    figure = drawn("campaign-health", frames)
    times, ratios, control, steal = figure.axes
    assert times.get_ylim() == ratios.get_ylim()
    [median] = [line for line in times.lines if line.get_linewidth() == 2.0]
    rows = frames["rounds"].query("headline and ratio != ratio")
    wide = rows.pivot_table(index=["case", "contender_id"], columns="round", values="seconds")
    expected = wide.div(wide.median(axis=1), axis=0).median()
    assert np.asarray(median.get_ydata()) == pytest.approx(expected.to_numpy())
    [found] = re.findall(r"move by ([\d.]+)\s%, its ratios by ([\d.]+)\s%", words(figure))
    assert float(found[0]) > 5 * float(found[1])
    assert control.get_ylabel() == "12 cases"
    assert len(steal.patches) == 8


def test_health_draws_no_more_than_a_picture_holds(
    frames: Mapping[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.plots.health._MOST_MARKS", 40)
    times, _, control, _ = drawn("campaign-health", frames).axes
    thin = [line for line in times.lines if line.get_linewidth() < 1]
    assert 1 <= len(thin) <= 5
    assert control.get_ylabel() == "12 cases"


def test_steal_is_the_share_of_the_wall_time(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "c", rounds=6, workloads=("noop",), tasks=(10,))
    frames = prepared(find(read_campaign(folder)))
    rounds = frames["rounds"].assign(steal_share=0.25)
    steal = drawn("campaign-health", {"rounds": rounds}).axes[3]
    bars_drawn = [patch for patch in steal.patches if isinstance(patch, Rectangle)]
    assert [bar.get_height() for bar in bars_drawn] == [25.0] * 6


# --- every chart ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_the_same_to_the_byte_when_drawn_again(
    name: str, frames: Mapping[str, pd.DataFrame], rendered: dict[str, Rendered]
) -> None:
    one = CHARTS[name]
    first, second = rendered[name], render(one, frames[one.needs].copy(), LOOK)
    assert first.svg == second.svg
    assert first.png == second.png
    assert first.png.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", CHARTS)
def test_an_svg_is_sound_and_its_text_is_text(
    name: str, frames: Mapping[str, pd.DataFrame], rendered: dict[str, Rendered]
) -> None:
    one = CHARTS[name]
    svg = rendered[name].svg
    root = ET.fromstring(svg)  # noqa: S314 - our own
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert "campaign 42" in texts
    assert root.get("role") == "img"
    title, description = (root.find(f"{SVG}{tag}") for tag in ("title", "desc"))
    assert title is not None
    assert title.text == one.finding(one.select(frames[one.needs]))
    assert description is not None
    assert description.text == one.caption
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(str(one_id).startswith(f"{name}-wide-") for one_id in ids)
    assert "<metadata" not in svg
    targets = re.findall(r'href="([^"]*)"', svg)
    assert all(target.startswith(f"#{name}-wide-") for target in targets)


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("narrow", [False, True])
def test_all_colours_of_a_chart_are_the_theme_s(
    name: str,
    narrow: bool,
    frames: Mapping[str, pd.DataFrame],
    rendered: dict[str, Rendered],
) -> None:
    frame = frames[CHARTS[name].needs]
    svg = (
        render(CHARTS[name], frame, Look(narrow=True), png=False).svg
        if narrow
        else rendered[name].svg
    )
    colours = set(re.findall(r"(?:fill|stroke|color): ?(#[0-9a-f]{6})", svg))
    assert colours <= set(style.palette(style.LIGHT).values())
    page = for_page(svg)
    assert not re.search(r"(?:fill|stroke): ?#", page)
    assert "var(--background)" in page
    assert "width=" not in page.split(">", 1)[0]


def test_a_recoloured_svg_is_the_one_drawn_dark(frames: Mapping[str, pd.DataFrame]) -> None:
    one = CHARTS["loops-by-tasks"]
    light, dark = (
        render(one, frames[one.needs], Look(theme), png=False).svg for theme in style.THEMES
    )
    # Identifiers come from a hash that has the colours in it.
    light, dark = (re.sub(r"-wide-[mp][0-9a-f]{10}", "-wide-x", svg) for svg in (light, dark))
    assert light != dark
    assert for_theme(light, style.DARK) == dark


@pytest.mark.parametrize("name", CHARTS)
def test_nothing_measured_is_said_and_not_drawn(
    name: str, frames: Mapping[str, pd.DataFrame]
) -> None:
    one = CHARTS[name]
    with pytest.raises(CannotDrawError, match="nothing was measured"):
        render(one, frames[one.needs].head(0), Look())


def test_too_many_panels_are_refused(frames: Mapping[str, pd.DataFrame]) -> None:
    rows = frames["comparisons"].head(1)
    many = pd.concat([rows.assign(workload=f"w{i}") for i in range(61)])
    with pytest.raises(CannotDrawError, match="61 panels"):
        render(CHARTS["ratios-by-tasks"], many, Look())


@pytest.mark.parametrize("name", ["ratios-by-tasks", "every-ratio", "loops-by-tasks"])
def test_rows_without_numbers_can_be_drawn(name: str, frames: Mapping[str, pd.DataFrame]) -> None:
    one = CHARTS[name]
    frame = frames[one.needs].assign(
        ratio=np.nan, low=0.0, high=np.inf, verdict="missing", reason="nothing ran"
    )
    svg = render(one, frame, Look(), png=False).svg
    assert "was not measured" in svg
    assert "nothing ran" in svg


def test_too_few_rounds_leave_points_without_bars(frames: Mapping[str, pd.DataFrame]) -> None:
    frame = frames["comparisons"].assign(low=0.0, high=np.inf, verdict="undecided")
    axes = panel(drawn("ratios-by-tasks", {"comparisons": frame}), "asyncio: noop")
    assert len(points(axes, "gather_tasks")) == 3
    assert bars(axes, "gather_tasks") == []


def test_one_number_of_tasks_and_one_round_can_be_drawn(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "c", rounds=1, workloads=("noop",), tasks=(7,))
    frames = prepared(find(read_campaign(folder)))
    for one in (one for one in CHARTS.values() if one.needs in frames):
        svg = render(one, frames[one.needs], Look(), png=False).svg
        assert one.finding(one.select(frames[one.needs])).split()[0] in svg
    axes = panel(drawn("ns-per-task", frames), "asyncio: noop")
    assert len(points(axes, "gather_tasks")) == 1
    assert not [line for line in axes.lines if len(np.asarray(line.get_xdata())) > 1]


def test_names_are_text_whatever_they_hold(frames: Mapping[str, pd.DataFrame]) -> None:
    hostile = '</text><script>alert(1)</script> $x^2$ "\u4e2d" & style="fill: #0072b2"'
    one = CHARTS["ratios-by-tasks"]
    frame = frames[one.needs].assign(loop=hostile)
    rendered = render(one, frame, Look(source=hostile))
    root = ET.fromstring(for_page(rendered.svg))  # noqa: S314 - our own
    assert not list(root.iter(f"{SVG}script"))
    assert any("<script>" in (element.text or "") for element in root.iter(f"{SVG}text"))


def test_the_style_of_the_caller_is_neither_used_nor_changed(
    frames: Mapping[str, pd.DataFrame],
) -> None:
    import matplotlib as mpl

    one = CHARTS["loops-by-tasks"]
    before = render(one, frames[one.needs], Look(), png=False).svg
    with mpl.rc_context({"font.size": 30.0, "lines.linewidth": 9.0}):
        inside = render(one, frames[one.needs], Look(), png=False).svg
        assert mpl.rcParams["font.size"] == 30.0
    assert inside == before


def test_a_chart_is_registered_under_its_function_s_name() -> None:
    def draw_nothing(rows: pd.DataFrame, look: Look) -> Figure:
        raise AssertionError

    register = chart(
        needs="comparisons", select=lambda f: f, heading="h", caption="c", finding=lambda f: "f"
    )
    try:
        register(draw_nothing)
        assert isinstance(CHARTS["draw-nothing"], Chart)
        with pytest.raises(ValueError, match="two charts are named draw-nothing"):
            register(draw_nothing)
    finally:
        registry._CHARTS.pop("draw-nothing", None)


# --- words and scales ----------------------------------------------------------------------------


def told(**verdicts: str) -> pd.DataFrame:
    """Rows by contender: "s" slower, "f" faster, "u" undecided, "m" missing."""
    names = {"s": "slower", "f": "faster, within 2 %", "u": "undecided", "m": "missing"}
    return pd.DataFrame(
        [{"contender": who, "verdict": names[v]} for who, vs in verdicts.items() for v in vs]
    )


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        (told(gather_tasks="ss"), "gather(*tasks) is slower than X in all 2 cases"),
        (
            told(gather_tasks="ssfu", task_group="ffff"),
            (
                "gather(*tasks) is slower than X in 2 and faster in 1 of 4 cases; "
                "TaskGroup faster in 4"
            ),
        ),
        (
            told(gather_tasks="uu", task_group="sm"),
            "gather(*tasks) is told apart from X in none of 2 cases; TaskGroup slower in 1 of 1",
        ),
        (
            told(gather_tasks="mm", task_group="su"),
            "gather(*tasks) was not measured; TaskGroup slower in 1 of 2",
        ),
        (told(gather_tasks="su", control="ss"), "gather(*tasks) is slower than X in 1 of 2 cases"),
        (
            told(gather_tasks="s", task_group="u"),
            "gather(*tasks) is slower than X in the only case; TaskGroup never told apart",
        ),
        (told(control="s"), "Nothing was compared"),
    ],
)
def test_the_finding_counts_verdicts(rows: pd.DataFrame, finding: str) -> None:
    assert compared(rows, "contender", "X") == finding


@pytest.mark.parametrize(
    ("low", "high"), [(0.99, 1.01), (0.9, 1.4), (0.6, 1.5), (0.3, 4.0), (0.01, 90.0), (1e-6, 1e8)]
)
@pytest.mark.parametrize("most", [3, 4, 7])
def test_ratio_ticks_are_few_and_hold_equality(low: float, high: float, most: int) -> None:
    ticks = scales.ratio_ticks(low, high, most)
    assert 1 <= len(ticks) <= most
    assert min(abs(tick - 1) for tick in ticks) < 1e-9
    assert all(low <= tick <= high for tick in ticks)


def test_limits_hold_every_point_but_not_every_interval() -> None:
    ratios = np.array([1.02, 1.1])
    low, high = scales.ratio_limits(ratios, np.array([1.01, 1e-3]), np.array([1.03, np.inf]))
    assert low < 1.0 < 1.1 < high
    assert low > 0.8
    assert high < 1.2
    nothing = np.array([np.nan])
    assert scales.ratio_limits(nothing, nothing, nothing)[0] < 1.0
