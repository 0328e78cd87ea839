#!/usr/bin/env bash
# Stops the demo's simulator and deletes its folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Only what the demo made: a slip in DEMO_DIR must not cost anybody their files.
if [[ ! -f $DEMO_DIR/made-by-make-demo ]]; then
    echo "there is no demo in $DEMO_DIR"
    exit 0
fi
if [[ -x $ESTEIRA ]]; then
    "$ESTEIRA" down --port "$DEMO_PORT"
fi
rm -rf -- "$DEMO_DIR"
echo "deleted $DEMO_DIR"
