"""Local files into Delta tables by Python `deltalake`: `delta_tables.py GLOB OUT`; prints rows by
table. DuckDB reads and chooses, the rows are handed over as Arrow."""

import json
import sys

import duckdb
import tables
from deltalake import write_deltalake

glob, out = sys.argv[1:]
with duckdb.connect() as connection:
    tables.read(connection, glob)
    rows = {}
    for name, query in tables.TABLES.items():
        table = connection.sql(query).to_arrow_table()
        write_deltalake(f"{out}/{name}", table)
        rows[name] = table.num_rows
print(json.dumps(rows))
