"""What the tests share: program, simulators and played stories; and the closing account."""

import itertools
import os
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from matrix import BUCKETS, MISSING, READERS, STORIES, note, note_bucket, noted
from pipeline_folders import changed_pipeline
from program import Program, environment
from simulators import esteira_simulator, moto_simulator
from store import FolderStore, S3Store
from story import play
from waves import waves

# The readers in this process must not find a developer's own AWS settings or proxy either.
_CLEAN = environment()
os.environ.clear()
os.environ.update(_CLEAN)


def _binary(variable):
    named = os.environ.get(variable)
    if not named or not os.access(named, os.X_OK):
        pytest.exit(f"`{variable}` names no program; run scripts/test-interop.sh", 2)
    return Path(named)


@pytest.fixture(scope="session")
def program():
    return Program(_binary("ESTEIRA_BIN"))


@pytest.fixture(scope="session")
def oracle():
    return _binary("ESTEIRA_ORACLE_BIN")


@pytest.fixture(scope="session")
def endpoints(program, tmp_path_factory):
    """Name of a simulator to its endpoint; each is started when it is first asked for."""
    folder = tmp_path_factory.mktemp("simulators")
    started = {}
    with ExitStack() as running:

        def endpoint(name):
            if name not in started:
                simulator = (
                    esteira_simulator(program.binary, folder / "esteira")
                    if name == "esteira"
                    else moto_simulator(folder / "moto.log")
                )
                started[name] = running.enter_context(simulator)
            return started[name]

        yield endpoint


@pytest.fixture(scope="session")
def new_store(endpoints, tmp_path_factory):
    """Makes an empty bucket of one of `BUCKETS`, under a name of its own."""
    numbers = itertools.count(1)

    def make(kind):
        name = f"itau-shop-{next(numbers)}"
        if kind == "folder":
            return FolderStore(tmp_path_factory.mktemp("bucket") / name)
        return S3Store(endpoints(kind), name)

    return make


@pytest.fixture(scope="session")
def uploads(program, tmp_path_factory):
    return waves(program, tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="session")
def pipelines(tmp_path_factory):
    """Arguments of the program for a pipeline: the built-in one, or a changed copy of it."""
    made = {None: ()}

    def arguments(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("pipelines") / name
            made[name] = (str(changed_pipeline(folder, name)),)
        return made[name]

    return arguments


@pytest.fixture(scope="session")
def stories(program, oracle, new_store, uploads, pipelines, tmp_path_factory):
    """Plays the end-to-end run of one of `STORIES`, once."""
    played = {}

    def story(name):
        if name not in played:
            kind, pipeline = STORIES[name]
            folder = tmp_path_factory.mktemp(f"told-{name}")
            played[name] = play(
                new_store(kind), program, oracle, uploads, folder, *pipelines(pipeline)
            )
        return played[name]

    return story


@pytest.fixture(params=BUCKETS)
def kind(request):
    """Each kind of bucket."""
    note(request, BUCKETS[request.param])
    return request.param


@pytest.fixture(params=STORIES)
def story(request, stories):
    """The end-to-end run, each way it is told."""
    note_bucket(request, *STORIES[request.param])
    return stories(request.param)


@pytest.fixture(scope="session", autouse=True)
def _spark_ends():
    yield
    if READERS["spark"] is not None:
        READERS["spark"].close()


@pytest.fixture
def reader(request):
    """A reader of tables, named by the test, if it can be asked here."""
    found = READERS[request.param]
    if found is None:
        pytest.skip(MISSING[request.param])
    note(request, found.name)
    return found


def pytest_terminal_summary(terminalreporter):
    """Says what was tried against what, and what was left out and why."""
    tried, skipped = Counter(), Counter()
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            if outcome in ("passed", "failed", "error"):
                tried.update(noted(report))
            elif outcome == "skipped":
                skipped[report.longrepr[2].removeprefix("Skipped: ")] += 1
    terminalreporter.section("interoperability")
    for label, count in sorted(tried.items()):
        terminalreporter.line(f"ran: {label}, in {count} tests")
    for reason, count in sorted(skipped.items()):
        terminalreporter.line(f"skipped: {count} tests, because {reason}")
    if not skipped:
        terminalreporter.line("skipped: nothing")
