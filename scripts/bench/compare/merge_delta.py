"""Batches into filled Delta tables by Python `deltalake`: `merge_delta.py TABLES SOURCES SECONDS
LEAST`; see `merge_loop` for what it prints.

The newest state of a key wins. `products` has no key of its own: one MERGE deletes the lines of
orders that are older and inserts the new ones. It takes for granted that what comes in is newer than
what is there, which saves it a look at `orders`, and is so here. That was cheaper than a DELETE of
the orders with an append after it.
"""

import sys

import merge_loop
import tables
from deltalake import DeltaTable

NOT_COLUMNS = ("line", "merge_key")


def main(folder, sources, seconds, least):
    delta = {name: DeltaTable(f"{folder}/{name}") for name in tables.TABLES}
    merge_loop.run(lambda name, rows: merge(delta[name], name, rows), sources, seconds, least)


def merge(table, name, rows):
    key = tables.KEYS[name]
    lines = name == "products"
    matches = f"t.{key} = s.merge_key" if lines else f"t.{key} = s.{key}"
    # Statistics of random keys exclude nothing, so that collecting the source first gains nothing.
    merging = table.merge(rows, matches, source_alias="s", target_alias="t", streamed_exec=True)
    newer = "s.dat_atui > t.dat_atui"
    if lines:
        columns = [column for column in rows.schema.names if column not in NOT_COLUMNS]
        merging = merging.when_matched_delete(newer).when_not_matched_insert(
            {column: f"s.{column}" for column in columns}, predicate="s.line"
        )
    else:
        merging = merging.when_matched_update_all(newer).when_not_matched_insert_all()
    merging.execute()


if __name__ == "__main__":
    main(*sys.argv[1:])
