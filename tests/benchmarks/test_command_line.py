"""``python -m benchmarks`` end to end: real interpreters, workers and files."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyperf
import pytest
from rich.console import Console

from benchmarks import __main__ as command_line
from benchmarks.__main__ import main
from benchmarks.campaign.arguments import Manner, UsageError
from benchmarks.campaign.journal import Journal
from benchmarks.collectors import COLLECTORS
from benchmarks.fingerprint import fingerprint
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import PRESETS
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.strategies import STRATEGIES
from benchmarks.workloads import WORKLOADS
from tests.benchmarks.campaigns import TINY, Ran, lines_of, plan_of, ran
from tests.repository import (
    REPOSITORY,
    TIMEOUT_SECONDS,
    run_benchmarks,
)

DEFAULT, MOMENTS = PRESETS["default"].selections
ALL = set(DEFAULT.strategies)
RUNNABLE = {name for name in ALL if sys.version_info >= STRATEGIES[name].since}


# A campaign without trouble


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("good") / "campaign"
    return ran(
        folder,
        run_benchmarks(
            "run", "--workload", "noop", "--tasks", "1,10", "--budget", "8s", "--seed", "5",
            "--out", folder,
        ),
    )  # fmt: skip


def test_a_campaign_shows_its_answer_and_where_its_results_are(good: Ran) -> None:
    assert good.code == 0, good.err
    assert str(good.folder) in good.out.replace("\n", "")
    assert "Traceback" not in good.err
    for rows, names in ((EVENT_LOOPS, DEFAULT.loops), (STRATEGIES, RUNNABLE)):
        for name in names:
            assert name in good.out or rows[name].label in good.out
    assert "from there on, choose by meaning." in good.out.replace("\n", " ")
    assert len(good.out.splitlines()) <= 40


def test_progress_is_plain_lines_where_there_is_no_terminal(good: Ran) -> None:
    # Before them it may say what else is running on this machine.
    lines = [line for line in good.err.splitlines() if not line.startswith("also running: ")]
    assert lines[0].startswith("calibrating, case 1/4: throughput/noop/1; 0 of at least 12 rounds;")
    assert "\x1b" not in good.err


def test_the_folder_holds_plan_journal_suite_and_report(good: Ran) -> None:
    suite = f"{good.plan.interpreters[0].name}.json"
    assert {path.name for path in good.folder.iterdir()} == {
        "campaign.json", "rounds.jsonl", suite, "report",
    }  # fmt: skip
    charts = {path.suffix for path in (good.folder / "report").rglob("*.*")}
    assert {".svg", ".png"} <= charts


def test_the_campaign_file_tells_what_was_done(good: Ran) -> None:
    plan = good.plan
    assert (plan.name, plan.status, plan.failed) == ("campaign", "complete", ())
    assert (plan.preset, plan.seed, plan.budget_seconds) == ("default", 5, 8.0)
    assert plan.code_hash == fingerprint()
    assert {row.contender.strategy for row in plan.skipped} == ALL - RUNNABLE
    assert [case.id for case in plan.cases] == [
        f"{probe}/noop/{tasks}" for probe in (*DEFAULT.probes, *MOMENTS.probes) for tasks in (1, 10)
    ]
    for block in plan.blocks:
        assert block.contenders == tuple(row.id for row in plan.contenders)
    assert [case for block in plan.blocks for case in block.cases] == [row.id for row in plan.cases]
    roles = [row.role for row in plan.contenders]
    assert roles.count("baseline") == roles.count("control") == len(DEFAULT.loops)
    for contender in plan.contenders:
        assert str(contender.conditions["loop_class"]).partition(".")[0] == contender.loop
        assert contender.conditions["task_class"] == "_asyncio.Task"
    assert plan.elapsed_seconds > 0
    assert all(case.sweeps >= 1 and case.loops >= 1 and case.blocks >= 1 for case in plan.cases)
    assert plan.peak_worker_bytes > 2**20
    assert {word.name for word in plan.definitions.strategies} == RUNNABLE


def test_the_journal_has_every_cell_of_every_round_that_was_finished(good: Ran) -> None:
    cases = {case.id: case for case in good.plan.cases}
    assert len(good.lines) >= 1
    for line in good.lines:
        case = cases[line.case]
        assert list(line.cells) == list(range(len(good.plan.contenders)))
        for cell in line.cells.values():
            assert len(cell.quantiles) == len(cell.means) == len(case.metrics)
            assert cell.slices >= 1
            assert cell.batches >= case.loops * cell.slices
            assert all(value > 0 for row in (*cell.quantiles, *cell.means) for value in row)
            assert all(share > 0 for share in cell.cpu_shares)
    rounds = {number: [line.case for line in good.lines if line.round == number]
              for number in range(good.plan.rounds)}  # fmt: skip
    assert all(sorted(names) == sorted(cases) for names in rounds.values())


def test_the_suite_is_pyperfs(good: Ran) -> None:
    (path,) = [path for path in good.folder.glob("*.json") if path.name != "campaign.json"]
    suite = pyperf.BenchmarkSuite.load(str(path))
    values = sum(len(benchmark.get_values()) for benchmark in suite)
    metrics = {case.id: len(case.metrics) for case in good.plan.cases}
    assert values == sum(metrics[line.case] * len(line.cells) for line in good.lines)


def test_nothing_in_the_folder_names_the_host_or_a_path(good: Ran) -> None:
    for name in ("campaign.json", "rounds.jsonl"):
        text = (good.folder / name).read_text(encoding="utf-8")
        assert str(REPOSITORY) not in text
        assert str(good.folder) not in text
        assert str(Path.home()) not in text


# Bad usage


@pytest.fixture
def run_main(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """The command line in this process, for what ends before anything is measured."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as error:
            code = int(error.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


RunMain = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--strategy", "nonsense"), f"choose from {', '.join(STRATEGIES)}"),
        (("--workload", "nonsense"), f"choose from {', '.join(WORKLOADS)}"),
        (("--loop", "nonsense"), f"choose from {', '.join(EVENT_LOOPS)}"),
        (("--probe", "nonsense"), f"choose from {', '.join(PROBES)}"),
        (("--preset", "nonsense"), "smoke"),
        (("--task-factory", "nonsense"), f"choose from {', '.join(TASK_FACTORIES)}"),
        (("--collector", "nonsense"), f"choose from {', '.join(COLLECTORS)}"),
        (("--pause", "nonsense"), f"choose from {', '.join(PAUSES)}"),
        (("--pause", "sleep_5ms"), "has no meaning for what is measured: throughput, latency"),
        (("--out", "a\nb"), "is not a plain name"),
        (("--tasks", "0"), "'0' is not a number of tasks (1 or more)"),
        (("--tasks", "1000000001"), "'1000000001' is too many tasks (at most 1_000_000_000)"),
        (("--tasks", "-5"), "'-5' is not a number of tasks (1 or more)"),
        (("--tasks", "many"), "'many' is not a number of tasks (1 or more)"),
        (("--budget", "soon"), "'soon' is not a time; write it as 90s, 4m or 1h30m"),
        (("--budget", "0"), "'0' is not a time"),
        (("--precision", "much"), "'much' is not a precision; write it as 1% or 0.01"),
        (("--seed", "x"), "'x' is not a whole number"),
        (("--nonsense",), "unrecognized arguments: --nonsense"),
        (("--python", "/no/such/python"), "/no/such/python: no executable file is there"),
    ],
)
def test_bad_usage_is_one_line_that_says_what_is_valid(
    arguments: tuple[str, ...], says: str, run_main: RunMain, tmp_path: Path
) -> None:
    code, out, err = run_main("run", f"--out={tmp_path / 'out'}", *arguments)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert says in err
    assert arguments[0] in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_far_too_large_is_refused_before_anything_is_prepared(
    preset: str, run_main: RunMain
) -> None:
    too_large = ("--preset", preset, "--workload", "tree", "--tasks", "1_000_000")
    code, _, err = run_main("run", *too_large, "--python", "/no/such/python")
    assert code == 2
    assert err.count("\n") == 1
    assert "tree with n = 1_000_000 makes" in err


def test_a_baseline_python_that_is_not_there_is_refused_before_the_budget_is_spent(
    good: Ran, run_main: RunMain, tmp_path: Path
) -> None:
    wrong = ("--baseline-python", "2.7")
    for arguments in (
        ("run", *TINY, *wrong, "--out", tmp_path / "campaign"),
        ("resume", good.folder, *wrong),
    ):
        code, out, err = run_main(*arguments)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert "no Python is called '2.7': choose from " in err
    assert not (tmp_path / "campaign").exists()


def test_an_existing_folder_is_never_overwritten(good: Ran, run_main: RunMain) -> None:
    before = {path: path.stat().st_mtime_ns for path in good.folder.rglob("*")}
    code, _, err = run_main("run", *TINY, "--budget", "1s", "--quiet", "--out", good.folder)
    assert code == 2
    assert err.count("\n") == 1
    assert "exists already and is never overwritten" in err
    assert {path: path.stat().st_mtime_ns for path in good.folder.rglob("*")} == before


def test_bad_usage_is_one_line_of_a_process_too() -> None:
    done = run_benchmarks("run", "--tasks", "0")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("nonsense",)])
def test_a_command_is_needed(arguments: tuple[str, ...], run_main: RunMain) -> None:
    code, _, err = run_main(*arguments)
    assert code == 2
    assert err.count("\n") == 1


def test_list_shows_everything_that_can_be_chosen(run_main: RunMain) -> None:
    code, out, _ = run_main("list")
    assert code == 0
    for registry in (
        STRATEGIES, WORKLOADS, EVENT_LOOPS, TASK_FACTORIES, COLLECTORS, PROBES, PAUSES, PRESETS,
    ):  # fmt: skip
        for name in registry:
            assert re.search(rf"^\s+{name}\s", out, re.MULTILINE), name
    assert "cannot be measured here" in out


@pytest.mark.parametrize("command", ["run", "resume", "list", "suites", "witness"])
def test_every_command_has_help(command: str, run_main: RunMain) -> None:
    code, out, _ = run_main(command, "--help")
    assert code == 0
    assert out.startswith("usage: ")


# Resuming


def spoil(path: Path, trouble: str) -> None:
    fields = json.loads(path.read_text(encoding="utf-8"))
    if trouble == "not a campaign":
        del fields["cases"]
    elif trouble == "other code":
        fields["code_hash"] = "0" * 64
    else:
        fields["machine"]["id"] = "another"
    path.write_text(json.dumps(fields), encoding="utf-8")


@pytest.mark.parametrize("trouble", ["no folder", "not a campaign", "other code", "other machine"])
def test_what_cannot_be_resumed_is_one_line(
    trouble: str, good: Ran, tmp_path: Path, run_main: RunMain
) -> None:
    folder = tmp_path / "campaign"
    if trouble != "no folder":
        shutil.copytree(good.folder, folder)
        spoil(folder / "campaign.json", trouble)
    before = {path: path.read_bytes() for path in folder.glob("*.json*")}
    code, _, err = run_main("resume", folder)
    assert code == 2
    assert err.count("\n") == 1
    says = {
        "no folder": "No such file or directory",
        "not a campaign": "campaign.json: Object missing required field `cases`",
        "other code": "the measured code has changed since; start a new campaign",
        "other machine": "it was measured on another machine; start a new campaign",
    }[trouble]
    assert says in err
    assert {path: path.read_bytes() for path in folder.glob("*.json*")} == before


def test_a_journal_with_a_broken_line_is_not_resumed(
    good: Ran, tmp_path: Path, run_main: RunMain
) -> None:
    folder = tmp_path / "campaign"
    shutil.copytree(good.folder, folder)
    path = folder / "rounds.jsonl"
    path.write_bytes(b"broken\n" + path.read_bytes())
    code, _, err = run_main("resume", folder, "--quiet", "--budget", "1h")
    assert code == 2
    assert err.count("\n") == 1
    assert "rounds.jsonl:1: is not JSON" in err


# Interrupted


@pytest.fixture
def deliverable_sigint() -> Iterator[None]:
    """A shell's background jobs ignore SIGINT, and what they start would too."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@contextlib.contextmanager
def running(
    *arguments: str | Path, folder: Path, lines: int, cwd: Path = REPOSITORY
) -> Iterator[subprocess.Popen[str]]:
    """A campaign whose journal has so many lines and that has time left for many more."""
    journal = folder / "rounds.jsonl"
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks", *map(str, arguments), "--budget", "1h"],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            while process.poll() is None:
                if journal.exists() and journal.read_bytes().count(b"\n") >= lines:
                    break
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


@pytest.fixture
def begun(good: Ran, tmp_path: Path) -> Path:
    """A campaign that can be resumed."""
    folder = tmp_path / "campaign"
    shutil.copytree(good.folder, folder, ignore=shutil.ignore_patterns("report"))
    return folder


def check_resuming(folder: Path, cwd: Path = REPOSITORY) -> None:
    """With a larger budget more is measured, and what was measured is kept."""
    kept, before = lines_of(folder), plan_of(folder)
    total = 3 * before.elapsed_seconds + 3.0
    more = ("--budget", f"{total:.1f}s", "--no-report", "--quiet")
    done = run_benchmarks("resume", folder, *more, cwd=cwd)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder}\n", "")
    plan = plan_of(folder)
    assert plan.status == "complete"
    assert plan.rounds > before.rounds
    assert plan.elapsed_seconds > before.elapsed_seconds
    assert lines_of(folder)[: len(kept)] == kept
    assert len(lines_of(folder)) > len(kept)
    assert (folder / "rounds.jsonl").read_bytes().endswith(b"\n")


def test_ctrl_c_keeps_the_rounds_shows_them_and_the_campaign_can_be_resumed(
    tmp_path: Path, hostile_repository: Path, deliverable_sigint: None
) -> None:
    folder = tmp_path / "campaign"
    command = ("run", *TINY, "--precision", "0.0001%", "--baseline-python", "3", "--out", folder)
    with running(*command, folder=folder, lines=2, cwd=hostile_repository) as process:
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in err
    python = os.path.relpath(sys.executable, hostile_repository)
    assert f"stopped; {python} -m benchmarks resume {folder} goes on" in err
    assert out.splitlines() == [f"analysis report {folder} --baseline-python=3"]
    assert plan_of(folder).status == "interrupted"
    assert len(lines_of(folder)) >= 1
    check_resuming(folder, cwd=hostile_repository)


def test_a_campaign_whose_budget_is_spent_says_what_to_give(begun: Path, run_main: RunMain) -> None:
    code, _, err = run_main("resume", begun, "--budget", "1ms")
    assert code == 2
    assert "s are spent, all of its budget; --budget TIME is a new total" in err


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_process_keeps_the_rounds_too(begun: Path, ends: signal.Signals) -> None:
    before = len(lines_of(begun))
    command = ("resume", begun, "--no-report")
    with running(*command, folder=begun, lines=before + 2) as process:
        process.send_signal(ends)
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert (process.returncode, out) == (130, f"{begun}\n")
    assert "Traceback" not in err
    assert plan_of(begun).status == "interrupted"
    assert len(lines_of(begun)) > before


def test_a_campaign_that_was_killed_can_be_resumed(begun: Path) -> None:
    before = len(lines_of(begun))
    command = ("resume", begun, "--no-report")
    with running(*command, folder=begun, lines=before + 2) as process:
        process.kill()
        process.wait()
    assert plan_of(begun).status == "running"
    assert len(lines_of(begun)) > before
    with (begun / "rounds.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"schema":2,"round":')
    check_resuming(begun)


# A machine that others use


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    """What uses the machine at each look: the last stays."""
    looks: list[dict[str, float]] = []
    monkeypatch.setattr(command_line, "busy_processes", lambda: looks.pop(0) if looks else {})
    monkeypatch.setattr(command_line, "load_average", lambda: 0.1)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return looks


def said_of(folder: Path, manner: Manner) -> str:
    console = Console(record=True, width=200)
    command_line._check_quiet(folder, manner, console)
    return console.export_text()


def test_what_else_uses_the_machine_is_said(others: list[dict[str, float]]) -> None:
    others.append({"cc": 1.5, "ninja": 0.06})
    said = said_of(Path("anywhere"), Manner(quiet=False, report=True))
    assert said == (
        "also running: cc (150% of a core), ninja (6% of a core); "
        "--wait 5m (make: WAIT=5m) would wait for it\n"
    )
    others.append({"cc": 1.5})
    assert said_of(Path("anywhere"), Manner(quiet=True, report=True)) == ""
    assert said_of(Path("anywhere"), Manner(quiet=False, report=True)) == ""


def test_a_campaign_waits_until_nothing_else_uses_the_machine(
    others: list[dict[str, float]],
) -> None:
    others.extend([{"cc": 1.0}] * 3)
    manner = Manner(quiet=False, report=True, wait_seconds=60.0)
    assert said_of(Path("anywhere"), manner) == "waiting up to 60 s until nothing else runs\n"
    assert others == []


def test_a_campaign_that_waited_in_vain_says_so(
    others: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    others.extend([{"cc": 1.0}] * 2)
    times = iter((0.0, 30.0, 60.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    said = said_of(Path("anywhere"), Manner(quiet=False, report=True, wait_seconds=60.0))
    assert said.splitlines() == [
        "waiting up to 60 s until nothing else runs",
        "also running: cc (100% of a core); waited in vain",
    ]


def test_a_campaign_that_is_to_be_published_takes_a_quiet_machine(
    others: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = command_line.RESULTS / "reference" / "some"
    manner = Manner(quiet=False, report=True)
    assert said_of(folder, manner) == ""
    monkeypatch.setattr(command_line, "load_average", lambda: 0.51)
    with pytest.raises(UsageError, match=r"has a load of 0.51; it takes one of at most 0.5: "):
        said_of(folder, manner)
    assert said_of(command_line.RESULTS / "some", manner) == ""
    assert others == []


def test_a_campaign_that_is_being_written_is_not_even_read(
    good: Ran, tmp_path: Path, run_main: RunMain
) -> None:
    folder = tmp_path / "campaign"
    shutil.copytree(good.folder, folder)
    (folder / "campaign.json").write_text("half of a file that is being replac")
    before = {path: path.read_bytes() for path in folder.glob("*.json*")}
    with Journal(folder).locked():
        code, _, err = run_main("resume", folder)
    assert code == 2
    assert err.count("\n") == 1
    assert "is being written by another process" in err
    assert {path: path.read_bytes() for path in folder.glob("*.json*")} == before
