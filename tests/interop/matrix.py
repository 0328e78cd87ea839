"""What is tried against what: kinds of buckets, stories and readers, by the names of test cases."""

from readers import (
    ByHand,
    DeltaLakeArrow,
    DeltaLakeSql,
    Pandas,
    Polars,
    duckdb_or_reason,
    spark_or_reason,
    version_of,
)

BUCKETS = {
    "esteira": "Esteira's simulator",
    "moto": f"moto {version_of('moto')}'s server",
    "folder": "a file:// bucket",
}
COPY = "copy-on-write"
# The bucket of each end-to-end run, and its pipeline where it is not the built-in one.
STORIES = {kind: (kind, None) for kind in BUCKETS} | {COPY: ("esteira", COPY)}

_DUCKDB, _NO_DUCKDB = duckdb_or_reason()
_SPARK, _NO_SPARK = spark_or_reason()
# None for one that cannot be asked here.
READERS = {
    "deltalake-pyarrow": DeltaLakeArrow(),
    "deltalake-sql": DeltaLakeSql(),
    "polars": Polars(),
    "pandas": Pandas(),
    "duckdb": _DUCKDB,
    "spark": _SPARK,
    "by-hand": ByHand(),
}
MISSING = {"duckdb": _NO_DUCKDB, "spark": _NO_SPARK}
# Those that may skip files by their statistics, and are quick at it.
SKIPPING = ["deltalake-pyarrow", "deltalake-sql", "polars", "duckdb"]
# Asked where they have something of their own to say: one starts slowly, the other is no product.
RARE = ["spark", "by-hand"]


def takes(reader, copies):
    """Whether a reader can read tables that are rewritten (`copies`), or those with vectors."""
    return copies or reader not in ("deltalake-pyarrow", "pandas")


def pairs(readers=READERS):
    """Each story of `readers`, a reader a story."""
    return [
        (story, reader)
        for story in STORIES
        for reader in readers
        if takes(reader, story == COPY) and (reader not in RARE or story == "esteira")
    ]


_AGAINST = "against"


def note(request, label):
    """Notes what a test runs against, for the closing account."""
    request.node.user_properties.append((_AGAINST, label))


def note_bucket(request, kind, pipeline):
    """Notes the bucket and what is special about the tables."""
    note(request, BUCKETS[kind] if pipeline is None else f"{BUCKETS[kind]}, {pipeline}")


def noted(report):
    """What a finished test ran against."""
    return [label for what, label in report.user_properties if what == _AGAINST]
