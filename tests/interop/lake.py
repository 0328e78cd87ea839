"""What a bucket holds once the pipeline ran: where it is, and how to open it."""

import deltalake

from canonical import rows_of

QUARANTINE = "quarantine/marketing_place"
RAW = "raw/marketing_place/dt_processamento="


def table_of(store, path, version=None):
    """The table at `path`, as of `version` or now."""
    return deltalake.DeltaTable(
        store.table_url(path),
        version=version,
        storage_options=store.storage_options or None,
    )


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
