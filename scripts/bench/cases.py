"""What is measured: four cases of the job, each on a bucket of its own.

Comes in: the binary, the data. Goes out: one run per case and round. The rounds go through all cases
in turn, so that a disturbance of some minutes does not fall on one case alone.
"""

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass

from failure import BenchError
from measure import Job
from progress import tell
from store import BUCKET, Simulator

SYSTEM = "Esteira"


@dataclass(frozen=True)
class Case:
    letter: str
    title: str
    # Name of the data set, see `data`.
    input: str
    # Whether the tables hold the events of case c before.
    filled: bool


CASES = {
    case.letter: case
    for case in (
        Case("a", "one-event objects, fresh tables", "single", False),
        Case("b", "one-event objects, four of five updates, filled tables", "updates", True),
        Case("c", "NDJSON, fresh tables", "lines", False),
        Case("d", "NDJSON, every order replaced, filled tables", "lines-later", True),
    )
}
# Case c leaves behind what the cases on filled tables start from.
TURN = ["a", "c", "b", "d"]


def measured(benches, letters, rounds):
    """One run per case, round and program, as dictionaries."""
    cases = [CASES[letter] for letter in TURN if letter in letters]
    keep = any(case.filled for case in cases)
    for bench in benches:
        bench.prepare(cases)
    try:
        runs = [
            bench.run(case, number, keep)
            for number in range(1, rounds + 1)
            for case in cases
            for bench in benches
        ]
    finally:
        for bench in benches:
            bench.clean()
    return sorted(runs, key=lambda run: (run["case"], run["round"]))


class Bench:
    """One program under measurement, and its stores: another version may not read them."""

    def __init__(self, binary, work, data, system=SYSTEM):
        self._binary = binary
        self._system = system
        self._stores = work / "stores" / binary.name
        # A filled store, stopped; buckets on filled tables are copies of it.
        self._filled = self._stores / "filled"
        self._logs = work / "logs"
        self._data = data

    def prepare(self, cases):
        self.clean()
        self._stores.mkdir(parents=True)
        self._logs.mkdir(exist_ok=True)
        for case in cases:
            self._data.make(case.input)

    def clean(self):
        shutil.rmtree(self._stores, ignore_errors=True)

    def run(self, case, number, keep):
        tell(f"{case.letter}, round {number}, {self._system}: {case.title}")
        if case.filled and not self._filled.exists():
            self._fill()
        with self._store(case) as folder:
            run = self._job(case.input, folder, f"{self._binary.name}-{case.letter}-{number}")
            if keep and case is CASES["c"] and not self._filled.exists():
                folder.rename(self._filled)
        changes_orders = run["tables"]["orders"]["rows_removed"] > 0
        if case.filled and not changes_orders:
            raise BenchError(f"case {case.letter} updated no order that was there")
        tell(f"  {run['wall_s']:.2f} s, {run['cpu_s']:.2f} CPU s, {run['peak_mib']:.0f} MiB")
        return {
            "system": self._system, "case": case.letter, "title": case.title, "round": number, **run
        }

    def _fill(self):
        tell("filling the tables for what follows")
        folder = self._stores / "filling"
        self._job(CASES["c"].input, folder, f"{self._binary.name}-filling")
        folder.rename(self._filled)

    @contextmanager
    def _store(self, case):
        """A folder for a simulator; empty, or as case c left it."""
        folder = self._stores / case.letter
        if case.filled:
            # With its times: the simulator takes them for those of the objects.
            shutil.copytree(self._filled, folder, symlinks=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _job(self, name, folder, log):
        """Uploads a data set and runs the job over it."""
        data = self._data.make(name)
        with Simulator(self._binary, folder, self._logs / f"{log}-simulator.log") as simulator:
            simulator.upload(data.folder)
            # Whatever is still to be written to the disk is not the job's.
            os.sync()
            job = Job(
                [self._binary, "run", "--once", "--log", "json", "--bucket", f"s3://{BUCKET}"],
                env=simulator.env,
                log=self._logs / log,
                beside=simulator.process.pid,
            )
            run = job.run() | job.figures_of_records()
        wrong = [
            f"{run[what]} {what} instead of {count}"
            for what, count in (("objects", data.objects), ("events", data.events))
            if run[what] != count
        ]
        if wrong or run["quarantined"]:
            raise BenchError(
                f"the job took {', '.join(wrong) or 'everything'}, quarantined {run['quarantined']}",
                hint=f"its records are in {job.records_path}",
            )
        return run
