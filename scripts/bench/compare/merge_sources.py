"""Batches of events as what is merged into the tables: `merge_sources.py FOLDER OUT`; a folder a
batch, in it a file of Arrow a table. DuckDB reads and chooses the winners, as in `tables`.

The columns are those of Esteira's tables, lineage included, so that they can be merged into copies of
these. `products` has two kinds of rows: the lines of an order, to be inserted (`line`), and one row
an order whose `merge_key` matches the lines that were there before, to delete them.
"""

import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import tables


def main(folder, out):
    for batch in sorted(Path(folder).iterdir()):
        target = Path(out) / batch.stem
        target.mkdir(parents=True)
        with duckdb.connect() as connection:
            tables.read(connection, str(batch))
            for name, query in tables.TABLES.items():
                rows = connection.sql(source(name, query, batch.name)).to_arrow_table()
                with pa.ipc.new_file(target / f"{name}.arrow", rows.schema) as file:
                    file.write_table(rows)


def source(name, query, file):
    rows = f"""
        SELECT *, 'input/{file}' AS _source_file, now() AS _source_modified,
            row_number() OVER () AS _source_position, now() AS _processed_at
        FROM ({query})"""
    if name == "orders":
        return f"SELECT *, NULL::VARCHAR AS _rescued_data FROM ({rows})"
    if name == "products":
        key = tables.KEYS[name]
        return f"""
            SELECT *, true AS line, NULL::VARCHAR AS merge_key FROM ({rows})
            UNION ALL BY NAME
            SELECT {key}, dat_atui, false AS line, {key} AS merge_key FROM winners"""
    return rows


if __name__ == "__main__":
    main(*sys.argv[1:])
