"""Campaign folders in, estimates, verdicts, tables and charts out: nothing here measures
anything."""

from analysis.load import load

__all__ = ["load"]
