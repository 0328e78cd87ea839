#!/usr/bin/env bash
# Measures what a batch of updates costs while the tables grow; `--help` lists the options. Needs Linux.
#
#   PYTHON                 the Python to use, 3.11 or newer (default: python3)
#   CARGO_TARGET_DIR       where the build goes (default: ~/.cache/esteira/target)
#   ESTEIRA_SKIP_BUILD=1   take the release binary that is there
#   ESTEIRA_BIN            measure this binary; nothing is built
#   ESTEIRA_BENCH_VENV     where the other systems' packages go (default: ~/.cache/esteira/bench-venv)
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/bench/python.sh" growth.py "$@"
