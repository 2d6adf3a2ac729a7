"""What a measured process is: facts about its interpreter, and the conditions it proves before it
is timed.

``python -m benchmarks.conditions`` prints the facts of the running interpreter as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import platform
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias

from benchmarks.cases import Launcher
from benchmarks.collectors import COLLECTORS, collector_in_force
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES, loop_maker

Scalar: TypeAlias = "str | int | float | bool | None"

EAGER, LAZY, CUSTOM = "eager", "lazy", "custom"


class ConditionError(Exception):
    """A process is not what its launcher says, so it is not timed."""


@dataclass(frozen=True)
class Refusal:
    """What an interpreter cannot do; every launcher that has all of these names is skipped."""

    reason: str
    loop: str | None = None
    task_factory: str | None = None
    collector: str | None = None


def interpreter_facts() -> dict[str, object]:
    """Name, version, implementation, build, available loops and refusals of the running
    interpreter; no path, no host name.
    """
    implementation = sys.implementation.name
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info.releaselevel != "final":
        version += f"{sys.version_info.releaselevel[0]}{sys.version_info.serial}"
    build = build_facts()
    return {
        "name": f"{implementation}-{version}{'t' if build['free_threaded'] else ''}",
        "version": version,
        "implementation": implementation,
        "build": build,
        "packages": _package_versions(),
        "refusals": [asdict(refusal) for refusal in refusals()],
    }


def refusals() -> Iterator[Refusal]:
    """What this Python has and does not work, found by trying every loop and task factory."""
    for loop, factory in itertools.product(EVENT_LOOPS, TASK_FACTORIES.values()):
        if sys.version_info >= factory.since and (refused := refusal(loop, factory.name)):
            yield refused
    for collector in COLLECTORS.values():
        if not collector.is_available:
            reason = f"gc.{collector.set_up} for the collector {collector.name} is missing"
            yield Refusal(reason, collector=collector.name)


def refusal(loop: str, task_factory: str) -> Refusal | None:
    """Why the loop does not run tasks of this factory; None when it does or is not installed."""
    try:
        obeyed = _seen_on(Launcher(loop, task_factory, ""))["task_factory"] == task_factory
    except ModuleNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - whatever a loop raises is its reason
        does = f"refuses the task factory {task_factory} ({type(error).__name__}: {error})"
    else:
        if obeyed:
            return None
        does = f"takes the task factory {task_factory} and does not obey it"
    reason = " ".join(filter(None, (loop, _loop_version(loop), does))).replace("\n", " ")
    return Refusal(reason, loop=loop, task_factory=task_factory)


def build_facts() -> dict[str, Scalar]:
    """How the running interpreter was built. ``pgo`` and ``lto`` are None where the configure
    options do not say: distributions pass them to make.
    """
    configure = str(sysconfig.get_config_var("CONFIG_ARGS") or "").replace("'", "")
    flags = " ".join(
        str(sysconfig.get_config_var(name) or "")
        for name in ("PY_CFLAGS", "PY_CFLAGS_NODIST", "PY_CORE_LDFLAGS", "PY_LDFLAGS_NODIST")
    )
    builder = _builder()
    unstated = False if builder == "source" else None
    return {
        "builder": builder,
        "compiler": platform.python_compiler(),
        "configure": " ".join(
            option for option in configure.split() if option.startswith("--") and "/" not in option
        ),
        "pgo": "-fprofile-use" in flags or "--enable-optimizations" in configure or unstated,
        "lto": "-flto" in flags or "--with-lto" in configure or unstated,
        "shared": bool(sysconfig.get_config_var("Py_ENABLE_SHARED")),
        "debug": bool(sysconfig.get_config_var("Py_DEBUG")),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "jit": _jit(configure),
        "tail_calls": "--with-tail-call-interp" in configure,
        "date": platform.python_build()[1],
    }


def _builder() -> str:
    """Who built the interpreter, by the marks that builders leave; "source" where there is none."""
    if "packaged by" in sys.version:
        return sys.version.split("packaged by ")[1].split()[0]
    if sysconfig.get_config_var("PYTHON_BUILD_STANDALONE"):
        return "python-build-standalone"
    if "posix_local" in sysconfig.get_scheme_names():
        return "debian"
    return "source"


def _jit(configure: str) -> str:
    """ "none", or whether the just-in-time compiler that was built in is "on" or "off"."""
    jit = getattr(sys, "_jit", None)  # 3.14 and newer
    if jit is not None and jit.is_available():
        return "on" if jit.is_enabled() else "off"
    return "on" if "--enable-experimental-jit=yes " in f"{configure} " else "none"


def conditions(launcher: Launcher) -> dict[str, Scalar]:
    """The conditions in this process for this launcher, seen on a running loop of it. Raises
    ConditionError when the task factory or the collector is another one.
    """
    with COLLECTORS[launcher.collector].in_force():
        collector = collector_in_force()
    seen = _seen_on(launcher)
    for what, asked, found in (
        ("task factory", launcher.task_factory, seen["task_factory"]),
        ("collector", launcher.collector, collector),
    ):
        if found != asked:
            raise ConditionError(f"the {what} in force is {found}, not {asked}")
    return {
        **seen,
        "loop_version": _loop_version(launcher.loop),
        "gil": _gil_enabled(),
        "collector": collector,
        "collector_kind": _collector_kind(),
        "collector_thresholds": ",".join(map(str, gc.get_threshold())),
    }


def _seen_on(launcher: Launcher) -> dict[str, Scalar]:
    loop = loop_maker(launcher.loop, launcher.task_factory)()
    main = _seen_by_a_task()
    try:
        return loop.run_until_complete(main)
    finally:
        main.close()  # in case the loop refuses to make a task of it
        loop.close()


async def _seen_by_a_task() -> dict[str, Scalar]:
    loop = asyncio.get_running_loop()
    steps: list[str] = []

    async def step() -> None:
        steps.append(EAGER)
        await asyncio.sleep(0)

    task = asyncio.create_task(step())
    # The proof: it has run its first step where it was created, or it has not.
    lazy = LAZY if loop.get_task_factory() is None else CUSTOM
    task_factory = steps[0] if steps else lazy
    await task
    return {
        "loop_class": _qualified_name(loop),
        "loop_debug": loop.get_debug(),
        "task_class": _qualified_name(task),
        "task_factory": task_factory,
    }


def _loop_version(loop: str) -> str:
    module = sys.modules.get(EVENT_LOOPS[loop].module)
    # Without a module, its import is what fails.
    return str(getattr(module, "__version__", platform.python_version())) if module else ""


def _qualified_name(instance: object) -> str:
    return f"{type(instance).__module__}.{type(instance).__qualname__}"


def _collector_kind() -> str:
    """ "generational", or "incremental" (CPython 3.14.0 to 3.14.4), or "free-threaded"."""
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "free-threaded"
    # The incremental collector has no third generation and says so by a threshold of 0.
    return "incremental" if gc.get_threshold()[2] == 0 else "generational"


def _gil_enabled() -> bool:
    is_enabled = getattr(sys, "_is_gil_enabled", None)  # 3.13 and newer
    return True if is_enabled is None else bool(is_enabled())


def _package_versions() -> Mapping[str, str]:
    # It adds thousands of objects for the collector to visit; a worker does not need it.
    from importlib import metadata

    return {one.metadata["Name"]: one.version for one in metadata.distributions()}


if __name__ == "__main__":
    print(json.dumps(interpreter_facts()))
