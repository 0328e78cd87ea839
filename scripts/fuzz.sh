#!/usr/bin/env bash
# Fuzzes every target, or TARGET, for SECONDS_EACH seconds (60 unless told otherwise). Needs nightly Rust and
# cargo-fuzz. What is found is kept in fuzz/artifacts, with the command that plays it again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing() {
    echo "error: $1 is missing" >&2
    echo "hint: $2" >&2
    exit 1
}
cargo +nightly --version >/dev/null 2>&1 || missing "nightly Rust" "rustup toolchain install nightly --profile minimal"
cargo +nightly fuzz --version >/dev/null 2>&1 || missing "cargo-fuzz" "cargo install cargo-fuzz --locked"

targets=(${TARGET:-decode timestamp decimal schema})
folder=$(dirname "${CARGO_TARGET_DIR:-$HOME/.cache/esteira/target}")/fuzz
for target in "${targets[@]}"; do
    mkdir -p "fuzz/corpus/$target"
    echo "== $target, ${SECONDS_EACH:-60} s"
    cargo +nightly fuzz run --target-dir "$folder" "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="${SECONDS_EACH:-60}" -rss_limit_mb=4096 -verbosity=0 -print_final_stats=1
done
echo "no findings in ${targets[*]}"
