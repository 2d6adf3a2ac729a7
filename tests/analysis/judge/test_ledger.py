"""Published claims as data, and the rule by which campaigns are checked against them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest

from analysis.judge.claims import (
    ANY_PYTHON,
    BEST,
    CLAIMS,
    EACH,
    FASTER,
    MEAN,
    NOT_MET,
    NOT_REPRODUCED,
    REPRODUCED,
    SAME,
    UNDECIDED,
    Cells,
    Check,
    Claim,
    Claimed,
    Conditions,
    Contrast,
    Over,
    ProgramHolds,
    RatioOf,
    Reading,
    ValueOf,
    only,
    since,
    version_numbers,
)
from analysis.judge.findings import Findings, find
from analysis.judge.ledger import decided, ledger
from analysis.judge.verdicts import FLOOR, WITHIN
from analysis.read.load import read_campaign
from benchmarks.campaign import schema
from benchmarks.cases import Case
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.strategies import STRATEGIES
from benchmarks.workloads import WORKLOADS
from tests import campaigns

NOOP = Cells("throughput", ("noop",))
GROUP = RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP)


def times(low: float, high: float) -> Claimed:
    return Claimed(low, high, "times the time")


def claim(claimed: Claimed, contrast: Contrast, conditions: Conditions | None = None) -> Claim:
    source = "https://example.org"
    return Claim("name", source, "statement", claimed, contrast, conditions or Conditions())


def measure(folder: Path, effects: Mapping[str, float] | None = None, **options: Any) -> Findings:  # noqa: ANN401
    """A quiet campaign in which things take so many times as long, by any name that they have."""

    def effect(who: schema.Contender, case: schema.Case, _: str) -> float:
        names = (who.strategy, who.loop, who.task_factory, who.interpreter)
        return sum(math.log((effects or {}).get(name, 1.0)) for name in names)

    given = {"noise": 0.002, **options}
    return find(read_campaign(campaigns.write(folder, effect=effect, **given)))


def verdicts(claim: Claim, *campaigns: Findings) -> dict[str, str]:
    return {one.python: one.verdict for one in ledger(campaigns, [claim])}


# --- the data -------------------------------------------------------------------------------------


def test_every_claim_has_a_name_of_its_own_and_a_source() -> None:
    assert len({one.name for one in CLAIMS}) == len({one.statement for one in CLAIMS}) == 22
    for one in CLAIMS:
        assert one.source.startswith("https://"), one.name
        assert one.claimed.low <= one.claimed.high, one.name


@pytest.mark.parametrize("one", CLAIMS, ids=lambda one: one.name)
def test_claims_are_about_names_that_exist(one: Claim) -> None:
    contrast, conditions = one.contrast, one.conditions
    # rloop and winloop are optional, and may be left out of the registry.
    assert conditions.loop in {"", "rloop", "winloop", *EVENT_LOOPS}
    assert conditions.task_factory in TASK_FACTORIES
    assert set(contrast.strategies) <= set(STRATEGIES)
    if isinstance(contrast, ProgramHolds):
        return
    probe = PROBES[contrast.cells.probe]
    own = {probe.own_workload.name} if probe.own_workload else {"", *WORKLOADS}
    assert set(contrast.cells.workloads) <= own
    assert set(contrast.cells.pauses) <= set(PAUSES)
    if isinstance(contrast, ValueOf):
        rows = probe.observed if one.claimed.quantity == "share" else probe.metrics
        assert contrast.name in {row.name for row in rows}
    elif isinstance(contrast.against, str):
        assert contrast.against in {**STRATEGIES, **EVENT_LOOPS, **TASK_FACTORIES}
        assert ("" in contrast.cells.workloads) == (contrast.over == MEAN)


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("3.13.0", (3, 13, 0)), ("3.15.0a1", (3, 15, 0)), ("3.14", (3, 14, 0)), ("3.9+x2", (3, 9, 0))],
)
def test_versions_are_compared_as_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert version_numbers(version) == numbers


def test_pythons_include_what_lies_between_their_ends() -> None:
    found = [only(3, 12).include(version) for version in ("3.11.9", "3.12.0", "3.12.9", "3.13.0")]
    assert found == [False, True, True, False]
    assert since(3, 12).include("3.15.2")
    assert not since(3, 12).include("3.11.9")
    assert str(since(3, 12)) == "Python 3.12 or later"
    assert str(only(3, 10)) == "Python 3.10"
    assert ANY_PYTHON.include("3.10.0")
    assert str(ANY_PYTHON) == "any Python"


@pytest.mark.parametrize(
    ("claimed", "words"),
    [
        (FASTER, "at most 0.995 x"),
        (SAME, "0.98 to 1.02 x"),
        (times(0.25, 0.5), "0.25 to 0.5 x"),
        (times(0.25, inf), "at least 0.25 x"),
        (Claimed(1980, 2420, "bytes per task"), "1,980 to 2,420 B"),
        (Claimed(1, 1, "share"), "100 %"),
        (Claimed(0, 0, "share"), "0 %"),
        (Claimed(1, 1, "holds"), "holds"),
    ],
)
def test_claimed_intervals_in_words(claimed: Claimed, words: str) -> None:
    assert str(claimed) == words


def test_faster_and_the_same_are_what_they_are_everywhere() -> None:
    assert (FASTER.high, SAME.low, SAME.high) == (1 - FLOOR, 1 - WITHIN, 1 + WITHIN)


# --- the rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "claimed", "place"),
    [
        (0.44, 0.46, times(0.4, 0.5), "inside"),
        (0.40, 0.50, times(0.4, 0.5), "inside"),
        (0.39, 0.46, times(0.4, 0.5), "between"),
        (0.29, 0.31, times(0.4, 0.5), "outside"),
        (0.50, 0.60, times(0.4, 0.5), "between"),
        (0.501, 0.60, times(0.4, 0.5), "outside"),
        (0.30, 9.00, times(0.4, 0.5), "between"),
        (0.29, 0.31, times(0.0, 0.5), "inside"),
        (8.00, 9.00, times(0.4, inf), "inside"),
        (0.00, inf, times(0.4, 2.0), "between"),
        (1.0, 1.0, Claimed(1.0, 1.0, "share"), "inside"),
        (0.8, 1.0, Claimed(1.0, 1.0, "share"), "between"),
        (0.8, 0.9, Claimed(1.0, 1.0, "share"), "outside"),
    ],
)
def test_where_a_reading_lies(low: float, high: float, claimed: Claimed, place: str) -> None:
    assert claimed.place(low, high) == place


def reading(value: float, half_width: float = 0.01) -> Reading:
    return Reading("", value, value - half_width, value + half_width)


@pytest.mark.parametrize(
    ("values", "over", "verdict", "shown"),
    [
        ([0.8, 0.9], EACH, REPRODUCED, 0.9),
        ([0.8, 1.2], EACH, NOT_REPRODUCED, 1.2),
        ([0.8, 0.99], EACH, UNDECIDED, 0.99),
        ([0.8, 1.2], MEAN, NOT_REPRODUCED, 1.2),
        ([0.8, 1.2], BEST, REPRODUCED, 0.8),
        ([1.1, 1.2], BEST, NOT_REPRODUCED, 1.1),
        ([0.99, 1.2], BEST, UNDECIDED, 0.99),
    ],
)
def test_readings_make_a_verdict(
    values: Sequence[float], over: Over, verdict: str, shown: float
) -> None:
    check = Check(claim(FASTER, replace(GROUP, over=over)), "c")
    found = decided(check, [reading(value) for value in values])
    assert (found.verdict, found.shown and found.shown.value) == (verdict, shown)


def test_the_reading_that_is_shown_is_the_one_that_decides() -> None:
    """Of a wide one with a larger estimate and one that lies outside, the latter is shown."""
    wide, outside = reading(1.3, 0.5), reading(1.1)
    found = decided(Check(claim(FASTER, GROUP), "c"), [wide, outside])
    assert (found.verdict, found.shown) == (NOT_REPRODUCED, outside)


@pytest.mark.parametrize("value", [0.4996, 0.5, 0.50004, 0.45, 12.34])
def test_the_place_can_be_read_off_the_printed_ends(value: float) -> None:
    claimed = times(0.4, 0.5)
    one = Reading("", value, value - 1e-5, value + 1e-5)
    check = decided(Check(claim(claimed, GROUP), "c"), [one])
    low, high = map(float, re.findall(r"[\d.]+", check.ours)[1:])
    assert claimed.place(low, high) == claimed.place(one.low, one.high)


# --- campaigns whose truth is known ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("contrast", "conditions", "claimed", "effects", "options"),
    [
        (GROUP, Conditions(), FASTER, {"task_group": 0.9}, {}),
        # The claim has subject and reference the other way round than the table of contrasts.
        (
            RatioOf(("gather_coroutines",), "strategy", "sequential", NOOP),
            Conditions(), times(36, 44), {"sequential": 1 / 40},
            {"strategies": ("gather_coroutines", "sequential")},
        ),
        # Neither of the two is the baseline.
        (
            RatioOf(("task_group",), "strategy", "gather_tasks", NOOP),
            Conditions(), times(1.9, 2.1), {"gather_tasks": 3, "task_group": 6}, {},
        ),
        (
            RatioOf(("task_group",), "task_factory", "lazy", NOOP, BEST),
            Conditions(since(3, 12), task_factory="eager"), times(0, 0.4), {"eager": 0.3},
            {"task_factories": ("lazy", "eager")},
        ),
        (
            RatioOf(("task_group",), "loop", "asyncio", NOOP),
            Conditions(loop="uvloop"), times(0.25, 0.5), {"uvloop": 0.4},
            {"loops": ("asyncio", "uvloop")},
        ),
        (
            RatioOf(("task_group",), "python", only(3, 13), Cells("throughput", ("",)), MEAN),
            Conditions(only(3, 14)), times(0.8, 0.9), {"cpython-3.14.0": 0.85},
            {"pythons": ("3.13.0", "3.14.0")},
        ),
        # The older one is not the first of the plan.
        (
            RatioOf(("task_group",), "python", only(3, 13), NOOP),
            Conditions(only(3, 14)), times(0.8, 0.9), {"cpython-3.14.0": 0.85},
            {"pythons": ("3.14.0", "3.13.0")},
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_so", [True, False])
def test_a_ratio(
    tmp_path: Path, contrast: Contrast, conditions: Conditions, claimed: Claimed,
    effects: Mapping[str, float], options: Mapping[str, Any], is_so: bool,
) -> None:  # fmt: skip
    findings = measure(tmp_path / "c", effects if is_so else {}, **options)
    found = ledger([findings], [claim(claimed, contrast, conditions)])
    assert [one.verdict for one in found] == [REPRODUCED if is_so else NOT_REPRODUCED]
    [check] = found
    assert len(check.readings) == (1 if contrast.over == MEAN else 2)
    for one in check.readings:
        row = findings.contrasts.loc[one.contrast]
        assert max(row["ratio"] / one.value, one.value / row["ratio"]) == pytest.approx(
            1 if row["compared"] in (contrast.strategies[0], check.python, "eager", "uvloop")
            else max(one.value, row["ratio"]) ** 2
        )  # fmt: skip


def test_the_ratios_of_a_campaign_hold_together(tmp_path: Path) -> None:
    """Their intervals are wider than those of single cases, and wider the more are asked for."""
    cases = [Case("throughput", "noop", n) for n in (1, 10, 100, 1000)]
    findings = measure(tmp_path / "c", noise=0.02, cases=cases)
    few = claim(SAME, RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP))
    more = claim(SAME, RatioOf(("gather_tasks",), "strategy", "gather_coroutines", NOOP))

    def width(*claims: Claim) -> float:
        return sum(one.high - one.low for one in ledger([findings], claims)[0].readings)

    rows = [one.contrast for one in ledger([findings], [few])[0].readings]
    alone = findings.contrasts.loc[rows]
    assert float((alone["high"] - alone["low"]).sum()) < width(few) < width(few, more)


def test_a_ratio_of_the_answer_has_its_interval_from_there(tmp_path: Path) -> None:
    findings = measure(tmp_path / "c", noise=0.02, cases=[Case("throughput", "noop", 10)])
    contrast = RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP, MEAN)
    [reading] = ledger([findings], [claim(SAME, contrast)])[0].readings
    row = findings.contrasts.loc[reading.contrast]
    assert row["family"].startswith("answer ")
    assert (reading.value, reading.low, reading.high) == (row["ratio"], row["low"], row["high"])


def test_pythons_of_different_builds_are_never_mixed(tmp_path: Path) -> None:
    newer = RatioOf(("task_group",), "python", only(3, 13), NOOP)
    asked = claim(times(0.8, 0.9), newer, Conditions(only(3, 14)))
    builds: dict[str, schema.Facts] = {"3.13.20": {"pgo": False}}
    effects = {"cpython-3.13.2": 9.0, "cpython-3.13.20": 9.0, "cpython-3.14.0": 0.85}
    pythons = ("3.13.2", "3.13.18", "3.13.20", "3.14.0")
    findings = measure(tmp_path / "c", effects, pythons=pythons, builds=builds)
    [one] = ledger([findings], [asked])
    # 3.13.20 is newer than 3.13.18, and of another build.
    assert one.verdict == REPRODUCED
    other = measure(tmp_path / "o", pythons=("3.13.20", "3.14.0"), builds=builds)
    [one] = ledger([other], [asked])
    assert one.verdict == NOT_MET
    assert one.missing.startswith("Python 3.14.0: the builds differ (Python 3.14.0: debian, ")
    assert "Python 3.13.20: debian, no PGO" in one.missing


@pytest.mark.parametrize(
    ("end", "verdict"), [(1400, NOT_REPRODUCED), (1500, UNDECIDED), (1600, REPRODUCED)]
)
def test_bytes_per_task(tmp_path: Path, end: float, verdict: str) -> None:
    findings = measure(tmp_path / "c", cases=[Case("memory", "pending", n) for n in (100, 1000)])
    contrast = ValueOf(("gather_tasks",), "peak", Cells("memory", ("pending",), (1000,)))
    [one] = ledger([findings], [claim(Claimed(0, end, "bytes per task"), contrast)])
    assert (one.verdict, len(one.readings)) == (verdict, 1)
    assert re.fullmatch(r"1,\d{3}(\.\d+)? \[1,\d+(\.\d+)?, 1,\d+(\.\d+)?\] B", one.ours)


@pytest.mark.parametrize(
    ("strategy", "share", "verdict"),
    [
        ("gather_tasks", 1.0, REPRODUCED),
        ("gather_coroutines", 1.0, NOT_REPRODUCED),
        ("gather_coroutines", 0.0, REPRODUCED),
    ],
)
def test_shares_that_were_observed(
    tmp_path: Path, strategy: str, share: float, verdict: str
) -> None:
    findings = measure(
        tmp_path / "c", loops=("asyncio", "uvloop"),
        cases=[Case("head_start", "sleep", 10, pause) for pause in ("none", "sleep_20ms")],
        observe=lambda who, case, _: float(who.strategy == "gather_tasks" and case.pause != "none"),
    )  # fmt: skip
    cells = Cells("head_start", ("sleep",), pauses=("sleep_20ms",))
    contrast = ValueOf((strategy,), "started_before_join", cells)
    [one] = ledger(
        [findings], [claim(Claimed(share, share, "share"), contrast, Conditions(loop=""))]
    )
    assert (one.verdict, len(one.readings)) == (verdict, 2)
    assert [of.what for of in one.readings][1].endswith(" on uvloop, sleep, 10 tasks")


def run(holds: bool | None, **fields: str) -> schema.ProgramRun:
    named = {"interpreter": "cpython-3.14.0", "loop": "asyncio", "task_factory": "lazy",
             "program": "gather_wraps", **fields}  # fmt: skip
    return schema.ProgramRun(holds=holds, **named)


@pytest.mark.parametrize(
    ("runs", "verdict", "ours"),
    [
        ([run(True), run(True, loop="uvloop")], REPRODUCED, "holds"),
        ([run(True), run(False, loop="uvloop")], NOT_REPRODUCED, "does not hold"),
        ([run(True), run(None, loop="uvloop", reason="cannot")], REPRODUCED, "holds"),
        ([run(None, reason="needs 3.12")], NOT_MET, ""),
        ([run(True, program="another")], NOT_MET, ""),
        ([run(True, task_factory="eager")], NOT_MET, ""),
        ([run(True, interpreter="cpython-3.10.0")], NOT_MET, ""),
    ],
)
def test_programs_that_hold(
    tmp_path: Path, runs: Sequence[schema.ProgramRun], verdict: str, ours: str
) -> None:
    findings = measure(tmp_path / "c")
    witness = schema.Witness(programs=(), runs=tuple(runs))
    findings = replace(findings, campaign=replace(findings.campaign, witness=witness))
    wraps = ProgramHolds(("gather_wraps",))
    [one] = ledger([findings], [claim(Claimed(1, 1, "holds"), wraps, Conditions(loop=""))])
    assert (one.verdict, one.ours) == (verdict, ours)
    assert bool(one.missing) == (verdict == NOT_MET)


def test_too_few_rounds_decide_nothing(tmp_path: Path) -> None:
    findings = measure(tmp_path / "c", {"task_group": 0.5}, rounds=4)
    [one] = ledger([findings], [claim(FASTER, GROUP)])
    assert one.verdict == UNDECIDED
    assert one.ours.endswith(" [too few rounds] x")
    assert one.verdict_words == "undecided (0 of 2 inside): the campaign is unproven"


# --- conditions -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Two Pythons, one of them free-threaded, without uvloop."""
    skipped = schema.Skipped(
        contender=schema.Wanted(interpreter="cpython-3.13.0", loop="uvloop"), reason="not installed"
    )
    return measure(
        tmp_path_factory.mktemp("plain") / "c", pythons=("3.13.0", "3.14.0"),
        builds={"3.14.0": {"free_threaded": True}}, skipped=(skipped,),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("contrast", "conditions", "missing"),
    [
        (GROUP, Conditions(only(3, 12)),
         "no suitable build of Python 3.12 is in the campaign, which has 3.13.0 and 3.14.0t"),
        (GROUP, Conditions(only(3, 14)),
         "no suitable build of Python 3.14 is in the campaign, which has 3.13.0 and 3.14.0t"),
        (GROUP, Conditions(implementation="pypy"),
         "no suitable build of any Python is in the campaign, which has 3.13.0 and 3.14.0t"),
        (replace(GROUP, axis="loop", against="asyncio"), Conditions(loop="uvloop"),
         "Python 3.13.0: not measured with uvloop (not installed)"),
        (replace(GROUP, axis="task_factory", against="lazy"), Conditions(task_factory="eager"),
         "Python 3.13.0: not measured with eager"),
        (replace(GROUP, strategies=("wait",)), Conditions(),
         "Python 3.13.0: not measured with wait"),
        (replace(GROUP, cells=replace(NOOP, tasks=(7,))), Conditions(),
         "Python 3.13.0: not compared with gather(*coroutines) in throughput of noop with 7 tasks"),
        (replace(GROUP, against="sequential"), Conditions(),
         "Python 3.13.0: not compared with sequential in throughput of noop"),
        (replace(GROUP, axis="python", against=only(3, 11)), Conditions(),
         "Python 3.13.0: there is no Python 3.11 to compare with"),
        (ValueOf(("task_group",), "peak", Cells("memory", ("pending",))), Conditions(),
         "Python 3.13.0: not measured in memory of pending"),
        (GROUP, Conditions(system="Windows"), "the system is not stated, not Windows"),
        (ProgramHolds(("gather_wraps",)), Conditions(),
         "Python 3.13.0: the program gather_wraps was not run"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(
    plain: Findings, contrast: Contrast, conditions: Conditions, missing: str
) -> None:
    [one] = ledger([plain], [claim(FASTER, contrast, conditions)])
    assert (one.verdict, one.missing, one.ours) == (NOT_MET, missing, "")


@pytest.mark.parametrize(
    ("build", "pythons"),
    [
        ({"free_threaded": True}, ["3.14.0t"]),
        ({"free_threaded": False, "debug": False}, ["3.13.0"]),
        ({"debug": False, "unheard_of": True}, ["3.13.0", "3.14.0t"]),
    ],
)
def test_builds_are_matched_by_their_facts(
    plain: Findings, build: Mapping[str, bool], pythons: Sequence[str]
) -> None:
    assert list(verdicts(claim(FASTER, GROUP, Conditions(build=build)), plain)) == pythons


# --- the ledger -----------------------------------------------------------------------------------


def test_a_claim_is_unmet_only_where_no_campaign_meets_it(tmp_path: Path, plain: Findings) -> None:
    other = measure(tmp_path / "other", {"task_group": 0.5})
    met, unmet = (claim(FASTER, GROUP, Conditions(only(3, minor))) for minor in (14, 11))
    one, two = ledger([plain, other], [met, unmet])
    assert (one.campaign, one.python, one.verdict) == ("other", "3.14.0", REPRODUCED)
    assert (two.campaign, two.verdict) == ("c, other", NOT_MET)
    assert two.missing == (
        "c: no suitable build of Python 3.11 is in the campaign, which has 3.13.0 and 3.14.0t; "
        "other: no suitable build of Python 3.11 is in the campaign, which has 3.14.0"
    )
    assert ledger([]) == []


def test_what_was_counted_or_shown_by_a_program_needs_no_proof(tmp_path: Path) -> None:
    waits = Case("head_start", "sleep", 10, "sleep_20ms")
    few = measure(
        tmp_path / "few", {"task_group": 0.5}, rounds=4, observe=lambda *_: 1.0,
        cases=[Case("throughput", "noop", 10), waits],
    )  # fmt: skip
    assert not few.control.proven
    cells = Cells("head_start", ("sleep",), pauses=("sleep_20ms",))
    started = ValueOf(("gather_tasks",), "started_before_join", cells)
    timed, counted = ledger(
        [few], [claim(FASTER, GROUP), claim(Claimed(1.0, 1.0, "share"), started)]
    )
    assert timed.note == "the campaign is unproven"
    assert (counted.verdict, counted.note) == (REPRODUCED, "")


def test_every_claim_is_found_in_a_campaign_that_has_its_cells(tmp_path: Path) -> None:
    cases = dict.fromkeys(
        Case(cells.probe, workload or "noop", n, pause)
        for cells in (one.contrast.cells for one in CLAIMS if hasattr(one.contrast, "cells"))
        for workload in cells.workloads for pause in cells.pauses
        for n in cells.tasks[:1] or (10,)
    )  # fmt: skip
    findings = measure(
        tmp_path / "c", pythons=("3.10.0", "3.11.0", "3.12.0", "3.13.0", "3.14.0"),
        loops=("asyncio", "uvloop"), task_factories=("lazy", "eager"), rounds=6, sweeps=1,
        strategies=("gather_coroutines", "gather_tasks", "task_group", "sequential"),
        cases=list(cases),
    )  # fmt: skip
    found = ledger([findings])
    lacking = {one.claim.name for one in found if one.verdict == NOT_MET}
    programs = {one.name for one in CLAIMS if isinstance(one.contrast, ProgramHolds)}
    assert lacking == {"rloop-echo", "winloop-echo", *programs}
    assert {one.claim.name for one in found} == {one.name for one in CLAIMS}
