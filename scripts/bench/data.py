"""The events that are measured with, as folders of objects; made once and kept.

Comes in: the binary, whose `generate` makes the events. Goes out: a folder, and how many objects and
events it holds. Later versions of events are the same events with `dat_atui` four years on: such a
shift is exact, because leap years return with it, and leaves the length as it is.
"""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from cache import data_set, kept
from failure import BenchError
from store import environment

SEED = 1
DAT_ATUI = re.compile(rb'("dat_atui":")(\d{4})')
YEARS = 4

# Of 20 sources of updates, how many hold orders that case c has.
SOURCES, KNOWN_SOURCES = 20, 16
# Orders that the NDJSON data have for certain: five events an order are the most there are.
ORDERS_OF_LINES = 80_000
# Far behind all orders of the NDJSON data.
FIRST_NEW_ORDER = 1_000_001


class Data:
    """All of it, divided by `scale`."""

    def __init__(self, binary, folder, scale):
        self._binary = binary
        self._folder = folder
        self._scale = scale
        self._made = {}
        self._folder.mkdir(exist_ok=True)
        self._recipe = self._fingerprint()

    def make(self, name):
        """The data set of this name, out of the cache where it is there."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name):
        write, events = {
            "single": (self._single, 20_000),
            "updates": (self._updates, 20_000),
            "lines": (self._lines, 400_000),
            "lines-later": (self._lines_later, 400_000),
        }[name]
        events //= self._scale
        made = kept(
            self._folder, f"{name}-{events}", self._recipe, f"{events:,} events: {name}",
            lambda folder: write(folder, events),
        )
        return data_set(made, events)

    def _single(self, folder, events):
        self._generate(folder, "--orders", events * 2 // 5, "--events", events)

    def _lines(self, folder, events):
        self._generate(
            folder, "--orders", events // 2, "--events", events,
            "--form", "ndjson", "--events-per-object", 10_000,
        )

    def _lines_later(self, folder, events):
        """The same events under other names, each later than all of before."""
        for path in sorted(self.make("lines").folder.iterdir()):
            with open(path, "rb") as lines, open(folder / f"later-{path.name}", "wb") as out:
                out.writelines(map(later, lines))

    def _updates(self, folder, events):
        """Later states of orders from all over the tables, and new orders, in turn, one an object."""
        scratch = folder.with_name("scratch")
        shutil.rmtree(scratch, ignore_errors=True)
        count = events // SOURCES
        apart = ORDERS_OF_LINES // self._scale // KNOWN_SOURCES
        for source in range(SOURCES):
            known = source < KNOWN_SOURCES
            first = 1 + source * apart if known else FIRST_NEW_ORDER + source * count
            self._generate(
                scratch / f"{source:02}", "--first-order", first,
                # As for the NDJSON data: an order's customer depends on how many orders there are.
                "--orders", 200_000 // self._scale,
                "--events", count, "--form", "ndjson", "--events-per-object", count,
            )
        files = [open(path, "rb") for path in sorted(scratch.glob("*/*"))]
        for turn, lines in enumerate(zip(*files, strict=True)):
            for source, line in enumerate(lines):
                name = f"update-{turn * SOURCES + source:08}.json"
                (folder / name).write_bytes(later(line).rstrip(b"\n"))
        for file in files:
            file.close()
        shutil.rmtree(scratch)

    def _generate(self, folder, *options):
        done = subprocess.run(
            [self._binary, "generate", "--out", folder, "--seed", str(SEED), *map(str, options)],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise BenchError(f"`esteira generate` failed: {done.stderr[-2000:]}")

    def _fingerprint(self):
        """Changes when the same options would give other events, by this file or by the binary."""
        probe = self._folder / "probe"
        shutil.rmtree(probe, ignore_errors=True)
        self._generate(probe, "--orders", 200, "--form", "ndjson", "--events-per-object", 1_000)
        digest = hashlib.sha256(Path(__file__).read_bytes())
        for path in sorted(probe.iterdir()):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
        shutil.rmtree(probe)
        return digest.hexdigest()[:12]


def later(event):
    """The event, four years later."""
    return DAT_ATUI.sub(lambda found: found[1] + b"%04d" % (int(found[2]) + YEARS), event)
