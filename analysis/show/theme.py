"""The looks of charts: inks on a light and a dark background, and a mark for each series.

Figures are drawn in the light inks; :func:`darkened` gives the same picture in the dark ones. Every
colour of text has a contrast of at least 4.5 on its background, every series one of 3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

import matplotlib as mpl


@dataclass(frozen=True, slots=True)
class Theme:
    """The inks on one background, by default the light one. ``floor`` and ``same`` are the grounds
    of ratios too close to 1 to differ, and of those that count as the same.
    """

    background: str = "#ffffff"
    panel: str = "#f4f6f8"
    floor: str = "#c9d0d8"
    same: str = "#e9edf1"
    rule: str = "#d0d7de"
    ink: str = "#1b1f24"
    soft_ink: str = "#57606a"


LIGHT: Final = Theme()
DARK: Final = Theme(
    background="#15191e",
    panel="#1d2329",
    floor="#46505b",
    same="#272e36",
    rule="#3a424b",
    ink="#e6e9ec",
    soft_ink="#a3adb8",
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A colour for each theme and a marker for those who cannot see the colours apart."""

    light: str
    dark: str
    marker: str


FIRST: Final = Mark("#24292f", "#dfe3e8", "h")
"""Of what comes first in reading order: what the others are compared with."""
# After Okabe and Ito, "Color Universal Design" (2008), darkened or lightened for contrast.
_CYCLE: Final = (
    Mark("#0072b2", "#56b4e9", "o"),
    Mark("#d55e00", "#f5853f", "s"),
    Mark("#008060", "#2cc79a", "^"),
    Mark("#b0578d", "#df8fc0", "D"),
    Mark("#8a6d00", "#f0d442", "v"),
    Mark("#5b4bb0", "#a99bf5", "P"),
    Mark("#8c3b2a", "#e5a08f", "X"),
)


def marks(names: Iterable[str]) -> Mapping[str, Mark]:
    """A mark for each name, by its place in reading order; from the ninth name on they repeat."""
    distinct = list(dict.fromkeys(names))
    rest = (_CYCLE[index % len(_CYCLE)] for index in range(len(distinct)))
    return dict(zip(distinct, [FIRST, *rest], strict=False))


_STYLE: Final = re.compile(r'style="[^"]*"')
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}\b")
_DARK_OF: Final[Mapping[str, str]] = {
    **dict(zip(asdict(LIGHT).values(), asdict(DARK).values(), strict=True)),
    **{mark.light: mark.dark for mark in (FIRST, *_CYCLE)},
}


def recoloured(svg: str, change: Callable[[str], str]) -> str:
    """An SVG of matplotlib's with its colours, "#rrggbb", changed."""
    return _STYLE.sub(lambda style: _COLOUR.sub(lambda colour: change(colour[0]), style[0]), svg)


def darkened(svg: str) -> str:
    """An SVG drawn in the light inks, in the dark ones."""
    return recoloured(svg, lambda colour: _DARK_OF.get(colour, colour))


_SETTINGS: Final[Mapping[str, Any]] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": LIGHT.ink,
    "text.parse_math": False,
    "figure.facecolor": LIGHT.background,
    "savefig.facecolor": LIGHT.background,
    "axes.facecolor": LIGHT.background,
    "axes.edgecolor": LIGHT.rule,
    "axes.labelcolor": LIGHT.soft_ink,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # to look for a place above the ticks takes a fifth of the time
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "ytick.left": False,  # there are grids, and names
    "xtick.color": LIGHT.rule,
    "ytick.color": LIGHT.rule,
    "xtick.labelcolor": LIGHT.soft_ink,
    "ytick.labelcolor": LIGHT.soft_ink,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "grid.color": LIGHT.rule,
    "grid.linewidth": 0.6,
    "lines.solid_capstyle": "butt",
    "svg.fonttype": "none",
    "svg.hashsalt": "asyncio-fanout",
}


@contextmanager
def settings() -> Iterator[None]:
    """matplotlib as it is shipped, whatever its user prefers, with the settings of these charts."""
    shipped = {name: mpl.rcParamsDefault[name] for name in mpl.rcParamsDefault if name != "backend"}
    everything: Any = {**shipped, **_SETTINGS}  # its type is a closed list of one version's names
    with mpl.rc_context(everything):
        yield


def plain(text: str, most: int = 0) -> str:
    """One line of printable text, cut to ``most`` characters where that is not 0."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return f"{line[: most - 1].rstrip()}\u2026" if most and len(line) > most else line
