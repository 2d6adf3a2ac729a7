"""What one setting comes to: rankings of contenders by their verdicts, and the words for them.

A :class:`Setting` is one Python and event loop of a campaign, with the plan's first task factory
and collector. Nothing here knows a strategy, loop or workload by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from analysis import style
from analysis.campaign import NO_PAUSE, Case, Contender
from analysis.comparisons import THROUGHPUT
from analysis.contrasts import Amount, CellReference, Mean, Measured, Ratio
from analysis.findings import Findings
from analysis.verdicts import DELTA, FASTER, SAME, SLOWER, UNDECIDED


@dataclass(frozen=True, slots=True)
class Choice:
    """What one setting comes to on a topic: "``use`` when ``when``", because of the ``sentence``.

    Where it depends on what the tasks do, ``work`` says that and stands in ``when`` as {work}.
    """

    use: str
    when: str
    sentence: str
    cells: tuple[CellReference, ...]
    decided: bool = True
    work: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """What there is more or less of, as the rest of a sentence; {} is how much."""

    more: str
    less: str
    same: str


TIME: Final = Thing("takes {} more time", "takes {} less time", "takes the same time")
MEMORY: Final = Thing("takes {} more", "takes {} less", "takes the same")
WAITING: Final = Thing(
    "makes it wait {} longer", "makes it wait {} less long", "makes it wait the same time"
)


@dataclass(frozen=True)
class Setting:
    """One Python on one event loop of a campaign. ``strategies`` are the contenders with the plan's
    first task factory and collector, by strategy.
    """

    findings: Findings
    measured: Measured
    python: str
    loop: str
    strategies: Mapping[str, Contender]

    @property
    def where(self) -> str:
        return f"Python {self.python} on {style.label(self.loop)}"

    @property
    def like(self) -> Contender:
        """Any of the contenders: they differ in the strategy alone."""
        return next(iter(self.strategies.values()))

    @property
    def baseline(self) -> Contender | None:
        return self.strategies.get(style.BASELINE)

    @cached_property
    def fan_outs(self) -> list[Contender]:
        """Those of the contenders that fan out, in reading order."""
        names = style.ordered(set(self.strategies) - style.NO_FAN_OUT)
        return [self.strategies[name] for name in names]

    def cases(self, probe: str, pause: Callable[[Case], bool] | None = None) -> list[Case]:
        """The cases of a probe, without a pause unless ``pause`` chooses."""
        wanted = pause or (lambda case: case.pause == NO_PAUSE)
        return [
            case for case in self.findings.campaign.cases if case.probe == probe and wanted(case)
        ]

    def throughput(self) -> list[Case]:
        """The cases of the fan-out as such."""
        return self.cases(THROUGHPUT)

    def siblings(self, axis: str) -> dict[str, list[Contender]]:
        """Contenders that differ from those of this setting on one axis, by their value there."""
        own = {"interpreter", "loop", "task_factory", "collector"} - {axis}
        like = self.like
        found: dict[str, list[Contender]] = {}
        for one in self.measured.contenders:
            if all(getattr(one, name) == getattr(like, name) for name in own):
                value = getattr(one, axis)
                if value != getattr(like, axis):
                    found.setdefault(value, []).append(one)
        return found

    def counterpart(self, contender: Contender) -> Contender | None:
        """The contender of this setting with the same strategy."""
        return self.strategies.get(contender.strategy)

    def cells(self, of: Iterable[Ratio | Amount]) -> tuple[CellReference, ...]:
        return tuple(self.measured.reference(one) for one in of)


def settings(findings: Findings) -> list[Setting]:
    """The settings of a campaign: the newest Python first, loops in reading order."""
    campaign = findings.campaign
    if not campaign.contenders:
        return []
    first, measured = campaign.contenders[0], Measured(campaign)
    groups: dict[tuple[str, str], dict[str, Contender]] = {}
    for one in measured.contenders:
        if (one.task_factory, one.collector) == (first.task_factory, first.collector):
            groups.setdefault((one.python, one.loop), {})[one.strategy] = one
    in_order = sorted(groups, key=lambda group: style.order(group[1]))
    # Sorting is stable, also when it is reversed: of one Python the loops stay as they are.
    in_order.sort(key=lambda group: style.python_order(group[0]), reverse=True)
    return [Setting(findings, measured, *group, groups[group]) for group in in_order]


# --- ranking --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ranking:
    """``best`` takes least; ``ratios`` hold every other contender against it."""

    best: Contender
    ratios: tuple[Ratio, ...]

    @property
    def as_good(self) -> list[str]:
        """Labels of those that take the same as the best within 2 %, the best among them."""
        names = [self.best.strategy]
        names += [one.subject.strategy for one in self.ratios if one.verdict == SAME]
        return [style.label(name) for name in style.ordered(names)]

    @property
    def open(self) -> list[str]:
        """Labels of those that may take less than, or the same as, the best."""
        names = [one.subject.strategy for one in self.ratios if one.verdict == UNDECIDED]
        return [style.label(name) for name in style.ordered(names)]


def rank(setting: Setting, cases: Sequence[Case]) -> Ranking | None:
    """The fan-outs by the geometric mean of the cases' headline metrics. None without any two."""
    baseline = setting.baseline
    if baseline is None or not cases:
        return None
    measured = setting.measured
    against_baseline = measured.means(setting.fan_outs, lambda _: baseline, cases)
    if not against_baseline:
        return None
    least = min(against_baseline, key=lambda one: one.value)
    if least.value >= 1:
        return Ranking(baseline, tuple(against_baseline))
    ratios = measured.means(setting.fan_outs, lambda _: least.subject, cases)
    return Ranking(least.subject, tuple(ratios))


def ranked_choice(
    setting: Setting, ranking: Ranking, when: str, cost: str, thing: Thing = TIME
) -> Iterator[Choice]:
    """Use what takes least, or say what is open. ``cost`` is what the best takes, in words, with
    {name} for its label.
    """
    clauses = [clause(one, thing) for one in in_order(ranking.ratios)]
    open_ = ranking.open
    yield Choice(
        use=f"Not decided: {either([*ranking.as_good, *open_])}"
        if open_
        else f"Use {either(ranking.as_good)}",
        when=when,
        sentence="; ".join([cost.format(name=style.label(ranking.best.strategy)), *clauses]),
        cells=setting.cells(ranking.ratios),
        decided=not open_,
    )


# --- words ----------------------------------------------------------------------------------------


def clause(ratio: Ratio, thing: Thing = TIME) -> str:
    """What one contender takes relative to another that was named before."""
    return f"{style.label(ratio.subject.strategy)} {takes(ratio, thing)}"


def takes(ratio: Ratio, thing: Thing = TIME) -> str:
    """How much more or less of a thing the subject takes, by its verdict."""
    change = style.change_interval(ratio.value, ratio.low, ratio.high)
    if ratio.verdict.startswith((SLOWER, FASTER)):
        form = thing.more if ratio.verdict.startswith(SLOWER) else thing.less
        return form.format(style.amount_interval(ratio.value, ratio.low, ratio.high))
    if ratio.verdict == SAME:
        return f"{thing.same} within {DELTA * 100:g} % ({change})"
    return f"is not told apart ({change})"


def in_order(ratios: Iterable[Ratio]) -> list[Ratio]:
    """By their subjects' strategies, in reading order."""
    return sorted(ratios, key=lambda one: style.order(one.subject.strategy))


def either(names: Sequence[str]) -> str:
    """ "a", "a or b", "a, b or c"."""
    return style.listed(names).replace(" and ", " or ")


def seconds(of: Amount) -> str:
    """A duration with its interval."""
    return style.seconds_interval(of.value, of.low, of.high)


def per_task(mean: Mean | None) -> str:
    """Nanoseconds per task."""
    if mean is None:
        return style.MISSING
    ns = style.NS_PER_SECOND
    interval = style.ns_per_task_interval(mean.value * ns, mean.low * ns, mean.high * ns)
    return f"{interval} per task"


def of_cases(count: int) -> str:
    """What a figure is the mean of."""
    return f"geometric mean of {style.count(count)} cases" if count > 1 else "one case"


def work(case: Case) -> str:
    """What a task of the case does: "returns at once"."""
    said = style.meaning(case.workload).removeprefix("each ").removeprefix("coroutine ")
    return said or f"does {style.label(case.workload)}"


def by_workload(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """The cases of each workload, in the order of the plan."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.workload, []).append(case)
    return found


def largest(cases: Sequence[Case]) -> list[Case]:
    """Those with the most tasks."""
    most = max((case.tasks for case in cases), default=0)
    return [case for case in cases if case.tasks == most]
