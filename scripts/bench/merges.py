"""The same batches merged by other systems, into copies of the same filled tables.

Comes in: a bucket with filled tables, batches. Goes out: what each merge took. What is merged (the
winners of a batch, by table) is made beforehand and not measured.
"""

import json
import shutil
import subprocess

from cache import kept, recipe
from failure import BenchError
from measure import Job
from others import HERE, environment_of_its_own, versions
from store import environment

COMPARE = HERE / "compare"
MERGES = {"deltalake MERGE": "merge_delta.py", "DuckDB MERGE": "merge_duckdb.py"}


class Merges:
    def __init__(self, work, history):
        self._folder = work / "data"
        self._out = work / "merges"
        self._logs = work / "logs"
        self._python = environment_of_its_own()
        own = recipe(COMPARE / "merge_sources.py", COMPARE / "tables.py")
        self._recipe = f"{history.recipe}-{own}"

    def run(self, system, filled, orders, keys, data, seconds, least):
        """What each batch took, as many as fit into the time; the tables' folder stays until the
        next. `filled` puts a filled bucket into a folder."""
        shutil.rmtree(self._out, ignore_errors=True)
        self._out.mkdir()
        bucket = filled(orders, self._out / "bucket")
        sources = self._sources(data)
        command = [
            self._python, "-B", COMPARE / MERGES[system], bucket / "analytics", sources,
            str(seconds), str(least),
        ]
        if system.startswith("DuckDB"):
            command.append(self._out / "tables.duckdb")
        job = Job(command, environment(), self._logs / f"{system.replace(' ', '-')}-{orders}-{keys}")
        whole = job.run()
        batches = [json.loads(line) for line in job.records_path.read_text().splitlines()]
        return batches, whole, bucket / "analytics"

    def digests(self, tables):
        """Rows and a digest of each table in the folder."""
        return json.loads(self._ask("digests.py", tables))

    def done(self):
        shutil.rmtree(self._out, ignore_errors=True)

    def _sources(self, data):
        """What is merged, kept beside the batches it is made from."""
        name = data.folder.name.rpartition("-")[0]
        return kept(
            self._folder, f"merges-{name}", self._recipe, "what is to be merged",
            lambda folder: self._ask("merge_sources.py", data.folder, folder),
        )

    def _ask(self, script, *arguments):
        done = subprocess.run(
            [self._python, "-B", COMPARE / script, *arguments],
            env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )
        if done.returncode != 0:
            raise BenchError(f"{script} failed: {done.stderr[-2000:]}")
        return done.stdout


def named(system):
    """With its version."""
    package = system.split()[0]
    return f"{package} {versions()[package.lower()]} MERGE"
