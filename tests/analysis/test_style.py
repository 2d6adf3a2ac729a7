"""Labels, order, colours and number formats."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import style


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00123, "1.23 ms"),
        (2.0, "2.00 s"),
        (45.6e-6, "45.6 us"),
        (812e-9, "812 ns"),
        (1e-10, "0.100 ns"),
        (0.9999e-3, "1.00 ms"),
        (999.4e-6, "999 us"),
        (12345.0, "12,300 s"),
        (None, "missing"),
        (math.nan, "missing"),
    ],
)
def test_a_duration_gets_the_unit_that_suits_it(seconds: float | None, text: str) -> None:
    assert style.seconds(seconds) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.021, "+2.1 %"),
        (0.95, "-5.0 %"),
        (1.0004, "0.0 %"),
        (0.9996, "0.0 %"),
        (3.5, "+250 %"),
        (math.nan, "missing"),
    ],
)
def test_a_ratio_reads_as_a_change(ratio: float, text: str) -> None:
    assert style.change(ratio) == text


def test_an_interval_shares_the_unit_of_its_estimate() -> None:
    assert style.change_interval(1.021, 1.014, 1.029) == "+2.1 % [+1.4, +2.9]"
    assert style.seconds_interval(1.23e-3, 0.9e-3, 1.27e-3) == "1.23 ms [0.900, 1.27]"
    assert style.ns_per_task_interval(812.3, 805.0, 819.6) == "812 ns [805, 820]"
    assert style.interval(12_345.0, 12_000.0, 13_000.0) == "12,300 [12,000, 13,000]"


@pytest.mark.parametrize(("low", "high"), [(0.0, math.inf), (-math.inf, math.inf)])
def test_an_interval_without_bounds_says_why(low: float, high: float) -> None:
    assert style.change_interval(1.02, low, high) == "+2.0 % [too few rounds]"
    assert style.seconds_interval(1.0, low, math.inf) == "1.00 s [too few rounds]"


def test_rates_counts_shares_and_times() -> None:
    assert style.tasks_per_second(1.234e6) == "1.23 M tasks/s"
    assert style.tasks_per_second(87.0) == "87.0 tasks/s"
    assert style.short_rate(250_000) == "250k"
    assert style.short_seconds(0.0015) == "1.5 ms"
    assert style.count(10_000) == "10,000"
    assert style.share(0.005) == "0.5 %"
    assert style.p_value(0.0004) == "< 0.001"
    assert style.duration(75) == "1 min 15 s"
    assert style.duration(3720) == "1 h 2 min"
    assert style.facts({"a_b": True, "c": None, "d": (0, 1)}) == [
        "a b: yes",
        "c: unknown",
        "d: 0, 1",
    ]
    assert style.listed([]) == ""
    assert style.listed("ab") == "a and b"
    assert style.listed("abc") == "a, b and c"


@given(st.floats(min_value=1e-9, max_value=3600.0))
def test_a_duration_can_be_read_back_to_three_digits(seconds: float) -> None:
    number, unit = style.seconds(seconds).split()
    size = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[unit]
    assert float(number.replace(",", "")) * size == pytest.approx(seconds, rel=0.0051)


def test_known_names_have_labels_and_come_first() -> None:
    assert style.label("gather_coroutines") == "gather(*coroutines)"
    assert style.label("yield_once") == "yield once"
    assert style.ordered(["zebra", "task_group", "ant", "gather_tasks"]) == [
        "gather_tasks",
        "task_group",
        "ant",
        "zebra",
    ]


def test_a_new_name_needs_no_edit_here() -> None:
    assert style.label("my_new_way") == "my new way"
    assert style.meaning("my_new_way") == ""
    marks = style.marks(["gather_tasks", "my_new_way", "another", "task_group"])
    assert len({(mark.light, mark.marker) for mark in marks.values()}) == 4
    assert marks["gather_tasks"] == style.marks(["gather_tasks"])["gather_tasks"]


def test_an_endless_name_is_cut() -> None:
    name = "x" * 500
    assert len(style.label(name)) == 40


def test_more_names_than_colours_still_get_a_mark() -> None:
    names = [f"strategy {i}" for i in range(50)]
    assert style.marks(names).keys() == set(names)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", style.THEMES, ids=lambda theme: theme.name)
def test_inks_can_be_read_on_every_ground(theme: style.Theme) -> None:
    inks = (theme.ink, theme.soft_ink, theme.link, theme.slower, theme.faster, theme.alarm)
    for ink in inks:
        for ground in (theme.background, theme.panel):
            assert contrast(ink, ground) >= 4.5, (ink, ground)


@pytest.mark.parametrize("theme", style.THEMES, ids=lambda theme: theme.name)
def test_marks_can_be_seen_on_their_ground(theme: style.Theme) -> None:
    for name, mark in style.marks([*style.STRATEGIES, "a", "b", "c"]).items():
        assert contrast(mark.colour(theme), theme.background) >= 3.0, name


def test_series_differ_in_shape_for_those_who_cannot_tell_colours() -> None:
    marks = style.marks(style.STRATEGIES)
    assert len({mark.marker for mark in marks.values()}) == len(marks)


def test_the_themes_have_the_same_roles_and_distinct_light_colours() -> None:
    light, dark = style.palette(style.LIGHT), style.palette(style.DARK)
    assert light.keys() == dark.keys()
    assert len(set(light.values())) == len(light)


@pytest.mark.parametrize(
    ("name", "of_bytes"),
    [
        ("slower", "more"),
        ("faster, within 2 %", "less, within 2 %"),
        ("same", "same"),
        ("undecided", "undecided"),
        ("missing", "missing"),
    ],
)
def test_of_bytes_there_are_more_or_less(name: str, of_bytes: str) -> None:
    assert style.verdict(name, "byte") == of_bytes
    assert style.verdict(name) == name


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2212.0, "2.21 kB"),
        (999.8, "1.00 kB"),
        (12.0, "12.0 B"),
        (2.2e9, "2.20 GB"),
        (0.5, "0.500 B"),
        (None, "missing"),
        (math.nan, "missing"),
    ],
)
def test_a_number_of_bytes_gets_the_unit_that_suits_it(number: float | None, text: str) -> None:
    assert style.size(number) == text


def test_an_interval_of_bytes_shares_their_unit() -> None:
    assert style.size_interval(2212.0, 990.0, 2300.0) == "2.21 kB [0.990, 2.30]"
    assert style.size_interval(math.nan, 1.0, 2.0) == "missing"


def test_mean_counts_have_no_needless_digits() -> None:
    assert [style.tally(n) for n in (0.0, 9.0, 0.01, 12.345, 999.0, 12_345.0, 2.5e6)] == [
        "0", "9", "0.01", "12.3", "999", "12,300", "2,500,000",
    ]  # fmt: skip
    assert style.tally(None) == style.tally(math.nan) == "missing"
