"""The harness: its arithmetic, its table and its exit codes; what it measures is never tested."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from analysis.estimate.intervals import hodges_lehmann_rows
from analysis.read.campaign import Campaign
from analysis.read.load import read_campaign
from benchmarks.campaign import interpreters, schema
from benchmarks.campaign.arguments import Parser, add_run_options, run_options
from benchmarks.campaign.plan import case_record
from benchmarks.cases import Case
from benchmarks.matrix import COMPUTING, MAIN, cases
from benchmarks.protocol import Measured
from benchmarks.strategies import BASELINE
from harness import __main__ as harness
from harness import analysing, calm, commands, instructions, running, steady
from tests.campaigns import write

FIGURES = list(dict.fromkeys(line.figure for line in harness.LINES))
PYTHONS = ("3.13.0", "3.14.0")


def test_an_unknown_figure_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        harness.main(["growth", "speed"])
    assert refused.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "'speed' is not known; choose from smoke_preset, " in said


def test_instructions_stand_beside_the_time_of_the_same_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = [Case("throughput", name, instructions.TASKS[0]) for name in COMPUTING]
    folder = write(
        tmp_path / "c", cases=measured, noise=0.001,
        effect=lambda who, *_: 0.1 * (who.strategy == "task_group"),
    )  # fmt: skip
    campaign = read_campaign(folder)
    monkeypatch.setattr(instructions, "campaign_of", lambda options: (campaign, 1.0))
    monkeypatch.setattr(interpreters, "prepare", lambda wanted: campaign.plan.interpreters[0])
    monkeypatch.setattr(interpreters, "find", lambda wanted: Path("python"))
    counts = dict(zip(MAIN, (100.0, 110.0, 90.0), strict=True))
    monkeypatch.setattr(
        instructions, "instructions_per_task", lambda python, strategy, workload: counts[strategy]
    )
    rows = list(instructions.count(None))
    assert [(one.workload, one.strategy) for one in rows] == [
        (workload, strategy) for workload in COMPUTING for strategy in MAIN
    ]
    assert [one.ratio_of_instructions for one in rows] == [1.0, 1.1, 0.9] * 2
    times = [one.ratio_of_time for one in rows]
    assert times == pytest.approx([1.0, 1.0, np.exp(0.1)] * 2, rel=0.003)
    assert all(2900 < one.ns_per_task < 3400 for one in rows)


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (interpreters.InterpreterError("no 3.99"), 2, "harness: no 3.99\n"),
        (subprocess.CalledProcessError(3, "it", stderr="why"), 1, "status 3.\nwhy\n"),
    ],
)
def test_what_ends_a_command_is_a_code_and_a_line(
    raised: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure() -> int:
        raise raised

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        assert commands.exit_code("harness", measure) == code
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert capsys.readouterr().err.endswith(said)


@pytest.mark.parametrize(
    ("bound", "value", "code", "verdict"),
    [
        ("at most", 2.0, 0, "at most 2 s       met"),
        ("at most", 2.1, 1, "at most 2 s       MISSED"),
        ("at least", 1.9, 1, "at least 2 s      MISSED"),
        ("at least", 2.0, 0, "at least 2 s      met"),
        ("", 9.0, 0, "to be read"),
    ],
)
def test_only_a_missed_target_fails(
    bound: str,
    value: float,
    code: int,
    verdict: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def speed() -> Sequence[float]:
        """How fast it is."""
        return [value]

    monkeypatch.setattr(harness, "LINES", [harness.Line(speed, "time", "{:.0f} s", bound, 2)])
    assert harness.main([]) == code
    heading, line = capsys.readouterr().out.splitlines()
    assert heading == "speed: How fast it is."
    assert line.endswith(verdict)


def test_a_figure_that_fails_says_why_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Sequence[float]:
        """It breaks."""
        return [commands.run("sh", "-c", "echo no disk >&2; exit 3")[1]]

    def whole() -> Sequence[float]:
        """It does not."""
        return [1]

    lines = [harness.Line(broken, "a", "{}", "at most", 2), harness.Line(whole, "b", "{}")]
    monkeypatch.setattr(harness, "LINES", lines)
    assert harness.main([]) == 1
    said = capsys.readouterr().out
    assert "exit status 3.\nno disk\n" in said
    assert said.endswith("to be read\n")


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Campaigns that are drawn and commands that do nothing; options are those of the command
    line.
    """
    number = iter(range(1000))

    def campaign_of(words: str) -> tuple[Campaign, float]:
        parser = Parser()
        add_run_options(parser)
        options = run_options(parser.parse_args(words.split()))
        chosen = options.selections[0]
        folder = write(
            tmp_path / str(next(number)),
            pythons=options.pythons or PYTHONS[-1:],
            loops=chosen.loops,
            strategies=tuple(dict.fromkeys((BASELINE, *chosen.strategies))),
            cases=cases(chosen),
            rounds=6,
            elapsed_seconds=100.0,
        )
        return read_campaign(folder), 3.0

    def run(*command: str | Path) -> tuple[str, float]:
        return "0.5", 2.0

    def prepare(request: str | None) -> schema.Interpreter:
        return schema.Interpreter(
            name="python", version=str(request), implementation="cpython", build={}
        )

    for module in (running, calm, steady):
        monkeypatch.setattr(module, "campaign_of", campaign_of)
    monkeypatch.setattr(analysing, "run", run)
    monkeypatch.setattr(steady, "fan_out", lambda *cell: "0.5")
    monkeypatch.setattr(analysing, "draw", lambda folder, of, suite=True: len(of))
    monkeypatch.setattr(interpreters, "prepare", prepare)
    monkeypatch.setattr(
        interpreters,
        "prepare_all",
        lambda wanted, skip_missing: (list(map(prepare, wanted[-2:])), ()),
    )
    monkeypatch.setattr(calm, "neighbour", contextlib.nullcontext)
    monkeypatch.setattr(calm, "_traces", traces)


def traces() -> Iterator[calm.Traces]:
    """Rounds in which every block takes about a millisecond."""
    rng = np.random.default_rng(1)
    for tasks in calm.SWEEPS:
        case = replace(case_record(Case("throughput", "noop", tasks)), loops=1, quantile=0.05)
        yield calm.Traces(case, [{name: [measured(rng)] for name in "ab"} for _ in range(3)])


def measured(rng: np.random.Generator) -> Measured:
    values = (1e-3 * rng.lognormal(0.0, 0.01, 20)).tolist()
    return Measured(
        values={"total": values},
        timed_seconds=sum(values),
        observed={},
        collections=[0, 0, 0],
        collector_seconds=[0.0, 0.0, 0.0],
        cpu_share=1.0,
        switches=0,
        cycles=0.0,
    )


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: str(figure.__name__))
def test_a_figure_has_a_number_for_each_of_its_lines(
    figure: Callable[[], Sequence[float]],
) -> None:
    lines = [line for line in harness.LINES if line.figure is figure]
    numbers = figure()
    assert len(numbers) == len(lines)
    assert np.isfinite(np.array(numbers, dtype=float)).all()
    assert figure.__doc__


@pytest.mark.usefixtures("fakes")
def test_the_steady_state_has_a_row_for_each_case_on_each_python() -> None:
    rows = list(steady.cells())
    assert len(rows) == len({(one.python, one.workload, one.tasks) for one in rows}) == 2 * 2 * 4
    for one in rows:
        assert one.consecutive == one.consecutive_low == 1.0
        assert one.campaign_low < one.campaign < one.campaign_high
        assert one.points_apart == pytest.approx(100 * (one.campaign - 1))


def test_drawn_campaigns_are_of_the_size_asked_for(tmp_path: Path) -> None:
    values = analysing.draw(tmp_path / "drawn", analysing.noop(2000))
    campaign = read_campaign(tmp_path / "drawn", suites=True)
    assert campaign.problems == ()
    assert len(campaign.values) == values == pytest.approx(2000, rel=0.2)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_is_the_power_that_a_cost_grows_with(power: float) -> None:
    costs = [(count, 0.1 * count**power) for count in (1, 2, 4, 8)]
    assert commands.exponent(costs) == pytest.approx(power)


def test_a_sweep_takes_all_cases_and_one_disturbed_round_changes_nothing(tmp_path: Path) -> None:
    two = (Case("throughput", "noop", 100), Case("throughput", "noop", 1000))
    campaign = read_campaign(write(tmp_path / "one", cases=two, rounds=6, sweeps=4))
    campaign.lines.loc[0, "wall_seconds"] = 1000.0
    turns, seconds = commands.sweep(campaign)
    assert turns == 2 * len(campaign.contenders)
    assert seconds == pytest.approx(2 * 1.0 / 4)  # a line of a drawn campaign takes a second


def test_rows_are_the_usual_contrasts_of_an_axis(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "one",
        strategies=("gather_coroutines", "task_group"),
        effect=lambda contender, case, metric: 0.2 * (contender.strategy == "task_group"),
    )
    campaign = read_campaign(folder)
    rows = commands.rows_of(campaign, "strategy")
    assert list(rows["compared"]) == ["task_group"] * 2
    assert rows["differs"].all()
    assert (rows["half_width"] < 0.02).all()
    [control] = set(commands.rows_of(campaign, "strategy", control=True)["compared"])
    assert control == "control"


@pytest.mark.parametrize(
    ("effect", "spread", "beyond"), [(0.01, 0.012, 0.0), (0.01, 0.006, 0.005), (0.005, 0.008, 0.0)]
)
def test_the_rounds_that_an_effect_takes_show_it_that_often(
    effect: float, spread: float, beyond: float
) -> None:
    rounds = running.rounds_to_tell(effect, spread, beyond, power=0.8)
    drawn = np.random.default_rng(5).normal(effect, spread, (2000, rounds))
    shown = hodges_lehmann_rows(drawn).low > beyond
    assert float(shown.mean()) == pytest.approx(0.8, abs=0.05)
    assert running.rounds_to_tell(0.5, 0.001) == 6
    with pytest.raises(ValueError, match="never lies beyond"):
        running.rounds_to_tell(beyond, spread, beyond)
