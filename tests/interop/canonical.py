"""Rows in one form, whoever read them, and what separates two sets of rows.

Comes in: an Arrow table, or the oracle's JSON. Goes out: rows as dictionaries: texts as they are,
money as text with two decimals, instants as RFC 3339 text in UTC with six digits, lists as lists of
dictionaries with every field, bytes as hexadecimal digits, rescued data parsed. `_processed_at` is
left out: it is the batch's and not the event's.
"""

import json
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa

TABLES = ("orders", "products", "sellers", "shipments")
MAX_ROWS_SHOWN = 5

# How deep serde_json, with which the oracle reads rescued data, goes.
_DEEPEST = 127
_DAYS_OF_400_YEARS = 146_097
_EPOCH = date(1970, 1, 1)


def rows_of(table):
    """The rows of an Arrow table."""
    columns = {
        name: _column(table.column(name)) for name in table.column_names if name != "_processed_at"
    }
    rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
    for row in rows:
        if row.get("_rescued_data") is not None:
            row["_rescued_data"] = rescued(row["_rescued_data"])
    return rows


def of_oracle(rows):
    """The oracle's rows."""
    return [
        {name: _number(value) if name == "_rescued_data" else value for name, value in row.items()}
        for row in rows
    ]


def rescued(text):
    """Rescued data parsed; its own text where serde_json would not parse it."""
    try:
        value = json.loads(text, parse_int=_integer)
    except RecursionError:
        return text
    try:
        return _number(value) if _depth(value) <= _DEEPEST else text
    except OverflowError:
        return text


def instant_text(micros):
    """Microseconds UTC as text; years before 1 and of five digits as the oracle writes them."""
    days, micros = divmod(micros, 86_400_000_000)
    seconds, micros = divmod(micros, 1_000_000)
    # The calendar repeats every 400 years; Python's dates end at 9999.
    cycles, days = divmod(days, _DAYS_OF_400_YEARS)
    day = _EPOCH + timedelta(days=days)
    year = day.year + 400 * cycles
    shown = f"{year:04}" if 0 <= year <= 9999 else f"{year:+05}"
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{micros:06}"
    return f"{shown}-{day.month:02}-{day.day:02}T{clock}Z"


def difference(expected, found):
    """What separates two multisets of rows, in a few lines; none when nothing does."""
    missing, unexpected = _only_in_one(expected, found)
    if not missing and not unexpected:
        return None
    lines = [
        f"{len(expected)} rows expected, {len(found)} found: "
        f"{len(missing)} missing, {len(unexpected)} unexpected"
    ]
    for row in missing[:MAX_ROWS_SHOWN]:
        alike = max(unexpected, key=lambda other: _agreeing(row, other), default=None)
        lines.append(f"  missing    {_shown(row)}")
        if alike is not None and _agreeing(row, alike):
            lines += [
                f"    `{name}`: expected {_shown(row.get(name))}, found {_shown(alike.get(name))}"
                for name in sorted(row.keys() | alike.keys())
                if row.get(name, ...) != alike.get(name, ...)
            ]
    lines += [f"  unexpected {_shown(row)}" for row in unexpected[:MAX_ROWS_SHOWN]]
    return "\n".join(lines)


def _only_in_one(expected, found):
    left = {}
    for row in expected:
        left.setdefault(_key(row), []).append(row)
    unexpected = []
    for row in found:
        same = left.get(_key(row))
        if same:
            same.pop()
        else:
            unexpected.append(row)
    return [row for rows in left.values() for row in rows], unexpected


def _key(row):
    return json.dumps(row, sort_keys=True)


def _agreeing(row, other):
    return sum(other.get(name, ...) == value for name, value in row.items())


def _shown(value):
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 600 else f"{text[:300]} … {text[-300:]}"


def _column(column):
    if pa.types.is_timestamp(column.type):
        assert column.type.tz is not None, "a timestamp without a time zone"
        micros = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
        return [None if at is None else instant_text(at) for at in micros.to_pylist()]
    return [_value(value) for value in column.to_pylist()]


def _value(value):
    match value:
        case Decimal():
            assert value.as_tuple().exponent == -2, f"money with another scale: {value!r}"
            return f"{value:f}"
        case bytes():
            return value.hex()
        case list():
            return [_value(element) for element in value]
        case dict():
            return {name: _value(field) for name, field in value.items()}
    return value


def _integer(text):
    """A long integer becomes a float at once: Python refuses to read very long ones."""
    return int(text) if len(text) <= 20 else float(text)


def _number(value):
    """JSON as serde_json sees it: integers of 64 bits, all other numbers floats of which the last
    digit does not count; raises `OverflowError` for a number that no float holds."""
    match value:
        case bool():
            return value
        case int() if -(2**63) <= value < 2**64:
            return value
        case int() | float():
            number = float(value)
            if number in (float("inf"), float("-inf")):
                raise OverflowError
            return float(f"{number:.14g}")
        case list():
            return [_number(element) for element in value]
        case dict():
            return {name: _number(member) for name, member in value.items()}
    return value


def _depth(value):
    """How many lists and objects are around the innermost value."""
    deepest, pending = 0, [(value, 0)]
    while pending:
        value, depth = pending.pop()
        deepest = max(deepest, depth)
        if isinstance(value, (list, dict)):
            inner = value.values() if isinstance(value, dict) else value
            pending += [(element, depth + 1) for element in inner]
            deepest = max(deepest, depth + 1)
    return deepest
