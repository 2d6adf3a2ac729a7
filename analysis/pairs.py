"""Which contender each one is held against."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import pandas as pd

from analysis.campaign import Campaign, Contender, Interpreter
from analysis.medians import IntArray
from analysis.style import python_order

NOT_COMPARED, NO_COUNTERPART = -1, -2
"""In place of the contender that one is held against: it is not compared at all, or the plan has
none to hold it against.
"""


class UnknownPythonError(ValueError):
    """No Python of the campaign, or more than one, is called that; the message names them all."""


def baseline_python(campaign: Campaign, name: str | None = None) -> Interpreter | None:
    """The Python that others are held against: the one called ``name``, else the plan's first.

    ``name`` is its label, its name, or as much of its version as only one has ("3.13" for 3.13.1).
    Raises UnknownPythonError.
    """
    interpreters = campaign.interpreters
    if name is None:
        return interpreters[0] if interpreters else None
    exact = [one for one in interpreters if name in (one.label, one.name)]
    found = exact or [one for one in interpreters if _is_short_for(name, one.label)]
    if len(found) != 1:
        known = ", ".join(sorted((one.label for one in interpreters), key=python_order))
        which = "several Pythons are" if found else "no Python is"
        raise UnknownPythonError(
            f"{which} called {name!r} in campaign {campaign.name}: choose from {known or 'none'}"
        )
    return found[0]


def _is_short_for(name: str, label: str) -> bool:
    """Whether ``name`` is the label without its last numbers: "3.13t" for "3.13.1t"."""
    bare, whole = name.rstrip("td"), label.rstrip("td")
    return bool(bare) and name[len(bare) :] == label[len(whole) :] and whole.startswith(f"{bare}.")


def counterparts(
    contenders: Sequence[Contender],
    key: Callable[[Contender], Hashable],
    can_be_first: Callable[[Contender], bool] = lambda _: True,
) -> IntArray:
    """For every contender the first of the same ``key`` that ``can_be_first``.

    Shape (contenders,). NOT_COMPARED for these themselves and for the control, NO_COUNTERPART where
    there is none.
    """
    keys = {i: key(one) for i, one in enumerate(contenders) if one.role != "control"}
    first: dict[Hashable, int] = {}
    for index, what in keys.items():
        if can_be_first(contenders[index]):
            first.setdefault(what, index)
    reference = np.full(len(contenders), NOT_COMPARED, dtype=np.int64)
    for index, what in keys.items():
        if first.get(what) != index:
            reference[index] = first.get(what, NO_COUNTERPART)
    return reference


def on_python(campaign: Campaign, python: Interpreter | None) -> IntArray:
    """For every contender of another Python, itself on this one."""
    return counterparts(
        campaign.contenders,
        lambda one: (one.loop, one.task_factory, one.strategy),
        lambda one: python is not None and one.interpreter == python.name,
    )


def lacking(campaign: Campaign, python: Interpreter | None) -> list[str]:
    """Why each contender would have no counterpart on this Python; shape (contenders,)."""
    skipped = [one for one in campaign.skipped if python and one.interpreter == python.name]
    label = python.label if python else ""
    reasons = []
    for contender in campaign.contenders:
        parts = (contender.loop, contender.task_factory, contender.strategy)
        said = next(
            (
                f": {one.reason}"
                for one in skipped
                if all(
                    asked in ("", part)
                    for asked, part in zip(
                        (one.loop, one.task_factory, one.strategy), parts, strict=True
                    )
                )
            ),
            "",
        )
        reasons.append(f"not measured on Python {label}{said}")
    return reasons


def with_families(
    campaign: Campaign, frame: pd.DataFrame, against: Interpreter | None
) -> pd.DataFrame:
    """The frame of a comparison with Python ``against``, and both builds beside every row."""
    families = {one.label: one.family for one in campaign.interpreters}
    own = [families[label] for label in frame["python"]]
    return frame.assign(
        family=[one.label for one in own],
        baseline_family=against.family.label if against else "",
        same_build=[against is not None and one == against.family for one in own],
    )
