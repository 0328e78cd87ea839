"""What is made once and kept: a folder whose name tells from what it was made.

Comes in: how to make it. Goes out: the folder, complete. What an interrupted run left is made anew.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from progress import tell


@dataclass(frozen=True)
class DataSet:
    folder: Path
    objects: int
    events: int
    bytes: int


def kept(folder, name, recipe, what, write):
    """The folder `name-recipe`; `write` fills it. Those of other recipes are deleted before."""
    made = folder / f"{name}-{recipe}"
    if not made.exists():
        tell(f"making {what}")
        for old in folder.glob(f"{name}-*"):
            shutil.rmtree(old)
        partial = folder / f"partial-{name}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        write(partial)
        partial.rename(made)
    return made


def data_set(folder, events):
    sizes = [entry.stat().st_size for entry in folder.iterdir()]
    return DataSet(folder, len(sizes), events, sum(sizes))


def recipe(*sources):
    """Changes when one of these files does."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(Path(source).read_bytes())
    return digest.hexdigest()[:12]


def copied(source, target):
    """A copy that shares its blocks with the original where the file system can do that."""
    if sys.platform == "linux":
        subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)
    else:
        shutil.copytree(source, target, symlinks=True)


def linked(source, target):
    """The files of one folder in another, without a copy of their bytes where that is possible."""
    target.mkdir(parents=True)
    for entry in source.iterdir():
        try:
            os.link(entry, target / entry.name)
        except OSError:
            shutil.copy2(entry, target / entry.name)
