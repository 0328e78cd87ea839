"""What is tried against what: the kinds of buckets and the readers, by the names of test cases."""

from readers import DeltaLakeArrow, DeltaLakeSql, Pandas, Polars, duckdb_or_reason, version_of

BUCKETS = {
    "esteira": "Esteira's simulator",
    "moto": f"moto {version_of('moto')}'s server",
    "folder": "a file:// bucket",
}
_DUCKDB, WHY_NO_DUCKDB = duckdb_or_reason()
READERS = {
    "deltalake-pyarrow": DeltaLakeArrow(),
    "deltalake-sql": DeltaLakeSql(),
    "polars": Polars(),
    "pandas": Pandas(),
    "duckdb": _DUCKDB,
}

_AGAINST = "against"


def note(request, label):
    """Notes what a test runs against, for the closing account."""
    request.node.user_properties.append((_AGAINST, label))


def noted(report):
    """What a finished test ran against."""
    return [label for what, label in report.user_properties if what == _AGAINST]
