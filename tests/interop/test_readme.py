"""The Python of the READMEs runs as it stands, but for the simulator's address and the bucket."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from matrix import MISSING, READERS
from program import environment

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
# DuckDB would download its extensions; here they come as wheels.
EXTENSIONS = "import duckdb\nfor file in {files!r}:\n    duckdb.load_extension(file)\n"


@pytest.mark.parametrize("name", ["README.md", "README.pt-BR.md"])
@pytest.mark.parametrize("story", ["esteira"], indirect=True)
def test_python_of_the_readme_runs(story, name):
    [code] = BLOCK.findall((ROOT / name).read_text())
    address = story.store.endpoint.removeprefix("http://")
    here = code.replace("127.0.0.1:4566", address).replace("itau-shop", story.store.bucket)
    assert address in here and "4566" not in here
    if "duckdb" in here:
        if READERS["duckdb"] is None:
            pytest.skip(MISSING["duckdb"])
        files = [str(file) for file in READERS["duckdb"].extensions]
        here = EXTENSIONS.format(files=files) + here
    done = subprocess.run(
        [sys.executable, "-c", here],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("stat_pedi") == 1, done.stdout
