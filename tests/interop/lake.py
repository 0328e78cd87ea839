"""What a bucket holds once the pipeline ran: where it is, and how to open it."""

import deltalake
import pyarrow as pa

import delta_log
from canonical import rows_of
from deletion_vectors import deleted_rows

QUARANTINE = "quarantine/marketing_place"
RAW = "raw/marketing_place/dt_processamento="


def path_of(table):
    """Where a table is in the bucket."""
    return QUARANTINE if table == "quarantine" else f"analytics/{table}"


def table_of(store, path, version=None):
    """The table at `path`, as of `version` or now."""
    return deltalake.DeltaTable(
        store.table_url(path),
        version=version,
        storage_options=store.storage_options or None,
    )


def read(store, path, version=None):
    """The rows at `path`, by SQL: in no other way `deltalake` reads deletion vectors."""
    table = table_of(store, path, version)
    answer = deltalake.QueryBuilder().register("t", table).execute("SELECT * FROM t").read_all()
    # Arrow computes little with views of texts.
    fields = [
        field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field
        for field in pa.schema(answer.schema)
    ]
    return pa.table(answer).cast(pa.schema(fields))


def commits_of(store, path):
    """The log of the table at `path`, version to actions."""
    names = [key.removeprefix(f"{path}/") for key in store.objects(f"{path}/_delta_log/")]
    return delta_log.commits(names, lambda name: store.get(f"{path}/{name}"))


def vector_of(store, path, add):
    """The rows that the deletion vector of a file deletes, none when it has no vector."""
    vector = add.get("deletionVector")
    if vector is None:
        return []
    return deleted_rows(vector, lambda name: store.get(f"{path}/{name}"))


def entries(table):
    """Rows of the quarantine in the oracle's form."""
    return [
        {
            "source_file": row["_source_file"],
            "position": row["_source_position"],
            "reason": row["reason"],
            "original": row["original"],
        }
        for row in rows_of(table)
    ]
