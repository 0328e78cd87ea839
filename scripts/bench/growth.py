"""Measures what a batch of updates costs as the tables grow: what is typed, and the order of things.

Comes in: options. Goes out: a report on standard output, progress on standard error. Orders come from
`history`, filled tables from `filled`, what is measured is in `growth_cases`, and `growth_report`
shows it and holds it against the goals.
"""

import argparse
import shutil
import sys

import growth_report
import machine
from command import add_common, ended, positive
from failure import BenchError
from filled import Filled
from growth_cases import Growth, Plan
from history import History
from program import ROOT, program
from work_folder import claimed

SIZES, QUICK_SIZES = [100_000, 1_000_000, 5_000_000], [20_000, 60_000, 120_000]
BATCHES, QUICK_BATCHES = 24, 6
EVENTS, QUICK_EVENTS = 2_000, 500
MERGE_SECONDS, QUICK_MERGE_SECONDS = 240, 10


def main():
    return ended(parse(), run)


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/bench-growth.sh",
        description="Measure what a batch of updates costs while the tables grow, in the job that runs "
        "for good (`esteira run`) over a local folder, and in MERGE of Python deltalake.",
    )
    parser.add_argument("--sizes", type=sizes, metavar="N,N,N",
                        help="orders in the tables; the first is what the others are held against "
                        f"(default: {','.join(map(str, SIZES))})")
    parser.add_argument("--batches", type=positive, metavar="N",
                        help=f"measured batches, after those that warm up (default: {BATCHES})")
    parser.add_argument("--events", type=positive, metavar="N",
                        help=f"events in a batch (default: {EVENTS})")
    parser.add_argument("--spread", type=sizes, metavar="N,N",
                        help="of which sizes also batches are measured whose keys are spread evenly "
                        "over all history (default: the second)")
    parser.add_argument("--no-spread", action="store_true", help="of none")
    parser.add_argument("--no-compare", action="store_true", help="measure only Esteira")
    parser.add_argument("--duckdb", action="store_true",
                        help="also DuckDB's MERGE INTO, in a database file of its own")
    parser.add_argument("--merge-seconds", type=positive, metavar="S",
                        help="after how long another system begins no further batch "
                        f"(default: {MERGE_SECONDS}); of the first size it does all")
    parser.add_argument("--reuse-fill", action="store_true",
                        help="take tables that another build filled, instead of filling anew")
    parser.add_argument("--quick", action="store_true",
                        help=f"small: {','.join(map(str, QUICK_SIZES))} orders, "
                        f"{QUICK_BATCHES} batches of {QUICK_EVENTS} events")
    add_common(parser)
    return parser.parse_args()


def sizes(text):
    found = [positive(number) for number in text.split(",")]
    if sorted(set(found)) != found:
        raise argparse.ArgumentTypeError("from small to large")
    return found


def plan(options):
    """What is typed, and what is not typed from the defaults."""
    quick = options.quick
    orders = options.sizes or (QUICK_SIZES if quick else SIZES)
    # The second is large enough to show it, and small enough for a MERGE that touches all files.
    spread = [] if options.no_spread else options.spread or orders[1:2]
    if stray := [size for size in spread if size not in orders]:
        raise BenchError(f"no tables of {stray[0]:,} orders are measured", hint="see `--sizes`")
    return Plan(
        sizes=orders,
        spread=spread,
        batches=options.batches or (QUICK_BATCHES if quick else BATCHES),
        events=options.events or (QUICK_EVENTS if quick else EVENTS),
        compare=not options.no_compare,
        duckdb=options.duckdb,
        merge_seconds=options.merge_seconds or (QUICK_MERGE_SECONDS if quick else MERGE_SECONDS),
    )


def run(options):
    if sys.platform != "linux":
        raise BenchError("this measurement needs Linux", hint="it reads /proc of a running process")
    todo = plan(options)
    source, revision = program()
    work = options.work.resolve()
    with claimed(work):
        # A copy: the one that is measured must not change when somebody builds.
        binary = work / "esteira"
        shutil.copy2(source, binary)
        facts = machine.facts(binary) | {
            "revision": revision, "quick": options.quick, "quick_means": "small tables",
        }
        history = History(work / "data")
        filled = Filled(
            binary, ROOT / "pipelines/marketing_place", work, history, reuse=options.reuse_fill
        )
        growth = Growth(binary, ROOT / "pipelines/marketing_place", work, history, filled, todo)
        growth_report.show(options.form, facts, todo, growth.measured())


if __name__ == "__main__":
    sys.exit(main())
