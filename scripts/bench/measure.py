"""One process, from its start to its end: what it took, and what its records say.

Comes in: a command. Goes out: seconds of wall and CPU, peak memory, and the figures of the batches it
recorded. Only the process itself is counted, as the kernel counts it (getrusage(2) of the child).
"""

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from failure import BenchError

# ru_maxrss is in KiB on Linux, in bytes on macOS.
RSS_UNITS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024
TICKS = os.sysconf("SC_CLK_TCK")


class Job:
    def __init__(self, command, env, log, beside=None):
        self._command = command
        self._env = env
        self.records_path = log.with_name(log.name + ".jsonl")
        self._errors_path = log.with_name(log.name + ".log")
        # A process that works for this one and is not counted with it.
        self._beside = beside

    def run(self):
        """What it took."""
        with open(self.records_path, "wb") as out, open(self._errors_path, "wb") as errors:
            busy, beside = machine_cpu(), process_cpu(self._beside)
            self._started_at = time.time()
            start = time.perf_counter()
            process = subprocess.Popen(
                self._command, env=self._env, stdin=subprocess.DEVNULL, stdout=out, stderr=errors
            )
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                process.wait()
                raise
            wall = time.perf_counter() - start
            busy = since(busy, machine_cpu())
            beside = since(beside, process_cpu(self._beside))
        # Popen must not wait for it a second time.
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said = self._errors_path.read_text(errors="replace")[-2000:]
            raise BenchError(f"`{Path(self._command[0]).name}` ended with {process.returncode}:\n{said}")
        cpu = usage.ru_utime + usage.ru_stime
        return {
            "wall_s": wall,
            "cpu_s": cpu,
            "cpu_user_s": usage.ru_utime,
            "cpu_system_s": usage.ru_stime,
            "peak_mib": usage.ru_maxrss / RSS_UNITS_PER_MIB,
            "simulator_cpu_s": beside,
            "others_cpu_s": None if busy is None else max(0.0, busy - cpu - (beside or 0.0)),
        }

    def figures_of_records(self):
        """What the records on its standard output add up to."""
        records = [json.loads(line) for line in self.records_path.read_text().splitlines()]
        if not records:
            raise BenchError("the job recorded no batch", hint=f"read its log: {self._errors_path}")
        tables = {}
        for record in records:
            for name, table in record["tables"].items():
                sums = tables.setdefault(name, {"rows_added": 0, "rows_removed": 0})
                for what in sums:
                    sums[what] += table[what]
        return {
            "batches": len(records),
            "objects": sum(record["objects"]["discovered"] for record in records),
            "events": sum(record["events"]["discovered"] for record in records),
            "quarantined": sum(record["events"]["quarantined"] for record in records),
            "bytes": sum(record["bytes"] for record in records),
            "freshness_p50_s": self._waited(records, 50),
            "freshness_p99_s": self._waited(records, 99),
            "tables": tables,
            "records": [
                {
                    name: record[name]
                    for name in ("batch", "objects", "events", "bytes", "freshness_ms", "timings_ms")
                }
                for record in records
            ],
        }

    def _waited(self, records, percent):
        """Seconds from the start until so many of a hundred objects could be read in the tables.

        All objects were there before, so the age in a record counts the upload as well, which is not
        the job's; from the start on, all objects of a batch have waited equally long.
        """
        waits = sorted(
            (
                datetime.fromisoformat(record["recorded_at"]).timestamp() - self._started_at,
                record["objects"]["discovered"],
            )
            for record in records
        )
        wanted = -(-sum(count for _, count in waits) * percent // 100)
        for waited, count in waits:
            wanted -= count
            if wanted <= 0:
                return waited
        return waits[-1][0]


def machine_cpu():
    """CPU seconds of the whole machine that were not idle; `None` where it does not tell."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return None
    # proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal; guests are in user.
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def process_cpu(pid):
    """CPU seconds of a process that runs."""
    try:
        # proc_pid_stat(5): the name, in parentheses, may hold spaces; utime and stime are 14 and 15.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / TICKS


def since(before, after):
    return None if before is None or after is None else after - before
