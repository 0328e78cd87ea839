"""Measures the job over sample data in the S3 simulator: what is typed, and the order of things.

Comes in: options. Goes out: a report on standard output, progress on standard error. The data are
made in `data`, stores in `store`, one measurement in `measure`, the other systems in `others`, and
`report` shows it all.
"""

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import machine
import report
from cases import CASES, Bench
from data import Data
from failure import BenchError
from others import Others

ROOT = Path(__file__).resolve().parent.parent.parent
MARKER = "made-by-esteira-bench"


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse()
    try:
        if options.clean:
            clean(options.work)
        else:
            run(options)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


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
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", default="table",
                      help="JSON lines: the machine, every run, every case")
    form.add_argument("--markdown", dest="form", action="store_const", const="markdown",
                      help="Markdown, for docs/benchmarks.md")
    parser.add_argument("--work", type=Path, metavar="DIR",
                        default=Path(tempfile.gettempdir()) / "esteira-bench",
                        help="where data and buckets go (default: %(default)s)")
    parser.add_argument("--clean", action="store_true", help="remove that folder, and end")
    return parser.parse_args()


def letters(text):
    chosen = [letter.strip() for letter in text.split(",")]
    unknown = [letter for letter in chosen if letter not in CASES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no case `{unknown[0]}`; there are {', '.join(CASES)}")
    return [letter for letter in CASES if letter in chosen]


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def run(options):
    source, revision = program()
    work = options.work.resolve()
    with claimed(work):
        # A copy: the one that is measured must not change when somebody builds.
        binary = work / "esteira"
        shutil.copy2(source, binary)
        facts = machine.facts(binary) | {"revision": revision, "quick": options.quick}
        data = Data(binary, work / "data", scale=10 if options.quick else 1)
        bench = Bench(binary, work, data)
        others = Others(work, data) if options.compare else None
        runs = bench.measured(options.only, options.repeat)
        if others:
            runs += others.measured(options.only, options.repeat, runs)
        report.show(options.form, facts, runs)


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


@contextmanager
def claimed(work):
    """The work folder, for this run alone."""
    if work.exists() and any(work.iterdir()) and not marked(work):
        raise BenchError(f"`{work}` holds other things", hint="name another with `--work`")
    work.mkdir(parents=True, exist_ok=True)
    with open(work / MARKER, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BenchError(
                f"another run measures in `{work}`", hint="two at once would disturb each other"
            ) from error
        yield


def marked(work):
    return (work / MARKER).is_file()


def clean(work):
    """Deletes the work folder, if it is one."""
    if not work.exists():
        return
    if not marked(work):
        raise BenchError(f"`{work}` was not made by this program and stays")
    with claimed(work):
        shutil.rmtree(work)
    print(f"deleted {work}")


if __name__ == "__main__":
    sys.exit(main())
