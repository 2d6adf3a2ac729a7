"""The values of campaigns as files for other tools."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

from analysis.tables import spreadsheet_safe


def export(values: pd.DataFrame, observed: pd.DataFrame, folder: Path) -> list[Path]:
    """Write a frame of values as ``values.parquet`` and ``values.csv`` into a new folder, and what
    was observed beside them, if anything was, as ``observed.parquet`` and ``observed.csv``.

    Returns their paths. Raises FileExistsError when the folder exists, OSError when it cannot be
    written.
    """
    folder.mkdir(parents=True)
    paths = _write(values, folder / "values")
    return paths if observed.empty else [*paths, *_write(observed, folder / "observed")]


def _write(frame: pd.DataFrame, stem: Path) -> list[Path]:
    paths = [stem.with_suffix(".parquet"), stem.with_suffix(".csv")]
    parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), paths[0])
    safe = frame.assign(
        **{
            str(name): column.cat.rename_categories(spreadsheet_safe)
            for name, column in frame.items()
            if isinstance(column.dtype, pd.CategoricalDtype)
        }
    )
    table = pa.Table.from_pandas(safe, preserve_index=False)
    # Dictionary columns are for memory; CSV writes plain text.
    plain = [pa.string() if pa.types.is_dictionary(kind) else kind for kind in table.schema.types]
    csv.write_csv(table.cast(pa.schema(zip(table.column_names, plain, strict=True))), paths[1])
    return paths
