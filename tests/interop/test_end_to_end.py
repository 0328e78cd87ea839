"""The same waves of uploads on every kind of bucket: tables, quarantine, originals and records."""

from collections import Counter

import pytest

from canonical import TABLES, difference, rows_of
from lake import QUARANTINE, RAW, entries, path_of, read, table_of

LINEAGE = {
    "_source_file": "string",
    "_source_modified": "timestamp",
    "_source_position": "long",
    "_processed_at": "timestamp",
}
TEXT, MONEY = "string", "decimal(18,2)"
COLUMNS = {
    "orders": {
        "txt_detl_idt_pedi_pgto": TEXT,
        "cod_idef_clie": TEXT,
        "dat_hor_tran": "timestamp",
        "stat_pgto": TEXT,
        "stat_pedi": TEXT,
        "dat_atui": "timestamp",
    },
    "products": {
        "txt_detl_idt_pedi_pgto": TEXT,
        "nom_item": TEXT,
        "cod_ofrt_ineo_requ": TEXT,
        "vlr_oril": MONEY,
        "vlr_prod": MONEY,
        "vlr_prod_ofrt_desc": MONEY,
        "qtd_item_pedi": "long",
        "idt_venr": TEXT,
        "nom_venr": TEXT,
        "idt_vrne_venr": TEXT,
        "cod_vrne_prod": TEXT,
        "dat_atui": "timestamp",
    },
    "sellers": {"idt_venr": TEXT, "nom_venr": TEXT, "dat_atui": "timestamp"},
}


@pytest.mark.parametrize("table", TABLES)
def test_tables_after_every_wave_equal_the_oracle(story, table):
    for chapter in story.chapters:
        version = chapter.versions()[table]
        found = rows_of(read(story.store, path_of(table), version))
        problem = difference(chapter.expected.table(table), found)
        assert problem is None, f"after wave `{chapter.wave.name}`: {problem}"


def test_quarantine_after_every_wave_equals_the_oracle(story):
    for chapter in story.chapters:
        version = chapter.versions()["quarantine"]
        found = entries(read(story.store, QUARANTINE, version))
        problem = difference(chapter.expected.quarantine, found)
        assert problem is None, f"after wave `{chapter.wave.name}`: {problem}"


@pytest.mark.parametrize("table", ["quarantine", *TABLES])
def test_newest_version_holds_the_same_as_the_recorded_one(story, table):
    """Tidying may have added versions since, which change no row."""
    path, recorded = path_of(table), story.last.versions()[table]
    assert table_of(story.store, path).version() >= recorded
    problem = difference(
        rows_of(read(story.store, path, recorded)), rows_of(read(story.store, path))
    )
    assert problem is None, problem


@pytest.mark.parametrize("table", COLUMNS)
def test_columns_are_the_contracts_in_its_order(story, table):
    fields = table_of(story.store, path_of(table)).schema().fields
    found = [(field.name, field.type.type) for field in fields]
    wanted = list((COLUMNS[table] | LINEAGE).items())
    if table == "orders":
        wanted.append(("_rescued_data", TEXT))
    assert found == wanted


def test_rows_by_hand_are_what_the_contract_says(story):
    """The few rows that are written out, so that nothing rests on the oracle alone."""

    def of(table, order):
        rows = rows_of(read(story.store, path_of(table)))
        return [row for row in rows if row.get("txt_detl_idt_pedi_pgto") == order]

    money = ("vlr_oril", "vlr_prod", "vlr_prod_ofrt_desc", "qtd_item_pedi")
    limits = of("products", "hand-limits")
    assert Counter(tuple(row[name] for name in money) for row in limits) == Counter(
        [
            (
                "9999999999999999.99",
                "-9999999999999999.99",
                "900719925474099.91",
                9223372036854775807,
            ),
            ("25.00", "25.02", "0.00", -9223372036854775808),
            ("100.00", "12345678901234.56", None, None),
        ]
    )
    assert {row["dat_atui"] for row in limits} == {"2024-05-01T12:00:00.123456Z"}
    [nested] = of("shipments", "hand-nested")
    assert nested["dat_atui"] == "2024-05-01T12:00:00.999999Z"
    empty = dict.fromkeys(["cod_prod", "cod_prod_venr", "stat_entg", "qtd_prod"])
    assert [envo["list_item_envo"] for envo in nested["list_envo"]] == [
        [empty | {"cod_prod": "a", "qtd_prod": 2}, empty],
        [],
        None,
    ]
    assert nested["list_envo"][2]["nom_stat_entg"] == "é📦"
    for order, shipments in (("hand-emptied", []), ("hand-nulled", None)):
        assert not of("products", order)
        assert [row["list_envo"] for row in of("shipments", order)] == [shipments]
    assert [row["stat_pedi"] for row in of("orders", "hand-tie-of-keys")] == ["ï"]
    assert [row["stat_pedi"] for row in of("orders", "hand-tie-of-positions")] == ["3"]
    assert [row["stat_pedi"] for row in of("orders", "hand-replaced")] == ["second"]
    assert not of("products", "hand-replaced") and not of("orders", "hand-not-taken")


def test_rescued_data_keeps_its_own_text(story):
    orders = read(story.store, path_of("orders"))
    texts = zip(
        orders.column("txt_detl_idt_pedi_pgto").to_pylist(),
        orders.column("_rescued_data").to_pylist(),
    )
    found = [text for order, text in texts if order == "hand-rescued"]
    assert found == ['{"novo":[0.1000,{"a":null}]}']


def test_raw_holds_every_original_byte_for_byte(story):
    raw = {key: story.store.get(key) for key in story.store.objects(RAW)}
    originals = story.originals()
    assert Counter(raw.values()) == Counter(body for _, body in originals)
    # The first content of a key has its own name, on the day that its batch was planned.
    for chapter in story.chapters[:1]:
        day = chapter.records[0]["planned_at"][:10]
        for key, body in chapter.new.items():
            assert raw.get(f"{RAW}{day}/{key.removeprefix('input/')}") == body, key


def test_quarantine_points_to_the_original_in_raw(story):
    contents = {}
    for key, body in story.originals():
        contents.setdefault(key, []).append(body)
    for row in read(story.store, QUARANTINE).to_pylist():
        kept = story.store.get(row["raw_file"])
        assert kept in contents[row["_source_file"]], row["raw_file"]
        assert row["message"], row


def test_records_add_up_and_equal_the_oracle(story):
    for chapter in story.chapters:
        about = f"wave `{chapter.wave.name}`"
        assert len(chapter.records) == 1, about
        [record] = chapter.records
        for counts in (record["objects"], record["events"], *record["totals"].values()):
            if "discovered" in counts:
                parts = sum(counts.values()) - counts["discovered"]
                assert counts["discovered"] == parts, (about, counts)
        assert record["objects"]["discovered"] == len(chapter.new), about
        assert record["events"]["discovered"] == chapter.told.entries, about
        assert record["events"]["quarantined"] == len(chapter.told.quarantine), about
        assert record["reasons"] == chapter.told.reasons(), about
        assert record["bytes"] == sum(map(len, chapter.new.values())), about
        assert record["totals"]["events"]["discovered"] == chapter.expected.entries, about
        assert record["totals"]["reasons"] == chapter.expected.reasons(), about


def test_processing_times_are_those_of_the_batches(story):
    planned = {
        record["planned_at"]: number
        for number, chapter in enumerate(story.chapters)
        for record in chapter.records
    }
    table = read(story.store, path_of("orders")).select(["_processed_at"])
    times = rows_of(table.rename_columns(["at"]))
    assert {row["at"] for row in times} <= planned.keys()


def test_history_and_status_tell_the_same_as_the_runs(story, program):
    told = [record for chapter in story.chapters for record in chapter.records]
    assert program.history(story.store) == told
    status = program.status(story.store)
    assert status["last_batch"] == told[-1]
    assert status["waiting_objects"] == 0 and status["unfinished_batches"] == []


@pytest.mark.parametrize("table", TABLES)
def test_own_sql_counts_what_the_oracle_expects(story, program, table):
    answer = program.sql(story.store, f"SELECT count(*) AS n FROM {table}")
    expected = story.last.expected.table(table)
    assert [row["n"] for row in answer] == [len(expected)]


def test_second_run_writes_nothing(story, program):
    before = story.store.objects()
    assert program.run_once(story.store, *story.arguments) == []
    assert story.store.objects() == before
