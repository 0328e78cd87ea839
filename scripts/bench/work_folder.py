"""The folder in which one measurement works: data that are kept, buckets that are not.

Comes in: where. Goes out: the folder, for this run alone. It is never a folder that holds other
things, and only one that this made is ever deleted.
"""

import fcntl
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from failure import BenchError

DEFAULT = Path(tempfile.gettempdir()) / "esteira-bench"
MARKER = "made-by-esteira-bench"


@contextmanager
def claimed(work):
    """The work folder, for this run alone."""
    if work.exists() and any(work.iterdir()) and not marked(work):
        raise BenchError(f"`{work}` holds other things", hint="name another with `--work`")
    work.mkdir(parents=True, exist_ok=True)
    with open(work / MARKER, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BenchError(
                f"another run measures in `{work}`", hint="two at once would disturb each other"
            ) from error
        yield


def marked(work):
    return (work / MARKER).is_file()


def clean(work):
    """Deletes the work folder, if it is one."""
    if not work.exists():
        return
    if not marked(work):
        raise BenchError(f"`{work}` was not made by this program and stays")
    with claimed(work):
        shutil.rmtree(work)
    print(f"deleted {work}")
