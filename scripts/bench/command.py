"""What the commands of this folder have in common: options, and how one ends."""

import argparse
import signal
import sys
from pathlib import Path

import work_folder
from failure import BenchError


def add_common(parser):
    """Options that every command has."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", default="table",
                      help="JSON lines: the machine, every measurement, every summary")
    form.add_argument("--markdown", dest="form", action="store_const", const="markdown",
                      help="Markdown, for docs/benchmarks.md")
    parser.add_argument("--work", type=Path, metavar="DIR", default=work_folder.DEFAULT,
                        help="where data and buckets go (default: %(default)s)")
    parser.add_argument("--clean", action="store_true", help="remove that folder, and end")


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def ended(options, run):
    """Runs the command, or cleans; the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if options.clean:
            work_folder.clean(options.work)
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
