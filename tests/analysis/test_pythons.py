"""Several Pythons in one campaign: compared with one another, and their builds told apart."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from analysis import style, tables
from analysis.__main__ import main
from analysis.answers import answers
from analysis.builds import Fact, family_of, short_names
from analysis.campaign import Campaign, Contender, Interpreter
from analysis.comparisons import compare, compare_pythons
from analysis.estimates import hodges_lehmann, round_difference
from analysis.facts import interpreter_facts
from analysis.findings import Findings, find
from analysis.load import read_campaign
from analysis.pages import build
from analysis.pairs import UnknownPythonError, baseline_python
from analysis.plots import CHARTS, CannotDrawError, Look, render
from analysis.plots.prepare import ABOUT_PYTHONS, prepared
from analysis.plots.versions import versions
from analysis.summaries import summarise, summarise_pythons
from tests.analysis.drawing import drawn, panel, words
from tests.analysis.test_style import contrast
from tests.synthetic import World, change_plan, write_campaign

NEWEST = "3.14.0+debian"
FACTORS = {"3.9.18": 1.25, "3.10.12": 1.10, NEWEST: 0.90}
TRUTH = {"3.9.18": 1.25, "3.10.12": 1.10, "3.14.0": 0.90}
"""Ratios to 3.13.1, by label."""
BUILDS = {
    **{python: {"builder": "source"} for python in ("3.13.1", "3.9.18", "3.10.12")},
    NEWEST: {"builder": "debian", "pgo": None, "lto": None},
}
LINES = ("cost-by-python", "strategies-by-python")

Capture = pytest.CaptureFixture[str]


def write_several(folder: Path, **options: Any) -> Path:  # noqa: ANN401
    choices: dict[str, Any] = {
        "world": World(python_factors=FACTORS),
        "rounds": 12,
        "sweeps": 3,
        "probes": ("throughput",),
        "workloads": ("noop",),
        "tasks": (10, 1000),
        "pythons": ("3.13.1", "3.9.18", "3.10.12", NEWEST),
        "builds": BUILDS,
        "lacking": {"3.9.18": ["task_group"]},
    }
    return write_campaign(folder, **{**choices, **options})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_several(tmp_path_factory.mktemp("results") / "several")


@pytest.fixture(scope="module")
def campaign(folder: Path) -> Campaign:
    return read_campaign(folder)


@pytest.fixture(scope="module")
def findings(campaign: Campaign) -> Findings:
    return find(campaign)


@pytest.fixture(scope="module")
def frames(findings: Findings) -> Mapping[str, pd.DataFrame]:
    return prepared(findings)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    folder = tmp_path_factory.mktemp("results") / "alone"
    return read_campaign(write_several(folder, pythons=("3.13.1",), builds={}, lacking={}))


def row(frame: pd.DataFrame, **wanted: object) -> pd.Series:
    """The one row with these values."""
    chosen = frame
    for name, value in wanted.items():
        chosen = chosen[chosen[name] == value]
    assert len(chosen) == 1
    return chosen.iloc[0]


# --- comparing -----------------------------------------------------------------------------------


def test_known_effects_are_found(campaign: Campaign) -> None:
    frame = compare_pythons(campaign)
    assert set(frame["python"]) == set(TRUTH)
    assert set(frame["baseline"]) == {"3.13.1"}
    assert len(frame) == 2 * 2 * (3 + 3 + 2)
    assert (np.abs(frame["ratio"] / frame["python"].map(TRUTH) - 1) < 0.015).all()
    slower = frame["python"] != "3.14.0"
    assert set(frame.loc[slower, "verdict"]) == {"slower"}
    assert set(frame.loc[~slower, "verdict"]) == {"faster"}
    assert "control" not in set(frame["contender"])


def test_sweeps_are_paired(campaign: Campaign) -> None:
    case, ids = "throughput/noop/10", ("cpython-3.10.12", "cpython-3.13.1")
    frame = campaign.frame[campaign.frame["case"] == case]
    own, other = (
        frame[frame["contender"] == f"{name}/uvloop/lazy/task_group"].groupby("round")["seconds"]
        for name in ids
    )
    expected = hodges_lehmann(
        [round_difference(mine, theirs) for (_, mine), (_, theirs) in zip(own, other, strict=True)]
    )
    found = row(
        compare_pythons(campaign),
        case=case, python="3.10.12", loop="uvloop", contender="task_group",
    )  # fmt: skip
    assert np.log([found["ratio"], found["low"], found["high"]]) == pytest.approx(
        [expected.value, expected.low, expected.high]
    )
    # A drift of 20 % is in the absolute costs and not in the ratio.
    assert found["high"] / found["low"] < 1.03 < found["seconds_high"] / found["seconds_low"]


def test_swapping_the_pythons_inverts_the_ratio(campaign: Campaign) -> None:
    keys = {"case": "throughput/noop/1000", "loop": "asyncio", "contender": "gather_tasks"}
    there = row(compare_pythons(campaign), python="3.10.12", **keys)
    back = row(compare_pythons(campaign, "3.10.12"), python="3.13.1", **keys)
    assert back["ratio"] == pytest.approx(1 / there["ratio"])
    assert back["low"] == pytest.approx(1 / there["high"])
    assert back["high90"] == pytest.approx(1 / there["low90"])
    assert back["baseline_seconds"] == there["seconds"]


def test_what_the_baseline_lacks_is_missing_with_its_reason(campaign: Campaign) -> None:
    frame = compare_pythons(campaign, "3.9.18")
    missing = frame[frame["verdict"] == "missing"]
    assert set(missing["contender"]) == {"task_group"}
    assert set(missing["python"]) == {"3.10.12", "3.13.1", "3.14.0"}
    assert set(missing["reason"]) == {
        "not measured on Python 3.9.18: task_group needs a newer Python"
    }
    assert missing["ratio"].isna().all()
    assert missing["baseline_seconds"].isna().all()
    assert missing["baseline_ns_per_task"].isna().all()
    assert missing["ns_per_task"].notna().all()
    assert (frame["contender"] == "task_group").sum() == len(missing)
    claims = summarise_pythons(campaign, "3.9.18")
    gone = claims[claims["verdict"] == "missing"]
    assert set(gone["contender"]) == {"task_group"}
    assert gone["reason"].str.contains("needs a newer Python").all()


def test_a_baseline_without_any_contender_makes_all_missing(tmp_path: Path) -> None:
    folder = write_several(tmp_path / "c")

    def drop(plan: dict[str, Any]) -> None:
        plan["interpreters"].append({**plan["interpreters"][0], "name": "x", "version": "3.12.0"})

    change_plan(folder, drop)
    frame = compare_pythons(read_campaign(folder), "3.12.0")
    assert set(frame["verdict"]) == {"missing"}
    assert set(frame["reason"]) == {"not measured on Python 3.12.0"}


def test_the_summary_is_the_geometric_mean_within_rounds(campaign: Campaign) -> None:
    frame = campaign.frame.assign(log=np.log(campaign.frame["seconds"]))
    wide = frame.pivot_table(
        index=["round", "case", "sweep"], columns="contender", values="log", observed=True
    )
    ids = (f"{name}/asyncio/lazy/gather_tasks" for name in ("cpython-3.10.12", "cpython-3.13.1"))
    own, other = (wide[id_] for id_ in ids)
    per_case = (own - other).groupby(level=["round", "case"], observed=True).median()
    expected = hodges_lehmann(per_case.groupby(level="round").mean())
    found = row(
        summarise_pythons(campaign), python="3.10.12", loop="asyncio", contender="gather_tasks"
    )
    assert np.log(found["ratio"]) == pytest.approx(expected.value)
    assert np.log(found["low"]) == pytest.approx(expected.low)
    assert found["cases"] == 2
    assert found["verdict"] == "slower"
    assert found["baseline_ns_per_task"] == pytest.approx(
        found["ns_per_task"] / found["ratio"], rel=0.02
    )


def test_the_control_sets_the_floor_of_versions_too(tmp_path: Path) -> None:
    world = World(control_effect=0.96, python_factors={"3.14.0": 1.03}, round_noise=0.0)
    folder = write_several(
        tmp_path / "c", world=world, pythons=("3.13.1", "3.14.0"), builds={}, lacking={}
    )
    campaign = read_campaign(folder)
    claims = summarise_pythons(campaign)
    assert set(claims["floor"]) == {summarise(campaign)["floor"].max()}
    assert set(claims["verdict"]) == {"undecided"}


def test_builds_that_differ_are_marked(campaign: Campaign) -> None:
    for frame in (compare_pythons(campaign), summarise_pythons(campaign)):
        assert set(frame.loc[~frame["same_build"], "python"]) == {"3.14.0"}
        newest = frame[frame["python"] == "3.14.0"].iloc[0]
        assert newest["family"] == "debian, PGO not stated, LTO not stated, GCC 14.2.0"
        assert newest["baseline_family"] == "source, PGO, LTO, GCC 14.2.0"


def test_two_builds_of_one_version_are_a_comparison(tmp_path: Path) -> None:
    pythons = ("3.13.0+source", "3.13.0+debian")
    folder = write_several(
        tmp_path / "c",
        world=World(python_factors={"3.13.0+debian": 0.8}),
        pythons=pythons,
        builds={python: {"builder": python.partition("+")[2]} for python in pythons},
        lacking={},
    )
    frame = compare_pythons(read_campaign(folder))
    assert set(frame["python"]) == {"cpython-3.13.0+debian"}
    assert set(frame["baseline"]) == {"cpython-3.13.0+source"}
    assert not frame["same_build"].any()
    np.testing.assert_allclose(frame["ratio"], 0.8, rtol=0.015)


@pytest.mark.parametrize(
    ("given", "label"),
    [
        (None, "3.13.1"),
        ("3.10.12", "3.10.12"),
        ("3.10", "3.10.12"),
        ("cpython-3.14.0+debian", "3.14.0"),
        ("3.14", "3.14.0"),
    ],
)
def test_a_baseline_is_called_by_label_name_or_short_version(
    campaign: Campaign, given: str | None, label: str
) -> None:
    found = baseline_python(campaign, given)
    assert found is not None
    assert found.label == label


def test_a_free_threaded_python_is_meant_by_its_t_alone(tmp_path: Path) -> None:
    pythons = ("3.13.1", "3.13.1t")
    campaign = read_campaign(write_several(tmp_path / "c", pythons=pythons, lacking={}))
    for given, label in (("3.13", "3.13.1"), ("3.13t", "3.13.1t")):
        found = baseline_python(campaign, given)
        assert found is not None
        assert found.label == label


@pytest.mark.parametrize("given", ["3.1", "3", "4.0", "", "t", "3.13t", "x\ny"])
def test_an_unknown_baseline_names_the_valid_ones(campaign: Campaign, given: str) -> None:
    with pytest.raises(UnknownPythonError) as caught:
        compare_pythons(campaign, given)
    assert str(caught.value).endswith("choose from 3.9.18, 3.10.12, 3.13.1, 3.14.0")
    assert "\n" not in str(caught.value)


# --- one Python ----------------------------------------------------------------------------------


def test_one_python_gives_empty_frames_with_all_columns(
    alone: Campaign, campaign: Campaign
) -> None:
    for one, many in (
        (compare_pythons(alone), compare_pythons(campaign)),
        (summarise_pythons(alone), summarise_pythons(campaign)),
    ):
        assert one.empty
        assert list(one.columns) == list(many.columns)
    assert not {*ABOUT_PYTHONS} & prepared(find(alone)).keys()


def test_one_python_changes_no_report(alone: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("ratios-by-tasks", *LINES, "python-ratios")
    monkeypatch.setattr("analysis.pictures.CHARTS", {name: CHARTS[name] for name in names})
    files = build(alone)
    assert not [name for name in files if "python" in name]
    page = files["index.html"].decode()
    assert "on each Python" not in page
    assert '<select name="python">' not in page
    assert "different build" not in page + files["report.md"].decode()
    assert not tables.builds(alone)


def test_the_strategies_are_compared_as_before(campaign: Campaign) -> None:
    frame = compare(campaign)
    assert set(frame["baseline"]) == {"gather_coroutines"}
    assert set(frame["python"]) == {"3.13.1", *TRUTH}


# --- versions and builds -------------------------------------------------------------------------


def test_versions_sort_as_versions() -> None:
    labels = [
        "3.9.18", "3.10.2", "3.10.12", "3.13.1", "3.13.1t", "cpython-3.14.0+debian",
        "cpython-3.14.0+source", "3.15.0a1", "3.15.0a10", "3.15.0b2", "3.15.0c1", "3.15.0",
        "pypy 3.10.1", "pypy 3.11.1", "nightly",
    ]  # fmt: skip
    mixed = [*labels[7:], *labels[:7]]
    assert sorted(mixed, key=style.python_order) == labels


BUILD: Mapping[str, Fact] = {
    "builder": "source", "compiler": "GCC 14.2.0", "pgo": True, "lto": False, "debug": False,
    "free_threaded": False, "jit": "none", "date": "Jan 1 2026",
}  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "value", "label"),
    [
        ("builder", "debian", "debian, PGO, no LTO, GCC 14.2.0"),
        ("compiler", "Clang 18.1.8 ", "source, PGO, no LTO, Clang 18.1.8"),
        ("pgo", None, "source, PGO not stated, no LTO, GCC 14.2.0"),
        ("lto", True, "source, PGO, LTO, GCC 14.2.0"),
        ("debug", True, "source, debug, PGO, no LTO, GCC 14.2.0"),
        ("free_threaded", True, "source, free-threaded, PGO, no LTO, GCC 14.2.0"),
        ("jit", "on", "source, JIT on, PGO, no LTO, GCC 14.2.0"),
    ],
)
def test_a_family_is_what_changes_speed(fact: str, value: Any, label: str) -> None:  # noqa: ANN401
    family, other = family_of("cpython", BUILD), family_of("cpython", {**BUILD, fact: value})
    assert family != other
    assert other.label == label
    assert family == family_of("cpython", {**BUILD, "date": "Feb 2 2026", "shared": True})
    assert family == family_of("cpython", {**BUILD, "jit": "off"})
    assert family != family_of("pypy", BUILD)


def test_short_names_say_no_more_than_needed() -> None:
    source, debian = family_of("cpython", BUILD), family_of("cpython", {"builder": "debian"})
    plain = family_of("cpython", {**BUILD, "pgo": False})
    assert short_names([source]) == {source: "source"}
    assert short_names([source, debian, source]) == {source: "source", debian: "debian"}
    assert short_names([source, plain]) == {source: "source, PGO", plain: "source, no PGO"}
    assert short_names([]) == {}


def test_what_is_not_stated_is_said_to_be_so() -> None:
    build_facts = {**BUILD, "pgo": None, "lto": None, "configure": "--with-x", "tail_calls": True}
    interpreter = Interpreter("n", "3.14.0", "cpython", "3.14.0", build_facts, {"pyperf": "2.9"})
    proved = {
        "gil": False, "collector": "on", "collector_kind": "free-threaded",
        "task_class": "_asyncio.Task", "loop_version": "3.14.0",
    }  # fmt: skip

    def contender(loop: str, conditions: Mapping[str, Any]) -> Contender:
        return Contender(loop, "n", "3.14.0", "", loop, "lazy", "s", "contender", conditions)

    both = [contender("asyncio", proved), contender("uvloop", {**proved, "loop_version": "0.22"})]
    facts = dict(interpreter_facts(interpreter, both))
    assert facts["PGO"] == facts["LTO"] == facts["Shared library"] == "not stated"
    assert facts["Compiler"] == "GCC 14.2.0"
    assert facts["Tail-calling interpreter"] == "yes"
    assert facts["Debug build"] == "no"
    assert facts["JIT"] == "none"
    assert facts["GIL in the worker"] == "off"
    assert facts["Collector"] == "free-threaded"
    assert facts["Tasks"] == "C (_asyncio.Task)"
    assert facts["Event loops"] == "asyncio 3.14.0, uvloop 0.22"
    assert facts["Packages"] == "pyperf 2.9"
    unproved = dict(interpreter_facts(interpreter, []))
    assert unproved["GIL in the worker"] == unproved["Tasks"] == "not stated"
    python_task = contender("asyncio", {"task_class": "asyncio.tasks.Task", "gil": True})
    slow = dict(interpreter_facts(interpreter, [python_task]))
    assert slow["Tasks"] == "Python (asyncio.tasks.Task)"
    assert slow["GIL in the worker"] == "on"


# --- tables --------------------------------------------------------------------------------------


def test_the_table_says_different_build(findings: Findings) -> None:
    table = tables.python_answer(findings)
    assert "relative to 3.13.1" in table.title
    assert table.columns[0].name == "Python"
    assert len(table.rows) == 2 * (3 + 3 + 2)
    different = {cells[0] for cells in table.rows if cells[-1].endswith(", different build")}
    assert different == {"3.14.0"}
    titles = [table.title for table in tables.python_tables(findings)]
    assert titles[-1].startswith("Python 3.14.0 relative to 3.13.1 · different build · ")
    assert sum("different build" in title for title in titles) == 1


def test_show_prints_them_and_takes_a_baseline(folder: Path, capsys: Capture) -> None:
    assert main(["show", str(folder), "--baseline-python", "3.10"]) == 0
    out = capsys.readouterr().out
    assert "Cost of each Python relative to 3.10.12" in out
    assert "Build of Python 3.14.0: debian, PGO not stated" in " ".join(out.split())


def test_show_of_several_pythons_is_short_unless_all_is_asked_for(
    folder: Path, capsys: Capture
) -> None:
    assert main(["show", str(folder)]) == 0
    short = capsys.readouterr().out
    assert main(["show", str(folder), "--all"]) == 0
    whole = capsys.readouterr().out
    line = f"Every case: python -m analysis show {folder} --all\n"
    assert line in short
    assert line not in whole
    for title in ("throughput · noop", "Python 3.9.18 relative to 3.13.1"):
        assert title not in short
        assert title in whole
    for title in ("Cost of each Python relative to 3.13.1", "Time relative to gather_coroutines"):
        assert short.count(title) == whole.count(title) == 1


@pytest.mark.parametrize("command", ["show", "report"])
def test_an_unknown_baseline_is_bad_usage(folder: Path, command: str, capsys: Capture) -> None:
    assert main([command, str(folder), "--baseline-python", "2.7"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "no Python is called '2.7' in campaign several: choose from 3.9.18, 3.10.12, 3.13.1, "
        "3.14.0\n"
    )
    assert not (folder / "report").exists()


# --- charts --------------------------------------------------------------------------------------


def line_of(axes: Axes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The line of a strategy, by its colour."""
    colour = style.marks([name])[name].light
    [line] = [
        line for line in axes.lines
        if to_hex(line.get_color()) == colour and line.get_linestyle() == "-"
    ]  # fmt: skip
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


def test_versions_stand_in_order_with_a_gap_between_builds(
    frames: Mapping[str, pd.DataFrame],
) -> None:
    shown = versions(frames["pythons"])
    assert shown.slots == ("3.9.18", "3.10.12", "3.13.1", "", "3.14.0")
    assert (np.diff(shown.places) > 0).all()
    assert [build.name for build in shown.builds] == ["source", "debian"]
    assert shown.places[4] - shown.places[2] > shown.places[1] - shown.places[0]
    many = pd.concat(
        [frames["pythons"].head(1).assign(python=f"3.{i}", version=f"3.{i}") for i in range(25)]
    )
    with pytest.raises(CannotDrawError, match="25 Pythons"):
        versions(many)


def test_the_cost_chart_draws_the_costs_and_breaks_between_builds(
    findings: Findings, frames: Mapping[str, pd.DataFrame]
) -> None:
    figure = drawn("cost-by-python", frames)
    axes = panel(figure, "asyncio: noop")
    _, y = line_of(axes, "gather_tasks")
    absolutes = findings.absolutes.query(
        "loop == 'asyncio' and contender == 'gather_tasks' and tasks == 1000"
    ).set_index("python")["ns_per_task"]
    assert np.isnan(y).tolist() == [False, False, False, True, False]
    expected = absolutes.reindex(["3.9.18", "3.10.12", "3.13.1", "3.14.0"])
    assert y[~np.isnan(y)] == pytest.approx(expected.to_numpy())
    assert "fan-out of 1,000 tasks" in words(figure)
    assert "Build A: source, PGO, LTO, GCC 14.2.0." in words(figure)
    assert "on Python 3.9.18 and" in words(figure).replace("\n", " ")
    assert axes.get_ylim()[0] == 0


def test_a_strategy_that_a_python_lacks_is_a_gap(frames: Mapping[str, pd.DataFrame]) -> None:
    for name, title in zip(LINES, ("asyncio: noop", "asyncio"), strict=True):
        axes = panel(drawn(name, frames), title)
        _, y = line_of(axes, "task_group")
        assert np.isnan(y).tolist() == [True, False, False, True, False]


def test_one_family_is_one_line(tmp_path: Path) -> None:
    folder = write_several(tmp_path / "c", builds={}, lacking={}, tasks=(10, 100, 7000))
    frames = prepared(find(read_campaign(folder)))
    figure = drawn("cost-by-python", frames)
    _, y = line_of(panel(figure, "uvloop: noop"), "task_group")
    assert len(y) == 4
    assert not np.isnan(y).any()
    assert "Build A" not in words(figure)
    assert "fan-out of 100 tasks" in words(figure)


def cells(axes: Axes) -> list[tuple[str, str]]:
    """(text, ground) of every cell, from the top left."""
    patches = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    texts = [text for text in axes.texts if text.get_verticalalignment() == "center"]
    assert len(patches) == len(texts)
    return [
        (text.get_text(), to_hex(patch.get_facecolor()))
        for text, patch in zip(texts, patches, strict=True)
    ]


def test_the_heat_map_says_what_was_found(
    findings: Findings, frames: Mapping[str, pd.DataFrame]
) -> None:
    figure = drawn("python-ratios", frames)
    shown = cells(panel(figure, "uvloop"))
    assert len(shown) == 3 * 4
    theme = style.LIGHT
    tasks = shown[4:8]
    rows = findings.pythons.query(
        "loop == 'uvloop' and contender == 'gather_tasks' and tasks == 1000"
    ).set_index("python")
    for at, (python, fill) in {
        0: ("3.9.18", theme.slower_fills[2]),
        1: ("3.10.12", theme.slower_fills[1]),
        3: ("3.14.0", theme.faster_fills[1]),
    }.items():
        expected = style.change_interval(*rows.loc[python, ["ratio", "low", "high"]])
        assert tasks[at][0].replace("\n", " ") == expected
        assert tasks[at][1] == fill
    assert tasks[2][0].endswith((" us", " ns"))
    assert tasks[2][1] == theme.background
    group = shown[8:12]
    assert group[0] == ("missing", theme.background)
    assert "is slower than 3.13.1 in all 4 cases" in words(figure)


def test_cells_not_told_apart_are_pale(frames: Mapping[str, pd.DataFrame]) -> None:
    frame = frames["pythons"].copy()
    frame.loc[~frame["on_baseline"].astype(bool), "verdict"] = "undecided"
    grounds = {ground for _, ground in cells(drawn("python-ratios", {"pythons": frame}).axes[0])}
    assert grounds == {style.LIGHT.panel, style.LIGHT.background}


@pytest.mark.parametrize("theme", style.THEMES, ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_cell(theme: style.Theme) -> None:
    fills = (*theme.slower_fills, *theme.faster_fills)
    assert all(contrast(theme.ink, fill) >= 4.5 for fill in fills)
    assert len({*fills, theme.panel, theme.background, theme.band}) == 9


def test_rankings_are_those_of_the_summary(
    findings: Findings, frames: Mapping[str, pd.DataFrame]
) -> None:
    figure = drawn("strategies-by-python", frames)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["asyncio", "uvloop"]
    _, y = line_of(panel(figure, "uvloop"), "gather_tasks")
    claims = findings.summary.query("loop == 'uvloop' and contender == 'gather_tasks'")
    expected = claims.set_index("python")["ratio"].reindex(
        ["3.9.18", "3.10.12", "3.13.1", "3.14.0"]
    )
    assert y[~np.isnan(y)] == pytest.approx(expected.to_numpy())
    assert "combinations of Python and event loop" in words(figure).replace("\n", " ")


@pytest.mark.parametrize("name", [*LINES, "python-ratios"])
@pytest.mark.parametrize("narrow", [False, True])
def test_the_charts_can_be_drawn_in_every_look(
    name: str, narrow: bool, frames: Mapping[str, pd.DataFrame]
) -> None:
    one = CHARTS[name]
    svg = render(one, frames[one.needs], Look(narrow=narrow), png=False).svg
    assert svg == render(one, frames[one.needs].copy(), Look(narrow=narrow), png=False).svg
    colours = set(re.findall(r"(?:fill|stroke|color): ?(#[0-9a-f]{6})", svg))
    assert colours <= set(style.palette(style.LIGHT).values())


# --- the report ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(campaign: Campaign) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.pictures.CHARTS", FEW)
        return build(campaign)


FEW = {name: CHARTS[name] for name in ("ratios-by-tasks", *LINES, "python-ratios")}


def test_the_report_holds_pythons(files: dict[str, bytes], findings: Findings) -> None:
    page = files["index.html"].decode()
    part = re.search(r'<div class="part" id="pythons">(.*?)</table>', page, re.DOTALL)
    assert part is not None
    assert part[1].count("<tr>") == 1 + len(findings.pythons)
    assert '<select name="python">' in page
    options = re.search(r'<select name="python">(.*?)</select>', page, re.DOTALL)
    assert options is not None
    assert re.findall(r'value="([^"]+)"', options[1]) == ["3.9.18", "3.10.12", "3.13.1", "3.14.0"]
    assert "different build" in page
    assert "not stated" in page
    for name in ("pythons.csv", "python-summary.csv"):
        assert name in files
        assert f'href="{name}"' in page
    assert files["pythons.csv"].count(b"\n") == len(findings.pythons) + 1
    markdown = files["report.md"].decode()
    assert "Cost of each Python relative to 3.13.1" in markdown
    assert "Python 3.14.0 relative to 3.13.1 · different build" in markdown
    assert "- PGO: not stated" in markdown
    assert "charts/python-ratios-dark.png" in files


def test_the_answer_is_that_of_the_python_drawn_and_the_others_are_folded(
    files: dict[str, bytes], findings: Findings
) -> None:
    page = unescape(files["index.html"].decode())
    shown, folded = page.split("<summary>The same on the other Pythons</summary>")
    said = answers(findings.summary)
    assert {one.python for one in said} == {"3.9.18", "3.10.12", "3.13.1", "3.14.0"}
    for one in said:
        assert (one.sentence in shown) == (one.python == "3.14.0")
        assert (one.sentence in folded) == (one.python != "3.14.0")
    assert "Python 3.14.0, one of 4." in re.sub(r"<[^>]*>\s*", " ", page)


def test_the_report_is_the_same_to_the_byte(
    files: dict[str, bytes], campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.pictures.CHARTS", FEW)
    assert build(campaign) == files


EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }} $x^2$ [a](b) | c'


def test_hostile_names_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_several(tmp_path / "c", rounds=6, sweeps=1, tasks=(10,))

    def poison(plan: dict[str, Any]) -> None:
        for number, interpreter in enumerate(plan["interpreters"]):
            interpreter["version"] = f"{EVIL} {number}" if number else "=1+1"
            interpreter["build"].update(
                dict.fromkeys(("builder", "compiler", "jit", EVIL), f"{EVIL} {number % 2}")
            )
        for skipped in plan["skipped"]:
            skipped["reason"] = EVIL

    change_plan(folder, poison)
    monkeypatch.setattr("analysis.pictures.CHARTS", FEW)
    campaign = read_campaign(folder)
    made = build(campaign, baseline_python=campaign.interpreters[1].label)
    page = made["index.html"].decode()
    assert page.count("<script>") == 1
    assert "<img" not in page
    assert EVIL in unescape(page)
    assert not re.search(r"(?<!\\)<(script|img src=x)", made["report.md"].decode())
    for name, content in made.items():
        if name.endswith(".svg"):
            root = ET.fromstring(content)  # noqa: S314 - our own
            assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert "\n=1+1" not in made["pythons.csv"].decode()
    assert json.dumps(EVIL)[:4] not in made["pythons.csv"].decode().split("\n")[0]
