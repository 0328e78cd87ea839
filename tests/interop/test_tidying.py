"""`optimize` and `vacuum` by hand while the job runs: no row is lost, doubled or held up."""

import subprocess
import time
from contextlib import contextmanager

import pytest

from canonical import TABLES, difference, rows_of
from lake import path_of, read
from small_waves import SmallWaves
from story import Story, told_of

PATIENCE = 60


@pytest.mark.parametrize("kind", ["esteira"], indirect=True)
def test_tidying_by_hand_beside_the_job_changes_no_row(
    kind, program, oracle, new_store, tmp_path
):
    store, waves = new_store(kind), SmallWaves(orders=100, seed=17)
    story = Story(store, program, oracle, tmp_path / "told").go_on([waves.first()])
    uploads = {}
    with _running(program, store, tmp_path / "run.log"):
        for wave in waves.take(8):
            for key, body in wave.uploads.items():
                store.put(key, body)
            uploads |= wave.uploads
            program.tidy("optimize", store)
            program.tidy("vacuum", store, "--retain-hours", "0")
        _wait_until(lambda: _is_taken(program.status(store)))
    assert len(program.history(store)) > 2
    modified = {key: entry.modified_micros for key, entry in store.objects("input/").items()}
    told = told_of(oracle, tmp_path / "beside", uploads, modified)
    expected = story.last.expected.merged(told)
    for table in TABLES:
        problem = difference(expected.table(table), rows_of(read(store, path_of(table))))
        assert problem is None, f"{table}: {problem}"


@pytest.mark.parametrize("kind", ["folder"], indirect=True)
def test_versions_of_the_newest_record_survive_a_vacuum(
    kind, program, oracle, new_store, tmp_path
):
    """The job records the versions that it knows, though others have tidied the tables since."""
    store, waves = new_store(kind), SmallWaves(orders=60, seed=19)
    story = Story(store, program, oracle, tmp_path / "told")
    story.go_on([waves.first(), *waves.take(4)], tick=0)
    with _running(program, store, tmp_path / "run.log"):
        # A batch before and one after; neither has anything for the four tables.
        for number in range(2):
            batches = len(program.history(store))
            store.put(f"input/broken-{number}.json", b"{")
            _wait_until(lambda: len(program.history(store)) > batches)
            if number == 0:
                program.tidy("optimize", store)
        program.tidy("vacuum", store, "--retain-hours", "0")
        for table in TABLES:
            [counted] = program.sql(store, f"SELECT count(*) AS n FROM {table}")
            assert counted["n"] == len(story.last.expected.table(table)), table


def _is_taken(status):
    return not status["waiting_objects"] and not status["unfinished_batches"]


@contextmanager
def _running(program, store, log):
    """The job, until it is told to stop."""
    with open(log, "wb") as out:
        job = subprocess.Popen(
            [program.binary, "run", "--log", "json", "--bucket", store.location],
            env=store.env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
        try:
            yield
        finally:
            job.terminate()
            job.wait(PATIENCE)
    assert job.returncode == 0, log.read_text()[-3000:]


def _wait_until(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"still waiting after {PATIENCE} seconds"
        time.sleep(0.2)
