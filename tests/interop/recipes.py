"""The testkit's bad inputs: its recipes for the content of an object, made into bytes.

The form of a recipe is described in `crates/esteira-testkit/src/bad_inputs`; this reads the same
files without sharing any code with it.
"""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import zstandard

FOLDER = Path(__file__).parents[2] / "crates" / "esteira-testkit" / "bad_inputs"


@dataclass(frozen=True)
class BadInput:
    """An object of the bucket, and of how many good events and broken entries it consists."""

    name: str
    key: str
    content: bytes


def bad_inputs(*, largest):
    """All cases of at most `largest` bytes that need no limit of their own."""
    cases = [case for file in sorted(FOLDER.glob("*.json")) for case in _of_file(file)]
    assert len(cases) > 100, f"only {len(cases)} cases in {FOLDER}"
    return [case for case in cases if len(case.content) <= largest]


def _of_file(file):
    for number, case in enumerate(json.loads(file.read_text())):
        if "limit" in case:
            continue
        key = case.get("key", f"bad-{file.stem}-{number:03}.json")
        yield BadInput(
            name=case["name"],
            key="input/" + render(key).decode(),
            content=render(case["content"]),
        )


def render(recipe):
    """The bytes of a recipe."""
    match recipe:
        case str():
            return recipe.encode()
        case list():
            return b"".join(map(render, recipe))
        case {"event": order, **more}:
            return _event(order, more.get("with"), more.get("item"))
        case {"hex": digits}:
            return bytes.fromhex(digits)
        case {"repeat": content, "times": times}:
            return render(content) * times
        case {"gzip": content}:
            return gzip.compress(render(content), mtime=0)
        case {"zstd": content}:
            return zstandard.compress(render(content))
        case {"cut": content, "bytes": count}:
            return render(content)[:-count]
        case {"utf16le": text}:
            return text.encode("utf-16-le")
        case {"utf16be": text}:
            return text.encode("utf-16-be")
        case {"latin1": text}:
            return text.encode("latin-1")
    raise AssertionError(f"unknown recipe: {recipe!r:.200}")


def _event(order, members, item):
    members = f",{members}" if members is not None else ""
    items = f',"list_item_pedi":[{{{item}}}]' if item is not None else ""
    return (
        f'{{"txt_detl_idt_pedi_pgto":"{order}","dat_atui":"2024-05-01T12:00:00Z"{members}{items}}}'
    ).encode()
