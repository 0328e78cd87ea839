"""Local files into a DuckDB database: `duckdb_file.py GLOB OUT`; prints rows by table."""

import json
import sys

import duckdb
import tables

glob, out = sys.argv[1:]
with duckdb.connect(f"{out}/tables.duckdb") as connection:
    tables.read(connection, glob)
    rows = {}
    for name, query in tables.TABLES.items():
        connection.execute(f"CREATE TABLE {name} AS {query}")
        [rows[name]] = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
print(json.dumps(rows))
