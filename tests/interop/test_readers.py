"""Tables as other people's software reads them, over S3 and from a folder."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from canonical import TABLES, difference, rows_of
from lake import QUARANTINE, entries, path_of, read
from matrix import SKIPPING, pairs

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Some readers compute with nanoseconds in 64 bits and take no literal beyond the year 2262.
LITERAL_MICROS = range(-(2**63) // 1000, 2**63 // 1000)
EVERY_PAIR = pytest.mark.parametrize(("story", "reader"), pairs(), indirect=True)
ITEM_OF_SHIPMENT = {"cod_prod", "cod_prod_venr", "stat_entg", "qtd_prod"}


@pytest.mark.parametrize("table", TABLES)
@EVERY_PAIR
def test_reader_sees_the_rows_of_the_oracle(story, reader, table):
    found = rows_of(reader.read(story.store, path_of(table)))
    problem = difference(story.last.expected.table(table), found)
    assert problem is None, problem


@EVERY_PAIR
def test_reader_sees_the_quarantine_of_the_oracle(story, reader):
    found = entries(reader.read(story.store, QUARANTINE))
    problem = difference(story.last.expected.quarantine, found)
    assert problem is None, problem


@EVERY_PAIR
def test_reader_sees_exact_types(story, reader):
    products = reader.read(story.store, path_of("products")).schema
    for name in ("vlr_oril", "vlr_prod", "vlr_prod_ofrt_desc"):
        assert products.field(name).type == pa.decimal128(18, 2), name
    assert products.field("qtd_item_pedi").type == pa.int64()
    instant = products.field("dat_atui").type
    assert (instant.unit, instant.tz is not None) == ("us", True)
    shipments = reader.read(story.store, path_of("shipments")).schema
    items = shipments.field("list_envo").type.value_type.field("list_item_envo").type.value_type
    assert {items.field(at).name for at in range(items.num_fields)} == ITEM_OF_SHIPMENT
    assert items.field("qtd_prod").type == pa.int64()


@pytest.mark.parametrize("table", ["orders", "products", "sellers"])
@pytest.mark.parametrize(
    ("story", "reader"),
    [pair for pair in pairs(SKIPPING) if "esteira" in pair or "deltalake-pyarrow" in pair],
    indirect=True,
)
def test_reader_finds_rows_by_the_extremes_of_every_column(story, reader, table):
    """The extremes are where statistics that are cut or rounded make a reader skip a file."""
    path = path_of(table)
    stored = read(story.store, path)
    for column in stored.column_names:
        values = stored.column(column).drop_null()
        if not len(values):
            continue
        for value in _extremes(values):
            wanted = stored.filter(
                pa.compute.equal(stored.column(column), pa.scalar(value, values.type))
            )
            found = reader.where(story.store, path, column, value)
            problem = difference(rows_of(wanted), rows_of(found))
            assert problem is None, f"`{column}` = {str(value)[:100]!r}: {problem}"


def _extremes(values):
    """The least and the greatest value, as Python's own; instants only such as all readers take."""
    if pa.types.is_timestamp(values.type):
        micros = [at for at in values.cast(pa.int64()).to_pylist() if at in LITERAL_MICROS]
        return [EPOCH + timedelta(microseconds=at) for at in (min(micros), max(micros))]
    extremes = pa.compute.min_max(values)
    return [extremes["min"].as_py(), extremes["max"].as_py()]
