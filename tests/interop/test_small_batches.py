"""Batches that leave tables without rows: the job goes on, and every reader can still read."""

from canonical import TABLES, difference, rows_of
from lake import QUARANTINE, entries, path_of, read
from readers import DeltaLakeSql, Polars, duckdb_or_reason
from story import play
from waves import Wave, event, item

AT = "2024-05-01T12:00:00Z"
SMALL = {
    "no items": event("a", AT),
    "no seller": event("b", AT, list_item_pedi=f"[{item('')}]"),
    "empty lists": event("c", AT, list_item_pedi="[]", list_envo="[]"),
    "nothing but a broken one": "{",
    "nothing at all": "",
    "late": event("a", "2020-01-01T00:00:00Z", list_item_pedi=f"[{item('s')}]"),
}


def test_batches_without_rows_leave_readable_tables(kind, program, oracle, new_store, tmp_path):
    waves = [
        Wave(name, {f"input/{number}.json": text.encode()})
        for number, (name, text) in enumerate(SMALL.items())
    ]
    story = play(new_store(kind), program, oracle, waves, tmp_path / "told")
    for chapter in story.chapters:
        for table in TABLES:
            found = rows_of(read(story.store, path_of(table), chapter.versions()[table]))
            problem = difference(chapter.expected.table(table), found)
            assert problem is None, f"{table} after `{chapter.wave.name}`: {problem}"
    found = entries(read(story.store, QUARANTINE))
    assert difference(story.last.expected.quarantine, found) is None


def test_first_batch_without_any_event_leaves_empty_tables_with_their_columns(
    kind, program, new_store
):
    store = new_store(kind)
    store.put("input/x.json", b"{")
    [record] = program.run_once(store)
    assert record["reasons"] == {"syntax": 1}
    for reader in filter(None, (DeltaLakeSql(), Polars(), duckdb_or_reason()[0])):
        for table in TABLES:
            rows = reader.read(store, path_of(table))
            assert rows.num_rows == 0 and "dat_atui" in rows.column_names, (reader.name, table)
