#!/usr/bin/env bash
# Runs a program of this folder: `python.sh PROGRAM [ARGUMENT…]`.
set -euo pipefail

python="${PYTHON:-python3}"
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "error: \`$python\` is not Python 3.11 or newer" >&2
    echo "hint: name another one with PYTHON=…" >&2
    exit 2
fi
exec "$python" -B "$(dirname "${BASH_SOURCE[0]}")/$1" "${@:2}"
