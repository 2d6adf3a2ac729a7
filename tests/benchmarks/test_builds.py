"""What is said of a build, from what real builds say of themselves.

``builds.json`` holds what real interpreters answered (paths taken out): all of it for those of
pyenv, Debian and a free-threaded one made from Debian's source; for conda-forge and
python-build-standalone only the parts that they have published.
"""

from __future__ import annotations

import gc
import json
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import conditions
from benchmarks.campaign.interpreters import executable
from benchmarks.campaign.schema import Interpreter

RECORDED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "builds.json").read_text(encoding="utf-8")
)

EXPECTED: dict[str, dict[str, object]] = {
    "pyenv 3.10.13": {
        "builder": "source", "compiler": "GCC 12.2.0", "configure": "--enable-shared",
        "pgo": False, "lto": False, "shared": True, "free_threaded": False, "jit": "none",
    },
    "pyenv 3.13.0": {
        "builder": "source", "compiler": "GCC 12.2.0", "configure": "--enable-shared",
        "pgo": False, "lto": False, "shared": True, "free_threaded": False, "jit": "none",
    },
    "Debian bookworm 3.11.2": {
        "builder": "debian", "compiler": "GCC 12.2.0", "pgo": None, "lto": None, "shared": True,
        "free_threaded": False, "jit": "none",
    },
    "Debian unstable 3.13.18": {
        "builder": "debian", "compiler": "GCC 16.2.0", "pgo": None, "lto": None, "jit": "none",
        "free_threaded": False,
    },
    "Debian unstable 3.14.10": {
        "builder": "debian", "compiler": "GCC 16.2.0", "jit": "off", "free_threaded": False,
    },
    "Debian unstable 3.15.2": {
        "builder": "debian", "compiler": "GCC 16.2.0", "jit": "off", "free_threaded": False,
    },
    "Debian source 3.13.15 --disable-gil": {
        "builder": "source", "compiler": "GCC 12.2.0", "configure": "--disable-gil",
        "pgo": False, "lto": False, "shared": False, "free_threaded": True, "jit": "none",
    },
    "conda-forge 3.12.3": {"builder": "conda-forge", "compiler": "GCC 12.3.0"},
    "python-build-standalone 3.12": {
        "builder": "python-build-standalone", "pgo": True, "lto": True, "shared": True,
    },
}  # fmt: skip


@pytest.fixture
def recorded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let this process answer as the recorded build did; its name."""
    name: str = request.param
    build = RECORDED[name]
    variables = build["variables"]
    jit = build["jit"] and SimpleNamespace(
        is_available=lambda: build["jit"][0], is_enabled=lambda: build["jit"][1]
    )
    monkeypatch.setattr(sysconfig, "get_config_var", variables.get)
    monkeypatch.setattr(sysconfig, "get_scheme_names", lambda: tuple(build["schemes"]))
    monkeypatch.setattr(platform, "python_compiler", lambda: build["compiler"])
    monkeypatch.setattr(platform, "python_build", lambda: tuple(build["build"]))
    monkeypatch.setattr(gc, "get_threshold", lambda: tuple(build["thresholds"]))
    monkeypatch.setattr(sys, "version", build["version"])
    monkeypatch.setattr(sys, "_jit", jit, raising=False)
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: build["gil"] is not False, raising=False)
    return name


def test_every_recorded_build_is_expected_to_be_something() -> None:
    assert set(EXPECTED) == set(RECORDED)


@pytest.mark.parametrize("recorded", RECORDED, indirect=True)
def test_a_build_is_what_it_is_known_to_be(recorded: str) -> None:
    facts = conditions.build_facts()
    assert {name: facts[name] for name in EXPECTED[recorded]} == EXPECTED[recorded]


@pytest.mark.parametrize("recorded", RECORDED, indirect=True)
def test_no_path_is_told(recorded: str) -> None:
    assert not any("/" in str(fact) for fact in conditions.build_facts().values())


@pytest.mark.parametrize(
    ("recorded", "kind"),
    [
        ("pyenv 3.10.13", "generational"),
        ("Debian unstable 3.14.10", "generational"),
        ("Debian source 3.13.15 --disable-gil", "free-threaded"),
    ],
    indirect=["recorded"],
)
def test_the_kind_of_collector_is_told(recorded: str, kind: str) -> None:
    assert conditions._collector_kind() == kind


def test_an_incremental_collector_is_known_by_its_thresholds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CPython 3.14.0 to 3.14.4 answer (2000, 10, 0)."""
    monkeypatch.setattr(gc, "get_threshold", lambda: (2000, 10, 0))
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: None)
    assert conditions._collector_kind() == "incremental"


def test_a_free_threaded_interpreter_is_named_so() -> None:
    """Its own answer where one runs the tests, else the recorded one's: see above."""
    facts = conditions.interpreter_facts()
    assert str(facts["name"]).endswith("t") == bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


ASK = """if True:
    import sys, sysconfig
    print(".".join(map(str, sys.version_info[:3])))
    print(sysconfig.get_config_var("Py_GIL_DISABLED") == 1)"""


def test_every_interpreter_here_tells_its_build(interpreters: tuple[Interpreter, ...]) -> None:
    for interpreter in interpreters:
        asked = subprocess.run(
            [executable(interpreter), "-c", ASK], capture_output=True, text=True, check=True
        )
        version, free_threaded = asked.stdout.split()
        assert interpreter.version.startswith(version)
        assert interpreter.build["free_threaded"] == (free_threaded == "True")
        assert interpreter.build["builder"]
        assert "pyperf" in interpreter.packages
