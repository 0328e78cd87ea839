"""How the tables of a bucket stand: live files, and the length of their logs.

Comes in: a bucket in a local folder, the last record of the job. Goes out: figures by table. Live
files are those that the record tells; where it tells none, they are counted with `deltalake`.
"""

import json
import re
import subprocess
from pathlib import Path

from failure import BenchError

TABLES = ("orders", "products", "sellers", "shipments")
LIVE_FILES = Path(__file__).resolve().parent / "compare/live_files.py"
COMMIT = re.compile(r"\d{20}\.json")


def state(bucket, record, python):
    """Figures by table. `python` gives a Python with `deltalake`; it is called only if need be."""
    tables = {name: log_state(bucket / "analytics" / name) for name in TABLES}
    told = record["tables"]
    if all("files" in told.get(name, {}) for name in TABLES):
        files = {name: told[name]["files"] for name in TABLES}
    else:
        files = counted(bucket, python())
    return {
        name: tables[name] | {
            "files": files[name],
            "bytes": told.get(name, {}).get("bytes"),
            "deleted_rows": told.get(name, {}).get("deleted_rows"),
        }
        for name in TABLES
    }


def log_state(table):
    """Commits since the last checkpoint, its size, and how many files the log and the table have."""
    log = table / "_delta_log"
    names = {entry.name for entry in log.iterdir()}
    checkpoint = None
    # Delta protocol, Last Checkpoint File.
    if "_last_checkpoint" in names:
        checkpoint = json.loads((log / "_last_checkpoint").read_text())["version"]
    commits = [int(name[:20]) for name in names if COMMIT.fullmatch(name)]
    size = sum(
        (log / name).stat().st_size
        for name in names
        if checkpoint is not None and name.startswith(f"{checkpoint:020}.checkpoint")
    )
    return {
        "commits_since_checkpoint": sum(checkpoint is None or v > checkpoint for v in commits),
        "checkpoint_bytes": size,
        "log_files": len(names),
        "stored_files": sum(1 for path in table.iterdir() if path.is_file()),
    }


def counted(bucket, python):
    done = subprocess.run(
        [python, "-B", LIVE_FILES, bucket / "analytics"], capture_output=True, text=True
    )
    if done.returncode != 0:
        raise BenchError(f"the live files cannot be counted: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
