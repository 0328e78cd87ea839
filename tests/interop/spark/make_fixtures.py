"""Writes the tables of `crates/esteira-lake/tests/fixtures/spark`: deletion vectors made by Spark.

Run by hand, `scripts/test-interop.sh` has made what it needs:

    ~/.cache/esteira/spark-venv/bin/python tests/interop/spark/make_fixtures.py

Each case has what must be read from it in `expected.json`: the rows, and by data file how many rows
it has and which of them are deleted. Names of files are new in every run.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from deletion_vectors import bitmap_of, containers, deleted_rows  # noqa: E402
from delta_log import commits, live  # noqa: E402
from session import session  # noqa: E402

FIXTURES = HERE.parents[2] / "crates" / "esteira-lake" / "tests" / "fixtures" / "spark"
JARS = os.environ.get("ESTEIRA_SPARK_JARS", "~/.cache/esteira/spark-jars")
# Row n of the one file of `many` holds n; these are deleted in two steps.
MANY_ROWS = 150_000
MANY_STEPS = (
    "n < 65536 AND n % 2 = 0",
    "n BETWEEN 70000 AND 79999 OR n BETWEEN 100000 AND 119999 OR (n > 131072 AND n % 97 = 0)",
)


def orders(spark, table):
    """Several files; vectors grow over several commits; one file has none, one is gone wholly."""
    _create(spark, table, **{"delta.checkpointInterval": "100"})
    for file in range(4):
        _insert(spark, table, 1000 * file, 100)
    tell = spark.sql
    tell(f"DELETE FROM {table} WHERE n IN (0, 7, 99, 1000)")
    tell(f"DELETE FROM {table} WHERE n BETWEEN 40 AND 49 OR n = 1001 OR n = 1099")
    tell(f"DELETE FROM {table} WHERE n BETWEEN 2000 AND 2098")
    tell(f"DELETE FROM {table} WHERE id = 'o-2099'")
    tell(f"UPDATE {table} SET n = n + 500 WHERE n IN (8, 1050, 1051)")
    tell(
        f"""MERGE INTO {table} AS old USING (
                SELECT * FROM VALUES ('o-0009', 600L), ('o-1060', NULL), ('o-9000', 9000L)
                AS v(id, n)
            ) AS new ON old.id = new.id
            WHEN MATCHED AND new.n IS NULL THEN DELETE
            WHEN MATCHED THEN UPDATE SET *
            WHEN NOT MATCHED THEN INSERT *"""
    )


def many(spark, table):
    """One file; its bitmap has a container of each kind."""
    _create(spark, table)
    rows = f"SELECT concat('k', id % 7), id FROM range(0, {MANY_ROWS}, 1, 1)"
    spark.sql(f"INSERT INTO {table} {rows}")
    for step in MANY_STEPS:
        spark.sql(f"DELETE FROM {table} WHERE {step}")


def prefixed(spark, table):
    """Files and vectors in folders of random names; the log has a checkpoint with vectors."""
    _create(
        spark,
        table,
        **{
            "delta.randomizeFilePrefixes": "true",
            "delta.randomPrefixLength": "2",
            "delta.checkpointInterval": "4",
        },
    )
    _insert(spark, table, 0, 50)
    _insert(spark, table, 100, 50)
    spark.sql(f"DELETE FROM {table} WHERE n % 10 = 3")
    spark.sql(f"DELETE FROM {table} WHERE n = 149")
    spark.sql(f"DELETE FROM {table} WHERE n IN (0, 100)")


def _create(spark, table, **properties):
    properties = {"delta.enableDeletionVectors": "true"} | properties
    told = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
    spark.sql(f"CREATE TABLE {table} (id STRING, n BIGINT) USING delta TBLPROPERTIES ({told})")


def _insert(spark, table, first, count):
    spark.sql(
        f"""INSERT INTO {table}
            SELECT format_string('o-%04d', id), id FROM range({first}, {first + count}, 1, 1)"""
    )


def _expected(spark, table, folder):
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]

    def read(name):
        return (folder / name).read_bytes()

    log = commits(names, read)
    rows = [[row.id, row.n] for row in spark.sql(f"SELECT id, n FROM {table} ORDER BY n").collect()]
    files, physical = {}, 0
    for path, add in sorted(live(log).items()):
        stats = json.loads(add["stats"])
        physical += stats["numRecords"]
        told = files[path] = {"rows": stats["numRecords"], "deleted": []}
        vector = add.get("deletionVector")
        if vector is not None:
            told["deleted"] = _shown(deleted_rows(vector, read))
            told["containers"] = containers(bitmap_of(vector, read))
    deleted = sum(vector["cardinality"] for vector in _vectors(log))
    assert len(rows) == physical - deleted, (len(rows), physical, deleted)
    return {"version": max(log), "rows": rows, "files": files}


def _vectors(log):
    return [add["deletionVector"] for add in live(log).values() if "deletionVector" in add]


def _shown(rows):
    """Few rows as they are, many as what can be checked of them."""
    if len(rows) <= 1000:
        return rows
    return {"count": len(rows), "first": rows[0], "last": rows[-1], "sum": sum(rows)}


def _keep(table, folder):
    """Copies what belongs to a table, without Hadoop's and Spark's own checksums."""
    for path in sorted(table.rglob("*")):
        if path.suffix in (".json", ".parquet", ".bin") or path.name == "_last_checkpoint":
            if not path.name.startswith("."):
                kept = folder / path.relative_to(table)
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, kept)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        spark = session(Path(JARS).expanduser(), scratch, codec="zstd")
        shutil.rmtree(FIXTURES, ignore_errors=True)
        for case in (orders, many, prefixed):
            written = scratch / case.__name__
            table = f"delta.`{written}`"
            case(spark, table)
            folder = FIXTURES / case.__name__
            _keep(written, folder)
            expected = _expected(spark, table, folder)
            if case is many:
                rows = expected.pop("rows")
                expected["row_count"] = len(rows)
                expected["sum_of_n"] = sum(n for _, n in rows)
                expected["deleted_where"] = list(MANY_STEPS)
                kinds = {kind for file in expected["files"].values() for kind in file["containers"]}
                assert kinds == {"array", "bitmap", "run"}, kinds
            text = json.dumps(expected, ensure_ascii=False)
            text = text.replace('], ["', '],\n  ["').replace(', "files"', ',\n "files"')
            (folder / "expected.json").write_text(text + "\n")
        spark.stop()


if __name__ == "__main__":
    main()
