"""Buckets whose tables hold a year of orders, made once and kept: copies of them are measured.

Comes in: the binary, the histories. Goes out: a folder of a bucket, and what filling it took. What
was consumed is removed from `input` and its originals from `raw`, neither of which a later batch
reads; what stays are the tables and the ledger.
"""

import hashlib
import json
import shutil
from pathlib import Path

from cache import copied, kept, linked
from failure import BenchError
from measure import Job
from progress import tell
from store import environment

FILL = "fill.json"


class Filled:
    def __init__(self, binary, pipeline, work, history, reuse=False):
        """`reuse`: take tables that another build filled, if there are any."""
        self._binary = binary
        self._pipeline = pipeline
        self._folder = work / "filled"
        self._folder.mkdir(exist_ok=True)
        self._logs = work / "logs"
        self._history = history
        self._reuse = reuse
        with open(binary, "rb") as program:
            build = hashlib.file_digest(program, "sha256").hexdigest()[:12]
        self._recipe = f"{history.recipe}-{build}"

    def copy(self, orders, target):
        """A bucket of its own, filled with so many orders."""
        shutil.rmtree(target, ignore_errors=True)
        copied(self._made(orders) / "bucket", target)
        return target

    def fill(self, orders):
        """What filling it took."""
        return json.loads((self._made(orders) / FILL).read_text())

    def _made(self, orders):
        name = f"orders-{orders}"
        if self._reuse:
            others = self._folder.glob(f"{name}-{self._history.recipe}-*")
            if found := max(others, key=lambda made: made.stat().st_mtime, default=None):
                return found
        return kept(
            self._folder, name, self._recipe, f"tables of {orders:,} orders",
            lambda folder: self._write(folder, orders),
        )

    def _write(self, folder, orders):
        data = self._history.fill(orders)
        bucket = folder / "bucket"
        linked(data.folder, bucket / "input")
        job = Job(
            [self._binary, "run", self._pipeline, "--once", "--log", "json",
             "--bucket", f"file://{bucket}"],
            env=environment(),
            log=self._logs / f"fill-{orders}",
        )
        run = job.run() | job.figures_of_records()
        applied = sum(record["events"]["applied"] for record in run["records"])
        if applied != data.events:
            raise BenchError(f"filling applied {applied} events of {data.events}",
                             hint=f"its records are in {job.records_path}")
        for consumed in ("input", "raw"):
            shutil.rmtree(bucket / consumed)
        del run["records"]
        (folder / FILL).write_text(json.dumps(run))
        tell(f"  {run['wall_s']:.1f} s, {run['cpu_s']:.1f} CPU s, {run['peak_mib']:.0f} MiB")
