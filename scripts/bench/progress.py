"""What goes on, for who waits for it: on standard error, since standard output is the report's."""

import sys


def tell(text):
    print(text, file=sys.stderr, flush=True)
