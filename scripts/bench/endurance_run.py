"""The long run: batch after batch, sampled now and then, and the tables checked in the end.

Comes in: a bucket with filled tables. Goes out: samples, each with what the batches since the one
before took, and how the tables stand.
"""

import json
import subprocess
import time

from continuous import Continuous
from events import FIRST_DAY
from failure import BenchError
from history import Batches, batch_name, expected
from measure import machine_cpu
from others import environment_of_its_own
from progress import tell
from store import environment
from table_state import TABLES, state

UPDATES, EVENTS = 15, 20
KEY = "txt_detl_idt_pedi_pgto"


def endured(binary, pipeline, bucket, logs, orders, batches, every):
    """A sample after so many batches each."""
    maker = Batches(orders, updates=UPDATES, size=EVENTS, sliding=True)
    # Of each order that was in a batch: the last one, and the instant.
    last = {}
    samples = []
    tell(f"{batches:,} batches of {EVENTS} events into tables of {orders:,} orders")
    with Continuous(binary, pipeline, bucket, logs / "endurance.log") as job:
        job.settled()
        span = Span(job, bucket)
        for number in range(1, batches + 1):
            last.update((order, (number, at)) for order, at in maker.chosen(number))
            span.add(job.feed(batch_name(number), maker.lines(number), until_quiet=False))
            if number % every == 0 or number == batches:
                samples.append(span.sample(number))
                span = Span(job, bucket)
    check(binary, bucket, expected(orders, last))
    return samples


class Span:
    """The batches from one sample to the next."""

    def __init__(self, job, bucket):
        self._job = job
        self._bucket = bucket
        self._walls = []
        # Greatest since the start, each summed up or compared over the tables: a sample alone would
        # hit any place between two tidyings.
        self._files = self._commits = 0
        self._before, self._busy = job.figures(), machine_cpu()
        self._began = time.perf_counter()

    def add(self, fed):
        self._walls.append(fed["wall_s"])
        self._record = fed["record"]
        tables = [self._record["tables"][name] for name in TABLES]
        self._files = max(self._files, sum(table.get("files", 0) for table in tables))
        self._commits = max(self._commits, *map(self._since_checkpoint, TABLES))

    def sample(self, number):
        now, busy, elapsed = self._job.figures(), machine_cpu(), time.perf_counter() - self._began
        each = len(self._walls)
        walls = sorted(self._walls)
        took = {
            what: now[what] - self._before[what]
            for what in ("cpu_s", "read_bytes", "written_bytes")
        }
        found = {
            "batches": number,
            "wall_s": {
                "mean": sum(walls) / each, "p99": walls[(each - 1) * 99 // 100], "max": walls[-1],
            },
            **{what: value / each for what, value in took.items()},
            "rss_mib": now["rss_mib"],
            "peak_mib": now["peak_mib"],
            "most_files": self._files,
            "most_commits": self._commits,
            "elapsed_s": elapsed,
            "others_cpu_s": busy - self._busy - took["cpu_s"],
            "tables": state(self._bucket, self._record, environment_of_its_own),
        }
        tell(f"  {number:,}: {found['wall_s']['mean'] * 1000:.0f} ms, "
             f"{found['cpu_s'] * 1000:.0f} CPU ms, {now['rss_mib']:.0f} MiB")
        return found

    def _since_checkpoint(self, table):
        """How many commits to it the log has behind its last checkpoint."""
        path = self._bucket / "analytics" / table / "_delta_log/_last_checkpoint"
        try:
            checkpoint = json.loads(path.read_text())["version"]
        except FileNotFoundError:
            checkpoint = -1
        return self._record["tables"][table]["version"] - checkpoint


def check(binary, bucket, wanted):
    """The tables hold each order once, in its last state and with the items of it."""
    found = {
        "orders": asked(binary, bucket, "SELECT count(*) FROM orders"),
        "different": asked(binary, bucket, f"SELECT count(DISTINCT {KEY}) FROM orders"),
        "shipments": asked(binary, bucket, "SELECT count(*) FROM shipments"),
        "products": asked(binary, bucket, "SELECT count(*) FROM products"),
        "instants": asked(
            binary, bucket,
            f"SELECT sum((CAST(dat_atui AS BIGINT) - CAST(TIMESTAMP '{FIRST_DAY}' AS BIGINT) / 1000)"
            " / 1000) FROM orders",
        ),
    }
    wanted = wanted | {"different": wanted["orders"], "shipments": wanted["orders"]}
    if found != wanted:
        raise BenchError(f"the tables hold {found} instead of {wanted}")
    tell("  the tables hold each order once, in its last state and with the items of it")


def asked(binary, bucket, question):
    """The answer, one number."""
    done = subprocess.run(
        [binary, "sql", "--format", "csv", "--bucket", f"file://{bucket}", question],
        env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if done.returncode != 0:
        raise BenchError(f"`esteira sql` failed: {done.stderr[-2000:]}")
    return int(done.stdout.splitlines()[1])
