"""Compact SVG: the same picture in fewer bytes."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from analysis import style
from analysis.plots import compact as module
from analysis.plots.compact import compact
from analysis.plots.registry import rc

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
Point = tuple[float, float]


def picture() -> Figure:
    """Lines, markers in two panels, bars that cross, text, a filled ground."""
    figure = Figure(figsize=(6, 4))
    rng = np.random.default_rng(1)
    for place in (1, 2):
        axes = figure.add_subplot(1, 2, place)
        axes.plot(np.arange(30.0), rng.random(30), marker="o", color="#0072b2")
        axes.plot(np.arange(30.0), rng.random(30), marker="s", color="#d55e00", alpha=0.5)
        axes.vlines(np.arange(30.0), 0.2, 0.8, color="#24292f")
        axes.axhspan(0.4, 0.6, color="#e4e8ec")
        axes.set_title("100 % <of> \u201ctext\u201d & more", rotation=0)
        axes.set_ylabel("sideways")
    return figure


@pytest.fixture(scope="module")
def raw() -> str:
    with rc(style.LIGHT, "test"):
        text = io.StringIO()
        picture().savefig(text, format="svg")
    return text.getvalue()


@pytest.fixture(scope="module")
def small(raw: str) -> str:
    return compact(raw, "own")


def points_of(path: str) -> list[Point]:
    """Where a path of absolute steps goes, step by step."""
    here, points = (0.0, 0.0), []
    letter, numbers = "", list[float]()
    for word in re.findall(r"[A-Za-z]|-?\d*\.?\d+", path):
        if word.isalpha():
            letter, numbers = word, []
            continue
        numbers.append(float(word))
        wanted = {"H": 1, "V": 1, "C": 6, "Q": 4}.get(letter, 2)
        if len(numbers) == wanted:
            end = {"H": (numbers[-1], here[1]), "V": (here[0], numbers[-1])}
            here = end.get(letter, (numbers[-2], numbers[-1]) if wanted > 1 else here)
            points.append(here)
            numbers = []
    return points


def drawn(svg: str) -> Counter[tuple[str, Point]]:
    """Every point of a picture, and what its stroke is, wherever its style stands."""
    root = ET.fromstring(svg)  # noqa: S314 - our own
    shapes = {e.get("id"): e for e in root.iter() if e.get("id")}
    found: Counter[tuple[str, Point]] = Counter()

    def stroke(styles: str) -> str:
        strokes: list[str] = re.findall(r"stroke: ?(#[0-9a-f]{6})", styles)
        return strokes[-1] if strokes else ""

    def visit(element: ET.Element, styles: str) -> None:
        if element.tag == f"{SVG}defs":
            return
        own = f"{styles};{element.get('style', '')}"
        if element.tag == f"{SVG}path":
            found.update((stroke(own), point) for point in points_of(element.get("d", "")))
        if element.tag == f"{SVG}use":
            shape = shapes[element.get(HREF, "")[1:]]
            x, y = float(element.get("x", 0)), float(element.get("y", 0))
            moved = [(a + x, b + y) for a, b in points_of(shape.get("d", ""))]
            found.update((stroke(f"{shape.get('style', '')};{own}"), point) for point in moved)
        for child in element:
            visit(child, own)

    visit(root, "")
    return found


def rounded(points: Counter[tuple[str, Point]]) -> set[tuple[str, int, int]]:
    return {(colour, round(x * 10), round(y * 10)) for colour, (x, y) in points}


def test_it_draws_the_same_points_in_the_same_colours(raw: str, small: str) -> None:
    before, after = drawn(raw), drawn(small)
    assert len(before) > 200
    near = range(-1, 2)
    for one, others in ((before, after), (after, before)):
        around = {(c, x + i, y + j) for c, x, y in rounded(others) for i in near for j in near}
        assert rounded(one) <= around


def test_it_takes_less_than_half_the_bytes(raw: str, small: str) -> None:
    assert len(small) < 0.5 * len(raw)


def test_text_is_kept_with_its_place(raw: str, small: str) -> None:
    def texts(svg: str) -> list[tuple[str, Point]]:
        found = ET.fromstring(svg).iter(f"{SVG}text")  # noqa: S314 - our own
        places = [
            (str(one.text), (float(one.get("x", 0)), float(one.get("y", 0)))) for one in found
        ]
        return sorted(places)

    assert [text for text, _ in texts(small)] == [text for text, _ in texts(raw)]
    assert np.allclose([at for _, at in texts(small)], [at for _, at in texts(raw)], atol=0.0051)
    assert "rotate(-90" in small
    assert "rotate(-0 " not in small


def test_shapes_are_kept_once_under_our_names(small: str) -> None:
    root = ET.fromstring(small)  # noqa: S314 - our own
    [definitions] = root.iter(f"{SVG}defs")
    ids = [element.attrib.pop("id") for element in definitions]
    assert ids == [f"own-{number}" for number in range(1, len(ids) + 1)]
    shapes = [ET.tostring(element) for element in definitions]
    assert len(shapes) == len(set(shapes))
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', small))
    assert used == set(ids)


def test_marks_that_shine_through_one_another_stay_apart(small: str) -> None:
    root = ET.fromstring(small)  # noqa: S314 - our own
    for element in root.iter(f"{SVG}path"):
        if "opacity" in element.get("style", ""):
            assert element.get("d", "").count("M") == 1


def test_the_order_in_which_things_cover_one_another_is_kept(raw: str, small: str) -> None:
    def order(svg: str) -> list[str]:
        body = re.sub(r"<defs>.*?</defs>", "", svg, flags=re.DOTALL)
        colours = re.findall(r"(?:stroke|fill): ?(#(?:e4e8ec|24292f|0072b2|d55e00))", body)
        return [colour for colour, before in zip(colours, ["", *colours], strict=False)
                if colour != before]  # fmt: skip

    assert len(order(small)) > 4
    assert order(small) == order(raw)


def test_it_is_made_the_same_twice(raw: str, small: str) -> None:
    assert compact(raw, "own") == small


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("M 0 1.23456 \nL 0 3.5 \n", "M0 1.23V3.5"),
        ("M 10.000001 20 \nL 30 20 \nL 40.5 25 \nL 40.5 25.001 \nz \n", "M10 20H30L40.5 25z"),
        ("M 1 -2 \nC 1 2 3 4 5 6 \nC 7 8 9 10 11 -12 \n", "M1-2C1 2 3 4 5 6 7 8 9 10 11-12"),
        ("M 1 1 \nL 1 1 \n", "M1 1H1"),
        ("M 1e-9 -1e-9 \nL 3 4 \n", "M0 0 3 4"),
    ],
)
def test_paths_are_said_in_short(path: str, short: str) -> None:
    assert module._path(path) == short


def test_a_path_can_be_moved() -> None:
    assert module._path("M 0 0 \nL 0 3.5 \n", (10.25, 20.0)) == "M10.25 20V23.5"


@given(st.lists(st.tuples(*[st.floats(-1e4, 1e4)] * 2), min_size=2, max_size=30))
def test_no_point_moves_by_more_than_a_hundredth(points: list[Point]) -> None:
    steps = [f"{'L' if index else 'M'} {x:.6f} {y:.6f} \n" for index, (x, y) in enumerate(points)]
    kept = points_of(module._path("".join(steps)))
    at = 0
    for point in points:
        while not np.allclose(kept[at], point, rtol=0, atol=0.0051):
            at += 1
            assert at < len(kept), point
