"""Measures the job over sample data in the S3 simulator: what is typed, and the order of things.

Comes in: options. Goes out: a report on standard output, progress on standard error. The data are
made in `data`, stores in `store`, one measurement in `measure`, the other systems in `others`, and
`report` shows it all.
"""

import argparse
import shutil
import sys
from pathlib import Path

import machine
import report
from cases import CASES, Bench, measured
from command import add_common, ended, positive
from data import Data
from others import Others
from program import executable, program
from work_folder import claimed


def main():
    return ended(parse(), run)


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/bench.sh",
        description="Measure the job (`esteira run --once`) over sample data in the S3 simulator.",
        epilog="cases: " + "; ".join(f"{case.letter} {case.title}" for case in CASES.values()),
    )
    parser.add_argument("--only", type=letters, default=list(CASES), metavar="a,c",
                        help="only these cases")
    parser.add_argument("--repeat", type=positive, default=3, metavar="N",
                        help="measure each case so often; the median is reported (default: 3)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data")
    parser.add_argument("--compare", action="store_true",
                        help="also measure DuckDB and Python deltalake, cases a and c")
    parser.add_argument("--against", type=named, metavar="NAME=BINARY",
                        help="also measure another esteira, round by round beside this one")
    add_common(parser)
    return parser.parse_args()


def letters(text):
    chosen = [letter.strip() for letter in text.split(",")]
    unknown = [letter for letter in chosen if letter not in CASES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no case `{unknown[0]}`; there are {', '.join(CASES)}")
    return [letter for letter in CASES if letter in chosen]


def named(text):
    name, _, path = text.partition("=")
    if not name or not path:
        raise argparse.ArgumentTypeError("a name, `=`, and the path of an esteira")
    return name, Path(path)


def run(options):
    source, revision = program()
    work = options.work.resolve()
    with claimed(work):
        # A copy: the one that is measured must not change when somebody builds.
        binary = work / "esteira"
        shutil.copy2(source, binary)
        facts = machine.facts(binary) | {
            "revision": revision, "quick": options.quick, "quick_means": "a tenth of the data",
        }
        data = Data(binary, work / "data", scale=10 if options.quick else 1)
        benches = [Bench(binary, work, data)]
        if options.against:
            name, other = options.against
            # The same copy for it, under a name of its own.
            copied = work / "esteira-other"
            shutil.copy2(executable(other), copied)
            benches.append(Bench(copied, work, data, system=name))
        others = Others(work, data) if options.compare else None
        runs = measured(benches, options.only, options.repeat)
        if others:
            runs += others.measured(options.only, options.repeat, runs)
        report.show(options.form, facts, runs, options.against and options.against[0])


if __name__ == "__main__":
    sys.exit(main())
