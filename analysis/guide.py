"""The decision guide: when to use what, each line with its measured reason.

Every figure in a sentence is one of a cell, and what is advised follows from the verdicts on these
cells: were they the other way round, the advice would be. Where they do not decide, the guide says
so; where nothing was measured, how to measure it.

Each topic (:mod:`analysis.topics`) is asked in every setting (:mod:`analysis.choices`). Settings
that come to the same choice make one :class:`Advice`, whose reason is that of the newest Python
among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from analysis import style
from analysis.choices import Choice, Setting, either, settings
from analysis.contrasts import CellReference
from analysis.findings import Findings
from analysis.topics import TOPICS, Topic


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one setting says, and the cells that it says it from."""

    where: str
    sentence: str
    cells: tuple[CellReference, ...]

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Advice:
    """One line of the guide: "``use`` when ``when``", ``where`` it was found to hold (empty:
    wherever the topic was measured), and why.

    ``reason`` is the first of the ``evidence``. Where ``decided`` is False, ``use`` says what is
    open and there is nothing to follow; without any evidence, the topic was not measured and the
    reason says how to.
    """

    topic: str
    use: str
    when: str
    where: str
    reason: str
    evidence: tuple[Evidence, ...]
    decided: bool

    @property
    def cells(self) -> tuple[CellReference, ...]:
        return tuple(cell for one in self.evidence for cell in one.cells)

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        when = f" when {self.when}" if self.when else ""
        return f"{self.use}{when}{where}: {self.reason}"


def guide(campaigns: Sequence[Findings]) -> list[Advice]:
    """The whole guide, topic by topic: at least one line for each."""
    asked = [setting for findings in campaigns for setting in settings(findings)]
    asked.sort(key=lambda setting: style.python_order(setting.python), reverse=True)
    lines: list[Advice] = []
    for topic in TOPICS:
        found = [(setting, choice) for setting in asked for choice in topic.choices(setting)]
        lines += _merged(topic.title, found) or [_not_measured(topic)]
    return lines


def _not_measured(topic: Topic) -> Advice:
    reason = f"run {topic.how_to_measure}"
    return Advice(topic.title, "Not measured here", "", "", reason, (), decided=False)


Found: TypeAlias = "list[tuple[Setting, Choice]]"


def _merged(title: str, found: Found) -> list[Advice]:
    """One advice for all settings that come to the same choice, and for all kinds of work that
    they come to it for; decided ones first.
    """
    alike: dict[tuple[str, str, bool, str], Found] = {}
    for setting, choice in found:
        key = (choice.use, choice.when, choice.decided, choice.work)
        alike.setdefault(key, []).append((setting, choice))
    groups: dict[tuple[str, str, bool, str], Found] = {}
    for (use, when, decided, work), of_group in alike.items():
        asked = [one for one, choice in found if (choice.when, choice.work) == (when, work)]
        where = _where([setting for setting, _ in of_group], asked)
        groups.setdefault((use, when, decided, where), []).extend(of_group)
    lines = []
    for (use, when, decided, where), of_group in groups.items():
        works = either(list(dict.fromkeys(choice.work for _, choice in of_group)))
        evidence = tuple(
            Evidence(setting.where, f"{choice.sentence}{_caveat(setting)}", choice.cells)
            for setting, choice in of_group
        )
        lines.append(
            Advice(
                topic=title,
                use=use,
                when=when.format(work=works),
                where=where,
                reason=str(evidence[0]),
                evidence=evidence,
                decided=decided,
            )
        )
    return sorted(lines, key=lambda line: not line.decided)


def _caveat(setting: Setting) -> str:
    return "" if setting.findings.control.proven else " (the campaign is unproven)"


def _where(group: Sequence[Setting], everywhere: Sequence[Setting]) -> str:
    """Which of the settings a group is, in as few words as it takes; nothing where it is all."""

    def places(of: Iterable[Setting]) -> set[tuple[str, str]]:
        return {(one.python, one.loop) for one in of}

    here = places(group)
    if here == places(everywhere):
        return ""
    loops = style.ordered(loop for _, loop in here)
    pythons = sorted({python for python, _ in here}, key=style.python_order)
    on_loops = style.listed(map(style.label, loops))
    if here == {place for place in places(everywhere) if place[1] in loops}:
        return f"on {on_loops}"
    if here == {place for place in places(everywhere) if place[0] in pythons}:
        return f"Python {style.listed(pythons)}"
    return style.listed(
        f"Python {python} on {style.label(loop)}"
        for python in pythons
        for loop in loops
        if (python, loop) in here
    )
