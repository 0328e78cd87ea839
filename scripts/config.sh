#!/usr/bin/env bash
# Checks the tools, shows which S3 the Makefile would talk to, and creates ./input.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=0

if command -v cargo >/dev/null; then
    echo "Rust        $(rustc --version)"
else
    echo "Rust        missing: https://rustup.rs"
    missing=1
fi

compiler=$(command -v "${CC:-cc}" || command -v gcc || command -v clang || true)
if [[ -n $compiler ]]; then
    echo "C compiler  $compiler"
else
    echo "C compiler  missing: apt-get install build-essential, or xcode-select --install"
    missing=1
fi

mkdir -p input
echo "input       $(find input -type f | wc -l | tr -d ' ') files in ./input"
echo "build       in $CARGO_TARGET_DIR"

shown() { [[ -n ${!1:-} ]] && echo "${!1}" || echo "not set"; }
hidden() { [[ -n ${!1:-} ]] && echo "set" || echo "not set"; }

echo
echo "AWS settings in force:"
echo "  AWS_ENDPOINT_URL       $(shown AWS_ENDPOINT_URL)"
echo "  AWS_REGION             $(shown AWS_REGION)"
echo "  AWS_PROFILE            $(shown AWS_PROFILE)"
echo "  AWS_ACCESS_KEY_ID      $(hidden AWS_ACCESS_KEY_ID)"
echo "  AWS_SECRET_ACCESS_KEY  $(hidden AWS_SECRET_ACCESS_KEY)"
case ${AWS_ENDPOINT_URL_S3:-${AWS_ENDPOINT_URL:-}} in
    "") echo "That is real S3." ;;
    http://127.0.0.1:*|http://localhost:*) echo "That is a simulator on this machine; real S3 is: make … S3=real" ;;
    *) echo "That is an endpoint of your own." ;;
esac

exit "$missing"
