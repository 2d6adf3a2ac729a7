"""The registry of charts: what each shows, what it needs, and how one becomes a file.

A chart is one function from a prepared frame to a Figure. The decorator names it after the function
and adds the finding (its title, in words, from the same frame) and the caption (how to read it).
Nothing here touches pyplot, so there is no global figure; rendering happens inside an rc context,
so there is no global style either.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from xml.sax.saxutils import escape

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from analysis import style
from analysis.plots.compact import compact

PNG_DPI: Final = 144


@dataclass(frozen=True, slots=True)
class Look:
    """What a chart needs beyond its data: the theme, the line in its foot, and a warning it must
    carry if there is one.

    ``scope`` says, where a chart shows a part of what was measured, which; ``narrow`` asks for the
    form that fits a phone.
    """

    theme: style.Theme = style.LIGHT
    source: str = ""
    warning: str = ""
    scope: str = ""
    narrow: bool = False


Select = Callable[[pd.DataFrame], pd.DataFrame]
Draw = Callable[[pd.DataFrame, Look], Figure]
Finding = Callable[[pd.DataFrame], str]


class CannotDrawError(Exception):
    """A chart has nothing to show or too much for a picture; the message says which, for a reader
    of the report.
    """


@dataclass(frozen=True, slots=True)
class Chart:
    """A registered chart.

    ``place`` orders the charts of a report. ``needs`` names a prepared frame and ``select`` its
    rows that the chart is about; ``finding`` and ``draw`` get these.
    """

    name: str
    place: int
    needs: str
    select: Select
    heading: str
    caption: str
    finding: Finding
    draw: Draw


_CHARTS: dict[str, Chart] = {}
CHARTS: Final[Mapping[str, Chart]] = MappingProxyType(_CHARTS)


def chart(
    *,
    needs: str,
    place: int = 100,
    select: Select,
    heading: str,
    caption: str,
    finding: Finding,
) -> Callable[[Draw], Draw]:
    """Register the decorated function as a chart, named after it. Raises ValueError when the name
    is taken.
    """

    def register(draw: Draw) -> Draw:
        name = draw.__name__.replace("_", "-")
        if name in _CHARTS:
            raise ValueError(f"two charts are named {name}")
        _CHARTS[name] = Chart(name, place, needs, select, heading, caption, finding, draw)
        return draw

    return register


@contextmanager
def rc(theme: style.Theme, salt: str) -> Iterator[None]:
    """matplotlib's settings while a chart is drawn and saved; ``salt`` makes the identifiers in an
    SVG repeatable.
    """
    settings: dict[str, Any] = {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9.0,
        "text.color": theme.ink,
        "text.parse_math": False,
        "figure.facecolor": theme.background,
        "savefig.facecolor": theme.background,
        "axes.facecolor": theme.background,
        "axes.edgecolor": theme.rule,
        "axes.labelcolor": theme.soft_ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "axes.titley": 1.0,  # fixed: to look for a place above the ticks takes a fifth of the time
        "axes.axisbelow": True,
        "axes.unicode_minus": False,
        "xtick.color": theme.rule,
        "ytick.color": theme.rule,
        "xtick.labelcolor": theme.soft_ink,
        "ytick.labelcolor": theme.soft_ink,
        "xtick.minor.visible": False,
        "ytick.minor.visible": False,
        "grid.color": theme.rule,
        "grid.linewidth": 0.6,
        "lines.solid_capstyle": "butt",
        "svg.fonttype": "none",
        "svg.hashsalt": salt,
    }
    # Everything else as matplotlib ships it, whatever its user prefers.
    shipped = {name: mpl.rcParamsDefault[name] for name in mpl.rcParamsDefault if name != "backend"}
    everything: Any = {**shipped, **settings}  # its type is the closed list of one version's names
    with mpl.rc_context(everything):
        yield


@dataclass(frozen=True, slots=True)
class Rendered:
    """One chart in one look: an SVG with its text as text, and the same as PNG; empty unless asked
    for.
    """

    svg: str
    png: bytes


def render(
    one: Chart, frame: pd.DataFrame, look: Look, *, svg: bool = True, png: bool = True
) -> Rendered:
    """Draw a chart. The same frame and look give the same bytes. Raises CannotDrawError."""
    rows = one.select(frame)
    if rows.empty:
        raise CannotDrawError("nothing was measured for it")
    with rc(look.theme, salt=f"{one.name}-{'narrow' if look.narrow else 'wide'}"):
        figure = one.draw(rows, look)
        text, pixels = io.StringIO(), io.BytesIO()
        with warnings.catch_warnings():
            # A name in letters that the font lacks is drawn as boxes in the PNG and as it is in the
            # SVG.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            if svg:
                figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
            if png:
                figure.savefig(pixels, format="png", dpi=PNG_DPI, metadata={"Software": None})
    described = _described(text.getvalue(), one, look, rows) if svg else ""
    return Rendered(described, pixels.getvalue())


_STYLE = re.compile(r'style="[^"]*"')
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")


def _described(svg: str, one: Chart, look: Look, rows: pd.DataFrame) -> str:
    """The SVG, compact, with a title and description for those who cannot see it. Its identifiers
    are told apart from those of other charts on the same page.
    """
    own = f"{one.name}-{'narrow' if look.narrow else 'wide'}"
    head, rest = compact(svg, own).split(">", 1)
    return (
        f'{head} role="img" aria-labelledby="{own}-title {own}-desc">'
        f'<title id="{own}-title">{escape(one.finding(rows))}</title>'
        f'<desc id="{own}-desc">{escape(one.caption)}</desc>{rest}\n'
    )


def for_page(svg: str) -> str:
    """A light SVG for use inside a page: it follows the page's width, and its colours are the
    page's variables.
    """
    roles = style.palette(style.LIGHT)
    svg = _recoloured(svg, {roles[role]: f"var(--{role.replace('_', '-')})" for role in roles})
    head, rest = svg.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    return f"{head}>{rest}"


def for_theme(svg: str, theme: style.Theme) -> str:
    """A light SVG in the colours of another theme; cheaper than to draw it again, and the same."""
    light, other = style.palette(style.LIGHT), style.palette(theme)
    return _recoloured(svg, {light[role]: other[role] for role in light})


def _recoloured(svg: str, colours: Mapping[str, str]) -> str:
    def change(match: re.Match[str]) -> str:
        return _COLOUR.sub(lambda colour: colours.get(colour[0], colour[0]), match[0])

    return _STYLE.sub(change, svg)
