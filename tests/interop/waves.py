"""The uploads that the end-to-end run consists of, wave by wave.

Goes out: waves of objects, made by `esteira generate`, written by hand here, or taken from the
testkit's bad inputs. The pipeline runs once after each wave. What must come of them is the oracle's
and `expected`'s business.
"""

import gzip
import json
from dataclasses import dataclass, field

from recipes import bad_inputs

# Larger bad inputs are the business of tests that do not carry them over HTTP to five readers.
LARGEST_BAD_INPUT = 2_000_000


@dataclass(frozen=True)
class Wave:
    """Objects that are written, in this order, and keys that are then removed."""

    name: str
    uploads: dict
    removals: list = field(default_factory=list)


def waves(program, folder):
    """All waves, in order."""
    sample = _sample(program, folder)
    late = dict(list(sample.items())[::3])
    on_time = {key: body for key, body in sample.items() if key not in late}
    bad = {
        case.key: case.content
        for case in bad_inputs(largest=LARGEST_BAD_INPUT)
        if "/" not in case.key.removeprefix("input/")
    }
    return [
        Wave("on time", on_time | _first() | _not_taken()),
        Wave("late and updated", late | _second()),
        Wave("bad inputs", bad | _broken()),
        Wave("keys uploaded again", _again()),
        Wave("late for all, sources removed", _late_for_all(), list(late)[:20]),
    ]


def _sample(program, folder):
    forms = {
        "single": {"orders": 200, "seed": 1},
        "pretty": {"orders": 20, "seed": 2, "form": "pretty", "events_per_object": 3},
        "array": {"orders": 40, "seed": 3, "form": "array", "events_per_object": 11},
        "gzip": {
            "orders": 60,
            "seed": 4,
            "form": "ndjson",
            "compression": "gzip",
            "events_per_object": 25,
        },
        "zstd": {"orders": 60, "seed": 5, "compression": "zstd", "events_per_object": 25},
    }
    return {
        f"input/{name}": body
        for form, options in forms.items()
        for name, body in program.generate(folder / form, **options).items()
    }


def event(order, at, **members):
    """One event as text; a member that is a string is JSON text already."""
    told = {"txt_detl_idt_pedi_pgto": json.dumps(order), "dat_atui": json.dumps(at)} | members
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in told.items()) + "}"


def item(seller, **numbers):
    """One item line as text."""
    told = {
        "nom_item": '"rede de dormir"',
        "idt_venr": json.dumps(seller),
        "nom_venr": json.dumps(f"loja {seller}"),
        **numbers,
    }
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in told.items()) + "}"


def _first():
    # Money that no float holds, among it the extremes.
    limits = [
        item(
            "s-limits",
            vlr_oril="9999999999999999.99",
            vlr_prod="-9999999999999999.99",
            vlr_prod_ofrt_desc="900719925474099.91",
            qtd_item_pedi="9223372036854775807",
        ),
        item(
            "s-limits",
            vlr_oril="25.005",
            vlr_prod="25.015",
            vlr_prod_ofrt_desc="-0.005",
            qtd_item_pedi="-9223372036854775808",
        ),
        item("s-limits", vlr_oril="1e2", vlr_prod="12345678901234.56", vlr_prod_ofrt_desc="null"),
    ]
    nested = """[
        {"cod_tipo_entg":"Rápida","list_item_envo":[{"cod_prod":"a","qtd_prod":2},{}]},
        {"cod_venr":"s-1","list_item_envo":[]},
        {"nom_stat_entg":"\\u00e9\\ud83d\\udce6","list_item_envo":null,"dat_emis_cpvt":"2024-01-01"}
    ]"""
    return {
        "input/à mão 1.json": _bytes(
            event("hand-limits", "2024-05-01T09:00:00.123456-03:00", list_item_pedi=_list(limits)),
            event("hand-nested", "2024-05-01T12:00:00.999999999Z", list_envo=nested),
            event("hand-rescued", "2024-05-01T12:00:00Z", novo='[0.1000,{"a":null}]'),
            event(
                "hand-emptied",
                "2024-05-01T12:00:00Z",
                list_item_pedi=_list([item("s-1"), item("s-2")]),
                list_envo="[{}]",
            ),
            event(
                "hand-nulled",
                "2024-05-01T12:00:00Z",
                list_item_pedi=_list([item("s-1")]),
                list_envo="[{}]",
            ),
            event("hand-tie-of-keys", "2024-05-01T12:00:00Z", stat_pedi='"à mão"'),
            event(
                "hand-replaced",
                "2024-05-01T12:00:00Z",
                stat_pedi='"first"',
                list_item_pedi=_list([item("s-replaced")]),
            ),
        ),
        # The longest texts that statistics might shorten, and one beyond the last character.
        "input/long.json": _bytes(
            event(
                "hand-long-" + "x" * 5000, "2024-05-01T12:00:00Z", stat_pedi=json.dumps("ÿ" * 3000)
            ),
            event("\U0010ffff" * 40 + "b", "2024-05-01T12:00:00Z"),
            event(" ", "2024-05-01T12:00:00Z", stat_pgto='""'),
            event("nul\0inside", "2024-05-01T12:00:00Z", stat_pgto='"\\u0000"'),
        ),
        "input/empty-list.json": b" [ ] ",
    }


def _second():
    return {
        "input/à mão 2.json": _bytes(
            event("hand-emptied", "2024-05-02T12:00:00Z", list_item_pedi="[]", list_envo="[]"),
            event("hand-nulled", "2024-05-02T12:00:00Z", list_item_pedi="null"),
            event("hand-long-" + "x" * 5000, "2024-05-02T12:00:00.000001Z"),
        ),
        # Same instant under a lesser and a greater key.
        "input/A.json": _bytes(
            event("hand-tie-of-keys", "2024-05-01T09:00:00-03:00", stat_pedi='"A"')
        ),
        "input/ï.json": _bytes(
            event("hand-tie-of-keys", "2024-05-01T13:00:00+01:00", stat_pedi='"ï"')
        ),
        # Same instant twice in one object: the later position wins.
        "input/tie-of-positions.json": _bytes(
            event("hand-tie-of-positions", "2024-05-01T12:00:00.0000001Z", stat_pedi='"1"'),
            event("hand-tie-of-positions", "2024-05-01T12:00:00.0000009Z", stat_pedi='"2"'),
            event("hand-tie-of-positions", "2024-05-01T12:00:00.000000Z", stat_pedi='"3"'),
        ),
        # Older than what is stored: nothing of it may show, but for its seller.
        "input/late.json": _bytes(
            event(
                "hand-emptied",
                "2024-04-01T12:00:00Z",
                list_item_pedi=_list([item("s-late")]),
                list_envo="[{}]",
            ),
        ),
    }


def _broken():
    good = event("hand-beside", "2024-05-01T12:00:00Z").encode()
    return {
        "input/lines.json": b"\n".join(
            [
                good,
                b'{"cut',
                b"nulo",
                b'{"txt_detl_idt_pedi_pgto":"x","dat_atui":"2024-05-01"}',
                good,
            ]
        ),
        "input/array.json": b"[" + good + b",7," + good + b",{]",
        "input/not.json": b"\x89PNG\r\n\x1a\n\x00\x00",
        "input/cut.json": gzip.compress(good * 100, mtime=0)[:-9],
        "input/nothing.json": b"",
        "input/latin1.json": event("a\u00e7\u00e3o", "2024-05-01T12:00:00Z")
        .encode()
        .replace(b"\\u00e7", b"\xe7"),
    }


def _again():
    """Keys that were there before, with other content."""
    return {
        # The same instant again: the object that was written later wins.
        "input/à mão 1.json": _bytes(
            event("hand-replaced", "2024-05-01T12:00:00Z", stat_pedi='"second"'),
            event(
                "hand-new-in-old-key", "2024-05-01T12:00:00Z", list_item_pedi=_list([item("s-1")])
            ),
        ),
        "input/lines.json": _bytes(event("hand-beside", "2024-05-03T12:00:00Z")) + b"}",
        "input/late.json": gzip.compress(_bytes(event("hand-late", "2020-01-01T00:00:00Z"))),
    }


def _late_for_all():
    """Older than everything: no table but the sellers' may change by it."""
    return {
        "input/late for all.json": _bytes(
            event("hand-limits", "2001-01-01T00:00:00Z", list_item_pedi=_list([item("s-old")])),
            event("hand-nested", "2001-01-01T00:00:00Z", list_item_pedi=_list([item("s-1")])),
        )
    }


def _not_taken():
    """Beside the pipeline's path, `input/*.json`."""
    body = _bytes(event("hand-not-taken", "2024-05-01T12:00:00Z"))
    keys = ["input/a.JSON", "input/a.json.bak", "input/folder/a.json", "inputs/a.json", "a.json"]
    return {key: body for key in keys}


def is_taken(key):
    """Whether a key is in the pipeline's path."""
    name = key.removeprefix("input/")
    return key.startswith("input/") and "/" not in name and name.endswith(".json")


def _list(texts):
    return "[" + ",".join(texts) + "]"


def _bytes(*texts):
    return "\n".join(texts).encode()
