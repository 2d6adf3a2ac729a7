"""The values of campaigns as files for other tools."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

from analysis.tables import spreadsheet_safe


def export(values: pd.DataFrame, folder: Path) -> list[Path]:
    """Write a frame of values as ``values.parquet`` and ``values.csv`` into a new folder.

    Returns their paths. Raises FileExistsError when the folder exists, OSError when it cannot be
    written.
    """
    folder.mkdir(parents=True)
    paths = [folder / "values.parquet", folder / "values.csv"]
    parquet.write_table(pa.Table.from_pandas(values, preserve_index=False), paths[0])
    safe = values.assign(
        **{
            str(name): column.cat.rename_categories(spreadsheet_safe)
            for name, column in values.items()
            if isinstance(column.dtype, pd.CategoricalDtype)
        }
    )
    table = pa.Table.from_pandas(safe, preserve_index=False)
    # Dictionary columns are for memory; CSV writes plain text.
    plain = [pa.string() if pa.types.is_dictionary(kind) else kind for kind in table.schema.types]
    csv.write_csv(table.cast(pa.schema(zip(table.column_names, plain, strict=True))), paths[1])
    return paths
