"""Thousands of small batches in a row through one process: does it stay as it was in the beginning?

Comes in: options. Goes out: a table of samples on standard output with a verdict, progress on standard
error. Each batch holds later states of recent orders and some new orders; the next is fed as soon as
the record of the last is there, so that whatever tidies the tables has to keep up.
"""

import argparse
import shutil
import sys

import endurance_report
import machine
from command import add_common, ended, positive
from continuous import pipeline_copy
from endurance_run import EVENTS, endured
from failure import BenchError
from filled import Filled
from history import History
from program import ROOT, program
from work_folder import claimed

ORDERS, QUICK_ORDERS = 100_000, 20_000
BATCHES, QUICK_BATCHES = 10_000, 200
SAMPLES = 20
# How often the job looks for new objects: hardly any time is to be lost between two batches.
POLL_MILLISECONDS = 5


def main():
    return ended(parse(), run)


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/bench-endurance.sh",
        description="Feed the job that runs for good (`esteira run`) thousands of small batches in a "
        "row, over a local folder, and sample how it and its tables stand.",
    )
    parser.add_argument("--batches", type=positive, metavar="N",
                        help=f"so many, of {EVENTS} events each (default: {BATCHES}); "
                        f"there are {SAMPLES} samples")
    parser.add_argument("--orders", type=positive, metavar="N",
                        help=f"orders that are in the tables before (default: {ORDERS})")
    parser.add_argument("--reuse-fill", action="store_true",
                        help="take tables that another build filled, instead of filling anew")
    parser.add_argument("--quick", action="store_true",
                        help=f"small: {QUICK_BATCHES} batches, {QUICK_ORDERS} orders")
    add_common(parser)
    return parser.parse_args()


def run(options):
    if sys.platform != "linux":
        raise BenchError("this measurement needs Linux", hint="it reads /proc of a running process")
    orders = options.orders or (QUICK_ORDERS if options.quick else ORDERS)
    batches = options.batches or (QUICK_BATCHES if options.quick else BATCHES)
    source, revision = program()
    work = options.work.resolve()
    with claimed(work):
        # A copy: the one that is measured must not change when somebody builds.
        binary = work / "esteira"
        shutil.copy2(source, binary)
        facts = machine.facts(binary) | {
            "revision": revision, "quick": options.quick, "quick_means": "few batches",
        }
        (work / "logs").mkdir(exist_ok=True)
        pipeline = ROOT / "pipelines/marketing_place"
        filled = Filled(binary, pipeline, work, History(work / "data"), reuse=options.reuse_fill)
        bucket = filled.copy(orders, work / "bucket")
        try:
            looking = pipeline_copy(pipeline, work / "pipeline", POLL_MILLISECONDS)
            samples = endured(
                binary, looking, bucket, work / "logs", orders, batches, max(1, batches // SAMPLES)
            )
        finally:
            shutil.rmtree(bucket, ignore_errors=True)
        endurance_report.show(options.form, facts, orders, samples)


if __name__ == "__main__":
    sys.exit(main())
