"""The same batches into tables of a DuckDB database: `merge_duckdb.py TABLES SOURCES SECONDS LEAST
FILE`. The tables are read out of the Delta tables first, which is not measured; see `merge_loop` for
what it prints."""

import sys

import duckdb
import merge_loop
import tables
from deltalake import DeltaTable, QueryBuilder


def main(folder, sources, seconds, least, file):
    with duckdb.connect(file) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in tables.TABLES:
            query = QueryBuilder().register("source", DeltaTable(f"{folder}/{name}"))
            rows = query.execute("SELECT * FROM source")
            connection.from_arrow(rows).create(name)
        connection.execute("CHECKPOINT")
        merge_loop.run(
            lambda name, rows: merge(connection, name, rows), sources, seconds, least
        )


def merge(connection, name, rows):
    key = tables.KEYS[name]
    connection.register("s", rows)
    if name == "products":
        connection.execute("BEGIN")
        connection.execute(
            f"""DELETE FROM products AS t USING (SELECT merge_key, dat_atui FROM s WHERE NOT line) AS m
            WHERE t.{key} = m.merge_key AND m.dat_atui > t.dat_atui"""
        )
        connection.execute(
            "INSERT INTO products BY NAME SELECT * EXCLUDE (line, merge_key) FROM s WHERE line"
        )
        connection.execute("COMMIT")
    else:
        connection.execute(
            f"""MERGE INTO {name} AS t USING s ON t.{key} = s.{key}
            WHEN MATCHED AND s.dat_atui > t.dat_atui THEN UPDATE BY NAME
            WHEN NOT MATCHED THEN INSERT BY NAME"""
        )
    connection.unregister("s")


if __name__ == "__main__":
    main(*sys.argv[1:])
