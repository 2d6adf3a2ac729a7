"""What a measured process is: facts about its interpreter, and the conditions it proves before it
is timed.

``python -m benchmarks.conditions`` prints the facts of the running interpreter as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import platform
import sys
import sysconfig
from collections.abc import Mapping
from typing import TypeAlias

from benchmarks.cases import Launcher
from benchmarks.loops import EVENT_LOOPS

Scalar: TypeAlias = "str | int | float | bool | None"


def interpreter_facts() -> dict[str, object]:
    """Name, version, implementation, build and available loops of the running interpreter; no path,
    no host name.
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
    }


def build_facts() -> dict[str, Scalar]:
    """How the running interpreter was built, as far as it says: every value is a JSON scalar.

    ``pgo`` and ``lto`` are None where the builder does not leave them in the configure options:
    distributions pass them to make.
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
    """What holds in this process for this launcher, seen on a running loop of it."""
    loop = EVENT_LOOPS[launcher.loop].load()()
    try:
        seen = loop.run_until_complete(_seen_by_a_task())
    finally:
        loop.close()
    module = importlib.import_module(EVENT_LOOPS[launcher.loop].module)
    return {
        **seen,
        "loop_version": getattr(module, "__version__", platform.python_version()),
        "gil": _gil_enabled(),
        "collector": "on" if gc.isenabled() else "off",
        "collector_kind": _collector_kind(),
        "collector_thresholds": ",".join(map(str, gc.get_threshold())),
    }


def peak_bytes() -> int:
    """Peak resident size of this process in bytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


async def _seen_by_a_task() -> dict[str, Scalar]:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(asyncio.sleep(0))
    await task
    return {
        "loop_class": _qualified_name(loop),
        "loop_debug": loop.get_debug(),
        "task_class": _qualified_name(task),
        "task_factory": "lazy" if loop.get_task_factory() is None else "custom",
    }


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
    from importlib import (
        metadata,
    )  # thousands of objects for the collector, which a worker does without

    versions = {}
    for package in ("pyperf", *(loop.package for loop in EVENT_LOOPS.values())):
        try:
            versions[str(package)] = metadata.version(package) if package else ""
        except metadata.PackageNotFoundError:
            continue
    return {name: version for name, version in versions.items() if version}


if __name__ == "__main__":
    print(json.dumps(interpreter_facts()))
