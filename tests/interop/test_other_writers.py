"""Other engines change the tables between two runs: nothing is lost, doubled or brought back."""

import pytest

from canonical import TABLES, difference, rows_of
from delta_log import live, of_kind
from lake import commits_of, path_of, read, table_of
from matrix import note_bucket
from small_waves import SmallWaves
from story import Story

KEY = "txt_detl_idt_pedi_pgto"


@pytest.fixture(params=[None, "copy-on-write"], ids=["vectors", "copy-on-write"])
def pipeline(request):
    """Tables with deletion vectors, and tables that are rewritten."""
    note_bucket(request, "folder", request.param)
    return request.param


@pytest.fixture
def waves():
    return SmallWaves(orders=60, seed=11)


@pytest.fixture
def story(pipeline, pipelines, program, oracle, new_store, waves, tmp_path):
    """A few waves on a folder."""
    arguments = pipelines(pipeline)
    story = Story(new_store("folder"), program, oracle, tmp_path / "told", arguments)
    return story.go_on([waves.first(), *waves.take(5)], tick=0)


def check(story, without=()):
    """Every table is as the oracle expects, but that these orders are not in `orders`."""
    for table in TABLES:
        expected = story.last.expected.table(table)
        if table == "orders":
            expected = [row for row in expected if row[KEY] not in without]
        problem = difference(expected, rows_of(read(story.store, path_of(table))))
        assert problem is None, f"{table}: {problem}"


def test_compaction_by_deltalake_changes_no_row(story, waves):
    for _ in range(2):
        for table in TABLES:
            compacted = table_of(story.store, path_of(table)).optimize.compact()
            assert compacted["numFilesAdded"] == 1, (table, compacted)
        check(story)
        story.go_on(waves.take(4), tick=0)
        check(story)


def test_order_deleted_by_deltalake_stays_deleted_until_a_newer_event(story, waves):
    order, other = waves.spare(), waves.spare()
    for gone in (order, other):
        done = table_of(story.store, path_of("orders")).delete(f"{KEY} = '{gone}'")
        assert done["num_deleted_rows"] == 1
    check(story, without=(order, other))
    story.go_on(waves.take(5), tick=0)
    check(story, without=(order, other))
    story.go_on([waves.about(order)], tick=0)
    check(story, without=(other,))
    story.program.tidy("optimize", story.store, *story.arguments)
    story.program.tidy("vacuum", story.store, "--retain-hours", "0", *story.arguments)
    check(story, without=(other,))
    story.go_on([waves.about(other), *waves.take(2)], tick=0)
    check(story)


def test_checkpoint_by_deltalake_keeps_the_vectors(story, waves):
    for table in TABLES:
        table_of(story.store, path_of(table)).create_checkpoint()
    check(story)
    story.go_on(waves.take(3), tick=0)
    check(story)


@pytest.mark.parametrize("reader", ["spark"], indirect=True)
@pytest.mark.parametrize("pipeline", [None], ids=["vectors"], indirect=True)
def test_vectors_and_compaction_by_spark_are_taken_as_they_are(story, waves, reader):
    spark, store = reader.asked(), story.store

    def do(statement, table):
        spark.do(store, statement.format(f"delta.`{store.hadoop_url(path_of(table))}`"))

    order = waves.spare()
    before = live(commits_of(store, path_of("orders")))
    do(f"DELETE FROM {{}} WHERE {KEY} = '{order}'", "orders")
    after = live(commits_of(store, path_of("orders")))
    assert before.keys() == after.keys() and before != after, "Spark wrote no deletion vector"
    check(story, without=(order,))
    # More rows are deleted from the file that has Spark's vector.
    story.go_on(waves.take(4), tick=0)
    check(story, without=(order,))
    do("OPTIMIZE {}", "products")
    story.go_on([waves.about(order), *waves.take(2)], tick=0)
    check(story)
    told = of_kind(sum(commits_of(store, path_of("products")).values(), []), "commitInfo")
    assert any("Spark" in info.get("engineInfo", "") for info in told)
    for table in TABLES:
        problem = difference(
            story.last.expected.table(table), rows_of(reader.read(store, path_of(table)))
        )
        assert problem is None, f"{table}: {problem}"
