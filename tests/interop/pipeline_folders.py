"""Copies of the built-in pipeline that say something else in `pipeline.toml`."""

import shutil
from pathlib import Path

BUILT_IN = Path(__file__).parents[2] / "pipelines" / "marketing_place"
CHANGES = {
    # Tables without deletion vectors.
    "copy-on-write": lambda text: text.replace("[[table]]\n", "[[table]]\ncopy_on_write = true\n"),
    # Nothing is tidied but by hand.
    "untidied": lambda text: text + "\n[maintenance]\ncompact = false\nvacuum = false\n",
}


def changed_pipeline(folder, name):
    """A copy of the built-in pipeline in `folder` with the change of that name."""
    shutil.copytree(BUILT_IN, folder)
    file = folder / "pipeline.toml"
    text = file.read_text()
    changed = CHANGES[name](text)
    assert changed != text, f"`{name}` changes nothing"
    file.write_text(changed)
    return folder
