"""``python -m benchmarks`` end to end: real interpreters, workers and files."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyperf
import pytest

from benchmarks.__main__ import main
from benchmarks.campaign import interpreters
from benchmarks.campaign.interpreters import Interpreter
from benchmarks.campaign.journal import Journal
from benchmarks.campaign.plan import code_hash
from benchmarks.collectors import COLLECTORS
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import PRESETS
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.workloads import WORKLOADS
from tests.repository import (
    REPOSITORY,
    TIMEOUT_SECONDS,
    copy_repository,
    read_campaign,
    read_journal,
    run_benchmarks,
    run_python,
)

TINY = ("--workload", "noop", "--probe", "throughput", "--tasks", "1", "--loop", "asyncio")
"""A campaign that is as quick as it can be, in rounds of about a tenth of a second."""


(DEFAULT,) = PRESETS["default"].selections
ALL = set(DEFAULT.strategies)
RUNNABLE = {name for name in ALL if sys.version_info >= STRATEGIES[name].since}


@dataclass(frozen=True)
class Ran:
    """A campaign that was run, and what came of it."""

    folder: Path
    code: int
    out: str
    err: str

    @property
    def campaign(self) -> Mapping[str, Any]:
        return read_campaign(self.folder)

    @property
    def journal(self) -> list[Mapping[str, Any]]:
        return read_journal(self.folder)


def ran(folder: Path, done: subprocess.CompletedProcess[str]) -> Ran:
    return Ran(folder, done.returncode, done.stdout, done.stderr)


def keys(journal: list[Mapping[str, Any]]) -> list[tuple[int, str]]:
    return [(line["round"], line["case"]) for line in journal]


# A campaign without trouble


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("good") / "campaign"
    return ran(
        folder,
        run_benchmarks(
            "run", "--workload", "noop", "--tasks", "1,10", "--budget", "3s", "--seed", "5",
            "--out", folder,
        ),
    )  # fmt: skip


def test_a_campaign_ends_well_and_says_where_its_results_are(good: Ran) -> None:
    assert good.code == 0, good.err
    assert str(good.folder) in good.out.replace("\n", "")
    assert "Traceback" not in good.err


def test_the_answer_is_shown_for_every_loop_and_strategy(good: Ran) -> None:
    for loop in DEFAULT.loops:
        assert loop in good.out
    for strategy in DEFAULT.strategies:
        assert strategy in good.out
    for word in ("ns/task", "95 %", "verdict"):
        assert word in good.out


def test_progress_is_plain_lines_where_there_is_no_terminal(good: Ran) -> None:
    lines = good.err.splitlines()
    assert lines[0].startswith("calibrating, case 1/4: throughput/noop/1;")
    assert any(line.startswith("round 1, case 1/4: ") for line in lines)
    assert "\x1b" not in good.err


def test_the_folder_holds_plan_journal_suite_and_report(good: Ran) -> None:
    suite = f"{good.campaign['interpreters'][0]['name']}.json"
    assert {path.name for path in good.folder.iterdir()} == {
        "campaign.json", "rounds.jsonl", suite, "report",
    }  # fmt: skip
    assert (good.folder / "report" / "comparisons.csv").is_file()
    charts = {path.suffix for path in (good.folder / "report").rglob("*.*")}
    assert {".svg", ".png"} <= charts


def test_the_campaign_file_tells_what_was_done(good: Ran) -> None:
    campaign = good.campaign
    assert (campaign["schema"], campaign["status"]) == (1, "complete")
    assert campaign["name"] == "campaign"
    assert (campaign["preset"], campaign["seed"], campaign["budget_seconds"]) == ("default", 5, 3.0)
    assert campaign["code_hash"] == code_hash()
    assert campaign["failed"] == []
    assert {row["contender"]["strategy"] for row in campaign["skipped"]} == ALL - RUNNABLE
    assert [case["id"] for case in campaign["cases"]] == [
        f"{probe}/noop/{tasks}" for probe in DEFAULT.probes for tasks in (1, 10)
    ]
    (block,) = campaign["blocks"]
    assert block["contenders"] == [row["id"] for row in campaign["contenders"]]
    assert block["cases"] == [row["id"] for row in campaign["cases"]]
    roles = [row["role"] for row in campaign["contenders"]]
    assert (roles.count("baseline"), roles.count("control")) == (len(DEFAULT.loops), 1)
    for contender in campaign["contenders"]:
        assert contender["conditions"]["loop_class"].partition(".")[0] == contender["loop"]
        assert contender["conditions"]["task_class"] == "_asyncio.Task"
    assert campaign["elapsed_seconds"] >= 3.0
    assert campaign["peak_worker_bytes"] > 2**20


def test_the_journal_has_every_cell_of_every_round_that_was_finished(good: Ran) -> None:
    contenders = {row["id"] for row in good.campaign["contenders"]}
    cases = {row["id"]: row for row in good.campaign["cases"]}
    assert len(good.journal) >= 1
    assert len(set(keys(good.journal))) == len(good.journal)
    for line in good.journal:
        case = cases[line["case"]]
        assert set(line["cells"]) == contenders
        for cell in line["cells"].values():
            assert len(cell["observed"]["collections"]) == case["sweeps"]
            assert list(cell["values"]) == case["metrics"]
            for values in cell["values"].values():
                assert len(values) == case["sweeps"]
                assert all(value > 0 for value in values)


def test_the_suite_is_pyperfs(good: Ran) -> None:
    (path,) = [path for path in good.folder.glob("*.json") if path.name != "campaign.json"]
    suite = pyperf.BenchmarkSuite.load(str(path))
    values = sum(len(benchmark.get_values()) for benchmark in suite)
    assert values == sum(
        len(row) for line in good.journal for cell in line["cells"].values()
        for row in cell["values"].values()
    )  # fmt: skip
    assert run_python("-m", "pyperf", "stats", path).returncode == 0


def test_nothing_in_the_folder_names_the_host_or_a_path(good: Ran) -> None:
    for name in ("campaign.json", "rounds.jsonl"):
        text = (good.folder / name).read_text(encoding="utf-8")
        assert str(REPOSITORY) not in text
        assert str(good.folder) not in text
        assert str(Path.home()) not in text


def test_an_existing_folder_is_never_overwritten(good: Ran) -> None:
    before = {path: path.stat().st_mtime_ns for path in good.folder.rglob("*")}
    done = run_benchmarks("run", *TINY, "--budget", "1s", "--out", good.folder)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "exists already and is never overwritten" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in good.folder.rglob("*")} == before


def test_quiet_without_report_prints_the_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "campaign"
    done = run_benchmarks("run", *TINY, "--budget", "1s", "--quiet", "--no-report", "--out", folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder}\n", "")
    assert not (folder / "report").exists()


# Bad usage


@pytest.fixture
def run_main(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """The command line in this process, for what ends before anything is measured."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as error:
            code = int(error.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield run
    signal.signal(signal.SIGTERM, handler)


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
        (("--loop", "winloop", "--preset", "question"), "nothing of preset question is left by"),
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


@pytest.mark.parametrize("command", ["run", "resume", "list", "harness"])
def test_every_command_has_help(command: str, run_main: RunMain) -> None:
    code, out, _ = run_main(command, "--help")
    assert code == 0
    assert out.startswith("usage: ")


# Resuming


def spoil(path: Path, trouble: str) -> None:
    fields = json.loads(path.read_text(encoding="utf-8"))
    if trouble == "not a campaign":
        fields = {}
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
        "not a campaign": "not a campaign",
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
    code, _, err = run_main("resume", folder, "--quiet")
    assert code == 2
    assert err.count("\n") == 1
    assert "rounds.jsonl:1: not a record of a round" in err


# Interrupted


@pytest.fixture
def deliverable_sigint() -> Iterator[None]:
    """A shell's background jobs ignore SIGINT, and what they start would too."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A campaign that has come to its second round and has time left for many more."""
    with subprocess.Popen(
        [
            sys.executable, "-m", "benchmarks", "run", *TINY,
            "--precision", "0.0001%", "--budget", "12s", "--out", str(folder), *arguments,
        ],
        cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith("round 2"):
                    break
            yield process
        finally:
            process.kill()


def test_ctrl_c_keeps_the_rounds_shows_them_and_the_campaign_can_be_resumed(
    tmp_path: Path, deliverable_sigint: None
) -> None:
    folder = tmp_path / "campaign"
    with running(folder) as process:
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert str(folder) in out.replace("\n", "")
    assert "gather_tasks" in out
    assert (folder / "report" / "comparisons.csv").is_file()
    campaign = read_campaign(folder)
    assert campaign["status"] == "interrupted"
    kept = read_journal(folder)
    assert len(kept) >= 1

    total = campaign["elapsed_seconds"] + 1.5
    done = run_benchmarks("resume", folder, "--budget", f"{total:.1f}s", "--no-report")
    assert done.returncode == 0, done.stderr
    campaign = read_campaign(folder)
    assert campaign["status"] == "complete"
    assert campaign["elapsed_seconds"] >= total - 0.1
    journal = read_journal(folder)
    assert journal[: len(kept)] == kept
    assert len(journal) > len(kept)
    assert len(set(keys(journal))) == len(journal)


def test_sigterm_keeps_the_rounds_too(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    with running(folder, "--no-report") as process:
        process.terminate()
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert (process.returncode, out) == (130, f"{folder}\n")
    assert "Traceback" not in err
    assert read_campaign(folder)["status"] == "interrupted"
    assert len(read_journal(folder)) >= 1


def test_a_campaign_that_was_killed_can_be_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    with running(folder, "--no-report") as process:
        process.kill()
        process.wait()
    assert read_campaign(folder)["status"] == "running"
    with (folder / "rounds.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"schema":1,"round":')
    kept = read_journal(folder)
    assert len(kept) >= 1
    total = read_campaign(folder)["elapsed_seconds"] + 1.5
    done = run_benchmarks("resume", folder, "--budget", f"{total:.1f}s", "--no-report", "--quiet")
    assert done.returncode == 0, done.stderr
    journal = read_journal(folder)
    assert journal[: len(kept)] == kept
    assert len(set(keys(journal))) == len(journal) > len(kept)
    assert (folder / "rounds.jsonl").read_bytes().endswith(b"\n")


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


def test_a_budget_that_is_too_small_for_a_round_gives_no_complete_campaign(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "campaign"
    done = run_benchmarks("run", *TINY, "--budget", "0.01s", "--out", folder)
    assert done.returncode == 1
    assert "nothing was measured: the budget ended before the first round" in done.stderr
    assert read_campaign(folder)["status"] == "failed"
    assert read_journal(folder) == []


def test_the_report_is_told_which_python_to_hold_the_others_against(
    good: Ran, tmp_path: Path
) -> None:
    """The name is the report's to understand: it is handed on, and so is what it says."""
    folder = tmp_path / "campaign"
    shutil.copytree(good.folder, folder)
    done = run_benchmarks("resume", folder, "--budget", "1s", "--baseline-python", "2.7")
    assert done.returncode == 2
    assert "no Python is called '2.7'" in done.stderr


# The question's own preset


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A round of what is small in it."""
    folder = tmp_path_factory.mktemp("question") / "campaign"
    done = run_benchmarks(
        "run", "--preset", "question", "--loop", "asyncio", "--tasks", "10,100,10000", "--strategy",
        "gather_tasks,wait,sequential", "--budget", "15s", "--out", folder, "--no-report",
    )  # fmt: skip
    return ran(folder, done)


def test_every_probe_and_axis_of_the_question_is_measured(question: Ran) -> None:
    assert question.code == 0, question.err
    campaign = question.campaign
    assert {case["probe"] for case in campaign["cases"]} == set(PROBES) - {"latency"}
    assert {case["pause"] for case in campaign["cases"]} == set(PAUSES)
    assert {row["collector"] for row in campaign["contenders"]} == set(COLLECTORS)
    for contender in campaign["contenders"]:
        assert contender["conditions"]["task_factory"] == contender["task_factory"]
        assert contender["conditions"]["collector"] == contender["collector"]


def test_cells_are_those_of_the_blocks_and_carry_what_was_observed(question: Ran) -> None:
    campaign = question.campaign
    cases = {case["id"]: case for case in campaign["cases"]}
    for line in question.journal:
        asked = {
            contender
            for block in campaign["blocks"]
            if line["case"] in block["cases"]
            for contender in block["contenders"]
        }
        assert set(line["cells"]) == asked
        assert line["failures"] == {}
        for cell in line["cells"].values():
            assert list(cell["values"]) == cases[line["case"]]["metrics"]
            assert "collections" in cell["observed"]
            assert all(value >= 0 for values in cell["observed"].values() for value in values)


# Trouble with workers and loops


@pytest.fixture(scope="module")
def troubled(hostile_repository: Path, interpreter: Interpreter) -> Ran:
    """Strategies that misbehave, in an environment without uvloop."""
    environments = hostile_repository / interpreters.ENVIRONMENTS.relative_to(REPOSITORY)
    environments.unlink()
    shutil.copytree(
        interpreter.executable.parents[1],
        environments / interpreter.environment,
        symlinks=True,
        ignore=shutil.ignore_patterns("uvloop*"),
    )
    strategies = "raises,kills_itself,hangs,ends,prints,drops_the_last,gather_tasks"
    folder = hostile_repository / "campaign"
    return ran(
        folder,
        run_benchmarks(
            "run", "--strategy", strategies, "--workload", "noop", "--probe", "throughput",
            "--tasks", "2", "--turn-limit", "3s", "--budget", "6s", "--out", folder,
            cwd=hostile_repository,
        ),
    )  # fmt: skip


CAUSES = {
    "raises": "LookupError: as it was told to",
    "kills_itself": "the worker was killed by SIGKILL",
    "hangs": "no answer within 3 s, killed",
    "ends": "the worker ended with exit code 3: last words",
    "drops_the_last": "ProofError: coroutine 1 of 2 ran 0 times, not once",
}


def test_failures_end_with_exit_code_1_and_their_causes(troubled: Ran) -> None:
    assert troubled.code == 1, troubled.err
    assert "Traceback" not in troubled.err
    assert troubled.campaign["status"] == "failed"
    strategy_of = {row["id"]: row["strategy"] for row in troubled.campaign["contenders"]}
    failed = troubled.campaign["failed"]
    assert {strategy_of[row["contender"]]: row["cause"] for row in failed} == CAUSES
    assert len(failed) == len(CAUSES), "none is asked again"


def test_all_else_is_measured_beside_failures(troubled: Ran) -> None:
    strategies = {row["id"]: row["strategy"] for row in troubled.campaign["contenders"]}
    assert len(troubled.journal) >= 1
    for line in troubled.journal:
        measured = {strategies[contender] for contender in line["cells"]}
        assert measured == {"gather_coroutines", "gather_tasks", "prints"}


def test_failures_are_told_while_it_runs_and_in_the_end(troubled: Ran) -> None:
    said = " ".join(troubled.out.split())
    for strategy, cause in CAUSES.items():
        assert f"{strategy} in throughput/noop/2: {cause}" in troubled.err
        assert strategy in said
    assert "killed by SIGKILL" in said


def test_a_loop_that_is_not_installed_is_skipped_with_its_reason_shown(troubled: Ran) -> None:
    reason = f"uvloop is not installed for {troubled.campaign['interpreters'][0]['name']}"
    skipped = troubled.campaign["skipped"]
    assert {row["reason"] for row in skipped} == {reason}
    assert {row["contender"]["loop"] for row in skipped} == {"uvloop"}
    assert {row["loop"] for row in troubled.campaign["contenders"]} == {"asyncio"}
    assert reason in " ".join(troubled.out.split())


def test_when_nothing_can_be_measured_it_says_why(troubled: Ran) -> None:
    folder = troubled.folder.with_name("nothing")
    done = run_benchmarks("run", "--loop", "uvloop", "--out", folder, cwd=folder.parent)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nothing can be measured: uvloop is not installed for" in done.stderr
    assert not folder.exists()


def test_list_says_what_cannot_be_measured(troubled: Ran) -> None:
    done = run_benchmarks("list", cwd=troubled.folder.parent)
    assert done.returncode == 0
    heading, _, reasons = done.stdout.partition("cannot be measured here")
    assert heading
    assert "uvloop is not installed for" in reasons


# The disk

LIMITED = """
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
runpy.run_module("benchmarks", run_name="__main__", alter_sys=True)
"""
MANY_LINES = (*TINY, "--tasks", "2,3,4,5,6,7,8", "--precision", "0.0001%", "--budget", "20s")
"""Fills a small disk before its budget is spent."""


def check_what_a_full_disk_leaves(done: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "every line synced so far stays readable" in done.stderr
    assert "Traceback" not in done.stderr
    whole = read_journal(folder)
    assert len(whole) >= 3
    assert len(set(keys(whole))) == len(whole)
    assert read_campaign(folder)["schema"] == 1


def test_a_file_that_cannot_grow_ends_the_campaign_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="limits of file sizes are a thing of Unix")
    folder = tmp_path / "campaign"
    done = run_python("-c", LIMITED, "12000", "run", *MANY_LINES, "--quiet", "--out", folder)
    check_what_a_full_disk_leaves(done, folder)
    assert "File too large" in done.stderr
    assert read_campaign(folder)["status"] == "failed"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=28k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_the_campaign_in_one_line(small_disk: Path) -> None:
    folder = small_disk / "campaign"
    done = run_benchmarks("run", *MANY_LINES, "--quiet", "--out", folder)
    check_what_a_full_disk_leaves(done, folder)
    assert "No space left on device" in done.stderr


# A copy of the repository


def test_a_fresh_copy_runs_from_any_folder(tmp_path: Path) -> None:
    """Results of a copy lie in the copy, under a name with the date and the preset."""
    copy = copy_repository(tmp_path / "copy")
    done = run_benchmarks(
        "run", *TINY, "--preset", "smoke", "--budget", "3s", "--no-report", "--quiet", cwd=copy
    )
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert folder.parent == copy / "results"
    assert re.fullmatch(r"\d{8}-\d{6}-smoke", folder.name)
    assert read_campaign(folder)["preset"] == "smoke"


def test_comparisons_have_a_row_for_every_contrast(good: Ran) -> None:
    with (good.folder / "report" / "comparisons.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    contenders = {row["contender"] for row in rows}
    assert RUNNABLE - {BASELINE} | {"control"} <= contenders
