"""Spark as a process that answers, one question at a time.

Comes in: SQL, and a bucket whose tables it names. Goes out: Arrow tables, which Spark hands over as
Parquet. Spark has a Python environment and jars of its own; what runs there is `spark/serve.py`.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from program import environment

# What the pinned pyspark runs on.
JAVA = 17
SERVE = Path(__file__).parent / "spark" / "serve.py"
CACHE = Path.home() / ".cache" / "esteira"
VENV = Path(os.environ.get("ESTEIRA_SPARK_VENV", CACHE / "spark-venv"))
JARS = Path(os.environ.get("ESTEIRA_SPARK_JARS", CACHE / "spark-jars"))


def spark_or_reason():
    """Its name with versions, or why it cannot be asked."""
    if os.environ.get("ESTEIRA_SKIP_SPARK") == "1":
        return None, "ESTEIRA_SKIP_SPARK leaves Spark out"
    if _java() < JAVA:
        return None, f"Spark needs Java {JAVA} or newer, which is not installed"
    pyspark = list(VENV.glob("lib/python*/site-packages/pyspark-*.dist-info"))
    delta = list(JARS.glob("delta-spark_*.jar"))
    if not pyspark or not delta:
        return None, "pyspark or its jars for Delta Lake are not installed"
    versions = [path.stem.rpartition("-")[2] for path in (pyspark[0], delta[0])]
    return "Spark {} with Delta Lake {}".format(*versions), None


def _java():
    """The version of the Java that is on the path, 0 when there is none."""
    if shutil.which("java") is None:
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=60).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


class SparkProcess:
    """A running Spark."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="esteira-spark-"))
        self.answers = 0
        self.log = open(self.folder / "spark.log", "wb")
        self.process = subprocess.Popen(
            [VENV / "bin" / "python", "-B", SERVE, JARS, self.folder],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self._answer()

    def read(self, store, sql):
        """The rows that a query gives."""
        self.answers += 1
        to = self.folder / f"answer-{self.answers}"
        self._ask(store, sql, to=str(to))
        rows = pq.read_table(to)
        shutil.rmtree(to)
        return rows

    def do(self, store, sql):
        """Carries out a statement."""
        self._ask(store, sql)

    def close(self):
        """Ends the process and removes what it left."""
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask(self, store, sql, **more):
        asked = {"sql": sql, "hadoop": store.hadoop_options, **more}
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            log = (self.folder / "spark.log").read_text(errors="replace")
            raise AssertionError(f"Spark ended: {log[-4000:]}")
        told = json.loads(line)
        assert "error" not in told, f"Spark: {told['error'][:4000]}"
        return told
