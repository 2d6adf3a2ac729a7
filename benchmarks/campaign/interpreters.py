"""Interpreters to measure: found by name or path, each given an environment of its own.

uv does the finding and installing. An environment is keyed by its interpreter and by the lock file,
so that it is made once and never goes stale.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace
from uv import find_uv_bin

from benchmarks.campaign.schema import Interpreter, SchemaError, Skipped, Wanted, decode
from benchmarks.loops import EVENT_LOOPS
from benchmarks.strategies import OLDEST_PYTHON

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = REPOSITORY / "requirements" / "measured.txt"
ENVIRONMENTS = REPOSITORY / ".cache" / "environments"
VERSION = re.compile(r"(?:c?python)?(\d+)\.(\d+).*")
NO_SOLUTION = 1
"""uv's exit code where no package is as asked for; 2 where it could not find out."""
INHERITED_VARIABLES = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "TEMP", "LD_LIBRARY_PATH")
"""All that measured processes inherit: what they need to start, nothing that changes how Python
runs."""


class InterpreterError(Exception):
    """An interpreter is not available; one line says which, why, and what to do."""


def executable(interpreter: Interpreter) -> Path:
    """The python of its environment."""
    return _python_of(ENVIRONMENTS / interpreter.environment)


def inherited(variables: Iterable[str] = ()) -> dict[str, str]:
    """The environment of a measured process, with these variables."""
    names = (*INHERITED_VARIABLES, *variables)
    return {name: os.environ[name] for name in names if name in os.environ}


def prepare_all(
    requests: Sequence[str],
    *,
    skip_missing: bool,
    wanted: Sequence[str] = (),
    variables: Sequence[str] = (),
) -> tuple[tuple[Interpreter, ...], tuple[Skipped, ...]]:
    """Prepare the interpreters of all requests (none: the driver's own), in their order.

    Their environments get what is ``wanted`` too, requirements as pip takes them. They are
    described as they are measured, with these variables.

    One that was asked for twice comes once; two builds of one version get names of their own. What
    is not available is returned as skipped with ``skip_missing``; else InterpreterError is raised.
    """
    prepared: dict[str, Interpreter] = {}
    skipped: list[Skipped] = []
    for request in requests or (None,):
        try:
            interpreter = prepare(request, wanted, variables)
        except InterpreterError as error:
            if request is None or not skip_missing:
                raise
            skipped.append(Skipped(contender=Wanted(interpreter=request), reason=str(error)))
            continue
        prepared.setdefault(interpreter.environment, interpreter)
    return tuple(_with_own_names(list(prepared.values()))), tuple(skipped)


def _with_own_names(interpreters: Sequence[Interpreter]) -> Iterator[Interpreter]:
    """Builds of one version by their builder or, where it is the same, by their position."""
    for index, interpreter in enumerate(interpreters):
        namesakes = [other for other in interpreters if other.name == interpreter.name]
        if len(namesakes) == 1:
            yield interpreter
            continue
        builders = [str(other.build["builder"]) for other in namesakes]
        mark = builders[namesakes.index(interpreter)]
        if builders.count(mark) > 1:
            mark = str(1 + index)
        yield replace(interpreter, name=f"{interpreter.name}+{mark}")


def prepare(
    request: str | None, wanted: Sequence[str] = (), variables: Sequence[str] = ()
) -> Interpreter:
    """Find an interpreter (a version, a path, None for the driver's own); make its environment.

    Raises InterpreterError.
    """
    base = find(request)
    key = _key(base, wanted)
    folder = ENVIRONMENTS / key
    if not folder.is_dir():
        _check_version(base)
        _make(base, folder, wanted)
    return replace(_described(_python_of(folder), base, variables), environment=key)


def find(request: str | None) -> Path:
    """The executable of a request. Raises InterpreterError."""
    if request is None:
        return Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    if os.sep in request or (os.altsep and os.altsep in request):
        path = Path(os.path.expanduser(request))  # noqa: PTH111 - of nobody it is as it is
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise InterpreterError(f"--python {request}: no executable file is there")
        return path.resolve()
    # uv looks at pyenv's shims, which answer for the versions that are switched on only.
    if found := _found_by_uv(request) or newest_in_pyenv(request):
        return found
    if (named := VERSION.fullmatch(request)) and (int(named[1]), int(named[2])) < OLDEST_PYTHON:
        raise InterpreterError(f"--python {request}: {_too_old(f'{named[1]}.{named[2]}')}")
    installed = _uv("python", "install", request)
    if found := _found_by_uv(request):
        return found
    raise InterpreterError(
        f"--python {request}: it is not on this machine and cannot be installed "
        f"({_reason(installed)}); name an installed version or the path of an interpreter"
    )


def _found_by_uv(request: str) -> Path | None:
    found = _uv("python", "find", "--no-project", "--system", request)
    return None if found.returncode else Path(found.stdout.strip()).resolve()


def newest_in_pyenv(request: str) -> Path | None:
    """The newest of pyenv's versions that the request (3.13, 3.13.0, 3.13t) names."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    version, threaded = re.subn(r"t$", "", request)
    pattern = re.compile(re.escape(version) + r"(\.\d+)*" + "t" * threaded)
    matching = [
        path
        for path in root.glob("*")
        if pattern.fullmatch(path.name) and (path / "bin" / "python").is_file()
    ]
    newest = max(
        matching,
        key=lambda path: [int(part) for part in re.findall(r"\d+", path.name)],
        default=None,
    )
    return (newest / "bin" / "python").resolve() if newest else None


def _key(base: Path, wanted: Sequence[str]) -> str:
    stat = base.stat()
    # What is on this machine may have changed since it was installed: it is installed anew.
    is_here = any("file:" in one or Path(one.partition("[")[0]).exists() for one in wanted)
    made_of = (LOCK.read_text(encoding="utf-8"), *wanted, *([str(time.time_ns())] * is_here))
    digest = hashlib.sha256("\0".join(made_of).encode())
    digest.update(f"{base}\0{stat.st_size}\0{stat.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


def _make(base: Path, folder: Path, wanted: Sequence[str]) -> None:
    """Make the environment beside its place and move it there whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-") as scratch:
        making = Path(scratch) / "environment"
        made = _uv(
            "venv", "--quiet", "--relocatable", "--no-project", "--python", str(base), str(making)
        )
        if made.returncode:
            raise InterpreterError(
                f"{base.name}: no environment can be made for it: {_reason(made)}"
            )
        if _install(base, making, LOCK):
            # Some loop has no build for this interpreter: the matrix names it.
            lock = LOCK.read_text(encoding="utf-8")
            for package in (None, *(loop.package for loop in EVENT_LOOPS.values() if loop.package)):
                subset = Path(scratch) / "subset.txt"
                subset.write_text(_without_other_loops(lock, package), encoding="utf-8")
                no_build = _install(base, making, subset)
                if no_build and package is None:
                    raise InterpreterError(
                        f"{base.name}: pyperf cannot be installed for it: {no_build}"
                    )
        if wanted:
            added = _uv("pip", "install", "--quiet", "--python", str(_python_of(making)), *wanted)
            if added.returncode:
                raise InterpreterError(
                    f"{base.name}: {', '.join(wanted)} cannot be installed: {_reason(added)}"
                )
        try:
            making.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another campaign made the same one meanwhile
                raise


def _install(base: Path, environment: Path, lock: Path) -> str:
    """Install all of a lock; what is missing where some package has no build, else "". Raises
    InterpreterError when anything else goes wrong: tried again, it may go well.
    """
    installed = _uv(
        "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:",
        "--python", str(_python_of(environment)), "--requirement", str(lock),
    )  # fmt: skip
    if installed.returncode not in (0, NO_SOLUTION):
        raise InterpreterError(
            f"{base.name}: its packages cannot be installed: {_reason(installed)}"
        )
    return _reason(installed) if installed.returncode else ""


def _without_other_loops(lock: str, package: str | None) -> str:
    """The lock without the loops' packages but ``package``; an entry goes on in indented lines."""
    others = {loop.package for loop in EVENT_LOOPS.values()} - {None, package}
    entries = re.split(r"\n(?=\S)", lock)
    return "\n".join(
        entry for entry in entries if re.split(r"[=\s;]", entry, maxsplit=1)[0] not in others
    )


def _check_version(base: Path) -> None:
    """Raise InterpreterError unless it is a Python that is new enough."""
    program = f"""if True:
        import sys
        sys.stdout.write("%d.%d" % sys.version_info[:2])
        sys.exit(sys.version_info < {OLDEST_PYTHON})"""
    asked = subprocess.run([base, "-c", program], capture_output=True, text=True, check=False)
    version = asked.stdout.strip()
    if asked.returncode:
        raise InterpreterError(f"{base.name}: {_too_old(version)}")


def _too_old(version: str) -> str:
    said = f"it is Python {version}; the suite needs" if version else "it is not a Python of"
    return f"{said} {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer"


def _described(python: Path, base: Path, variables: Sequence[str]) -> Interpreter:
    """What the interpreter says of itself, in the environment that it is measured in."""
    asked = subprocess.run(
        [python, "-m", "benchmarks.conditions"],
        cwd=REPOSITORY, env=inherited(variables), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if asked.returncode:
        raise InterpreterError(f"{base.name}: it does not run the suite: {_reason(asked)}")
    try:
        return decode(asked.stdout.encode(), Interpreter)
    except SchemaError as error:
        raise InterpreterError(f"{base.name}: what it says of itself: {error}") from None


def _python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([find_uv_bin(), *arguments], capture_output=True, text=True, check=False)


def _reason(process: subprocess.CompletedProcess[str]) -> str:
    """What a failed process gave as the reason: its error, and the last cause that uv names."""
    lines = [line.strip(" ╰─▶×│├") for line in process.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")] or lines[-1:]
    causes = [line for line in lines if line.startswith(("cause", "Caused by"))][-1:]
    said = [re.sub(r"^(error|cause|Caused by):\s*", "", line) for line in errors + causes]
    return ": ".join(dict.fromkeys(said)) or f"exit code {process.returncode}"
