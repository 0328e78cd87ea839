"""The end-to-end run on one bucket: a wave is uploaded, the pipeline runs, what must hold is noted.

Goes out: a chapter a wave, each with what the oracle expects by then and what the program recorded.
The comparison is left to the tests.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from expected import Expected
from program import ask_oracle
from waves import is_taken

# Listings of S3 give whole seconds: what is uploaded again must be seen to be newer.
LISTING_TICK = 1.1


@dataclass
class Chapter:
    """A wave and what came of it."""

    wave: object
    # Contents that were not there before, those the pipeline takes.
    new: dict
    # What this wave alone holds, and all waves so far.
    told: Expected
    expected: Expected
    records: list

    def versions(self):
        """Table name to Delta version after this wave."""
        return {name: table["version"] for name, table in self.records[-1]["tables"].items()}


@dataclass
class Story:
    """A bucket with its chapters."""

    store: object
    program: object
    oracle: Path
    folder: Path
    # What `esteira run --once` gets beside the bucket.
    arguments: tuple = ()
    taken: Callable = is_taken
    chapters: list = field(default_factory=list)
    seen: set = field(default_factory=set)

    @property
    def last(self):
        return self.chapters[-1]

    def originals(self):
        """Every content that was taken, as (key, bytes)."""
        return [pair for chapter in self.chapters for pair in chapter.new.items()]

    def go_on(self, waves, tick=LISTING_TICK):
        """Uploads the waves one after another, running the pipeline after each.

        Waves that upload no key again need no `tick` between them.
        """
        for wave in waves:
            if self.chapters:
                time.sleep(tick)
            self._tell(wave)
        return self

    def _tell(self, wave):
        expected = self.last.expected if self.chapters else Expected()
        for key, body in wave.uploads.items():
            self.store.put(key, body)
        written = self.store.objects("input/")
        modified = {key: written[key].modified_micros for key in wave.uploads if key in written}
        for key in wave.removals:
            self.store.delete(key)
        pairs = {key: body for key, body in wave.uploads.items() if self.taken(key)}
        new = {key: body for key, body in pairs.items() if (key, body) not in self.seen}
        self.seen.update(new.items())
        told = told_of(self.oracle, self.folder / f"wave-{len(self.chapters)}", new, modified)
        records = self.program.run_once(self.store, *self.arguments)
        self.chapters.append(Chapter(wave, new, told, expected.merged(told), records))


def play(store, program, oracle, waves, folder, *arguments, taken=is_taken):
    """The story of these waves."""
    return Story(store, program, oracle, folder, arguments, taken).go_on(waves)


def told_of(oracle, folder, objects, modified):
    """What the oracle expects of these objects alone, the folder being where it finds them."""
    folder.mkdir(parents=True)
    for key, body in objects.items():
        path = folder / key.removeprefix("input/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return Expected.of_answer(ask_oracle(oracle, folder, modified))
