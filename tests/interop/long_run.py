"""Many small waves on one bucket, tidied in between: what every reader saw, and what the log held.

Goes out: facts, taken when they were there to be seen. The tests judge them.
"""

import io
from dataclasses import dataclass, field

import pyarrow.parquet as pq

from canonical import TABLES, difference, rows_of
from deletion_vectors import path_of as path_of_vector
from delta_log import live, of_kind
from lake import commits_of, path_of, read

WAVES = 30
# Versions on the way that are read as they were.
STRIDE = 7
FIRST, LAST = "many waves", "waves after the vacuum"


@dataclass
class Files:
    """A table as it lies in the bucket."""

    names: set
    commits: dict
    # What is needed to judge deletion vectors: their files, and the rows that data files have.
    vectors: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)

    def live(self, version=None):
        return live(self.commits, version)

    def needed(self, version=None):
        """Names of the files that a version is read from."""
        needed = set()
        for path, add in self.live(version).items():
            needed.add(path)
            if "deletionVector" in add:
                needed.add(path_of_vector(add["deletionVector"]))
        return needed

    def marked(self):
        """All `add` actions with a deletion vector that there ever were, oldest first."""
        return [
            add
            for version in sorted(self.commits)
            for add in of_kind(self.commits[version], "add")
            if add.get("deletionVector")
        ]


@dataclass
class LongRun:
    """A story with what came between its waves."""

    story: object
    readers: dict
    # Readers that are only asked at the beginning and at the end.
    seldom: tuple = ()
    # (phase, reader) to table to what is wrong, if anything is.
    seen: dict = field(default_factory=dict)
    # Wave to table to what is wrong with the version that its record names.
    on_the_way: dict = field(default_factory=dict)
    # Phase to table to `Files`.
    files: dict = field(default_factory=dict)
    optimized: dict = field(default_factory=dict)
    told_by_dry_run: dict = field(default_factory=dict)
    vacuumed: dict = field(default_factory=dict)
    # Chapters that are before the vacuum.
    before_vacuum: int = 0

    def play(self, waves):
        """Plays all phases."""
        story, program = self.story, self.story.program
        story.go_on([waves.first(), *waves.take(WAVES)], tick=0)
        self._look(FIRST, keep_vectors=True)
        for chapter in story.chapters[::STRIDE]:
            versions = chapter.versions()
            self.on_the_way[chapter.wave.name] = {
                table: _problem(
                    chapter, table, lambda path, at=versions[table]: read(story.store, path, at)
                )
                for table in TABLES
            }
        self.optimized = program.tidy("optimize", story.store, *story.arguments)
        self._look("optimized")
        story.go_on(waves.take(6), tick=0)
        self._look("more waves")
        self.before_vacuum = len(story.chapters)
        now = ("--retain-hours", "0", *story.arguments)
        self.told_by_dry_run = program.tidy("vacuum", story.store, "--dry-run", *now)
        self._list("dry run")
        self.vacuumed = program.tidy("vacuum", story.store, *now)
        self._look("vacuumed")
        story.go_on(waves.take(3), tick=0)
        self._look(LAST)
        return self

    def _look(self, phase, keep_vectors=False):
        for name, reader in self.readers.items():
            if name in self.seldom and phase not in (FIRST, LAST):
                continue
            self.seen[phase, name] = {
                table: _problem(
                    self.story.last, table, lambda path: reader.read(self.story.store, path)
                )
                for table in TABLES
            }
        self._list(phase)
        if keep_vectors:
            for table in TABLES:
                self._keep(path_of(table), self.files[phase][table])

    def _list(self, phase):
        store = self.story.store
        self.files[phase] = {}
        for table in ("quarantine", *TABLES):
            path = path_of(table)
            keys = [key.removeprefix(f"{path}/") for key in store.objects(f"{path}/")]
            names = {name for name in keys if not name.startswith("_")}
            self.files[phase][table] = Files(names, commits_of(store, path))

    def _keep(self, path, files):
        for name in files.names:
            body = self.story.store.get(f"{path}/{name}")
            if name.endswith(".bin"):
                files.vectors[name] = body
            else:
                files.rows[name] = pq.read_metadata(io.BytesIO(body)).num_rows


def _problem(chapter, table, read_rows):
    try:
        found = rows_of(read_rows(path_of(table)))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return difference(chapter.expected.table(table), found)
