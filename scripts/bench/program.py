"""The program that is measured: a release build, and which."""

import os
import subprocess
import sys
from pathlib import Path

import machine
from failure import BenchError

ROOT = Path(__file__).resolve().parent.parent.parent


def program():
    """The release binary, and the revision it was built from where that is certain."""
    if named := os.environ.get("ESTEIRA_BIN"):
        return executable(Path(named)), None
    target = os.environ.setdefault("CARGO_TARGET_DIR", str(Path.home() / ".cache/esteira/target"))
    binary = Path(target) / "release/esteira"
    if os.environ.get("ESTEIRA_SKIP_BUILD") == "1":
        return executable(binary, hint="run without ESTEIRA_SKIP_BUILD"), None
    command = ["cargo", "build", "--release", "--workspace", "--locked"]
    # Standard output is the report's.
    if subprocess.run(command, cwd=ROOT, stdout=sys.stderr).returncode != 0:
        raise BenchError("the release build failed")
    return executable(binary), machine.revision(ROOT)


def executable(path, hint=None):
    if not os.access(path, os.X_OK):
        raise BenchError(f"`{path}` is not there", hint)
    return path
