#!/usr/bin/env bash
# Kills the job again and again, at every step and at any time, lets the disk lose what was not safe yet, and
# holds what comes of it against the oracle and `esteira verify`. See docs/reliability.md.
#
#   SEED              the first seed (default: 1)
#   KILLS             how many kills on a local disk (default: 500); a fifth as often on the simulator
#   CARGO_TARGET_DIR  where the build goes (default: ~/.cache/esteira/target)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seed="${SEED:-1}"
kills="${KILLS:-500}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/esteira/target}"

for number in "$seed" "$kills"; do
    if ! [[ $number =~ ^[0-9]{1,18}$ ]]; then
        echo "error: \`$number\` is not a number" >&2
        echo "hint: make soak SEED=7 KILLS=500" >&2
        exit 2
    fi
done

cargo build --workspace --locked --tests --quiet
export ESTEIRA_SOAK="$seed $kills"
RUST_BACKTRACE=0 cargo test --workspace --locked --quiet --test it -- soak:: runners:: --nocapture
echo "seeds from $seed on, $kills kills on a disk and $(((kills + 4) / 5)) on a service: nothing lost and nothing doubled"
