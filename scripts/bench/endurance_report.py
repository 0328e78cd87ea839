"""Samples of a long run as a table for people, Markdown or JSON lines, with a verdict.

The verdict holds the last quarter against the second: in the first, caches and tables still find
their size.
"""

import json
import os
from statistics import mean

from report import QUIET, about, aligned, markdown
from table_state import TABLES

MIB = 2**20
# How many times what it was in the second quarter the last one may be.
LIMIT = 1.25
# Fewer hold too few checkpoints to say anything.
ENOUGH = 2_000


def show(form, facts, orders, samples):
    verdicts = list(verdict(samples))
    if form == "json":
        for kind, things in (("machine", [facts]), ("sample", samples), ("verdict", verdicts)):
            for thing in things:
                print(json.dumps({"kind": kind, **thing}, ensure_ascii=False))
        return
    table = markdown if form == "markdown" else aligned
    print(about(facts), end="\n\n")
    print("\n".join(table(list(rows(samples)), words=0)), end="\n\n")
    print(f"- tables of {orders:,} orders before; figures are per batch, since the sample before")
    print("- files: live ones, the most at any time in all tables, then of each table at the sample; "
          "stored: with those that only older versions of the tables need")
    print("- commits: since the last checkpoint, the most at any time in any table")
    if disturbed := noise(samples):
        print(f"- not quiet: others took {disturbed:.0%} of the machine's CPU time")
    if samples[-1]["batches"] < ENOUGH:
        print(f"- fewer than {ENOUGH:,} batches: too short a run for a verdict")
    print()
    for line in verdicts:
        met = "steady" if line["steady"] else "NOT STEADY"
        ratio = "some, none in" if line["ratio"] is None else f"{line['ratio']:.2f} ×"
        print(f"- {met}: {line['figure']}: last quarter {ratio} the second")


def rows(samples):
    yield [
        "batches", "wall ms: mean", "p99", "max", "CPU ms", "read KiB", "written KiB", "RSS MiB",
        "peak MiB", "files: most", *TABLES, "commits: most", "checkpoints KiB", "log files", "stored",
    ]
    for sample in samples:
        tables = sample["tables"].values()
        yield [
            f"{sample['batches']:,}",
            *(f"{sample['wall_s'][which] * 1000:.0f}" for which in ("mean", "p99", "max")),
            f"{sample['cpu_s'] * 1000:.0f}",
            f"{sample['read_bytes'] / 1024:.0f}", f"{sample['written_bytes'] / 1024:.0f}",
            f"{sample['rss_mib']:.0f}", f"{sample['peak_mib']:.0f}",
            f"{sample['most_files'] or '–'}", *(f"{table['files']}" for table in tables),
            f"{sample['most_commits']}",
            f"{total(sample, 'checkpoint_bytes') / 1024:.0f}",
            f"{total(sample, 'log_files')}", f"{total(sample, 'stored_files')}",
        ]


def verdict(samples):
    """Each figure, the last quarter of the samples against the second."""
    quarter = len(samples) // 4
    if not quarter:
        return
    second, last = samples[quarter:2 * quarter], samples[-quarter:]
    figures = {
        "wall": lambda sample: sample["wall_s"]["mean"],
        "CPU": lambda sample: sample["cpu_s"],
        "bytes read": lambda sample: sample["read_bytes"],
        "bytes written": lambda sample: sample["written_bytes"],
        "RSS": lambda sample: sample["rss_mib"],
        "live files": lambda sample: sample["most_files"] or total(sample, "files"),
        "commits since a checkpoint": lambda sample: sample["most_commits"],
        "checkpoints": lambda sample: total(sample, "checkpoint_bytes"),
    }
    for name, figure in figures.items():
        before, after = (mean(map(figure, part)) for part in (second, last))
        if before or not after:
            ratio = after / before if before else 1.0
            yield {"figure": name, "ratio": ratio, "steady": ratio <= LIMIT}
        else:
            yield {"figure": name, "ratio": None, "steady": False}


def noise(samples):
    """The share of the machine's CPU time that others took, where it is worth a word."""
    elapsed = sum(sample["elapsed_s"] for sample in samples)
    share = sum(sample["others_cpu_s"] for sample in samples) / elapsed / os.cpu_count()
    return share if share > QUIET else None


def total(sample, figure):
    return sum(table[figure] for table in sample["tables"].values())

