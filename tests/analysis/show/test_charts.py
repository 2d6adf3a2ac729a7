"""Charts by the data of their figures and the words on them, never by pixels."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import msgspec
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from analysis.judge.findings import Findings, find
from analysis.judge.verdicts import FASTER, SLOWER
from analysis.read.load import read_campaign
from analysis.show import theme
from analysis.show.charts import health, panels
from analysis.show.charts.registry import Drawing, Picture, chart, draw_all, drawings
from analysis.show.theme import DARK, LIGHT, Theme
from benchmarks.campaign import schema
from benchmarks.cases import Case
from benchmarks.matrix import ALL
from tests import campaigns

SVG = "{http://www.w3.org/2000/svg}"
TASKS = (10, 100, 1000)
ALL_PROBES = (
    *(Case("throughput", "noop", n) for n in reversed(TASKS)),
    Case("latency", "yield_once", 1000),
    *(Case("head_start", "sleep_20ms", 10, pause) for pause in ("none", "sleep_20ms")),
    Case("head_start", "sleep_20ms", 10, "compute_10ms"),
    *(Case("stall", "noop", n) for n in TASKS),
    Case("failure", "sleep", 100),
    Case("cancel", "pending", 100),
    Case("memory", "pending", 1000),
)


def slower(contender: schema.Contender, case: schema.Case, metric: str) -> float:
    """TaskGroup takes a third more, at the largest n; peaks and clean ends come later."""
    later = 1.0 if metric in {"clean", "peak", "p99"} else 0.0
    is_slow = contender.strategy == "task_group" and case.tasks == max(TASKS)
    return later + (0.3 if is_slow else 0.0)


def ran_on(contender: schema.Contender, case: schema.Case, name: str) -> float:
    return 99.0 if name == "siblings_ran_on" and contender.strategy == "gather_tasks" else 0.0


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """One Python, two loops, every probe; a contender failed in one case."""
    fault = schema.Failure(
        contender="cpython-3.14.0/uvloop/lazy/task_group", case="throughput/noop/100", round=0,
        cause="killed by signal 9",
    )  # fmt: skip
    folder = campaigns.write(
        tmp_path_factory.mktemp("results") / "small",
        loops=("asyncio", "uvloop"), cases=ALL_PROBES, effect=slower, observe=ran_on,
        failed=(fault,),
    )  # fmt: skip
    return find(read_campaign(folder))


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Four Pythons, of which two are built in another way."""
    source: schema.Facts = {"builder": "source", "pgo": False}
    folder = campaigns.write(
        tmp_path_factory.mktemp("results") / "builds",
        pythons=("3.10.1", "3.12.1", "3.13.1", "3.14.0"),
        builds={"3.10.1": source, "3.12.1": source},
    )
    return find(read_campaign(folder))


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """As few cases as there are kinds of panels."""
    noop = (Case("throughput", "noop", 10), Case("throughput", "noop", 100))
    cases = (*noop, Case("throughput", "echo", 10), ALL_PROBES[-3])
    folder = tmp_path_factory.mktemp("results") / "little"
    loops = ("asyncio", "uvloop")
    return find(read_campaign(campaigns.write(folder, loops=loops, cases=cases, rounds=6)))


def drawn(findings: Findings) -> Mapping[str, Drawing]:
    with theme.settings():
        return {one.name: drawing for one, drawing in drawings(findings)}


@pytest.fixture(scope="module")
def charts(found: Findings) -> Mapping[str, Drawing]:
    return drawn(found)


def panel(drawing: Drawing, title: str) -> Axes:
    [one] = [axes for axes in drawing.axes if axes.get_title("left") == title]
    return one


def points(axes: Axes, colour: str) -> list[tuple[float, float, bool]]:
    """Every point of a colour: x, y, and whether it is filled; no arrowheads, no lines."""
    return sorted(
        (float(x), float(y), to_hex(line.get_markerfacecolor()) == colour)
        for line in axes.lines
        if line.get_linestyle() == "None"
        and line.get_clip_on()
        and to_hex(line.get_markeredgecolor()) == colour
        for x, y in zip(np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), strict=True)
    )


def bars(axes: Axes, colour: str, *, sideways: bool = False) -> list[tuple[float, float]]:
    """Low and high of every line of a colour across (``sideways``: along) the panel."""
    along = 0 if sideways else 1
    return sorted(
        (float(segment[0][along]), float(segment[1][along]))
        for lines in axes.collections
        if isinstance(lines, LineCollection)
        and colour in {to_hex(one) for one in np.atleast_2d(np.asarray(lines.get_color()))}
        for segment in lines.get_segments()
    )


def rectangles(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def texts(drawing: Drawing) -> str:
    return "\n".join(text.get_text() for text in drawing.figure.texts)


# --- ratios ---------------------------------------------------------------------------------------


def test_the_headline_draws_every_ratio_with_its_interval_and_fills_what_differs(
    found: Findings, charts: Mapping[str, Drawing]
) -> None:
    axes = panel(charts["ratios-by-tasks"], "asyncio")
    mine = panels.only(
        found.contrasts, axis="strategy", scope="case", probe="throughput", loop="asyncio",
        compared="task_group", default=True,
    ).sort_values("tasks")  # fmt: skip
    colour = panels.strategy_marks(found)["task_group"].light
    seen = points(axes, colour)
    assert [y for _, y, _ in seen] == pytest.approx(mine["ratio"].tolist())
    assert [x for x, _, _ in seen] == pytest.approx(list(TASKS), rel=0.5)
    assert [filled for *_, filled in seen] == mine["verdict"].isin([SLOWER, FASTER]).tolist()
    assert [filled for *_, filled in seen][-1]
    expected = sorted(zip(mine["low"], mine["high"], strict=True))
    assert np.array(bars(axes, colour)) == pytest.approx(np.array(expected))


def test_the_title_of_the_headline_counts_what_the_picture_shows(
    charts: Mapping[str, Drawing],
) -> None:
    title = charts["ratios-by-tasks"].title
    assert "TaskGroup: 2 of 5 slower" in title
    assert title in texts(charts["ratios-by-tasks"]).replace("\n", " ").replace("\xa0", " ")


def test_a_title_is_one_line(charts: Mapping[str, Drawing], builds: Findings) -> None:
    for name, drawing in (*charts.items(), *drawn(builds).items()):
        assert len(drawing.title) <= panels.TITLE_CHARACTERS, (name, drawing.title)


def test_many_strategies_share_a_title(tmp_path: Path) -> None:
    folder = campaigns.write(
        tmp_path / "all", strategies=ALL, cases=campaigns.NOOP, noise=0.001,
        effect=lambda who, *_: 0.1 * (who.strategy == "task_group"),
    )  # fmt: skip
    title = drawn(find(read_campaign(folder)))["ratios-by-tasks"].title
    assert title == "Compared with gather(*coroutines): 2 of 8 slower."


def test_one_number_of_tasks_makes_no_panel(little: Findings, tmp_path: Path) -> None:
    titles = [axes.get_title("left") for axes in drawn(little)["ratios-by-tasks"].axes]
    assert titles == ["asyncio", "uvloop"], "echo was measured with one"
    one = campaigns.write(tmp_path / "one", cases=(Case("throughput", "noop", 100),))
    assert not {"ratios-by-tasks", "ns-per-task"} & drawn(find(read_campaign(one))).keys()


def test_both_bands_are_drawn_once_in_a_panel_and_explained(
    charts: Mapping[str, Drawing],
) -> None:
    drawing = charts["ratios-by-tasks"]
    for axes in drawing.axes:
        bands = sorted(patch.get_extents().transformed(axes.transData.inverted()).y1
                       for patch in axes.patches)  # fmt: skip
        assert bands == pytest.approx([1.005, 1.02])
    assert texts(drawing).count("within ±2 %: the same") == 1
    assert texts(drawing).count("within ±0.5 %: no difference") == 1


def test_what_is_missing_is_named_with_its_reason(charts: Mapping[str, Drawing]) -> None:
    assert re.search(r"Not measured: .*killed by signal 9", texts(charts["ratios-by-tasks"]))


def test_an_interval_beyond_the_panel_ends_in_an_arrowhead() -> None:
    axes = mpl.figure.Figure().subplots()
    axes.set_ylim(0.9, 1.1)
    rows = pd.DataFrame({"ratio": [1.0], "low": [0.95], "high": [1.5], "verdict": ["undecided"]})
    panels.points(axes, np.array([1.0]), rows, theme.FIRST, column="ratio")
    [arrow] = [line for line in axes.lines if not line.get_clip_on()]
    assert (arrow.get_marker(), np.asarray(arrow.get_ydata()).tolist()) == ("^", [1.1])


@pytest.mark.parametrize(
    ("ratio", "low", "high"), [(1.0, 0.999, 1.001), (1.3, 1.25, 1.35), (300.0, 200.0, 400.0)]
)
def test_an_axis_of_ratios_names_equal_and_a_few_more(
    ratio: float, low: float, high: float
) -> None:
    axes = mpl.figure.Figure().subplots()
    limits = panels.ratio_limits(pd.DataFrame({"ratio": [ratio], "low": [low], "high": [high]}))
    panels.ratio_axis(axes, limits)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert limits[0] < min(1.0, low)
    assert max(1.0, high) < limits[1]
    assert "equal" in labels
    assert 2 <= len(labels) <= 7


# --- Pythons --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ratios-by-python", "break-even", "pythons"])
def test_no_line_joins_pythons_of_different_builds(builds: Findings, name: str) -> None:
    drawing = drawn(builds)[name]
    labels = [label.get_text() for label in drawing.axes[0].get_xticklabels()]
    assert labels == ["3.10.1 (A)", "3.12.1 (A)", "3.13.1 (B)", "3.14.0 (B)"]
    assert "A: source, no PGO" in texts(drawing)
    [border] = panels.pythons(builds, ["3.10.1", "3.12.1", "3.13.1", "3.14.0"]).borders
    lines = [
        np.asarray(line.get_xdata(), dtype=float)
        for line in drawing.axes[0].lines
        if line.get_alpha() and line.get_linestyle() == "-"
    ]
    assert any(x.max() < border for x in lines)
    assert all(x.max() < border or x.min() > border for x in lines)


def test_charts_over_pythons_need_several(charts: Mapping[str, Drawing]) -> None:
    assert not {"ratios-by-python", "break-even", "pythons"} & charts.keys()


# --- costs ----------------------------------------------------------------------------------------


def test_costs_and_rates_are_those_of_the_frame(
    found: Findings, charts: Mapping[str, Drawing]
) -> None:
    mine = panels.only(
        found.absolutes, probe="throughput", loop="uvloop", strategy="gather_tasks"
    ).sort_values("tasks")
    colour = panels.strategy_marks(found)["gather_tasks"].light
    seen = points(panel(charts["ns-per-task"], "uvloop"), colour)
    assert [y for _, y, _ in seen] == pytest.approx(mine["value"].tolist())


def test_a_bar_is_code_and_collector(tmp_path: Path) -> None:
    folder = campaigns.write(
        tmp_path / "c", noise=0.001, cases=(Case("throughput", "noop", 10_000),),
        collector=lambda who, case: 0.25 * (who.strategy != "task_group"),
    )  # fmt: skip
    findings = find(read_campaign(folder))
    with theme.settings():
        drawing = drawn(findings)["code-and-collector"]
        [axes] = drawing.axes
        widths = [bar.get_bbox().width for bar in rectangles(axes)]
    assert widths[1] / widths[0] == pytest.approx(0.25, rel=0.02)
    assert "The collector takes up to 20 %" in drawing.title


# --- health ---------------------------------------------------------------------------------------


def test_steal_is_a_share_of_the_whole_round() -> None:
    lines = pd.DataFrame(
        {"round": [0, 0, 1], "steal_seconds": [0.28, 0.0, 0.0], "wall_seconds": [1.0, 9.0, 2.0]}
    )
    assert health.steal_by_round(lines, 4).tolist() == pytest.approx([0.007, 0.0])


def test_health_shows_steal_the_control_and_half_widths(charts: Mapping[str, Drawing]) -> None:
    steal, control, widths = charts["campaign-health"].axes
    assert [bar.get_bbox().height for bar in rectangles(steal)] == pytest.approx([0.5] * 12)
    assert len(points(control, theme.FIRST.light)) == 2 * len(ALL_PROBES)  # one for each loop
    share = np.asarray(widths.lines[0].get_ydata(), dtype=float)
    assert share[-1] == pytest.approx(100)


# --- the probes' own charts -----------------------------------------------------------------------


def test_a_head_start_is_drawn_between_its_two_bounds(charts: Mapping[str, Drawing]) -> None:
    axes = panel(charts["head-start"], "asyncio, work of 20 ms")
    levels = {round(low, 6) for low, _ in bars(axes, LIGHT.soft_ink)}
    assert levels == {0.02, 0.03, 0.04}
    assert next(label.get_text() for label in axes.get_xticklabels()) == "no pause"


def test_endings_say_what_became_of_the_children(
    found: Findings, charts: Mapping[str, Drawing]
) -> None:
    drawing = charts["failure"]
    assert "99 ran on with gather(*tasks)" in drawing.title
    assert drawing.title.startswith("One of 100 children fails: ")
    axes = panel(drawing, "asyncio")
    assert [text.get_text() for text in axes.texts].count("99 ran on") == 1
    colour = panels.strategy_marks(found)["gather_tasks"].light
    (first, *_), (last, *_) = points(axes, colour)
    assert last > 2 * first


def test_bytes_are_bars_with_the_peak_beyond(charts: Mapping[str, Drawing]) -> None:
    axes = panel(charts["bytes-per-task"], "asyncio")
    assert [bar.get_bbox().width for bar in rectangles(axes)] == pytest.approx([1500] * 3, rel=0.4)
    assert "peak" in axes.texts[0].get_text()


def test_every_quantile_of_a_strategy_stands_on_its_line(
    found: Findings, charts: Mapping[str, Drawing]
) -> None:
    colour = panels.strategy_marks(found)["gather_coroutines"].light
    seen = points(panel(charts["latency-quantiles"], "asyncio"), colour)
    assert [y for _, y, _ in seen] == [0.0] * 4


# --- the registry ---------------------------------------------------------------------------------


def renamed(findings: Findings, old: str, new: str) -> Findings:
    """The findings of a campaign in which a probe has another name, and no definition."""
    cases = [
        msgspec.structs.replace(case, probe=new) if case.probe == old else case
        for case in findings.campaign.cases
    ]
    plan = msgspec.structs.replace(findings.campaign.plan, cases=tuple(cases))
    return find(replace(findings.campaign, plan=plan))


def test_a_probe_without_a_chart_of_its_own_gets_the_generic_one(
    found: Findings, charts: Mapping[str, Drawing]
) -> None:
    assert not [name for name in charts if name.startswith("probe-")]
    mine = drawn(renamed(found, "stall", "brand_new"))
    assert "longest-wait" not in mine
    drawing = mine["probe-brand-new"]
    assert len(points(panel(drawing, "uvloop"), theme.marks("ab")["b"].light)) == len(TASKS)
    assert "compared with gather(*coroutines)" in drawing.what


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="two charts are named ratios-by-tasks"):
        chart("ratios-by-tasks")(lambda findings: None)


@pytest.fixture(scope="module")
def pictures(little: Findings) -> list[Picture]:
    return draw_all(little)


def test_the_same_findings_give_the_same_bytes_whatever_the_settings(
    little: Findings, pictures: list[Picture]
) -> None:
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": "other", "axes.grid": True}):
        assert draw_all(little) == pictures


def test_an_svg_is_sound_described_and_shares_no_identifier(pictures: list[Picture]) -> None:
    seen: set[str] = set()
    for picture in pictures:
        for svg in (picture.light, picture.dark):
            root = ET.fromstring(svg)  # noqa: S314 - our own bytes
            assert root.findtext(f"{SVG}title") == picture.alt
            own = {one.attrib["id"] for one in root.iter() if "id" in one.attrib}
            refers = set(re.findall(rb'(?:href="#|url\(#)([^")]+)', svg))
            assert {name.decode() for name in refers} <= own
            assert not own & seen
            seen |= own


def test_a_dark_picture_differs_from_the_light_one_in_its_colours_only(
    pictures: list[Picture],
) -> None:
    for picture in pictures:
        light, dark = picture.light.decode(), picture.dark.decode()
        assert LIGHT.background in light
        assert DARK.background in dark
        assert LIGHT.background not in "".join(re.findall(r'style="[^"]*"', dark))
        plain = [
            re.sub(r"#[0-9a-f]{6}\b", "", svg) for svg in (light, dark.replace("-dark-", "-light-"))
        ]
        assert plain[0] == plain[1]


def test_a_probe_is_the_section_of_its_own_chart(pictures: list[Picture]) -> None:
    sections = {picture.name: picture.section for picture in pictures}
    assert sections["failure"] == "failure"
    assert set(sections.values()) == {"strategy", "loop", "costs", "health", "failure"}


# --- looks ----------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_series_stand_out_from_the_background(look: Theme) -> None:
    for ink in (look.ink, look.soft_ink):
        assert min(contrast(ink, look.background), contrast(ink, look.panel)) >= 4.5
    for mark in theme.marks("abcdefgh").values():
        colour = mark.light if look is LIGHT else mark.dark
        assert contrast(colour, look.background) >= 3


def test_series_differ_in_marker_as_well_as_in_colour() -> None:
    marks = theme.marks("abcdefgh").values()
    assert len({mark.marker for mark in marks}) == len({mark.light for mark in marks}) == 8


HOSTILE = ("$x_1$ \\frac{", "_hidden", "a\x00b\x1b[31m\nc\u202e", "<script>&amp;\"'", "long " * 40)


def hostile(findings: Findings) -> Findings:
    """The findings with labels that are no plain words."""
    plan = findings.campaign.plan
    labels = itertools.cycle(HOSTILE)

    def spoiled(items: tuple[schema.AnyRecord, ...]) -> tuple[schema.AnyRecord, ...]:
        return tuple(msgspec.structs.replace(one, label=next(labels)) for one in items)

    named = plan.definitions
    definitions = msgspec.structs.replace(
        named,
        strategies=spoiled(named.strategies),
        workloads=spoiled(named.workloads),
        loops=spoiled(named.loops),
        pauses=spoiled(named.pauses),
    )
    plan = msgspec.structs.replace(plan, definitions=definitions)
    return replace(findings, campaign=replace(findings.campaign, plan=plan))


def test_hostile_labels_are_drawn_as_plain_text(little: Findings) -> None:
    everything = ""
    for picture in draw_all(hostile(little)):
        everything += "\n".join(ET.fromstring(picture.light).itertext())  # noqa: S314 - our own
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", everything)
    assert "long " * 8 not in everything
    for label in ("$x_1$ \\frac{", "_hidden", "a b [31m c", "<script>&amp;\"'"):
        assert label in everything


EXTREMES = {
    "seven Pythons": {"pythons": tuple(f"3.1{i}.1" for i in range(7)), "rounds": 6},
    "six strategies, five n": {
        "strategies": ALL,
        "loops": ("asyncio", "uvloop"),
        "cases": tuple(Case("throughput", "noop", 10**i) for i in range(5)),
        "rounds": 6,
    },
    "one case, few rounds": {"cases": (Case("throughput", "noop", 1),), "rounds": 2},
    "nothing measured": {"rounds": 0},
    "one strategy": {"strategies": ("gather_coroutines",), "control": False, "rounds": 6},
}


@pytest.mark.parametrize("name", [*EXTREMES, "hostile"])
def test_all_words_are_inside_the_picture_and_none_hides_another(
    name: str, little: Findings, tmp_path: Path
) -> None:
    if name == "hostile":
        findings = hostile(little)
    else:
        findings = find(read_campaign(campaigns.write(tmp_path / "extreme", **EXTREMES[name])))  # type: ignore[arg-type]
    with theme.settings():
        for one, drawing in drawings(findings):
            boxes = list(_boxes(drawing))
            page = drawing.figure.bbox.padded(1)
            for text, box in boxes:
                assert page.contains(*box.min), (one.name, text)
                assert page.contains(*box.max), (one.name, text)
            for (text, box), (other, beside) in itertools.combinations(boxes, 2):
                assert not box.padded(-1).overlaps(beside.padded(-1)), (one.name, text, other)


def _boxes(drawing: Drawing) -> Iterator[tuple[str, mpl.transforms.Bbox]]:
    """Titles, keys, notes and the labels of axes, with where they stand."""
    drawing.figure.draw_without_rendering()
    found: list[Text] = [*drawing.figure.texts]
    for axes in drawing.axes:
        found += [axes.xaxis.label, axes.yaxis.label, axes._left_title]  # type: ignore[attr-defined]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            found += [
                tick.label1
                for tick in axis.get_major_ticks()
                if tick.label1.get_visible() and low <= tick.get_loc() <= high
            ]
    for text in found:
        if text.get_text().strip():
            yield text.get_text(), text.get_window_extent()
