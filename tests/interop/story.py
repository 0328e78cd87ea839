"""The end-to-end run on one bucket: a wave is uploaded, the pipeline runs, what must hold is noted.

Goes out: a chapter a wave, each with what the oracle expects by then and what the program recorded.
The comparison is left to the tests.
"""

import time
from dataclasses import dataclass

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
    chapters: list

    @property
    def last(self):
        return self.chapters[-1]

    def originals(self):
        """Every content that was taken, as (key, bytes)."""
        return [pair for chapter in self.chapters for pair in chapter.new.items()]


def play(store, program, oracle, waves, folder, *arguments, taken=is_taken):
    """Uploads the waves one after another, running the pipeline after each."""
    story = Story(store, [])
    expected, seen = Expected(), set()
    for number, wave in enumerate(waves):
        if number:
            time.sleep(LISTING_TICK)
        for key, body in wave.uploads.items():
            store.put(key, body)
        modified = {key: entry.modified_micros for key, entry in store.objects("input/").items()}
        for key in wave.removals:
            store.delete(key)
        pairs = {key: body for key, body in wave.uploads.items() if taken(key)}
        new = {key: body for key, body in pairs.items() if (key, body) not in seen}
        seen.update(new.items())
        told = _told(oracle, folder / f"wave-{number}", new, modified)
        expected = expected.merged(told)
        records = program.run_once(store, *arguments)
        story.chapters.append(Chapter(wave, new, told, expected, records))
    return story


def _told(oracle, folder, objects, modified):
    folder.mkdir(parents=True)
    for key, body in objects.items():
        path = folder / key.removeprefix("input/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return Expected.of_answer(ask_oracle(oracle, folder, modified))
