"""The selftest: its plan, its journal, its statistics and its page; of figures, the slow test."""

from __future__ import annotations

import itertools
import math
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pyperf
import pyperf._utils
import pytest

from analysis.estimate.intervals import FloatArray
from analysis.judge.contrasts import STRATEGY
from analysis.read.load import read_campaign
from analysis.show import tables
from benchmarks.matrix import MAIN
from harness.commands import rows_of
from harness.neighbour import neighbour
from harness.selftest import __main__ as selftest
from harness.selftest import arms, experiment, planted, show
from harness.selftest.arms import ARMS, OURS, Estimate, Outcome, Pair, Site, Trial
from harness.selftest.experiment import CONDITIONS, Done, SelftestError, Setting, plan
from harness.selftest.summary import Share, is_beyond, summarise
from harness.steady import Steady
from tests import campaigns
from tests.repository import REPOSITORY

NOTHING = Estimate(0.0, -0.01, 0.01, differs=False)
SITE = Site(Path("nowhere"), Path("base"), "3.11.7", Path("python"))
SETTING = Setting(
    "hash", "3.11.7", {"id": "1", "cpu_model": "a|b", "cpu_count": "2", "system": "Linux"}, 20.0, {}
)


def done(
    arm: str = OURS,
    *,
    condition: str = "as it is",
    repetition: int = 0,
    slower: float = 0.02,
    workload: str = "sums",
    same: Estimate = NOTHING,
    said: Estimate | None = None,
) -> Done:
    truth = math.log1p(slower)
    said = said or Estimate(truth, truth - 0.001, truth + 0.001, differs=True)
    return Done(arm, condition, repetition, workload, slower, truth, 20.5, Outcome(same, said))


# --- the plan -------------------------------------------------------------------------------------


def test_ours_takes_part_in_every_repetition_and_the_others_in_three_of_five() -> None:
    asked = [one for group in plan(100) for one in group]
    taken = Counter((one.arm, one.condition) for one in asked)
    assert taken == {
        (arm, condition): 100 if arm == OURS else 60 for arm in ARMS for condition in CONDITIONS
    }
    assert len({one.key for one in asked}) == len(asked)


@pytest.mark.parametrize("arm", ARMS)
def test_every_pair_comes_equally_often(arm: str) -> None:
    asked = [one for group in plan(100) for one in group]
    pairs = Counter((one.workload, one.slower) for one in asked if one.arm == arm)
    assert len(pairs) == 8
    assert max(pairs.values()) - min(pairs.values()) <= len(CONDITIONS)


def test_the_order_is_random_and_the_same_when_asked_again() -> None:
    groups = list(plan(20))
    assert groups == list(plan(20))
    assert len({tuple(one.arm for one in group) for group in groups}) > 10
    assert len({groups[3 * i][0].condition for i in range(20)}) == len(CONDITIONS)


# --- the journal ----------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """Arms that take no time, in the machine as it is; what they were asked for."""
    asked: list[Trial] = []

    def arm(trial: Trial) -> Outcome:
        asked.append(trial)
        return Outcome(NOTHING, NOTHING)

    monkeypatch.setattr(experiment, "ARMS", dict.fromkeys(ARMS, arm))
    monkeypatch.setattr(experiment, "CONDITIONS", {"as it is": 0.0})
    monkeypatch.setattr(experiment, "_work_share", lambda where, workload: 0.9)
    return asked


def test_a_second_run_goes_on_where_the_first_one_ended(tmp_path: Path, quick: list[Trial]) -> None:
    journal = tmp_path / "out" / "trials.jsonl"
    run = experiment.run(SITE, journal, 2, 20.0, math.inf)
    first = list(itertools.islice(run, 3))
    with journal.open("ab") as stream:
        stream.write(b'{"arm": "cut off')
    rest = list(experiment.run(SITE, journal, 2, 20.0, math.inf))
    assert len(first) + len(rest) == len(quick) == 8
    setting, every = experiment.read(journal)
    assert setting is not None
    assert setting.work_share == {"sums": 0.9, "fan_outs": 0.9}
    assert [*first, *rest] == every
    assert every[0].truth == math.log1p(0.9 * every[0].slower)


def test_it_ends_in_time(tmp_path: Path, quick: list[Trial]) -> None:
    assert list(experiment.run(SITE, tmp_path / "trials.jsonl", 2, 20.0, 0.0)) == []
    assert quick == []


def test_what_this_suite_says_is_estimated_anew(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    costs = tuple(map(tuple, rng.normal(-7.0, 0.01, (3, 12)).tolist()))
    trials = [done(), done("whole processes")]
    stale = Outcome(NOTHING, NOTHING, costs)
    lines = [SETTING, msgspec.structs.replace(trials[0], outcome=stale), trials[1]]
    journal = tmp_path / "trials.jsonl"
    journal.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    _, (ours, other) = experiment.read(journal)
    assert ours.outcome == arms.of_rounds(costs)
    assert ours.outcome.same != NOTHING
    assert other == trials[1]


def test_trials_of_other_code_are_not_mixed(tmp_path: Path, quick: list[Trial]) -> None:
    journal = tmp_path / "trials.jsonl"
    journal.write_bytes(msgspec.json.encode(SETTING) + b"\n")
    with pytest.raises(SelftestError, match=r"trials.jsonl is of other code: name another folder"):
        next(experiment.run(SITE, journal, 1, 20.0, math.inf))


def test_trials_of_another_length_are_not_mixed(tmp_path: Path, quick: list[Trial]) -> None:
    journal = tmp_path / "trials.jsonl"
    list(experiment.run(SITE, journal, 1, 20.0, math.inf))
    with pytest.raises(SelftestError, match="has trials of 20 s, not of 4 s"):
        next(experiment.run(SITE, journal, 1, 4.0, math.inf))


def test_trials_that_are_complete_need_neither_code_nor_machine(
    tmp_path: Path, quick: list[Trial]
) -> None:
    journal = tmp_path / "trials.jsonl"
    made = list(experiment.run(SITE, journal, 1, 20.0, math.inf))
    text = journal.read_text().replace(experiment.method_hash(), "other")
    journal.write_text(text)
    assert list(experiment.run(SITE, journal, 1, 20.0, math.inf)) == []
    assert len(made) == len(quick) == len(ARMS)
    with pytest.raises(SelftestError, match="of other code"):
        next(experiment.run(SITE, journal, 2, 20.0, math.inf))


@pytest.mark.parametrize(
    ("change", "what"),
    [({"python": "3.12.1"}, "Python 3.12.1"), ({"machine": {"id": "2"}}, "another machine")],
)
def test_trials_of_another_machine_or_python_are_not_mixed(
    tmp_path: Path, quick: list[Trial], change: dict[str, Any], what: str
) -> None:
    journal = tmp_path / "trials.jsonl"
    next(experiment.run(SITE, journal, 1, 20.0, math.inf))
    setting, _ = experiment.read(journal)
    assert setting is not None
    first = msgspec.json.encode(msgspec.structs.replace(setting, **change))
    journal.write_bytes(first + b"\n")
    with pytest.raises(SelftestError, match=f"is of {what}: name another folder"):
        next(experiment.run(SITE, journal, 1, 20.0, math.inf))


def test_the_hash_is_of_the_code_that_makes_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = experiment.method_hash()
    source = Path(arms.__file__).read_text(encoding="utf-8")
    copy = tmp_path / "arms.py"
    monkeypatch.setattr(arms, "__file__", str(copy))
    copy.write_text(f"# a comment\n{source}", encoding="utf-8")
    assert experiment.method_hash() == before
    copy.write_text(source.replace("PROCESS_SECONDS = 0.4", "PROCESS_SECONDS = 0.5"))
    assert experiment.method_hash() != before


def test_the_share_of_work_is_what_twice_as_much_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {0.0: "1.0", planted.TWICE: "1.98"}
    monkeypatch.setattr(Site, "fan_out", lambda where, pair, slower, *options: said[slower])
    assert experiment._work_share(SITE, "sums") == pytest.approx(0.98)


def test_a_journal_that_is_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / selftest.JOURNAL).write_text("{}\n{}\n")
    assert selftest.main(["page", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "trials.jsonl, line 1: Object missing required field" in said


# --- statistics -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(5, 100, 0.01643, 0.11283), (0, 10, 0.0, 0.30850), (60, 60, 0.94037, 1.0)],  # R: binom.test
)
def test_shares_have_the_interval_of_clopper_and_pearson(
    hits: int, trials: int, low: float, high: float
) -> None:
    assert Share(hits, trials).ends == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_no_trials_says_nothing() -> None:
    assert Share(0, 0).ends == (0.0, 1.0)
    assert math.isnan(Share(0, 0).value)


def _samples(spread: float, ratio: float, seed: int, size: int = 12) -> Sequence[FloatArray]:
    rng = np.random.default_rng(seed)
    return [mean * (1 + spread * rng.standard_normal(size)) for mean in (1.0, 1.0, ratio)]


def test_pyperfs_arm_says_what_pyperf_says() -> None:
    for seed in range(100):
        values = _samples(0.02, 1.01, seed)
        ours = arms._by_means(values, equal_variances=True)
        assert ours.same.differs == pyperf._utils.is_significant(values[0], values[1])[0]
        assert ours.same.differs == (ours.same.low > 0 or ours.same.high < 0)


@pytest.mark.parametrize("equal_variances", [True, False])
def test_intervals_of_means_have_the_truth_in_95_of_100(equal_variances: bool) -> None:
    hits = 0
    for seed in range(1000):
        said = arms._by_means(_samples(0.02, 1.02, seed), equal_variances=equal_variances).slower
        hits += said.low <= math.log(1.02) <= said.high
    assert 935 <= hits <= 965


def test_paired_intervals_have_the_truth_in_95_of_100() -> None:
    rng = np.random.default_rng(1)
    found = (arms._paired(0.02 + 0.01 * rng.standard_normal(10)) for _ in range(1000))
    assert 935 <= sum(one.low <= 0.02 <= one.high for one in found) <= 965


@pytest.mark.parametrize("rounds", [5, 20])
def test_ours_says_what_the_table_of_a_campaign_says(tmp_path: Path, rounds: int) -> None:
    folder = campaigns.write(
        tmp_path / "c", strategies=MAIN[:2], cases=campaigns.NOOP[:1], rounds=rounds
    )
    campaign = read_campaign(folder)
    outcome = arms.of_rounds(arms.costs_of(campaign))
    for said, control in ((outcome.same, True), (outcome.slower, False)):
        [row] = rows_of(campaign, STRATEGY, control=control).to_dict("records")
        ends = np.log(np.clip([row["low"], row["high"]], math.exp(-20.0), math.exp(20.0)))
        assert said.value == pytest.approx(np.log(row["ratio"]), abs=3e-6)
        assert [said.low, said.high] == pytest.approx(ends, abs=3e-6)
        assert said.differs == row["differs"]


def test_the_floor_is_that_of_the_verdicts() -> None:
    assert is_beyond(math.log(1.0051), 0.1)
    assert is_beyond(-0.1, math.log(0.9949))
    assert not is_beyond(math.log(1.0049), 0.1)
    assert not is_beyond(-0.1, math.log(0.9951))


def test_a_summary_counts_what_was_said() -> None:
    missed = Estimate(-0.01, -0.02, -0.005, differs=True)
    unsure = Estimate(0.01, -0.01, 0.05, differs=False)
    told = Estimate(0.02, 0.01, 0.03, differs=True)
    trials = [
        done(slower=0.005, said=unsure),
        done(slower=0.02),
        done(slower=0.02, said=missed, same=told),
        done(slower=0.05),
    ]
    one = summarise(trials)
    assert one.trials == 4
    assert (one.told_different, one.beyond_floor) == (Share(1, 4), Share(1, 4))
    assert one.covered == Share(3, 4)
    assert one.found == (Share(0, 1), Share(0, 0), Share(1, 2), Share(1, 1))
    assert one.said_slower == (Share(0, 1), Share(0, 0), Share(1, 2), Share(1, 1))
    assert (one.wrong_signs, one.undetected) == (Share(1, 4), Share(1, 4))
    errors = [0.01 - math.log(1.005), 0, -0.01 - math.log(1.02), 0]
    assert one.median_error == pytest.approx((0.01 - math.log(1.005)) / 2)
    assert one.error == pytest.approx(math.sqrt(sum(error**2 for error in errors) / 4))
    half_widths = sorted([0.03, 0.001, 0.0075, 0.001])
    assert one.half_width == pytest.approx(sum(half_widths[1:3]) / 2)


def test_the_smallest_slowdown_found_lies_between_those_tried() -> None:
    unsure = Estimate(0.0, -0.1, 0.1, differs=False)
    rest = [done(slower=by, repetition=i) for by in (0.02, 0.05) for i in range(2)]
    halves = [done(slower=0.01), done(slower=0.01, said=unsure), done(slower=0.005, said=unsure)]
    one = summarise([*rest, *halves])
    assert [share.value for share in one.found] == [0.0, 0.5, 1.0, 1.0]
    assert one.smallest_found == pytest.approx(0.016)
    none = summarise([done(slower=0.05, said=unsure)])
    assert math.isinf(none.smallest_found)
    # One that was found by chance is no place to begin.
    late = [done(slower=0.005), done(slower=0.01, said=unsure), done(slower=0.02)]
    assert summarise(late).smallest_found == pytest.approx(0.018)
    assert summarise([done(slower=0.005)]).smallest_found == 0.005


# --- what is planted ------------------------------------------------------------------------------


@pytest.mark.parametrize("slower", [0.0, *planted.SLOWER])
def test_what_is_slower_does_so_many_units_more(slower: float, tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, '.'); "
        "from harness.selftest import planted; print(planted._numbers, planted._fan_outs)"
    )
    name = planted.name_of(slower) if slower else "none"
    said = subprocess.run(
        [sys.executable, "-c", program, name], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [int(count) for count in said] == [
        round(200_000 * (1 + slower)),
        round(200 * (1 + slower)),
    ]


def test_nothing_is_planted_in_the_suite_itself() -> None:
    from benchmarks.strategies import STRATEGIES
    from benchmarks.workloads import WORKLOADS

    assert not any(planted.name_of(share) in STRATEGIES for share in planted.SLOWER)
    assert planted.sums.__name__ not in WORKLOADS


@pytest.mark.parametrize(
    "name", [name if name == OURS else pytest.param(name, marks=pytest.mark.slow) for name in ARMS]
)
def test_an_arm_measures_what_was_planted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real processes for some seconds, what is slower takes thrice as long; how exact they are is
    for the slow test.
    """
    source = Path(planted.__file__).read_text(encoding="utf-8")
    much = re.sub(r"SLOWER = .*", "SLOWER = (2.0,)", source)
    (tmp_path / "planted.py").write_text(much, encoding="utf-8")
    monkeypatch.setattr(planted, "__file__", str(tmp_path / "planted.py"))
    pair = Pair(planted.sums.__name__, 10, 2.0)
    with arms.site(None) as where:
        outcome = ARMS[name](Trial(where, pair, 6.0, 1))
    for one in (outcome.same, outcome.slower):
        assert one.low <= one.value <= one.high
    assert outcome.slower.value > outcome.same.value + math.log(1.5)


def test_pyperfs_arm_takes_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process takes 0.5 s, and each call one more for its calibration."""
    clock, asked = [100.0], list[int]()

    def fan_out(where: Site, pair: Pair, slower: float, *options: str) -> str:
        asked.append(int(options[options.index("--processes") + 1]))
        clock[0] += 0.5 * (asked[-1] + 1)
        return ""

    def load(path: str) -> SimpleNamespace:
        return SimpleNamespace(get_values=lambda: [1.0] * asked[-1])

    monkeypatch.setattr(Site, "fan_out", fan_out)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pyperf.Benchmark, "load", load)
    values = arms._by_pyperf(Trial(SITE, Pair("sums", 2, 0.02), 20.0, 1), 0.02, 106.7)
    assert asked == [arms.PYPERF_PROCESSES, 7]
    assert len(values) == sum(asked)
    assert clock[0] == pytest.approx(106.7, abs=0.5)


def test_a_neighbour_that_did_not_last_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with neighbour(0.2):
        time.sleep(0.3)
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(subprocess.CalledProcessError), neighbour(0.2):
        time.sleep(0.3)


# --- the page -------------------------------------------------------------------------------------


def _trials() -> list[Done]:
    return [
        done(one.arm, condition=one.condition, repetition=one.repetition, slower=one.slower)
        for group in plan(10)
        for one in group
    ]


def test_the_page_has_every_condition_and_arm() -> None:
    steady = [Steady("3.11.7", "noop", 100, 0.9, 0.89, 0.91, 0.92, 0.91, 0.93)]
    files = show.files_of(show.Shown(SETTING, _trials(), steady))
    text = files["README.md"].decode()
    ours = "False alarms of this suite: 0 of 30 trials, 0 % [0, 12] (5 % are expected)"
    loads = ("No added load", "Other core busy 3 of 6 s", "Other core busy 30 of 60 s")
    for words in (*ARMS, *loads, ours, "a\\|b", "0.900 [0.890, 0.910]", "-2.0"):
        assert words in text
    charts = [name for name in files if name.endswith("-dark.svg")]
    assert charts == ["charts/errors-dark.svg", "charts/same-dark.svg", "charts/power-dark.svg"]
    page = files["index.html"].decode()
    assert page.count("<svg") == 3
    assert "a|b" in page


def test_the_overview_compares_errors_within_a_condition() -> None:
    truth = math.log1p(0.02)
    near, far = (Estimate(truth + by, 0.0, 0.1, differs=True) for by in (0.001, 0.012))
    trials = [done(said=near), done("whole processes", said=far)]
    trials += [done("whole processes", condition=list(CONDITIONS)[1], said=far)]
    table = show.overview(show.Shown(SETTING, trials, []))
    rows = [[cell.text for cell in row[1:]] for row in table.rows]
    assert rows == [
        [OURS, "0.10 %", "0 % [0, 98]", "100 % [3, 100]", "0 of 0", "1 of 1"],
        ["whole processes", "1.2 % (12)", "0 % [0, 98]", "100 % [3, 100]", "0 of 0", "1 of 1"],
        ["whole processes", "1.2 %", "0 % [0, 98]", "100 % [3, 100]", "0 of 0", "1 of 1"],
    ]


def test_errors_are_those_of_a_workload() -> None:
    off = Estimate(math.log1p(0.02) + 0.001, 0.0, 0.1, differs=True)
    trials = [done(), done(said=off), done(said=off, workload="fan_outs")]
    files = show.files_of(show.Shown(SETTING, trials, []))
    text = files["README.md"].decode()
    assert "| No added load | this suite | 0.10 % | 0.071 % |" in text
    assert "Fan-outs: after 20 s a ratio is off by 0.10 % with this suite (root mean" in text
    assert len(show._errors(show.Shown(SETTING, trials, [])).axes) == 2


def test_every_panel_has_its_own_numbers_below() -> None:
    trials = _trials()
    off = Estimate(0.2, 0.1, 0.3, differs=True)
    trials += [done(condition=list(CONDITIONS)[1], repetition=20, said=off, same=off)]
    shown = show.Shown(SETTING, trials, [])
    for draw in (show._errors, show._same):
        drawing = draw(shown)
        drawing.figure.canvas.draw()
        first, second, third = (
            [label.get_text() for label in axes.get_xticklabels()] for axes in drawing.axes
        )
        assert first == third
        assert first[0] != second[0]
        assert first[1:] == second[1:]


def test_the_steady_state_is_measured_once_and_kept_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Steady("3.11.7", "noop", 100, 0.9, 0.89, 0.91, 0.92, 0.91, 0.93)

    def cut_off() -> Iterator[Steady]:
        yield row
        raise KeyboardInterrupt

    words, file = ["steady", "--out", str(tmp_path)], tmp_path / selftest.STEADY
    monkeypatch.setattr(selftest, "cells", cut_off)
    assert selftest.main(words) == 130
    assert not file.exists()
    monkeypatch.setattr(selftest, "cells", lambda: iter([row, row]))
    assert selftest.main(words) == 0
    monkeypatch.setattr(selftest, "cells", cut_off)
    assert selftest.main(words) == 0
    assert [msgspec.json.decode(line, type=Steady) for line in file.read_bytes().splitlines()] == [
        row,
        row,
    ]


def test_only_arms_whose_intervals_hold_are_said_to_save_time() -> None:
    beside = Estimate(0.5, 0.4, 0.6, differs=True)
    trials = [done("whole processes", repetition=i, said=beside) for i in range(20)]
    text = show.files_of(show.Shown(SETTING, [*trials, done()], []))["README.md"].decode()
    assert "not comparable" in text
    wide = Estimate(0.02, -0.08, 0.12, differs=False)
    trials = [done("whole processes", repetition=i, said=wide) for i in range(20)]
    text = show.files_of(show.Shown(SETTING, [*trials, done()], []))["README.md"].decode()
    assert "| 10,000 |" in text


def test_the_committed_page_and_the_methodology_say_what_the_committed_trials_say() -> None:
    folder = REPOSITORY / "results" / "reference" / "selftest"
    shown = selftest.shown_in(folder)
    assert show.files_of(shown)["README.md"] == (folder / "README.md").read_bytes()
    methodology = (REPOSITORY / "METHODOLOGY.md").read_text(encoding="utf-8")
    assert tables.markdown(show.overview(shown)) in methodology


@pytest.mark.slow
def test_the_selftest_finds_what_was_planted(tmp_path: Path) -> None:
    """Some minutes, on a machine that does nothing else."""
    out = str(tmp_path / "selftest")
    words = ["trials", "page", "--out", out, "--trial", "8s", "--repetitions", "2"]
    assert selftest.main(words) == 0
    _, every = experiment.read(tmp_path / "selftest" / selftest.JOURNAL)
    assert len(every) == 2 * len(ARMS) * len(CONDITIONS)
    for condition in CONDITIONS:
        ours = summarise([one for one in every if (one.arm, one.condition) == (OURS, condition)])
        assert ours.error < 0.02
        assert ours.wrong_signs.hits == 0
    assert (tmp_path / "selftest" / "README.md").is_file()
