"""Other systems over the same events, measured the same way, but reading local files.

Comes in: the data. Goes out: one run per case and round, shaped like those of the job. The packages
live in an environment of their own, remade when `requirements.txt` or the Python under it changes.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from cases import CASES, SYSTEM
from failure import BenchError
from measure import Job
from progress import tell
from store import environment

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
# Name of the package to what is run.
SYSTEMS = {"DuckDB": "duckdb_file.py", "deltalake": "delta_tables.py"}
# Both only fill fresh tables.
LETTERS = ["a", "c"]


class Others:
    def __init__(self, work, data):
        self._out = work / "others"
        self._logs = work / "logs"
        self._data = data
        self._python = environment_of_its_own()
        self._versions = versions()

    def measured(self, letters, rounds, ours):
        """One run per system, case and round; `ours` are the job's, which they must agree with."""
        return [
            self._measured(system, CASES[letter], number, ours)
            for letter in LETTERS
            if letter in letters
            for system in SYSTEMS
            for number in range(1, rounds + 1)
        ]

    def _measured(self, system, case, number, ours):
        data = self._data.make(case.input)
        name = f"{system} {self._versions[system.lower()]}"
        tell(f"{case.letter}, round {number}: {name}")
        shutil.rmtree(self._out, ignore_errors=True)
        self._out.mkdir()
        os.sync()
        job = Job(
            [self._python, "-B", HERE / "compare" / SYSTEMS[system],
             data.folder / "*.json", self._out],
            env=environment(),
            log=self._logs / f"{system}-{case.letter}-{number}",
        )
        run = job.run()
        rows = json.loads(job.records_path.read_text())
        shutil.rmtree(self._out)
        expected = rows_of(next(run for run in ours if run["case"] == case.letter))
        if rows != expected:
            raise BenchError(f"{name} made {rows}, {SYSTEM} {expected}")
        tell(f"  {run['wall_s']:.2f} s, {run['cpu_s']:.2f} CPU s, {run['peak_mib']:.0f} MiB")
        return {
            "system": name, "case": case.letter, "title": case.title, "round": number, **run,
            "objects": data.objects, "events": data.events, "bytes": data.bytes,
        }


def versions():
    """Of the packages, by name in small letters."""
    return {
        name.lower(): version
        for name, _, version in (
            line.partition("==") for line in REQUIREMENTS.read_text().split() if "==" in line
        )
    }


def rows_of(run):
    """How many rows the job left in tables that were fresh."""
    return {
        name: table["rows_added"] - table["rows_removed"]
        for name, table in run["tables"].items()
        if name != "quarantine"
    }


def environment_of_its_own():
    """The Python that has the packages."""
    home = Path.home() / ".cache/esteira/bench-venv"
    venv = Path(os.environ.get("ESTEIRA_BENCH_VENV", home))
    python = venv / "bin/python"
    wanted = hashlib.sha256(sys.version.encode() + REQUIREMENTS.read_bytes()).hexdigest()
    made_for = venv / ".made-for"
    if made_for.is_file() and made_for.read_text() == wanted:
        return python
    tell(f"making the Python environment in {venv}")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", venv],
        [*pip, "-r", REQUIREMENTS],
    ):
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            raise BenchError("the packages of the other systems cannot be installed",
                             hint="measure without comparing")
    made_for.write_text(wanted)
    return python
