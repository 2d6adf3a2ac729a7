"""Campaign folders in; estimates, verdicts, tables and charts out. Nothing here measures."""

from analysis.load import load

__all__ = ["load"]
