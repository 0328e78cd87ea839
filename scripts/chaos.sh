#!/usr/bin/env bash
# Runs the job on a simulator with faults, seed after seed, and holds what comes of it against the oracle.
# See docs/reliability.md.
#
#   SEED              the first seed (default: 1)
#   ROUNDS            how many seeds (default: 10)
#   PROFILE           light, rough or storm (default: rough)
#   CARGO_TARGET_DIR  where the build goes (default: ~/.cache/esteira/target)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seed="${SEED:-1}"
rounds="${ROUNDS:-10}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/esteira/target}"

for number in "$seed" "$rounds"; do
    if ! [[ $number =~ ^[0-9]{1,18}$ ]]; then
        echo "error: \`$number\` is not a number" >&2
        echo "hint: make chaos SEED=7 ROUNDS=10" >&2
        exit 2
    fi
done
case "${PROFILE:-rough}" in
    light) test=light_chaos_loses_and_doubles_nothing ;;
    rough) test=rough_chaos_loses_and_doubles_nothing ;;
    storm) test=storm_loses_and_doubles_nothing ;;
    *)
        echo "error: \`$PROFILE\` is not a profile" >&2
        echo "hint: PROFILE=light, PROFILE=rough or PROFILE=storm" >&2
        exit 2
        ;;
esac

cargo build --workspace --locked --tests --quiet
failed=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for ((round = 0; round < rounds; round++)); do
    export ESTEIRA_CHAOS_SEEDS=$((seed + round))
    if RUST_BACKTRACE=0 cargo test --workspace --locked --quiet --test it -- \
        --exact "chaos::$test" --nocapture > "$log" 2>&1 && grep '^\.\?seed ' "$log"; then
        continue
    fi
    cat "$log"
    failed+=("$ESTEIRA_CHAOS_SEEDS")
done
if ((${#failed[@]})); then
    echo "error: ${#failed[@]} of $rounds seeds failed: ${failed[*]}" >&2
    exit 1
fi
echo "$rounds seeds, nothing lost and nothing doubled"
