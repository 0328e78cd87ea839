"""Batch after batch of what `merge_sources` made, and what each took: one JSON line a batch.

Comes in: a function that merges one batch, given its sources by table. Goes out: seconds of wall and
CPU, bytes and memory of this process, reading the sources not counted. Ends when the time is over,
but not before the least number of batches.
"""

import json
import resource
import sys
import time
from pathlib import Path

import pyarrow as pa
import tables


def run(merge, sources, seconds, least):
    deadline = time.monotonic() + float(seconds)
    for done, batch in enumerate(sorted(Path(sources).iterdir())):
        if done >= int(least) and time.monotonic() >= deadline:
            return
        rows = {
            name: pa.ipc.open_file(batch / f"{name}.arrow").read_all() for name in tables.TABLES
        }
        before = figures()
        by_table = {}
        for name in tables.TABLES:
            cpu = cpu_seconds()
            merge(name, rows[name])
            by_table[name] = cpu_seconds() - cpu
        after = figures()
        took = {what: after[what] - before[what] for what in before}
        memory = {"rss_mib": status("VmRSS"), "peak_mib": status("VmHWM")}
        print(json.dumps({"batch": done + 1, **took, **memory, "cpu_s_by_table": by_table}))
        sys.stdout.flush()


def figures():
    io = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return {
        "wall_s": time.perf_counter(),
        "cpu_s": cpu_seconds(),
        "read_bytes": int(io["rchar"]),
        "written_bytes": int(io["wchar"]),
    }


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def status(field):
    """In MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return None
