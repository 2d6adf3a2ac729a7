"""The user's own workloads and strategies: what is read, what is refused, and what becomes of code
that misbehaves.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.read.load import read_campaign
from benchmarks import own as measured
from benchmarks.campaign import arguments, own
from benchmarks.campaign.arguments import UsageError
from benchmarks.campaign.schema import Interpreter
from benchmarks.campaign.workers import OwnCode, ProcessWorker, WorkerError
from benchmarks.cases import Case, Launcher
from benchmarks.echo import EchoConnections
from benchmarks.matrix import BOUNDING, MAIN, Selection, contender_of
from benchmarks.own import Own, OwnCodeError, adapted
from benchmarks.slices import Bench
from benchmarks.strategies import STRATEGIES
from benchmarks.workloads import WORKLOADS
from tests.repository import REPOSITORY, TIMEOUT_SECONDS, run_benchmarks

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    """What is registered is so for one test."""
    before = {*WORKLOADS, *STRATEGIES}
    yield
    for name in {*WORKLOADS, *STRATEGIES} - before:
        WORKLOADS.pop(name, None)
        STRATEGIES.pop(name, None)
    measured.module_of.cache_clear()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the user's file."""

    def written(text: str) -> Path:
        path = tmp_path / "mine.py"
        path.write_text(text, encoding="utf-8")
        return path

    return written


# --- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("def fetch(i): ...", "workload", "mine.py, line 1: fetch is not async"),
        ("async def get(i): ...", "workload", "has no fetch; it has get"),
        ("x = 1", "workload", "has no fetch; it has no async function"),
        ("async def fetch(:\n  ...", "workload", "mine.py, line 1: "),
        ("async def fetch(a, b): ...", "workload", "line 1: fetch takes a, b; a workload is given"),
        ("async def fetch(*, a): ...", "workload", "line 1: fetch needs a by its name"),
        ("async def fetch(a):\n    yield a", "workload", "what sets up is given nothing"),
        ("async def fetch(work): ...", "strategy", "takes work; a strategy takes work and tasks"),
        ("async def fetch(a, b, c): ...", "strategy", "a strategy takes work and tasks and, if"),
    ],
)
def test_what_cannot_be_used_is_named_with_file_and_line(
    text: str, kind: str, says: str, write: Write
) -> None:
    path = write(text)
    with pytest.raises(OwnCodeError, match=says) as caught:
        own.read(kind, f"{path}:fetch")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OwnCodeError, match=r"nowhere\.py:f: No such file"):
        own.read("workload", f"{tmp_path}/nowhere.py:f")


def test_what_the_file_says_of_a_function(write: Write) -> None:
    path = write(
        '''
async def fetch(index):
    """fetch a page.

    More words."""

async def launch(work, tasks, limit): ...
async def pausing(work, tasks, pause=None): ...
fetched = fetch
'''
    )
    fetch = own.read("workload", f"{path}:fetch")
    assert (fetch.name, fetch.meaning) == ("mine.fetch", "fetch a page")
    assert WORKLOADS["mine.fetch"].own
    launch = own.read("strategy", f"{path}:launch")
    assert (launch.bounds, launch.pauses) == (True, False)
    assert STRATEGIES["mine.launch"].bounds
    pausing = own.read("strategy", f"{path}:pausing")
    assert (pausing.bounds, pausing.pauses) == (False, True)
    assert own.read("workload", f"{path}:fetched").name == "mine.fetched"


@pytest.mark.parametrize("text", ["noop", "mine.py", "mine:fetch", "mine.py:", "mine.py:a-b"])
def test_only_a_file_and_a_name_are_own_code(text: str) -> None:
    with pytest.raises(OwnCodeError, match=r"write it as FILE\.py:NAME"):
        own.read("workload", text)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(OwnCodeError, match=r"^mine\.py: "):
        own.read("workload", f"{path}:fetch")


def test_requirements_are_those_of_the_file_and_those_given(write: Write) -> None:
    path = write(
        """# /// script
# requires-python = ">=3.10"
# dependencies = [
#   "aiohttp[speedups]>=3.12",
#   "other",
# ]
# ///
async def fetch(index): ...
"""
    )
    one = own.read("workload", f"{path}:fetch")
    assert own.requirements([one], ["given==1"]) == ("given==1", "aiohttp[speedups]>=3.12", "other")
    write("async def fetch(index): ...")
    assert own.requirements([one], []) == ()


@pytest.mark.parametrize("dependencies", ["[", '"aiohttp"', "[3]"])
def test_inline_metadata_that_is_no_list_of_texts_is_refused(
    dependencies: str, write: Write
) -> None:
    one = own.read("workload", f"{write('async def fetch(index): ...')}:fetch")
    write(f"# /// script\n# dependencies = {dependencies}\n# ///\n")
    with pytest.raises(OwnCodeError, match=r"mine\.py: its inline metadata"):
        own.requirements([one], [])


def test_a_plan_keeps_names_and_hashes_and_no_path(write: Write, tmp_path: Path) -> None:
    one = own.read("workload", f"{write('async def fetch(index): ...')}:fetch")
    [record] = own.record([replace(one, warmups=4, counts_errors=True)])
    assert (record.name, record.kind) == ("mine.fetch", "workload")
    assert (record.warmups, record.counts_errors) == (4, True)
    assert len(record.sha256) == 64
    assert str(tmp_path) not in repr(record)


@pytest.mark.parametrize(
    ("requirement", "kept"),
    [
        ("aiohttp[speedups]>=3.12", "aiohttp[speedups]>=3.12"),
        ("./lib/mine", "mine"),
        ("mine @ file:///home/me/mine-1.0.whl", "mine @ mine-1.0.whl"),
        ("https://example.org/mine-1.0.whl", "https://example.org/mine-1.0.whl"),
    ],
)
def test_a_requirement_tells_no_folder(requirement: str, kept: str) -> None:
    assert own.without_paths(requirement) == kept


def test_what_a_budget_is_enough_for(write: Write) -> None:
    one = Own("workload", "mine.py", "fetch", seconds=0.2)
    selection = Selection(
        workloads=(one.name,), tasks=(1, 10, 1000), loops=("asyncio",), strategies=("chunks",),
        limits=(10,),
    )  # fmt: skip
    # All at once takes 0.2 s, in chunks of ten 0.2 s for each ten.
    # The baseline is there twice.
    assert own.fan_out_seconds(selection, 10, one) == pytest.approx(0.6)
    assert own.fan_out_seconds(selection, 1000, one) == pytest.approx(0.4 + 20)
    assert own.fan_out_seconds(selection, 10, one, pythons=3) == pytest.approx(1.8)
    # What computes does so one after the other, whatever the strategy.
    assert own.fan_out_seconds(selection, 10, replace(one, waits=False)) == pytest.approx(6.0)
    assert own.affordable(selection, [one], 20.0, 1).tasks == (1, 10)
    assert own.affordable(selection, [one], 20.0, 2).tasks == (1,)
    assert own.affordable(selection, [one], 700.0, 1).tasks == (1, 10, 1000)
    assert own.affordable(selection, [], 1.0, 1).tasks == selection.tasks


# --- what is called -------------------------------------------------------------------------------


async def of_index(index: int) -> str:
    return f"item {index}"


async def of_nothing() -> str:
    return "nothing"


def test_a_function_of_an_index_is_taken_as_it_is() -> None:
    one = Own("workload", "mine.py", "of_index")
    as_it_is: object = of_index
    assert adapted(of_index, one) is as_it_is
    result: object = asyncio.run(adapted(of_nothing, one)(3))
    assert result == "nothing"


async def with_a_default(delay: float = 0.5) -> float:
    return delay


def test_a_parameter_with_a_default_keeps_it() -> None:
    result: object = asyncio.run(adapted(with_a_default, Own("workload", "mine.py", "f"))(900))
    assert result == 0.5


def test_all_functions_of_a_file_are_of_one_module(write: Write) -> None:
    path = str(write("class Busy(Exception): ...\nasync def a(i): ...\nasync def b(i): ..."))
    one, other = (measured.load(path, name) for name in "ab")
    assert one.__globals__["Busy"] is other.__globals__["Busy"]


def test_a_strategy_is_launched_as_it_is(write: Write) -> None:
    """What surrounds it would be measured: 0.3 us is some percent of a small fan-out."""
    text = "async def pausing(work, tasks, pause=None): ...\nasync def plain(work, tasks): ..."
    path = str(write(text))
    for name in ("pausing", "plain"):
        own.read("strategy", f"{path}:{name}")
    assert STRATEGIES["mine.pausing"].within(None) is measured.load(path, "pausing")
    launch = STRATEGIES["mine.plain"].within(None)
    assert launch.__code__.co_names == ()  # it looks nothing up
    coroutine = launch(adapted(of_index, Own("workload", "mine.py", "f")), 1, None)
    assert getattr(coroutine, "__name__", "") == "plain"
    coroutine.close()


def test_a_path_may_have_blanks_and_commas(tmp_path: Path) -> None:
    folder = tmp_path / "my project, new"
    folder.mkdir()
    (folder / "mine.py").write_text("async def fetch(i): ...", encoding="utf-8")
    parse = arguments.names_or_own(WORKLOADS, "workload")
    [one] = parse(f"{folder}/mine.py:fetch")
    assert isinstance(one, Own)
    assert one.path == str((folder / "mine.py").resolve())


@pytest.mark.parametrize("option", ["--errors=fail", "--errors=count", "--warmups=0"])
def test_what_is_about_ones_own_workload_is_refused_without_one(option: str, write: Write) -> None:
    path = write("async def launch(work, tasks): ...\nasync def fetch(i): ...\n")
    parser = arguments.Parser()
    arguments.add_run_options(parser)
    with pytest.raises(UsageError, match="has no meaning without a workload of your own"):
        arguments.run_options(parser.parse_args([option, f"--strategy={path}:launch"]))
    given = arguments.run_options(parser.parse_args([option, f"--workload={path}:fetch"]))
    assert (given.own[0].counts_errors, given.own[0].warmups) == (
        option.endswith("count"),
        0 if option.endswith("0") else 1,
    )


def test_what_is_no_function_of_an_index_is_refused() -> None:
    async def of_two(one: int, two: int) -> None: ...

    one = Own("workload", "mine.py", "f")
    with pytest.raises(OwnCodeError, match=r"mine\.f needs one, two: it is given an index"):
        adapted(of_two, one)
    with pytest.raises(OwnCodeError, match="yields int, which cannot be called"):
        adapted(3, one)


def test_errors_that_are_counted_leave_no_result() -> None:
    async def fails(index: int) -> int:
        if index % 2:
            raise ValueError
        return index

    before = measured.raised["calls"]
    work = adapted(fails, Own("workload", "mine.py", "f", counts_errors=True))

    async def main() -> list[int]:
        return await asyncio.gather(*map(work, range(4)))

    assert asyncio.run(main()) == [0, None, 2, None]
    assert measured.raised["calls"] - before == 2


def test_an_argument_says_all() -> None:
    one = Own("workload", "/a/b.py", "f", "does it", waits=False, seconds=0.1, warmups=3)
    assert Own.of(one.argument) == one


def test_setting_up_and_tearing_down_is_done_around_each_slice(
    write: Write, connections: EchoConnections
) -> None:
    path = write(
        """
events = []

async def work():
    events.append("up")
    async def call(index):
        return "any"
    yield call
    events.append("down")
"""
    )
    one = own.read("workload", f"{path}:work")
    measured.register(one)
    bench = Bench(Launcher("asyncio", "lazy", "gather_tasks"), connections)
    bench.prove(Case("throughput", one.name, 3))
    bench.measure(Case("throughput", one.name, 3), 2, 4)
    events = sys.modules["own_mine"].events
    assert events == ["up", "down"] * 2


# --- what misbehaves ------------------------------------------------------------------------------

MISBEHAVES = {
    "import": (
        """raise ValueError('no')
async def work(i): ...""",
        "mine.py, line 1, in <module>: ValueError: no",
    ),
    "import of a package": (
        """import no_such
async def work(i): ...""",
        "mine.py, line 1, in <module>: ModuleNotFoundError: No module named",
    ),
    "set-up": (
        """async def work():
    raise OSError('no server')
    yield""",
        "mine.py, line 2, in work: OSError: no server",
    ),
    "yields no function": (
        """async def work():
    yield 3""",
        "OwnCodeError: mine.work yields int, which cannot be called",
    ),
    "first call": (
        """async def work(i):
    raise KeyError(i)""",
        "mine.py, line 2, in work: KeyError: 0",
    ),
    "call 5000": (
        """calls = 0
async def work(i):
    global calls
    calls += 1
    if calls == 5000:
        raise RuntimeError('enough')""",
        "mine.py, line 6, in work: RuntimeError: enough",
    ),
    "exits": (
        """import sys
async def work(i):
    sys.exit(3)""",
        "mine.py, line 3, in work: SystemExit: 3",
    ),
    "closes the loop": (
        """import asyncio
async def work(i):
    asyncio.get_running_loop().close()""",
        "mine.py, line 3, in work: RuntimeError: Cannot close a running",
    ),
    "leaves a task": (
        """import asyncio
kept = []
async def forgotten():
    await asyncio.sleep(9)
async def work(i):
    kept.append(asyncio.create_task(forgotten()))""",
        "ProofError: 10 tasks were left when the fan-out had returned: forgotten",
    ),
    "policy": (
        """import asyncio, warnings
warnings.simplefilter('ignore')
class Loop(asyncio.SelectorEventLoop): ...
class Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self): return Loop()
asyncio.set_event_loop_policy(Policy())
async def work(i): ...""",
        "SpoiledError: the event loop has become a Loop",
    ),
    "never ends": (
        """import asyncio
async def work(i):
    await asyncio.sleep(3600)""",
        "no answer within 2 s, killed: mine.py, line 3, in work: it has not ended",
    ),
    "blocks the loop": (
        """async def work(i):
    while True:
        pass""",
        "in work: it has not ended",
    ),
    "ends the process": (
        """import os
async def work(i):
    os._exit(3)""",
        "the worker ended with exit code 3",
    ),
}
"""The text of mine.py, and what is said of it."""

Start = Callable[[Own], ProcessWorker]


@pytest.fixture
def start(interpreter: Interpreter, echo_port: int) -> Iterator[Start]:
    """Start a worker that has the user's code; its turns, not its start, have two seconds."""
    started: list[ProcessWorker] = []

    def begin(one: Own) -> ProcessWorker:
        worker = ProcessWorker(
            contender_of(interpreter.name, Launcher("asyncio", "lazy", "gather_tasks")),
            interpreter,
            echo_port=echo_port,
            hash_seed=1,
            padding=1,
            turn_limit_seconds=TIMEOUT_SECONDS,
            own=OwnCode([one.argument]),
        )
        started.append(worker)
        worker.wait_until_ready()
        worker._turn_limit_seconds = 2.0
        return worker

    yield begin
    for worker in started:
        worker.close()


@pytest.mark.parametrize("what", MISBEHAVES)
def test_code_that_misbehaves_is_named_and_other_cases_go_on(
    what: str, write: Write, start: Start
) -> None:
    text, says = MISBEHAVES[what]
    one = own.read("workload", f"{write(text)}:work")
    worker = start(one)
    case = Case("throughput", one.name, 10)
    with pytest.raises(WorkerError) as caught:  # noqa: PT012 - at one of these turns
        worker.calibrate(case, 0.01)
        for turn in range(1000):
            worker.measure(case, 10, 10, turn % 10 / 10)
    assert says in caught.value.cause
    assert "\n" not in caught.value.cause
    if caught.value.alive:
        noop = Case("throughput", "noop", 10)
        assert worker.measure(noop, 1, 1, 0.0).timed_seconds > 0


def test_a_file_that_changes_while_it_is_measured_ends_the_campaign(write: Write) -> None:
    one = own.read("workload", f"{write('async def work(i): return i')}:work")
    code = OwnCode([one.argument])
    code.check()
    write("async def work(i): return i + 1")
    with pytest.raises(OSError, match=r"a file has changed while it was measured: 'mine\.py'"):
        code.check()
    Path(one.path).unlink()
    with pytest.raises(OSError, match="has changed"):
        code.check()


def test_a_try_calls_with_an_index_that_every_fan_out_has(
    write: Write, interpreter: Interpreter
) -> None:
    path = write("NAMES = ['only']\nasync def work(i): return NAMES[i]")
    tried = own.tried(own.read("workload", f"{path}:work"), interpreter)
    assert (tried.wrong, tried.failed) == ("", False)


def test_a_try_that_hangs_leaves_nothing_running(
    write: Write, interpreter: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "LONGEST_TRY_SECONDS", 5.0)
    number = tmp_path / "number"
    path = write(
        "import asyncio, pathlib, subprocess\n"
        "async def work(i):\n"
        "    child = subprocess.Popen(['sleep', '600'])\n"
        f"    pathlib.Path({str(number)!r}).write_text(str(child.pid))\n"
        "    await asyncio.sleep(600)\n"
    )
    tried = own.tried(own.read("workload", f"{path}:work"), interpreter)
    assert tried.wrong == "a few calls have not ended within 5 s"
    state = Path(f"/proc/{number.read_text()}/stat")
    if Path("/proc").is_dir():
        for _ in range(100):  # until it is reaped
            if not state.exists() or state.read_text().split()[2] == "Z":
                break
            time.sleep(0.05)
        assert not state.exists() or state.read_text().split()[2] == "Z"


def test_what_the_users_code_prints_is_no_answer(write: Write, start: Start) -> None:
    path = write("async def work(i):\n    print('{}' * 100)")
    one = own.read("workload", f"{path}:work")
    worker = start(one)
    assert worker.measure(Case("throughput", one.name, 10), 1, 3, 0.0).blocks == 3


def test_the_users_neighbours_are_imported(write: Write, start: Start, tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("def name(): return 'next door'")
    path = write("import neighbour\nasync def work(i): return neighbour.name()")
    one = own.read("workload", f"{path}:work")
    assert start(one).measure(Case("throughput", one.name, 10), 1, 1, 0.0).blocks == 1


def test_a_try_tells_what_a_call_takes(write: Write, interpreter: Interpreter) -> None:
    path = write(
        "import asyncio\nasync def waits(i): await asyncio.sleep(0.02)\n"
        "async def computes(i): sum(range(20000))\n"
        "async def fails(i): raise ValueError('no')\n"
    )
    waits = own.tried(own.read("workload", f"{path}:waits"), interpreter)
    assert waits.own.waits
    assert waits.own.seconds is not None
    assert waits.own.seconds >= 0.02
    computes = own.tried(own.read("workload", f"{path}:computes"), interpreter)
    assert not computes.own.waits
    assert "mostly computes" in next(computes.remarks())
    fails = own.tried(own.read("workload", f"{path}:fails"), interpreter)
    assert [*fails.remarks()] == ["mine.fails: mine.py, line 4, in fails: ValueError: no"]
    assert fails.failed


def test_no_folder_is_named_where_there_is_no_home(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("async def work(i): ...")
    own.read("workload", f"{path}:work")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.path.expanduser", lambda text: text)
    assert measured.scrubbed(f"in {path}, ~") == "in mine.py, ~"


def test_the_suites_own_process_has_not_the_users_modules() -> None:
    code = "import sys, benchmarks.worker; sys.exit('benchmarks.own' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False)
    assert done.returncode == 0


def test_a_remote_server_is_named() -> None:
    tried = own.Tried(Own("workload", "mine.py", "f", seconds=0.1), remote=("192.0.2.1",))
    assert "talks to 192.0.2.1: rate limits" in [*tried.remarks()][1]
    hosts: dict[str, None] = {}
    for host in ("127.0.0.1", "::1", "localhost", "192.0.2.1", "a.example", 3):
        measured._note_remote(hosts, "socket.connect", (None, (host, 80)))
    measured._note_remote(hosts, "socket.connect", (None, "/a/socket"))
    assert [*hosts] == ["192.0.2.1", "a.example"]


# --- the examples of the documentation ------------------------------------------------------------

EXAMPLES = REPOSITORY / "docs" / "examples"


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        ("workload", "pure.py:parse"),
        ("workload", "client.py:get"),
        ("workload", "database.py:query"),
        ("strategy", "strategy.py:pairs"),
    ],
)
def test_the_examples_of_the_documentation_are_measured(
    kind: str, example: str, tmp_path: Path
) -> None:
    """Each with what it needs, from its inline metadata, in an environment of its own."""
    done = run_benchmarks(
        "run", f"--{kind}={EXAMPLES / example}", "--tasks=20", "--loop=asyncio",
        "--probe=throughput", "--workload=noop", "--budget=4s", "--no-report", "--quiet",
        f"--out={tmp_path / 'c'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    campaign = read_campaign(tmp_path / "c")
    assert campaign.failed == ()
    assert campaign.rounds >= 1
    [record] = campaign.plan.own
    assert record.name == example.replace(".py:", ".")
    names = {*(case.workload for case in campaign.cases)}
    names |= {one.strategy for one in campaign.contenders}
    assert record.name in names
    assert str(REPOSITORY) not in (tmp_path / "c" / "campaign.json").read_text(encoding="utf-8")


def test_calls_that_raise_are_counted_where_that_was_asked_for(write: Write, start: Start) -> None:
    path = write("async def half(i):\n    if i % 2:\n        raise ValueError(i)\n    return i")
    one = replace(own.read("workload", f"{path}:half"), counts_errors=True)
    measured_ = start(one).measure(Case("throughput", one.name, 10), 2, 3, 0.0)
    assert measured_.errors == 2 * 3 * 5


def test_a_campaign_goes_on_with_the_same_code_only(write: Write, tmp_path: Path) -> None:
    path, folder = write("async def work(i): return i"), tmp_path / "c"
    options = ("--tasks=10", "--loop=asyncio", "--probe=throughput", "--no-report", "--quiet")
    begun = run_benchmarks(
        "run", f"--workload={path}:work", *options, "--budget=4s", f"--out={folder}"
    )
    assert begun.returncode == 0, begun.stderr
    before = read_campaign(folder)
    more = f"--budget={2 * before.plan.elapsed_seconds + 4:.1f}s"
    resume = ("resume", str(folder), more, "--no-report", "--quiet")
    without = run_benchmarks(*resume)
    assert without.returncode == 2
    assert "mine.work was measured and is not given: --workload FILE.py:NAME" in without.stderr
    gone_on = run_benchmarks(*resume, f"--workload={path}:work")
    assert gone_on.returncode == 0, gone_on.stderr
    assert read_campaign(folder).rounds > before.rounds
    write("async def work(i): return i + 1")
    changed = run_benchmarks(*resume[:2], "--budget=1h", f"--workload={path}:work")
    assert changed.returncode == 2
    assert "the file of mine.work has changed since it was measured" in changed.stderr


def test_a_campaign_goes_on_as_it_was_begun(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the errors counted, the warm-ups and the variables that it had."""
    monkeypatch.setenv("TOKEN", "secret")
    text = (
        "import os\ntoken = os.environ['TOKEN']\n"
        "async def work(i):\n    if i == 3:\n        raise ValueError(i)\n"
    )
    path, folder = write(text), tmp_path / "c"
    begun = run_benchmarks(
        "run", f"--workload={path}:work", "--tasks=10", "--loop=asyncio", "--probe=throughput",
        "--errors=count", "--warmups=2", "--env=TOKEN", "--no-report", "--quiet", "--budget=4s",
        f"--out={folder}",
    )  # fmt: skip
    assert begun.returncode == 0, begun.stderr
    plan = (folder / "campaign.json").read_text(encoding="utf-8")
    assert "secret" not in plan
    before = read_campaign(folder)
    assert before.plan.variables == ("TOKEN",)
    assert (before.plan.own[0].warmups, before.plan.own[0].counts_errors) == (2, True)
    resume = ("resume", str(folder), f"--workload={path}:work", "--no-report", "--quiet")
    gone_on = run_benchmarks(*resume, f"--budget={2 * before.plan.elapsed_seconds + 4:.1f}s")
    assert gone_on.returncode == 0, gone_on.stderr
    after = read_campaign(folder)
    assert after.rounds > before.rounds
    assert after.failed == ()
    errors = after.observed[after.observed["name"].eq("errors")]
    assert len(errors) == len(after.contenders) * after.rounds
    assert set(errors["value"]) == {1.0}
    monkeypatch.delenv("TOKEN")
    without = run_benchmarks(*resume, "--budget=1h")
    assert without.returncode == 2
    assert "it was measured with the variable TOKEN, which is unset" in without.stderr


def test_a_workload_that_fails_at_once_is_not_measured(write: Write, tmp_path: Path) -> None:
    path = write("async def work(i): raise ValueError('no')")
    done = run_benchmarks("run", f"--workload={path}:work", "--quiet", f"--out={tmp_path / 'c'}")
    assert done.returncode == 2
    assert "mine.work: mine.py, line 1, in work: ValueError: no" in done.stderr
    assert not (tmp_path / "c").exists()


def test_a_strategy_of_ones_own_is_measured_beside_the_others(write: Write) -> None:
    path = write("async def launch(work, tasks): ...\nasync def bounded(work, tasks, limit): ...\n")
    parser = arguments.Parser()
    arguments.add_run_options(parser)

    def strategies_of(*given: str) -> set[str]:
        options = arguments.run_options(parser.parse_args([*given, "--probe=throughput"]))
        return {name for part in options.selections for name in part.strategies}

    own_one = f"--strategy={path}:launch"
    assert strategies_of(own_one) == {*MAIN, "mine.launch"}
    assert strategies_of(own_one, "--strategy=wait") == {"wait", "mine.launch"}
    assert strategies_of(own_one, "--limit=5") == {*BOUNDING, "mine.launch"}
    bounded = f"--strategy={path}:bounded"
    assert strategies_of(bounded, "--limit=none,5") == {*MAIN, *BOUNDING, "mine.bounded"}
    assert strategies_of(bounded, "--strategy=chunks", "--limit=5") == {"chunks", "mine.bounded"}
    with pytest.raises(UsageError, match=r"mine\.bounded: name a limit, such as --limit 100"):
        strategies_of(bounded)


def test_two_files_of_one_name_are_not_taken_for_one(tmp_path: Path) -> None:
    paths = []
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        paths.append(tmp_path / version / "client.py")
        paths[-1].write_text("async def get(i): ...")
    done = run_benchmarks("run", f"--workload={paths[0]}:get,{paths[1]}:get")
    assert done.returncode == 2
    assert "two files have a client.get: rename one of them" in done.stderr


def test_what_is_published_has_no_code_of_the_users_own(write: Write) -> None:
    folder = REPOSITORY / "results" / "reference" / "of-a-test"
    done = run_benchmarks(
        "run", f"--workload={write('async def work(i): return i')}:work", f"--out={folder}"
    )
    assert done.returncode == 2
    assert "is to be published, which your own code is not for" in done.stderr
    assert not folder.exists()
