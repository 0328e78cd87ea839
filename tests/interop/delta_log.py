"""A Delta table's log, replayed from its JSON commits without any Delta software.

Comes in: how to list and read the table's files. Goes out: commits as lists of actions, and the
logical files of a version: a path with its deletion vector.
"""

import json
from urllib.parse import unquote


def commits(names, read):
    """Version to actions, from the first on; `names` are the table's files, `read` gives one."""
    found = {}
    for name in sorted(names):
        folder, _, file = name.rpartition("/")
        version, _, kind = file.partition(".")
        if folder == "_delta_log" and kind == "json" and version.isdigit():
            lines = read(name).decode().splitlines()
            found[int(version)] = [json.loads(line) for line in lines if line]
    assert sorted(found) == list(range(len(found))), f"versions {sorted(found)}"
    return found


def live(commits, version=None):
    """The `add` actions that make up a version, the newest without one; by path.

    A file may be removed and added again in one commit, with another deletion vector.
    """
    files = {}
    for number in sorted(commits):
        if version is not None and number > version:
            break
        actions = commits[number]
        for remove in of_kind(actions, "remove"):
            key = _key(remove)
            assert key in files, f"version {number} removes {key}, which is not there"
            del files[key]
        for add in of_kind(actions, "add"):
            assert _key(add) not in files, f"version {number} adds {_key(add)} again"
            files[_key(add)] = add
    paths = [unquote(add["path"]) for add in files.values()]
    assert len(paths) == len(set(paths)), "a data file is there twice"
    return dict(zip(paths, files.values()))


def of_kind(actions, kind):
    """The actions of one kind."""
    return [action[kind] for action in actions if kind in action]


def _key(action):
    vector = action.get("deletionVector")
    if vector is None:
        return action["path"], None
    at = f"@{vector['offset']}" if "offset" in vector else ""
    return action["path"], vector["storageType"] + vector["pathOrInlineDv"] + at
