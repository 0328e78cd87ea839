"""Many small updates of tables with deletion vectors, and of tables that are rewritten instead.

After many waves, `optimize`, more waves, `vacuum` and waves again every reader sees what the oracle
expects; what lies in the bucket is what the Delta protocol asks for.
"""

import json

import pytest

from canonical import TABLES
from deletion_vectors import deleted_rows, path_of
from delta_log import of_kind
from long_run import FIRST, LAST, LongRun
from matrix import COPY, READERS, note_bucket, takes
from small_waves import SmallWaves
from story import Story

# The bucket and the pipeline of each run.
RUNS = {
    "esteira": ("esteira", None),
    "untidied": ("folder", "untidied"),
    COPY: ("folder", COPY),
}
WITH_VECTORS = ["esteira", "untidied"]
FEATURE, PROPERTY = "deletionVectors", "delta.enableDeletionVectors"


def readers_of(run):
    """Names of the readers that are asked; the slowest only where vectors are."""
    copies = run == COPY
    return [name for name in READERS if takes(name, copies) and not (copies and name == "spark")]


@pytest.fixture(scope="module")
def runs(program, oracle, new_store, pipelines, tmp_path_factory):
    """Plays a run, once."""
    played = {}

    def run(name):
        if name not in played:
            kind, pipeline = RUNS[name]
            folder = tmp_path_factory.mktemp(f"long-{name}")
            story = Story(new_store(kind), program, oracle, folder, pipelines(pipeline))
            readers = {reader: READERS[reader] for reader in readers_of(name) if READERS[reader]}
            seldom = ("spark",) if kind != "folder" else ()
            played[name] = LongRun(story, readers, seldom).play(SmallWaves())
        return played[name]

    return run


@pytest.fixture(params=RUNS)
def run(request, runs):
    """Each run."""
    note_bucket(request, *RUNS[request.param])
    return runs(request.param)


with_vectors = pytest.mark.parametrize("run", WITH_VECTORS, indirect=True)


@pytest.mark.parametrize(
    ("run", "reader"),
    [(run, reader) for run in RUNS for reader in readers_of(run)],
    indirect=True,
)
def test_every_phase_is_read_as_the_oracle_expects(run, reader):
    [name] = [name for name, known in READERS.items() if known is reader]
    problems = {
        f"{table} after {phase}": problem
        for (phase, asked), tables in run.seen.items()
        if asked == name
        for table, problem in tables.items()
        if problem is not None
    }
    assert not problems, "\n".join(f"{where}: {problem}" for where, problem in problems.items())


def test_versions_on_the_way_stay_readable_and_right(run):
    wrong = {wave: tables for wave, tables in run.on_the_way.items() if any(tables.values())}
    assert not wrong


@pytest.mark.parametrize("table", TABLES)
@with_vectors
def test_updates_are_deletion_vectors(run, table):
    files = run.files[FIRST][table]
    assert files.marked()
    [protocol] = of_kind(files.commits[0], "protocol")
    assert FEATURE in protocol["readerFeatures"] and FEATURE in protocol["writerFeatures"]
    assert (protocol["minReaderVersion"], protocol["minWriterVersion"]) == (3, 7)
    [metadata] = of_kind(files.commits[0], "metaData")
    assert metadata["configuration"][PROPERTY] == "true"


@pytest.mark.parametrize("table", ["quarantine", *TABLES])
def test_tables_that_need_none_have_no_deletion_vectors(runs, table):
    for name in RUNS if table == "quarantine" else [COPY]:
        for phase in runs(name).files.values():
            commits = phase[table].commits
            assert not phase[table].marked()
            for protocol in of_kind(sum(commits.values(), []), "protocol"):
                assert FEATURE not in protocol.get("readerFeatures", []), protocol
                assert protocol["minReaderVersion"] == 1, protocol


@pytest.mark.parametrize("table", TABLES)
@with_vectors
def test_deletion_vectors_are_as_the_protocol_asks(run, table):
    files = run.files[FIRST][table]
    before = {}
    for add in files.marked():
        path, vector, stats = add["path"], add["deletionVector"], json.loads(add["stats"])
        deleted = set(deleted_rows(vector, files.vectors.__getitem__))
        assert stats["tightBounds"] is False, path
        assert stats["numRecords"] == files.rows[path], path
        # A file without a row left is removed instead.
        assert max(deleted) < stats["numRecords"] and len(deleted) < stats["numRecords"], path
        assert before.get(path, set()) < deleted, f"{path}: a row is back, or none was deleted"
        before[path] = deleted
    for path, add in files.live().items():
        assert json.loads(add["stats"])["numRecords"] == files.rows[path], path


@pytest.mark.parametrize("table", TABLES)
@with_vectors
def test_files_of_vectors_hold_nothing_but_vectors(run, table):
    """The version, then vectors without gaps: nothing that no descriptor names."""
    files = run.files[FIRST][table]
    told = {name: set() for name in files.vectors}
    for add in files.marked():
        vector = add["deletionVector"]
        told[path_of(vector)].add((vector.get("offset", 0), vector["sizeInBytes"]))
    for name, vectors in told.items():
        at = 1
        for offset, size in sorted(vectors):
            assert offset == at, f"{name}: {sorted(vectors)}"
            at += size + 8
        assert at == len(files.vectors[name]), f"{name}: {sorted(vectors)}"


def test_records_tell_files_bytes_and_deleted_rows(run):
    newest = run.files[LAST]
    for chapter in run.story.chapters:
        for name, told in chapter.records[-1]["tables"].items():
            adds = newest[name].live(told["version"]).values()
            vectors = [add["deletionVector"] for add in adds if "deletionVector" in add]
            found = {
                "files": len(adds),
                "bytes": sum(add["size"] for add in adds),
                "deleted_rows": sum(vector["cardinality"] for vector in vectors),
            }
            assert {key: told[key] for key in found} == found, (chapter.wave.name, name)


@pytest.mark.parametrize("table", TABLES)
def test_optimize_leaves_fewer_files_and_tells_what_it_did(run, table):
    before, after = run.files[FIRST][table], run.files["optimized"][table]
    told = run.optimized[table]
    assert told["version"] == max(after.commits)
    removed, added = before.live().keys() - after.live(), after.live().keys() - before.live()
    assert (told["files_removed"], told["files_added"]) == (len(removed), len(added))
    assert told["rows_purged"] == _deleted(before) - _deleted(after)
    assert len(after.live()) == 1 and _deleted(after) == 0
    for version in range(max(before.commits) + 1, max(after.commits) + 1):
        for kind in ("add", "remove"):
            assert not any(action["dataChange"] for action in of_kind(after.commits[version], kind))


@pytest.mark.parametrize("run", ["untidied"], indirect=True)
@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_tidied_when_the_pipeline_says_so(run, table):
    files = run.files[FIRST][table]
    told = [info["operation"] for info in of_kind(sum(files.commits.values(), []), "commitInfo")]
    assert not [operation for operation in told if operation.upper() == "OPTIMIZE"]
    assert len(files.live()) > 10


@pytest.mark.parametrize("run", ["esteira"], indirect=True)
@pytest.mark.parametrize("table", TABLES)
def test_number_of_files_stays_small_by_itself(run, table):
    assert len(run.files[FIRST][table].live()) <= 10


@pytest.mark.parametrize("table", ["quarantine", *TABLES])
def test_vacuum_leaves_what_is_needed_and_little_else(run, table):
    before, after = run.files["more waves"][table], run.files["vacuumed"][table]
    assert run.files["dry run"][table].names == before.names
    chapters = run.story.chapters[: run.before_vacuum]
    recorded, one_before = (chapter.versions()[table] for chapter in chapters[:-3:-1])
    assert after.needed(recorded) | after.needed() <= after.names
    may_stay = set().union(
        *(after.needed(version) for version in range(one_before, max(after.commits) + 1))
    )
    assert after.names <= may_stay, "files that only older versions need"
    assert before.names - after.names == _deleted_keys(run.vacuumed, run, table)
    assert _deleted_keys(run.told_by_dry_run, run, table) == _deleted_keys(
        run.vacuumed, run, table
    )
    if table != "quarantine":
        assert before.names > after.names


def _deleted_keys(told, run, table):
    return {file["key"].split("/")[-1] for file in told[table]["files"]}


def _deleted(files):
    adds = files.live().values()
    return sum(add["deletionVector"]["cardinality"] for add in adds if "deletionVector" in add)
