"""The timelines by their data: what is drawn where, and what the words on them say."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis import style
from analysis.plots import CHARTS, CannotDrawError, Look, registry, render
from analysis.plots import timelines as module
from analysis.validate import Problems
from analysis.witness import timelines
from analysis.witness_file import witness_of
from tests.synthetic_witness import witness_content

HEAD_START, TEN = "head-start-timeline", "ten-sleepers-timeline"
DONE = (
    "Created as tasks, all 5 are done before the caller joins them; as bare coroutines, none has "
    "even started"
)


def frame_of(content: dict[str, Any]) -> pd.DataFrame:
    return timelines(witness_of(content, Problems()))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return frame_of(witness_content())


def drawn(name: str, frame: pd.DataFrame, look: Look | None = None) -> Figure:
    one = CHARTS[name]
    with registry.rc((look or Look()).theme, "test"):
        return one.draw(one.select(frame), look or Look())


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def words(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def bars(axes: Axes, place: int) -> list[tuple[float, float]]:
    """(from, to) of the bars in a row that have a length."""
    found = []
    for collection in axes.collections:
        if isinstance(collection, PolyCollection):
            for path in collection.get_paths():
                low, high = path.get_extents().min, path.get_extents().max
                if low[1] < place < high[1] and high[0] > low[0]:
                    found.append((round(float(low[0]), 6), round(float(high[0]), 6)))
    return found


def rings(axes: Axes) -> list[tuple[float, float]]:
    return [
        (float(np.asarray(line.get_xdata())[0]), float(np.asarray(line.get_ydata())[0]))
        for line in axes.lines
        if line.get_marker() == "o"
    ]


def labels(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


# --- the head start ------------------------------------------------------------------------------


def test_the_head_start_says_its_finding(frame: pd.DataFrame) -> None:
    one = CHARTS[HEAD_START]
    assert one.finding(one.select(frame)) == DONE
    figure = drawn(HEAD_START, frame)
    assert titles(figure) == [
        "gather(*coroutines): none started before the join, results after 2.50 s",
        "gather(*tasks): all 5 done before the join, results after 2.00 s",
        "TaskGroup: all 5 done before the join, results after 2.00 s",
    ]
    said = " ".join(text.get_text() for text in figure.texts)
    assert DONE in said
    assert "The program head_start. Python 3.14.10, asyncio, lazy tasks." in said


def test_every_process_is_drawn_from_its_creation_to_its_finish(frame: pd.DataFrame) -> None:
    bare, tasks, _ = drawn(HEAD_START, frame).axes
    for axes in (bare, tasks):
        assert labels(axes) == ["caller", *(f"process {index}" for index in range(5))]
        assert rings(axes) == [(0.0, float(place)) for place in range(1, 6)]
    for place in range(1, 6):
        assert bars(bare, place) == [(2.0, 2.5)]
        assert bars(tasks, place) == [(0.0, 0.5)]
    assert words(bare) == ["awaits something else", "joins", "created, but not started", "asleep"]
    assert words(tasks) == ["awaits something else", "asleep"]


def test_the_caller_s_row_has_what_it_does_and_where_the_join_begins(frame: pd.DataFrame) -> None:
    bare, tasks, _ = drawn(HEAD_START, frame).axes
    assert bars(bare, 0) == [(0.0, 2.0), (2.0, 2.5)]
    assert bars(tasks, 0) == [(0.0, 2.0)]
    for axes in (bare, tasks):
        joins = [line for line in axes.lines if list(np.asarray(line.get_xdata())) == [2.0, 2.0]]
        assert [line.is_dashed() for line in joins] == [True]


def test_all_panels_have_one_time_axis(frame: pd.DataFrame) -> None:
    for name in (HEAD_START, TEN):
        figure = drawn(name, frame)
        assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_one_that_did_not_finish_all_is_told_as_it_was() -> None:
    content = witness_content(pythons=("3.14.10",))
    for run in content["runs"]:
        if run["program"] == "head_start" and run["strategy"] == "gather_tasks" and run["timeline"]:
            run["timeline"]["tasks"][0].update(spans=[[0.0, 2.2]], finished=2.2)
    frame = frame_of(content)
    one = CHARTS[HEAD_START]
    assert one.finding(one.select(frame)) == (
        "Done before the caller joins: 0 of 5 with gather(*coroutines), 4 of 5 with "
        "gather(*tasks), 5 of 5 with TaskGroup"
    )
    assert titles(drawn(HEAD_START, frame, Look(narrow=True)))[1] == (
        "gather(*tasks): 5 started, 4 done before the join"
    )


# --- the ten sleepers ----------------------------------------------------------------------------


def test_the_ten_are_held_against_one_after_another(frame: pd.DataFrame) -> None:
    one = CHARTS[TEN]
    assert one.finding(one.select(frame)) == (
        "Gathered with or without create_task, all 10 run at once: done in 200 ms, one after "
        "another in 2.00 s"
    )
    figure = drawn(TEN, frame)
    assert titles(figure) == [
        "gather(*coroutines): 10 at once, 200 ms",
        "gather(*tasks): 10 at once, 200 ms",
        "await one by one: 1 at once, 2.00 s",
    ]
    first, second, last = figure.axes
    assert [bars(first, place) for place in range(1, 11)] == [[(0.0, 0.2)]] * 10
    assert [bars(first, place) for place in range(11)] == [bars(second, p) for p in range(11)]
    assert [bars(last, place) for place in (1, 10)] == [[(0.0, 0.2)], [(1.8, 2.0)]]


def test_those_that_did_not_run_at_once_are_told_as_they_were() -> None:
    content = witness_content(pythons=("3.14.10",))
    content["runs"] = [
        run for run in content["runs"]
        if run["program"] != "ten_sleepers" or run["strategy"] == "sequential"
    ]  # fmt: skip
    one = CHARTS[TEN]
    assert one.finding(one.select(frame_of(content))) == (
        "Running at once: 1 of 10 with await one by one"
    )


# --- both ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [HEAD_START, TEN])
def test_the_newest_release_stands_for_all(name: str) -> None:
    pythons = ("3.9.1", "3.14.10", "3.14.10t", "3.15.0a1", "3.12.1")
    frame = frame_of(witness_content(pythons=pythons, loops=("uvloop",)))
    rows = CHARTS[name].select(frame)
    places = set(zip(rows["python"], rows["loop"], rows["task_factory"], strict=True))
    assert places == {("3.14.10", "uvloop", "lazy")}


@pytest.mark.parametrize("name", [HEAD_START, TEN])
def test_the_narrow_form_has_its_panels_below_one_another(name: str, frame: pd.DataFrame) -> None:
    figure = drawn(name, frame, Look(narrow=True))
    boxes = [axes.get_position() for axes in figure.axes]
    assert len({round(box.x0, 6) for box in boxes}) == 1
    assert len({round(box.y0, 6) for box in boxes}) == 3


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("name", [HEAD_START, TEN])
def test_no_title_of_a_panel_runs_out_of_the_sheet(
    name: str, narrow: bool, frame: pd.DataFrame
) -> None:
    look = Look(narrow=narrow)
    figure = drawn(name, frame, look)
    with registry.rc(look.theme, "test"):
        figure.canvas.draw()
    said = {title for title in titles(figure) if title}
    extents = [text.get_window_extent() for text in figure.findobj(Text) if text.get_text() in said]
    assert len(extents) == len(figure.axes)
    assert max(extent.x1 for extent in extents) <= figure.bbox.x1


@pytest.mark.parametrize("name", [HEAD_START, TEN])
def test_a_timeline_is_the_same_to_the_byte_and_in_the_theme_s_colours(
    name: str, frame: pd.DataFrame
) -> None:
    one = CHARTS[name]
    for theme in style.THEMES:
        look = Look(theme, "campaign 42")
        first, second = render(one, frame, look), render(one, frame.copy(), look)
        assert first == second
        assert first.png.startswith(b"\x89PNG")
        colours = set(re.findall(r"(?:fill|stroke|color): ?(#[0-9a-f]{6})", first.svg))
        assert colours <= set(style.palette(theme).values())
        root = ET.fromstring(first.svg)  # noqa: S314 - our own
        assert root.get("role") == "img"


@pytest.mark.parametrize("name", [HEAD_START, TEN])
def test_nothing_recorded_is_said_and_not_drawn(name: str, frame: pd.DataFrame) -> None:
    with pytest.raises(CannotDrawError, match="nothing was measured"):
        render(CHARTS[name], frame.head(0), Look())


def test_too_many_processes_are_refused() -> None:
    content = witness_content(pythons=("3.14.10",), loops=("asyncio",), task_factories=("lazy",))
    run = next(run for run in content["runs"] if run["program"] == "head_start")
    [task, *_] = run["timeline"]["tasks"]
    run["timeline"]["tasks"] = [{**task, "name": str(index)} for index in range(41)]
    with pytest.raises(CannotDrawError, match="41 processes are too many"):
        render(CHARTS[HEAD_START], frame_of(content), Look())


def test_a_run_without_marks_or_sleep_can_be_drawn() -> None:
    content = witness_content(pythons=("3.14.10",), loops=("asyncio",), task_factories=("lazy",))
    for run in content["runs"]:
        if run["timeline"]:
            run["timeline"]["marks"] = []
            for task in run["timeline"]["tasks"]:
                task["spans"] = []
    frame = frame_of(content)
    for name in (HEAD_START, TEN):
        assert "<svg" in render(CHARTS[name], frame, Look(), png=False).svg


def test_names_are_text_whatever_they_hold() -> None:
    hostile = '</text><script>alert(1)</script> $x^2$ & style="fill: #0072b2"'
    content = witness_content(pythons=("3.14.10",), loops=(hostile,), task_factories=("lazy",))
    for name in (HEAD_START, TEN):
        svg = render(CHARTS[name], frame_of(content), Look(source=hostile), png=False).svg
        root = ET.fromstring(svg)  # noqa: S314 - our own
        assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_at_once_counts_those_between_start_and_finish() -> None:
    tasks = pd.DataFrame(
        [("a", 0.0, 1.0), ("b", 0.5, 2.0), ("c", 1.0, 3.0), ("d", 5.0, 6.0)],
        columns=["task", "started", "finished"],
    )
    assert module.Story("s", tasks, 1.0, 6.0).at_once == 2
    assert module.Story("s", tasks, 1.1, 6.0).started == 3
    assert module.Story("s", tasks, 1.1, 6.0).finished == 1
