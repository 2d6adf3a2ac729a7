"""Interpreters to measure and their environments, with a uv that only pretends."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmarks.campaign import interpreters
from benchmarks.campaign.interpreters import (
    InterpreterError,
    executable,
    find,
    prepare,
    prepare_all,
)
from benchmarks.campaign.schema import Interpreter, Refusal, Wanted, encode
from benchmarks.loops import EVENT_LOOPS
from benchmarks.matrix import Selection, lay_out

FACTS: dict[str, object] = {
    "name": "cpython-3.12.1",
    "version": "3.12.1",
    "implementation": "cpython",
    "build": {"builder": "source", "debug": False},
}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the pretended Pythons are shell scripts")


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


class FakeUv:
    """Makes environments whose Python prints facts: what was "installed" is in them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.without_wheels: set[str] = set()
        self.pythons: dict[str, Path] = {}
        self.venv_fails = False
        self.python_fails = False
        self.fetch_fails = False
        self.before_install: Callable[[Path], None] = lambda environment: None

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.calls.append(arguments)
        error = ""
        found = ""
        match arguments[:2]:
            case ("python", "find"):
                if arguments[-1] in self.pythons:
                    found = f"{self.pythons[arguments[-1]]}\n"
                else:
                    error = f"error: No interpreter found for Python {arguments[-1]}"
            case ("python", "install"):
                error = f"error: No download found for request: {arguments[-1]}"
            case ("venv", _):
                error = "error: no space" if self.venv_fails else self._make(Path(arguments[-1]))
            case ("pip", "install"):
                python = Path(arguments[arguments.index("--python") + 1])
                error = self._install(python.parents[1], Path(arguments[-1]))
            case _:
                pytest.fail(f"uv {arguments} is not what this test knows")
        code = (interpreters.NO_SOLUTION if "No solution" in error else 2) if error else 0
        return subprocess.CompletedProcess(arguments, code, found, error)

    def _make(self, environment: Path) -> str:
        facts = '"$(dirname "$0")/../facts.json"'
        text = f'sed "s/.PYTHON_JIT/$PYTHON_JIT/; s/.TOKEN/$TOKEN/" {facts}'
        text = "exit 1" if self.python_fails else text
        script(environment / "bin" / "python", text)
        (environment / "facts.json").write_text(json.dumps(FACTS | {"packages": {}}))
        return ""

    def _install(self, environment: Path, requirements: Path) -> str:
        self.before_install(environment)
        if self.fetch_fails:
            return "error: Failed to fetch: uvloop"
        wanted = dict(re.findall(r"^([a-z]\S*)==(\S+)", requirements.read_text(), re.MULTILINE))
        if missing := self.without_wheels & set(wanted):
            return f"  × No solution found\n  ╰─▶ cause: {min(missing)} has no usable wheels"
        facts = json.loads((environment / "facts.json").read_text())
        known = {"pyperf", *EVENT_LOOPS}
        facts["packages"] |= {name: version for name, version in wanted.items() if name in known}
        (environment / "facts.json").write_text(json.dumps(facts))
        return ""

    def count(self, *start: str) -> int:
        return sum(call[: len(start)] == start for call in self.calls)


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeUv:
    fake = FakeUv()
    monkeypatch.setattr(interpreters, "_uv", fake)
    monkeypatch.setattr(interpreters, "ENVIRONMENTS", tmp_path / "environments")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return fake


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """An executable that could be a Python."""
    return script(tmp_path / "base" / "bin" / "python3.12", "exit 0")


def environments() -> list[str]:
    folder = interpreters.ENVIRONMENTS
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# Finding


def test_without_a_request_it_is_the_drivers_own_outside_of_its_environment() -> None:
    found = find(None)
    assert found.is_file()
    asked = subprocess.run(
        [found, "-c", "import sys; print(sys.prefix == sys.base_prefix, sys.version)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert asked.stdout.strip() == f"True {sys.version}".strip()


def test_a_path_is_taken_as_it_is(base: Path, uv: FakeUv) -> None:
    link = base.parent / "link"
    link.symlink_to(base)
    assert find(str(base)) == find(str(link)) == base
    assert uv.calls == []


@pytest.mark.parametrize("kind", ["missing", "folder", "not executable"])
def test_a_path_without_an_executable_is_one_line(kind: str, base: Path, uv: FakeUv) -> None:
    path = base.parent / "nothing"
    if kind == "folder":
        path.mkdir()
    elif kind == "not executable":
        path.write_text("")
    for request in (str(path), "~nobody.has.this.name/python"):
        with pytest.raises(InterpreterError, match="no executable file is there") as caught:
            find(request)
        assert request in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_version_is_found_by_uv(base: Path, uv: FakeUv) -> None:
    uv.pythons["3.12"] = base
    assert find("3.12") == base
    assert uv.count("python", "install") == 0


def test_a_version_that_uv_can_install_is_installed(base: Path, uv: FakeUv) -> None:
    def install(*arguments: str) -> subprocess.CompletedProcess[str]:
        if arguments[:2] == ("python", "install"):
            uv.pythons["3.12"] = base
            return subprocess.CompletedProcess(arguments, 0, "", "")
        return uv(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpreters, "_uv", install)
        assert find("3.12") == base


@pytest.mark.parametrize("request_", ["3.9", "python3.9", "cpython3.9.2", "3.9t"])
def test_a_python_that_is_too_old_is_not_installed(
    request_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def uv(*arguments: str) -> subprocess.CompletedProcess[str]:
        asked.append(arguments[1])
        return subprocess.CompletedProcess(arguments, 1, "", "error: there is none")

    monkeypatch.setattr(interpreters, "_uv", uv)
    monkeypatch.setattr(interpreters, "newest_in_pyenv", lambda request: None)
    with pytest.raises(
        InterpreterError, match=r"it is Python 3\.9; the suite needs 3\.10 or newer"
    ):
        find(request_)
    assert asked == ["find"]


def test_an_unknown_version_is_one_line_with_the_reason(uv: FakeUv) -> None:
    with pytest.raises(InterpreterError) as caught:
        find("3.99")
    message = str(caught.value)
    assert message.startswith("--python 3.99: ")
    assert "No download found for request: 3.99" in message
    assert "name an installed version or the path of an interpreter" in message
    assert "\n" not in message


def test_pyenvs_newest_version_of_a_request_is_found(tmp_path: Path, uv: FakeUv) -> None:
    for version in ("3.12.1", "3.12.10", "3.12.9", "3.11.7", "3.12.99t", "pypy3.12-7.3"):
        script(tmp_path / "pyenv" / "versions" / version / "bin" / "python", "exit 0")

    def version_of(request: str) -> str:
        return find(request).parents[1].name

    assert version_of("3.12") == "3.12.10"
    assert version_of("3.12.9") == "3.12.9"
    assert version_of("3.12t") == "3.12.99t"
    with pytest.raises(InterpreterError):
        find("3.1")


# Making environments


def test_an_environment_is_made_once_and_used_again(base: Path, uv: FakeUv) -> None:
    first = prepare(str(base))
    second = prepare(str(base))
    assert first == second
    assert uv.count("venv") == uv.count("pip", "install") == 1
    assert environments() == [first.environment]
    assert executable(first) == interpreters.ENVIRONMENTS / first.environment / "bin" / "python"
    assert (first.name, first.version, first.implementation) == (
        "cpython-3.12.1", "3.12.1", "cpython",
    )  # fmt: skip
    assert set(first.packages) == {"pyperf", *(loop.package for loop in EVENT_LOOPS.values())} - {
        None
    }


def test_only_locked_wheels_are_installed(base: Path, uv: FakeUv) -> None:
    prepare(str(base))
    (install,) = [call for call in uv.calls if call[:2] == ("pip", "install")]
    assert "--require-hashes" in install
    assert install[install.index("--only-binary") + 1] == ":all:"
    assert install[-1] == str(interpreters.LOCK)


def test_what_is_on_this_machine_is_installed_anew(base: Path, uv: FakeUv, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for wanted, several in (("aiohttp", 1), (str(tmp_path / "mine"), 2), ("m @ file:///m", 2)):
        assert len({interpreters._key(base, (wanted,)) for _ in range(2)}) == several


def test_another_interpreter_or_lock_gets_another_environment(
    base: Path, uv: FakeUv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {prepare(str(base)).environment}
    keys.add(prepare(str(script(tmp_path / "other" / "python", "exit 0"))).environment)
    base.write_text("#!/bin/sh\n# a newer build\n")
    keys.add(prepare(str(base)).environment)
    lock = tmp_path / "measured.txt"
    lock.write_text("pyperf==9.9 \\\n    --hash=sha256:0\n")
    monkeypatch.setattr(interpreters, "LOCK", lock)
    keys.add(prepare(str(base)).environment)
    assert len(keys) == 4
    assert environments() == sorted(keys)


def test_a_loop_without_a_wheel_is_left_out_and_skipped_by_name(base: Path, uv: FakeUv) -> None:
    uv.without_wheels = {"uvloop"}
    interpreter = prepare(str(base))
    assert "pyperf" in interpreter.packages
    assert "uvloop" not in interpreter.packages
    skipped = lay_out([interpreter], [Selection()]).skipped
    assert {row.reason for row in skipped} == {"uvloop is not installed for cpython-3.12.1"}


def test_what_may_go_well_another_time_leaves_no_loop_out(base: Path, uv: FakeUv) -> None:
    uv.fetch_fails = True
    says = "its packages cannot be installed: Failed to fetch: uvloop"
    with pytest.raises(InterpreterError, match=says):
        prepare(str(base))
    assert environments() == []
    uv.fetch_fails = False
    assert "uvloop" in prepare(str(base)).packages


def test_an_interpreter_is_described_as_it_is_measured(
    base: Path, uv: FakeUv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FACTS, "name", "cpython-$PYTHON_JIT-$TOKEN")
    for name in ("PYTHON_JIT", "TOKEN"):
        monkeypatch.setenv(name, "1")
    assert prepare(str(base)).name == "cpython--"
    assert prepare(str(base), variables=("TOKEN",)).name == "cpython--1"


@pytest.mark.parametrize("trouble", ["venv", "install", "python"])
def test_what_cannot_be_made_is_one_line_and_leaves_nothing_that_is_used_later(
    trouble: str, base: Path, uv: FakeUv
) -> None:
    if trouble == "venv":
        uv.venv_fails, says = True, "no space"
    elif trouble == "install":
        uv.without_wheels, says = {"pyperf"}, "pyperf has no usable wheels"
    else:
        uv.python_fails, says = True, "it does not run the suite"
    with pytest.raises(InterpreterError, match=says) as caught:
        prepare(str(base))
    assert "\n" not in str(caught.value)
    assert "python3.12" in str(caught.value)
    if trouble != "python":
        assert environments() == []
        uv.venv_fails, uv.without_wheels = False, set()
        assert set(prepare(str(base)).packages) >= {"pyperf"}


def test_an_environment_takes_its_place_only_when_it_is_whole(base: Path, uv: FakeUv) -> None:
    def look(environment: Path) -> None:
        assert environment.is_dir()
        assert [name for name in environments() if not name.startswith("making-")] == []

    uv.before_install = look
    assert environments() == []
    made = prepare(str(base))
    assert environments() == [made.environment]


def test_an_interrupted_making_leaves_nothing_that_is_used_later(base: Path, uv: FakeUv) -> None:
    def interrupt(environment: Path) -> None:
        raise KeyboardInterrupt

    uv.before_install = interrupt
    with pytest.raises(KeyboardInterrupt):
        prepare(str(base))
    assert environments() == []


def test_two_campaigns_may_make_the_same_environment_at_once(base: Path, uv: FakeUv) -> None:
    def finish_first(environment: Path) -> None:
        uv.before_install = lambda environment: None
        prepare(str(base))

    uv.before_install = finish_first
    made = prepare(str(base))
    assert environments() == [made.environment]
    assert uv.count("venv") == 2


def test_what_an_interpreter_refuses_is_skipped_by_name(
    base: Path, uv: FakeUv, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"reason": "uvloop 0.1 refuses it", "loop": "uvloop", "task_factory": "eager"}
    monkeypatch.setitem(FACTS, "refusals", [refused])
    interpreter = prepare(str(base))
    assert interpreter.refusals == (Refusal(**refused),)
    factories = Selection(task_factories=("lazy", "eager"), strategies=("wait",))
    laid_out = lay_out([interpreter], [factories])
    assert {row.reason for row in laid_out.skipped} == {"uvloop 0.1 refuses it, on cpython-3.12.1"}


def test_nothing_that_is_kept_of_an_interpreter_names_its_path(base: Path, uv: FakeUv) -> None:
    assert str(base) not in encode(prepare(str(base))).decode()


def test_what_is_no_description_of_an_interpreter_is_one_line(
    base: Path, uv: FakeUv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FACTS, "version", 3)
    with pytest.raises(InterpreterError, match=r"python3\.12: what it says of itself: version: "):
        prepare(str(base))


# Several


def names(prepared: Sequence[Interpreter]) -> list[str]:
    return [interpreter.name for interpreter in prepared]


def test_an_interpreter_that_is_asked_for_twice_comes_once(base: Path, uv: FakeUv) -> None:
    uv.pythons["3.12"] = base
    prepared, skipped = prepare_all(["3.12", str(base), "3.12"], skip_missing=False)
    assert names(prepared) == ["cpython-3.12.1"]
    assert skipped == ()


def test_two_builds_of_one_version_have_names_of_their_own(base: Path, uv: FakeUv) -> None:
    other = base.parent / "other"
    shutil.copy(base, other)
    prepared, _ = prepare_all([str(base), str(other)], skip_missing=False)
    assert names(prepared) == ["cpython-3.12.1+1", "cpython-3.12.1+2"]


def test_a_missing_interpreter_is_an_error_or_skipped_with_its_reason(
    base: Path, uv: FakeUv
) -> None:
    with pytest.raises(InterpreterError, match=r"3\.99"):
        prepare_all([str(base), "3.99"], skip_missing=False)
    prepared, (skipped,) = prepare_all(["3.99", str(base)], skip_missing=True)
    assert names(prepared) == ["cpython-3.12.1"]
    assert skipped.contender == Wanted(interpreter="3.99")
    assert "No download found" in skipped.reason


# The real lock file


def packages_of(lock: str) -> set[str]:
    return set(re.findall(r"^([A-Za-z][\w.-]*)==", lock, re.MULTILINE))


@pytest.mark.parametrize("package", [None, *(loop.package for loop in EVENT_LOOPS.values())])
def test_the_lock_without_other_loops_keeps_everything_else_with_its_hashes(
    package: str | None,
) -> None:
    lock = interpreters.LOCK.read_text(encoding="utf-8")
    loops = {loop.package for loop in EVENT_LOOPS.values()} - {None}
    subset = interpreters._without_other_loops(lock, package)
    assert packages_of(lock) >= {"pyperf", *loops}, "the lock has every loop's package"
    assert packages_of(subset) == packages_of(lock) - (loops - {package})
    kept = subset.splitlines()
    assert set(kept) <= set(lock.splitlines())
    for number, line in enumerate(kept):
        if line.endswith("\\"):
            assert kept[number + 1].startswith("    --hash=sha256:")
    for other in loops - {package}:
        assert not re.search(rf"^{other}\b", subset, re.MULTILINE)


def test_the_real_environment_has_everything(interpreter: Interpreter) -> None:
    assert interpreter.implementation == sys.implementation.name
    assert interpreter.version.split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert "pyperf" in interpreter.packages
    assert executable(interpreter).is_file()
