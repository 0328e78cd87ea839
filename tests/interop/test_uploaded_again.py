"""The same key with the contents A, B and A again: what was seen once is not taken twice."""

import pytest

from canonical import TABLES, difference, rows_of
from lake import QUARANTINE, RAW, entries, path_of, read
from story import play
from waves import Wave, event, item

KEY = "input/again.json"


@pytest.fixture
def again(kind, program, oracle, new_store, tmp_path):
    """The run over A, B and A, each uploaded after the one before was taken."""
    at = "2024-05-01T12:00:00Z"
    first = event("again", at, stat_pedi='"A"', list_item_pedi=f"[{item('a')},{item('b')}]")
    second = event("again", at, stat_pedi='"B"', list_item_pedi=f"[{item('b')}]")
    contents = [f"{content}\nbroken {content[:2]}".encode() for content in (first, second)]
    waves = [Wave(name, {KEY: body}) for name, body in zip("ABA", [*contents, contents[0]])]
    return play(new_store(kind), program, oracle, waves, tmp_path / "told")


def test_content_uploaded_again_changes_nothing(again):
    records = [chapter.records for chapter in again.chapters]
    assert [len(batches) for batches in records] == [1, 1, 0]
    for table in TABLES:
        found = rows_of(read(again.store, path_of(table)))
        problem = difference(again.last.expected.table(table), found)
        assert problem is None, f"{table}: {problem}"
    found = entries(read(again.store, QUARANTINE))
    assert difference(again.last.expected.quarantine, found) is None


def test_both_contents_stay_in_raw_under_different_names(again):
    raw = again.store.objects(RAW)
    assert sorted(map(again.store.get, raw)) == sorted(
        body for wave in again.chapters[:2] for body in wave.wave.uploads.values()
    )
