#!/bin/sh
# Checks Esteira against other people's S3 and Delta software: makes a Python environment of its own,
# builds, and runs tests/interop. Arguments go to pytest, for instance `-k polars` or `-x`.
#
#   PYTHON                 the Python to use, 3.11 or newer (default: python3)
#   ESTEIRA_INTEROP_VENV   where the environment is kept (default: ~/.cache/esteira/interop-venv)
#   CARGO_TARGET_DIR       where the build goes (default: ~/.cache/esteira/target)
#   ESTEIRA_SKIP_BUILD=1   take the binaries that are there
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
tests="$root/tests/interop"
cache="$HOME/.cache/esteira"
venv="${ESTEIRA_INTEROP_VENV:-$cache/interop-venv}"
python="${PYTHON:-python3}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "error: \`$python\` is not Python 3.11 or newer" >&2
    echo "hint: name another one with PYTHON=…" >&2
    exit 2
fi

# The environment is remade when what it must hold, or the Python under it, has changed.
fingerprint() {
    "$python" - "$@" <<'EOF'
import hashlib, pathlib, sys
digest = hashlib.sha256(sys.version.encode())
for name in sys.argv[1:]:
    digest.update(pathlib.Path(name).read_bytes())
print(digest.hexdigest())
EOF
}
install() {
    "$venv/bin/python" -m pip --disable-pip-version-check install --quiet \
        -r "$1" -c "$tests/constraints.txt"
}
all=$(fingerprint "$tests/requirements.txt" "$tests/requirements-duckdb.txt" "$tests/constraints.txt")
if [ "$(cat "$venv/.made-for" 2>/dev/null || true)" != "$all" ]; then
    echo "making the Python environment in $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    install "$tests/requirements.txt"
    echo "$all" > "$venv/.made-for"
fi
# What fails here is tried again by the next run; the tests say what they had to skip.
if [ ! -e "$venv/.has-duckdb" ]; then
    if install "$tests/requirements-duckdb.txt"; then
        touch "$venv/.has-duckdb"
    else
        echo "warning: DuckDB or its extensions cannot be installed here" >&2
    fi
fi

if [ "${ESTEIRA_SKIP_BUILD:-0}" != 1 ]; then
    cargo build --manifest-path "$root/Cargo.toml" --workspace --all-targets --locked
fi

export ESTEIRA_BIN="${ESTEIRA_BIN:-$CARGO_TARGET_DIR/debug/esteira}"
export ESTEIRA_ORACLE_BIN="${ESTEIRA_ORACLE_BIN:-$CARGO_TARGET_DIR/debug/examples/oracle}"
for binary in "$ESTEIRA_BIN" "$ESTEIRA_ORACLE_BIN"; do
    if [ ! -x "$binary" ]; then
        echo "error: \`$binary\` is not there" >&2
        echo "hint: run without ESTEIRA_SKIP_BUILD" >&2
        exit 2
    fi
done

cd "$tests"
exec "$venv/bin/python" -B -m pytest "$@"
