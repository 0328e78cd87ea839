"""Other people's software that reads Delta tables, each behind the same questions.

Goes out: Arrow tables, so that `canonical` sees what the reader saw. A reader gives all rows of a
table (`read`) and, where it can skip files by their statistics, the rows where a column is equal to
a value (`where`).
"""

import importlib.metadata
import importlib.util
import io
from decimal import Decimal
from pathlib import Path

import deltalake
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

import delta_log
import spark_process
from lake import commits_of, table_of, vector_of


def version_of(package):
    return importlib.metadata.version(package)


class DeltaLakeArrow:
    """`deltalake`, rows through pyarrow."""

    name = f"deltalake {version_of('deltalake')} with pyarrow {version_of('pyarrow')}"

    def read(self, store, path):
        return table_of(store, path).to_pyarrow_table()

    def where(self, store, path, column, value):
        rows = table_of(store, path).to_pyarrow_dataset()
        return rows.to_table(filter=ds.field(column) == pa.scalar(value, _exact_type(value)))


class DeltaLakeSql:
    """`deltalake`, rows through its own SQL."""

    name = f"deltalake {version_of('deltalake')} with its SQL"

    def read(self, store, path):
        return self._ask(store, path, "SELECT * FROM t")

    def where(self, store, path, column, value):
        return self._ask(store, path, f'SELECT * FROM t WHERE "{column}" = {_literal(value)}')

    def _ask(self, store, path, question):
        answer = deltalake.QueryBuilder().register("t", table_of(store, path)).execute(question)
        return pa.table(answer.read_all())


class Polars:
    """Polars, rows through its own Parquet reader."""

    name = f"polars {version_of('polars')}"

    def read(self, store, path):
        return self._scan(store, path).collect().to_arrow()

    def where(self, store, path, column, value):
        literal = pl.lit(value)
        if isinstance(value, Decimal):
            literal = literal.cast(pl.Decimal(18, 2))
        return self._scan(store, path).filter(pl.col(column) == literal).collect().to_arrow()

    def _scan(self, store, path):
        return pl.scan_delta(store.table_url(path), storage_options=store.storage_options or None)


class Pandas:
    """pandas by way of `deltalake`; Arrow's types, as its own lose integers beside nulls."""

    name = f"pandas {version_of('pandas')}"

    def read(self, store, path):
        frame = table_of(store, path).to_pandas(types_mapper=pd.ArrowDtype)
        return pa.Table.from_pandas(frame, preserve_index=False)


class ByHand:
    """Log, Parquet files and deletion vectors one by one, by what the protocol says."""

    name = f"log and vectors by hand, pyarrow {version_of('pyarrow')}"

    def read(self, store, path):
        files = delta_log.live(commits_of(store, path))
        return pa.concat_tables(
            [self._rows(store, path, file, add) for file, add in files.items()],
            promote_options="default",
        )

    def _rows(self, store, path, file, add):
        rows = pq.read_table(io.BytesIO(store.get(f"{path}/{file}")))
        deleted = vector_of(store, path, add)
        return rows.take(sorted(set(range(len(rows))).difference(deleted))) if deleted else rows


class Spark:
    """Spark with Delta Lake, in a process of its own that starts when it is first asked."""

    def __init__(self, name):
        self.name = name
        self.process = None

    def read(self, store, path):
        return self.asked().read(store, f"SELECT * FROM delta.`{store.hadoop_url(path)}`")

    def asked(self):
        """The process, started."""
        if self.process is None:
            self.process = spark_process.SparkProcess()
        return self.process

    def close(self):
        if self.process is not None:
            self.process.close()


class DuckDB:
    """DuckDB's `delta_scan`, its extensions from wheels."""

    def __init__(self, duckdb, extensions):
        self.duckdb = duckdb
        self.extensions = extensions
        self.connections = {}
        self.name = f"duckdb {duckdb.__version__} with its delta extension"

    def read(self, store, path):
        return self._ask(store, "SELECT * FROM delta_scan(?)", [store.table_url(path)])

    def where(self, store, path, column, value):
        typed = "CAST(? AS DECIMAL(18,2))" if isinstance(value, Decimal) else "?"
        question = f'SELECT * FROM delta_scan(?) WHERE "{column}" = {typed}'
        return self._ask(store, question, [store.table_url(path), value])

    def _ask(self, store, question, parameters):
        if store.endpoint not in self.connections:
            self.connections[store.endpoint] = self._connect(store)
        return self.connections[store.endpoint].execute(question, parameters).to_arrow_table()

    def _connect(self, store):
        connection = self.duckdb.connect()
        for extension in self.extensions:
            connection.load_extension(str(extension))
        if store.endpoint:
            options = store.storage_options
            connection.execute(
                f"""CREATE SECRET (TYPE s3, ENDPOINT '{store.endpoint.split("//")[1]}',
                    USE_SSL false, URL_STYLE 'path', REGION '{options["aws_region"]}',
                    KEY_ID '{options["aws_access_key_id"]}',
                    SECRET '{options["aws_secret_access_key"]}')"""
            )
        return connection


def duckdb_or_reason():
    """DuckDB, or why it cannot be asked."""
    try:
        import duckdb
    except ImportError:
        return None, "duckdb is not installed"
    extensions = []
    for name in ("httpfs", "delta"):
        package = importlib.util.find_spec(f"duckdb_extension_{name}")
        if package is None:
            return None, f"duckdb's {name} extension is not installed"
        file = f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"
        extensions.append(Path(package.origin).parent / file)
    try:
        with duckdb.connect() as connection:
            for extension in extensions:
                connection.load_extension(str(extension))
    except duckdb.Error as error:
        return None, f"duckdb's extensions cannot be loaded: {error}"
    return DuckDB(duckdb, extensions), None


def spark_or_reason():
    """Spark, or why it cannot be asked."""
    name, reason = spark_process.spark_or_reason()
    return (Spark(name) if name else None), reason


def _exact_type(value):
    return pa.decimal128(18, 2) if isinstance(value, Decimal) else None


def _literal(value):
    match value:
        case Decimal():
            return f"CAST('{value}' AS DECIMAL(18,2))"
        case int():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
    return f"TIMESTAMPTZ '{value.isoformat(sep=' ')}'"
