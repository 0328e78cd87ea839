#!/usr/bin/env bash
# Runs the job within a limit of memory on what is hard to hold: large objects and events, broken ones,
# bombs, a backlog. Each case has to end without being killed, with tables that `esteira verify` finds to be
# what the originals make. Needs Linux and the right to make a control group (root). See
# docs/reliability.md.
#
#   MEBIBYTES         the limit (default: 512)
#   BACKLOG           mebibytes of small objects (default: 5120)
#   WORK              where the objects go (default: a folder under /tmp)
#   CARGO_TARGET_DIR  where the build goes (default: ~/.cache/esteira/target)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

limit="${MEBIBYTES:-512}"
backlog="${BACKLOG:-5120}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/esteira/target}"
esteira="${ESTEIRA:-$CARGO_TARGET_DIR/debug/esteira}"
[ -n "${ESTEIRA:-}" ] || cargo build --workspace --locked --quiet

work="${WORK:-$(mktemp -d)}"
trap 'rm -rf "$work"' EXIT

if [ -d /sys/fs/cgroup/memory ]; then
    groups=/sys/fs/cgroup/memory most=memory.limit_in_bytes
else
    groups=/sys/fs/cgroup most=memory.max
fi
group="$groups/esteira-limits-$$"
if ! mkdir "$group" 2> /dev/null; then
    echo "error: cannot make a control group under $groups" >&2
    echo "hint: run it as root, for instance in a container with --privileged" >&2
    exit 2
fi
trap 'rmdir "$group"; rm -rf "$work"' EXIT
echo $((limit * 1024 * 1024)) > "$group/$most"

# The most memory of its own that a process has had, asked ten times a second.
within_limit() {
    local peak=0 now
    (echo "$BASHPID" > "$group/cgroup.procs" && exec "$@") > "$work/out" 2>&1 &
    local pid=$!
    while kill -0 "$pid" 2> /dev/null; do
        now=$(awk '/RssAnon/ { print int($2 / 1024) }' "/proc/$pid/status" 2> /dev/null || true)
        ((${now:-0} > peak)) && peak=$now
        sleep 0.1
    done
    local code=0
    wait "$pid" || code=$?
    echo "$peak MiB"
    return "$code"
}

# A case in a bucket of its own.
case_of() {
    rm -rf "$work/bucket"
    mkdir -p "$work/bucket/input"
    case_on_top "$@"
}

# A case in the bucket as the one before left it.
case_on_top() {
    local name=$1 start
    shift
    "$@"
    local bucket="file://$work/bucket"
    start=$(date +%s)
    if ! peak=$(within_limit "$esteira" run --once --input 'input/**' --bucket "$bucket"); then
        cat "$work/out" >&2
        echo "error: $name: failed within $limit MiB" >&2
        exit 1
    fi
    "$esteira" verify --bucket "$bucket" > /dev/null
    printf '%-54s peak %8s  %4s s  %s\n' "$name" "$peak" $(($(date +%s) - start)) \
        "$("$esteira" status --bucket "$bucket" | grep -E '^(events|quarantine)' | tr -s ' \n' ' ')"
}

make() {
    python3 scripts/limits/objects.py "$1" "$work/bucket/input/$2" "$3"
}

case_of "one object of 1 GiB NDJSON" make lines one.json 1024
case_of "one object of 125 MiB NDJSON" make lines one.json 125
case_of "one object of 125 MiB, long texts" make texts one.json 125
case_of "one object of 125 MiB, every event broken" make broken one.json 125
case_of "one event of 100 MiB, one text" make event one.json 100
case_of "one event of 100 MiB, many items" make items one.json 100
case_of "one event of 30 MiB" make event one.json 30
case_of "a bomb: 4 GiB of spaces as gzip" make bomb one.json 4096
case_of "640 MiB in 40 gzip objects" make packed packed 640
several() {
    make lines 1.json 200 && make lines 2.json 200
    make lines 3.json 125 && make lines 4.json 125
    make small small 200
}
case_of "two of 200 MiB, two of 125, 200 MiB of small" several
backlog() {
    make small small "$backlog"
    make lines large-1.json 200 && make lines large-2.json 200
}
case_of "a backlog of $backlog MiB in small objects, two of 200" backlog
case_on_top "a start on that, 2,000 orders all over it" make updates updates.json "$backlog"
echo "every case within $limit MiB"
