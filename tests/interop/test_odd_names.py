"""Objects under odd names from the bucket to the tables and to `raw`."""

import pytest

from canonical import rows_of
from lake import RAW, path_of, read
from names import BEYOND_FILES, DOTS, LONG, LONGEST_OF_FILE, NOT_IN_MOTO, PLAIN
from waves import event, item

AT = "2024-05-01T12:00:00Z"
EVERYTHING = ["--input", "input/**/*.json"]


@pytest.fixture
def store(new_store, kind):
    return new_store(kind)


def orders_of(store, program, names):
    """Uploads an event under each name and runs; source file to order id, and the record."""
    for number, name in enumerate(names):
        text = event(f"order-{number}", AT, list_item_pedi=f"[{item(f'seller-{number}')}]")
        store.put(f"input/{name}", text.encode())
    [record] = program.run_once(store, *EVERYTHING)
    rows = rows_of(read(store, path_of("orders")))
    return {row["_source_file"]: row["txt_detl_idt_pedi_pgto"] for row in rows}, record


def kept(store, names):
    """Raw's originals of the names, those that are there."""
    day = next(iter(store.objects(RAW))).removeprefix(RAW).split("/")[0]
    raw = store.objects(RAW)
    return {name for name in names if f"{RAW}{day}/{name}" in raw}


def test_odd_names_arrive_as_they_are(store, kind, program):
    names = {
        "esteira": PLAIN + BEYOND_FILES + NOT_IN_MOTO,
        "moto": PLAIN + BEYOND_FILES,
        "folder": PLAIN,
    }[kind]
    found, record = orders_of(store, program, names)
    assert found == {f"input/{name}": f"order-{number}" for number, name in enumerate(names)}
    assert record["objects"]["applied"] == len(names)
    assert kept(store, names) == set(names)


@pytest.mark.parametrize("kind", ["esteira", "moto"], indirect=True)
def test_names_with_dots_for_folders_arrive_as_they_are(store, program):
    # What such names are mistaken for.
    names = [*DOTS, "b.json"]
    found, record = orders_of(store, program, names)
    assert found == {f"input/{name}": f"order-{number}" for number, name in enumerate(names)}
    assert record["objects"]["applied"] == len(names)


@pytest.mark.parametrize("names", [[LONGEST_OF_FILE], LONG], ids=["255 in a folder", "1000 in all"])
def test_names_at_the_limits_of_length_arrive_and_are_kept(store, program, names):
    found, record = orders_of(store, program, names)
    assert found == {f"input/{name}": f"order-{number}" for number, name in enumerate(names)}
    assert record["objects"]["applied"] == len(names)
    originals = sorted(map(store.get, store.objects(RAW)))
    assert originals == sorted(store.get(f"input/{name}") for name in names)


def test_second_run_over_odd_names_finds_nothing_new(store, program):
    orders_of(store, program, PLAIN)
    assert program.run_once(store, *EVERYTHING) == []
