"""Charts: a registry of functions from a prepared frame to a Figure, one module per family.

Importing this package registers all of them; a new chart is one decorated function in one of these
modules.
"""

from analysis.plots import conditions as conditions
from analysis.plots import costs as costs
from analysis.plots import endings as endings
from analysis.plots import forest as forest
from analysis.plots import head_start as head_start
from analysis.plots import health as health
from analysis.plots import latency as latency
from analysis.plots import loops as loops
from analysis.plots import memory as memory
from analysis.plots import pythons as pythons
from analysis.plots import ratios as ratios
from analysis.plots import stall as stall
from analysis.plots import timelines as timelines
from analysis.plots.registry import (
    CHARTS,
    CannotDrawError,
    Chart,
    Look,
    Rendered,
    chart,
    for_page,
    for_theme,
    render,
)

__all__ = [
    "CHARTS",
    "CannotDrawError",
    "Chart",
    "Look",
    "Rendered",
    "chart",
    "for_page",
    "for_theme",
    "render",
]
