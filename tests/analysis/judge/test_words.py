"""Formats of numbers: above all, that a verdict can be read off the text beside it."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.judge import verdicts, words

AROUND_BOUNDS = st.sampled_from([0.98, 0.995, 1.005, 1.02]).flatmap(
    lambda bound: st.floats(min_value=bound - 2e-6, max_value=bound + 2e-6)
)
RATIOS = st.one_of(st.floats(min_value=1e-3, max_value=1e4), AROUND_BOUNDS)


def read(text: str) -> str:
    """The verdict that a reader with a ruler reads off the printed interval."""
    if " times [" in text:
        return verdicts.SLOWER
    found = re.fullmatch(r"\S+ % \[(\S+), (\S+)\]", text)
    assert found, text
    low, high = (float(end.replace(",", "")) for end in found.groups())
    if low > 0.5:
        return verdicts.SLOWER
    if high < -0.5:
        return verdicts.FASTER
    return verdicts.SAME if low >= -2 and high <= 2 else verdicts.UNDECIDED


@given(st.tuples(RATIOS, RATIOS, RATIOS).map(sorted))
@example([1.00500001, 1.00500002, 1.01])
@example([0.9799999, 0.98, 1.0])
@example([0.98, 1.0, 1.02])
def test_the_verdict_can_be_read_off_the_printed_interval(ordered: list[float]) -> None:
    low, ratio, high = ordered
    (judged,) = verdicts.judge(np.array([low]), np.array([high]), np.array([20]))
    text = words.change_interval(ratio, low, high)
    assert read(text) == judged, text
    if " times [" in text:
        assert ratio >= words.TWICE
        return
    value, low_shown, high_shown = (
        float(number.replace(",", "")) for number in re.findall(r"[-+]?[\d,]*\.?\d+", text)
    )
    assert low_shown <= value <= high_shown
    assert value == pytest.approx((ratio - 1) * 100, abs=0.051, rel=0.006)


@pytest.mark.parametrize(
    ("ratio", "low", "high", "text"),
    [
        (1.031, 1.012, 1.05, "+3.1 % [+1.2, +5.0]"),
        (1.02, 1.0053, 1.04, "+2.00 % [+0.53, +4.00]"),
        (1.0004, 0.9981, 1.0031, "0.0 % [-0.2, +0.3]"),
        (3.5, 3.452, 3.561, "3.50 times [3.45, 3.56]"),
        (2.1, 0.9, 3.0, "+110 % [-10.0, +200]"),
        (1.02, 0.0, math.inf, "+2.0 % [too few rounds]"),
        (math.nan, math.nan, math.nan, "missing"),
    ],
)
def test_a_change(ratio: float, low: float, high: float, text: str) -> None:
    assert words.change_interval(ratio, low, high) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1534.2, "ns", "1.53 us"),
        (999.6, "ns", "1.00 us"),
        (99_940.0, "ns", "99.9 us"),
        (5_280_000.0, "ns", "5.28 ms"),
        (530_000.0, "ns", "530 us"),
        (0.0205, "s", "20.5 ms"),
        (999.6e-6, "s", "1.00 ms"),
        (812e-9, "s", "812 ns"),
        (2212.0, "B", "2.21 kB"),
        (0.5, "B", "0.500 B"),
        (0.0, "s", "0 ns"),
        (math.nan, "s", "missing"),
    ],
)
def test_an_amount_gets_the_unit_that_suits_it(value: float, unit: str, text: str) -> None:
    assert words.amount(value, unit) == text


def test_an_interval_shares_unit_and_decimals_of_its_estimate() -> None:
    assert words.amount_interval(1.23e-3, 0.9e-3, 1.27e-3, "s") == "1.23 ms [0.90, 1.27]"
    assert words.amount_interval(812.3, 805.0, 819.6, "ns") == "812 ns [805, 820]"
    assert words.amount_interval(1.0, 0.9, math.inf, "s") == "1.00 s [too few rounds]"
    assert words.difference_interval(310.4, 290.0, 330.0, "ns") == "+310 ns [+290, +330]"
    assert words.difference_interval(0.0301, -20.0, 21.0, "ns") == "0.0 ns [-20.0, +21.0]"


@given(st.floats(min_value=1e-9, max_value=3600.0))
def test_a_time_can_be_read_back_to_three_digits(seconds: float) -> None:
    number, unit = words.amount(seconds, "s").split()
    size = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[unit]
    assert float(number.replace(",", "")) * size == pytest.approx(seconds, rel=0.0051)


def test_counts_shares_and_lists() -> None:
    assert words.count(10_000) == "10,000"
    assert (words.times(1, "round"), words.times(12, "round")) == ("1 round", "12 rounds")
    assert words.tick(0.0015, "s") == "1.5 ms"
    assert words.tick(250_000, "/s") == "250 k"
    assert words.share(0.005) == "0.5 %"
    assert [words.tally(n) for n in (0.0, 99.0, 0.012, 2.5e6)] == ["0", "99", "0.012", "2,500,000"]
    assert [words.duration(n) for n in (59.6, 75, 3720)] == ["1 min 0 s", "1 min 15 s", "1 h 2 min"]
    assert [words.listed(text) for text in ("", "a", "abc")] == ["", "a", "a, b and c"]
    assert [words.fact(value) for value in (True, None, [0, 1])] == ["yes", "unknown", "0, 1"]


@pytest.mark.parametrize(
    ("verdict", "unit", "rounds", "reason", "text"),
    [
        ("slower", "s", None, "", "slower"),
        ("slower", "B", None, "", "more"),
        ("faster", "B", None, "", "less"),
        ("same", "B", None, "", "same"),
        ("undecided", "s", 1, "", "undecided (+1 round)"),
        ("undecided", "s", 5000, "", "undecided (> 1,000 rounds)"),
        ("undecided", "s", None, "", "undecided (too noisy)"),
        ("missing", "s", None, "no such loop", "missing: no such loop"),
    ],
)
def test_a_verdict_says_what_is_lacking(
    verdict: str, unit: str, rounds: int | None, reason: str, text: str
) -> None:
    assert words.judged(verdict, unit, rounds, reason) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.031, "+3.1 %"), (0.853, "-15 %"), (0.9004, "-10 %"), (1.9, "+90 %"), (9.93, "9.93 times"),
     (1.0, "0.0 %"), (math.nan, "missing")],
)  # fmt: skip
def test_a_change_in_a_cell_is_short(ratio: float, text: str) -> None:
    assert words.short_change(ratio) == text


@pytest.mark.parametrize(
    ("ratios", "text"),
    [([0.97, 0.85], "3.0 to 15 % less"), ([0.9], "10 % less"), ([0.1, 0.5], "50 to 90 % less")],
)
def test_a_span_of_gains(ratios: list[float], text: str) -> None:
    assert words.spans(ratios) == text


def test_markdown_shows_what_it_is_given() -> None:
    hostile = "a|b <script> *c* [x](http://y) `d`"
    assert words.escaped(hostile) == r"a\|b \<script\> \*c\* [x]\(http://y) \`d\`"
