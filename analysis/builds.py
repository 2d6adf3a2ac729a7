"""Families of builds: what must agree before a trend over versions is drawn.

An unoptimised build can cost more than three versions gain, so a line from one version to the next
means nothing when the builds differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Fact: TypeAlias = "str | int | float | bool | None"

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Family:
    """The facts of a build that change its speed; None is what the builder does not state."""

    implementation: str
    builder: Fact
    free_threaded: Fact
    debug: Fact
    jit: bool
    pgo: Fact
    lto: Fact
    compiler: Fact

    @property
    def label(self) -> str:
        """The family in words: ``debian, no LTO, PGO not stated, GCC 14.2.0``."""
        return ", ".join(filter(None, self.parts))

    @property
    def parts(self) -> tuple[str, ...]:
        """The words of the label by fact; empty where there is nothing to say."""
        return (
            "" if self.implementation == "cpython" else self.implementation,
            "builder not stated" if self.builder is None else str(self.builder),
            "free-threaded" if self.free_threaded else "",
            "debug" if self.debug else "",
            "JIT on" if self.jit else "",
            _optimisation("PGO", self.pgo),
            _optimisation("LTO", self.lto),
            "compiler not stated" if self.compiler is None else str(self.compiler),
        )


def family_of(implementation: str, build: Mapping[str, Fact]) -> Family:
    """The family of an interpreter with these build facts."""

    def fact(name: str) -> Fact:
        value = build.get(name)
        return value.strip() if isinstance(value, str) else value

    return Family(
        implementation=implementation,
        builder=fact("builder"),
        free_threaded=bool(build.get("free_threaded")),
        debug=bool(build.get("debug")),
        # One that was built in and is off costs nothing.
        jit=build.get("jit") == "on",
        pgo=fact("pgo"),
        lto=fact("lto"),
        compiler=fact("compiler"),
    )


def short_names(families: Iterable[Family]) -> dict[Family, str]:
    """A name for each family that tells it from the others, with no more facts than that takes."""
    distinct = list(dict.fromkeys(families))
    rows = [family.parts for family in distinct]
    chosen: list[int] = []
    for index in range(len(rows[0]) if rows else 0):
        told_apart = len({tuple(row[i] for i in chosen) for row in rows}) == len(rows)
        if index > 1 and told_apart:
            break
        if index <= 1 or len({row[index] for row in rows}) > 1:
            chosen.append(index)
    return {
        family: ", ".join(filter(None, (row[i] for i in chosen)))
        for family, row in zip(distinct, rows, strict=True)
    }


def _optimisation(name: str, value: Fact) -> str:
    if value is None:
        return f"{name} {NOT_STATED}"
    return name if value else f"no {name}"
