"""What is measured as tables grow: batch after batch, by the job and by other systems.

Comes in: filled tables, batches. Goes out: one measurement per size, keys, batch size and system,
each with the figures of all its batches. Where two systems took the same batches, their tables must
be equal: rows and digest.
"""

import os
import shutil
from dataclasses import dataclass

from cases import SYSTEM
from continuous import Continuous, pipeline_copy
from failure import BenchError
from merges import MERGES, Merges, named
from others import environment_of_its_own
from progress import tell
from table_state import state

# Batches that come first and are not counted: they read once what is kept in memory from then on.
WARM_UP = 5
# As many times the events, to see what a larger batch costs; so many batches of them.
LARGER, LARGER_BATCHES = 4, 12
# How many another system does at least, the first of which is not counted.
LEAST = 3
# How often the job looks for new objects.
POLL_MILLISECONDS = 50


@dataclass(frozen=True)
class Plan:
    sizes: list
    # Of which of them also keys from all over are measured.
    spread: list
    batches: int
    events: int
    compare: bool
    duckdb: bool
    merge_seconds: int

    def systems(self):
        """The other systems."""
        first, second = MERGES
        return [first] * self.compare + [second] * self.duckdb


@dataclass(frozen=True)
class Case:
    orders: int
    # `recent` or `spread`, see `history`.
    keys: str
    events: int
    batches: int

    def __str__(self):
        return f"{self.orders:,} orders, {self.batches} batches of {self.events:,}, {self.keys} keys"


class Growth:
    def __init__(self, binary, pipeline, work, history, filled, plan):
        self._binary = binary
        self._pipeline = pipeline_copy(pipeline, work / "pipeline", POLL_MILLISECONDS)
        self._work = work
        self._logs = work / "logs"
        self._logs.mkdir(exist_ok=True)
        self._history = history
        self._filled = filled
        self._plan = plan
        self._merges = Merges(work, history) if plan.systems() else None

    def measured(self):
        """All measurements, as dictionaries."""
        found = []
        for case in self._cases():
            found += self._measured(case)
        return found

    def _cases(self):
        plan = self._plan
        for orders in plan.sizes:
            yield Case(orders, "recent", plan.events, plan.batches + WARM_UP)
            if orders in plan.spread:
                yield Case(orders, "spread", plan.events, plan.batches + WARM_UP)
        # What a larger batch costs does not depend on where; the second size stands for all.
        orders = plan.sizes[min(1, len(plan.sizes) - 1)]
        batches = min(LARGER_BATCHES, plan.batches) + WARM_UP
        yield Case(orders, "recent", plan.events * LARGER, batches)

    def _measured(self, case):
        data = self._history.batches(case.orders, case.keys, case.events, case.batches)
        bucket = self._work / "bucket"
        try:
            ours = self._ours(case, data, bucket)
            found = [ours]
            if case.events == self._plan.events:
                found += [self._other(system, case, data, bucket) for system in self._plan.systems()]
        finally:
            shutil.rmtree(bucket, ignore_errors=True)
            if self._merges:
                self._merges.done()
        return found

    def _ours(self, case, data, bucket):
        """The job's measurement; the bucket is left as it is afterwards."""
        self._filled.copy(case.orders, bucket)
        tell(f"{SYSTEM}: {case}")
        # Whatever is still to be written to the disk is not the job's.
        os.sync()
        log = self._logs / f"growth-{case.orders}-{case.keys}-{case.events}.log"
        with Continuous(self._binary, self._pipeline, bucket, log) as job:
            start = job.settled()
            batches = [
                job.feed(path.name, path.read_bytes()) for path in sorted(data.folder.iterdir())
            ]
            idle = job.idle_cpu
        last = batches[-1]["record"]
        for batch in batches:
            record = batch.pop("record")
            batch |= {what: record[what] for what in ("timings_ms", "tables")}
        measurement = self._about(SYSTEM, case, data, batches, WARM_UP) | {
            "elapsed_s": sum(batch["elapsed_s"] for batch in batches),
            "others_cpu_s": sum(batch["others_cpu_s"] for batch in batches),
            "start_cpu_s": start,
            "idle_cpu": idle,
            "tables": state(bucket, last, environment_of_its_own),
            "fill": self._filled.fill(case.orders),
        }
        tell_of(measurement)
        return measurement

    def _other(self, system, case, data, bucket):
        tell(f"{system}: {case}")
        # Of the smallest tables all, so that the results can be compared.
        least = case.batches if case.orders == self._plan.sizes[0] else LEAST
        batches, whole, tables = self._merges.run(
            system, self._filled.copy, case.orders, case.keys, data, self._plan.merge_seconds, least
        )
        equal = None
        if system.startswith("deltalake") and len(batches) == case.batches:
            self._compare(bucket / "analytics", tables, named(system))
            equal = True
        # The first reads what later ones have at hand.
        measurement = self._about(named(system), case, data, batches, 1) | {
            "elapsed_s": whole["wall_s"], "others_cpu_s": whole["others_cpu_s"], "equal": equal,
        }
        tell_of(measurement)
        return measurement

    def _compare(self, ours, theirs, system):
        ours, theirs = self._merges.digests(ours), self._merges.digests(theirs)
        if ours != theirs:
            raise BenchError(f"{SYSTEM} and {system} disagree:\n{ours}\n{theirs}")
        tell(f"  the same rows as {SYSTEM}: {', '.join(f'{n} {r}' for n, (r, _) in ours.items())}")

    def _about(self, system, case, data, batches, warm_up):
        return {
            "system": system, "orders": case.orders, "keys": case.keys, "events": case.events,
            "batch_bytes": data.bytes / data.objects, "warm_up": warm_up, "batches": batches,
        }


def tell_of(measurement):
    measured = measurement["batches"][measurement["warm_up"]:]
    wall, cpu = (
        sum(batch[what] for batch in measured) / len(measured) for what in ("wall_s", "cpu_s")
    )
    tell(f"  {len(measured)} batches, {wall:.3f} s, {cpu:.3f} CPU s each")
