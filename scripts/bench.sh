#!/usr/bin/env bash
# Measures the job; `--help` lists the options, docs/benchmarks.md has the method.
#
#   PYTHON                 the Python to use, 3.11 or newer (default: python3)
#   CARGO_TARGET_DIR       where the build goes (default: ~/.cache/esteira/target)
#   ESTEIRA_SKIP_BUILD=1   take the release binary that is there
#   ESTEIRA_BIN            measure this binary; nothing is built
#   ESTEIRA_BENCH_VENV     where `--compare` keeps its packages (default: ~/.cache/esteira/bench-venv)
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/bench/python.sh" bench.py "$@"
