"""Tables that were created without deletion vectors get them when asked for, and not before."""

import pytest

from canonical import TABLES, difference, rows_of
from delta_log import of_kind
from lake import commits_of, path_of, read
from matrix import COPY
from small_waves import SmallWaves
from story import Story

FEATURE = "deletionVectors"


@pytest.fixture
def waves():
    return SmallWaves(orders=60, seed=13)


@pytest.fixture
def story(kind, program, oracle, new_store, pipelines, waves, tmp_path):
    """Tables made by a pipeline that says `copy_on_write`, which the built-in one goes on with."""
    story = Story(new_store(kind), program, oracle, tmp_path / "told", pipelines(COPY))
    story.go_on([waves.first(), *waves.take(3)], tick=0)
    story.arguments = ()
    return story.go_on(waves.take(3), tick=0)


def check(story):
    for table in TABLES:
        problem = difference(
            story.last.expected.table(table), rows_of(read(story.store, path_of(table)))
        )
        assert problem is None, f"{table}: {problem}"


def vectors(story, table):
    """Descriptors that there are in the log, and the features that readers must know."""
    log = sum(commits_of(story.store, path_of(table)).values(), [])
    features = [protocol.get("readerFeatures", []) for protocol in of_kind(log, "protocol")]
    return [add for add in of_kind(log, "add") if add.get("deletionVector")], features[-1]


@pytest.mark.parametrize("kind", ["esteira", "folder"], indirect=True)
def test_table_without_vectors_gets_them_by_upgrade_alone(story, waves, program):
    check(story)
    assert [vectors(story, table) for table in TABLES] == [([], [])] * len(TABLES)
    program.tidy("optimize", story.store)
    check(story)
    assert [vectors(story, table) for table in TABLES] == [([], [])] * len(TABLES)

    upgraded = program.tidy("upgrade", story.store, "--table", "orders", "--table", "products")
    assert {name: told["upgraded"] for name, told in upgraded.items()} == {
        "orders": True,
        "products": True,
    }
    check(story)
    story.go_on(waves.take(4), tick=0)
    check(story)
    for table in TABLES:
        marked, features = vectors(story, table)
        is_upgraded = table in upgraded
        assert (FEATURE in features, bool(marked)) == (is_upgraded, is_upgraded), table

    again = program.tidy("upgrade", story.store)
    assert {name: told["upgraded"] for name, told in again.items()} == {
        "orders": False,
        "products": False,
        "quarantine": False,
        "sellers": True,
        "shipments": True,
    }
    story.go_on(waves.take(3), tick=0)
    check(story)
    assert all(vectors(story, table)[0] for table in TABLES)


@pytest.mark.parametrize("kind", ["folder"], indirect=True)
def test_table_with_vectors_goes_on_with_a_pipeline_that_says_copy_on_write(
    kind, program, oracle, new_store, pipelines, waves, tmp_path
):
    """It keeps the vectors that it has, for its readers know them."""
    story = Story(new_store(kind), program, oracle, tmp_path / "told")
    story.go_on([waves.first(), *waves.take(3)], tick=0)
    story.arguments = pipelines(COPY)
    story.go_on(waves.take(3), tick=0)
    check(story)
    story.arguments = ()
    story.go_on(waves.take(3), tick=0)
    check(story)
