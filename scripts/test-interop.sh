#!/bin/sh
# Checks Esteira against other people's S3 and Delta software: makes a Python environment of its own,
# builds, and runs tests/interop. Arguments go to pytest, for instance `-k polars` or `-x`.
#
#   PYTHON                 the Python to use, 3.11 or newer (default: python3)
#   ESTEIRA_INTEROP_VENV   where the environment is kept (default: ~/.cache/esteira/interop-venv)
#   ESTEIRA_SPARK_VENV     where Spark's is kept, half a gigabyte (default: …/esteira/spark-venv)
#   ESTEIRA_SPARK_JARS     where its jars are kept (default: ~/.cache/esteira/spark-jars)
#   ESTEIRA_SKIP_SPARK=1   leave Spark out
#   CARGO_TARGET_DIR       where the build goes (default: ~/.cache/esteira/target)
#   ESTEIRA_SKIP_BUILD=1   take the binaries that are there
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
tests="$root/tests/interop"
cache="$HOME/.cache/esteira"
venv="${ESTEIRA_INTEROP_VENV:-$cache/interop-venv}"
export ESTEIRA_SPARK_VENV="${ESTEIRA_SPARK_VENV:-$cache/spark-venv}"
export ESTEIRA_SPARK_JARS="${ESTEIRA_SPARK_JARS:-$cache/spark-jars}"
python="${PYTHON:-python3}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "error: \`$python\` is not Python 3.11 or newer" >&2
    echo "hint: name another one with PYTHON=…" >&2
    exit 2
fi

# An environment is remade when what it must hold, or the Python under it, has changed.
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
    "$1/bin/python" -m pip --disable-pip-version-check install --quiet \
        -r "$2" -c "$tests/constraints.txt"
}
all=$(fingerprint "$tests/requirements.txt" "$tests/requirements-duckdb.txt" "$tests/constraints.txt")
if [ "$(cat "$venv/.made-for" 2>/dev/null || true)" != "$all" ]; then
    echo "making the Python environment in $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    install "$venv" "$tests/requirements.txt"
    echo "$all" > "$venv/.made-for"
fi
# What fails here is tried again by the next run; the tests say what they had to skip.
if [ ! -e "$venv/.has-duckdb" ]; then
    if install "$venv" "$tests/requirements-duckdb.txt"; then
        touch "$venv/.has-duckdb"
    else
        echo "warning: DuckDB or its extensions cannot be installed here" >&2
    fi
fi
install_spark() {
    for tool in java mvn; do
        command -v "$tool" >/dev/null || { echo "\`$tool\` is not installed" >&2; return 1; }
    done
    echo "making Spark's Python environment in $ESTEIRA_SPARK_VENV, its jars in $ESTEIRA_SPARK_JARS"
    rm -rf "$ESTEIRA_SPARK_VENV" "$ESTEIRA_SPARK_JARS.new"
    "$python" -m venv "$ESTEIRA_SPARK_VENV" &&
        install "$ESTEIRA_SPARK_VENV" "$tests/requirements-spark.txt" &&
        mvn -q -B -f "$tests/spark/pom.xml" dependency:copy-dependencies \
            -DoutputDirectory="$ESTEIRA_SPARK_JARS.new" &&
        echo "$spark" > "$ESTEIRA_SPARK_JARS.new/.made-for" &&
        rm -rf "$ESTEIRA_SPARK_JARS" &&
        mv "$ESTEIRA_SPARK_JARS.new" "$ESTEIRA_SPARK_JARS"
}
spark=$(fingerprint "$tests/requirements-spark.txt" "$tests/constraints.txt" "$tests/spark/pom.xml")
made_for=$(cat "$ESTEIRA_SPARK_JARS/.made-for" 2>/dev/null || true)
# A folder without the mark is somebody's own, and is taken as it is.
if [ -d "$ESTEIRA_SPARK_JARS" ] && [ -z "$made_for" ]; then
    made_for=$spark
fi
if [ "${ESTEIRA_SKIP_SPARK:-0}" != 1 ] && [ "$made_for" != "$spark" ] && ! install_spark; then
    echo "warning: Spark or its jars cannot be installed here" >&2
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
