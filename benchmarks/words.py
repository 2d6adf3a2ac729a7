"""What readers see of a row in a registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Word:
    """The ``name`` that identifies a row, the ``label`` that readers see, and what it means."""

    name: str
    label: str
    meaning: str


def words_of(function: Callable[..., Any], label: str | None = None) -> tuple[str, str, str]:
    """Of a decorated function its name; the label, or the name with blanks; and the first line of
    its docstring.
    """
    name = function.__name__
    first_line = (function.__doc__ or "").partition("\n")[0]
    return name, label or name.replace("_", " "), first_line.rstrip(".")
