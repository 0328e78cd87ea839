"""The tables that Spark wrote for the Rust tests: what is read by hand is what Spark read."""

import json
from pathlib import Path

import pytest

from deletion_vectors import bitmap_of, containers, deleted_rows
from delta_log import live
from lake import commits_of, vector_of
from store import FolderStore

ROOT = Path(__file__).parents[2] / "crates" / "esteira-lake" / "tests" / "fixtures" / "spark"


@pytest.fixture
def store():
    return FolderStore(ROOT)


@pytest.fixture(params=["orders", "many", "prefixed"])
def case(request):
    """A table's name, and what must be read from it."""
    return request.param, json.loads((ROOT / request.param / "expected.json").read_text())


def test_vectors_by_hand_are_those_that_spark_meant(store, case):
    name, expected = case
    files = live(commits_of(store, name))
    assert files.keys() == expected["files"].keys()
    for path, told in expected["files"].items():
        vector = files[path].get("deletionVector")
        if vector is None:
            assert told["deleted"] == []
            continue
        rows = vector_of(store, name, files[path])
        if isinstance(told["deleted"], dict):
            rows = {"count": len(rows), "first": rows[0], "last": rows[-1], "sum": sum(rows)}
        assert rows == told["deleted"]
        bitmap = bitmap_of(vector, lambda file: store.get(f"{name}/{file}"))
        assert containers(bitmap) == told["containers"]


@pytest.mark.parametrize("reader", ["deltalake-sql", "polars", "duckdb", "by-hand"], indirect=True)
def test_rows_are_those_that_spark_read(store, case, reader):
    name, expected = case
    rows = [(row["id"], row["n"]) for row in reader.read(store, name).to_pylist()]
    if "rows" in expected:
        assert sorted(rows) == sorted(map(tuple, expected["rows"]))
    else:
        assert len(rows) == expected["row_count"]
        assert sum(n for _, n in rows) == expected["sum_of_n"]


@pytest.mark.parametrize("broken", ["magic", "checksum", "size", "cardinality"])
def test_broken_vector_is_told(store, broken):
    files = live(commits_of(store, "orders"))
    [vector, *_] = [add["deletionVector"] for add in files.values() if "deletionVector" in add]
    at = vector["offset"]

    def read(name):
        file = bytearray(store.get(f"orders/{name}"))
        if broken == "magic":
            file[at + 4] ^= 1
        elif broken == "checksum":
            file[at + 4 + vector["sizeInBytes"]] ^= 1
        elif broken == "size":
            file[at + 3] ^= 1
        return bytes(file)

    if broken == "cardinality":
        vector = vector | {"cardinality": vector["cardinality"] + 1}
    with pytest.raises(AssertionError):
        deleted_rows(vector, read)
