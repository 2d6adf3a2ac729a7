"""Published claims as data, and the rule by which campaigns are held against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.__main__ import main
from analysis.checks import Check, check, claims_table, ledger
from analysis.claims import (
    ANY_PYTHON,
    BEST,
    CLAIMS,
    EACH,
    FASTER,
    MEAN,
    Cells,
    Claim,
    Claimed,
    Conditions,
    Contrast,
    ObservedOf,
    Over,
    PerTask,
    ProgramHolds,
    Pythons,
    RatioOf,
    only,
    since,
    version_numbers,
)
from analysis.contrasts import CellReference, Measured
from analysis.findings import Findings, find
from analysis.load import read_campaign
from analysis.readings import (
    NOT_MET,
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    Reading,
    claimed_words,
    decide,
    place,
)
from analysis.witness import Run, Witness
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.strategies import STRATEGIES
from benchmarks.witnesses import WITNESSES
from benchmarks.workloads import PENDING, WORKLOADS
from tests.repository import REPOSITORY
from tests.synthetic import World, write_campaign

REFERENCES = sorted(
    path.parent for path in (REPOSITORY / "results/reference").glob("*/campaign.json")
)
CELL = CellReference("c", ("throughput/noop/10",), "total", "a", "b")
NOOP = Cells("throughput", ("noop",))
QUIET = {"value_noise": 0.002, "round_noise": 0.001}


def claim(claimed: Claimed, contrast: Contrast, conditions: Conditions | None = None) -> Claim:
    return Claim("name", "statement", "https://example.org", claimed, contrast,
                 conditions or Conditions())  # fmt: skip


def measure(folder: Path, **truth: Any) -> Findings:  # noqa: ANN401
    """A small campaign of a world with these effects, read and estimated."""
    fields = {**QUIET, **truth.pop("world", {})}
    fields.setdefault("loop_factors", {"asyncio": 1.0})
    settings: dict[str, Any] = {
        "probes": ("throughput",), "workloads": ("noop",), "tasks": (10, 1000), "sweeps": 3,
        **truth,
    }  # fmt: skip
    write_campaign(folder, world=World(**fields), **settings)
    return find(read_campaign(folder))


def checked(claim: Claim, findings: Findings) -> list[Check]:
    return check(claim, findings, Measured(findings.campaign))


def verdicts(claim: Claim, findings: Findings) -> dict[str, str]:
    return {one.python: one.verdict for one in checked(claim, findings)}


# --- the data -------------------------------------------------------------------------------------


def test_every_claim_has_a_name_of_its_own_and_a_source() -> None:
    assert len({one.name for one in CLAIMS}) == len(CLAIMS)
    assert len({one.statement for one in CLAIMS}) == len(CLAIMS)
    for one in CLAIMS:
        assert one.source.startswith("https://"), one.name
        assert one.claimed.low <= one.claimed.high, one.name


@pytest.mark.parametrize(
    "source",
    [
        "python/pyperformance/issues/287",
        "python/cpython/pull/102853",
        "python/cpython/pull/104138",
        "python/cpython/pull/104140",
        "python/cpython/issues/128588",
        "docs.python.org/3/whatsnew/3.12",
        "python/cpython/issues/107803",
        "MagicStack/uvloop/issues/566",
        "pkolaczk.github.io/memory-consumption-of-async",
        "python/cpython/issues/96450",
        "gi0baro/rloop",
        "Vizonex/Winloop",
        "stackoverflow.com",
    ],
)
def test_the_ledger_has_the_claims_it_began_with(source: str) -> None:
    assert any(source in one.source for one in CLAIMS)


@pytest.mark.parametrize("one", CLAIMS, ids=lambda one: one.name)
def test_claims_are_about_names_that_exist(one: Claim) -> None:
    contrast, conditions = one.contrast, one.conditions
    assert conditions.loop in {"", *EVENT_LOOPS}
    assert conditions.task_factory in TASK_FACTORIES
    assert set(contrast.strategies) <= set(STRATEGIES)
    if isinstance(contrast, ProgramHolds):
        assert set(contrast.programs) <= set(WITNESSES)
        return
    probe = PROBES[contrast.cells.probe]
    own = {PENDING.name} if probe.own_workload else set(WORKLOADS)
    assert set(contrast.cells.workloads) <= own
    assert set(contrast.cells.pauses) <= set(PAUSES)
    if contrast.cells.metric is not None:
        assert contrast.cells.metric in {metric.name for metric in probe.metrics}
    if isinstance(contrast, RatioOf) and isinstance(contrast.against, str):
        assert contrast.against in {**STRATEGIES, **EVENT_LOOPS, **TASK_FACTORIES}


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("3.13.0", (3, 13, 0)), ("3.15.0a1", (3, 15, 0)), ("3.14", (3, 14, 0)), ("3.9+x2", (3, 9, 0))],
)
def test_versions_are_compared_as_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert version_numbers(version) == numbers


def test_pythons_hold_what_lies_in_their_spans() -> None:
    before = Pythons((((3, 12), (3, 12, 9)), ((3, 13), (3, 13, 2))))
    held = [before.hold(version) for version in ("3.12.8", "3.12.9", "3.13.1", "3.13.2", "3.14.0")]
    assert held == [True, False, True, False, False]
    assert str(before) == "Python 3.12 to before 3.12.9 or 3.13 to before 3.13.2"
    assert since(3, 12).hold("3.15.2")
    assert not since(3, 12).hold("3.11.9")
    assert str(since(3, 12)) == "Python 3.12 or later"
    assert str(only(3, 10)) == "Python 3.10"
    assert ANY_PYTHON.hold("3.10.0")


@pytest.mark.parametrize(
    ("claimed", "words"),
    [
        (FASTER, "less than 1.00 x"),
        (Claimed(0, 0.4, "times the time"), "at most 0.400 x"),
        (Claimed(0.25, 0.5, "times the time"), "0.250 to 0.500 x"),
        (Claimed(0.25, inf, "times the time"), "at least 0.250 x"),
        (Claimed(1980, 2420, "bytes per task"), "1,980 to 2,420 B"),
        (Claimed(1, 1, "share"), "100 %"),
        (Claimed(1, 1, "holds"), "holds"),
    ],
)
def test_claimed_intervals_in_words(claimed: Claimed, words: str) -> None:
    assert claimed_words(claimed) == words


# --- the rule -------------------------------------------------------------------------------------


def reading(value: float, half_width: float = 0.01, floor: float = 0.005) -> Reading:
    """A cell whose twelve rounds lie evenly about ln(value)."""
    logs = np.log(value) + np.linspace(-2, 2, 12) * half_width
    low, high = np.exp(np.log(value) - half_width), np.exp(np.log(value) + half_width)
    return Reading(CELL, value, float(low), float(high), floor, logs)


@pytest.mark.parametrize(
    ("cell", "claimed", "where"),
    [
        (reading(0.45), Claimed(0.4, 0.5, "times the time"), "inside"),
        (reading(0.40), Claimed(0.4, 0.5, "times the time"), "between"),
        (reading(0.30), Claimed(0.4, 0.5, "times the time"), "outside"),
        (reading(0.30), Claimed(0.0, 0.5, "times the time"), "inside"),
        (reading(9.00), Claimed(0.4, inf, "times the time"), "inside"),
        (reading(1.00, inf), Claimed(0.4, 2.0, "times the time"), "between"),
        # What is the same within the noise floor is not faster.
        (reading(0.90), FASTER, "inside"),
        (reading(0.98, 0.01, floor=0.05), FASTER, "outside"),
        (reading(1.00, 0.001), FASTER, "outside"),
        (reading(0.995, 0.004), FASTER, "between"),
        # An end at 1 of something that is no ratio is just that.
        (Reading(CELL, 1.0, 1.0, 1.0), Claimed(1.0, 1.0, "share"), "inside"),
        (Reading(CELL, 0.9, 0.8, 1.0), Claimed(1.0, 1.0, "share"), "between"),
    ],
)
def test_where_a_cell_lies(cell: Reading, claimed: Claimed, where: str) -> None:
    assert place(cell, claimed) == where


@pytest.mark.parametrize(
    ("values", "over", "verdict", "shown"),
    [
        ([0.8, 0.9], EACH, REPRODUCED, 0.9),
        ([0.8, 1.2], EACH, NOT_REPRODUCED, 1.2),
        ([0.8, 0.995], EACH, UNDECIDED, 0.995),
        ([0.8, 1.2], MEAN, NOT_REPRODUCED, 1.2),
        ([0.8, 1.2], BEST, REPRODUCED, 0.8),
        ([1.1, 1.2], BEST, NOT_REPRODUCED, 1.1),
        ([0.995, 1.2], BEST, UNDECIDED, 0.995),
    ],
)
def test_cells_make_a_verdict(
    values: Sequence[float], over: Over, verdict: str, shown: float
) -> None:
    decided, cell = decide([reading(value) for value in values], FASTER, over)
    assert (decided, cell.value) == (verdict, shown)


def test_one_unlucky_cell_of_many_refutes_nothing() -> None:
    """In sixty cells at 95 %, one outside is what chance does; far outside is not."""
    rng = np.random.default_rng(1)
    inside = [reading(0.9) for _ in range(59)]
    logs = 0.003 + 0.01 * rng.standard_normal(12)
    unlucky = Reading(CELL, 1.003, 1.0005, 1.006, 0.0, logs)
    assert place(unlucky, FASTER) == "outside"
    assert decide([*inside, unlucky], FASTER, EACH)[0] == UNDECIDED
    assert decide([*inside, reading(1.2)], FASTER, EACH)[0] == NOT_REPRODUCED


def test_what_was_observed_refutes_without_an_estimate() -> None:
    never = Reading(CELL, 0.0, 0.0, 0.0)
    assert decide([never], Claimed(1.0, 1.0, "share"), EACH)[0] == NOT_REPRODUCED
    assert decide([never], Claimed(0.0, 0.0, "share"), EACH)[0] == REPRODUCED


# --- campaigns whose truth is known ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "verdict"), [(0.9, REPRODUCED), (1.1, NOT_REPRODUCED), (1.0, NOT_REPRODUCED)]
)
def test_a_strategy_against_another(tmp_path: Path, effect: float, verdict: str) -> None:
    findings = measure(tmp_path / "c", world={"effects": {"task_group": effect}})
    contrast = RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP)
    [one] = checked(claim(FASTER, contrast), findings)
    assert one.verdict == verdict
    assert one.decisive is not None
    assert one.decisive.value == pytest.approx(effect, rel=0.01)
    assert {cell.reference.cases for cell in one.readings} == {
        ("throughput/noop/10",), ("throughput/noop/1000",),
    }  # fmt: skip


def test_either_way_round_and_between_two_contenders(tmp_path: Path) -> None:
    effects = {"sequential": 0.025, "task_group": 2.0}
    findings = measure(tmp_path / "c", world={"effects": effects})
    forty = Claimed(36, 44, "times the time")
    contrast = RatioOf(("gather_coroutines",), "strategy", "sequential", NOOP)
    assert verdicts(claim(forty, contrast), findings) == {"3.14.10": REPRODUCED}
    eighty = Claimed(72, 88, "times the time")
    contrast = replace(contrast, strategies=("task_group",))
    assert verdicts(claim(eighty, contrast), findings) == {"3.14.10": REPRODUCED}
    assert verdicts(claim(forty, contrast), findings) == {"3.14.10": NOT_REPRODUCED}


@pytest.mark.parametrize(("factor", "verdict"), [(0.3, REPRODUCED), (0.8, NOT_REPRODUCED)])
def test_a_task_factory_against_another(tmp_path: Path, factor: float, verdict: str) -> None:
    findings = measure(
        tmp_path / "c", factories=("lazy", "eager"), world={"factory_factors": {"eager": factor}}
    )
    contrast = RatioOf(("gather_coroutines",), "task_factory", "lazy", NOOP, BEST)
    three_times = Claimed(0, 0.4, "times the time")
    conditions = Conditions(since(3, 12), task_factory="eager")
    assert verdicts(claim(three_times, contrast, conditions), findings) == {"3.14.10": verdict}


@pytest.mark.parametrize(("factor", "verdict"), [(0.4, REPRODUCED), (0.88, NOT_REPRODUCED)])
def test_a_loop_against_another(tmp_path: Path, factor: float, verdict: str) -> None:
    findings = measure(tmp_path / "c", world={"loop_factors": {"asyncio": 1.0, "uvloop": factor}})
    contrast = RatioOf(("gather_coroutines", "task_group"), "loop", "asyncio", NOOP)
    two_to_four = Claimed(0.25, 0.5, "times the time")
    one = claim(two_to_four, contrast, Conditions(loop="uvloop"))
    assert verdicts(one, findings) == {"3.14.10": verdict}
    assert {
        cell.reference.against.split("/")[1] for cell in checked(one, findings)[0].readings
    } == {"asyncio"}


VERSIONS = ("3.13.18", "3.14.10")
TEN_TO_TWENTY = Claimed(0.8, 1 / 1.1, "times the time")
NEWER = RatioOf(("gather_coroutines", "task_group"), "python", only(3, 13), NOOP, MEAN)


@pytest.mark.parametrize(("factor", "verdict"), [(0.85, REPRODUCED), (0.99, NOT_REPRODUCED)])
def test_a_python_against_another(tmp_path: Path, factor: float, verdict: str) -> None:
    findings = measure(
        tmp_path / "c", pythons=VERSIONS, world={"python_factors": {"3.14.10": factor}}
    )
    [one] = checked(claim(TEN_TO_TWENTY, NEWER, Conditions(only(3, 14))), findings)
    assert (one.python, one.verdict) == ("3.14.10", verdict)
    # A mean for each strategy, over both cases.
    assert [len(cell.reference.cases) for cell in one.readings] == [2, 2]


def test_pythons_of_different_builds_are_never_mixed(tmp_path: Path) -> None:
    findings = measure(
        tmp_path / "c", pythons=VERSIONS, builds={"3.13.18": {"pgo": False, "lto": False}},
        world={"python_factors": {"3.14.10": 0.85}},
    )  # fmt: skip
    [one] = checked(claim(TEN_TO_TWENTY, NEWER, Conditions(only(3, 14))), findings)
    assert one.verdict == NOT_MET
    assert one.missing.startswith("the builds differ (Python 3.14.10: ")
    assert "no PGO" in one.missing


def test_the_newest_python_of_the_same_build_is_the_one_to_compare_with(tmp_path: Path) -> None:
    findings = measure(
        tmp_path / "c", pythons=("3.13.2", "3.13.18", "3.13.20", *VERSIONS[1:]),
        builds={"3.13.20": {"pgo": False}},
        world={"python_factors": {"3.13.2": 9.0, "3.13.20": 9.0, "3.14.10": 0.85}},
    )  # fmt: skip
    [one] = checked(claim(TEN_TO_TWENTY, NEWER, Conditions(only(3, 14))), findings)
    assert one.verdict == REPRODUCED
    assert all("cpython-3.13.18" in cell.reference.against for cell in one.readings)


@pytest.mark.parametrize(("size", "verdict"), [(2200, REPRODUCED), (1100, NOT_REPRODUCED)])
def test_bytes_per_task(tmp_path: Path, size: float, verdict: str) -> None:
    findings = measure(
        tmp_path / "c", probes=("memory",), pythons=("3.10.13",), tasks=(10_000, 100_000),
        world={"bytes_per_task": size, "effects": {"gather_tasks": 1.0}},
    )  # fmt: skip
    contrast = PerTask(("gather_tasks",), Cells("memory", ("pending",), (10_000,), metric="steady"))
    about = Claimed(1980, 2420, "bytes per task")
    [one] = checked(claim(about, contrast, Conditions(only(3, 10))), findings)
    assert (one.python, one.verdict, len(one.readings)) == ("3.10.13", verdict, 1)
    assert one.decisive is not None
    assert one.decisive.value == pytest.approx(size, rel=0.02)
    assert one.ours.endswith(" B")


def test_shares_that_were_observed(tmp_path: Path) -> None:
    findings = measure(
        tmp_path / "c", probes=("head_start",), workloads=("sleep",), tasks=(10,),
        pauses=("sleep_20ms", "compute_10ms"),
        world={"loop_factors": {"asyncio": 1.0, "uvloop": 0.8}},
    )  # fmt: skip
    slept = Cells("head_start", ("sleep",), pauses=("sleep_20ms",))
    computed = replace(slept, pauses=("compute_10ms",))

    def verdict(strategy: str, cells: Cells, share: float) -> tuple[str, int]:
        contrast = ObservedOf((strategy,), "started_before_join", cells)
        [one] = checked(
            claim(Claimed(share, share, "share"), contrast, Conditions(loop="")), findings
        )
        return one.verdict, len(one.readings)

    assert verdict("gather_tasks", slept, 1.0) == (REPRODUCED, 2)
    assert verdict("gather_coroutines", slept, 1.0) == (NOT_REPRODUCED, 2)
    assert verdict("gather_coroutines", slept, 0.0) == (REPRODUCED, 2)
    assert verdict("gather_tasks", computed, 0.0) == (REPRODUCED, 2)


def run(holds: bool | None, **fields: Any) -> Run:  # noqa: ANN401
    named: dict[str, Any] = {
        "interpreter": "cpython-3.14.10", "python": "3.14.10", "version": "3.14.10",
        "loop": "asyncio", "task_factory": "lazy", "program": "gather_wraps", "strategy": "",
        "expected": "a", "observed": "b", "reason": "", "measured": {}, "timeline": None, **fields,
    }  # fmt: skip
    return Run(holds=holds, **named)


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ([run(True), run(True, loop="uvloop")], REPRODUCED),
        ([run(True), run(False, loop="uvloop")], NOT_REPRODUCED),
        ([run(True), run(None, loop="uvloop", reason="cannot")], REPRODUCED),
        ([run(None, reason="needs 3.12")], NOT_MET),
        ([run(True, program="another")], NOT_MET),
        ([run(True, task_factory="eager")], NOT_MET),
        ([run(True, interpreter="cpython-3.10.0")], NOT_MET),
    ],
)
def test_programs_that_hold(tmp_path: Path, runs: Sequence[Run], verdict: str) -> None:
    findings = replace(measure(tmp_path / "c"), witness=Witness((), tuple(runs)))
    wraps = claim(Claimed(1, 1, "holds"), ProgramHolds(("gather_wraps",)), Conditions(loop=""))
    [one] = checked(wraps, findings)
    assert one.verdict == verdict
    assert one.ours == {REPRODUCED: "holds", NOT_REPRODUCED: "does not hold"}.get(verdict, "")


def test_an_effect_on_the_very_end_of_the_claim_stays_undecided(tmp_path: Path) -> None:
    findings = measure(tmp_path / "c", world={"effects": {"task_group": 1.25}})
    contrast = RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP, MEAN)
    [one] = checked(claim(Claimed(1.25, 1.5, "times the time"), contrast), findings)
    assert one.verdict == UNDECIDED
    assert one.count == "0 of 1 inside"


def test_too_few_rounds_decide_nothing(tmp_path: Path) -> None:
    findings = measure(tmp_path / "c", rounds=4, world={"effects": {"task_group": 0.5}})
    contrast = RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP)
    [one] = checked(claim(FASTER, contrast), findings)
    assert one.verdict == UNDECIDED
    assert "too few rounds" in one.ours
    assert one.note == "the campaign is unproven"


# --- conditions -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Two Pythons, one of them free-threaded, without uvloop."""
    folder = tmp_path_factory.mktemp("plain") / "c"
    skipped = {"contender": {"interpreter": None, "loop": "uvloop", "task_factory": None,
                             "strategy": None}, "reason": "uvloop is not installed"}  # fmt: skip
    return measure(folder, pythons=("3.13.0", "3.14.0t"), changes={"skipped": [skipped]})


@pytest.mark.parametrize(
    ("contrast", "conditions", "missing"),
    [
        (
            RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP),
            Conditions(only(3, 12)),
            "Python 3.12 is not in the campaign (3.13.0, 3.14.0t)",
        ),
        (
            RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP),
            Conditions(only(3, 14)),
            "Python 3.14 is not in the campaign (3.13.0, 3.14.0t)",
        ),
        (
            RatioOf(("task_group",), "loop", "asyncio", NOOP),
            Conditions(loop="uvloop"),
            "Python 3.13.0 was not measured with uvloop (uvloop is not installed)",
        ),
        (
            RatioOf(("task_group",), "task_factory", "lazy", NOOP),
            Conditions(task_factory="eager"),
            "Python 3.13.0 was not measured with eager tasks",
        ),
        (
            RatioOf(("as_completed",), "strategy", "gather_coroutines", NOOP),
            Conditions(),
            "Python 3.13.0 was not measured with as_completed",
        ),
        (
            RatioOf(("task_group",), "strategy", "gather_coroutines", replace(NOOP, tasks=(7,))),
            Conditions(),
            "throughput/noop/7 was not measured",
        ),
        (
            RatioOf(("task_group",), "strategy", "sequential", NOOP),
            Conditions(),
            "Python 3.13.0 has no await one by one to hold it against in throughput/noop",
        ),
        (
            RatioOf(("task_group",), "python", only(3, 11), NOOP),
            Conditions(),
            "there is no Python 3.11 in the campaign to hold Python 3.13.0 against",
        ),
        (
            RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP),
            Conditions(system="Windows"),
            "the machine's system is Linux 6.1 x86_64, not Windows",
        ),
        (
            ProgramHolds(("gather_wraps",)),
            Conditions(),
            "the programs were not run in this campaign",
        ),
    ],
)
def test_what_is_missing_is_said(
    plain: Findings, contrast: Contrast, conditions: Conditions, missing: str
) -> None:
    [one] = checked(claim(FASTER, contrast, conditions), plain)
    assert (one.verdict, one.missing, one.ours) == (NOT_MET, missing, "")


def test_builds_are_matched_by_their_facts(plain: Findings) -> None:
    contrast = RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP)
    free = Conditions(build={"free_threaded": True})
    assert list(verdicts(claim(FASTER, contrast, free), plain)) == ["3.14.0t"]
    either = Conditions(build={"debug": False, "unheard_of": True})
    assert list(verdicts(claim(FASTER, contrast, either), plain)) == ["3.13.0", "3.14.0t"]
    assert verdicts(claim(FASTER, contrast, Conditions(implementation="pypy")), plain) == {
        "": NOT_MET
    }


# --- the ledger -----------------------------------------------------------------------------------


def test_a_claim_is_unmet_only_where_no_campaign_meets_it(tmp_path: Path, plain: Findings) -> None:
    other = measure(tmp_path / "other", world={"effects": {"task_group": 0.5}})
    contrast = RatioOf(("task_group",), "strategy", "gather_coroutines", NOOP)
    met = claim(FASTER, contrast, Conditions(only(3, 14)))
    unmet = claim(FASTER, contrast, Conditions(only(3, 11)))
    one, two = ledger([plain, other], [met, unmet])
    assert (one.campaign, one.python, one.verdict) == ("other", "3.14.10", REPRODUCED)
    assert two.verdict == NOT_MET
    assert two.missing == (
        "c: Python 3.11 is not in the campaign (3.13.0, 3.14.0t); "
        "other: Python 3.11 is not in the campaign (3.14.10)"
    )


def test_the_table_has_a_row_for_every_check(plain: Findings) -> None:
    checks = ledger([plain])
    assert {one.claim.name for one in checks} == {one.name for one in CLAIMS}
    table, short = claims_table(checks), claims_table(checks, short=True)
    assert len(table.rows) == len(short.rows) == len(checks)
    assert [row[0] for row in table.rows] == [one.claim.statement for one in checks]
    assert [row[0] for row in short.rows] == [one.claim.name for one in checks]
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert all(
        row[-1].startswith(check.verdict) for row, check in zip(table.rows, checks, strict=True)
    )


@pytest.mark.skipif(not REFERENCES, reason="there is no reference campaign")
def test_every_row_has_a_verdict_on_the_reference_campaigns() -> None:
    checks = ledger([find(read_campaign(folder)) for folder in REFERENCES])
    assert {one.claim.name for one in checks} == {one.name for one in CLAIMS}
    for one in checks:
        assert (one.verdict == NOT_MET) == (one.decisive is None), one.claim.name
        assert (one.verdict == NOT_MET) == bool(one.missing), one.claim.name


def test_the_command_prints_the_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    effects: Mapping[str, float] = {"gather_tasks": 1.0, "task_group": 0.5}
    measure(tmp_path / "one", world={"effects": effects})
    assert main(["claims", str(tmp_path / "one")]) == 0
    out, err = capsys.readouterr()
    assert "task-group-everywhere" in out
    assert "reproduced" in out
    assert err == ""
    assert main(["claims", str(tmp_path / "absent")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
