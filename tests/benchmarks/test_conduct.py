"""The campaign with fake workers and a fake clock: order, fairness, stopping, trouble, resuming."""

from __future__ import annotations

import errno
import itertools
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.campaign.conduct import Conductor, Environment, sweep_order
from benchmarks.campaign.journal import Journal, Record, State
from benchmarks.campaign.plan import SLICE_SECONDS, Plan
from benchmarks.campaign.stop import MAX_SWEEPS, MIN_ROUNDS
from benchmarks.campaign.workers import WorkerError
from benchmarks.cases import Case, Contender
from benchmarks.matrix import Selection
from tests.benchmarks.fakes import (
    CASE_LOOPS,
    FakeExecutor,
    FullDisk,
    Recorder,
    Script,
    Turn,
    make_plan,
)


class Campaign:
    """A plan, its journal on the disk, and what its workers were asked."""

    def __init__(self, folder: Path, plan: Plan, script: Script) -> None:
        self.plan = plan
        self.script = script
        self.observer = Recorder()
        self.journal = Journal.create(folder)

    def run(self) -> State:
        return self.conductor().run()

    def conductor(self, state: State | None = None) -> Conductor:
        environment = Environment(
            FakeExecutor(self.script), self.journal, self.observer, self.script.clock
        )
        return Conductor(self.plan, environment, state)

    def resume(self, *, changes: Plan | None = None) -> State:
        self.plan, state = self.journal.load()
        if changes is not None:
            self.plan = changes
        return self.conductor(state).run()

    @property
    def records(self) -> list[Record]:
        return list(self.journal.records())

    def saved(self) -> State:
        return self.journal.load()[1]

    def rounds_of(self, case: Case) -> list[int]:
        return [record.round for record in self.records if record.case == case.id]


MakeCampaign = Callable[[Plan, Script], Campaign]


@pytest.fixture
def make(tmp_path: Path) -> MakeCampaign:
    numbers = itertools.count()
    return lambda plan, script: Campaign(tmp_path / f"campaign-{next(numbers)}", plan, script)


def noisy(spread: float, seed: int = 5) -> Callable[[Turn], float]:
    """Values that scatter by this standard deviation of their logarithm."""
    rng = random.Random(seed)
    return lambda turn: rng.lognormvariate(-7.0, spread)


def sweeps_of(turns: Sequence[Turn], plan: Plan) -> Iterator[tuple[Case, list[Contender]]]:
    """The turns of a campaign without failures, cut into sweeps."""
    size = len(plan.contenders)
    for start in range(0, len(turns), size):
        sweep = turns[start : start + size]
        assert len({turn.case for turn in sweep}) == 1, "a sweep is of one case"
        yield sweep[0].case, [turn.contender for turn in sweep]


# Taking turns


def test_every_contender_has_exactly_one_slice_in_every_sweep(make: MakeCampaign) -> None:
    plan = make_plan(loops=("asyncio", "uvloop"))
    campaign = make(plan, Script())
    state = campaign.run()
    sweeps = list(sweeps_of(campaign.script.turns, plan))
    assert all(sorted(order, key=id) == sorted(plan.contenders, key=id) for _, order in sweeps)
    assert len(sweeps) == len(plan.cases) * MIN_ROUNDS * MAX_SWEEPS
    assert state.status == "complete"


def test_the_order_is_drawn_anew_for_every_sweep(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,))
    campaign = make(plan, Script())
    campaign.run()
    orders = [tuple(order) for _, order in sweeps_of(campaign.script.turns, plan)]
    repeated = sum(first == second for first, second in itertools.pairwise(orders))
    # Of 24 orders the same comes twice in a row once in 24 times.
    assert repeated < 3 * len(orders) / 24
    assert len(set(orders)) == 24


def test_every_place_in_the_order_is_taken_about_equally_often(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,))
    campaign = make(plan, Script())
    campaign.run()
    orders = [order for _, order in sweeps_of(campaign.script.turns, plan)]
    taken = Counter((contender, place) for order in orders for place, contender in enumerate(order))
    expected = len(orders) / 4
    deviation = (len(orders) * 0.25 * 0.75) ** 0.5
    assert len(taken) == 16
    assert all(abs(count - expected) < 4 * deviation for count in taken.values())


def test_only_one_worker_is_ever_asked_at_a_time_while_all_are_alive(make: MakeCampaign) -> None:
    alive = []
    script = Script()
    script.on_turn = lambda turn: alive.append(len(script.open_workers))
    plan = make_plan()
    make(plan, script).run()
    assert script.most_asked_at_once == 1
    assert set(alive) == {len(plan.contenders)}


def test_cases_come_in_another_order_in_other_rounds(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(1, 2, 3, 4))
    campaign = make(plan, Script())
    campaign.run()
    orders: dict[int, list[str]] = defaultdict(list)
    for record in campaign.records:
        orders[record.round].append(record.case)
    assert len(orders) == MIN_ROUNDS
    assert all(sorted(order) == [case.id for case in plan.cases] for order in orders.values())
    assert len(set(map(tuple, orders.values()))) > MIN_ROUNDS / 2


def test_the_same_seed_gives_the_same_order_and_another_seed_another(make: MakeCampaign) -> None:
    def turns(seed: int) -> list[Turn]:
        campaign = make(make_plan(seed=seed), Script())
        campaign.run()
        return campaign.script.turns

    first = turns(1)
    assert turns(1) == first
    assert turns(2) != first
    assert sorted(map(repr, turns(2))) == sorted(map(repr, first))


def test_workers_are_fresh_in_every_round_and_none_is_left(make: MakeCampaign) -> None:
    plan = make_plan()
    campaign = make(plan, Script())
    campaign.run()
    # One crew calibrates, one serves each round.
    assert campaign.script.started == [plan.contenders] * (1 + MIN_ROUNDS)
    assert campaign.script.open_workers == []


def test_workers_are_asked_for_the_inner_loops_they_found(make: MakeCampaign) -> None:
    plan = make_plan()
    campaign = make(plan, Script())
    campaign.run()
    assert {turn.loops for turn in campaign.script.turns} == {CASE_LOOPS}
    assert campaign.saved().loops == {case.id: CASE_LOOPS for case in plan.cases}
    assert set(campaign.script.calibrations) == set(itertools.product(plan.contenders, plan.cases))


# The journal


def test_the_journal_has_one_line_for_every_round_and_case(make: MakeCampaign) -> None:
    plan = make_plan(probes=("throughput", "latency"))
    campaign = make(plan, Script(seconds=lambda turn: turn.case.tasks * 1e-6))
    state = campaign.run()
    keys = [(record.round, record.case) for record in campaign.records]
    assert sorted(keys) == sorted(
        itertools.product(range(MIN_ROUNDS), [case.id for case in plan.cases])
    )
    cases = {case.id: case for case in plan.cases}
    for record in campaign.records:
        case = cases[record.case]
        assert record.failures == {}
        assert set(record.cells) == {contender.id for contender in plan.contenders}
        for cell in record.cells.values():
            assert cell.loops == CASE_LOOPS
            assert set(map(len, cell.values.values())) == {state.sweeps[record.case]}
            assert {*itertools.chain(*cell.values.values())} == {case.tasks / 1e6}
            assert cell.timed_seconds == pytest.approx(SLICE_SECONDS * state.sweeps[record.case])


def test_values_stand_in_the_order_of_the_sweeps(make: MakeCampaign) -> None:
    count = itertools.count(1)
    script = Script(seconds=lambda turn: float(next(count)))
    plan = make_plan(tasks=(10,), precision=0.5, budget_seconds=100.0)
    campaign = make(plan, script)
    campaign.run()
    record = campaign.records[0]
    for sweep in range(len(next(iter(record.cells.values())).values["total"])):
        values = sorted(cell.values["total"][sweep] for cell in record.cells.values())
        first = 1 + sweep * len(plan.contenders)
        assert values == [first + place for place in range(len(plan.contenders))]


def test_a_line_is_on_the_disk_before_the_next_case_begins(make: MakeCampaign) -> None:
    script = Script()
    plan = make_plan()
    campaign = make(plan, script)
    per_case = len(plan.contenders) * MAX_SWEEPS

    def check(turn: Turn) -> None:
        finished = (len(script.turns) - 1) // per_case
        assert len(campaign.records) == finished

    script.on_turn = check
    campaign.run()
    assert len(campaign.records) == MIN_ROUNDS * len(plan.cases)


def test_the_state_is_running_while_it_runs_and_complete_in_the_end(make: MakeCampaign) -> None:
    seen = set()
    script = Script()
    campaign = make(make_plan(), script)
    script.on_turn = lambda turn: seen.add((campaign.saved().status, campaign.saved().finished))
    state = campaign.run()
    assert seen == {("running", None)}
    assert campaign.saved() == replace(state, elapsed_seconds=round(state.elapsed_seconds, 3))
    assert state.status == "complete"
    assert state.finished is not None
    assert state.rounds == MIN_ROUNDS
    assert state.peak_worker_bytes == 1000
    assert state.conditions == {
        contender.id: {"loop_class": "asyncio"} for contender in campaign.plan.contenders
    }


def test_the_observer_hears_of_every_case_that_begins(make: MakeCampaign) -> None:
    plan = make_plan()
    campaign = make(plan, Script())
    campaign.run()
    progress = campaign.observer.progress
    assert [(row.stage, row.index, row.count) for row in progress[:4]] == [
        ("calibrating", 1, 2), ("calibrating", 2, 2), ("round 1", 1, 2), ("round 1", 2, 2),
    ]  # fmt: skip
    assert len(progress) == 2 * (1 + MIN_ROUNDS)
    assert [row.elapsed_seconds for row in progress] == sorted(
        row.elapsed_seconds for row in progress
    )
    assert progress[-1].half_width == 0.0


# Blocks

BLOCKS = (
    Selection(probes=("throughput",), workloads=("noop",), tasks=(10, 100), loops=("asyncio",)),
    Selection(
        probes=("throughput",), workloads=("noop",), tasks=(100,), loops=("asyncio",),
        strategies=("wait",), collectors=("on", "off"),
    ),
    Selection(probes=("cancel",), tasks=(5,), loops=("uvloop",), strategies=("wait",)),
)  # fmt: skip


def test_contenders_are_asked_the_cases_of_their_blocks_and_no_others(make: MakeCampaign) -> None:
    plan = make_plan(selections=BLOCKS)
    campaign = make(plan, Script())
    state = campaign.run()
    pairs = itertools.product(plan.contenders, plan.cases)
    expected = {(contender, case) for contender, case in pairs if plan.asks(contender, case)}
    assert 0 < len(expected) < len(plan.contenders) * len(plan.cases)
    assert set(campaign.script.calibrations) == expected
    assert {(turn.contender, turn.case) for turn in campaign.script.turns} == expected
    assert len(campaign.script.calibrations) == len(expected)
    assert state.status == "complete"
    by_case = {case.id: case for case in plan.cases}
    for record in campaign.records:
        asked = {row.id for row in plan.contenders if plan.asks(row, by_case[record.case])}
        assert set(record.cells) == asked


def test_every_block_stops_when_its_own_intervals_are_narrow(make: MakeCampaign) -> None:
    """Contenders that are not asked a case are not waited for there."""
    plan = make_plan(selections=BLOCKS)
    campaign = make(plan, Script(seconds=noisy(0.001)))
    assert campaign.run().rounds == MIN_ROUNDS
    assert all(campaign.rounds_of(case) == list(range(MIN_ROUNDS)) for case in plan.cases)


def test_what_is_observed_stands_beside_the_values(make: MakeCampaign) -> None:
    count = itertools.count(1)
    plan = make_plan(tasks=(10,))
    campaign = make(plan, Script(collections=lambda turn: float(next(count))))
    state = campaign.run()
    seen: list[float] = []
    for record in campaign.records:
        for cell in record.cells.values():
            assert list(cell.observed) == ["collections"]
            assert len(cell.observed["collections"]) == state.sweeps[record.case]
            seen += cell.observed["collections"]
    assert sorted(seen) == [float(number) for number in range(1, next(count))]


def test_a_cause_is_kept_to_500_characters(make: MakeCampaign) -> None:
    def fail(turn: Turn) -> None:
        if of_broken(turn):
            raise WorkerError("x" * 100_000, alive=True)

    state = make(make_plan(tasks=(10,)), Script(on_turn=fail)).run()
    (failure,) = state.failed
    assert failure.cause == "x" * 494 + " [...]"


# When it ends


def test_it_ends_when_every_case_is_precise(make: MakeCampaign) -> None:
    plan = make_plan()
    campaign = make(plan, Script(seconds=noisy(0.001)))
    assert campaign.run().rounds == MIN_ROUNDS


def test_a_case_that_is_precise_is_not_measured_further_while_others_are(
    make: MakeCampaign,
) -> None:
    quiet, loud = noisy(0.0001), noisy(0.06)
    plan = make_plan(tasks=(10, 100))
    script = Script(seconds=lambda turn: (quiet if turn.case.tasks == 10 else loud)(turn))
    campaign = make(plan, script)
    state = campaign.run()
    precise, imprecise = plan.cases
    assert len(campaign.rounds_of(precise)) == MIN_ROUNDS
    assert len(campaign.rounds_of(imprecise)) > MIN_ROUNDS
    assert len(campaign.rounds_of(imprecise)) == state.rounds
    assert state.status == "complete"


def test_it_ends_when_the_budget_is_spent(make: MakeCampaign) -> None:
    plan = make_plan(budget_seconds=50.0)
    campaign = make(plan, Script(seconds=noisy(1.0), start_seconds=0.1))
    state = campaign.run()
    one_case = 0.01 * len(plan.contenders) * max(state.sweeps.values())
    assert 50.0 <= state.elapsed_seconds <= 50.0 + one_case + 0.1
    assert state.status == "complete"
    assert len(campaign.records) > 10


def test_a_budget_that_calibration_spends_gives_no_round(make: MakeCampaign) -> None:
    campaign = make(make_plan(budget_seconds=0.01), Script())
    state = campaign.run()
    assert (state.status, state.rounds) == ("failed", 0)
    assert campaign.saved().status == "failed"
    assert campaign.records == []


# Failures

BROKEN = "gather_tasks"


def of_broken(turn: Turn) -> bool:
    return turn.contender.launcher.strategy == BROKEN


@pytest.mark.parametrize("alive", [True, False])
def test_a_failing_worker_is_not_asked_again_in_that_case_and_all_else_goes_on(
    alive: bool, make: MakeCampaign
) -> None:
    plan = make_plan()
    broken_case, other_case = plan.cases
    broken = next(row for row in plan.contenders if row.launcher.strategy == BROKEN)
    script = Script()
    campaign = make(plan, script)

    def fail_in_the_third_round(turn: Turn) -> None:
        to_break = of_broken(turn) and turn.case == broken_case
        if to_break and len(campaign.rounds_of(broken_case)) == 2:
            raise WorkerError("it broke", alive=alive)

    script.on_turn = fail_in_the_third_round
    state = campaign.run()

    in_case = [record for record in campaign.records if record.case == broken_case.id]
    assert [broken.id in record.cells for record in in_case] == [True, True] + [False] * 10
    assert [dict(record.failures) for record in in_case] == (
        [{}, {}, {broken.id: "it broke"}] + [{}] * 9
    )
    assert all(len(record.cells) == len(plan.contenders) - 1 for record in in_case[2:])
    # The other case never misses it, and it has equal numbers of values everywhere.
    others = [record for record in campaign.records if record.case == other_case.id]
    assert len(others) == MIN_ROUNDS
    assert all(len(record.cells) == len(plan.contenders) for record in others)
    for record in campaign.records:
        assert {len(cell.values["total"]) for cell in record.cells.values()} == {MAX_SWEEPS}
    (failure,) = state.failed
    assert (failure.contender, failure.case, failure.round) == (broken.id, broken_case.id, 2)
    assert failure.cause == "it broke"
    assert state.status == "failed"
    assert campaign.saved().failed == state.failed
    assert campaign.observer.failures == [failure]
    assert script.open_workers == []


def test_only_a_dead_worker_is_replaced_and_only_when_it_is_needed(make: MakeCampaign) -> None:
    plan = make_plan()
    broken = next(row for row in plan.contenders if row.launcher.strategy == BROKEN)

    def replacements(alive: bool) -> int:
        def fail(turn: Turn) -> None:
            if of_broken(turn) and turn.case == plan.cases[0]:
                raise WorkerError("it broke", alive=alive)

        script = Script(on_turn=fail)
        make(plan, script).run()
        return script.started.count((broken,))

    assert replacements(alive=True) == 0
    # It fails in the first round only; whether the other case came after it is chance.
    assert replacements(alive=False) <= 1


def test_a_dead_worker_is_replaced_for_the_next_case(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(1, 2, 3))
    broken = next(row for row in plan.contenders if row.launcher.strategy == BROKEN)
    script = Script()

    def die_in_calibration(contender: Contender, case: Case) -> None:
        if contender == broken and case == plan.cases[0]:
            raise WorkerError("it died")

    script.on_calibrate = die_in_calibration
    campaign = make(plan, script)
    campaign.run()
    assert script.started[:2] == [plan.contenders, (broken,)]
    assert campaign.rounds_of(plan.cases[0]) == list(range(MIN_ROUNDS))
    assert all(
        (broken.id in record.cells) == (record.case != plan.cases[0].id)
        for record in campaign.records
    )


def test_a_failure_in_calibration_is_kept_and_the_case_goes_on(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,))

    def fail(contender: Contender, case: Case) -> None:
        if contender.launcher.strategy == BROKEN:
            raise WorkerError("it cannot prove it", alive=True)

    campaign = make(plan, Script(on_calibrate=fail))
    state = campaign.run()
    assert [failure.cause for failure in state.failed] == ["it cannot prove it"]
    assert not any(of_broken(turn) for turn in campaign.script.turns)
    assert len(campaign.records) == MIN_ROUNDS


def test_a_worker_that_does_not_start_fails_every_case_of_its_round_and_nobody_else(
    make: MakeCampaign,
) -> None:
    plan = make_plan()
    script = Script()
    script.unstartable = lambda contender, start: (
        contender.launcher.strategy == BROKEN and start == 3
    )
    campaign = make(plan, script)
    state = campaign.run()
    assert {failure.case for failure in state.failed} == {case.id for case in plan.cases}
    assert {failure.cause for failure in state.failed} == {"it does not start"}
    assert {failure.round for failure in state.failed} == {2}
    assert len(campaign.records) == MIN_ROUNDS * len(plan.cases)


def test_a_contender_whose_conditions_change_between_rounds_is_refused(
    make: MakeCampaign,
) -> None:
    plan = make_plan()
    script = Script()
    script.conditions = lambda contender, start: {
        "loop_class": "asyncio",
        "collector": "off" if contender.launcher.strategy == BROKEN and start == 2 else "on",
    }
    campaign = make(plan, script)
    state = campaign.run()
    assert {failure.cause for failure in state.failed} == {
        "its conditions changed between rounds: collector"
    }
    assert {failure.case for failure in state.failed} == {case.id for case in plan.cases}
    assert not any(of_broken(turn) for turn in script.turns[-len(plan.contenders) :])
    assert script.open_workers == []


def test_when_the_baseline_fails_the_others_are_still_measured(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,), budget_seconds=30.0)

    def fail(turn: Turn) -> None:
        if turn.contender.role == "baseline":
            raise WorkerError("it broke", alive=True)

    campaign = make(plan, Script(on_turn=fail, start_seconds=0.1))
    state = campaign.run()
    assert state.status == "failed"
    assert campaign.records
    assert all(len(record.cells) == len(plan.contenders) - 1 for record in campaign.records)


@pytest.mark.parametrize("when", ["calibration", "rounds"])
def test_a_case_in_which_all_have_failed_is_not_measured_again(
    when: str, make: MakeCampaign
) -> None:
    plan = make_plan(budget_seconds=100.0)
    hopeless = plan.cases[0]
    script = Script(start_seconds=0.1)

    def fail(contender: Contender, case: Case) -> None:
        if case == hopeless:
            raise WorkerError("it broke", alive=True)

    if when == "calibration":
        script.on_calibrate = fail
    else:
        script.on_turn = lambda turn: fail(turn.contender, turn.case)
    campaign = make(plan, script)
    state = campaign.run()
    assert state.status == "failed"
    assert len(state.failed) == len(plan.contenders)
    assert len(campaign.rounds_of(hopeless)) <= 1
    assert len(campaign.rounds_of(plan.cases[1])) == MIN_ROUNDS
    assert state.rounds == MIN_ROUNDS


# Interrupted and resumed


def interrupting(script: Script, after_turns: int) -> None:
    """Ctrl-C in this turn, and never again."""

    def interrupt(turn: Turn) -> None:
        if len(script.turns) == after_turns:
            raise KeyboardInterrupt

    script.on_turn = interrupt


def test_an_interrupted_campaign_keeps_what_it_has(make: MakeCampaign) -> None:
    plan = make_plan()
    script = Script()
    per_case = len(plan.contenders) * MAX_SWEEPS
    interrupting(script, after_turns=5 * per_case + 7)
    campaign = make(plan, script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    saved = campaign.saved()
    assert saved.status == "interrupted"
    assert saved.finished is not None
    assert saved.elapsed_seconds > 0
    assert len(campaign.records) == 5
    assert script.open_workers == []


def test_a_resumed_campaign_goes_on_as_if_nothing_had_happened(make: MakeCampaign) -> None:
    plan = make_plan(precision=0.02)
    script = Script(seconds=noisy(0.005))
    per_case = len(plan.contenders) * MAX_SWEEPS
    interrupting(script, after_turns=11 * per_case + 7)  # in the second case of the sixth round
    campaign = make(plan, script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    kept = (campaign.journal.folder / "rounds.jsonl").read_text(encoding="utf-8")
    elapsed = campaign.saved().elapsed_seconds

    state = campaign.resume()
    assert state.status == "complete"
    assert (campaign.journal.folder / "rounds.jsonl").read_text(encoding="utf-8").startswith(kept)
    for case in plan.cases:
        rounds = campaign.rounds_of(case)
        assert len(rounds) == MIN_ROUNDS, "rounds before the interruption count"
        assert rounds == sorted(set(rounds)), "no round of a case is there twice"
    assert max(record.round for record in campaign.records) < state.rounds
    # Time that was spent before is spent.
    turns_after = len(script.turns) - (11 * per_case + 7)
    assert state.elapsed_seconds == pytest.approx(elapsed + 0.01 * turns_after)
    # Nothing was calibrated again.
    assert len(script.calibrations) == len(plan.contenders) * len(plan.cases)


def test_a_campaign_that_was_killed_can_be_resumed(make: MakeCampaign) -> None:
    """campaign.json is then as it was when the round began, the journal may be further."""
    plan = make_plan()
    script = Script()
    campaign = make(plan, script)
    path = campaign.journal.folder / "campaign.json"
    per_case = len(plan.contenders) * MAX_SWEEPS
    as_it_was: list[bytes] = []

    def die(turn: Turn) -> None:
        if len(script.turns) == 5 * per_case + 7:
            as_it_was.append(path.read_bytes())
            raise SystemExit

    script.on_turn = die
    with pytest.raises(SystemExit):
        campaign.run()
    path.write_bytes(as_it_was[0])
    assert campaign.saved().status == "running"
    with (campaign.journal.folder / "rounds.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"schema":1,"round":2,"ca')

    campaign.journal.drop_unfinished_line()
    assert campaign.resume().status == "complete"
    for case in plan.cases:
        rounds = campaign.rounds_of(case)
        assert len(rounds) == MIN_ROUNDS
        assert rounds == sorted(set(rounds))


def test_only_what_is_left_of_the_budget_is_spent_after_resuming(make: MakeCampaign) -> None:
    plan = make_plan(budget_seconds=60.0)
    script = Script(seconds=noisy(1.0))
    interrupting(script, after_turns=4000)
    campaign = make(plan, script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    assert 40.0 < campaign.saved().elapsed_seconds < 50.0
    script.clock.advance(10_000.0)  # the time between does not count
    state = campaign.resume()
    assert 60.0 <= state.elapsed_seconds < 61.5


def test_resuming_a_complete_campaign_with_a_larger_budget_measures_more(
    make: MakeCampaign,
) -> None:
    plan = make_plan(budget_seconds=20.0)
    campaign = make(plan, Script(seconds=noisy(1.0)))
    campaign.run()
    before = len(campaign.records)
    campaign.resume()
    assert len(campaign.records) == before
    state = campaign.resume(changes=replace(plan, budget_seconds=40.0))
    assert len(campaign.records) > 1.5 * before
    assert 40.0 <= state.elapsed_seconds < 41.5
    assert json.loads((campaign.journal.folder / "campaign.json").read_text())[
        "budget_seconds"
    ] == pytest.approx(40.0)


@pytest.mark.parametrize("calibrated", [0, 1, 4, 5, 8])
def test_a_campaign_interrupted_while_calibrating_measures_every_case_when_resumed(
    calibrated: int, make: MakeCampaign
) -> None:
    plan = make_plan()
    script = Script()

    def interrupt(contender: Contender, case: Case) -> None:
        if len(script.calibrations) == calibrated + 1:
            raise KeyboardInterrupt

    script.on_calibrate = interrupt
    script.on_turn = lambda turn: pytest.fail("too early") if calibrated < 8 else None
    campaign = make(plan, script)
    if calibrated < len(plan.contenders) * len(plan.cases):
        with pytest.raises(KeyboardInterrupt):
            campaign.run()
        assert campaign.saved().status == "interrupted"
        script.on_calibrate = lambda contender, case: None
        script.on_turn = lambda turn: None
        state = campaign.resume()
    else:
        state = campaign.run()
    assert state.status == "complete"
    for case in plan.cases:
        assert len(campaign.rounds_of(case)) == MIN_ROUNDS


def test_failures_are_remembered_when_resuming(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,))
    script = Script()

    def fail_then_interrupt(turn: Turn) -> None:
        if of_broken(turn):
            raise WorkerError("it broke", alive=True)
        if len(script.turns) == 500:
            raise KeyboardInterrupt

    script.on_turn = fail_then_interrupt
    campaign = make(plan, script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    script.turns.clear()
    script.on_turn = lambda turn: None
    state = campaign.resume()
    assert not any(of_broken(turn) for turn in script.turns)
    assert state.status == "failed"
    assert [failure.cause for failure in state.failed] == ["it broke"]


# The disk


def test_a_full_disk_ends_the_campaign_and_keeps_what_was_synced(tmp_path: Path) -> None:
    plan = make_plan()
    Journal.create(tmp_path / "full")
    journal = FullDisk(tmp_path / "full", lines=5)
    script = Script()
    environment = Environment(FakeExecutor(script), journal, Recorder(), script.clock)
    conductor = Conductor(plan, environment)
    with pytest.raises(OSError, match="No space left") as caught:
        conductor.run()
    assert caught.value.errno == errno.ENOSPC
    assert len(list(journal.records())) == 5
    assert journal.load()[1].status == "failed"
    assert script.open_workers == []


def test_an_error_of_the_suite_itself_is_not_swallowed(make: MakeCampaign) -> None:
    def break_it(turn: Turn) -> None:
        raise ZeroDivisionError

    campaign = make(make_plan(), Script(on_turn=break_it))
    with pytest.raises(ZeroDivisionError):
        campaign.run()
    assert campaign.saved().status == "failed"
    assert campaign.script.open_workers == []


def test_those_that_share_a_baseline_take_their_turns_together() -> None:
    contenders = make_plan(loops=("asyncio", "uvloop")).contenders
    rng = random.Random(1)
    orders = [sweep_order(contenders, rng) for _ in range(200)]
    for order in orders:
        assert sorted(order, key=lambda one: one.id) == sorted(contenders, key=lambda one: one.id)
        blocks = [group for group, _ in itertools.groupby(order, lambda one: one.group)]
        assert len(blocks) == len(set(blocks)) == 2
    # Groups, and contenders within them, come first about equally often.
    firsts = Counter(order[0].id for order in orders)
    assert set(firsts) == {contender.id for contender in contenders}
    assert 60 < sum(order[0].launcher.loop == "uvloop" for order in orders) < 140
