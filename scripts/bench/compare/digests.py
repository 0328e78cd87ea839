"""How many rows Delta tables have, and a digest of them: `digests.py TABLES`; JSON by table. The
order of rows does not matter, and columns that only tell where a row is from do not count."""

import json
import sys

import duckdb
import tables
from deltalake import DeltaTable, QueryBuilder


def main(folder):
    digests = {}
    for name in tables.TABLES:
        table = DeltaTable(f"{folder}/{name}")
        own = [field.name for field in table.schema().fields if not field.name.startswith("_")]
        columns = ", ".join(sorted(own))
        rows = QueryBuilder().register("t", table).execute(f"SELECT {columns} FROM t").read_all()
        with duckdb.connect() as connection:
            connection.register("r", rows)
            found = connection.execute(
                f"SELECT count(*), sum(hash(({columns}))::HUGEINT)::VARCHAR FROM r"
            )
            digests[name] = found.fetchone()
    print(json.dumps(digests))


if __name__ == "__main__":
    main(*sys.argv[1:])
