"""The probes: every module of this folder defines one, as its ``PROBE``."""

from __future__ import annotations

import importlib
import pkgutil

from benchmarks.probing import Probe


def find_probes() -> dict[str, Probe]:
    """The probes of all modules in this folder by their names, in reading order."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    probes: list[Probe] = [module.PROBE for module in modules]
    return {row.name: row for row in sorted(probes, key=lambda row: (row.order, row.name))}


PROBES = find_probes()
